package core

import (
	"slices"
	"strings"

	"github.com/omega-run/omega/host/ledger"
)

func (s *State) evolveJob(event Event) {
	switch e := event.(type) {
	case *JobPosted:
		s.evolvePosted(e)
	case *JobReady:
		j := s.jobs[e.Job]
		s.releaseNeeds(j)
		j.State, j.ReadyAt = JobReadyState, s.now
		if e.Input != nil {
			j.Spec.Input = e.Input
		}
		s.touch(j)
	case *JobResumed:
		j := s.jobs[e.Job]
		j.State, j.RetryAt, j.LastWorker = JobReadyState, s.now, ""
		s.touch(j)
	case *ApprovalAsked:
		s.evolveAsked(e)
	case *ApprovalGiven:
		s.evolveAnswered(e)
	case *JobEnding:
		j := s.jobs[e.Job]
		j.ending = e
		s.dying.put(j)
		s.touch(j)
	case *JobEnded:
		s.evolveEnded(e)
	}
}

func (s *State) evolvePosted(e *JobPosted) {
	j := &Job{Spec: s.terms(&e.Spec), State: JobPostedState, Posted: s.seq, grant: e.Deposit, index: int(s.totals.Posted)}
	j.outsideHeaps()
	s.jobs[j.Spec.ID] = j
	s.roster.add(j)
	s.open++
	s.totals.Posted++
	if j.Spec.Parent != "" {
		s.evolveChild(j)
	}
	s.openJob(j)
	s.move(j)
	s.touch(j)
}

func (j *Job) outsideHeaps() {
	j.ready, j.retry, j.moves, j.funds, j.dying, j.timer.at = -1, -1, -1, -1, -1, -1
}

// terms takes a spec apart.
func (s *State) terms(spec *JobSpec) Terms {
	t := Terms{spec.ID, spec.Label, spec.Needs, spec.Input, s.shared}
	if s.shared == nil || !s.shared.alike(spec) {
		common := *spec
		common.ID, common.Label, common.Needs, common.Input = "", "", nil, nil
		t.JobSpec, s.shared = &common, &common
	}
	if len(t.Needs) > 0 && slices.Equal(t.Needs, s.needs) {
		t.Needs = s.needs
	}
	s.needs = t.Needs
	return t
}

// openJob makes what every open job has outside itself: who pays and its
// place among the jobs it needs.
func (s *State) openJob(j *Job) {
	if j.Parent == nil {
		j.purse = s.purseOf(j.Spec.JobSpec)
	}
	j.class = s.classFor(j.Spec.Skills)
	for _, need := range j.Spec.Needs {
		if end := s.ending(need); end != "" {
			j.needEnded = j.needEnded || end != JobFinalized
			if other := s.jobs[need]; other != nil && j.beforeReady() {
				other.wanted++
			}
			continue
		}
		j.needsLeft++
		s.dependents[need] = append(s.dependents[need], j)
	}
}

// releaseNeeds notes that a job goes on, or has ended, without what it needed: it
// may have been the last that asked for a result.
func (s *State) releaseNeeds(j *Job) {
	for _, need := range j.Spec.Needs {
		if other := s.jobs[need]; other != nil && other.State.Terminal() {
			other.wanted--
			s.leaving = append(s.leaving, other)
		}
	}
}

func (s *State) evolveEnded(e *JobEnded) {
	j := s.jobs[e.Job]
	if j.beforeReady() {
		s.releaseNeeds(j)
	}
	s.freeWorker(j)
	s.hold(j, nil)
	s.withhold(j, false)
	j.State, j.Reason, j.Detail, j.Round, j.ending, j.asked, j.ended = e.State, e.Reason, e.Detail, nil, nil, nil, s.seq
	s.dying.remove(j)
	s.consume(e.EnergyUsed, e.ComputeUsed)
	s.open--
	if j.Parent != nil {
		j.Parent.openKids--
		s.move(j.Parent)
		s.touch(j.Parent)
	}
	s.count(j)
	s.ended = append(s.ended, j)
	s.leaving = append(append(s.leaving, j), j.Children...)
	for _, other := range s.dependents[j.Spec.ID] {
		if !other.beforeReady() {
			continue // it has ended meanwhile
		}
		j.wanted++
		other.needsLeft--
		other.needEnded = other.needEnded || e.State != JobFinalized
		s.move(other)
		s.touch(other)
	}
	delete(s.dependents, j.Spec.ID)
	for _, a := range [...]ledger.Account{j.escrow, j.deposit} {
		if a != 0 {
			s.ledger.Close(a)
		}
	}
	s.touch(j)
}

func (s *State) count(j *Job) {
	t := &s.totals
	switch j.State {
	case JobFinalized:
		t.Finalized++
	case JobFailed:
		t.Failed++
	case JobCancelled:
		t.Cancelled++
	case JobExpired:
		t.Expired++
	case JobSkipped:
		t.Skipped++
	}
	if j.Spec.Required && j.State != JobFinalized {
		t.RequiredLost++
		if j.Reason == reasonExhausted || strings.HasPrefix(j.Detail, reasonExhausted) {
			t.ExhaustedLost++
		}
	}
}

func (s *State) evolveAsked(e *ApprovalAsked) {
	j := s.jobs[e.Job]
	if j.State == JobSubmitted {
		s.undrawn.drop(j) // here, not when it comes to the front: a replay has to keep the order too
	}
	j.asked = &asked{ApprovalAsked: *e, at: s.now, in: j.State}
	j.State = JobAwaiting
	s.touch(j)
}

// evolveAnswered puts a job back to where it was asked about. The deadline did
// not run meanwhile.
func (s *State) evolveAnswered(e *ApprovalGiven) {
	j := s.jobs[e.Job]
	j.State = j.asked.in
	j.patient = j.patient || e.Approve && j.asked.Reason == reasonExhausted
	j.cleared = j.cleared || e.Approve && j.asked.Reason == reasonPolicy && j.asked.in != JobDelegated
	if j.State != JobPostedState { // denied, it goes on under the same deadline
		j.ReadyAt += s.now - j.asked.at
	}
	j.asked = nil
	s.move(j)
	s.touch(j)
}
