package core

import (
	"bytes"
	"iter"
	"slices"

	"github.com/omega-run/omega/host/ledger"
)

// Steward is the guardian or a strategist as far as the mission goes. It is
// asked beside the loop; what it answers is an input.
type Steward struct {
	Name  string
	Seen  Seq           // what it was told of; 0: it has not been asked yet
	Asked Time          // when it answered
	Wake  Time          // when it wants to be asked again though nothing happens; 0: never
	Plan  *PlanRecorded // its last one, without those that said the same; nil: none
	// Memory is canonical JSON that it is given again, nil for none.
	Memory []byte
}

// Proposal is an action that waits for a person.
type Proposal struct {
	PlannedAction
	Steward string
	Since   Time
	denied  bool // it is kept while the guardian goes on asking for it
}

// Bounds of a plan, and of how much may wait.
const (
	MaxAlerts    = 100
	MaxActions   = 100
	MaxPlanText  = 32 << 10  // bytes of all that people read
	MaxMemory    = 4 << 10   // bytes of what a steward remembers
	maxPlanBytes = 128 << 10 // of its actions in the record
	maxRulings   = 1 << 20   // bytes of what policies were given
	MaxProposals = 64
)

// maxIdle bounds how often stewards are asked in a row while nothing else goes
// on: they must not keep each other awake for ever.
const maxIdle = 1000

// Stewards are the guardian, if there is one, and the strategists in the order of
// the file.
func (s *State) Stewards() iter.Seq[*Steward] { return slices.Values(s.stewards) }

// Steward finds a steward by its name, nil if there is none.
func (s *State) Steward(name string) *Steward {
	for _, st := range s.stewards {
		if st.Name == name {
			return st
		}
	}
	return nil
}

// StewardScript is the script of a steward, nil if there is none of that name.
func (s *Spec) StewardScript(name string) *ScriptSpec {
	if name == GuardianName && s.Guardian != nil {
		return &s.Guardian.Script
	}
	if st := s.strategist(name); st != nil {
		return &st.Script
	}
	return nil
}

func (s *Spec) strategist(name string) *StrategistSpec {
	for i := range s.Strategists {
		if s.Strategists[i].Name == name {
			return &s.Strategists[i]
		}
	}
	return nil
}

// Proposals are the actions that wait for a person, in the order in which they
// came.
func (s *State) Proposals() iter.Seq[*Proposal] {
	return func(yield func(*Proposal) bool) {
		for _, p := range s.proposals {
			if !p.denied && !yield(p) {
				return
			}
		}
	}
}

