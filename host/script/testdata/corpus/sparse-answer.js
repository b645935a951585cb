// answer 2: more than fit
export default function () {
  const a = [];
  a[4294967294] = 1;
  return a;
}
