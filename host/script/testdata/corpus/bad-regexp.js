// problem 3: Unterminated group
export default function () {
  return /(a/.test("a");
}
