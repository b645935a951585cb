// thrown 3: TypeError
export default function () {
  Object.defineProperty(Array.prototype, "map", { value: () => [] });
}
