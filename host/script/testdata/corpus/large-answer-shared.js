// answer 2: larger than 65536
export default function () {
  let a = { x: 1 };
  for (let i = 0; i < 60; i++) a = { a, b: a };
  return a;
}
