// time *: took longer
export default function () {
  function* numbers() { for (let n = 0; ; n++) yield n; }
  for (const n of numbers()) if (n < 0) return n;
}
