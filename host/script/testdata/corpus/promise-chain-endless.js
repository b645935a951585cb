// time *: took longer
export default function () {
  const again = () => Promise.resolve().then(again);
  return again();
}
