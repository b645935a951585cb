// thrown 3: RangeError: fill
export default function () {
  return new Array(4294967295).fill(0).length;
}
