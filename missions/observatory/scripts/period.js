// A worker: finds the period and the range of a variable star.
//
//   input   { star, samples: [[minute, millimag], …], from, to }
//   result  { star, period, range }

import { best } from "./fold.js";

export default function (work) {
  const { star, samples, from, to } = work.input;
  const step = Math.ceil(from / 100);
  const near = best(samples, from, to, step); // first coarsely, then minute by minute
  const period = best(samples, Math.max(from, near - step), Math.min(to, near + step), 1);
  const brightness = samples.map(([, millimag]) => millimag);
  console.log(`${star}: ${samples.length} samples, period near ${near}, then ${period} minutes`);
  return {
    result: { star, period, range: Math.max(...brightness) - Math.min(...brightness) },
    energy_used: String(samples.length), // one unit a sample
  };
}
