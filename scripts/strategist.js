// The strategist that comes with Omega: strategist "name" { budget = … } without a
// script. It answers what happens with the jobs of a playbook:
//
//   strategist "macro" {
//     budget = 2000
//     params = {
//       playbook = [
//         { name = "relief", when = "alert", job = "swarm", post = { title = "Help the swarm", reward = 300 } },
//         { name = "second", when = "expired", job = "probe", post = { skills = ["fly"], reward = 500, work = "2h" } },
//       ]
//     }
//   }
//
// when  how a job ended (finalized, failed, expired, cancelled, skipped), the name
//       of an event (attempt_rejected), or alert: the guardian says something
//       about the job, and it is not merely information
// job   its id or the name of its block; left out, any job
// post  the job to post; skills, reward, work and priority that are left out are
//       those of the job it is about, as long as that is open
//
// A cause is answered once: the new job is called after the play and the job it is
// about, relief-swarm, and it remembers the names it has posted: a script has no
// variables that live on, only the memory it answers with. What a play has posted
// causes no play, so nothing here goes round in circles.

import { add, less, mul, sub } from "omega:amount";

// What params = {…} of the strategist block may change.
const defaults = {
  playbook: [],
  keep: "0",   // TOKEN of its account that it does not touch, for the energy of its jobs
  fee: "0.05", // governance.fee_ratio: what a job costs on top of its reward
  look: "5m",  // how often it looks for alerts while there are jobs it would help
};

const most = 50; // names it remembers, the newest: a memory has 4 KiB

export const queries = {
  open: { from: "jobs", order: "deadline", limit: 100 },
};

export default function (input, view) {
  const params = { ...defaults, ...view.params };
  if (params.playbook.length === 0) return { headline: "There is no playbook: say in params what to post, and when" };

  const advice = { headline: "", alerts: [], posts: [] };
  const posted = input.memory?.posted ?? [];
  const taken = new Set([...posted, ...input.open.rows.map((job) => job.job)]);
  let left = sub(input.account.free, params.keep);
  for (const cause of causes(input)) {
    for (const play of params.playbook) {
      if (!fits(play, cause, params.playbook)) continue;
      const post = write(play, cause, input.open.rows);
      if (taken.has(post.name)) continue;
      taken.add(post.name);
      const cost = mul(post.reward, add(1, params.fee));
      if (less(left, cost)) {
        advice.alerts.push({ severity: "warning", text: `${post.name} would cost ${cost}, and ${input.account.account} may spend ${left}.`, job: cause.job });
        continue;
      }
      left = sub(left, cost);
      advice.posts.push(post);
    }
  }
  // Jobs that end and workers that fail call a strategist; an alert does not. It
  // has to be called for one, but only as long as there is somebody to help: a
  // mission is not complete while a strategist has asked to be called.
  const watched = input.open.rows.some((job) => params.playbook.some((play) =>
    fits(play, { job: job.job, when: "alert" }, params.playbook) && !taken.has(called(play, job.job))));
  if (watched) advice.wake = params.look;
  if (advice.posts.length > 0) advice.memory = { posted: [...posted, ...advice.posts.map((post) => post.name)].slice(-most) };
  advice.headline = advice.posts.length > 0 ? `Wants to post ${advice.posts.map((post) => post.name).join(", ")}` : "Nothing calls for a job";
  return advice;
}

// causes is what has happened to jobs since it was last asked, and what the
// guardian worries about. Its last plan may be older than a job's end.
function causes(input) {
  const all = input.events.filter((happening) => happening.job !== "").map(({ job, state, event }) => ({ job, when: state || event }));
  for (const alert of input.plan.alerts) {
    if (alert.severity !== "info" && input.open.rows.some((job) => job.job === alert.job)) all.push({ job: alert.job, when: "alert" });
  }
  return all;
}

function fits(play, cause, playbook) {
  if (playbook.some((other) => cause.job.startsWith(`${other.name}-`))) return false;
  return play.when === cause.when && (play.job === undefined || play.job === cause.job || play.job === block(cause.job));
}

// block is the name of the block a job comes from: ring of ring_3. A child's block
// is its own.
const block = (job) => job.includes("__") ? job : job.split("_")[0];

// called is the name of a play's job, as long as a name may be.
const called = (play, job) => `${play.name}-${job}`.replace(/[^a-z0-9]+/g, "-").slice(0, 63);

// write makes the job of a play.
function write(play, cause, open) {
  const about = open.find((job) => job.job === cause.job);
  const model = about ? { skills: about.skills, reward: about.reward, work: about.work, priority: about.priority } : {};
  const post = { title: `${play.name} for ${cause.job}`, ...model, required: false, ...play.post, name: called(play, cause.job) };
  for (const needed of ["skills", "reward"]) {
    if (post[needed] === undefined) throw new Error(`the play ${play.name} needs ${needed}: ${cause.job} has ended and cannot be copied`);
  }
  return post;
}
