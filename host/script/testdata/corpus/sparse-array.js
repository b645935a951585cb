// answer: 4294967295
export default function () {
  const a = [];
  a[4294967294] = 1;
  return a.length;
}
