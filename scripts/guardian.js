// The guardian that comes with Omega: guardian {} without a script. It is asked
// every autonomy.guardian_interval, and answers how the mission stands, in words
// for somebody who has not followed it, and with what it would do.
//
// It looks for jobs that will miss their deadlines or might, for work that nobody
// is free to do, for employers that cannot pay, for jobs that keep failing, for
// resources that work waits for, and for prices that are far from what they are
// worth.
//
// A rule for a guardian of your own: say the same thing in the same words as long
// as it is true. "Due at 03:00:00" stays; "due in 12 minutes" would be another
// plan, and another line of the record, each time it is asked.

import { add, compare, less, more, mul } from "omega:amount";

// What params = {…} of the guardian block may change.
const defaults = {
  deadline_threshold: "75m", // this long before its deadline a job that has not begun is at risk
  unattended_after: "15m",   // work that waits longer for somebody free is worth a word
  failures: 2,               // so many failed attempts are worth one too
  scarce_price: 4,           // a resource that work has long waited for costs at least this
  idle_price: 1,             // a resource that nearly nobody uses costs at most this
  most: 10,                  // alerts of one kind
};

export const queries = {
  due: { from: "jobs", where: { state: ["posted", "ready", "assigned", "running", "delegated", "rejected"], deadline_within: "720h" }, order: "deadline", limit: 100 },
  queue: { from: "jobs", where: { state: "ready" }, order: "waiting", limit: 100 },
  asked: { from: "jobs", where: { state: "awaiting_approval" }, order: "posted", limit: 20 },
  skills: { from: "skills", order: "-waiting", limit: 100 },
  workers: { from: "workers", order: "load", limit: 100 },
  employers: { from: "accounts", order: "free", limit: 100 },
};

export default function (input, view) {
  const params = { ...defaults, ...view.params };
  const plan = { headline: "", alerts: [], recommend: [], actions: [] };
  const found = [
    deadlines(input, view, params, plan),
    unattended(input, view, params, plan),
    unpaid(input, view, params, plan),
    failing(input, params, plan),
    resources(input, view, params, plan),
    asked(input, plan),
  ].filter((sentence) => sentence !== "");
  plan.headline = headline(found, view);
  return plan;
}

function headline(found, view) {
  if (found.length > 0) return sentence(found.join("; "));
  return view.jobs.open > 0 ? "All work is on course" : "There is nothing left to do";
}

// deadlines finds the jobs that cannot be done in time, even if nothing else
// goes wrong, and those that can but have not begun. Deadlines are met by
// delivering a result; the council's time does not count.
function deadlines(input, view, params, plan) {
  const threshold = millis(params.deadline_threshold);
  const late = [], risky = [];
  for (const job of input.due.rows) {
    if (job.due_at === 0) continue;
    if (ends(job, input.workers.rows, view) > job.due_at) late.push(job);
    else if (!begun(job) && job.due_at - view.at <= threshold) risky.push(job);
  }
  for (const job of some(late, params)) {
    plan.alerts.push({ severity: job.required ? "critical" : "warning", text: `${job.name} cannot be done before its deadline, ${clock(job.due_at)}.`, job: job.job });
    plan.recommend.push(`Give up ${job.name} now, and post it again with more time: omega owner cancel '${job.name}' --reason "too late".`);
  }
  for (const job of some(risky, params)) {
    plan.alerts.push({ severity: "warning", text: `${job.name} is due at ${clock(job.due_at)} and has not begun.`, job: job.job });
    // Only what waits for a worker can be put before others, and only once.
    if (job.state === "ready" && !job.expedited) plan.actions.push({ do: "expedite", job: job.job, why: `it is due at ${clock(job.due_at)}` });
  }
  return and(count(late, "job", "cannot be done in time"), count(risky, "job", "might be late"));
}

const begun = (job) => job.state === "running" || job.state === "delegated";

// ends is when a job is done at the speed of who does it, or of the fastest who
// could, begun now. Of work that is handed on, or whose worker is not among the
// hundred that are shown, nobody can say; then it is not late.
function ends(job, workers, view) {
  if (job.state === "delegated") return view.at;
  const running = job.state === "running" && job.started_at > 0;
  const able = workers.filter((w) => running ? w.worker === job.worker : job.skills.every((skill) => w.skills.includes(skill)));
  if (able.length === 0) return view.at;
  return (running ? job.started_at : view.at) + job.work / Math.max(...able.map((w) => w.speed));
}

// unattended finds skills that work waits for and nobody has, and those whose
// workers have been busy for too long.
function unattended(input, view, params, plan) {
  const waiting = input.skills.rows.filter((row) => row.waiting > 0 && row.free_slots === 0 && !row.paused);
  const nobody = waiting.filter((row) => row.workers === 0);
  const busy = waiting.filter((row) => row.workers > 0 && view.at - row.oldest >= millis(params.unattended_after));
  for (const row of some(nobody, params)) {
    plan.alerts.push({ severity: "critical", text: `Work waits for ${row.skills.join(" and ")}, and no worker can do it.` });
    plan.recommend.push(`Add a worker with ${skillsText(row)} to the mission file.`);
  }
  for (const row of some(busy, params)) {
    plan.alerts.push({ severity: "info", text: `Work has waited for ${row.skills.join(" and ")} since ${clock(row.oldest)}; all its workers are busy.` });
    plan.recommend.push(`Raise count or slots of a worker with ${skillsText(row)} if that takes too long.`);
  }
  return and(nobody.length > 0 ? "nobody can do some of the work" : "", busy.length > 0 ? "some work waits for busy workers" : "");
}

