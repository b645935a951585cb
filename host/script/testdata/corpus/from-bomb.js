// thrown 3: RangeError: from
export default function () {
  return Array.from({ length: 2 ** 31 }).length;
}
