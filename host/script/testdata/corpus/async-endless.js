// time 2: took longer
export default async function () {
  for (;;) {
    await null;
  }
}
