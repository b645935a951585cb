// thrown|memory|time 3: 
export default function () {
  return new RegExp("(".repeat(1e6) + ")".repeat(1e6)).test("x");
}
