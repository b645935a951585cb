package inquiry

import (
	"encoding/hex"

	"github.com/omega-run/omega/host/core"
)

// Listed is one job on a roll.
type Listed struct {
	Job      string
	Name     string
	Parent   string
	Needs    []string
	State    core.JobState // of one that is open, the state knows
	Attempts int64
	Worker   string // of the last attempt
	Reward   string
	Reason   string // of its end
	Detail   string
	Result   string // digest of an approved result, hex
}

// Roll lists all jobs, those that have ended too, in post order.
type Roll struct {
	all  []*Listed
	open map[string]*Listed
}

// NewRoll is empty.
func NewRoll() *Roll { return &Roll{open: map[string]*Listed{}} }

// Apply takes the next entry.
func (r *Roll) Apply(e *core.Entry) {
	for _, event := range e.Events {
		switch ev := event.(type) {
		case *core.JobPosted:
			one := &Listed{Job: ev.Spec.ID, Name: nameOf(&ev.Spec), Parent: ev.Spec.Parent, Needs: ev.Spec.Needs, Reward: ev.Spec.Reward.String()}
			r.all = append(r.all, one)
			r.open[one.Job] = one
		case *core.JobAssigned:
			one := r.open[ev.Job]
			one.Attempts, one.Worker = ev.Attempt, ev.Worker
		case *core.AttemptSubmitted:
			r.open[ev.Job].Result = hex.EncodeToString(ev.Digest[:])
		case *core.AttemptRejected:
			r.open[ev.Job].Result = ""
		case *core.JobEnded:
			r.open[ev.Job].State, r.open[ev.Job].Reason, r.open[ev.Job].Detail = ev.State, ev.Reason, ev.Detail
			delete(r.open, ev.Job)
		}
	}
}

// Jobs are all jobs in post order; s is the state after the last entry.
func (r *Roll) Jobs(s *core.State) []*Listed {
	for id, one := range r.open {
		if j := s.Job(id); j != nil {
			one.State, one.Reason, one.Detail = j.State, j.Reason, j.Detail
		}
	}
	return r.all
}
