// thrown 3: more than 1000 deep
export default function () {
  const f = () => f() + 1;
  return { get x() { return f(); } };
}
