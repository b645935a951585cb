// time 4: took longer
export default function () {
  outer: for (;;) { inner: do {
    if (globalThis) continue outer; else break inner;
  } while (true); }
}
