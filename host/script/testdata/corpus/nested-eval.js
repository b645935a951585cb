// thrown 3: TypeError
export default function () {
  return (0, eval)("(".repeat(1e6));
}
