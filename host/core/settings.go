package core

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/omega-run/omega/host/ledger"
)

// Setting is one tunable, defined here and nowhere else: the HCL decoder, the
// checks and the reference pages are derived from this table.
type Setting struct {
	Block   string // mission, governance, resources.energy, job, worker.exec …
	Name    string
	Kind    SettingKind
	Default string // in the notation of the kind; "" means the setting has no value of its own
	Min     int64  // bounds in the kind's own unit: ms, minor units, ppm, count
	Max     int64
	Choices []string
	Changes Changes
	Needed  bool // the file must say it
	Idle    bool // accepted, but nothing in this version acts on it yet
	Doc     string

	at func(target any) any
}

// SettingKind says how a value is written and held.
type SettingKind string

// Kinds and what At returns for them.
const (
	KindAmount   SettingKind = "amount"   // *ledger.Amount
	KindRatio    SettingKind = "ratio"    // *ledger.Ratio
	KindDuration SettingKind = "duration" // *Duration
	KindCount    SettingKind = "count"    // *int64
	KindBytes    SettingKind = "bytes"    // *int64
	KindFlag     SettingKind = "flag"     // *bool
	KindText     SettingKind = "text"     // *string
	KindNames    SettingKind = "names"    // *[]string
)

// Changes says when an edit of a setting takes effect.
type Changes string

// When an edit of a setting takes effect.
const (
	Now     Changes = "now"
	NewJobs Changes = "new jobs"
	Never   Changes = "never"
)

// At is the address of the setting in its target: a *Spec, *WorkerSpec or
// *JobSpec, by Block.
func (s Setting) At(target any) any { return s.at(target) }

// Parse writes text, in the notation of the kind, to the target. It checks
// form and bounds; the error is one sentence for the user.
func (s Setting) Parse(target any, text string) error {
	if err := s.read(target, text); err != nil {
		return err
	}
	switch at := s.at(target).(type) {
	case *ledger.Amount:
		return s.bound(int64(*at))
	case *ledger.Ratio:
		return s.bound(int64(*at))
	case *Duration:
		return s.bound(int64(*at))
	case *int64:
		return s.bound(*at)
	}
	return s.choice(text)
}

// read is Parse without bounds: what was recorded under other bounds stays
// readable.
func (s Setting) read(target any, text string) (err error) {
	switch at := s.at(target).(type) {
	case *ledger.Amount:
		*at, err = ledger.ParseAmount(text)
	case *ledger.Ratio:
		*at, err = ledger.ParseRatio(text)
	case *Duration:
		*at, err = ParseDuration(text)
	case *int64:
		if *at, err = strconv.ParseInt(text, 10, 64); err != nil {
			err = fmt.Errorf("%q is not a whole number", text)
		}
	case *bool:
		if *at, err = strconv.ParseBool(text); err != nil {
			err = fmt.Errorf("%q is not true or false", text)
		}
	case *string:
		*at = text
	default:
		err = fmt.Errorf("%s.%s is not written as text", s.Block, s.Name)
	}
	return err
}

// Format is the inverse of Parse.
func (s Setting) Format(target any) string {
	switch at := s.at(target).(type) {
	case *ledger.Amount:
		return at.String()
	case *ledger.Ratio:
		return at.String()
	case *Duration:
		return at.String()
	case *int64:
		return strconv.FormatInt(*at, 10)
	case *bool:
		return strconv.FormatBool(*at)
	case *string:
		return *at
	}
	return ""
}

func (s Setting) bound(v int64) error {
	if v >= s.Min && v <= s.Max {
		return nil
	}
	return fmt.Errorf("it must be between %s and %s", s.unit(s.Min), s.unit(s.Max))
}

func (s Setting) unit(v int64) string {
	switch s.Kind {
	case KindAmount:
		return ledger.Amount(v).String()
	case KindRatio:
		return ledger.Ratio(v).String()
	case KindDuration:
		return Duration(v).String()
	}
	return strconv.FormatInt(v, 10)
}

func (s Setting) choice(text string) error {
	if len(s.Choices) == 0 {
		return nil
	}
	for _, c := range s.Choices {
		if c == text {
			return nil
		}
	}
	return fmt.Errorf("%q is not one of %s", text, strings.Join(s.Choices, ", "))
}

