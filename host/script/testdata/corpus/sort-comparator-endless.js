// time 3: took longer
export default function () {
  return [3, 1, 2].sort((a, b) => {
    while (true);
  });
}
