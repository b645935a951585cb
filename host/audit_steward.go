package host

import (
	"fmt"
	"slices"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// stewards checks that what stewards bring about follows from a plan that was
// theirs to make or from what the owner has approved, and from nothing else.
func (a *auditor) stewards(e *core.Entry) {
	var due []string
	for _, event := range e.Events {
		switch event := event.(type) {
		case *core.PlanRecorded:
			due = append(due, a.planned(e, event)...)
		case *core.ActionApproved:
			due = append(due, a.approved(e, event)...)
		case *core.ActionDropped:
			if event.Reason == core.OutcomeDenied && !ordered(e, core.Deny, event.ID) {
				a.problem(e.Seq, "nobody has ordered that the action %s is denied", event.ID)
			}
		default:
			deed := deedOf(e, event)
			i := slices.Index(due, deed)
			switch {
			case deed == "":
			case i < 0:
				a.problem(e.Seq, "no plan and nobody's word leads to this: %s", deed)
			default:
				due = slices.Delete(due, i, i+1)
			}
		}
	}
	for _, deed := range due {
		a.problem(e.Seq, "an action was taken, and this does not follow: %s", deed)
	}
}

// planned checks that a steward may do what it does, and can pay for it; it
// returns what has to follow.
func (a *auditor) planned(e *core.Entry, plan *core.PlanRecorded) (due []string) {
	spec, script := a.state.Spec(), a.state.StewardAsked(plan.Steward)
	switch c, ok := e.Command.(*core.Advise); {
	case !ok || c.Steward != plan.Steward || script == nil:
		a.problem(e.Seq, "nobody has asked %s for a plan", plan.Steward)
		return nil
	case plan.Generation != a.state.Generation() || plan.Script != script.Digest:
		a.problem(e.Seq, "the plan of %s comes of a script that is not in force", plan.Steward)
	}
	spent, given := ledger.Amount(0), verdictsBefore(e, plan)
	for i := range plan.Actions {
		act := &plan.Actions[i]
		say := core.SayAllow
		if hook := act.Action.Hook(); policed(spec, hook) {
			if say = ""; len(given) > 0 && given[0].Hook == string(hook) {
				say, given = given[0].Say, given[1:]
			}
		}
		if act.Outcome != core.OutcomeTaken {
			continue
		}
		if say != core.SayAllow {
			a.problem(e.Seq, "%s does what the policies that are asked have not allowed: %s", plan.Steward, act.Action.Do)
		}
		guardian := plan.Steward == core.GuardianName
		if guardian && !slices.Contains(spec.Autonomy.May, act.Action.Do) || !guardian && act.Action.Do != core.ActPost {
			a.problem(e.Seq, "%s does what it may not do by itself: %s", plan.Steward, act.Action.Do)
		}
		spent += a.costs(&act.Action)
		due = append(due, a.deedsOf(e, &act.Action, fmt.Sprintf("%d.%d", e.Seq, i+1), plan.Steward, plan.Steward)...)
	}
	if free := a.free(plan.Steward); spent > free {
		a.problem(e.Seq, "%s spends %s out of %s", plan.Steward, spent, free)
	}
	return due
}

// verdictsBefore are what policies said of the actions of a plan, in their order.
func verdictsBefore(e *core.Entry, plan *core.PlanRecorded) (given []*core.VerdictGiven) {
	for _, event := range e.Events {
		switch event := event.(type) {
		case *core.VerdictGiven:
			given = append(given, event)
		case *core.PlanRecorded:
			if event == plan {
				return given
			}
		}
	}
	return nil
}

// approved checks that the owner has said so; it returns what has to follow.
func (a *auditor) approved(e *core.Entry, said *core.ActionApproved) []string {
	p := a.state.Proposal(said.ID)
	if p == nil || !ordered(e, core.Approve, said.ID) {
		a.problem(e.Seq, "nobody has ordered that the action %s is approved", said.ID)
		return nil
	}
	payer := p.Steward
	if payer == core.GuardianName {
		payer = a.state.Spec().Mission.Owner
	}
	return a.deedsOf(e, &p.Action, p.ID, p.Steward, payer)
}

// ordered reports whether an entry takes an order about an action, and obeys it.
func ordered(e *core.Entry, say core.OrderKind, id string) bool {
	o, ok := e.Command.(*core.Order)
	return ok && o.Say == say && o.Job == id && obeyed(e)
}

// costs is the least an action takes out of an account.
func (a *auditor) costs(act *core.Action) ledger.Amount {
	switch {
	case act.Do == core.ActBoost:
		return act.Tokens
	case act.Do == core.ActPost && act.Post != nil:
		return act.Post.Reward + a.state.Spec().Governance.FeeRatio.Of(act.Post.Reward)
	}
	return 0
}

func (a *auditor) free(account string) ledger.Amount {
	found, ok := a.state.Ledger().Find(ledger.Name{Kind: ledger.KindAccount, Unit: ledger.Token, Owner: account})
	if !ok {
		return 0
	}
	return a.state.Ledger().Free(found)
}

// deedsOf is what an action leads to, as deedOf spells it.
func (a *auditor) deedsOf(e *core.Entry, act *core.Action, id, by, payer string) []string {
	switch act.Do {
	case core.ActExpedite:
		return []string{spell(&core.JobExpedited{Job: act.Job, By: by})}
	case core.ActBoost:
		return []string{spell(&core.RewardBoosted{Job: act.Job, Tokens: act.Tokens, By: payer})}
	case core.ActPauseSkill:
		return []string{spell(&core.SkillPaused{Skill: act.Skill, Until: e.At + core.Time(act.For), By: by})}
	case core.ActReprice:
		energy, compute := a.state.Prices()
		if act.Energy != 0 {
			energy = act.Energy
		}
		if act.Compute != 0 {
			compute = act.Compute
		}
		return []string{spell(&core.Repriced{Energy: energy, Compute: compute, By: by})}
	case core.ActPost:
		if payer == a.state.Spec().Mission.Owner {
			payer = ""
		}
		return []string{"job posted, paid by account " + payer}
	}
	return []string{"nobody knows what " + act.Do + " leads to"}
}

// deedOf spells what a steward may have brought about, "" for anything else.
func deedOf(e *core.Entry, event core.Event) string {
	switch event := event.(type) {
	case *core.JobExpedited, *core.RewardBoosted, *core.SkillPaused, *core.Repriced:
		return spell(event)
	case *core.JobPosted:
		_, advice := e.Command.(*core.Advise)
		if o, ok := e.Command.(*core.Order); advice || ok && o.Say == core.Approve && event.Spec.Parent == "" {
			return "job posted, paid by account " + event.Spec.Employer
		}
	}
	return ""
}

func spell(event core.Event) string { return fmt.Sprintf("%s %+v", event.Name(), event) }
