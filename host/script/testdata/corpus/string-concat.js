// memory *: 
export default function () {
  let s = "x";
  for (;;) s += s;
}
