// The spending policy that comes with Omega: script = "omega:spending". It limits
// what may be spent at once, how much of its purse an employer may commit to one
// thing, and how fast the whole mission may spend.
//
// It is useful for each hook that costs something:
//
//   job.post      a strategist or the guardian posts a job: reward and fee
//   job.delegate  a worker hands work on: rewards and fees of all children
//   transfer      a steward moves tokens, for example to boost a reward
//   job.assign    a worker is about to start: the price of its energy and compute
//
// A policy remembers nothing. All it may rely on is the request and the view.

import { add, more, mul } from "omega:amount";

// What params = {…} of the policy block may change. Amounts are TOKEN; "" is no limit.
const defaults = {
  ask_above: "5000",   // a person decides about a request that costs more
  deny_above: "20000", // one that costs more than this is not even asked about
  share: "0.5",        // of what its payer has left, one request may take
  per_hour: "",        // of mission time, all that has been paid so far and this request
};

export default function (request, view) {
  const limits = { ...defaults, ...view.params };
  const { cost, purse, payer, what } = bill(request);

  if (limits.deny_above !== "" && more(cost, limits.deny_above)) {
    return { allow: false, reason: `${what} would cost ${cost}, and no request may cost more than ${limits.deny_above}` };
  }
  // Deny beats ask: whatever is forbidden comes before whatever needs a person.
  if (limits.per_hour !== "") {
    const spent = add(view.tokens.paid, view.tokens.fees, view.tokens.burned, cost);
    // The first hour may be spent from the beginning: otherwise nothing could ever start.
    const allowed = mul(limits.per_hour, 1 + Math.floor(view.at / 3600000));
    if (more(spent, allowed)) return { allow: false, reason: `with ${what} the mission would have spent ${spent}, and at ${limits.per_hour} an hour it may have spent ${allowed} by now` };
  }
  if (limits.share !== "" && purse !== null && more(cost, mul(purse, limits.share))) {
    return { ask: true, reason: `${what} would take ${cost} of the ${purse} that ${payer} has left` };
  }
  if (limits.ask_above !== "" && more(cost, limits.ask_above)) {
    return { ask: true, reason: `${what} would cost ${cost}, and above ${limits.ask_above} a person decides` };
  }
  return { allow: true };
}

// bill says what a request costs, and out of which purse. Who pays for a job's
// energy is not told with job.assign, so there is no purse to compare with.
function bill(request) {
  switch (request.hook) {
    case "job.post":
      return { cost: request.cost, purse: request.account.free, payer: request.account.account, what: request.job.name };
    case "job.delegate":
      return { cost: request.cost, purse: request.left, payer: request.parent.name, what: `what ${request.parent.name} hands on` };
    case "transfer":
      return { cost: request.tokens, purse: request.from.free, payer: request.from.account, what: `the transfer to ${request.to}` };
    case "job.assign":
      return { cost: request.deposit, purse: null, payer: "", what: `the energy and compute of ${request.job.name}` };
  }
  // A hook this policy does not know: a mistake in the mission file, said where it is made.
  throw new Error(`spending cannot judge ${request.hook}`);
}
