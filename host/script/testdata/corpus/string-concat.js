// memory 4: holds more
export default function () {
  let s = "x";
  for (;;) s += s;
}
