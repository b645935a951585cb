// The validator that comes with Omega: script = "omega:validate". It compares a
// result with what the mission expects of it, member by member:
//
//   validator "judge" {
//     count  = 3
//     script = "omega:validate"
//     params = {
//       expect = {
//         station = { rows = { type = "number", min = 1 }, file = { from = "file" } }
//         "*"     = { done = { equals = true } }
//       }
//     }
//   }
//
// The expectations of a job stand under its id, or the name of its block, or "*"
// for all that have none of their own. A member may be a path: "sky.north.count".
// A job may add to them by its input, under "expect"; the worker then knows them.

// What params = {…} of the validator block may change.
const defaults = {
  expect: {},
  unknown: "approve", // the vote on a job of which nothing is expected: approve, reject or abstain
};

export default function (submission, view) {
  const params = { ...defaults, ...view.params };
  const { result, input } = submission;
  if (result === null) return { vote: "reject", reason: "there is no result" };
  if (result.wrong === true) return { vote: "reject", reason: "the result says of itself that it is wrong" };

  const expected = { ...expectations(submission.job, params.expect), ...input?.expect };
  const members = Object.keys(expected).sort();
  if (members.length === 0) return { vote: params.unknown, reason: "nothing is expected of this job" };
  for (const member of members) {
    const problem = judge(at(result, member), expected[member], input);
    if (problem !== "") return { vote: "reject", reason: `${member} ${problem}` };
  }
  return { vote: "approve", reason: `${members.join(", ")}: as expected` };
}

// expectations finds those that fit best: of ring_3 the ones under "ring_3", then
// "ring", then "*". A child, swarm__1, is not its parent: only its own, or "*".
function expectations(job, expect) {
  const block = job.includes("__") ? job : job.split("_")[0];
  return expect[job] ?? expect[block] ?? expect["*"] ?? {};
}

// at follows a path into a value; undefined where it leads nowhere.
function at(value, path) {
  for (const name of path.split(".")) {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

// judge says what is wrong with a value, "" for nothing.
function judge(value, want, input) {
  if (value === undefined) return want.optional ? "" : "is missing";
  const is = kind(value);
  for (const [rule, limit] of Object.entries(want)) {
    switch (rule) {
      case "optional":
        break;
      case "type":
        if (is !== limit) return `is of type ${is}, not ${limit}`;
        break;
      case "min":
        if (is !== "number" || value < limit) return `is ${show(value)}, below ${limit}`;
        break;
      case "max":
        if (is !== "number" || value > limit) return `is ${show(value)}, above ${limit}`;
        break;
      case "length": // of a list or a text
        if (value?.length !== limit) return `has ${value?.length ?? "no"} elements, not ${limit}`;
        break;
      case "equals":
        if (!same(value, limit)) return `is ${show(value)}, not ${show(limit)}`;
        break;
      case "one_of":
        if (!limit.some((allowed) => same(value, allowed))) return `is ${show(value)}, none of ${show(limit)}`;
        break;
      case "from": // a path in the job's input
        if (!same(value, at(input, limit))) return `is ${show(value)}, and the input says ${show(at(input, limit))}`;
        break;
      default:
        // A mistake in the mission file. A fault abstains, and names it; a vote would hide it.
        throw new Error(`no rule is called ${rule}: type, min, max, length, equals, one_of, from, optional`);
    }
  }
  return "";
}

const kind = (value) => value === null ? "null" : Array.isArray(value) ? "list" : typeof value;

// same compares as JSON does, whatever the order of members.
function same(a, b) {
  if (kind(a) !== kind(b)) return false;
  if (a === null || typeof a !== "object") return a === b;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && same(a[name], b[name]));
}

function show(value) {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}
