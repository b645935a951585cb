package core

import "github.com/omega-run/omega/host/ledger"

func (s *State) evolveAttempt(event Event) {
	switch e := event.(type) {
	case *JobAssigned:
		j := s.jobs[e.Job]
		j.State, j.Attempt, j.Lease, j.EnergyPrice, j.ComputePrice = JobAssignedState, e.Attempt, s.seq, e.EnergyPrice, e.ComputePrice
		j.RetryAt, j.Undecided = 0, 0
		s.takeWorker(j, s.workers[e.Worker])
		s.asking++
		s.touch(j)
	case *AttemptStarted:
		j := s.jobs[e.Job]
		s.asking--
		j.State, j.StartedAt = JobRunning, s.now
		s.touch(j)
	case *AttemptReleased:
		j := s.jobs[e.Job]
		j.Lease, j.StartedAt = s.seq, s.now
		s.touch(j)
	case *AttemptVoided:
		j := s.jobs[e.Job]
		s.freeWorker(j)
		s.hold(j, nil) // one that asked for children, held over a pause
		j.State = JobReadyState
		s.withhold(j, e.Reason == reasonFault)
		s.touch(j)
	case *AttemptSubmitted:
		s.evolveSubmitted(e)
	case *AttemptDelegated:
		j := s.jobs[e.Job]
		s.freeWorker(j)
		s.hold(j, nil)
		s.consume(e.EnergyUsed, e.ComputeUsed)
		j.State = JobDelegated
		s.touch(j)
	case *AttemptFailed:
		s.consume(e.EnergyUsed, e.ComputeUsed)
		s.evolveLost(e.Job, e.Reason, e.Detail, JobReadyState, e.RetryAt)
	case *AttemptRejected:
		s.evolveLost(e.Job, "rejected", e.Reason, JobRejected, e.RetryAt)
	case *ResultHeld:
		j := s.jobs[e.Job]
		s.hold(j, e)
		s.touch(j)
	}
}

// hold keeps, or lets go of, a result that came during a pause.
func (s *State) hold(j *Job, r *ResultHeld) {
	if j.held != nil {
		s.heldJobs--
	}
	if j.held = r; r != nil {
		s.heldJobs++
	}
}

func (s *State) evolveSubmitted(e *AttemptSubmitted) {
	j := s.jobs[e.Job]
	s.hold(j, nil)
	j.State = JobSubmitted
	j.Answer = &Answer{Result: e.Result, Digest: e.Digest, Files: e.Files, entry: s.seq, prev: s.prev}
	s.endWork(j)
	s.consume(e.EnergyUsed, e.ComputeUsed)
	if s.spec.Governance.Committee > 0 {
		s.undrawn.push(j)
	}
	s.touch(j)
}

func (s *State) consume(energy, compute ledger.Amount) {
	s.usage[0].consumed += energy
	s.usage[1].consumed += compute
}

// evolveLost ends an attempt that counts.
func (s *State) evolveLost(id, reason, detail string, state JobState, retryAt Time) {
	j := s.jobs[id]
	s.freeWorker(j)
	j.Failures++
	j.State, j.Reason, j.Detail, j.RetryAt = state, reason, detail, retryAt
	s.hold(j, nil)
	j.Answer, j.Round = nil, nil
	s.touch(j)
}
