// What a script is given and what it answers. Amounts are decimal strings of whole
// units ("9500.25"); times and durations are milliseconds of mission time. All that
// is given is frozen. A script has no files, no network and no clock but view.at;
// Math.random is drawn from the mission's seed, the same for the same call.

declare module "omega:types" {
  export type Amount = string;
  export type Millis = number;
  /** Milliseconds, or text as in a mission file: "90s", "1.5m", "2h". */
  export type Duration = number | string;

  export interface Resource {
    limit: Amount; free: Amount; reserved: Amount; consumed: Amount;
    /** TOKEN per 1,000 units. */
    price: Amount;
  }

  /** The mission as it stands at one entry. */
  export interface View {
    at: Millis;
    seq: number;
    generation: number;
    mission: string;
    status: string;
    /** The params of the block that names the script; {} without any. */
    params: any;
    tokens: {
      /** Free in the owner's account. */
      free: Amount;
      minted: Amount; paid: Amount; slashed: Amount; burned: Amount; fees: Amount;
    };
    energy: Resource;
    compute: Resource;
    jobs: {
      open: number; posted: number; finalized: number; failed: number; cancelled: number; expired: number; skipped: number;
      running: number;
      /** Ready and waiting for a worker. */
      waiting: number;
    };
    /** Parts of one, between 0 and 1. */
    confidence: number;
    pressure: number;
    phase: "ascendant" | "stabilisation" | "intervention";
  }

  export interface Job {
    job: string;
    /** What people read. */
    name: string;
    title: string;
    state: string;
    skills: string[];
    needs: string[];
    parent: string;
    /** Name of the account that pays; "" for a child, whose parent pays. */
    employer: string;
    reward: Amount; energy_budget: Amount; compute_budget: Amount;
    work: Millis;
    /** From ready to submission; 0 is none. */
    deadline: Millis;
    priority: "low" | "normal" | "high" | "critical";
    labels: Record<string, string>;
    required: boolean;
    attempt: number;
    failures: number;
    worker: string;
    /** When it became ready, 0 before. */
    ready_at: Millis;
    /** When the attempt that runs started, 0 when none does. */
    started_at: Millis;
    /** When it expires, 0 never. */
    due_at: Millis;
    /** Since when it could have been taken, 0 when it does not wait for a worker. */
    waiting_since: Millis;
    expedited: boolean;
  }

  export interface Worker { worker: string; block: string; kind: string; skills: string[]; /** Of its work; 1 where its kind has none. */ speed: number; slots: number; load: number; stake_free: Amount; draining: boolean }
  export interface Validator { validator: string; block: string; kind: string; stake_free: Amount; missed: number; draining: boolean }
  export interface Account { account: string; free: Amount; jobs_open: number }
  /** Everything that needs the same skills. */
  export interface Skill { skills: string[]; waiting: number; /** Since when the first of them waits, 0 when none does. */ oldest: Millis; workers: number; free_slots: number; paused: boolean }

  // ——— policies ———

  export interface Verdict { allow?: boolean; ask?: boolean; reason?: string }

  export interface PostRequest { hook: "job.post"; by: string; job: Job; /** Reward and fee. */ cost: Amount; account: Account }
  export interface DelegateRequest { hook: "job.delegate"; by: string; parent: Job; children: Job[]; cost: Amount; /** What the parent may still spend on children. */ left: Amount }
  export interface TransferRequest { hook: "transfer"; by: string; from: Account; to: string; tokens: Amount; job: Job | null; why: string }
  export interface AssignRequest { hook: "job.assign"; by: string; job: Job; worker: Worker; stake: Amount; deposit: Amount }
  export type Request = PostRequest | DelegateRequest | TransferRequest | AssignRequest;
  /** Answer {allow: true}, {allow: false, reason} or {ask: true, reason}; ask puts it before a person. */
  export type Policy = (request: Request, view: View) => Verdict;

  // ——— guardian and strategists ———

  export interface Query {
    from: "jobs" | "workers" | "validators" | "accounts" | "skills";
    /** All that is named must hold. Of jobs: state, skill, employer, priority, label, parent, deadline_within, waiting_over. Of workers and skills: skill. */
    where?: {
      state?: string | string[]; skill?: string; employer?: string; priority?: string | string[]; parent?: string;
      label?: Record<string, string>; deadline_within?: Duration; waiting_over?: Duration;
    };
    /**
     * jobs: deadline, waiting (who has waited longest comes first), reward, posted; workers: load, stake; validators: missed, stake; accounts: free; skills: waiting.
     * "-reward" turns it round. Jobs without a deadline, or that do not wait, come last in both. Jobs that have ended are no rows: events tell of them.
     */
    order?: string;
    /** At most 100; 20 unless said. */
    limit?: number;
  }
  export interface Rows<T> { rows: T[]; /** There are others. */ more: boolean }
  /** export const queries */
  export type Queries = Record<string, Query>;

