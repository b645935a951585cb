// thrown 3: RangeError: repeat
export default function () {
  return "x".repeat(2 ** 30).length;
}
