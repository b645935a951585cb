package core

import (
	"fmt"

	"github.com/omega-run/omega/host/ledger"
)

func (s *State) expand(c *Expand) *Refusal {
	if c.Generation != s.generation || c.Next <= s.expanded && c.Problem == "" || c.Next > s.spec.Instances {
		return refuse(RefuseNotOutstanding, "")
	}
	for i := range c.Jobs {
		if !s.known(c.Jobs[i].ID) {
			s.post(&c.Jobs[i])
		}
	}
	s.emit(&JobsExpanded{Generation: s.generation, Next: c.Next})
	return nil
}

func (s *State) post(spec *JobSpec) {
	s.emit(&JobPosted{Spec: *spec})
}

// advance looks whether a posted job has become ready, or never will.
func (s *State) advance(j *Job) {
	if s.canResume(j) {
		s.emit(&JobResumed{Job: j.Spec.ID})
		return
	}
	if j.State != JobPostedState {
		return
	}
	if j.needEnded && !j.Spec.AnyEnd {
		s.end(j, JobSkipped, reasonNeed, "")
		return
	}
	if s.settledInput(j) && !j.Spec.Lazy {
		s.emit(&JobReady{Job: j.Spec.ID})
	}
}

// settledInput reports whether everything a job's input can depend on is final,
// as the job needs it, and its escrow is there.
func (s *State) settledInput(j *Job) bool {
	return j.State == JobPostedState && j.needsLeft == 0 && (j.Spec.AnyEnd || !j.needEnded) && (j.Escrowed || j.Spec.Reward == 0)
}

func (s *State) resolve(c *Resolve) *Refusal {
	j := s.jobs[c.Job]
	switch {
	case j == nil && !s.known(c.Job):
		return refuse(RefuseJobUnknown, c.Job)
	case j == nil || !j.Spec.Lazy || !s.settledInput(j):
		return refuse(RefuseNotOutstanding, c.Job)
	case s.status == Paused:
		return refuse(RefusePaused, "")
	case c.Problem != "":
		s.end(j, JobFailed, reasonInput, c.Problem)
	default:
		s.emit(&JobReady{Job: c.Job, Input: c.Input})
	}
	return nil
}

// goesOn finds a job that has not ended.
func (s *State) goesOn(id string) (*Job, *Refusal) {
	if end := s.ending(id); end != "" {
		return nil, refuse(RefuseJobEnded, string(end))
	}
	if j := s.jobs[id]; j != nil {
		return j, nil
	}
	return nil, refuse(RefuseJobUnknown, id)
}

// attempt finds the running attempt an answer belongs to.
func (s *State) attempt(id string, attempt int64, lease Seq) (*Job, *Refusal) {
	j, refusal := s.goesOn(id)
	switch {
	case refusal != nil:
		return nil, refusal
	case j.State != JobRunning || j.Attempt != attempt:
		return nil, refuse(RefuseAttemptOver, fmt.Sprintf("attempt %d of %s", attempt, id))
	case j.Lease != lease:
		return nil, refuse(RefuseLeaseStale, fmt.Sprintf("token %d, now %d", lease, j.Lease))
	case j.held != nil:
		return nil, refuse(RefuseAttemptOver, "a result is held already")
	}
	return j, nil
}

func (s *State) result(c *Result) *Refusal {
	j, refusal := s.attempt(c.Job, c.Attempt, c.Lease)
	if refusal != nil {
		return refusal
	}
	held := &ResultHeld{
		Job: c.Job, Attempt: c.Attempt, Result: c.Result, Files: c.Files, Judged: c.Judged,
		EnergyUsed: reported(c.EnergyUsed, j.Spec.EnergyBudget), ComputeUsed: reported(c.ComputeUsed, j.Spec.ComputeBudget),
	}
	if s.status == Paused {
		s.emit(held)
		return nil
	}
	s.submit(j, held)
	return nil
}

// submit fixes a result, pays for what it used and hands it to the council or,
// where the council is off, to the host's own judgement.
func (s *State) submit(j *Job, r *ResultHeld) {
	if len(j.Children) == 0 && !hasAll(j.Worker.Spec().Skills, j.Spec.Skills) {
		s.fail(j, reasonUnskilled, "a worker that has only some of the skills must hand work on first: answer with \"children\" instead of \"result\"")
		return
	}
	energy, compute := min(r.EnergyUsed, j.Spec.EnergyBudget), min(r.ComputeUsed, j.Spec.ComputeBudget)
	s.emit(&AttemptSubmitted{
		Job: j.Spec.ID, Attempt: j.Attempt, Result: r.Result, Digest: digestOf(r.Result), EnergyUsed: energy, ComputeUsed: compute,
		OverReported: energy < r.EnergyUsed || compute < r.ComputeUsed, Files: r.Files,
	})
	steps := s.steps(j)
	s.addUsage(steps, j, energy, compute)
	steps.emit()
	if s.spec.Governance.Committee > 0 {
		return
	}
	if r.Judged != nil && !r.Judged.Approve {
		s.reject(j, nil, nil, r.Judged.Reason)
		return
	}
	s.approve(j, nil, nil)
}

