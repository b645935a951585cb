// thrown 3: TypeError
export default function (input) {
  input.list.push(1);
}
