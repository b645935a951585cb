// A worker that hands its work on: one child job for each field of the sky. When
// all have ended it is asked again, and adds up.
//
//   input   { fields: { north: "..*..\n…", south: … } }
//   result  { sources: { north: 12, south: 9 }, total: 21 }

export default function (work) {
  const fields = Object.keys(work.input.fields);
  if (work.children.length === 0) {
    return { children: fields.map((name) => ({
      name, title: `Count the ${name} field`, skills: ["count"], reward: 20, work: "10m",
      input: { name, field: work.input.fields[name] },
    })) };
  }
  const sources = {};
  let total = 0;
  for (const child of work.children) {
    if (child.state !== "finalized") throw new Error(`${child.title}: ${child.state}`);
    sources[child.result.name] = child.result.sources;
    total += child.result.sources;
  }
  return { result: { sources, total } };
}
