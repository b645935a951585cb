package inquiry

import (
	"slices"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// WorkerStory is what `omega explain WORKER` writes, schema
// omega.explain.worker/v1. Amounts are decimal texts in whole TOKEN, times
// milliseconds of mission time.
type WorkerStory struct {
	Schema  string       `json:"schema"`
	Mission string       `json:"mission"`
	Seq     core.Seq     `json:"seq"` // the entry all of this is as of
	At      core.Time    `json:"at"`
	Worker  string       `json:"worker"`  // an id, or the name of a block
	Members []string     `json:"members"` // the ids it stands for
	Totals  WorkerTotals `json:"totals"`
	Turns   []*TurnOf    `json:"attempts"` // the last ones, oldest first

	Script    *ScriptOf    `json:"script,omitempty"` // of those whose work a script does, as it is or last was in force
	Suspended *SuspendedOf `json:"suspended,omitempty"`
}

// WorkerTotals are all attempts, by how they ended.
type WorkerTotals struct {
	Attempts  int64  `json:"attempts"`
	Open      int64  `json:"open"` // running, submitted
	Approved  int64  `json:"approved"`
	Rejected  int64  `json:"rejected"`
	Failed    int64  `json:"failed"`
	Delegated int64  `json:"delegated"`
	Other     int64  `json:"other"` // void, cut short
	Paid      string `json:"paid"`
	Slashed   string `json:"slashed"`
}

// TurnOf is one attempt of a worker.
type TurnOf struct {
	Job        string     `json:"job"`
	Name       string     `json:"name"` // of the job, as people read it
	Attempt    int64      `json:"attempt"`
	Worker     string     `json:"worker"`
	AssignedAt core.Time  `json:"assigned_at"`
	EndedAt    *core.Time `json:"ended_at"`
	Outcome    string     `json:"outcome"` // running, submitted, approved, delegated, failed, rejected, void, cut short
	Reason     string     `json:"reason"`
	Detail     string     `json:"detail"`
	Paid       string     `json:"paid"`
	Slashed    string     `json:"slashed"`

	Version string `json:"version,omitempty"` // of its script, in force when it was assigned, hex

	sums gains
}

// ValidatorStory is what `omega explain VALIDATOR` writes, schema
// omega.explain.validator/v1.
type ValidatorStory struct {
	Schema    string          `json:"schema"`
	Mission   string          `json:"mission"`
	Seq       core.Seq        `json:"seq"` // the entry all of this is as of
	At        core.Time       `json:"at"`
	Validator string          `json:"validator"` // an id, or the name of a block
	Members   []string        `json:"members"`   // the ids it stands for
	Totals    ValidatorTotals `json:"totals"`
	Sittings  []*SittingOf    `json:"seats"` // the last ones, oldest first

	Script    *ScriptOf    `json:"script,omitempty"` // of those a script votes for, as it is or last was in force
	Suspended *SuspendedOf `json:"suspended,omitempty"`
}

// ValidatorTotals are all seats.
type ValidatorTotals struct {
	Seats    int64  `json:"seats"`
	Voted    int64  `json:"voted"`
	Absent   int64  `json:"absent"`
	Reminded int64  `json:"reminded"` // times
	Paid     string `json:"paid"`
	Slashed  string `json:"slashed"`
}

// SittingOf is one seat of a validator in a round.
type SittingOf struct {
	Job         string    `json:"job"`
	Name        string    `json:"name"` // of the job, as people read it
	Round       int64     `json:"round"`
	Validator   string    `json:"validator"`
	OpenedAt    core.Time `json:"opened_at"`
	Vote        string    `json:"vote"` // "" before it is revealed
	Reason      string    `json:"reason"`
	Outcome     string    `json:"outcome"` // of the round; "" while it is open
	Absent      bool      `json:"absent"`
	Equivocated bool      `json:"equivocated"`
	Reminded    int64     `json:"reminded"`
	Paid        string    `json:"paid"`
	Slashed     string    `json:"slashed"`

	Version string `json:"version,omitempty"` // of its script, in force when the round was opened, hex

	sums gains
}

const (
	workerSchema    = "omega.explain.worker/v1"
	validatorSchema = "omega.explain.validator/v1"
	mostTurns       = 50
)

// gains are what somebody was paid and has lost.
type gains struct{ paid, slashed ledger.Amount }

func (g *gains) add(a ledger.Amount) {
	if a < 0 {
		g.slashed -= a
	} else {
		g.paid += a
	}
}

// Career follows a worker or a validator, or all of one block, through the
// record.
type Career struct {
	family
	name       string
	workers    []string
	validators []string
	turn       map[string]*TurnOf      // the last attempt, by open job
	sitting    map[string][]*SittingOf // the last round's seats, by open job; nil for others
	turns      recent[*TurnOf]
	sittings   recent[*SittingOf]
	did        WorkerTotals
	sat        ValidatorTotals
	earned     gains // as a worker
	voted      gains // as a validator

	script    *ScriptOf // of its block, nil without one
	block     string    // worker.<name>, validator.<name>
	suspended *SuspendedOf
}

// NewCareer begins with a name nothing is known of yet: an id or that of a
// block.
func NewCareer(name string) *Career {
	c := &Career{family: newFamily(""), name: name, turn: map[string]*TurnOf{}, sitting: map[string][]*SittingOf{}}
	c.moved = c.move
	c.done = func(m *member) {
		delete(c.turn, m.id)
		delete(c.sitting, m.id)
	}
	return c
}

// Apply takes the next entry.
func (c *Career) Apply(e *core.Entry) {
	for _, event := range e.Events {
		c.event(e.At, event)
		switch ev := event.(type) {
		case *core.GenerationApplied:
			c.learn(&ev.Spec, ev.Number)
		case *core.ScriptSuspended:
			if c.script != nil && ev.Script == c.block {
				c.suspended = &SuspendedOf{e.At, ev.Faults, ev.Fault}
			}
		case *core.JobAssigned:
			c.assigned(e.At, ev)
		case *core.RoundOpened:
			c.opened(e.At, ev)
		case *core.JobEnded:
			outcome := "cut short"
			if ev.State == core.JobFinalized {
				outcome = "approved"
			}
			c.end(e.At, ev.Job, outcome, "", "")
		case *core.AttemptSubmitted, *core.AttemptDelegated, *core.AttemptVoided, *core.AttemptFailed, *core.AttemptRejected:
			c.ended(e.At, event)
		default:
			c.judged(event)
		}
	}
	c.entryDone()
}

// learn finds out whose name it is.
func (c *Career) learn(spec *core.Spec, generation int64) {
	if c.script != nil {
		c.script.InForce = false
	}
	for i := range spec.Workers {
		w := &spec.Workers[i]
		c.workers = c.members(c.workers, w.Name, w.Instances)
		c.runs("worker."+w.Name, w.Name, w.Instances, &w.Script, generation)
	}
	for i := range spec.Validators {
		v := &spec.Validators[i]
		c.validators = c.members(c.validators, v.Name, v.Instances)
		c.runs("validator."+v.Name, v.Name, v.Instances, &v.Script, generation)
	}
}

// runs takes the script of a block that is asked for.
func (c *Career) runs(block, name string, ids []string, script *core.ScriptSpec, generation int64) {
	if script.Path == "" || name != c.name && !slices.Contains(ids, c.name) {
		return
	}
	if c.script == nil {
		c.script = &ScriptOf{}
	}
	if c.block = block; c.script.learn(script, generation) {
		c.suspended = nil
	}
}

// version is that of the script in force, "" where there is none.
func (c *Career) version() string {
	if c.script == nil || !c.script.InForce {
		return ""
	}
	return c.script.Digest
}

func (c *Career) members(known []string, block string, ids []string) []string {
	for _, id := range ids {
		if (block == c.name || id == c.name) && !slices.Contains(known, id) {
			known = append(known, id)
		}
	}
	return known
}

func (c *Career) assigned(at core.Time, ev *core.JobAssigned) {
	delete(c.turn, ev.Job)
	if slices.Contains(c.workers, ev.Worker) {
		c.did.Open++
		c.turn[ev.Job] = c.turns.add(&TurnOf{Job: ev.Job, Name: c.open[ev.Job].name, Attempt: ev.Attempt, Worker: ev.Worker, AssignedAt: at, Outcome: "running", Version: c.version()})
	}
}

func (c *Career) opened(at core.Time, ev *core.RoundOpened) {
	sits := make([]*SittingOf, len(ev.Seats))
	for i, id := range ev.Seats {
		if slices.Contains(c.validators, id) {
			sits[i] = c.sittings.add(&SittingOf{Job: ev.Job, Name: c.open[ev.Job].name, Round: ev.Round, Validator: id, OpenedAt: at, Version: c.version()})
		}
	}
	c.sitting[ev.Job] = sits
}

func (c *Career) ended(at core.Time, event core.Event) {
	switch ev := event.(type) {
	case *core.AttemptSubmitted:
		if t := c.turn[ev.Job]; t != nil {
			t.Outcome = "submitted"
		}
	case *core.AttemptDelegated:
		c.end(at, ev.Job, "delegated", "", "")
	case *core.AttemptVoided:
		c.end(at, ev.Job, "void", ev.Reason, "")
	case *core.AttemptFailed:
		c.end(at, ev.Job, "failed", ev.Reason, ev.Detail)
	case *core.AttemptRejected:
		c.end(at, ev.Job, "rejected", ev.Reason, "")
	}
}

// end says how an attempt ended; the first word stands.
func (c *Career) end(at core.Time, job, outcome, reason, detail string) {
	t := c.turn[job]
	if t == nil || t.EndedAt != nil {
		return
	}
	t.EndedAt, t.Outcome, t.Reason, t.Detail = ref(at), outcome, reason, detail
	c.did.Open--
	switch outcome {
	case "approved":
		c.did.Approved++
	case "rejected":
		c.did.Rejected++
	case "failed":
		c.did.Failed++
	case "delegated":
		c.did.Delegated++
	default:
		c.did.Other++
	}
}

// judged takes what happens to seats.
func (c *Career) judged(event core.Event) {
	switch ev := event.(type) {
	case *core.VotesRevealed:
		for _, vote := range ev.Votes {
			if s := c.seat(ev.Job, vote.Seat); s != nil {
				s.Vote, s.Reason = vote.Vote, vote.Reason
				c.sat.Voted++
			}
		}
	case *core.SeatsReminded:
		for _, n := range ev.Seats {
			if s := c.seat(ev.Job, n); s != nil {
				s.Reminded++
				c.sat.Reminded++
			}
		}
	case *core.SeatEquivocated:
		if s := c.seat(ev.Job, ev.Seat); s != nil {
			s.Equivocated = true
		}
	case *core.RoundClosed:
		for _, s := range c.sitting[ev.Job] {
			if s != nil {
				s.Outcome = ev.Outcome
			}
		}
		for _, n := range ev.Absent {
			if s := c.seat(ev.Job, n); s != nil {
				s.Absent = true
				c.sat.Absent++
			}
		}
	}
}

// seat is nil where somebody else sits.
func (c *Career) seat(job string, n int64) *SittingOf {
	if sits := c.sitting[job]; int(n) < len(sits) {
		return sits[n]
	}
	return nil
}

func (c *Career) move(m *movement) {
	if gets := workerGets(m.kind, m.amount); gets != 0 {
		if t := c.turn[m.job.id]; t != nil {
			t.sums.add(gets)
			c.earned.add(gets)
		}
	}
	if gets := seatGets(m.kind, m.amount); gets != 0 && m.validator != "" {
		if s := c.seat(m.job.id, m.seat); s != nil {
			s.sums.add(gets)
			c.voted.add(gets)
		}
	}
}

// Worker is the story of a worker as of the last entry applied, nil where the
// name is no worker's; s is the state after it.
func (c *Career) Worker(s *core.State) *WorkerStory {
	if len(c.workers) == 0 {
		return nil
	}
	w := &WorkerStory{Schema: workerSchema, Mission: s.Spec().Mission.Name, Seq: s.Seq(), At: s.Now(), Worker: c.name, Members: c.workers, Totals: c.did, Turns: []*TurnOf{}, Script: c.script, Suspended: c.suspended}
	w.Totals.Attempts, w.Totals.Paid, w.Totals.Slashed = c.turns.total, c.earned.paid.String(), c.earned.slashed.String()
	for _, t := range c.turns.items[max(0, len(c.turns.items)-mostTurns):] {
		t.Paid, t.Slashed = t.sums.paid.String(), t.sums.slashed.String()
		w.Turns = append(w.Turns, t)
	}
	return w
}

// Validator is the same for a validator.
func (c *Career) Validator(s *core.State) *ValidatorStory {
	if len(c.validators) == 0 {
		return nil
	}
	v := &ValidatorStory{
		Schema: validatorSchema, Mission: s.Spec().Mission.Name, Seq: s.Seq(), At: s.Now(), Validator: c.name, Members: c.validators, Totals: c.sat, Sittings: []*SittingOf{},
		Script: c.script, Suspended: c.suspended,
	}
	v.Totals.Seats, v.Totals.Paid, v.Totals.Slashed = c.sittings.total, c.voted.paid.String(), c.voted.slashed.String()
	for _, one := range c.sittings.items[max(0, len(c.sittings.items)-mostTurns):] {
		one.Paid, one.Slashed = one.sums.paid.String(), one.sums.slashed.String()
		v.Sittings = append(v.Sittings, one)
	}
	return v
}
