// memory 5: holds more
export default function () {
  const all = [];
  let s = "";
  for (;;) all.push((s += "abcdefghij".repeat(1000)) + "!");
}
