// time 3: took longer
export default function () {
  return Array.prototype.forEach.call({ length: 2 ** 53 - 1 }, () => {});
}
