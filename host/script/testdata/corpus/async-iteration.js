// answer: 3
export default async function () {
  async function* two() { yield 1; yield 2; }
  let sum = 0;
  for await (const n of two()) sum += n;
  return sum;
}
