import { equal, job, ok, test, throws, view, worker } from "omega:test";
import guardian from "./guardian.js";

const minute = 60000, hour = 60 * minute;
const none = { rows: [], more: false };

// ask puts rows in place of what the queries would find.
function ask(found, over = {}) {
  const input = { due: none, queue: none, asked: none, skills: none, workers: none, employers: none, waiting: [], may: ["expedite"], budget: "0" };
  for (const [query, rows] of Object.entries(found)) input[query] = { rows, more: false };
  return guardian(input, view({ at: 10 * hour, params: {}, ...over }));
}

const due = (over) => job({ job: "a", name: "a", state: "ready", skills: ["dig"], required: true, failures: 0, due_at: 11 * hour, work: 30 * minute, expedited: false, started_at: 0, ...over });
const digger = (over) => worker({ worker: "d", skills: ["dig"], speed: 1, ...over });
const open = { jobs: { open: 1, posted: 1, finalized: 0, failed: 0, cancelled: 0, expired: 0, skipped: 0, running: 0, waiting: 1 } };

test("a quiet mission is on course", () => {
  equal(ask({}, open), { headline: "All work is on course", alerts: [], recommend: [], actions: [] });
});

test("a job that has not begun an hour before its deadline is at risk and goes first", () => {
  const plan = ask({ due: [due()], workers: [digger()] });
  equal(plan.headline, "One job might be late");
  equal(plan.alerts, [{ severity: "warning", text: "a is due at 11:00:00 and has not begun.", job: "a" }]);
  equal(plan.actions, [{ do: "expedite", job: "a", why: "it is due at 11:00:00" }]);
});

test("what is at the front already is not put there again", () => {
  equal(ask({ due: [due({ expedited: true })], workers: [digger()] }).actions, []);
});

test("a deadline far away is no risk", () => {
  equal(ask({ due: [due({ due_at: 12 * hour })], workers: [digger()] }).alerts, []);
  equal(ask({ due: [due({ due_at: 12 * hour })], workers: [digger()] }, { params: { deadline_threshold: "2h" } }).alerts.length, 1);
});

test("speed decides what cannot be done any more", () => {
  const long = due({ work: 2 * hour });
  equal(ask({ due: [long], workers: [digger()] }).alerts[0], { severity: "critical", text: "a cannot be done before its deadline, 11:00:00.", job: "a" });
  equal(ask({ due: [long], workers: [digger(), digger({ speed: 2 })] }).headline, "One job might be late");
  equal(ask({ due: [long], workers: [digger(), digger({ speed: 9, skills: ["fly"] })] }).headline, "One job cannot be done in time");
});

test("a running job is judged by its own worker and its start", () => {
  const running = due({ state: "running", worker: "d", started_at: 9 * hour, work: 110 * minute });
  equal(ask({ due: [running], workers: [digger()] }).alerts, []);
  equal(ask({ due: [{ ...running, work: 130 * minute }], workers: [digger(), digger({ worker: "e", speed: 5 })] }).alerts.length, 1);
});

test("of what nobody does alone, or nobody sees, it is not said that it is late", () => {
  equal(ask({ due: [due({ work: 9 * hour, due_at: 20 * hour, skills: ["dig", "fly"] })], workers: [digger()] }).alerts, []);
  equal(ask({ due: [due({ work: 99 * hour, state: "running", worker: "x", started_at: 9 * hour })], workers: [digger()] }).alerts, []);
});

test("the same situation gives the same plan later", () => {
  const found = { due: [due({ state: "posted", work: 2 * hour })], workers: [digger()], skills: [{ skills: ["dig"], waiting: 3, oldest: 9 * hour, workers: 1, free_slots: 0, paused: false }] };
  equal(ask(found), ask(found, { at: 10 * hour + 18000 }));
});

test("work that nobody can do, and work whose workers are busy", () => {
  const plan = ask({ skills: [
    { skills: ["fly"], waiting: 1, oldest: 10 * hour, workers: 0, free_slots: 0, paused: false },
    { skills: ["dig"], waiting: 2, oldest: 9 * hour, workers: 2, free_slots: 0, paused: false },
    { skills: ["cook"], waiting: 2, oldest: 9 * hour, workers: 2, free_slots: 1, paused: false },
    { skills: ["sing"], waiting: 2, oldest: 9 * hour, workers: 2, free_slots: 0, paused: true },
  ] });
  equal(plan.headline, "Nobody can do some of the work, some work waits for busy workers");
  equal(plan.alerts.map((alert) => alert.severity), ["critical", "info"]);
  ok(plan.recommend[0].includes('skills = ["fly"]'));
});

test("an employer that cannot pay is named once", () => {
  const queue = [1, 2].map((n) => due({ job: `b${n}`, name: `b${n}`, due_at: 0, employer: "planner", energy_budget: "100000", compute_budget: "0", waiting_since: 10 * hour }));
  const energy = { limit: "1000000", free: "1000000", reserved: "0", consumed: "0", price: "1" };
  const plan = ask({ queue, employers: [{ account: "planner", free: "99.5", jobs_open: 2 }] }, { energy });
  equal(plan.alerts.length, 1);
  equal(plan.alerts[0].text, "planner cannot pay for the energy and compute of b1.");
  equal(ask({ queue, employers: [{ account: "planner", free: "100", jobs_open: 2 }] }, { energy }).alerts, []);
});

test("work that waits for a resource is told", () => {
  const energy = { limit: "1000", free: "100", reserved: "900", consumed: "0", price: "9" };
  const long = due({ due_at: 0, employer: "", energy_budget: "200", compute_budget: "0", waiting_since: 9 * hour });
  const plan = ask({ queue: [{ ...long, energy_budget: "50" }, long] }, { energy });
  equal([plan.headline, plan.alerts], ["Work waits for energy", [{ severity: "info", text: "a has waited for energy since 09:00:00.", job: "a" }]]);
  equal(ask({ queue: [{ ...long, waiting_since: 9.9 * hour }] }, { energy }).alerts, []);
});

test("prices move only where the rule has been too slow", () => {
  const energy = (over) => ({ energy: { limit: "1000", free: "100", reserved: "900", consumed: "0", price: "1", ...over } });
  const queue = [due({ due_at: 0, employer: "", energy_budget: "200", compute_budget: "0", waiting_since: 9 * hour })];
  equal(ask({ queue }, energy()).actions, [{ do: "reprice", energy: "4", why: "work waits for energy" }]);
  equal(ask({ queue }, energy({ price: "4.2" })).actions, []);
  equal(ask({ queue }, energy({ free: "950", price: "6" })).actions, [{ do: "reprice", energy: "1", why: "energy lies idle while work waits" }]);
  equal(ask({}, energy({ free: "950", price: "6" })).actions, []);
});

test("failures and questions are told", () => {
  const plan = ask({ due: [due({ failures: 2, due_at: 20 * hour })], asked: [due({ name: "beacon" })] });
  equal(plan.headline, "One job keeps failing; one job waits for you");
  equal(plan.recommend[1], "Decide about beacon: omega approve 'beacon', or omega deny 'beacon'.");
});

test("a threshold that is no duration is said so", () => {
  throws(() => ask({}, { params: { deadline_threshold: "soon" } }));
});
