// time|thrown *: 
export default function () {
  const a = [];
  for (let i = 0; i < 200000; i++) a.push("x".repeat(50) + (i * 7919 % 200000));
  for (;;) a.sort();
}
