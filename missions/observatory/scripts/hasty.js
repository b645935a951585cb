// A worker that is quick because it is careless: it looks for a period in big
// steps and stops there, and for the range at the first two samples alone. On a
// short series that is wrong, and the council says so; a long one is too much.

import { best } from "./fold.js";

export default function (work) {
  const { star, samples, from, to } = work.input;
  if (samples.length > 50) throw new Error(`${samples.length} samples are too many for me`);
  return { result: { star, period: best(samples, from, to, Math.ceil(from / 5)), range: Math.abs(samples[0][1] - samples[1][1]) }, energy_used: String(samples.length) };
}
