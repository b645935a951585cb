// memory 4: holds more
export default function () {
  const m = new Map();
  for (let i = 0; ; i++) m.set(i, "v" + i);
}