// Proposal finds an action that waits by its id, nil if there is none.
func (s *State) Proposal(id string) *Proposal {
	for p := range s.Proposals() {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// StewardDue is the steward to be asked first, and from when on; false when none
// is. It is no deadline: nothing happens until the host has an answer.
func (s *State) StewardDue() (name string, at Time, ok bool) {
	if len(s.stewards) == 0 || s.status != Running {
		return "", 0, false
	}
	if _, posting := s.ExpandFrom(); posting {
		return "", 0, false
	}
	for _, st := range s.stewards {
		if due, asks := s.dueFor(st); asks && (!ok || due < at) {
			name, at, ok = st.Name, due, true
		}
	}
	return name, at, ok
}

// dueFor is when a steward is to be asked, false while it is pointless.
func (s *State) dueFor(st *Steward) (Time, bool) {
	switch {
	case s.StewardAsked(st.Name) == nil || s.idle >= maxIdle && !s.busy():
		return 0, false
	case st.Name == GuardianName:
		return s.guardianDue(st)
	}
	return s.strategistDue(st)
}

// guardianDue: at the next multiple of its interval, as long as anything else
// goes on.
func (s *State) guardianDue(st *Steward) (Time, bool) {
	every := Time(s.spec.Autonomy.GuardianInterval)
	if every <= 0 || !s.busy() && !s.strategistWaits() && !s.mayStillPost(st) {
		return 0, false
	}
	return st.Asked/every*every + every, true
}

// strategistDue: when something has happened that it was not told of, or its
// wake is over.
func (s *State) strategistDue(st *Steward) (at Time, ok bool) {
	if s.happened > st.Seen {
		if ok = true; st.Seen > 0 {
			at = st.Asked + Time(s.spec.strategist(st.Name).Interval)
		}
	}
	if st.Wake > 0 && (!ok || st.Wake < at) {
		at, ok = st.Wake, true
	}
	return at, ok
}

func (s *State) strategistWaits() bool {
	return slices.ContainsFunc(s.stewards, func(st *Steward) bool {
		if st.Name == GuardianName || s.StewardAsked(st.Name) == nil {
			return false
		}
		_, ok := s.strategistDue(st)
		return ok
	})
}

// mayStillPost reports whether a guardian that has not been told of the end of
// all jobs could post another.
func (s *State) mayStillPost(st *Steward) bool {
	return s.open == 0 && s.happened > st.Seen && slices.Contains(s.spec.Autonomy.May, ActPost) && s.freeIn(st.Name) > 0
}

// busy reports whether work goes on, or something happens to a job by itself.
// Prices that move and skills that are paused are no work: stewards do both.
func (s *State) busy() bool {
	return s.running > 0 || len(s.timers.items)+len(s.retries.items) > 0
}

// attended reports whether a mission without open jobs goes on because somebody
// is still to be asked who may post another.
func (s *State) attended() bool {
	return slices.ContainsFunc(s.stewards, func(st *Steward) bool {
		_, ok := s.dueFor(st)
		return ok && (st.Name != GuardianName || s.mayStillPost(st))
	})
}

// freeIn is what an account has to spend, 0 where nobody has opened it.
func (s *State) freeIn(account string) ledger.Amount {
	if p := s.purseNamed(account); p != nil {
		return s.ledger.Free(p.account)
	}
	return 0
}

// advise takes what a steward has answered: its plan, and what comes of it.
func (s *State) advise(c *Advise) *Refusal {
	st := s.Steward(c.Steward)
	switch {
	case s.status == Paused:
		return refuse(RefusePaused, "")
	case st == nil:
		return refuse(RefuseNotOutstanding, "nobody called "+c.Steward+" is asked")
	case c.Generation != s.generation || !s.speaksFor(st, c.Script):
		return refuse(RefuseNotOutstanding, "its script has been changed meanwhile")
	case c.Seen < st.Seen || c.Seen >= s.seq:
		return refuse(RefuseNotOutstanding, "it was told of another entry")
	}
	if at, ok := s.dueFor(st); !ok || at > s.now || s.status != Running {
		return refuse(RefuseNotOutstanding, "it is not its turn")
	}
	plan := &PlanRecorded{Steward: st.Name, Seen: c.Seen, Script: c.Script, Generation: c.Generation, Fault: c.Fault}
	if plan.Fault == "" {
		plan.Fault = c.unfit()
	}
	if plan.Fault != "" {
		s.emit(plan)
		s.suspendFailing()
		return nil
	}
	for i := range c.Actions {
		if problem := s.unfitAction(&c.Actions[i]); problem != "" {
			return refuse(RefuseRuling, problem)
		}
	}
	if !bytes.Equal(c.Memory, st.Memory) {
		plan.Memory = c.Memory
	}
	plan.Headline, plan.Alerts, plan.Recommend = c.Headline, c.Alerts, c.Recommend
	if st.Name != GuardianName {
		plan.Wake = max(0, min(c.Wake, Duration(maxDuration)))
	}
	plan.Actions = s.judgeActions(st, c.Actions, s.heedAll(c.Actions))
	s.carryOut(st, plan)
	return nil
}

// carryOut records a plan and does what it takes. What the guardian does not ask
// for any more is withdrawn.
func (s *State) carryOut(st *Steward, plan *PlanRecorded) {
	actions, gone := plan.Actions, s.withdrawn(st, plan)
	if st.Plan != nil && !plan.takes() && plan.content() == st.Plan.content() {
		plan.Same, plan.Headline, plan.Alerts, plan.Recommend, plan.Actions = true, "", nil, nil, nil
	}
	s.emit(plan)
	for i := range actions {
		if a := &actions[i]; a.Outcome == OutcomeTaken {
			s.perform(&a.Action, s.actionID(i), st.Name, st.Name)
		}
	}
	for _, id := range gone {
		s.emit(&ActionDropped{ID: id, Reason: reasonWithdrawn})
	}
}

// withdrawn are the guardian's actions that wait and that a plan of it does not
// repeat.
func (s *State) withdrawn(st *Steward, plan *PlanRecorded) (gone []string) {
	for p := range s.Proposals() {
		if p.Steward == st.Name && st.Name == GuardianName && !plan.waitsFor(p.ID) {
			gone = append(gone, p.ID)
		}
	}
	return gone
}

// leaveProposals drops what those have asked for who are no stewards any more.
func (s *State) leaveProposals() {
	for _, p := range slices.Collect(s.Proposals()) {
		if s.Steward(p.Steward) == nil {
			s.emit(&ActionDropped{ID: p.ID, Reason: reasonWithdrawn})
		}
	}
}

func (e *PlanRecorded) waitsFor(id string) bool {
	return slices.ContainsFunc(e.Actions, func(a PlannedAction) bool { return a.ID == id })
}

// takes reports whether an action of the plan is taken.
func (e *PlanRecorded) takes() bool {
	return slices.ContainsFunc(e.Actions, func(a PlannedAction) bool { return a.Outcome == OutcomeTaken })
}

// content is what makes two plans the same.
func (e *PlanRecorded) content() string {
	what := PlanRecorded{Headline: e.Headline, Alerts: e.Alerts, Recommend: e.Recommend, Actions: e.Actions}
	var c Codec
	what.fields(&c)
	return string(c.buf)
}

// StewardAsked is the script that is asked for a steward: its own or, once that is
// suspended, the one that stands in for it; nil where nobody is asked.
func (s *State) StewardAsked(name string) *ScriptSpec {
	script := s.spec.StewardScript(name)
	switch {
	case script == nil || !s.Suspended(scriptOf(name)):
		return script
	case name == GuardianName:
		return s.spec.Guardian.StandIn()
	}
	return nil
}

// speaksFor reports whether an answer comes of the script that is asked.
func (s *State) speaksFor(st *Steward, script Digest) bool {
	asked := s.StewardAsked(st.Name)
	return asked != nil && script == asked.Digest
}

// scriptOf names a steward's script.
func scriptOf(name string) string {
	if name == GuardianName {
		return name
	}
	return "strategist." + name
}

// size is about how many bytes a plan takes in the journal.
func (e *PlanRecorded) size() (n int) {
	const plain = 100
	n = len(e.Headline)
	for i := range e.Alerts {
		n += plain + len(e.Alerts[i].Text)
	}
	for _, text := range e.Recommend {
		n += plain + len(text)
	}
	for i := range e.Actions {
		a := &e.Actions[i]
		n += plain + len(a.Reason) + len(a.Action.content())
	}
	return n
}

// Hook is what policies are asked about before an action is taken, "" where they
// are not.
func (a *Action) Hook() Hook {
	switch a.Do {
	case ActPost:
		return HookPost
	case ActBoost:
		return HookTransfer
	}
	return ""
}

// unfitAction says why an action has to be put before the policies in force, ""
// if it has been.
func (s *State) unfitAction(a *Action) string {
	if hook := a.Hook(); hook != "" {
		return s.UnfitRuling(hook, a.Ruling)
	}
	return ""
}

// heedAll records what policies said of the actions of a plan, in order.
func (s *State) heedAll(actions []Action) (all []said) {
	for i := range actions {
		a := &actions[i]
		ruling, subject := a.Ruling, a.Job
		if a.Hook() == "" {
			ruling = nil
		}
		if a.Do == ActPost && a.Post != nil {
			if subject = a.Post.ID; subject == "" {
				subject = postID(s.actionID(i))
			}
		}
		say, reason := s.heed(a.Hook(), subject, ruling)
		all = append(all, said{say: say, reason: reason})
	}
	return all
}
