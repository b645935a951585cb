package core

import (
	"crypto/sha256"
	"strconv"
)

// Work is one thing that should be going on now, outside the core: an attempt
// that should run, an input to be resolved, votes to be given. Nothing but the
// state remembers it.
type Work struct {
	Kind    WorkKind
	Job     *Job
	Attempt int64
	Round   int64
	Lease   Seq
}

// WorkKind says what is asked for.
type WorkKind uint8

// What can be outstanding for a job.
const (
	NoWork WorkKind = iota
	ResolveInput
	RunAttempt
	CommitVotes
	RevealVotes
	AskPolicies // whether the worker may begin
)

// WorkID names the attempt a job is at: <job>/<attempt>.
func (j *Job) WorkID() string { return j.Spec.ID + "/" + strconv.FormatInt(j.Attempt, 10) }

// EndsAt is when simulated work ends, or, in a --ci run, any work: its start
// plus the modelled work at the worker's speed.
func (j *Job) EndsAt() Time {
	return j.StartedAt + Time(int64(j.Spec.Work)*int64(unitSpeed)/int64(j.Worker.pool.speed()))
}

// WorkOf is what should be going on for a job.
func (s *State) WorkOf(j *Job) Work {
	w := Work{Job: j, Attempt: j.Attempt, Lease: j.Lease}
	switch {
	case s.status != Running && s.status != Paused && s.status != Stopping:
		return Work{Job: j}
	case j.State == JobRunning && j.held == nil:
		w.Kind = RunAttempt
		return w
	case s.status == Paused:
	case j.State == JobAssignedState && s.status == Running:
		w.Kind = AskPolicies
		return w
	case j.Spec.Lazy && s.settledInput(j):
		return Work{Kind: ResolveInput, Job: j}
	case j.State == JobCommitting && !j.Round.Closed && j.Round.waitsForHost():
		return Work{Kind: CommitVotes, Job: j, Round: j.Round.Number}
	case j.State == JobRevealing && !j.Round.Closed && j.Round.hidesFromHost():
		return Work{Kind: RevealVotes, Job: j, Round: j.Round.Number}
	}
	return Work{Job: j}
}

// waitsForHost reports whether a seat the host holds has not committed.
func (r *Round) waitsForHost() bool {
	for i := range r.Seats {
		if seat := &r.Seats[i]; !seat.Committed && !seat.Validator.Outside {
			return true
		}
	}
	return false
}

// hidesFromHost reports whether a seat the host holds has not revealed.
func (r *Round) hidesFromHost() bool {
	for i := range r.Seats {
		if seat := &r.Seats[i]; seat.Committed && !seat.Revealed && !seat.Validator.Outside {
			return true
		}
	}
	return false
}

// Outstanding is all that should be going on now, in post order. It looks at
// every open job: it is for the start of a host; afterwards Changed says where
// to look.
func (s *State) Outstanding() (all []Work) {
	for _, j := range s.Jobs() {
		if j.State.Terminal() {
			continue
		}
		if w := s.WorkOf(j); w.Kind != NoWork {
			all = append(all, w)
		}
	}
	return all
}

// ExpandFrom is the declared instance to go on with; false when all have been
// looked at, or nothing is to be posted now.
func (s *State) ExpandFrom() (int64, bool) {
	active := s.status == Running || s.status == Paused || s.status == Stopping
	return s.expanded, active && s.generation > 0 && s.expanded < s.spec.Instances
}

// Changed are the jobs that the last entry has changed.
func (s *State) Changed() []*Job { return s.changed }

func digestOf(b []byte) Digest { return sha256.Sum256(b) }

// VoteID names the votes of a round's host-held seats: <job>/<round>/<phase>.
func VoteID(job string, round int64, phase string) string {
	return job + "/" + strconv.FormatInt(round, 10) + "/" + phase
}
