// memory|time|thrown *: 
export default function () {
  return "x".repeat(1 << 24).split("").length;
}
