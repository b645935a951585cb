// answer: {"a":1}
export default function () {
  class A { a = 1; toJSON() { return 2; } }
  return new A();
}
