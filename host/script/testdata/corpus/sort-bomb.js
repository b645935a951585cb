// thrown 4: RangeError: sort
export default function () {
  const a = new Array(4294967295);
  return a.sort().length;
}
