// A worker: the stars in order of their periods, the quickest first, with a sum by
// which a copy can be checked.
//
//   input   { stars: [{ star, period, range }, …], survey: { total } }
//   result  { stars, sum }

export default function (work) {
  const stars = [...work.input.stars].sort((a, b) => a.period - b.period || (a.star < b.star ? -1 : 1));
  const sum = stars.reduce((sum, { period, range }, i) => (sum * 31 + period * (i + 1) + range) % 1000003, work.input.survey.total);
  return { result: { stars, sum } };
}
