// thrown 3: TypeError
export default function () {
  return Object.getPrototypeOf(function* () {}).constructor("yield 1");
}
