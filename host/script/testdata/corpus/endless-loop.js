// time 4: took longer
export default function () {
  let n = 0;
  while (true) n++;
}
