package projection

import (
	"encoding/json"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// MeshLine is a line of mesh-history.jsonl: what the host says on the mesh, as a
// CloudEvent 1.0. Messages are a view of events; results and inputs stay in the
// journal.
//
//	subject                    what it says
//	job.<id>.<event>           an event of a job's life
//	skill.<name>.offers        a job is ready for a worker with this skill, or still is
//	council.<job>.<phase>      a round in its phase: commit, reveal, closed
//	owner.orders               an order and what became of it
//	ledger.transfers           movements, as the journal has them: ["stake","20"]
//	insights                   what a steward says and does, scripts that are suspended, edits that are held
type MeshLine struct {
	SpecVersion string          `json:"specversion"` // 1.0
	ID          string          `json:"id"`          // <seq>.<n>: the n-th message of the entry, from 0
	Source      string          `json:"source"`      // /missions/<id>
	At          core.Time       `json:"at"`          // of the entry, mission time
	Time        string          `json:"time"`        // of the entry, as recorded
	Type        string          `json:"type"`        // omega.<event>
	Subject     string          `json:"subject"`
	Data        json.RawMessage `json:"data"` // an object, by type
}

// mesh keeps the messages of entries in short, until somebody wants to see them.
type mesh struct {
	history history
	keep    int64
	source  string
	seq     core.Seq
	at      core.Time
	wall    string
	n       int64  // messages of this entry so far
	begun   []byte // what the records of this entry begin with
	buffer  []byte
}

// message is what is said of one event. What most of it means depends on the
// event.
type message struct {
	event  string
	about  subject
	job    string
	text   string
	other  string
	number int64 // of the attempt or the round
	a, b   int64
	digest []byte
	steps  []core.Step
	seats  []int64
}

// subject is the kind of a message's subject.
type subject uint8

const (
	aboutJob subject = iota
	aboutSkill
	aboutCouncil
	aboutOrder
	aboutTransfer
	aboutInsight
)

func (m *mesh) prepare() {
	m.history.pending.size, m.history.spell = recordSize, m.spell
}

// begin is told of every entry before its events.
func (m *mesh) begin(s *core.State, e *core.Entry) {
	m.n, m.keep, m.source = 0, s.Spec().Retention.MeshHistory, s.Mission().Mission
	m.seq, m.at, m.wall = e.Seq, e.At, e.Wall
	m.begun = m.head(m.begun[:0])
}

// say keeps the messages of an event; r is the open job it concerns, nil for
// none.
func (m *mesh) say(s *core.State, event core.Event, r *tracked) {
	one := message{event: event.Name()}
	switch e := event.(type) {
	case *core.Transfer:
		one.about, one.job, one.number, one.steps = aboutTransfer, e.Job, e.Attempt, e.Steps
		if len(e.Steps) == 0 {
			one.a, one.text = int64(len(e.Legs)), legs(e.Legs[:min(len(e.Legs), maxNamed)])
		}
	case *core.OrderTaken:
		one.about, one.text, one.other = aboutOrder, e.ID, e.Refusal
	case *core.JobsUnattended:
		for _, id := range e.Jobs[:min(len(e.Jobs), maxNamed)] {
			if j := s.Job(id); j != nil {
				m.offer(event, &j.Spec)
			}
		}
		return
	case *core.PlanRecorded, *core.ActionApproved, *core.ActionDropped, *core.SkillPaused, *core.SkillResumed, *core.Repriced,
		*core.ScriptSuspended, *core.EditHeld, *core.EditApproved:
		if !one.insight(event) {
			return
		}
	default:
		if r == nil {
			return
		}
		one.job = r.job.Spec.ID
		if !one.round(event) {
			one.life(event, &r.job.Spec)
		}
	}
	m.add(&one)
	if _, ready := event.(*core.JobReady); ready {
		m.offer(event, &r.job.Spec)
	}
}

// round takes what is said of a round; false where the event is no round's.
func (one *message) round(event core.Event) bool {
	one.about = aboutCouncil
	switch e := event.(type) {
	case *core.RoundOpened:
		one.number, one.text, one.a, one.b = e.Round, phaseCommitting, int64(len(e.Seats)), int64(e.Due)
	case *core.VotesCommitted:
		one.number, one.text, one.a = e.Round, phaseCommitting, int64(len(e.Votes))
	case *core.RevealOpened:
		one.number, one.text, one.b = e.Round, phaseRevealing, int64(e.Due)
	case *core.VotesRevealed:
		one.number, one.text, one.a = e.Round, phaseRevealing, int64(len(e.Votes))
	case *core.VotesAbstained:
		one.number, one.text, one.a = e.Round, phaseRevealing, int64(len(e.Seats))
	case *core.SeatsReminded:
		one.number, one.text, one.seats = e.Round, e.Phase, e.Seats
	case *core.SeatEquivocated:
		one.number, one.text, one.a = e.Round, phaseCommitting, e.Seat
	case *core.RoundClosed:
		one.number, one.text, one.other, one.seats = e.Round, phaseClosed, e.Outcome, e.Absent
	default:
		one.about = aboutJob
		return false
	}
	return true
}

// life takes what is said of an event of a job's life.
func (one *message) life(event core.Event, spec *core.Terms) {
	switch e := event.(type) {
	case *core.JobPosted:
		one.a, one.text = int64(spec.Reward), spec.Parent
	case *core.JobAssigned:
		one.number, one.text = e.Attempt, e.Worker
	case *core.AttemptStarted:
		one.number = e.Attempt
	case *core.AttemptReleased:
		one.number = e.Attempt
	case *core.AttemptVoided:
		one.number, one.text = e.Attempt, e.Reason
	case *core.AttemptSubmitted:
		one.number, one.a, one.b, one.digest = e.Attempt, int64(e.EnergyUsed), int64(e.ComputeUsed), e.Digest[:]
	case *core.AttemptDelegated:
		one.number, one.a, one.b = e.Attempt, int64(e.EnergyUsed), int64(e.ComputeUsed)
	case *core.AttemptFailed:
		one.number, one.text = e.Attempt, e.Reason
	case *core.AttemptRejected:
		one.number, one.text = e.Attempt, plain(e.Reason, maxDetail)
	case *core.ResultHeld:
		one.number = e.Attempt
	case *core.ApprovalAsked:
		one.text = e.Reason
	case *core.ApprovalGiven:
		if one.text = "deny"; e.Approve {
			one.text = "approve"
		}
	case *core.JobEnding:
		one.text, one.other = string(e.State), e.Reason
	case *core.VerdictGiven:
		one.text, one.other = e.Say, e.Hook
	case *core.JobExpedited:
		one.text = e.By
	case *core.RewardBoosted:
		one.text, one.a = e.By, int64(e.Tokens)
	case *core.JobEnded:
		one.text, one.other = string(e.State), e.Reason
	}
}

// insight takes what is said of stewards and scripts; false where it is nothing
// new.
func (one *message) insight(event core.Event) bool {
	one.about = aboutInsight
	switch e := event.(type) {
	case *core.PlanRecorded:
		one.text, one.other, one.a, one.b = e.Steward, plain(e.Headline, maxDetail), int64(len(e.Alerts)), int64(len(e.Actions))
		if e.Fault != "" {
			one.number, one.other = 1, plain(e.Fault, maxDetail)
		}
		return !e.Same
	case *core.ActionApproved:
		one.text = e.ID
	case *core.ActionDropped:
		one.text, one.other = e.ID, plain(e.Reason, maxDetail)
	case *core.SkillPaused:
		one.text, one.other, one.a = e.Skill, e.By, int64(e.Until)
	case *core.SkillResumed:
		one.text = e.Skill
	case *core.Repriced:
		one.text, one.a, one.b = e.By, int64(e.Energy), int64(e.Compute)
	case *core.ScriptSuspended:
		one.text, one.other, one.a = e.Script, plain(e.Fault, maxDetail), e.Faults
	case *core.EditHeld:
		one.text, one.a = hexOf(e.Digest), int64(len(e.Removes)+len(e.Drains))
	case *core.EditApproved:
		one.text = hexOf(e.Digest)
	}
	return true
}

// offer calls a job out to the workers that have one of its skills.
func (m *mesh) offer(event core.Event, spec *core.Terms) {
	for _, skill := range spec.Skills {
		m.add(&message{
			event: event.Name(), about: aboutSkill, job: spec.ID, text: skill,
			number: int64(spec.Reward), a: int64(spec.EnergyBudget), b: int64(spec.ComputeBudget),
		})
	}
}

func (m *mesh) add(one *message) {
	b := one.append(appendInt(append(m.buffer[:0], m.begun...), m.n))
	closeRecord(b)
	m.history.add(b, m.keep)
	m.buffer = b
	m.n++
}

// spell writes the lines of messages that have been kept.
func (m *mesh) spell(dst, records []byte) []byte {
	l := line{dst}
	var one message
	for len(records) > 0 {
		r := reader{records[recordHead:recordSize(records)]}
		records = records[recordSize(records):]
		l.int(`{"specversion":"1.0","id":"`, r.int())
		at, wall := r.int(), r.text()
		l.int(".", r.int())
		l.raw(`","source":"/missions/`)
		l.raw(m.source)
		l.int(`","at":`, at)
		l.text(`,"time":`, wall)
		one.read(&r)
		l.word(`,"type":`, "")
		l.b = append(append(l.b[:len(l.b)-1], "omega."...), one.event...)
		l.raw(`","subject":"`)
		one.write(&l)
		l.raw("}}\n")
	}
	return l.b
}

// write writes a message from its subject on.
func (one *message) write(l *line) {
	switch one.about {
	case aboutSkill:
		l.raw("skill.")
		l.within(one.text)
		l.text(`.offers","data":{"job":`, one.job)
		l.amount(`,"reward":`, ledger.Amount(one.number))
		l.amount(`,"energy_budget":`, ledger.Amount(one.a))
		l.amount(`,"compute_budget":`, ledger.Amount(one.b))
	case aboutCouncil:
		one.writeRound(l)
	case aboutOrder:
		l.text(`owner.orders","data":{"id":`, one.text)
		if one.other == "" {
			l.raw(`,"accepted":true`)
		} else {
			l.text(`,"accepted":false,"refusal":`, one.other)
		}
	case aboutTransfer:
		one.writeTransfer(l)
	case aboutInsight:
		one.writeInsight(l)
	default:
		one.writeLife(l)
	}
}

func (one *message) writeRound(l *line) {
	l.raw("council.")
	l.within(one.job)
	l.raw(".")
	l.raw(one.text)
	l.text(`","data":{"job":`, one.job)
	l.int(`,"round":`, one.number)
	switch one.event {
	case "round_opened":
		l.int(`,"seats":`, one.a)
		l.int(`,"due":`, one.b)
	case "reveal_opened":
		l.int(`,"due":`, one.b)
	case "votes_committed", "votes_revealed", "votes_abstained":
		l.int(`,"votes":`, one.a)
	case "seats_reminded":
		l.ints(`,"seats":`, one.seats)
	case "seat_equivocated":
		l.int(`,"seat":`, one.a)
	case "round_closed":
		l.text(`,"outcome":`, one.other)
		l.ints(`,"absent":`, one.seats)
	}
}

func (one *message) writeTransfer(l *line) {
	l.raw(`ledger.transfers","data":{`)
	if len(one.steps) == 0 { // of very many movements the first are said
		l.int(`"count":`, one.a)
		l.raw(`,"legs":[`)
		l.raw(one.text)
	} else {
		l.text(`"job":`, one.job)
		l.int(`,"attempt":`, one.number)
		l.raw(`,"steps":[`)
		l.steps(one.steps)
	}
	l.raw("]")
}

func (one *message) writeLife(l *line) {
	l.raw("job.")
	l.within(one.job)
	l.raw(".")
	l.raw(one.event)
	l.text(`","data":{"job":`, one.job)
	if one.number > 0 {
		l.int(`,"attempt":`, one.number)
	}
	switch one.event {
	case "job_posted":
		l.amount(`,"reward":`, ledger.Amount(one.a))
		if one.text != "" {
			l.text(`,"parent":`, one.text)
		}
	case "job_assigned":
		l.text(`,"worker":`, one.text)
	case "verdict_given":
		l.text(`,"hook":`, one.other)
		l.text(`,"say":`, one.text)
	case "job_expedited":
		l.text(`,"by":`, one.text)
	case "reward_boosted":
		l.text(`,"by":`, one.text)
		l.amount(`,"tokens":`, ledger.Amount(one.a))
	case "attempt_submitted", "attempt_delegated":
		if len(one.digest) > 0 {
			l.digest(`,"digest":`, (*core.Digest)(one.digest))
		}
		l.amount(`,"energy_used":`, ledger.Amount(one.a))
		l.amount(`,"compute_used":`, ledger.Amount(one.b))
	case "attempt_voided", "attempt_failed", "attempt_rejected", "approval_asked":
		l.text(`,"reason":`, one.text)
	case "approval_given":
		l.text(`,"answer":`, one.text)
	case "job_ending", "job_ended":
		l.text(`,"state":`, one.text)
		l.text(`,"reason":`, one.other)
	}
}

func (one *message) writeInsight(l *line) {
	l.raw(`insights","data":{`)
	switch one.event {
	case "plan_recorded":
		l.text(`"steward":`, one.text)
		if one.number > 0 {
			l.text(`,"fault":`, one.other)
			return
		}
		l.text(`,"headline":`, one.other)
		l.int(`,"alerts":`, one.a)
		l.int(`,"actions":`, one.b)
	case "action_approved":
		l.text(`"action":`, one.text)
	case "action_dropped":
		l.text(`"action":`, one.text)
		l.text(`,"reason":`, one.other)
	case "skill_paused":
		l.text(`"skill":`, one.text)
		l.int(`,"until":`, one.a)
		l.text(`,"by":`, one.other)
	case "skill_resumed":
		l.text(`"skill":`, one.text)
	case "repriced":
		l.text(`"by":`, one.text)
		l.amount(`,"energy":`, ledger.Amount(one.a))
		l.amount(`,"compute":`, ledger.Amount(one.b))
	case "script_suspended":
		l.text(`"script":`, one.text)
		l.int(`,"faults":`, one.a)
		l.text(`,"fault":`, one.other)
	case "edit_held":
		l.text(`"digest":`, one.text)
		l.int(`,"takes":`, one.a)
	case "edit_approved":
		l.text(`"digest":`, one.text)
	}
}

// steps writes movements as the journal has them: seats that follow each other
// and move the same are one.
func (l *line) steps(steps []core.Step) {
	rules := core.Steps()
	for first := true; len(steps) > 0; first = false {
		if !first {
			l.raw(",")
		}
		step, n := steps[0], 1
		l.raw(`["`)
		l.raw(rules[step.Kind].Name)
		if rules[step.Kind].Seat {
			for n < len(steps) && steps[n] == (core.Step{Kind: step.Kind, Seat: step.Seat + int64(n), Amount: step.Amount}) {
				n++
			}
			l.int("/", step.Seat)
			if n > 1 {
				l.int("-", step.Seat+int64(n)-1)
			}
		}
		l.amount(`",`, step.Amount)
		l.raw("]")
		steps = steps[n:]
	}
}

func legs(all []core.Leg) string {
	var l line
	for i, leg := range all {
		l.item(i)
		l.word(`{"unit":`, leg.Unit.String())
		l.text(`,"debit":`, leg.Debit)
		l.text(`,"credit":`, leg.Credit)
		l.amount(`,"amount":`, leg.Amount)
		l.raw("}")
	}
	return string(l.b)
}

func (l *line) ints(key string, all []int64) {
	l.raw(key)
	l.raw("[")
	for i, n := range all {
		if i > 0 {
			l.raw(",")
		}
		l.int("", n)
	}
	l.raw("]")
}
