// memory 4: holds more
export default function () {
  const a = [];
  for (;;) a.push(new Uint8Array(1 << 20));
}
