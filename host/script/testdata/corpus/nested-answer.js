// answer 2: nested more than
export default function () {
  let a = [];
  for (let i = 0; i < 5000; i++) a = [a];
  return a;
}
