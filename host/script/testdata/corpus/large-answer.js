// answer 2: larger than 65536
export default function () {
  return "x".repeat(10e6);
}
