// answer *: never settles
export default function () {
  return new Promise(() => {});
}