// addUsage settles an attempt's deposit and reservations.
func (s *State) addUsage(steps stepList, j *Job, energy, compute ledger.Amount) {
	held := s.balance(j.deposit)
	cost := mustCost(energy, j.EnergyPrice) + mustCost(compute, j.ComputePrice)
	steps.add(StepUsage, 0, cost)
	steps.add(StepDepositReturn, 0, held-cost)
	burn := min(s.usage[0].owed, j.Spec.EnergyBudget)
	steps.add(StepEnergyBurn, 0, burn)
	steps.add(StepEnergyReturn, 0, j.Spec.EnergyBudget-burn)
	burn = min(s.usage[1].owed, j.Spec.ComputeBudget)
	steps.add(StepComputeBurn, 0, burn)
	steps.add(StepComputeReturn, 0, j.Spec.ComputeBudget-burn)
}

// addUnused settles an attempt nobody pays for.
func (s *State) addUnused(steps stepList, j *Job) { s.addUsage(steps, j, 0, 0) }

func (s *State) failure(c *Failure) *Refusal {
	j, refusal := s.attempt(c.Job, c.Attempt, c.Lease)
	if refusal != nil {
		return refusal
	}
	if s.status == Paused {
		s.emit(&ResultHeld{Job: c.Job, Attempt: c.Attempt, Reason: c.Reason, Detail: c.Detail})
		return nil
	}
	s.fail(j, c.Reason, c.Detail)
	return nil
}

// fail ends an attempt without a valid result: it counts, its whole budget is
// paid, its stake comes back whole.
func (s *State) fail(j *Job, reason, detail string) {
	s.failUsing(j, reason, detail, j.Spec.EnergyBudget, j.Spec.ComputeBudget)
}

// failUsing is fail for an attempt whose use is known.
func (s *State) failUsing(j *Job, reason, detail string, energy, compute ledger.Amount) {
	steps := s.steps(j)
	s.addUsage(steps, j, energy, compute)
	steps.add(StepStakeReturn, 0, j.Stake)
	steps.emit()
	s.lose(j, reason, detail, energy, compute)
}

// lose counts an attempt that is settled.
func (s *State) lose(j *Job, reason, detail string, energy, compute ledger.Amount) {
	retry := s.retryAt(j)
	s.emit(&AttemptFailed{Job: j.Spec.ID, Attempt: j.Attempt, Reason: reason, Detail: detail, EnergyUsed: energy, ComputeUsed: compute, RetryAt: retry})
	if retry == 0 {
		s.end(j, JobFailed, reasonAttempts, reason)
	}
}

// retryAt is when the next attempt may start, 0 if none is left: the backoff,
// doubled for every attempt that counted, at most ten minutes.
func (s *State) retryAt(j *Job) Time {
	if j.Failures+1 >= s.spec.Delegation.MaxAttempts {
		return 0
	}
	wait := s.spec.Delegation.RetryBackoff
	for i := int64(0); i < j.Failures && wait < maxBackoff; i++ {
		wait *= 2
	}
	return s.now + Time(max(Millisecond, min(wait, maxBackoff)))
}

const maxBackoff = 10 * Minute

// expire ends a job that ran out of time.
func (s *State) expire(j *Job, reason, detail string) { s.conclude(j, JobExpired, reason, detail) }

// expireAs ends a job that is not done and has no open child.
func (s *State) expireAs(j *Job, state JobState, reason, detail string) {
	energy, compute := s.leave(j)
	s.endAs(&JobEnded{Job: j.Spec.ID, State: state, Reason: reason, Detail: detail, EnergyUsed: energy, ComputeUsed: compute})
}

// leave settles whatever a job has under way without anybody being to blame:
// used resources are paid, stakes come back. It returns what was used.
func (s *State) leave(j *Job) (energy, compute ledger.Amount) {
	steps := s.steps(j)
	switch j.State {
	case JobAssignedState:
		s.addUnused(steps, j)
	case JobRunning:
		energy, compute = j.Spec.EnergyBudget, j.Spec.ComputeBudget
		if j.held != nil && j.held.Reason == "" {
			energy, compute = min(energy, j.held.EnergyUsed), min(compute, j.held.ComputeUsed)
		}
		s.addUsage(steps, j, energy, compute)
	case JobCommitting, JobRevealing:
		s.emit(&RoundClosed{Job: j.Spec.ID, Round: j.Round.Number, Outcome: outcomeCancelled})
		for i := range j.Round.Seats {
			steps.add(StepSeatReturn, i, j.Round.Seats[i].Stake)
		}
	}
	steps.add(StepStakeReturn, 0, j.Stake)
	steps.emit()
	return energy, compute
}

