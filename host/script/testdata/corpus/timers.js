// thrown 3: ReferenceError
export default function () {
  setTimeout(() => {}, 1);
}