// Bounds shared by the table. Amounts stay far below overflow so that every
// sum over a mission fits: a million jobs of the largest reward.
const (
	maxAmount   = 1_000_000_000_000 * unitOne // 10¹² whole units
	maxDuration = int64(100 * 365 * 24 * Hour)
	unitOne     = 1_000_000
	whole       = 1_000_000 // a ratio of 1
)

func amount(block, name, def string, ch Changes, at func(any) any, doc string) Setting {
	return Setting{Block: block, Name: name, Kind: KindAmount, Default: def, Max: maxAmount, Changes: ch, at: at, Doc: doc}
}

// priced is an amount whose products with others have to fit: 10⁹ units at 10⁶
// TOKEN per 1,000 are 10¹² TOKEN.
func priced(s Setting, most int64) Setting { s.Max = most * unitOne; return s }

const (
	maxBudget = 1_000_000_000
	maxPrice  = 1_000_000
)

func ratio(block, name, def string, ch Changes, at func(any) any, doc string) Setting {
	return Setting{Block: block, Name: name, Kind: KindRatio, Default: def, Max: whole, Changes: ch, at: at, Doc: doc}
}

func duration(block, name, def string, ch Changes, at func(any) any, doc string) Setting {
	return Setting{Block: block, Name: name, Kind: KindDuration, Default: def, Max: maxDuration, Changes: ch, at: at, Doc: doc}
}

func count(block, name, def string, least, most int64, ch Changes, at func(any) any, doc string) Setting {
	return Setting{Block: block, Name: name, Kind: KindCount, Default: def, Min: least, Max: most, Changes: ch, at: at, Doc: doc}
}

func text(block, name, def string, ch Changes, at func(any) any, doc string) Setting {
	return Setting{Block: block, Name: name, Kind: KindText, Default: def, Changes: ch, at: at, Doc: doc}
}

func flag(block, name, def string, ch Changes, at func(any) any, doc string) Setting {
	return Setting{Block: block, Name: name, Kind: KindFlag, Default: def, Changes: ch, at: at, Doc: doc}
}

func needed(s Setting) Setting { s.Needed = true; return s }

func idle(s Setting) Setting { s.Idle = true; return s }

func spec(f func(*Spec) any) func(any) any { return func(t any) any { return f(t.(*Spec)) } }

func job(f func(*JobSpec) any) func(any) any { return func(t any) any { return f(t.(*JobSpec)) } }

func worker(f func(*WorkerSpec) any) func(any) any {
	return func(t any) any { return f(t.(*WorkerSpec)) }
}

// Settings is the table of mission-wide settings: their target is a *Spec.
func Settings() []Setting {
	all := missionSettings()
	all = append(all, governanceSettings()...)
	return append(all, operationSettings()...)
}

func missionSettings() []Setting {
	seed := count("mission", "seed", "0", math.MinInt64, math.MaxInt64, Never, spec(func(s *Spec) any { return &s.Mission.Seed }), "Every draw derives from it.")
	exhausted := text("mission", "on_exhausted", "wait", Now, spec(func(s *Spec) any { return &s.Mission.OnExhausted }), "What happens to a job when tokens, energy or compute run out: it waits, fails, or is put before the owner.")
	exhausted.Choices = []string{"wait", "fail", "ask"}
	return []Setting{
		seed,
		duration("mission", "duration", "0", Now, spec(func(s *Spec) any { return &s.Mission.Duration }), "Mission time after which every open job ends expired; 0 runs until complete."),
		text("mission", "owner", "operator", Never, spec(func(s *Spec) any { return &s.Mission.Owner }), "Name of the owner's account, account:<owner>."),
		exhausted,
		needed(amount("treasury", "tokens", "", Never, spec(func(s *Spec) any { return &s.Treasury.Tokens }), "TOKEN minted once, at genesis, into the owner's account.")),
		amount("treasury", "worker_endowment", "", Now, spec(func(s *Spec) any { return &s.Treasury.WorkerEndowment }), "TOKEN given to each worker at genesis so that it can stake; by default enough for every slot and attempt at the largest reward."),
		amount("treasury", "validator_endowment", "", Now, spec(func(s *Spec) any { return &s.Treasury.ValidatorEndowment }), "TOKEN given to each validator at genesis so that it can stake; by default enough for the seats of all worker slots."),
		priced(amount("resources.energy", "capacity", "0", Now, spec(func(s *Spec) any { return &s.Resources.Energy.Capacity }), "ENERGY that may be in use at the same time."), maxBudget),
		priced(amount("resources.energy", "price", "1", Now, spec(func(s *Spec) any { return &s.Resources.Energy.Price }), "TOKEN per 1,000 ENERGY, paid by the employer for what is used."), maxPrice),
		priced(amount("resources.compute", "capacity", "0", Now, spec(func(s *Spec) any { return &s.Resources.Compute.Capacity }), "COMPUTE that may be in use at the same time."), maxBudget),
		priced(amount("resources.compute", "price", "1", Now, spec(func(s *Spec) any { return &s.Resources.Compute.Price }), "TOKEN per 1,000 COMPUTE, paid by the employer for what is used."), maxPrice),
	}
}

