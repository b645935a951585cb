import { account, equal, job, test, view, worker } from "omega:test";
import rules from "./rules.js";

const assign = (labels, block) => rules({ hook: "job.assign", by: "mission", job: job({ name: "algol", labels }), worker: worker({ worker: block, block }), stake: "1", deposit: "0" }, view({ params: {} }));

test("the hasty get no reference star", () => {
  equal(assign({ reference: "yes" }, "hasty"), { allow: false, reason: "algol is a reference, and not for hasty" });
  equal(assign({ reference: "yes" }, "astronomer"), { allow: true });
  equal(assign({}, "hasty"), { allow: true });
});

test("a person is asked about what costs more than 30 to hand on", () => {
  const delegate = (cost) => rules({ hook: "job.delegate", by: "worker:planner", parent: job(), children: [job(), job()], cost, left: "100" }, view({ params: {} }));
  equal(delegate("30"), { allow: true });
  equal(delegate("30.5"), { ask: true, reason: "2 jobs for 30.5 tokens" });
});

test("the strategist posts no job above the limit", () => {
  const post = (cost, params) => rules({ hook: "job.post", by: "director", job: job({ name: "second" }), cost, account: account() }, view({ params }));
  equal(post("40", {}), { allow: true });
  equal(post("63", { deny_above: "50" }), { allow: false, reason: "second costs 63, more than 50" });
});
