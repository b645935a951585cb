// time 4: took longer
export default function () {
  try {
    throw new Error("x");
  } finally {
    while (true);
  }
}