func governanceSettings() []Setting {
	g := func(f func(*Governance) any) func(any) any {
		return spec(func(s *Spec) any { return f(&s.Governance) })
	}
	const b = "governance"
	return []Setting{
		ratio(b, "worker_stake_ratio", "0.2", Now, g(func(g *Governance) any { return &g.WorkerStakeRatio }), "Part of the reward the worker locks as stake."),
		amount(b, "validator_stake", "10", Now, g(func(g *Governance) any { return &g.ValidatorStake }), "TOKEN a validator locks per seat and round."),
		count(b, "committee", "", 0, 50, Now, g(func(g *Governance) any { return &g.Committee }), "Validators drawn per round; by default five, or as many as there are; 0 turns the council off and the host judges accept itself."),
		count(b, "approvals_required", "", 0, 50, Now, g(func(g *Governance) any { return &g.ApprovalsRequired }), "Approving votes a result needs; by default the committee's majority, and never below it."),
		duration(b, "commit_window", "15m", Now, g(func(g *Governance) any { return &g.CommitWindow }), "How long a round takes commitments; it closes early once everybody has answered."),
		duration(b, "reveal_window", "25m", Now, g(func(g *Governance) any { return &g.RevealWindow }), "How long a round takes reveals."),
		duration(b, "validator_timeout", "30m", Now, g(func(g *Governance) any { return &g.ValidatorTimeout }), "Grace after the reveal window."),
		ratio(b, "slash_ratio", "0.5", Now, g(func(g *Governance) any { return &g.SlashRatio }), "Part of its stake a rejected worker loses."),
		ratio(b, "wrong_vote_ratio", "0.5", Now, g(func(g *Governance) any { return &g.WrongVoteRatio }), "Part of its seat's stake a validator loses by voting against the outcome."),
		ratio(b, "no_reveal_ratio", "0.5", Now, g(func(g *Governance) any { return &g.NoRevealRatio }), "Part of its seat's stake an absent validator loses; not below wrong_vote_ratio."),
		ratio(b, "equivocation_ratio", "1", Now, g(func(g *Governance) any { return &g.EquivocationRatio }), "Part of its seat's stake a validator loses by revealing what it did not commit to."),
		ratio(b+".slash_shares", "employer", "0.5", Now, g(func(g *Governance) any { return &g.SlashEmployer }), "Part of a slash that goes to the employer."),
		ratio(b+".slash_shares", "treasury", "0.5", Now, g(func(g *Governance) any { return &g.SlashTreasury }), "Part of a slash that goes to the owner's account."),
		ratio(b+".slash_shares", "burn", "0", Now, g(func(g *Governance) any { return &g.SlashBurn }), "Part of a slash that is burned."),
		ratio(b, "fee_ratio", "0.05", NewJobs, g(func(g *Governance) any { return &g.FeeRatio }), "Fee on top of the reward, escrowed with it."),
		ratio(b, "burn_ratio", "0.01", Now, g(func(g *Governance) any { return &g.BurnRatio }), "Part of the worker's pay that is burned."),
		ratio(b, "validator_reward_ratio", "0.08", Now, g(func(g *Governance) any { return &g.ValidatorRewardRatio }), "Part of the reward shared by the validators who voted with the outcome."),
	}
}

