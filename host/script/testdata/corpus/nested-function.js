// thrown 3: TypeError
export default function () {
  return new Function("(".repeat(1e6))();
}
