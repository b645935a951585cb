// time 3: took longer
export default function () {
  return new Proxy({}, { ownKeys() { while (true); } });
}
