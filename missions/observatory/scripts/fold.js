// Folding: a periodic star looks the same at the same point of each period.

/** spread is how far the brightnesses within one phase of the period differ: the
 *  sum over ten phases of the squared distances from the phase's mean, whole
 *  numbers throughout, so that it is the same on every machine. */
export function spread(samples, period) {
  const n = new Array(10).fill(0), sum = new Array(10).fill(0), squares = new Array(10).fill(0);
  for (const [minute, millimag] of samples) {
    const phase = Math.floor(((minute % period) * 10) / period);
    n[phase]++;
    sum[phase] += millimag;
    squares[phase] += millimag * millimag;
  }
  let total = 0;
  for (let phase = 0; phase < 10; phase++) {
    if (n[phase] > 0) total += squares[phase] - Math.ceil((sum[phase] * sum[phase]) / n[phase]);
  }
  return total;
}

/** best is the period between two with the least spread, looked for in steps. */
export function best(samples, from, to, step) {
  let found = { period: from, spread: Infinity };
  for (let period = from; period <= to; period += step) {
    const here = spread(samples, period);
    if (here < found.spread) found = { period, spread: here };
  }
  return found.period;
}
