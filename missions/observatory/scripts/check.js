// A validator: it does not believe the workers, and looks in another way. What
// kind of work a result belongs to is told by its input.

export default function ({ input, result }) {
  const problem = input.samples ? star(input, result)
    : input.field ? field(input, result)
    : input.fields ? survey(input, result)
    : catalogue(input, result);
  return problem === "" ? { vote: "approve" } : { vote: "reject", reason: problem };
}

// star asks how long a line through the samples is once they are put in order of
// their phase. With the right period it is short; the claimed one has to be as
// good as any in its neighbourhood, and much better than an arbitrary one.
function star({ samples, from, to }, { period, range }) {
  if (!Number.isInteger(period) || period < from || period > to) return `a period of ${period} is not between ${from} and ${to}`;
  const here = line(samples, period);
  for (const other of [0.9, 0.95, 1.05, 1.1].map((part) => Math.round(period * part))) {
    if (other >= from && other <= to && here > line(samples, other)) return `a period of ${other} fits better than ${period}`;
  }
  const brightness = samples.map(([, millimag]) => millimag).sort((a, b) => a - b);
  const seen = brightness[brightness.length - 1] - brightness[0];
  return range === seen ? "" : `the brightness changes by ${seen}, not by ${range}`;
}

function line(samples, period) {
  const folded = samples.map(([minute, millimag]) => [minute % period, millimag]).sort((a, b) => a[0] - b[0]);
  let length = 0;
  for (let i = 1; i < folded.length; i++) length += Math.abs(folded[i][1] - folded[i - 1][1]);
  return length;
}

// field counts by joining what touches, row by row, instead of flooding.
function field({ field, name }, result) {
  const counted = joined(field);
  if (result.name !== name) return `this is the ${name} field, not ${result.name}`;
  return result.sources === counted ? "" : `there are ${counted} sources, not ${result.sources}`;
}

function joined(field) {
  const parent = [];
  const root = (a) => { while (parent[a] !== a) a = parent[a]; return a; };
  let above = [];
  for (const row of field.trim().split("\n")) {
    const here = [];
    for (let x = 0; x < row.length; x++) {
      if (row[x] !== "*") continue;
      const touching = [here[x - 1], above[x]].filter((label) => label !== undefined).map(root);
      here[x] = touching.length > 0 ? Math.min(...touching) : parent.push(parent.length) - 1;
      for (const label of touching) parent[label] = here[x];
    }
    above = here;
  }
  return parent.filter((label, i) => label === i).length;
}

function survey({ fields }, { sources, total }) {
  let sum = 0;
  for (const [name, field] of Object.entries(fields)) {
    const counted = joined(field);
    if (sources[name] !== counted) return `there are ${counted} sources in the ${name} field, not ${sources[name]}`;
    sum += counted;
  }
  return total === sum ? "" : `${sum} in all, not ${total}`;
}

function catalogue({ stars, survey }, result) {
  if (result.stars.length !== stars.length) return `${stars.length} stars, not ${result.stars.length}`;
  let sum = survey.total;
  for (const [i, star] of result.stars.entries()) {
    if (i > 0 && result.stars[i - 1].period > star.period) return `${star.star} stands after a slower star`;
    if (!stars.some((known) => known.star === star.star && known.period === star.period && known.range === star.range)) return `${star.star} is not as it was measured`;
    sum = (sum * 31 + star.period * (i + 1) + star.range) % 1000003;
  }
  return sum === result.sum ? "" : `the sum is ${sum}, not ${result.sum}`;
}
