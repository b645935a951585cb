// thrown 3: undefined
export default function () {
  throw undefined;
}
