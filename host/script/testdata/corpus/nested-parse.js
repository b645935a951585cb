// thrown 3: RangeError: JSON.parse
export default function () {
  return JSON.parse("[".repeat(1e6));
}
