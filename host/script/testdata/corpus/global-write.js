// thrown 3: TypeError
export default function () {
  globalThis.leak = 1;
}
