// thrown 3: TypeError
export default function (input, view) {
  view.at = 0;
}
