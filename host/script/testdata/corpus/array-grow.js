// memory 4: holds more
export default function () {
  const a = [];
  for (;;) a.push({ n: a.length });
}
