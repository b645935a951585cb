package inquiry

import (
	"encoding/hex"

	"github.com/omega-run/omega/host/core"
)

// attempted takes an event of the job on its way to a result.
func (s *Story) attempted(e *core.Entry, event core.Event) {
	switch ev := event.(type) {
	case *core.JobReady:
		if ev.Job == s.spec.ID {
			s.state(e.At, core.JobReadyState)
			s.out.ReadyAt = ref(e.At)
		}
	case *core.JobAssigned:
		if ev.Job == s.spec.ID {
			s.state(e.At, core.JobAssignedState)
			s.attempt = s.attempts.add(&AttemptOf{
				Attempt: ev.Attempt, Worker: ev.Worker, AssignedAt: e.At, Outcome: "running", Files: []FileOf{},
				EnergyPrice: ev.EnergyPrice.String(), ComputePrice: ev.ComputePrice.String(),
			})
			s.round = nil
		}
	case *core.AttemptStarted:
		if ev.Job == s.spec.ID {
			s.state(e.At, core.JobRunning)
			s.attempt.StartedAt = ref(e.At)
		}
	case *core.AttemptReleased:
		if ev.Job == s.spec.ID {
			s.attempt.Released++
		}
	case *core.JobResumed:
		if ev.Job == s.spec.ID {
			s.state(e.At, core.JobReadyState)
		}
	case *core.ResultHeld:
		if ev.Job == s.spec.ID {
			s.attempt.Held = true
		}
	default:
		s.delivered(e, event)
	}
}

// delivered takes what an attempt came to.
func (s *Story) delivered(e *core.Entry, event core.Event) {
	switch ev := event.(type) {
	case *core.AttemptSubmitted:
		if ev.Job == s.spec.ID {
			s.submitted(e.At, ev)
		}
	case *core.AttemptDelegated:
		if ev.Job == s.spec.ID {
			s.state(e.At, core.JobDelegated)
			a := s.attempt
			a.OverReported, a.sums.energy, a.sums.compute = ev.OverReported, ev.EnergyUsed, ev.ComputeUsed
			s.endAttempt(e.At, "delegated", "", "")
		}
	case *core.AttemptVoided:
		if ev.Job == s.spec.ID {
			s.state(e.At, core.JobReadyState)
			s.endAttempt(e.At, "void", ev.Reason, "")
		}
	case *core.AttemptFailed:
		if ev.Job == s.spec.ID {
			s.state(e.At, core.JobReadyState)
			a := s.attempt
			a.sums.energy, a.sums.compute = ev.EnergyUsed, ev.ComputeUsed
			s.endAttempt(e.At, "failed", ev.Reason, ev.Detail)
			a.retry(ev.RetryAt)
		}
	case *core.AttemptRejected:
		if ev.Job == s.spec.ID {
			s.state(e.At, core.JobRejected)
			a := s.attempt
			s.endAttempt(e.At, "rejected", ev.Reason, "")
			a.retry(ev.RetryAt)
		}
	}
}

func (a *AttemptOf) retry(at core.Time) {
	if at > 0 {
		a.RetryAt = ref(at)
	}
}

func (s *Story) submitted(at core.Time, ev *core.AttemptSubmitted) {
	s.state(at, core.JobSubmitted)
	a := s.attempt
	a.Outcome, a.Result, a.ResultDigest, a.OverReported = "submitted", ev.Result, hex.EncodeToString(ev.Digest[:]), ev.OverReported
	a.sums.energy, a.sums.compute = ev.EnergyUsed, ev.ComputeUsed
	for _, f := range ev.Files {
		a.Files = append(a.Files, fileOf(f))
	}
}

// endAttempt says how the attempt ended; what moves afterwards still belongs to
// it until the next one is assigned.
func (s *Story) endAttempt(at core.Time, outcome, reason, detail string) {
	a := s.attempt
	a.EndedAt, a.Outcome, a.Reason, a.Detail = ref(at), outcome, reason, detail
	s.attempt = nil
}

func (s *Story) lastAttempt() *AttemptOf {
	if n := len(s.attempts.items); n > 0 {
		return s.attempts.items[n-1]
	}
	return nil
}
