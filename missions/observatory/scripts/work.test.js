import { equal, ok, test, throws } from "omega:test";
import catalogue from "./catalogue.js";
import check from "./check.js";
import count from "./count.js";
import hasty from "./hasty.js";
import period from "./period.js";
import survey from "./survey.js";

// A star that gets brighter for half of its period of 700 minutes, and darker for the other.
const samples = Array.from({ length: 48 }, (_, i) => [i * 97 + (i * i) % 13, 1000 + Math.abs(((i * 97 + (i * i) % 13) % 700) - 350)]);
const star = { star: "test", samples, from: 500, to: 1200 };
const vote = (input, result) => check({ input, result }).vote;

test("a period is found, and holds before the validator", () => {
  const { result } = period({ input: star });
  ok(Math.abs(result.period - 700) <= 7, `found ${result.period}`);
  equal(vote(star, result), "approve");
  equal(vote(star, { ...result, period: 640 }), "reject");
  equal(vote(star, { ...result, range: result.range + 1 }), "reject");
  equal(vote(star, { ...result, period: 350 }), "reject");
});

test("haste is noticed", () => {
  equal(vote(star, hasty({ input: star }).result), "reject");
  throws(() => hasty({ input: { ...star, samples: [...samples, ...samples] } }));
});

test("sources that touch are one", () => {
  const input = { name: "north", field: "**..*\n*..**\n..*..\n" };
  equal(count({ input }).result, { name: "north", sources: 3 });
  equal(vote(input, { name: "north", sources: 3 }), "approve");
  equal(vote(input, { name: "north", sources: 4 }), "reject");
});

test("both ways of counting agree on a shape that closes late", () => {
  const input = { name: "u", field: "*.*.*\n*.*.*\n*****\n" };
  equal(count({ input }).result.sources, 1);
  equal(vote(input, { name: "u", sources: 1 }), "approve");
});

test("a survey is handed on first and added up later", () => {
  const input = { fields: { north: "*", south: "*.*" } };
  equal(survey({ input, children: [] }).children.map((child) => child.name), ["north", "south"]);
  const children = [["north", 1], ["south", 2]].map(([name, sources]) => ({ title: name, state: "finalized", result: { name, sources } }));
  const { result } = survey({ input, children });
  equal(result, { sources: { north: 1, south: 2 }, total: 3 });
  equal(vote(input, result), "approve");
  throws(() => survey({ input, children: [{ title: "north", state: "expired", result: null }] }));
});

test("a catalogue is in order and complete", () => {
  const input = { stars: [{ star: "b", period: 9, range: 1 }, { star: "a", period: 3, range: 2 }], survey: { total: 5 } };
  const { result } = catalogue({ input });
  equal(result.stars.map((star) => star.star), ["a", "b"]);
  equal(vote(input, result), "approve");
  equal(vote(input, { ...result, sum: 0 }), "reject");
  equal(vote(input, { ...result, stars: [...result.stars].reverse() }), "reject");
});
