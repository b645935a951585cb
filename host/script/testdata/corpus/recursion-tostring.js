// thrown 3: more than 1000 deep
export default function () {
  const o = { toString() { return "" + o; } };
  return "" + o;
}
