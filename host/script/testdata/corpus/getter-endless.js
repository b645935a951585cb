// time 3: took longer
export default function () {
  return { get reason() { while (true); } };
}
