// thrown 3: RangeError: apply
export default function () {
  return Math.max.apply(null, { length: 2 ** 31 });
}
