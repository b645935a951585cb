// thrown 3: TypeError
export default function () {
  Object.getPrototypeOf([][Symbol.iterator]()).next = () => ({ done: true });
}
