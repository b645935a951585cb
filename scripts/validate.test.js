import { equal, ok, test, throws } from "omega:test";
import validate from "./validate.js";

// vote judges a result of the job ring_3.
const vote = (result, expect, more = {}) =>
  validate({ job: "ring_3", title: "", input: null, result, files: [], ...more }, { mission: "m", params: { expect }, job: "ring_3", attempt: 1 });

test("what meets all expectations is approved", () => {
  equal(vote({ megawatts: 121, crew: ["a", "b"] }, { ring: { megawatts: { type: "number", min: 120, max: 140 }, crew: { length: 2 } } }),
    { vote: "approve", reason: "crew, megawatts: as expected" });
});

test("each rule says what it found", () => {
  const reasons = [
    [{ a: 1 }, { b: {} }, "b is missing"],
    [{ a: "1" }, { a: { type: "number" } }, "a is of type string, not number"],
    [{ a: [] }, { a: { type: "object" } }, "a is of type list, not object"],
    [{ a: 1 }, { a: { min: 2 } }, "a is 1, below 2"],
    [{ a: "x" }, { a: { max: 2 } }, 'a is "x", above 2'],
    [{ a: [1] }, { a: { length: 2 } }, "a has 1 elements, not 2"],
    [{ a: null }, { a: { length: 2 } }, "a has no elements, not 2"],
    [{ a: { x: 1, y: [2] } }, { a: { equals: { y: [3], x: 1 } } }, 'a is {"x":1,"y":[2]}, not {"y":[3],"x":1}'],
    [{ a: 3 }, { a: { one_of: [1, 2] } }, "a is 3, none of [1,2]"],
    [{ a: { b: 1 } }, { "a.c": { type: "number" } }, "a.c is missing"],
  ];
  for (const [result, expected, reason] of reasons) equal(vote(result, { ring: expected }), { vote: "reject", reason });
});

test("the order of members does not matter", () => {
  equal(vote({ a: { x: 1, y: 2 } }, { ring: { a: { equals: { y: 2, x: 1 } } } }).vote, "approve");
});

test("a job's own expectations come before its block's, and those before all others'", () => {
  const expect = { ring_3: { a: { equals: 3 } }, ring: { a: { equals: 2 } }, "*": { a: { equals: 1 } } };
  const judge = (job, a) => vote({ a }, expect, { job }).vote;
  equal([judge("ring_3", 3), judge("ring_4", 2), judge("ring_3__1", 1), judge("probe", 1)], ["approve", "approve", "approve", "approve"]);
  equal(judge("ring_4", 3), "reject");
});

test("a result may have to say what the input said", () => {
  equal(vote({ file: "a.txt" }, { ring: { file: { from: "source.file" } } }, { input: { source: { file: "a.txt" } } }).vote, "approve");
  equal(vote({ file: "a.txt" }, { ring: { file: { from: "source.file" } } }).reason, 'file is "a.txt", and the input says nothing');
});

test("a job may bring its expectations", () => {
  equal(vote({ a: 1, b: 0 }, { ring: { a: { min: 1 } } }, { input: { expect: { b: { min: 1 } } } }).reason, "b is 0, below 1");
});

test("nothing expected is approved, unless params say otherwise", () => {
  equal(vote({ a: 1 }, {}).vote, "approve");
  equal(validate({ job: "a", title: "", input: null, result: {}, files: [] }, { params: { unknown: "abstain" } }).vote, "abstain");
});

test("no result, and one that admits to be wrong, are rejected", () => {
  equal(vote(null, {}).vote, "reject");
  equal(vote({ wrong: true }, {}).vote, "reject");
});

test("a rule that does not exist is a mistake of the mission file", () => {
  throws(() => vote({ a: 1 }, { ring: { a: { minimum: 1 } } }));
});

test("a long value is cut in the reason", () => {
  ok(vote({ a: "x".repeat(1000) }, { ring: { a: { equals: 1 } } }).reason.length < 100);
});