const skillsText = (row) => `skills = ${JSON.stringify(row.skills)}`;

// unpaid finds jobs whose employer has not enough for the energy and the compute
// they would use at today's prices.
function unpaid(input, view, params, plan) {
  const free = new Map(input.employers.rows.map((account) => [account.account, account.free]));
  const poor = new Map(); // employer: its first job
  for (const job of input.queue.rows) {
    if (!free.has(job.employer) || poor.has(job.employer)) continue;
    const deposit = add(mul(mul(job.energy_budget, view.energy.price), "0.001"), mul(mul(job.compute_budget, view.compute.price), "0.001"));
    if (more(deposit, free.get(job.employer))) poor.set(job.employer, job);
  }
  for (const [employer, job] of some([...poor], params)) {
    plan.alerts.push({ severity: "warning", text: `${employer} cannot pay for the energy and compute of ${job.name}.`, job: job.job });
    plan.recommend.push(`Raise the tokens of ${employer} in the mission file, or wait until prices fall or its other jobs end.`);
  }
  return count([...poor], "employer", "cannot pay");
}

// failing finds jobs that have failed more than once and will be tried again.
function failing(input, params, plan) {
  const seen = new Map([...input.due.rows, ...input.queue.rows].map((job) => [job.job, job]));
  const failing = [...seen.values()].filter((job) => job.failures >= params.failures);
  for (const job of some(failing, params)) {
    plan.alerts.push({ severity: "warning", text: `${job.name} has failed ${job.failures} times.`, job: job.job });
    plan.recommend.push(`See why: omega explain '${job.name}'.`);
  }
  return count(failing, "job", "keeps failing", "keep failing");
}

// asked tells the owner what only a person can decide.
function asked(input, plan) {
  for (const job of input.asked.rows) plan.recommend.push(`Decide about ${job.name}: omega approve '${job.name}', or omega deny '${job.name}'.`);
  return count(input.asked.rows, "job", "waits for you", "wait for you");
}

// resources finds work that has long waited for energy or compute, and moves a
// price only where the pricing rule is much too slow. The rule takes one small
// step at each guardian_interval; where that is seconds it gets there by itself
// and nothing is done here. Where it is an hour, a resource that everybody waits
// for would stay cheap for half a day. Both targets are fixed, so that the same
// wish is the same words until it has come true.
function resources(input, view, params, plan) {
  const action = { do: "reprice" };
  const scarce = [], because = [];
  for (const name of ["energy", "compute"]) {
    const resource = view[name];
    if (compare(resource.limit, 0) <= 0) continue;
    const used = 1 - Number(resource.free) / Number(resource.limit);
    const first = input.queue.rows.find((job) =>
      view.at - job.waiting_since >= millis(params.unattended_after) && more(job[`${name}_budget`], resource.free));
    if (first) {
      scarce.push(name);
      plan.alerts.push({ severity: "info", text: `${first.name} has waited for ${name} since ${clock(first.waiting_since)}.`, job: first.job });
      plan.recommend.push(`Raise the capacity of ${name} if that takes too long.`);
      if (less(resource.price, params.scarce_price)) {
        action[name] = String(params.scarce_price);
        because.push(`work waits for ${name}`);
      }
    } else if (used < 0.1 && input.queue.rows.length > 0 && more(resource.price, params.idle_price)) {
      action[name] = String(params.idle_price);
      because.push(`${name} lies idle while work waits`);
    }
  }
  if (because.length > 0) plan.actions.push({ ...action, why: because.join(", ") });
  return scarce.length > 0 ? `work waits for ${scarce.join(" and ")}` : "";
}

// ——— words ———

const some = (list, params) => list.slice(0, params.most);

function count(list, what, does, do_ = does) {
  if (list.length === 0) return "";
  return list.length === 1 ? `one ${what} ${does}` : `${list.length} ${what}s ${do_}`;
}

const and = (...parts) => parts.filter((part) => part !== "").join(", ");

const sentence = (text) => text[0].toUpperCase() + text.slice(1);

// clock writes mission time the way Omega does everywhere.
function clock(ms) {
  const two = (n) => String(Math.floor(n)).padStart(2, "0");
  return `${two(ms / 3600000)}:${two((ms / 60000) % 60)}:${two((ms / 1000) % 60)}`;
}

// millis reads a duration as mission files write them: "90s", "1.5m", "2h".
function millis(duration) {
  const parts = /^([0-9.]+)(ms|s|m|h)?$/.exec(String(duration));
  if (!parts) throw new Error(`"${duration}" is no duration: write "90s", "1.5m" or "2h"`);
  return Number(parts[1]) * { ms: 1, s: 1000, m: 60000, h: 3600000 }[parts[2] ?? "s"];
}
