package projection

import (
	"slices"

	"github.com/omega-run/omega/host/core"
)

// Conduct is how a worker or a validator has done so far.
type Conduct struct {
	Taken    int64 `json:"taken"`    // attempts, or seats
	Failed   int64 `json:"failed"`   // attempts without a valid result, or rounds in which it was absent
	Rejected int64 `json:"rejected"` // results; of a worker only
	InRow    int64 `json:"in_row"`   // rejections, or absences, since the last time it did well
	Slashed  Sum   `json:"slashed"`  // TOKEN lost
}

// Habits from which on people are told.
const (
	absentInRow   = 3
	rejectedInRow = 3
)

// conducts are those of all workers or of all validators, by id.
type conducts struct {
	Of map[string]*Conduct
	// Habitual is how many have come as far as people are told about.
	Habitual int64
}

func newConducts() conducts { return conducts{Of: map[string]*Conduct{}} }

func (c *conducts) of(id string) *Conduct {
	one := c.Of[id]
	if one == nil {
		one = &Conduct{}
		c.Of[id] = one
	}
	return one
}

func (c *conducts) bad(one *Conduct, limit int64) {
	if one.InRow++; one.InRow == limit {
		c.Habitual++
	}
}

func (c *conducts) good(one *Conduct, limit int64) {
	if one.InRow >= limit {
		c.Habitual--
	}
	one.InRow = 0
}

// watch follows how workers and validators do.
func (p *Set) watch(event core.Event, r *tracked) {
	switch e := event.(type) {
	case *core.JobAssigned:
		r.worker = p.Workers.of(e.Worker)
		r.worker.Taken++
	case *core.AttemptFailed:
		if r.worker != nil {
			r.worker.Failed++
		}
	case *core.AttemptRejected:
		if r.worker != nil {
			r.worker.Rejected++
			p.Workers.bad(r.worker, rejectedInRow)
		}
		r.unseat()
	case *core.RoundOpened:
		p.seat(e, r)
	case *core.RoundClosed:
		p.census.rounds.remove(r)
		p.absent(e, r)
	case *core.JobEnded:
		if r.worker != nil && e.State == core.JobFinalized {
			p.Workers.good(r.worker, rejectedInRow)
		}
	}
}

// seat keeps who sits in a round, as long as the job may move their stakes. A
// repeated round counts its seats on, so that no two transfers have one id.
func (p *Set) seat(e *core.RoundOpened, r *tracked) {
	r.before += int64(len(r.seats))
	r.seats, r.names = slices.Grow(r.seats[:0], len(e.Seats)), append(r.names[:0], e.Seats...)
	for _, id := range e.Seats {
		one := p.Validators.of(id)
		one.Taken++
		r.seats = append(r.seats, one)
	}
	p.census.rounds.push(r)
}

func (r *tracked) unseat() { r.seats, r.names, r.before = r.seats[:0], r.names[:0], 0 }

// absent counts who did not come to a round. A cancelled one counts for nobody.
func (p *Set) absent(e *core.RoundClosed, r *tracked) {
	if e.Outcome == outcomeCancelled {
		return
	}
	for _, seat := range e.Absent {
		if int(seat) < len(r.seats) {
			r.seats[seat].Failed++
			p.Validators.bad(r.seats[seat], absentInRow)
		}
	}
	for i, one := range r.seats {
		if !slices.Contains(e.Absent, int64(i)) {
			p.Validators.good(one, absentInRow)
		}
	}
}

// outcomeCancelled is the outcome of a round whose job ended from outside.
const outcomeCancelled = "cancelled"

// Watchdog is what the mission has reminded others of.
type Watchdog struct {
	Seats      int64       `json:"seats"`      // times a validator was reminded of its seat
	Unattended int64       `json:"unattended"` // times jobs nobody took were called out again
	Last       *Unattended `json:"last"`       // the last of these; null before the first
}

// Unattended are ready jobs that have waited for a worker for long.
type Unattended struct {
	At    core.Time `json:"at"`
	Count int64     `json:"count"`
	Since core.Time `json:"since"` // of the one that waits longest
	Jobs  []string  `json:"jobs"`  // some of them
}

func (w *Watchdog) remind(s *core.State, event core.Event) {
	switch e := event.(type) {
	case *core.SeatsReminded:
		w.Seats += int64(len(e.Seats))
	case *core.JobsUnattended:
		w.Unattended++
		w.Last = &Unattended{s.Now(), e.Count, e.Since, slices.Clone(e.Jobs[:min(len(e.Jobs), maxNamed)])}
	}
}

// maxNamed is how many of many jobs are named.
const maxNamed = 10
