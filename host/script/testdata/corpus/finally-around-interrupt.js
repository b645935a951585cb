// time 2: took longer
export default function () {
  try {
    while (true);
  } finally {
    while (true);
  }
}
