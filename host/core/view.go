package core

import (
	"fmt"
	"strings"

	"github.com/omega-run/omega/host/council"
	"github.com/omega-run/omega/host/ledger"
)

// What readers of a state may ask beside its accessors. Nothing here writes.

// Clock is mission time as people read it: hours, minutes, seconds.
func (t Time) Clock() string {
	s := int64(t) / int64(Second)
	return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
}

// Index is the job's place in post order, from 0.
func (j *Job) Index() int { return j.index }

// StakesOf is what a worker has free and locked.
func (s *State) StakesOf(w *Worker) (free, locked ledger.Amount) {
	return s.ledger.Free(w.account), s.ledger.Balance(w.stake)
}

// Parties are whom a job's movements concern, by id. They outlive the entry, at
// whose end the job may have lost its worker and its round.
type Parties struct {
	Owner     string      // of the mission
	Employer  ledger.Name // the account that pays
	Job       string
	Worker    string
	Validator string // in the step's seat
}

// EmployerOf is the account that pays for a job.
func (s *JobSpec) EmployerOf(owner string) ledger.Name {
	switch {
	case s.Parent != "":
		return ledger.Name{Kind: ledger.KindEscrow, Unit: ledger.Token, Owner: s.Parent}
	case s.Employer != "":
		owner = s.Employer
	}
	return ledger.Name{Kind: ledger.KindAccount, Unit: ledger.Token, Owner: owner}
}

// Ends names the accounts a step moves an amount between.
func (k StepKind) Ends(p Parties) (debit, credit ledger.Name) {
	rule := &stepRules[k]
	return p.at(rule.debit, rule.Unit), p.at(rule.credit, rule.Unit)
}

func (p *Parties) at(at place, unit ledger.Unit) ledger.Name {
	switch at {
	case atEmployer:
		return p.Employer
	case atOwner:
		return ledger.Name{Kind: ledger.KindAccount, Unit: unit, Owner: p.Owner}
	case atEscrow:
		return ledger.Name{Kind: ledger.KindEscrow, Unit: unit, Owner: p.Job}
	case atDeposit:
		return ledger.Name{Kind: ledger.KindDeposit, Unit: unit, Owner: p.Job}
	case atWorker:
		return ledger.Name{Kind: ledger.KindWorker, Unit: unit, Owner: p.Worker}
	case atWorkerStake:
		return ledger.Name{Kind: ledger.KindWorkerStake, Unit: unit, Owner: p.Worker}
	case atValidator:
		return ledger.Name{Kind: ledger.KindValidator, Unit: unit, Owner: p.Validator}
	case atValidatorStake:
		return ledger.Name{Kind: ledger.KindValidatorStake, Unit: unit, Owner: p.Validator}
	case atResources:
		return ledger.Name{Kind: ledger.KindResources, Unit: unit}
	case atFees:
		return ledger.Name{Kind: ledger.KindFees, Unit: unit}
	case atBurned:
		return ledger.Name{Kind: ledger.KindBurned, Unit: unit}
	case atCapacity:
		return ledger.Name{Kind: ledger.KindCapacity, Unit: unit}
	case atReserved:
		return ledger.Name{Kind: ledger.KindReserved, Unit: unit}
	}
	panic(fmt.Sprintf("core: no name for place %d", at))
}

// Waiting says in plain words why a job does not go on by itself, "" when it
// runs or has ended.
func (s *State) Waiting(j *Job) string {
	switch {
	case j.State.Terminal() || j.State == JobRunning && j.held == nil:
		return ""
	case j.State == JobRunning:
		return "its result is held until the mission resumes"
	case s.status == Paused:
		return "the mission is paused"
	case s.status == Stopping:
		return "the mission is stopping"
	case s.status != Running:
		return "the mission is stopped"
	}
	switch j.State {
	case JobAssignedState:
		return "policies are asked about its worker"
	case JobPostedState:
		return s.waitingToBeReady(j)
	case JobDelegated:
		return s.waitingForChildren(j)
	case JobAwaiting:
		return j.waitingForPerson()
	case JobSubmitted:
		return s.waitingForCommittee()
	case JobCommitting:
		return "validators vote until " + j.Round.Due.Clock()
	case JobRevealing:
		return "validators reveal their votes until " + j.Round.Due.Clock()
	}
	return s.waitingToStart(j)
}

func (s *State) waitingToBeReady(j *Job) string {
	if j.needsLeft > 0 {
		return "needs " + s.openNeeds(j)
	}
	if j.Escrowed || j.Spec.Reward == 0 {
		return "its input is being worked out"
	}
	escrow, free := s.escrowFor(j.Spec.JobSpec), s.affordable(j)
	if escrow <= free {
		return "an earlier job waits for tokens first"
	}
	return short("tokens", escrow, free)
}

func short(what string, needed, free ledger.Amount) string {
	return "needs " + needed.String() + " " + what + ", " + free.String() + " are free"
}

// Of many needs a few are named, and a few dozen looked at to find them.
const (
	namedNeeds = 3
	lookedAt   = 64
)

