import { account, equal, job, ok, test, throws, view, worker } from "omega:test";
import spending from "./spending.js";

const tokens = (paid) => ({ free: "100000", minted: "200000", paid, slashed: "0", burned: "0", fees: "0" });

// post asks about a job that a strategist wants to post.
function post(cost, params = {}, over = {}) {
  const request = { hook: "job.post", by: "macro", job: job({ name: "dig" }), cost, account: account({ account: "macro", free: "60000" }) };
  return spending(request, view({ params, ...over }));
}

test("what costs little is allowed", () => {
  equal(post("5000"), { allow: true });
});

test("a person decides about more, to the last millionth", () => {
  equal(post("5000.000001"), { ask: true, reason: "dig would cost 5000.000001, and above 5000 a person decides" });
});

test("too much is denied without asking", () => {
  equal(post("20000"), post("20000", { ask_above: "5000" }));
  equal(post("20000.5").allow, false);
  ok(post("20000.5").reason.includes("20000.5"));
});

test("params change each limit, and an empty one lifts it", () => {
  equal(post("30", { deny_above: "20" }).allow, false);
  equal(post("20001", { ask_above: "", deny_above: "" }), { allow: true });
  equal(post("59000", { ask_above: "", deny_above: "", share: "" }), { allow: true });
});

test("one request may take half of a purse", () => {
  const verdict = post("30001", { ask_above: "", deny_above: "" });
  equal(verdict, { ask: true, reason: "dig would take 30001 of the 60000 that macro has left" });
});

test("an hour has its allowance, and the hours before it theirs", () => {
  const limited = { per_hour: "1000", ask_above: "" };
  equal(post("100", limited, { at: 0, tokens: tokens("900") }), { allow: true });
  equal(post("101", limited, { at: 3599999, tokens: tokens("900") }).allow, false);
  equal(post("101", limited, { at: 3600000, tokens: tokens("900") }), { allow: true });
});

test("children come out of what their parent has left", () => {
  const request = { hook: "job.delegate", by: "worker:digger", parent: job({ name: "swarm" }), children: [job(), job()], cost: "400", left: "700" };
  equal(spending(request, view({ params: {} })).reason, "what swarm hands on would take 400 of the 700 that swarm has left");
  equal(spending(request, view({ params: { share: "0.6" } })), { allow: true });
});

test("transfers and the energy of a job cost too", () => {
  const transfer = { hook: "transfer", by: "guardian", from: account({ account: "guardian", free: "100" }), to: "job:a:escrow", tokens: "60", job: job(), why: "" };
  equal(spending(transfer, view({ params: {} })).ask, true);
  const assign = { hook: "job.assign", by: "mission", job: job({ name: "a" }), worker: worker(), stake: "20", deposit: "6000" };
  equal(spending(assign, view({ params: {} })).reason, "the energy and compute of a would cost 6000, and above 5000 a person decides");
});

test("a hook it does not know is a mistake", () => {
  throws(() => spending({ hook: "message" }, view({ params: {} })));
});