func operationSettings() []Setting {
	const day = int64(24 * Hour)
	lines := func(name, def string, at func(*Retention) any, doc string) Setting {
		return count("retention", name, def, 16, 1_000_000, Now, spec(func(s *Spec) any { return at(&s.Retention) }), doc)
	}
	ids := duration("retention", "ids", "168h", Now, spec(func(s *Spec) any { return &s.Retention.IDs }), "How long ids made by clients are remembered.")
	ids.Min = int64(Hour)
	interval := duration("checkpoint", "interval", "40s", Now, spec(func(s *Spec) any { return &s.Checkpoint.Interval }), "Mission time between two signed checkpoints while there are entries to cover.")
	interval.Min, interval.Max = int64(Second), day
	backoff := duration("delegation", "retry_backoff", "10s", Now, spec(func(s *Spec) any { return &s.Delegation.RetryBackoff }), "Wait before the second attempt; doubled for each later one, at most 10m.")
	backoff.Max = int64(10 * Minute)
	return []Setting{
		duration("autonomy", "guardian_interval", "10s", Now, spec(func(s *Spec) any { return &s.Autonomy.GuardianInterval }), "How often prices are looked at."),
		duration("autonomy", "forecast_horizon", "24h", Now, spec(func(s *Spec) any { return &s.Autonomy.ForecastHorizon }), "How far ahead the backlog is judged."),
		ratio("autonomy", "resource_target", "0.8", Now, spec(func(s *Spec) any { return &s.Autonomy.ResourceTarget }), "Utilisation that pricing aims at."),
		priced(amount("autonomy", "price_floor", "0.35", Now, spec(func(s *Spec) any { return &s.Autonomy.PriceFloor }), "Lowest price."), maxPrice),
		priced(amount("autonomy", "price_ceiling", "14", Now, spec(func(s *Spec) any { return &s.Autonomy.PriceCeiling }), "Highest price."), maxPrice),
		ratio("autonomy", "price_smoothing", "0.28", Now, spec(func(s *Spec) any { return &s.Autonomy.PriceSmoothing }), "How fast prices follow utilisation."),
		{Block: "autonomy", Name: "may", Kind: KindNames, Default: "", Choices: []string{ActExpedite, ActReprice, ActBoost, ActPauseSkill, ActPost, ActSteer}, Changes: Now, at: spec(func(s *Spec) any { return &s.Autonomy.May }), Doc: "What the guardian does by itself; the rest of its plan waits for approval."},
		amount("autonomy", "budget", "0", Now, spec(func(s *Spec) any { return &s.Autonomy.Budget }), "TOKEN the guardian may spend by itself, out of the owner's account."),
		count("delegation", "max_depth", "9", 1, 64, Now, spec(func(s *Spec) any { return &s.Delegation.MaxDepth }), "How deep jobs may post child jobs."),
		duration("delegation", "retry", "120s", Now, spec(func(s *Spec) any { return &s.Delegation.Retry }), "How often unattended jobs are reminded."),
		count("delegation", "background_limit", "128", 0, 1_000_000, Now, spec(func(s *Spec) any { return &s.Delegation.BackgroundLimit }), "Most jobs running at once on this host; 0 is no limit."),
		count("delegation", "max_attempts", "3", 1, 100, Now, spec(func(s *Spec) any { return &s.Delegation.MaxAttempts }), "Attempts that count before a job fails."),
		backoff,
		idle(duration("delegation", "lease", "60s", Now, spec(func(s *Spec) any { return &s.Delegation.Lease }), "How long an agent may stay silent.")),
		interval,
		lines("state_history", "8192", func(r *Retention) any { return &r.StateHistory }, "Lines of state-history.jsonl, storyboard-history.jsonl, autonomy-history.jsonl and insights.jsonl."),
		lines("mesh_history", "8192", func(r *Retention) any { return &r.MeshHistory }, "Lines of mesh-history.jsonl."),
		lines("structured_log", "16384", func(r *Retention) any { return &r.StructuredLog }, "Lines of structured-log.jsonl and control-ack.jsonl."),
		idle(lines("continuity_history", "8192", func(r *Retention) any { return &r.ContinuityHistory }, "Lines of continuity-history.jsonl.")),
		lines("ledger_history", "8192", func(r *Retention) any { return &r.LedgerHistory }, "Lines of long-run-ledger.jsonl, and most transfers in resource-ledger.json, which has room for 1,000."),
		ids,
		flag("reload", "allow_removals", "false", Now, spec(func(s *Spec) any { return &s.Reload.AllowRemovals }), "Lets an edit remove declared jobs, workers and validators without being asked."),
	}
}

