// memory|time 3: 
export default function () {
  for (let i = 0; ; i++) Symbol.for("x".repeat(1000) + i);
}
