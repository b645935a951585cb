package core

import (
	"iter"

	"github.com/omega-run/omega/host/ledger"
)

// What scripts are shown of a state. Nothing here looks at all jobs.

// Attempts are how many attempts hold a slot of their worker, and how many jobs
// could be given to one now.
func (s *State) Attempts() (running, waiting int64) { return s.running, int64(s.readyJobs) }

// Price is what a job costs that is posted now: its reward and the fee, and the
// most its attempt would deposit.
func (s *State) Price(spec *JobSpec) (escrow, deposit ledger.Amount) {
	return s.escrowFor(spec), s.depositOf(spec)
}

// StakeFor is what a worker locks for a job.
func (s *State) StakeFor(j *Job) ledger.Amount { return s.stakeFor(j) }

// Purse is what an employer's account has free; false where none is called so.
func (s *State) Purse(name string) (free ledger.Amount, ok bool) {
	p := s.purseNamed(name)
	if p == nil {
		return 0, false
	}
	return s.ledger.Free(p.account), true
}

// Purses are the accounts of employers and what they have free, the owner's
// first.
func (s *State) Purses() iter.Seq2[string, ledger.Amount] {
	return func(yield func(string, ledger.Amount) bool) {
		for _, p := range s.purses {
			if !yield(p.name, s.ledger.Free(p.account)) {
				return
			}
		}
	}
}

// Pledgeable is what a validator has free to stake.
func (s *State) Pledgeable(v *Validator) ledger.Amount { return s.ledger.Free(v.account) }

// DueAt is when a job expires unless its result has come, 0 for never.
func (j *Job) DueAt() Time {
	if j.Spec.Deadline == 0 {
		return 0
	}
	switch j.State {
	case JobReadyState, JobAssignedState, JobRunning, JobRejected, JobDelegated:
		return j.ReadyAt + Time(j.Spec.Deadline)
	}
	return 0
}

// WaitsFrom is when a job could be, or could have been, given to a worker; 0
// where it does not wait for one.
func (j *Job) WaitsFrom() Time {
	if j.State != JobReadyState && j.State != JobRejected {
		return 0
	}
	return max(1, j.waitsSince())
}
