package core

import (
	"slices"

	"github.com/omega-run/omega/host/ledger"
)

// notice keeps whether there is something to tell the stewards, and for how long
// nothing but them has moved.
func (s *State) notice(event Event) {
	switch e := event.(type) {
	case *ClockAdvanced, *Checkpointed, *HostStarted, *HostLeft, *PricesSet, *VerdictGiven, *ScriptSuspended:
		return
	case *PlanRecorded:
		s.advised = s.seq
		if s.idle++; !e.takes() {
			return
		}
	case *ActionDropped:
		if s.advised == s.seq { // withdrawn: a plan that takes nothing is no happening
			return
		}
		s.idle = 0
	case *SkillResumed, *JobsUnattended: // stewards and the passing of time bring these about
	default:
		if s.advised != s.seq {
			s.idle = 0
		}
	}
	s.happened = s.seq
}

func (s *State) evolveSteward(event Event) {
	switch e := event.(type) {
	case *PlanRecorded:
		s.evolvePlan(e)
	case *ActionApproved:
		s.dropProposal(func(p *Proposal) bool { return p.ID == e.ID })
	case *ActionDropped:
		s.evolveDropped(e)
	case *JobExpedited:
		j := s.jobs[e.Job]
		j.Expedited = s.seq
		if j.ready >= 0 {
			j.class.ready.put(j)
		}
		s.touch(j)
	case *RewardBoosted:
		s.evolveBoosted(e)
	case *SkillPaused:
		s.pauses = append(s.withoutPause(e.Skill), SkillPause(*e))
		s.pauseClasses()
	case *SkillResumed:
		s.pauses = s.withoutPause(e.Skill)
		s.pauseClasses()
	case *Repriced:
		s.prices, s.priced = [2]ledger.Amount{e.Energy, e.Compute}, s.now
	}
}

func (s *State) withoutPause(skill string) []SkillPause {
	return slices.DeleteFunc(s.pauses, func(p SkillPause) bool { return p.Skill == skill })
}

// pauseClasses tells each set of skills whether one of them is paused.
func (s *State) pauseClasses() {
	for _, c := range s.classes {
		c.paused = s.pausesAny(c.skills)
	}
}

func (s *State) pausesAny(skills []string) bool {
	return len(s.pauses) > 0 && slices.ContainsFunc(skills, func(skill string) bool { return s.pausedUntil(skill) > 0 })
}

func (s *State) evolveBoosted(e *RewardBoosted) {
	j := s.jobs[e.Job]
	s.own(&j.escrow, ledger.KindEscrow, j)
	j.Boosted += e.Tokens
	i := slices.IndexFunc(j.boosts, func(b boost) bool { return b.account == e.By })
	if i < 0 {
		i, j.boosts = len(j.boosts), append(j.boosts, boost{account: e.By})
	}
	j.boosts[i].tokens += e.Tokens
	s.touch(j)
}

// evolvePlan keeps a plan until the next one that says something else.
func (s *State) evolvePlan(e *PlanRecorded) {
	st := s.Steward(e.Steward)
	st.Seen, st.Asked, st.Wake = e.Seen, s.now, 0
	if spec := s.spec.strategist(e.Steward); spec != nil && e.Wake > 0 {
		st.Wake = s.now + Time(max(e.Wake, spec.Interval))
	}
	if spec := s.spec.StewardScript(st.Name); spec != nil && spec.Digest == e.Script {
		s.evolveFault(scriptOf(st.Name), e.Fault)
	}
	if e.Memory != nil {
		st.Memory = e.Memory
	}
	if e.Fault != "" || e.Same {
		return
	}
	st.Plan = e
	s.dropProposal(func(p *Proposal) bool { return p.denied && p.Steward == st.Name && !e.repeats(p) })
	for i := range e.Actions {
		if a := &e.Actions[i]; a.Outcome == OutcomeWaiting && s.Proposal(a.ID) == nil {
			s.proposals = append(s.proposals, &Proposal{PlannedAction: *a, Steward: st.Name, Since: s.now})
		}
	}
}

// repeats reports whether a plan asks again for what was denied.
func (e *PlanRecorded) repeats(p *Proposal) bool {
	return slices.ContainsFunc(e.Actions, func(a PlannedAction) bool { return a.Action.wants() == p.Action.wants() })
}

// evolveDropped forgets an action; one of the guardian that was denied only when
// it no longer asks for it.
func (s *State) evolveDropped(e *ActionDropped) {
	if p := s.Proposal(e.ID); p != nil && p.Steward == GuardianName && e.Reason == OutcomeDenied {
		p.denied = true
		return
	}
	s.dropProposal(func(p *Proposal) bool { return p.ID == e.ID })
}

func (s *State) dropProposal(which func(*Proposal) bool) {
	s.proposals = slices.DeleteFunc(s.proposals, which)
}

// evolveStewards brings them to what a generation declares.
func (s *State) evolveStewards(spec *Spec) {
	var names []string
	if spec.Guardian != nil {
		names = append(names, GuardianName)
	}
	for i := range spec.Strategists {
		names = append(names, spec.Strategists[i].Name)
	}
	var all []*Steward
	for _, name := range names {
		st := s.Steward(name)
		if st == nil {
			st = &Steward{Name: name, Asked: s.now}
		}
		all = append(all, st)
	}
	s.stewards = all
	s.dropProposal(func(p *Proposal) bool { return p.denied && s.Steward(p.Steward) == nil })
}
