package core

import (
	"github.com/omega-run/omega/host/council"
	"github.com/omega-run/omega/host/ledger"
)

// purse is an employer's account and the jobs that wait for it.
type purse struct {
	name     string
	account  ledger.Account
	unfunded heap[*Job] // posted, waiting for tokens, in post order
}

func (s *State) purseNamed(name string) *purse {
	for _, p := range s.purses {
		if p.name == name {
			return p
		}
	}
	return nil
}

// purseOf is who pays for a job that is nobody's child.
func (s *State) purseOf(spec *JobSpec) *purse {
	if spec.Employer == "" {
		return s.purses[0]
	}
	return s.purseNamed(spec.Employer)
}

// fund escrows posted jobs, in post order, as far as their employers' tokens
// go.
func (s *State) fund() {
	for _, p := range s.purses {
		s.fundFrom(p)
	}
}

func (s *State) fundFrom(p *purse) {
	for s.roomInEntry() {
		j, ok := p.unfunded.first()
		if !ok {
			return
		}
		escrow := s.escrowFor(j.Spec.JobSpec)
		if escrow > s.ledger.Free(p.account) {
			if !s.exhaust(j, "tokens") {
				return
			}
			continue
		}
		s.escrow(j, escrow)
	}
}

// unfunded reports whether a job waits for its employer's tokens.
func (j *Job) unfunded() bool {
	return j.purse != nil && j.State == JobPostedState && !j.Escrowed && j.Spec.Reward > 0
}

// escrowFor is what a job sets aside when it is posted: its reward and the fee.
func (s *State) escrowFor(spec *JobSpec) ledger.Amount {
	return spec.Reward + s.spec.Governance.FeeRatio.Of(spec.Reward)
}

func (s *State) escrow(j *Job, amount ledger.Amount) {
	steps := s.steps(j)
	steps.add(StepEscrow, 0, amount)
	steps.emit()
}

// affordable is what a job's employer can pay for a deposit now. A child is paid
// out of its parent's escrow, where its own part is set apart from its siblings'.
func (s *State) affordable(j *Job) ledger.Amount {
	if j.Parent == nil {
		return s.ledger.Free(j.purse.account)
	}
	left := s.spendable(j.Parent)
	if !j.working {
		left += j.grant
	}
	return left
}

// Grantable is what a job may still spend on children: what is left of its
// reward without the validators' share, and without what its open children may
// still need for deposits. The fee and that share are never available, nor is
// what slashes over its children have brought.
func (s *State) Grantable(j *Job) ledger.Amount { return max(0, s.spendable(j)) }

// spendable is below 0 where children have used more of what was set apart for
// them than is left for all of them.
func (s *State) spendable(j *Job) ledger.Amount {
	left := s.balance(j.escrow) - j.slashes - j.Fee - s.spec.Governance.ValidatorRewardRatio.Of(j.Reward())
	for _, child := range j.Children {
		if !child.State.Terminal() && !child.working {
			left -= child.grant
		}
	}
	return left
}

// exhaust deals with a job that lacks what it needs, as the mission says: it
// reports false where the job waits, and true where the job behind it may be
// looked at.
func (s *State) exhaust(j *Job, lacks string) bool {
	switch s.spec.Mission.OnExhausted {
	case "fail":
		s.end(j, JobFailed, reasonExhausted, lacks)
		return true
	case "ask":
		if !j.patient {
			s.emit(&ApprovalAsked{Job: j.Spec.ID, Reason: reasonExhausted, Detail: lacks})
			return true
		}
	}
	return false
}

// answer takes what a person says about a job that awaits approval. A result
// nobody could decide is paid for or turned down; a job that lacks something
// waits for it or fails; what a policy wanted asked happens or does not.
func (s *State) answer(o *Order) *Refusal {
	j, refusal := s.goesOn(o.Job)
	switch {
	case refusal != nil:
		return refusal
	case j.State != JobAwaiting:
		return refuse(RefuseNotAwaiting, string(j.State))
	case s.halted():
		return refuse(RefuseMissionStopped, string(s.status))
	}
	asked, approve := j.asked, o.Say == Approve
	s.emit(&ApprovalGiven{Job: o.Job, Approve: approve, Reason: o.Reason})
	switch {
	case asked.Reason == reasonUndecided && approve:
		s.approve(j, nil, nil)
	case asked.Reason == reasonUndecided:
		s.turnDown(j, o.Reason)
	case asked.in == JobDelegated:
		s.postAsked(j, asked.Children, approve, o.Reason)
	case asked.Reason == reasonPolicy && !approve:
		s.expireAs(j, JobFailed, reasonDenied, council.CutReason(o.Reason))
	case !approve:
		s.expireAs(j, JobFailed, reasonExhausted, asked.Detail)
	}
	return nil
}

// turnDown rejects a result as the owner says. Only a council slashes.
func (s *State) turnDown(j *Job, why string) {
	steps := s.steps(j)
	steps.add(StepStakeReturn, 0, j.Stake)
	steps.emit()
	retry := s.retryAt(j)
	s.emit(&AttemptRejected{Job: j.Spec.ID, Attempt: j.Attempt, Reason: council.CutReason("denied: " + why), RetryAt: retry})
	if retry == 0 {
		s.end(j, JobFailed, reasonAttempts, "denied")
	}
}
