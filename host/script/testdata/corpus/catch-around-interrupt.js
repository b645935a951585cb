// time 2: took longer
export default function () {
  for (;;) {
    try {
      while (true);
    } catch (e) {
      continue;
    }
  }
}
