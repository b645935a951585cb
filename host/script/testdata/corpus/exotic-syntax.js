// answer: [true,3,"b",2]
export default function () {
  class A { static { this.x = 1; } #p = 1; static has(o) { return #p in o; } }
  let a; a ??= 3;
  return [A.has(new A()), a, "abc".match(/(?<=a)(?<l>b)/).groups.l, [1, 2].at(-1)];
}
