import { account, equal, job, test, throws, view } from "omega:test";
import strategist from "./strategist.js";

const relief = { name: "relief", when: "alert", job: "swarm", post: { title: "Help the swarm", reward: 300 } };
const second = { name: "second", when: "expired", job: "probe", post: { skills: ["fly"], reward: 500, work: "2h" } };
const expired = { seq: 9, at: 1000, event: "job_ended", job: "probe", state: "expired", text: "" };
const alert = { severity: "warning", text: "late", job: "swarm" };

// ask has one open job, swarm, and 1,000 tokens.
function ask({ events = [], alerts = [], open = [], memory = null, playbook = [relief, second], ...params }) {
  const swarm = job({ job: "swarm", skills: ["build"], reward: "900", work: 60000, priority: "high" });
  const input = { events, plan: { headline: "", alerts, recommend: [] }, waiting: [], memory, account: account({ account: "macro", free: "1000" }), open: { rows: [swarm, ...open], more: false } };
  return strategist(input, view({ params: { playbook, ...params } }));
}

test("nothing happens without a cause", () => {
  equal(ask({ playbook: [second] }), { headline: "Nothing calls for a job", alerts: [], posts: [] });
  equal(ask({ events: [{ ...expired, state: "finalized" }, { ...expired, job: "other" }] }).posts, []);
  equal(ask({ alerts: [{ ...alert, severity: "info" }] }).posts, []);
});

test("an alert is answered with a job like the one it is about", () => {
  equal(ask({ alerts: [alert] }).posts, [{ title: "Help the swarm", skills: ["build"], reward: 300, work: 60000, priority: "high", required: false, name: "relief-swarm" }]);
});

test("an alert about a job that has ended is out of date", () => {
  equal(ask({ alerts: [{ ...alert, job: "probe" }], playbook: [{ ...relief, job: "probe" }] }).posts, []);
});

test("a job that has ended is replaced by what the play says", () => {
  const advice = ask({ events: [expired] });
  equal(advice.headline, "Wants to post second-probe");
  equal(advice.posts, [{ title: "second for probe", skills: ["fly"], reward: 500, work: "2h", required: false, name: "second-probe" }]);
});

test("events have names too", () => {
  const play = { name: "again", when: "attempt_rejected", post: { reward: 1 } };
  equal(ask({ playbook: [play], events: [{ ...expired, event: "attempt_rejected", state: "", job: "swarm" }] }).posts[0].name, "again-swarm");
});

test("a cause is answered once", () => {
  equal(ask({ alerts: [alert, alert] }).posts.length, 1);
  equal(ask({ alerts: [alert], open: [job({ job: "relief-swarm" })] }).posts, []);
  const advice = ask({ alerts: [alert], memory: { posted: ["second-probe"] } });
  equal(advice.memory, { posted: ["second-probe", "relief-swarm"] });
  equal(ask({ alerts: [alert], memory: advice.memory }).posts, []); // also once relief-swarm has ended
});

test("a play stands for every job of a block, and says so in the name", () => {
  const play = { ...second, job: "ring" };
  equal(ask({ playbook: [play], events: [{ ...expired, job: "ring_3" }] }).posts[0].name, "second-ring-3");
  equal(ask({ playbook: [play], events: [{ ...expired, job: "ring_3__1" }] }).posts, []);
});

test("what a play has posted causes no play", () => {
  const any = { ...second, job: undefined };
  equal(ask({ playbook: [any], events: [{ ...expired, job: "second-probe" }] }).posts, []);
});

test("it spends what it has, with the fee, and says what it could not pay", () => {
  const events = [expired, { ...expired, job: "lander" }];
  const advice = ask({ playbook: [{ ...second, job: undefined }], events });
  equal(advice.posts.length, 1);
  equal(advice.alerts, [{ severity: "warning", text: "second-lander would cost 525, and macro may spend 475.", job: "lander" }]);
  equal(ask({ events: [expired], keep: "500" }).posts, []);
});

test("it looks for alerts only while there is a job it would help", () => {
  equal(ask({}).wake, "5m");
  equal(ask({ look: "1m" }).wake, "1m");
  equal(ask({ alerts: [alert] }).wake, undefined);
  equal(ask({ open: [job({ job: "relief-swarm" })] }).wake, undefined);
});

test("without a playbook it says what to do", () => {
  equal(ask({ playbook: [] }), { headline: "There is no playbook: say in params what to post, and when" });
});

test("a play that needs skills says so", () => {
  throws(() => ask({ playbook: [{ name: "x", when: "expired", post: { reward: 1 } }], events: [expired] }));
});
