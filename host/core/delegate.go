package core

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/omega-run/omega/host/council"
	"github.com/omega-run/omega/host/ledger"
)

// Bounds of delegation: how many children one job may have over all attempts,
// and how long an id may become, so that it stays a name of one folder.
const (
	maxChildren = 1000
	maxID       = 200
)

const noChildren = "a delegation without children"

// ChildID names the n-th child of a job, from 1.
func ChildID(parent string, n int) string { return parent + "__" + strconv.Itoa(n) }

// delegate takes an attempt's answer that is no result but children.
func (s *State) delegate(c *Delegate) *Refusal {
	j, refusal := s.attempt(c.Job, c.Attempt, c.Lease)
	if refusal != nil {
		return refusal
	}
	if problem := s.UnfitRuling(HookDelegate, c.Ruling); problem != "" {
		return refuse(RefuseRuling, problem)
	}
	s.heed(HookDelegate, c.Job, c.Ruling)
	held := &ResultHeld{
		Job: c.Job, Attempt: c.Attempt, Children: c.Children,
		EnergyUsed: reported(c.EnergyUsed, j.Spec.EnergyBudget), ComputeUsed: reported(c.ComputeUsed, j.Spec.ComputeBudget),
	}
	if s.status == Paused {
		if len(c.Children) == 0 { // held without, it would be a result
			held.Reason, held.Detail = reasonDelegation, noChildren
		}
		s.emit(held)
		return nil
	}
	s.hand(j, held)
	return nil
}

func reported(used, budget ledger.Amount) ledger.Amount {
	if used == Unreported {
		return budget
	}
	return used
}

// hand posts children and ends the attempt that asks for them: what it used is
// paid, its stake comes back, and it does not count. Children that cannot be
// posted, or that a policy denies, are the attempt's failure.
func (s *State) hand(j *Job, r *ResultHeld) {
	energy, compute, ruled := min(r.EnergyUsed, j.Spec.EnergyBudget), min(r.ComputeUsed, j.Spec.ComputeBudget), j.said
	if ruled != nil && ruled.say == SayDeny {
		s.denied(j, ruled.failed, ruled.reason, energy, compute)
		return
	}
	if problem := s.unfitChildren(j, r.Children); problem != "" {
		s.fail(j, reasonDelegation, problem)
		return
	}
	steps := s.steps(j)
	s.addUsage(steps, j, energy, compute)
	steps.add(StepStakeReturn, 0, j.Stake)
	steps.emit()
	s.emit(&AttemptDelegated{
		Job: j.Spec.ID, Attempt: j.Attempt, EnergyUsed: energy, ComputeUsed: compute,
		OverReported: energy < r.EnergyUsed || compute < r.ComputeUsed,
	})
	if ruled != nil && ruled.say == SayAsk {
		s.emit(&ApprovalAsked{Job: j.Spec.ID, Reason: reasonPolicy, Detail: ruled.reason, Children: r.Children})
		return
	}
	s.postChildren(j, r.Children)
}

func (s *State) postChildren(j *Job, children []JobSpec) {
	for i := range children {
		spec := s.childSpec(j, &children[i])
		s.emit(&JobPosted{Spec: spec, Deposit: s.depositOf(&spec)})
		if escrow := s.escrowFor(&spec); escrow > 0 {
			s.escrow(s.jobs[spec.ID], escrow)
		}
	}
}

// postAsked answers for children that a policy wanted a person to see: they are
// posted, or their attempt is lost after all.
func (s *State) postAsked(j *Job, children []JobSpec, approve bool, why string) {
	if !approve {
		s.lose(j, reasonDenied, council.CutReason(why), 0, 0)
		return
	}
	if problem := s.unfitChildren(j, children); problem != "" {
		s.lose(j, reasonDelegation, problem, 0, 0)
		return
	}
	s.postChildren(j, children)
}

func (s *State) childSpec(j *Job, child *JobSpec) JobSpec {
	spec := *child
	spec.Generation, spec.Block, spec.Parent, spec.Employer, spec.Required = s.generation, "", j.Spec.ID, "", false
	if spec.Label == "" {
		spec.Label = j.Name() + strings.TrimPrefix(spec.ID, j.Spec.ID)
	}
	if spec.Label == spec.ID {
		spec.Label = ""
	}
	return spec
}

// unfitChildren says in a sentence why children cannot be posted, "" if they
// can. A need is an earlier child of the same job, so there is no way round.
func (s *State) unfitChildren(j *Job, children []JobSpec) string {
	switch {
	case len(children) == 0:
		return noChildren
	case len(j.Children)+len(children) > maxChildren:
		return fmt.Sprintf("more than %d children", maxChildren)
	case j.Depth+1 > s.spec.Delegation.MaxDepth:
		return fmt.Sprintf("deeper than max_depth, %d", s.spec.Delegation.MaxDepth)
	}
	cost, left, siblings := ledger.Amount(0), s.Grantable(j), map[string]bool{}
	for _, other := range j.Children {
		siblings[other.Spec.ID] = true
	}
	for i := range children {
		child := &children[i]
		if child.ID != ChildID(j.Spec.ID, len(j.Children)+1+i) || len(child.ID) > maxID {
			return "the id " + child.ID + " is not that of a child"
		}
		if problem := s.unfitFor(child, siblings); problem != "" {
			return fmt.Sprintf("child %d: %s", i+1, problem)
		}
		siblings[child.ID] = true
		if cost += s.escrowFor(child) + s.depositOf(child); cost > left { // here: the sum of all might overflow
			return fmt.Sprintf("%d of the children cost %s with fees and deposits, %s is left to spend on them", i+1, cost, left)
		}
	}
	return ""
}

// evolveChild puts a child among its parent's.
func (s *State) evolveChild(j *Job) {
	if j.Parent = s.jobs[j.Spec.Parent]; j.Parent == nil {
		return // both have ended, and it alone is still depended on
	}
	j.Depth = j.Parent.Depth + 1
	j.Parent.Children = append(j.Parent.Children, j)
	if !j.State.Terminal() {
		j.Parent.openKids++
	}
}

// conclude ends a job that is not done, after its children.
func (s *State) conclude(j *Job, state JobState, reason, detail string) {
	if j.openKids > 0 {
		s.emit(&JobEnding{Job: j.Spec.ID, State: state, Reason: reason, Detail: detail})
		return
	}
	s.expireAs(j, state, reason, detail)
}

// endFamilies ends the children of jobs that are ending, the last posted first,
// so that what is left of each returns to its parent before the parent ends.
func (s *State) endFamilies() {
	for s.roomInEntry() {
		j, ok := s.dying.first()
		if !ok {
			return
		}
		if j.openKids == 0 {
			s.expireAs(j, j.ending.State, j.ending.Reason, j.ending.Detail)
			continue
		}
		if j.ending.Reason == reasonDuration || j.ending.Reason == reasonStalled {
			s.runOut(j.lastOpenChild(), j.ending.Reason)
			continue
		}
		s.conclude(j.lastOpenChild(), JobCancelled, reasonParent, "")
	}
}

func (j *Job) lastOpenChild() *Job {
	for i := len(j.Children) - 1; i >= 0; i-- {
		if child := j.Children[i]; !child.State.Terminal() && child.ending == nil {
			return child
		}
	}
	panic("core: a job with open children has none")
}
