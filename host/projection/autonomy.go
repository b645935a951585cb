package projection

import (
	"slices"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// AutonomyPlan is autonomy-plan.json, schema omega.autonomy-plan/v1: what the
// guardian and the strategists have in mind. A mission whose stewards have not
// said anything has none.
type AutonomyPlan struct {
	Schema  string    `json:"schema"`
	Mission string    `json:"mission"`
	Seq     core.Seq  `json:"seq"` // the entry all of this is as of
	At      core.Time `json:"at"`

	Guardian    *PlanOf             `json:"guardian"`    // the plan of record; null before the first
	Strategists List[*PlanOf]       `json:"strategists"` // by name
	Waiting     List[WaitingAction] `json:"waiting"`     // for a person, the longest first
	May         []string            `json:"may"`         // what the guardian does by itself
	Budget      string              `json:"budget"`      // TOKEN it may still spend by itself
	Paused      []PausedSkill       `json:"paused"`
	Suspended   []Suspension        `json:"suspended"`
}

// WaitingAction is an action that waits for a person.
type WaitingAction struct {
	ID      string    `json:"id"` // <seq>.<n>
	Steward string    `json:"steward"`
	Do      string    `json:"do"`
	About   string    `json:"about,omitempty"` // the job or the skill
	Text    string    `json:"text"`            // in plain words
	Why     string    `json:"why,omitempty"`
	Since   core.Time `json:"since"`
	Approve string    `json:"approve"` // the command that lets it happen
	Deny    string    `json:"deny"`    // the command that drops it
}

// PausedSkill is a skill whose jobs do not start.
type PausedSkill struct {
	Skill string    `json:"skill"`
	Until core.Time `json:"until"`
	By    string    `json:"by"`
}

// Suspension is a script that is not asked any more until an edit changes it.
type Suspension struct {
	Script   string    `json:"script"` // policy.<name>, guardian, strategist.<name>, validator.<name>
	Faults   int64     `json:"faults"` // in a row
	Fallback string    `json:"fallback"`
	Fault    string    `json:"fault"` // the last
	Since    core.Time `json:"since"`
	Digest   string    `json:"digest"` // of the version that failed, hex
}

// HeldEdit is an edit that waits for the owner because it takes something away.
type HeldEdit struct {
	Digest   string    `json:"digest"`  // of its sources, hex
	Removes  []string  `json:"removes"` // jobs, the first of them
	Drains   []string  `json:"drains"`  // workers and validators, the first of them
	Total    int64     `json:"total"`   // of both
	Since    core.Time `json:"since"`
	Approved bool      `json:"approved"`
	Command  string    `json:"command"` // that puts it in force
}

// Autonomy is what a glance shows of scripts and of what they want.
type Autonomy struct {
	Headline  string              `json:"headline"` // the guardian's; "" without one
	At        core.Time           `json:"at"`       // when it last said so
	Alerts    []Concern           `json:"alerts"`   // the guardian's, the first of them
	Fault     *FaultOf            `json:"fault"`    // why the guardian has no newer plan
	Waiting   List[WaitingAction] `json:"waiting"`  // for a person, the longest first
	Budget    string              `json:"budget"`   // TOKEN the guardian may still spend by itself
	Paused    []PausedSkill       `json:"paused"`
	Suspended []Suspension        `json:"suspended"`
	Held      *HeldEdit           `json:"held_edit"`
}

// autonomy is what stewards have said and people have answered. What is kept
// here is bounded by what the core allows of each.
type autonomy struct {
	Plans     []*PlanOf       `json:",omitempty"` // the last one of each steward that has said anything, by name
	Waiting   []WaitingAction `json:",omitempty"` // in the order they came
	Paused    []PausedSkill   `json:",omitempty"` // by skill
	Suspended []Suspension    `json:",omitempty"` // in the order they were
	Held      *HeldEdit       `json:",omitempty"`

	insights []*PlanOf // of this entry
}

const (
	planSchema      = "omega.autonomy-plan/v1"
	strategistShare = maxArtifact / 2
	waitingShare    = maxArtifact / 8
	shownAlerts     = 24
	shownScripts    = 64
)

// fold takes an event in; it writes lines of the history as they come.
func (p *Set) fold(s *core.State, event core.Event) {
	a := &p.Autonomy
	switch e := event.(type) {
	case *core.PlanRecorded:
		p.planned(s, e)
	case *core.ActionApproved:
		p.answered(s, event, e.ID, "approved", "")
	case *core.ActionDropped:
		p.answered(s, event, e.ID, plain(e.Reason, maxName), plain(e.Reason, maxName))
	case *core.SkillPaused:
		a.unpause(e.Skill)
		a.Paused = append(a.Paused, PausedSkill{e.Skill, e.Until, e.By})
		slices.SortFunc(a.Paused, func(x, y PausedSkill) int { return compare(x.Skill, y.Skill) })
	case *core.SkillResumed:
		a.unpause(e.Skill)
	case *core.ScriptSuspended:
		a.suspend(s, e)
	case *core.GenerationApplied:
		a.Held = nil
		a.Suspended = slices.DeleteFunc(a.Suspended, func(one Suspension) bool {
			script := e.Spec.Script(one.Script)
			return script == nil || hexOf(script.Digest) != one.Digest
		})
	case *core.EditHeld:
		a.Held = &HeldEdit{
			Digest: hexOf(e.Digest), Removes: fewOf(e.Removes), Drains: fewOf(e.Drains), Total: int64(len(e.Removes) + len(e.Drains)), Since: s.Now(), Command: "omega apply",
		}
	case *core.EditApproved:
		if a.Held != nil && a.Held.Digest == hexOf(e.Digest) {
			a.Held.Approved = true
		}
	}
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func fewOf(names []string) []string {
	return append([]string{}, names[:min(len(names), maxNamed)]...)
}

func (a *autonomy) unpause(skill string) {
	a.Paused = slices.DeleteFunc(a.Paused, func(one PausedSkill) bool { return one.Skill == skill })
}

func (a *autonomy) suspend(s *core.State, e *core.ScriptSuspended) {
	a.Suspended = slices.DeleteFunc(a.Suspended, func(one Suspension) bool { return one.Script == e.Script })
	one := Suspension{Script: e.Script, Faults: e.Faults, Fallback: e.Fallback, Fault: plain(e.Fault, maxSaid), Since: s.Now()}
	if script := s.Spec().Script(e.Script); script != nil {
		one.Digest = hexOf(script.Digest)
	}
	a.Suspended = append(a.Suspended, one)
}

// of is the last plan of a steward.
func (a *autonomy) of(name string) *PlanOf {
	at, found := slices.BinarySearchFunc(a.Plans, name, func(p *PlanOf, name string) int { return compare(p.Steward, name) })
	if !found {
		a.Plans = slices.Insert(a.Plans, at, &PlanOf{Steward: name, Alerts: []Concern{}, Recommend: []string{}, Actions: []ActionOf{}})
	}
	return a.Plans[at]
}

// planned takes a plan. One that failed leaves the last one in place.
func (p *Set) planned(s *core.State, e *core.PlanRecorded) {
	a := &p.Autonomy
	last := a.of(e.Steward)
	if e.Fault != "" {
		last.Fault = &FaultOf{s.Seq(), s.Now(), plain(e.Fault, maxSaid)}
		p.advise(s, &AutonomyLine{Seq: s.Seq(), At: s.Now(), Event: e.Name(), Steward: e.Steward, Script: hexOf(e.Script), Generation: e.Generation, Fault: last.Fault.Text})
		return
	}
	last.Confirmed, last.Fault = s.Now(), nil
	if e.Same {
		return
	}
	before := last.Headline
	*last = PlanOf{
		Steward: e.Steward, Seq: s.Seq(), At: s.Now(), Confirmed: s.Now(), Script: hexOf(e.Script), Generation: e.Generation,
		Headline: plain(e.Headline, maxSaid), Alerts: concerns(e.Alerts), Recommend: saidOf(e.Recommend), Actions: actionsOf(e.Actions),
	}
	for i := range last.Actions {
		if one := &last.Actions[i]; one.Outcome == core.OutcomeWaiting {
			a.wait(s, e.Steward, one)
		}
	}
	p.advise(s, &AutonomyLine{
		Seq: last.Seq, At: last.At, Event: e.Name(), Steward: e.Steward, Script: last.Script, Generation: last.Generation,
		Headline: last.Headline, Alerts: last.Alerts, Recommend: last.Recommend, Actions: last.Actions,
	})
	if len(last.Alerts)+len(last.Actions) > 0 || last.Headline != before {
		a.insights = append(a.insights, last)
	}
}

// wait notes an action that waits for a person, once.
func (a *autonomy) wait(s *core.State, by string, one *ActionOf) {
	if slices.ContainsFunc(a.Waiting, func(w WaitingAction) bool { return w.ID == one.ID }) {
		return
	}
	a.Waiting = append(a.Waiting, WaitingAction{
		ID: one.ID, Steward: by, Do: one.Do, About: one.About, Text: one.Text, Why: one.Why, Since: s.Now(),
		Approve: "omega approve " + one.ID, Deny: "omega deny " + one.ID,
	})
}

// answered takes the end of an action's waiting.
func (p *Set) answered(s *core.State, event core.Event, id, outcome, reason string) {
	a := &p.Autonomy
	at := slices.IndexFunc(a.Waiting, func(w WaitingAction) bool { return w.ID == id })
	if at < 0 {
		return
	}
	one := a.Waiting[at]
	a.Waiting = slices.Delete(a.Waiting, at, at+1)
	for _, plan := range a.Plans {
		for i := range plan.Actions {
			if plan.Actions[i].ID == id {
				plan.Actions[i].Outcome = outcome
			}
		}
	}
	p.advise(s, &AutonomyLine{
		Seq: s.Seq(), At: s.Now(), Event: event.Name(), Steward: one.Steward,
		Actions: []ActionOf{{ID: one.ID, Do: one.Do, About: one.About, Text: one.Text, Why: one.Why, Outcome: outcome, Reason: reason}},
	})
}

func (p *Set) advise(s *core.State, l *AutonomyLine) {
	p.Advice.add(encode(l), s.Spec().Retention.StateHistory)
}

// tellInsights writes what stewards saw, once everything of the entry is
// counted.
func (p *Set) tellInsights(s *core.State) {
	a := &p.Autonomy
	if len(a.insights) == 0 {
		return
	}
	load := p.pressure(s)
	for _, plan := range a.insights {
		p.Insights.add(encode(Insight{
			Seq: plan.Seq, At: plan.At, Steward: plan.Steward, Confidence: load.Confidence().String(), Phase: PhaseOf(load.Confidence()),
			Headline: plan.Headline, Alerts: plan.Alerts, Actions: plan.Actions, Recommend: plan.Recommend,
		}), s.Spec().Retention.StateHistory)
	}
	a.insights = a.insights[:0]
}

// guardian is the plan of record, nil before the first.
func (a *autonomy) guardian() *PlanOf {
	for _, plan := range a.Plans {
		if plan.Steward == core.GuardianName {
			return plan
		}
	}
	return nil
}

func (a *autonomy) waiting(room int) List[WaitingAction] {
	list := newList[WaitingAction](int64(len(a.Waiting)))
	for _, one := range a.Waiting {
		if !list.add(one, &room) {
			break
		}
	}
	return list
}

// autonomyPlan is the artifact, nil where no steward has said anything.
func (p *Set) autonomyPlan(s *core.State) []byte {
	a := &p.Autonomy
	if len(a.Plans) == 0 {
		return nil
	}
	plan := AutonomyPlan{
		Schema: planSchema, Mission: s.Spec().Mission.Name, Seq: s.Seq(), At: s.Now(), Guardian: a.guardian(),
		Waiting: a.waiting(waitingShare), May: append([]string{}, s.Spec().Autonomy.May...), Budget: guardianBudget(s).String(),
		Paused: append([]PausedSkill{}, a.Paused[:min(len(a.Paused), maxItems)]...), Suspended: a.suspended(),
	}
	others := slices.DeleteFunc(slices.Clone(a.Plans), func(one *PlanOf) bool { return one == plan.Guardian })
	room := strategistShare
	plan.Strategists = newList[*PlanOf](int64(len(others)))
	for _, one := range others {
		if !plan.Strategists.add(one, &room) {
			break
		}
	}
	return encode(plan)
}

func (a *autonomy) suspended() []Suspension {
	return append([]Suspension{}, a.Suspended[:min(len(a.Suspended), shownScripts)]...)
}

// guardianBudget is what is left on the guardian's own account.
func guardianBudget(s *core.State) ledger.Amount {
	return balanceOf(s, ledger.Name{Kind: ledger.KindAccount, Owner: core.GuardianName})
}

// glance is what is shown of scripts at a glance, nil where there is nothing to
// show.
func (p *Set) glance(s *core.State, room int) *Autonomy {
	a := &p.Autonomy
	plan := a.guardian()
	if plan == nil && len(a.Waiting)+len(a.Paused)+len(a.Suspended) == 0 && a.Held == nil {
		return nil
	}
	shown := &Autonomy{
		Alerts: []Concern{}, Waiting: a.waiting(room), Budget: guardianBudget(s).String(),
		Paused: append([]PausedSkill{}, a.Paused[:min(len(a.Paused), shownScripts)]...), Suspended: a.suspended(), Held: a.Held,
	}
	if plan != nil {
		shown.Headline, shown.At, shown.Fault = plan.Headline, plan.Confirmed, plan.Fault
		shown.Alerts = append(shown.Alerts, plan.Alerts[:min(len(plan.Alerts), shownAlerts)]...)
	}
	return shown
}
