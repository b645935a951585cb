// thrown 3: ReferenceError
export default function () {
  leak = 1;
}
