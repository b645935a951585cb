package inquiry

import (
	"encoding/hex"
	"strings"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// StewardStory is what `omega explain guardian` and `omega explain STRATEGIST`
// write, schema omega.explain.steward/v1.
type StewardStory struct {
	Schema     string       `json:"schema"`
	Mission    string       `json:"mission"`
	Seq        core.Seq     `json:"seq"` // the entry all of this is as of
	At         core.Time    `json:"at"`
	Steward    string       `json:"steward"` // guardian, or the strategist's name
	Kind       string       `json:"kind"`    // guardian, strategist
	Script     ScriptOf     `json:"script"`  // as it is, or last was, in force
	Suspended  *SuspendedOf `json:"suspended"`
	Counts     PlanCount    `json:"counts"`
	Spending   SpendingOf   `json:"spending"`
	Waiting    []*DeedOf    `json:"waiting"` // actions that wait for a person
	LastFaults []*FaultOf   `json:"faults"`  // the last ones, oldest first
	Plans      []*AdviceOf  `json:"plans"`   // the last ones that differ from the one before, oldest first
}

// PlanCount counts what a steward answered, and what came of its actions.
type PlanCount struct {
	Asked     int64 `json:"asked"`
	New       int64 `json:"new"`    // plans that differ from the one before
	Faults    int64 `json:"faults"` // calls without a plan
	Taken     int64 `json:"taken"`  // actions
	Waited    int64 `json:"waited"` // actions put before a person
	Approved  int64 `json:"approved"`
	Denied    int64 `json:"denied"`    // by a policy or a person
	Withdrawn int64 `json:"withdrawn"` // by the steward, before anybody answered
	Refused   int64 `json:"refused"`   // they could not be done
}

// SpendingOf is what went through a steward's account. Amounts are decimal
// texts in whole TOKEN.
type SpendingOf struct {
	Account string `json:"account"`
	Given   string `json:"given"`  // its budget
	Jobs    string `json:"jobs"`   // into escrows and deposits of jobs it posted
	Boosts  string `json:"boosts"` // into the rewards of others
	Back    string `json:"back"`   // out of both
	Free    string `json:"free"`
	Posted  int64  `json:"posted"` // jobs it pays for
}

// AdviceOf is one plan.
type AdviceOf struct {
	Seq        core.Seq  `json:"seq"`
	At         core.Time `json:"at"`
	Script     string    `json:"script"` // digest, hex
	Generation int64     `json:"generation"`
	Headline   string    `json:"headline"`
	Alerts     []AlertOf `json:"alerts"`
	Recommend  []string  `json:"recommend"`
	Actions    []*DeedOf `json:"actions"`
}

// AlertOf is something a steward wants seen.
type AlertOf struct {
	Severity string `json:"severity"` // info, warning, critical
	Text     string `json:"text"`
	Job      string `json:"job,omitempty"`
}

// DeedOf is something a steward wants to do, and what came of it.
type DeedOf struct {
	ID      string    `json:"id,omitempty"` // of one that waits or has waited
	Do      string    `json:"do"`
	About   string    `json:"about,omitempty"`
	Text    string    `json:"text"` // in plain words
	Why     string    `json:"why,omitempty"`
	Outcome string    `json:"outcome"` // taken, waiting, refused, denied, approved, withdrawn
	Reason  string    `json:"reason,omitempty"`
	Since   core.Time `json:"since"` // when it was first asked for
}

const stewardSchema = "omega.explain.steward/v1"

// Stewardship follows the guardian or a strategist through the record.
type Stewardship struct {
	family
	out     StewardStory
	name    string
	account ledger.Name
	known   bool
	plans   recent[*AdviceOf]
	faults  recent[*FaultOf]
	waiting []*DeedOf
	given   ledger.Amount
	jobs    ledger.Amount
	boosts  ledger.Amount
	back    ledger.Amount
}

// NewStewardship begins with a name nothing is known of yet: guardian, a
// strategist's, or strategist.<name>.
func NewStewardship(name string) *Stewardship {
	s := &Stewardship{family: newFamily(""), name: strings.TrimPrefix(name, "strategist.")}
	s.account = ledger.Name{Kind: ledger.KindAccount, Owner: s.name}
	s.out = StewardStory{Schema: stewardSchema, Steward: s.name, Kind: "strategist"}
	if s.name == core.GuardianName {
		s.out.Kind = core.GuardianName
	}
	s.moved, s.boosted = s.pay, s.raise
	return s
}

func (s *Stewardship) script() string {
	if s.out.Kind == core.GuardianName {
		return core.GuardianName
	}
	return "strategist." + s.name
}

// Apply takes the next entry.
func (s *Stewardship) Apply(e *core.Entry) {
	for _, event := range e.Events {
		s.event(e.At, event)
		switch ev := event.(type) {
		case *core.GenerationApplied:
			s.out.Script.InForce = false
			if script := ev.Spec.Script(s.script()); script != nil {
				s.known = true
				if s.out.Script.learn(script, ev.Number) {
					s.out.Suspended = nil
				}
			}
		case *core.Transfer:
			s.endow(ev.Legs)
		case *core.ScriptSuspended:
			if ev.Script == s.script() {
				s.out.Suspended = &SuspendedOf{e.At, ev.Faults, ev.Fault}
			}
		case *core.PlanRecorded:
			if ev.Steward == s.name {
				s.planned(e, ev)
			}
		case *core.ActionApproved:
			s.answered(ev.ID, "approved")
		case *core.ActionDropped:
			s.answered(ev.ID, ev.Reason)
		case *core.JobPosted:
			if s.open[ev.Spec.ID].employer == s.account.String() {
				s.out.Spending.Posted++
			}
		}
	}
	s.entryDone()
}

func (s *Stewardship) planned(e *core.Entry, ev *core.PlanRecorded) {
	c := &s.out.Counts
	s.known = true
	c.Asked++
	if ev.Fault != "" {
		c.Faults++
		s.faults.add(&FaultOf{e.Seq, e.At, ev.Fault})
		return
	}
	if ev.Same {
		return
	}
	c.New++
	plan := s.plans.add(&AdviceOf{
		Seq: e.Seq, At: e.At, Script: hex.EncodeToString(ev.Script[:]), Generation: ev.Generation, Headline: ev.Headline,
		Alerts: []AlertOf{}, Recommend: append([]string{}, ev.Recommend...), Actions: []*DeedOf{},
	})
	for _, a := range ev.Alerts {
		plan.Alerts = append(plan.Alerts, AlertOf(a))
	}
	for i := range ev.Actions {
		plan.Actions = append(plan.Actions, s.deed(e.At, &ev.Actions[i]))
	}
}

// deed takes an action of a plan. One that goes on waiting is the same one.
func (s *Stewardship) deed(at core.Time, a *core.PlannedAction) *DeedOf {
	c := &s.out.Counts
	switch a.Outcome {
	case core.OutcomeTaken:
		c.Taken++
	case core.OutcomeRefused:
		c.Refused++
	case core.OutcomeDenied:
		c.Denied++
	case core.OutcomeWaiting:
		for _, d := range s.waiting {
			if d.ID == a.ID {
				return d
			}
		}
		c.Waited++
	}
	d := &DeedOf{ID: a.ID, Do: a.Action.Do, About: a.Action.About(), Text: a.Action.Text(), Why: a.Action.Why, Outcome: a.Outcome, Reason: a.Reason, Since: at}
	if a.Outcome == core.OutcomeWaiting {
		s.waiting = append(s.waiting, d)
	}
	return d
}

func (s *Stewardship) answered(id, outcome string) {
	for i, d := range s.waiting {
		if d.ID != id {
			continue
		}
		d.Outcome = outcome
		switch outcome {
		case "approved":
			s.out.Counts.Approved++
		case "denied":
			s.out.Counts.Denied++
		default:
			s.out.Counts.Withdrawn++
		}
		s.waiting = append(s.waiting[:i], s.waiting[i+1:]...)
		return
	}
}

// endow takes what the account is given and has to give back.
func (s *Stewardship) endow(legs []core.Leg) {
	for _, leg := range legs {
		if leg.Unit != ledger.Token || isBoost(leg) {
			continue
		}
		if leg.Credit == s.account.String() {
			s.given += leg.Amount
		}
		if leg.Debit == s.account.String() {
			s.given -= leg.Amount
		}
	}
}

func (s *Stewardship) pay(m *movement) {
	if m.job.employer != s.account.String() {
		return
	}
	if gets := employerGets(m.kind, m.amount); gets < 0 {
		s.jobs -= gets
	} else {
		s.back += gets
	}
}

func (s *Stewardship) raise(_ *member, _ core.Time, account ledger.Name, amount ledger.Amount) {
	switch {
	case account != s.account:
	case amount < 0:
		s.back -= amount
	default:
		s.boosts += amount
	}
}

// Story is what the steward did as of the last entry applied, nil where the
// name is no steward's; state is the one after it.
func (s *Stewardship) Story(state *core.State) *StewardStory {
	if !s.known {
		return nil
	}
	out := s.out
	out.Mission, out.Seq, out.At = state.Spec().Mission.Name, state.Seq(), state.Now()
	var free ledger.Amount
	if a, ok := state.Ledger().Find(s.account); ok {
		free = state.Ledger().Free(a)
	}
	out.Spending.Account = s.account.String()
	out.Spending.Given, out.Spending.Jobs, out.Spending.Boosts = s.given.String(), s.jobs.String(), s.boosts.String()
	out.Spending.Back, out.Spending.Free = s.back.String(), free.String()
	out.LastFaults, out.Plans, out.Waiting = newest(&s.faults, mostFaults), newest(&s.plans, mostTurns), append([]*DeedOf{}, s.waiting...)
	return &out
}
