package host

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

const token = ledger.Amount(1_000_000)

// advisedEntries are a mission in which a guardian acts by itself, wants more,
// and is allowed it.
func advisedEntries(t *testing.T) (entries []*core.Entry) {
	var spec core.Spec
	for _, setting := range core.Settings() {
		if setting.Default != "" {
			require.NoError(t, setting.Parse(&spec, setting.Default))
		}
	}
	spec.Mission.Name, spec.Treasury.Tokens, spec.Governance.Committee = "advised", 10_000*token, 0
	spec.Treasury.WorkerEndowment, spec.Treasury.ValidatorEndowment = 100*token, 0
	spec.Workers = []core.WorkerSpec{{Name: "w", Instances: []string{"w_0"}, Skills: []string{"s"}, Slots: 1, Kind: core.Simulated, Simulated: core.SimulatedSpec{Speed: 1_000_000}}}
	spec.Guardian = &core.GuardianSpec{Script: core.ScriptSpec{Path: "g.js", Digest: core.Digest{1}, Fallback: "none"}}
	spec.Accounts = []core.AccountSpec{{Name: core.GuardianName, Tokens: 50 * token}}
	spec.Autonomy.May = []string{core.ActBoost, core.ActExpedite}
	spec.Resources.Energy.Capacity, spec.Instances = 100*token, 3
	state := core.New()
	step := func(at core.Time, c core.Command) {
		e := &core.Entry{Seq: state.Seq() + 1, At: at, Command: c}
		e.Events, e.Refusal = state.Step(&core.Input{At: at, Command: c})
		require.Nil(t, e.Refusal)
		e.Events = slices.Clone(e.Events)
		entries = append(entries, e)
	}
	step(0, &core.Genesis{Mission: "M", OwnerKey: [32]byte{9}, Apply: core.Generation{Entry: "mission.hcl", Spec: spec}})
	expand := &core.Expand{Generation: 1, Next: 3}
	for _, id := range []string{"a", "b", "c"} {
		expand.Jobs = append(expand.Jobs, core.JobSpec{ID: id, Block: id, Generation: 1, Skills: []string{"s"}, Reward: 10 * token, Work: core.Hour})
	}
	step(0, expand)
	step(10_000, &core.Advise{Steward: core.GuardianName, Seen: 2, Script: core.Digest{1}, Generation: 1, Actions: []core.Action{
		{Do: core.ActBoost, Job: "b", Tokens: 20 * token}, {Do: core.ActExpedite, Job: "c"}, {Do: core.ActReprice, Energy: 2 * token},
	}})
	step(11_000, &core.Order{ID: "1", Key: [32]byte{9}, Counter: 1, Say: core.Approve, Job: "3.3"})
	step(12_000, &core.Order{ID: "2", Key: [32]byte{9}, Counter: 2, Say: core.CancelJob, Job: "b"})
	return entries
}

// audited are the problems that an audit of stewards finds.
func audited(entries []*core.Entry) (problems []string) {
	a := &auditor{state: core.New(), boosted: boosts{}}
	for _, e := range entries {
		a.stewards(e)
		a.legs(e)
		a.state.Replay(e)
	}
	for _, p := range a.Problems {
		problems = append(problems, p.Problem)
	}
	return problems
}

func TestAuditOfStewards(t *testing.T) {
	require.Empty(t, audited(advisedEntries(t)))
	for name, forge := range map[string]func(all []*core.Entry) string{
		"an action without its deed": func(all []*core.Entry) string {
			all[2].Events = slices.DeleteFunc(all[2].Events, func(e core.Event) bool { return e.Name() == "job_expedited" })
			return "an action was taken, and this does not follow: job_expedited &{Job:c By:guardian}"
		},
		"a deed without an action": func(all []*core.Entry) string {
			all[2].Events = append(all[2].Events, &core.SkillPaused{Skill: "s", Until: 20_000, By: core.GuardianName})
			return "no plan and nobody's word leads to this: skill_paused &{Skill:s Until:20000 By:guardian}"
		},
		"what it may not do": func(all []*core.Entry) string {
			all[0].Events[1].(*core.GenerationApplied).Spec.Autonomy.May = []string{core.ActExpedite}
			return "guardian does what it may not do by itself: boost"
		},
		"more than it has": func(all []*core.Entry) string {
			plan := all[2].Events[0].(*core.PlanRecorded)
			plan.Actions[0].Action.Tokens = 60 * token
			return "guardian spends 60 out of 50"
		},
		"another script": func(all []*core.Entry) string {
			all[2].Events[0].(*core.PlanRecorded).Script = core.Digest{7}
			return "the plan of guardian comes of a script that is not in force"
		},
		"policies that were not asked": func(all []*core.Entry) string {
			spec := &all[0].Events[1].(*core.GenerationApplied).Spec
			spec.Policies = []core.PolicySpec{{Name: "p", On: []string{string(core.HookTransfer)}}}
			return "guardian does what the policies that are asked have not allowed: boost"
		},
		"what a policy has denied": func(all []*core.Entry) string {
			spec := &all[0].Events[1].(*core.GenerationApplied).Spec
			spec.Policies = []core.PolicySpec{{Name: "p", On: []string{string(core.HookTransfer)}}}
			denied := &core.VerdictGiven{Ruling: core.Ruling{Hook: string(core.HookTransfer), Subject: "b", Say: core.SayDeny}}
			all[2].Events = slices.Insert(all[2].Events, 0, core.Event(denied))
			return "guardian does what the policies that are asked have not allowed: boost"
		},
		"a boost that somebody else pays": func(all []*core.Entry) string {
			for _, event := range all[2].Events {
				if t, ok := event.(*core.Transfer); ok && len(t.Legs) > 0 {
					t.Legs[0].Debit = "account:operator"
				}
			}
			return "the reward of b is raised by 20, and guardian does not pay for it"
		},
		"tokens out of nothing": func(all []*core.Entry) string {
			all[3].Events = append(all[3].Events, &core.Transfer{Legs: []core.Leg{{Unit: ledger.Token, Debit: "minted", Credit: "account:guardian", Amount: token}}})
			return "nothing explains that 1 of TOKEN goes from minted to account:guardian"
		},
		"more back than was given": func(all []*core.Entry) string {
			for _, event := range all[4].Events {
				t, ok := event.(*core.Transfer)
				switch {
				case ok && len(t.Legs) > 0:
					t.Legs[0].Amount += token
				case ok:
					t.Steps[0].Amount -= token
				}
			}
			return "nothing explains that 21 of TOKEN goes from job:b:escrow to account:guardian"
		},
		"nobody was asked": func(all []*core.Entry) string {
			all[2].Command = &core.Tick{}
			return "nobody has asked guardian for a plan"
		},
		"nobody approved": func(all []*core.Entry) string {
			all[3].Command.(*core.Order).Say = core.Deny
			return "nobody has ordered that the action 3.3 is approved"
		},
		"other prices": func(all []*core.Entry) string {
			all[3].Events[1].(*core.Repriced).Energy = 3 * token
			return "no plan and nobody's word leads to this: repriced &{Energy:3 Compute:1 By:guardian}"
		},
	} {
		t.Run(name, func(t *testing.T) {
			all := advisedEntries(t)
			problem := forge(all)
			require.Contains(t, audited(all), problem)
		})
	}
}
