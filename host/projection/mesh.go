package projection

import (
	"encoding/json"
	"strconv"

	"github.com/omega-run/omega/host/core"
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
type MeshLine struct {
	SpecVersion string          `json:"specversion"` // 1.0
	ID          string          `json:"id"`          // <seq>.<n>: the n-th message of the entry, from 0
	Source      string          `json:"source"`      // /missions/<id>
	Time        string          `json:"time"`        // of the entry, as recorded
	At          core.Time       `json:"at"`          // of the entry, mission time
	Type        string          `json:"type"`        // omega.<event>
	Subject     string          `json:"subject"`
	Data        json.RawMessage `json:"data"` // an object, by type
}

// mesh writes the messages of an entry. Its buffers are used again.
type mesh struct {
	history history
	keep    int64
	head    []byte // up to the id
	tail    []byte // from the source to the type
	n       int64  // messages of this entry so far
	line    line
}

// begin makes what all messages of an entry have in common.
func (m *mesh) begin(s *core.State, e *core.Entry) {
	m.n, m.keep = 0, s.Spec().Retention.MeshHistory
	m.head = append(m.head[:0], `{"specversion":"1.0","id":"`...)
	m.head = append(strconv.AppendUint(m.head, uint64(e.Seq), 10), '.')
	t := line{append(m.tail[:0], `","source":"/missions/`...)}
	t.raw(s.Mission().Mission)
	t.raw(`"`)
	t.text(`,"time":`, e.Wall)
	t.int(`,"at":`, int64(e.At))
	t.raw(`,"type":"omega.`)
	m.tail = t.b
}

// open writes a message up to its subject, and the beginning of that.
func (m *mesh) open(event core.Event, subject string) *line {
	l := &m.line
	l.b = append(l.b[:0], m.head...)
	l.b = strconv.AppendInt(l.b, m.n, 10)
	l.b = append(l.b, m.tail...)
	l.raw(event.Name())
	l.raw(`","subject":"`)
	l.raw(subject)
	return l
}

// close ends a message whose data has been begun.
func (m *mesh) close() {
	m.line.raw("}}\n")
	m.history.add(m.line.b, m.keep)
	m.n++
}

// say writes the messages of an event; r is the open job it concerns, nil for
// none.
func (m *mesh) say(s *core.State, event core.Event, r *tracked) {
	switch e := event.(type) {
	case *core.Transfer:
		m.transfer(e)
	case *core.OrderTaken:
		m.order(e)
	case *core.RoundOpened:
		l := m.council(e, e.Job, e.Round, "commit")
		l.int(`,"seats":`, int64(len(e.Seats)))
		l.int(`,"due":`, int64(e.Due))
		m.close()
	case *core.VotesCommitted:
		l := m.council(e, e.Job, e.Round, "commit")
		l.int(`,"votes":`, int64(len(e.Votes)))
		m.close()
	case *core.RevealOpened:
		l := m.council(e, e.Job, e.Round, "reveal")
		l.int(`,"due":`, int64(e.Due))
		m.close()
	case *core.VotesRevealed:
		l := m.council(e, e.Job, e.Round, "reveal")
		l.int(`,"votes":`, int64(len(e.Votes)))
		m.close()
	case *core.VotesAbstained:
		l := m.council(e, e.Job, e.Round, "reveal")
		l.int(`,"votes":`, int64(len(e.Seats)))
		m.close()
	case *core.SeatsReminded:
		l := m.council(e, e.Job, e.Round, e.Phase)
		l.ints(`,"seats":`, e.Seats)
		m.close()
	case *core.SeatEquivocated:
		l := m.council(e, e.Job, e.Round, "commit")
		l.int(`,"seat":`, e.Seat)
		m.close()
	case *core.RoundClosed:
		l := m.council(e, e.Job, e.Round, "closed")
		l.word(`,"outcome":`, e.Outcome)
		l.ints(`,"absent":`, e.Absent)
		m.close()
	case *core.JobsUnattended:
		for _, id := range e.Jobs[:min(len(e.Jobs), maxNamed)] {
			if j := s.Job(id); j != nil {
				m.offer(e, &j.Spec)
			}
		}
	default:
		if r != nil {
			m.job(event, r)
		}
	}
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

func (m *mesh) council(event core.Event, job string, round int64, phase string) *line {
	l := m.open(event, "council.")
	l.within(job)
	l.raw(".")
	l.raw(phase)
	l.int(`","data":{"round":`, round)
	return l
}

// offer calls a job out to the workers that have one of its skills.
func (m *mesh) offer(event core.Event, spec *core.JobSpec) {
	for _, skill := range spec.Skills {
		l := m.open(event, "skill.")
		l.within(skill)
		l.text(`.offers","data":{"job":`, spec.ID)
		l.amount(`,"reward":`, spec.Reward)
		l.amount(`,"energy_budget":`, spec.EnergyBudget)
		l.amount(`,"compute_budget":`, spec.ComputeBudget)
		m.close()
	}
}

// job says an event of a job's life.
func (m *mesh) job(event core.Event, r *tracked) {
	spec := &r.job.Spec
	l := m.open(event, "job.")
	l.within(spec.ID)
	l.raw(".")
	l.raw(event.Name())
	l.text(`","data":{"job":`, spec.ID)
	switch e := event.(type) {
	case *core.JobPosted:
		l.amount(`,"reward":`, spec.Reward)
		if spec.Parent != "" {
			l.text(`,"parent":`, spec.Parent)
		}
	case *core.JobAssigned:
		l.attempt(e.Attempt)
		l.text(`,"worker":`, e.Worker)
	case *core.AttemptStarted:
		l.attempt(e.Attempt)
	case *core.AttemptReleased:
		l.attempt(e.Attempt)
	case *core.AttemptVoided:
		l.attempt(e.Attempt)
		l.text(`,"reason":`, e.Reason)
	case *core.AttemptSubmitted:
		l.attempt(e.Attempt)
		l.digest(`,"digest":`, &e.Digest)
		l.used(e.EnergyUsed, e.ComputeUsed)
	case *core.AttemptDelegated:
		l.attempt(e.Attempt)
		l.used(e.EnergyUsed, e.ComputeUsed)
	case *core.AttemptFailed:
		l.attempt(e.Attempt)
		l.text(`,"reason":`, e.Reason)
	case *core.AttemptRejected:
		l.attempt(e.Attempt)
		l.text(`,"reason":`, plain(e.Reason, maxDetail))
	case *core.ResultHeld:
		l.attempt(e.Attempt)
	case *core.ApprovalAsked:
		l.text(`,"reason":`, e.Reason)
	case *core.ApprovalGiven:
		l.raw(`,"approve":`)
		l.b = strconv.AppendBool(l.b, e.Approve)
	case *core.JobEnding:
		l.word(`,"state":`, string(e.State))
		l.text(`,"reason":`, e.Reason)
	case *core.JobEnded:
		l.word(`,"state":`, string(e.State))
		l.text(`,"reason":`, e.Reason)
	}
	m.close()
	if _, ready := event.(*core.JobReady); ready {
		m.offer(event, spec)
	}
}

func (l *line) attempt(n int64) { l.int(`,"attempt":`, n) }

func (m *mesh) order(e *core.OrderTaken) {
	l := m.open(e, `owner.orders","data":{`)
	l.text(`"id":`, e.ID)
	l.raw(`,"accepted":`)
	l.b = strconv.AppendBool(l.b, e.Refusal == "")
	if e.Refusal != "" {
		l.text(`,"refusal":`, e.Refusal)
	}
	m.close()
}

// transfer says what moves. Of very many movements the first are said.
func (m *mesh) transfer(e *core.Transfer) {
	l := m.open(e, `ledger.transfers","data":{`)
	if e.Job != "" {
		l.text(`"job":`, e.Job)
		l.int(`,"attempt":`, e.Attempt)
		l.raw(`,"steps":[`)
		l.steps(e.Steps)
		l.raw("]")
	} else {
		l.int(`"count":`, int64(len(e.Legs)))
		l.raw(`,"legs":[`)
		l.legs(e.Legs[:min(len(e.Legs), maxNamed)])
		l.raw("]")
	}
	m.close()
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

func (l *line) legs(legs []core.Leg) {
	for i, leg := range legs {
		if i > 0 {
			l.raw(",")
		}
		l.word(`{"unit":`, leg.Unit.String())
		l.text(`,"debit":`, leg.Debit)
		l.text(`,"credit":`, leg.Credit)
		l.amount(`,"amount":`, leg.Amount)
		l.raw("}")
	}
}