func (s *State) openNeeds(j *Job) string {
	var names []string
	for _, need := range j.Spec.Needs[:min(len(j.Spec.Needs), lookedAt)] {
		switch other := s.jobs[need]; {
		case len(names) == namedNeeds:
		case other == nil && s.known(need):
		case other == nil:
			names = append(names, need+" (not posted yet)")
		case !other.State.Terminal():
			names = append(names, other.Name())
		}
	}
	more := int(j.needsLeft) - len(names)
	switch {
	case len(names) == 0:
		return fmt.Sprintf("%d jobs to end", more)
	case more > 0:
		return fmt.Sprintf("%s and %d more to end", strings.Join(names, ", "), more)
	}
	return strings.Join(names, ", ") + " to end"
}

func (s *State) waitingForChildren(j *Job) string {
	var names []string
	for _, child := range j.Children {
		if !child.State.Terminal() && len(names) < namedNeeds {
			names = append(names, child.Name())
		}
	}
	if more := int(j.openKids) - len(names); more > 0 {
		return fmt.Sprintf("its children %s and %d more to end", strings.Join(names, ", "), more)
	}
	return "its children " + strings.Join(names, ", ") + " to end"
}

func (j *Job) waitingForPerson() string {
	switch {
	case j.asked.Reason == reasonUndecided:
		return "a person: the council came to no decision" + because(j.notJudged()) + "; approve pays the result, deny asks for another attempt"
	case j.asked.Reason == reasonPolicy && j.asked.in == JobDelegated:
		return "a person: a policy asks about its children" + because(j.asked.Detail) + "; approve posts them, deny asks for another attempt"
	case j.asked.Reason == reasonPolicy:
		return "a person: a policy asks about its worker" + because(j.asked.Detail) + "; approve lets it start, deny ends it"
	}
	return "a person: " + j.asked.Detail + " ran out; approve lets it wait, deny ends it"
}

// notJudged is why a script validator could not judge in the last round, "" where
// all could.
func (j *Job) notJudged() string {
	if j.Round != nil {
		for i := range j.Round.Seats {
			seat := &j.Round.Seats[i]
			if fault, failed := strings.CutPrefix(seat.Reason, ScriptFailed); failed && seat.Vote == council.Abstain.String() {
				return "validator " + seat.Validator.ID + " could not judge: " + fault
			}
		}
	}
	return ""
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ", " + reason
}

func (s *State) waitingForCommittee() string {
	g, able := &s.spec.Governance, int64(0)
	for _, v := range s.validators {
		if !v.Draining && s.ledger.Free(v.account) >= g.ValidatorStake {
			able++
		}
	}
	if able < g.Committee {
		return fmt.Sprintf("a committee of %d is needed, %d validators can stake %s", g.Committee, able, g.ValidatorStake)
	}
	return "an earlier result is judged first"
}

// waitingToStart asks in the order in which schedule decides.
func (s *State) waitingToStart(j *Job) string {
	spec, limit := &j.Spec, s.spec.Delegation.BackgroundLimit
	deposit, purse := s.depositFor(j), s.affordable(j)
	switch first, ok := j.class.ready.first(); {
	case j.withheld:
		return s.waitingForMend()
	case j.RetryAt > s.now:
		return "tries again at " + j.RetryAt.Clock()
	case j.class.paused:
		skill, until := s.PausedSkill(j)
		return "its skill " + skill + " is paused until " + until.Clock()
	case spec.EnergyBudget > s.usage[0].limit:
		return fmt.Sprintf("needs %s energy, the limit is %s", spec.EnergyBudget, s.usage[0].limit)
	case spec.ComputeBudget > s.usage[1].limit:
		return fmt.Sprintf("needs %s compute, the limit is %s", spec.ComputeBudget, s.usage[1].limit)
	case spec.EnergyBudget > s.freeOf(0):
		return short("energy", spec.EnergyBudget, s.freeOf(0))
	case spec.ComputeBudget > s.freeOf(1):
		return short("compute", spec.ComputeBudget, s.freeOf(1))
	case deposit > purse:
		return short("tokens", deposit, purse)
	case len(j.class.pools)+len(j.class.split) == 0:
		return "no worker has the skills " + strings.Join(spec.Skills, ", ")
	case !j.class.idle():
		return "every worker with the skills " + strings.Join(spec.Skills, ", ") + " is busy"
	case limit > 0 && s.running >= limit:
		return fmt.Sprintf("%d jobs are running, the most at once", s.running)
	case ok && first != j:
		return first.Name() + " comes first"
	case s.choose(j) == nil:
		return "no free worker can stake " + s.stakeFor(j).String()
	}
	return "an earlier job comes first"
}

// waitingForMend names the policies whose failing keeps a job from starting.
func (s *State) waitingForMend() string {
	for i := range s.spec.Policies {
		if f := s.failing("policy." + s.spec.Policies[i].Name); f != nil {
			return fmt.Sprintf("the policy %s could not say whether it may: %s; an edit that mends it puts the job forward again", s.spec.Policies[i].Name, f.Fault)
		}
	}
	return "a policy could not say whether it may; an edit that mends it puts the job forward again"
}
