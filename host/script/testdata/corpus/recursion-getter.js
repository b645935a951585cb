// thrown 3: more than 1000 deep
export default function () {
  const o = { get x() { return this.x; } };
  return o.x;
}
