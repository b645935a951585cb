// thrown 3: RangeError: join
export default function () {
  return new Array(4294967295).join("xxxxxxxx").length;
}
