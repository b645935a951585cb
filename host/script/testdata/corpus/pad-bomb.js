// thrown 3: RangeError: padStart
export default function () {
  return "x".padStart(2 ** 30).length;
}
