import { equal, test } from "omega:test";
import assay from "./assay.js";

const vote = (result, files = []) => assay({ job: "a", title: "", input: null, result, files }, { mission: "omega", params: {}, job: "a", attempt: 1 });

test("what is plausible is approved", () => {
  equal(vote({ cells: 24, orbits: 3, crew: ["a"], done: true }), { vote: "approve" });
  equal(vote({}), { vote: "approve" });
});

test("what cannot be is rejected, with the reason", () => {
  equal(vote(null).reason, "the result is no object");
  equal(vote({ wrong: true }).reason, "the result says that it is wrong");
  equal(vote({ cells: -1 }).reason, "cells is below zero");
  equal(vote({ regions: [] }).reason, "regions is empty");
});

test("a file has to be there", () => {
  const result = { file: "chronicle.txt", lines: 5 };
  equal(vote(result).reason, "there is no chronicle.txt");
  equal(vote(result, [{ name: "chronicle.txt", digest: "", size: 0 }]).vote, "reject");
  equal(vote(result, [{ name: "chronicle.txt", digest: "", size: 9 }]).vote, "approve");
});
