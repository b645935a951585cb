// time 3: took longer
export default function () {
  return ("a".repeat(40) + "!").replace(/(?=((a+)+b))/g, "x");
}