// WorkerSettings is the table of a worker block: their target is a *WorkerSpec.
func WorkerSettings() []Setting {
	speed := ratio("worker.simulated", "speed", "1", NewJobs, worker(func(w *WorkerSpec) any { return &w.Simulated.Speed }), "Modelled work of d takes d divided by speed.")
	speed.Min, speed.Max = 1000, 1_000_000*whole
	all := []Setting{
		needed(Setting{Block: "worker", Name: "skills", Kind: KindNames, Changes: NewJobs, at: worker(func(w *WorkerSpec) any { return &w.Skills }), Doc: "What it can do; a job goes to a worker that has all of the job's skills."}),
		count("worker", "slots", "1", 1, 1024, NewJobs, worker(func(w *WorkerSpec) any { return &w.Slots }), "Attempts one instance holds at the same time."),
		flag("worker", "delegates", "false", NewJobs, worker(func(w *WorkerSpec) any { return &w.Delegates }), "Whether it may take a job of which it has only some skills; it has to hand work on to child jobs before it answers."),
		speed,
		ratio("worker.simulated", "failure_ratio", "0", NewJobs, worker(func(w *WorkerSpec) any { return &w.Simulated.FailureRatio }), "Part of its attempts that fail, drawn from the seed."),
		ratio("worker.simulated", "wrong_ratio", "0", NewJobs, worker(func(w *WorkerSpec) any { return &w.Simulated.WrongRatio }), "Part of its answers that are wrong, drawn from the seed."),
	}
	all = append(all, scriptSettings("worker.script", "5s", []string{"none"}, func(t any) *ScriptSpec { return &t.(*WorkerSpec).Script })...)
	all = append(all, execSettings("worker.exec", func(t any) *ExecSpec { return &t.(*WorkerSpec).Exec })...)
	return append(all, httpSettings()...)
}

// ValidatorSettings is the table of a validator block: their target is a
// *ValidatorSpec.
func ValidatorSettings() []Setting {
	model := func(f func(*ValidatorModel) any) func(any) any {
		return func(t any) any { return f(&t.(*ValidatorSpec).Simulated) }
	}
	all := []Setting{
		ratio("validator.simulated", "absent_ratio", "0", Now, model(func(m *ValidatorModel) any { return &m.AbsentRatio }), "Part of its seats it leaves silent, drawn from the seed."),
		ratio("validator.simulated", "wrong_ratio", "0", Now, model(func(m *ValidatorModel) any { return &m.WrongRatio }), "Part of its votes that are against what it knows, drawn from the seed."),
	}
	all = append(all, scriptSettings("validator.script", "1s", []string{"abstain", "rule"}, func(t any) *ScriptSpec { return &t.(*ValidatorSpec).Script })...)
	return append(all, execSettings("validator.exec", func(t any) *ExecSpec { return &t.(*ValidatorSpec).Exec })...)
}

// AccountSettings is the table of an account block: their target is an
// *AccountSpec.
func AccountSettings() []Setting {
	return []Setting{
		needed(amount("account", "tokens", "", NewJobs, func(t any) any { return &t.(*AccountSpec).Tokens }, "TOKEN given to it out of the owner's account when it is first declared.")),
	}
}