// end gives a job its terminal state: what is left in escrow goes back, and
// jobs that need it learn of it.
func (s *State) end(j *Job, state JobState, reason, detail string) {
	s.endAs(&JobEnded{Job: j.Spec.ID, State: state, Reason: reason, Detail: detail})
}

func (s *State) endAs(ended *JobEnded) {
	j := s.jobs[ended.Job]
	if len(j.boosts) > 0 && ended.State != JobFinalized {
		s.unboost(j)
	}
	steps := s.steps(j)
	steps.add(StepEscrowReturn, 0, s.balance(j.escrow)) // also of a job without reward: slashes over its children are paid to it
	steps.emit()
	s.emit(ended)
}

// proceed lets jobs go on whose needs or escrow have just been met, or that
// never will. A chain of skipped jobs may be as long as the mission: it goes on
// in the next entry.
func (s *State) proceed() {
	for s.roomInEntry() {
		j := s.nextMovable()
		if j == nil {
			return
		}
		s.movable.remove(j)
		s.advance(j)
	}
}

// nextMovable is the first posted job that can go on, nil if none can.
func (s *State) nextMovable() *Job {
	for {
		j, ok := s.movable.first()
		if !ok || s.canMove(j) {
			return j
		}
		s.movable.remove(j)
	}
}

// canResume reports whether a job that has delegated can go on.
func (s *State) canResume(j *Job) bool {
	return j.State == JobDelegated && j.openKids == 0 && j.ending == nil
}

// canMove reports whether advance would do something.
func (s *State) canMove(j *Job) bool {
	return s.canResume(j) || j.State == JobPostedState && (j.needEnded && !j.Spec.AnyEnd || s.settledInput(j) && !j.Spec.Lazy)
}

// endAll ends open jobs in post order, as by cancel, and then the mission. What
// does not fit into this entry is left for the next.
func (s *State) endAll(reason string) {
	for _, j := range s.openJobs() {
		if !s.roomInEntry() {
			return
		}
		if j.State.Terminal() || j.ending != nil { // with its parent
			continue
		}
		s.runOut(j, reason)
		s.endFamilies()
	}
	if s.open == 0 {
		s.emit(&MissionEnded{Reason: reason})
	}
}

// runOut ends a job with its mission, and says what it lacked.
func (s *State) runOut(j *Job, reason string) {
	if reason == reasonStalled && j.State == JobAwaiting && j.asked.Reason == reasonUndecided {
		s.expireAs(j, JobFailed, reasonUndecided, "")
		return
	}
	detail := ""
	if short := s.shortOf(j); short != "" {
		detail = reasonExhausted + ": " + short
	}
	s.expire(j, reason, detail)
}

func (s *State) openJobs() []*Job {
	open := make([]*Job, 0, s.open)
	for _, j := range s.Jobs() {
		if !j.State.Terminal() {
			open = append(open, j)
		}
	}
	return open
}

// shortOf names what a waiting job, or one of the children it waits for, lacks:
// tokens, energy or compute; "" if it waits for something else.
func (s *State) shortOf(j *Job) string {
	switch {
	case j.asked != nil && j.asked.Reason == reasonExhausted:
		return j.asked.Detail
	case j.State == JobPostedState && !j.Escrowed && j.Spec.Reward > 0:
		return "tokens"
	case j.State == JobDelegated:
		return s.shortOfChildren(j)
	case j.State != JobReadyState && j.State != JobRejected || j.RetryAt > s.now:
		return ""
	case j.Spec.EnergyBudget > s.freeOf(0):
		return "energy"
	case j.Spec.ComputeBudget > s.freeOf(1):
		return "compute"
	case s.depositFor(j) > s.affordable(j):
		return "tokens"
	}
	return ""
}

// shortOfChildren is what keeps a job's children from going on.
func (s *State) shortOfChildren(j *Job) string {
	for _, child := range j.Children {
		if child.State.Terminal() {
			continue
		}
		if short := s.shortOf(child); short != "" {
			return short
		}
	}
	return ""
}

func (s *State) cancel(id, reason string) *Refusal {
	j, refusal := s.goesOn(id)
	switch {
	case refusal != nil:
		return refusal
	case j.ending != nil:
		return refuse(RefuseJobEnded, "it is ending")
	}
	s.conclude(j, JobCancelled, reasonOwner, reason)
	return nil
}
