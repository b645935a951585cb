// thrown 3: RangeError: repeat
export default function () {
  return "x".repeat(1e4).repeat(1e4).repeat(1e4).length;
}
