// A worker: counts the sources in a field of the sky, where each is one star or
// several that touch. It floods each source it meets.
//
//   input   { name, field: "..*..\n.**..\n" }
//   result  { name, sources }

export default function (work) {
  const sky = work.input.field.trim().split("\n").map((row) => [...row]);
  let sources = 0;
  for (let y = 0; y < sky.length; y++) {
    for (let x = 0; x < sky[y].length; x++) {
      if (sky[y][x] !== "*") continue;
      sources++;
      flood(sky, x, y);
    }
  }
  return { result: { name: work.input.name, sources } };
}

// flood wipes a source out, with a list instead of recursion: a source may be large.
function flood(sky, x, y) {
  const open = [[x, y]];
  while (open.length > 0) {
    const [x, y] = open.pop();
    if (sky[y]?.[x] !== "*") continue;
    sky[y][x] = ".";
    open.push([x + 1, y], [x - 1, y], [x, y + 1], [x, y - 1]);
  }
}
