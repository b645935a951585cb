package host

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/core"
)

// policedEntries are a mission in which policies allow, deny and want a person
// asked, about assignments and children, and an edit takes a job away.
func policedEntries(t *testing.T) (entries []*core.Entry) {
	var spec core.Spec
	for _, setting := range core.Settings() {
		if setting.Default != "" {
			require.NoError(t, setting.Parse(&spec, setting.Default))
		}
	}
	spec.Mission.Name, spec.Treasury.Tokens, spec.Governance.Committee = "policed", 10_000*token, 0
	spec.Treasury.WorkerEndowment, spec.Treasury.ValidatorEndowment = 100*token, 0
	spec.Workers = []core.WorkerSpec{{Name: "w", Instances: []string{"w_0"}, Skills: []string{"s"}, Slots: 1, Kind: core.Simulated, Simulated: core.SimulatedSpec{Speed: 1_000_000}}}
	spec.Policies = []core.PolicySpec{{Name: "gate", On: []string{"job.assign", "job.delegate"}, Mode: "enforce", Script: core.ScriptSpec{Path: "p.js", Digest: core.Digest{1}, Fallback: "deny"}}}
	spec.Instances = 2
	state := core.New()
	step := func(c core.Command) {
		e := &core.Entry{Seq: state.Seq() + 1, Command: c}
		e.Events, e.Refusal = state.Step(&core.Input{Command: c})
		require.Nil(t, e.Refusal)
		e.Events = slices.Clone(e.Events)
		entries = append(entries, e)
	}
	ruling := func(say string) core.Ruling {
		return core.Ruling{Verdicts: []core.Verdict{{Policy: "gate", Say: say, Script: core.Digest{1}, Generation: 1}}}
	}
	admit := func(say string) {
		j := state.Job("a")
		step(&core.Admit{Job: "a", Attempt: j.Attempt, Lease: j.Lease, Ruling: ruling(say)})
	}
	handOn := func(say string) {
		j, said := state.Job("a"), ruling(say)
		child := core.JobSpec{ID: core.ChildID("a", len(j.Children)+1), Skills: []string{"s"}, Reward: token}
		step(&core.Delegate{Job: "a", Attempt: j.Attempt, Lease: j.Lease, EnergyUsed: core.Unreported, ComputeUsed: core.Unreported, Children: []core.JobSpec{child}, Ruling: &said})
	}
	orders := int64(0)
	order := func(say core.OrderKind, job string, edit core.Digest) {
		orders++
		step(&core.Order{ID: string(rune('0' + orders)), Key: [32]byte{9}, Counter: orders, Body: core.Digest{byte(orders)}, Say: say, Job: job, Edit: edit})
	}
	step(&core.Genesis{Mission: "M", OwnerKey: [32]byte{9}, Apply: core.Generation{Entry: "mission.hcl", Spec: spec}})
	expand := &core.Expand{Generation: 1, Next: 2}
	for _, id := range []string{"a", "b"} {
		expand.Jobs = append(expand.Jobs, core.JobSpec{ID: id, Block: id, Generation: 1, Skills: []string{"s"}, Reward: 10 * token, Work: core.Hour})
	}
	expand.Jobs[0].Priority = core.High
	step(expand)                              // 1
	admit(core.SayAsk)                        // 2: b is assigned
	order(core.Approve, "a", core.Digest{})   // 3
	order(core.CancelJob, "b", core.Digest{}) // 4: a starts
	handOn(core.SayAsk)                       // 5
	order(core.Approve, "a", core.Digest{})   // 6: a__1 is assigned
	edit := core.Generation{Entry: "mission.hcl", Spec: spec, Drains: []string{"w_0"}}
	edit.Spec.Workers = []core.WorkerSpec{spec.Workers[0]}
	edit.Spec.Workers[0].Instances = []string{"w_1"}
	step(&edit)                                        // 7
	order(core.ApplyEdit, "", state.HeldEdit().Digest) // 8
	step(&edit)                                        // 9
	return entries
}

// heardProblems are what an audit of policies finds, up to the first entry that
// cannot be applied.
func heardProblems(entries []*core.Entry) (problems []string, whole bool) {
	defer func() { whole = recover() == nil }()
	a := &auditor{state: core.New(), heard: newHearings()}
	for _, e := range entries {
		a.policies(e)
		for _, p := range a.Problems[len(problems):] {
			problems = append(problems, p.Problem)
		}
		a.state.Replay(e)
	}
	return problems, true
}

func TestAuditOfPolicies(t *testing.T) {
	found, whole := heardProblems(policedEntries(t))
	require.Empty(t, found)
	require.True(t, whole)
	without := func(e *core.Entry, name string) {
		e.Events = slices.DeleteFunc(e.Events, func(event core.Event) bool { return event.Name() == name })
	}
	for name, forge := range map[string]func(all []*core.Entry) string{
		"a start nobody allowed": func(all []*core.Entry) string {
			without(all[3], "approval_given")
			return "a starts, and the policies that are asked have not allowed it"
		},
		"children nobody has seen": func(all []*core.Entry) string {
			without(all[5], "verdict_given")
			return "a hands work on, and the policies that are asked have said nothing"
		},
		"children nobody let through": func(all []*core.Entry) string {
			without(all[6], "approval_given")
			return "a__1 is posted, and nobody has let a post it"
		},
		"another verdict than was said": func(all []*core.Entry) string {
			v := *all[2].Events[0].(*core.VerdictGiven)
			v.Say = core.SayAllow
			all[2].Events[0] = &v
			return "the verdict on job.assign of a is allow, what was said comes to ask"
		},
		"a policy that was not asked": func(all []*core.Entry) string {
			v := *all[2].Events[0].(*core.VerdictGiven)
			v.Verdicts = nil
			all[2].Events[0] = &v
			return "1 policies are asked about job.assign, 0 have said something"
		},
		"denied children": func(all []*core.Entry) string {
			v := *all[5].Events[0].(*core.VerdictGiven)
			v.Say = core.SayDeny
			all[5].Events[0] = &v
			return "a hands work on that a policy has denied"
		},
		"a removal nobody allowed": func(all []*core.Entry) string {
			without(all[8], "edit_approved")
			return "generation 2 takes away what nobody has allowed it to"
		},
		"an edit nobody let through": func(all []*core.Entry) string {
			all[8].Command = &core.Tick{}
			return "nobody has ordered that an edit is let through"
		},
	} {
		t.Run(name, func(t *testing.T) {
			all := policedEntries(t)
			want := forge(all)
			found, _ := heardProblems(all)
			require.True(t, slices.ContainsFunc(found, func(p string) bool { return strings.Contains(p, want) }), "%q is not among %q", want, found)
		})
	}
}
