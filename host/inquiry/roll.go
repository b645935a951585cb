package inquiry

import (
	"encoding/hex"

	"github.com/omega-run/omega/host/core"
)

// Listed is one job on a roll.
type Listed struct {
	Job      string
	Name     string
	Title    string
	Parent   string
	Needs    []string
	State    core.JobState // of one that is open, the state knows
	Since    core.Time     // in that state
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
			one := &Listed{Job: ev.Spec.ID, Name: nameOf(&ev.Spec), Title: ev.Spec.Title, Since: e.At, Parent: ev.Spec.Parent, Needs: ev.Spec.Needs, Reward: ev.Spec.Reward.String()}
			r.all = append(r.all, one)
			r.open[one.Job] = one
		case *core.JobAssigned:
			one := r.open[ev.Job]
			one.Attempts, one.Worker, one.Since = ev.Attempt, ev.Worker, e.At
		case *core.AttemptSubmitted:
			r.open[ev.Job].Since = e.At
			r.open[ev.Job].Result = hex.EncodeToString(ev.Digest[:])
		case *core.AttemptRejected:
			r.open[ev.Job].Result, r.open[ev.Job].Since = "", e.At
		case *core.JobEnded:
			one := r.open[ev.Job]
			one.State, one.Since, one.Reason, one.Detail = ev.State, e.At, ev.Reason, ev.Detail
			delete(r.open, ev.Job)
		default:
			if one := r.open[movedOn(event)]; one != nil {
				one.Since = e.At
			}
		}
	}
}

// movedOn is the job that an event brings into another state and that has not
// been told of otherwise, "" where there is none.
func movedOn(event core.Event) string {
	switch ev := event.(type) {
	case *core.JobReady:
		return ev.Job
	case *core.JobResumed:
		return ev.Job
	case *core.AttemptStarted:
		return ev.Job
	case *core.AttemptVoided:
		return ev.Job
	case *core.AttemptFailed:
		return ev.Job
	case *core.AttemptDelegated:
		return ev.Job
	case *core.RoundOpened:
		return ev.Job
	case *core.RevealOpened:
		return ev.Job
	case *core.RoundClosed:
		return ev.Job
	case *core.ApprovalAsked:
		return ev.Job
	case *core.ApprovalGiven:
		return ev.Job
	}
	return ""
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
