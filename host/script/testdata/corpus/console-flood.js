// answer: 1
export default function () {
  for (let i = 0; i < 20000; i++) console.log("line", i, { i });
  console.error("x".repeat(1e6));
  return 1;
}
