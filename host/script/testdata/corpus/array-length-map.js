// thrown 3: RangeError: map
export default function () {
  return new Array(4294967295).map((x) => x).length;
}
