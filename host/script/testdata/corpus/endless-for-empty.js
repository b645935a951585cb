// time 2: took longer
export default function () {
  for (;;);
}