// execSettings is the table of a program the host runs. Its secrets are not in
// it: they are no values but names.
func execSettings(block string, at func(any) *ExecSpec) []Setting {
	to := func(f func(*ExecSpec) any) func(any) any { return func(t any) any { return f(at(t)) } }
	timeout := duration(block, "timeout", "5m", NewJobs, to(func(e *ExecSpec) any { return &e.Timeout }), "Wall time one run may take.")
	timeout.Min, timeout.Max = int64(Millisecond), int64(24*Hour)
	return []Setting{
		needed(Setting{Block: block, Name: "command", Kind: KindNames, Changes: NewJobs, at: to(func(e *ExecSpec) any { return &e.Command }), Doc: "Program and arguments; no shell."}),
		timeout,
		{Block: block, Name: "env", Kind: KindNames, Changes: NewJobs, at: to(func(e *ExecSpec) any { return &e.Env }), Doc: "Names of variables passed on from the host's environment."},
		{Block: block, Name: "memory", Kind: KindBytes, Default: "1073741824", Min: 16 << 20, Max: 1 << 40, Changes: NewJobs, at: to(func(e *ExecSpec) any { return &e.Memory }), Doc: "Bytes of memory all processes of one run may hold together."},
		{Block: block, Name: "output", Kind: KindBytes, Default: "1048576", Min: 1 << 10, Max: 64 << 20, Changes: NewJobs, at: to(func(e *ExecSpec) any { return &e.Output }), Doc: "Bytes one run may write to standard output."},
	}
}

// httpSettings is the table of a worker that asks a server. Its headers are an
// expression, its secrets are names.
func httpSettings() []Setting {
	const block = "worker.http"
	to := func(f func(*HTTPSpec) any) func(any) any {
		return worker(func(w *WorkerSpec) any { return f(&w.HTTP) })
	}
	timeout := duration(block, "timeout", "30s", NewJobs, to(func(h *HTTPSpec) any { return &h.Timeout }), "Wall time one request may take, its whole answer included.")
	timeout.Min, timeout.Max = int64(Millisecond), int64(24*Hour)
	return []Setting{
		needed(text(block, "url", "", NewJobs, to(func(h *HTTPSpec) any { return &h.URL }), "Where each attempt is sent as a POST: http or https, with no name, password or fragment in it.")),
		timeout,
		{Block: block, Name: "output", Kind: KindBytes, Default: "1048576", Min: 1 << 10, Max: 64 << 20, Changes: NewJobs, at: to(func(h *HTTPSpec) any { return &h.Output }), Doc: "Bytes the body of one answer may have."},
	}
}

// JobSettings is the table of a job block: their target is a *JobSpec. Needs,
// input, labels, accept and simulated are expressions with rules of their own.
func JobSettings() []Setting {
	work := duration("job", "work", "1m", NewJobs, job(func(j *JobSpec) any { return &j.Work }), "Modelled work at speed 1; in a --ci run, how long the attempt takes.")
	return []Setting{
		text("job", "title", "", NewJobs, job(func(j *JobSpec) any { return &j.Title }), "What people read."),
		text("job", "employer", "", NewJobs, job(func(j *JobSpec) any { return &j.Employer }), "Name of the account that pays; by default the owner's."),
		needed(Setting{Block: "job", Name: "skills", Kind: KindNames, Changes: NewJobs, at: job(func(j *JobSpec) any { return &j.Skills }), Doc: "What its worker must be able to do."}),
		needed(amount("job", "reward", "", NewJobs, job(func(j *JobSpec) any { return &j.Reward }), "TOKEN paid for an approved result.")),
		priced(amount("job", "energy_budget", "0", NewJobs, job(func(j *JobSpec) any { return &j.EnergyBudget }), "ENERGY held while an attempt runs."), maxBudget),
		priced(amount("job", "compute_budget", "0", NewJobs, job(func(j *JobSpec) any { return &j.ComputeBudget }), "COMPUTE held while an attempt runs."), maxBudget),
		work,
		duration("job", "deadline", "0", NewJobs, job(func(j *JobSpec) any { return &j.Deadline }), "Mission time from ready to submission; 0 is no deadline."),
		duration("job", "validation_window", "0", NewJobs, job(func(j *JobSpec) any { return &j.ValidationWindow }), "Mission time a round may take; 0 leaves it to the council's windows."),
		duration("job", "timeout", "0", NewJobs, job(func(j *JobSpec) any { return &j.Timeout }), "Wall time one attempt may take; 0 leaves it to the worker."),
		flag("job", "required", "true", NewJobs, job(func(j *JobSpec) any { return &j.Required }), "Whether the mission fails if it does not finalize."),
	}
}
