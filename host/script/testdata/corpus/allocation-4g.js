// thrown 3: RangeError
export default function () {
  return new ArrayBuffer(4 * 1024 ** 3).byteLength;
}
