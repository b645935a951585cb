// The observatory's policy. It is asked before a worker begins, before a worker
// hands work on, and before the strategist posts a job.

import { more } from "omega:amount";

const defaults = {
  careful: ["hasty"], // workers that are not given reference stars
  ask_above: "30",    // TOKEN, for what a worker hands on
  deny_above: "100",  // TOKEN, for what the strategist posts
};

export default function (request, view) {
  const params = { ...defaults, ...view.params };
  switch (request.hook) {
    case "job.assign":
      if (request.job.labels.reference === "yes" && params.careful.includes(request.worker.block)) {
        return { allow: false, reason: `${request.job.name} is a reference, and not for ${request.worker.worker}` };
      }
      break;
    case "job.delegate":
      if (more(request.cost, params.ask_above)) return { ask: true, reason: `${request.children.length} jobs for ${request.cost} tokens` };
      break;
    case "job.post":
      if (more(request.cost, params.deny_above)) return { allow: false, reason: `${request.job.name} costs ${request.cost}, more than ${params.deny_above}` };
      break;
  }
  return { allow: true };
}