  export type Action =
    | { do: "expedite"; job: string; why?: string }
    | { do: "reprice"; energy?: Amount; compute?: Amount; why?: string }
    | { do: "boost"; job: string; tokens: Amount; why?: string }
    | { do: "pause_skill"; skill: string; for: Duration; why?: string }
    | { do: "post"; job: NewJob; why?: string }
    | { do: "steer"; simulation: string; action: any; why?: string };

  export interface Alert { severity: "info" | "warning" | "critical"; text: string; job?: string }

  /** The attributes of a job block, values only. */
  export interface NewJob {
    name?: string; title?: string; skills: string[]; reward: Amount | number; energy_budget?: Amount | number; compute_budget?: Amount | number;
    work?: Duration; deadline?: Duration; validation_window?: Duration; priority?: string; labels?: Record<string, string>; required?: boolean;
    needs?: string[]; input?: any; simulated?: any;
  }

  export interface Waiting { id: string; do: string; job: string; why: string; since: Millis }

  export interface GuardianInput {
    /** An answer for each query, by its name. */
    [query: string]: any;
    /** Actions that wait for approval. */
    waiting: Waiting[];
    /** What its last answer gave as memory, null at first. */
    memory: any;
    /** What it may do by itself, and with how much. */
    may: string[];
    budget: Amount;
  }
  export interface Plan { headline?: string; alerts?: Alert[]; recommend?: string[]; actions?: Action[]; /** Given again next time, at most 4 KiB; left out, what it has stays. */ memory?: any }
  export type Guardian = (input: GuardianInput, view: View) => Plan;

  export interface Happening { seq: number; at: Millis; event: string; job: string; /** How it ended, of job_ended: finalized, failed, cancelled, expired, skipped; "" of others. */ state: string; text: string }
  export interface StrategistInput {
    [query: string]: any;
    /** What has happened since it was last asked, the newest last, at most 64. */
    events: Happening[];
    /** The guardian's plan of record. */
    plan: { headline: string; alerts: Alert[]; recommend: string[] };
    waiting: Waiting[];
    /** What its last answer gave as memory, null at first. */
    memory: any;
    account: Account;
  }
  export interface Advice { headline?: string; alerts?: Alert[]; posts?: NewJob[]; /** As in Plan. */ memory?: any; /** Ask again after that even if nothing happens. */ wake?: Duration }
  export type Strategist = (input: StrategistInput, view: View) => Advice;

  // ——— validators and workers ———

  export interface Submission { job: string; title: string; input: any; result: any; files: { name: string; digest: string; size: number }[] }
  export interface Vote { vote: "approve" | "reject" | "abstain"; reason?: string }
  export type Validator_ = (submission: Submission, view: ScriptView) => Vote;

  /** What a validator or a worker sees of the mission: what cannot change while it thinks. */
  export interface ScriptView { mission: string; params: any; job: string; attempt: number }
  export interface Work { job: string; title: string; skills: string[]; input: any; /** Of the attempts before. */ children: { job: string; title: string; state: string; reason: string; result: any }[]; left: Amount }
  export interface Result { result?: any; energy_used?: Amount; compute_used?: Amount; children?: NewJob[] }
  export type WorkerScript = (work: Work, view: ScriptView) => Result;
}

/** Exact arithmetic on amounts; six decimals, rounded down. */
declare module "omega:amount" {
  type Amount = string | number | bigint;
  export function add(...amounts: Amount[]): string;
  export function sub(a: Amount, b: Amount): string;
  /** a × ratio, where ratio is a number or decimal text. */
  export function mul(a: Amount, ratio: Amount): string;
  export function compare(a: Amount, b: Amount): -1 | 0 | 1;
  export function min(...amounts: Amount[]): string;
  export function max(...amounts: Amount[]): string;
  export function less(a: Amount, b: Amount): boolean;
  export function more(a: Amount, b: Amount): boolean;
}

/** For *.test.js, run by omega policy test. */
declare module "omega:test" {
  export function test(name: string, body: () => void): void;
  export function equal(actual: any, expected: any, message?: string): void;
  export function ok(value: any, message?: string): void;
  export function throws(body: () => void, message?: string): void;
  /** A view, a job, a worker … with what is given put over sensible values. */
  export function view(over?: object): import("omega:types").View;
  export function job(over?: object): import("omega:types").Job;
  export function worker(over?: object): import("omega:types").Worker;
  export function account(over?: object): import("omega:types").Account;
}
