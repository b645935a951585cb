// answer 2: contains itself
export default function () {
  const a = {};
  a.a = a;
  return a;
}
