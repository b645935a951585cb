// thrown 3: TypeError
export default function () {
  return (async () => {}).constructor("return 1")();
}
