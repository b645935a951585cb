// Tests of scripts. A file of tests declares them; omega policy test runs them,
// by the default export that such a file is given.
const tests = [];

export function test(name, body) {
  tests.push({ name: String(name), body });
}

// run runs every test and says of each whether it held, and if not why and where.
export async function run() {
  const results = [];
  for (const { name, body } of tests) {
    try {
      await body();
      results.push({ name, ok: true });
    } catch (error) {
      results.push({ name, ok: false, why: told(error), ...place(error) });
    }
  }
  return results;
}

function told(error) {
  return error instanceof Failure ? error.message : String(error);
}

// place is the innermost line of a stack that is not in this module.
function place(error) {
  for (const [, file, line, column] of String(error?.stack ?? "").matchAll(/([^\s()]+):(\d+):(\d+)\(\d+\)/g)) {
    if (!file.startsWith("omega:")) return { file: decodeURI(file), line: Number(line), column: Number(column) };
  }
  return {};
}

class Failure extends Error {}

function fail(message, text) {
  throw new Failure(message ? message + ": " + text : text);
}

const shown = (value) => JSON.stringify(value, (_, v) => (v === undefined ? "undefined" : typeof v === "bigint" ? v + "n" : v)) ?? String(value);

function same(a, b) {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = (o) => Object.keys(o).filter((key) => o[key] !== undefined);
  return keys(a).length === keys(b).length && keys(a).every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
}

export function equal(actual, expected, message) {
  if (!same(actual, expected)) fail(message, "it is " + shown(actual) + ", expected " + shown(expected));
}

export function ok(value, message) {
  if (!value) fail(message, "it is " + shown(value));
}

export function throws(body, message) {
  try {
    body();
  } catch {
    return;
  }
  fail(message, "it throws nothing");
}

const resource = { limit: "100000", free: "90000", reserved: "5000", consumed: "5000", price: "1" };

export const view = (over = {}) => ({
  at: 3600000, seq: 100, generation: 1, mission: "test", status: "running", params: {},
  tokens: { free: "10000", minted: "0", paid: "0", slashed: "0", burned: "0", fees: "0" },
  energy: resource, compute: resource,
  jobs: { open: 1, posted: 0, finalized: 0, failed: 0, cancelled: 0, expired: 0, skipped: 0, running: 0, waiting: 0 },
  confidence: 1, pressure: 0, phase: "ascendant", ...over,
});

export const job = (over = {}) => ({
  job: "job", name: "job", title: "A job", state: "ready", skills: ["work"], needs: [], parent: "", employer: "owner",
  reward: "100", energy_budget: "10", compute_budget: "10", work: 60000, deadline: 0, priority: "normal", labels: {}, required: true,
  attempt: 1, failures: 0, worker: "", ready_at: 3600000, started_at: 0, due_at: 0, waiting_since: 0, expedited: false, ...over,
});

export const worker = (over = {}) => ({
  worker: "worker/0", block: "worker", kind: "simulated", skills: ["work"], speed: 1, slots: 1, load: 0, stake_free: "100", draining: false, ...over,
});

export const account = (over = {}) => ({ account: "owner", free: "10000", jobs_open: 1, ...over });
