package core_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
	"github.com/stretchr/testify/require"
)

// stewarded is a mission with a guardian that may do everything, a strategist
// and one worker.
func stewarded() core.Spec {
	s := baseSpec()
	s.Governance.Committee = 0
	s.Workers[0].Instances = []string{"w_0"}
	s.Guardian = &core.GuardianSpec{Script: core.ScriptSpec{Path: "guardian.js", Digest: core.Digest{1}, Fallback: "none"}}
	s.Strategists = []core.StrategistSpec{{Name: "macro", Script: core.ScriptSpec{Path: "macro.js", Digest: core.Digest{2}, Fallback: "none"}, Interval: core.Minute}}
	s.Accounts = []core.AccountSpec{{Name: "guardian", Tokens: 500 * tokens}, {Name: "macro", Tokens: 300 * tokens}}
	s.Autonomy.May = []string{core.ActExpedite, core.ActReprice, core.ActBoost, core.ActPauseSkill, core.ActPost, core.ActSteer}
	return s
}

// advice is an answer that fits what is in force.
func (r *rig) advice(steward string, actions ...core.Action) *core.Advise {
	for i := range actions {
		if hook := map[string]core.Hook{core.ActPost: core.HookPost, core.ActBoost: core.HookTransfer}[actions[i].Do]; actions[i].Ruling == nil && hook != "" {
			actions[i].Ruling = r.ruling(hook, "")
		}
	}
	return &core.Advise{Steward: steward, Seen: r.state.Seq(), Script: r.state.Spec().StewardScript(steward).Digest, Generation: r.state.Generation(), Actions: actions}
}

// spending asks a policy about what stewards post and move.
func spending(s core.Spec) core.Spec {
	s.Policies = []core.PolicySpec{policyNamed("spending", "enforce", core.HookPost, core.HookTransfer)}
	return s
}

// advise has a steward answer, and returns what the record says of it.
func (r *rig) advise(steward string, actions ...core.Action) *core.PlanRecorded {
	r.t.Helper()
	return r.adviseAll(r.advice(steward, actions...))
}

func (r *rig) adviseAll(c *core.Advise) *core.PlanRecorded {
	r.t.Helper()
	r.must(c)
	r.same()
	for _, event := range r.lastEvents() {
		if plan, ok := event.(*core.PlanRecorded); ok {
			return plan
		}
	}
	r.t.Fatal("no plan is on record")
	return nil
}

func (r *rig) lastEvents() []core.Event {
	e, err := core.ParseEntry(r.lines[len(r.lines)-1])
	require.NoError(r.t, err)
	return e.Events
}

func (r *rig) lastNames() (names []string) {
	for _, event := range r.lastEvents() {
		names = append(names, event.Name())
	}
	return names
}

// asked lets time pass to when a steward is to be asked, unless it is.
func (r *rig) asked(steward string) {
	r.t.Helper()
	for range 1000 {
		if r.answer() {
			continue
		}
		name, at, ok := r.state.StewardDue()
		if ok && at <= r.at && name == steward {
			return
		}
		if ok && at <= r.at {
			r.must(r.advice(name))
			continue
		}
		next, busy := r.next()
		require.True(r.t, ok || busy, "%s is never asked", steward)
		if ok && (!busy || at < next) {
			r.at = at
			continue
		}
		r.turn()
	}
	r.t.Fatal("it is never asked: " + steward)
}

// outcomes spells what came of the actions of a plan.
func outcomes(p *core.PlanRecorded) string {
	var all []string
	for _, a := range p.Actions {
		all = append(all, strings.TrimSpace(a.Outcome+" "+a.Reason))
	}
	return strings.Join(all, "; ")
}

func (r *rig) post() {
	r.t.Helper()
	require.True(r.t, r.answer())
}

func TestStewardsAreAskedWhenThereIsSomethingToSay(t *testing.T) {
	r := newRig(t, stewarded(), jobNamed("a"))
	_, _, ok := r.state.StewardDue()
	require.False(t, ok, "the declared jobs are not posted yet")
	r.post()
	name, at, ok := r.state.StewardDue()
	require.True(t, ok)
	require.Equal(t, "macro", name)
	require.Zero(t, at)
	require.NotNil(t, r.step(r.advice("guardian")), "its first multiple has not come")
	r.advise("macro")
	name, at, _ = r.state.StewardDue()
	require.Equal(t, "guardian", name)
	require.Equal(t, core.Time(10*core.Second), at)
	_, deadline := r.state.NextDeadline()
	require.False(t, deadline, "being asked is no deadline")
	r.at = 10 * core.Time(core.Second)
	r.advise("guardian")
	name, at, _ = r.state.StewardDue()
	require.Equal(t, "guardian", name, "the strategist has nothing to be told of")
	require.Equal(t, core.Time(20*core.Second), at)

	require.Empty(t, r.order(core.Pause, ""))
	_, _, ok = r.state.StewardDue()
	require.False(t, ok)
	require.Equal(t, core.RefusePaused, r.step(r.advice("guardian")).Code)
	require.Empty(t, r.order(core.Resume, ""))
	r.at = 15 * core.Time(core.Second)
	for _, wrong := range []func(*core.Advise){
		func(c *core.Advise) {},
		func(c *core.Advise) { c.Steward = "nobody" },
		func(c *core.Advise) { c.Generation++ },
		func(c *core.Advise) { c.Script[0]++ },
		func(c *core.Advise) { c.Seen = 0 },
		func(c *core.Advise) { c.Seen += 5 },
	} {
		c := r.advice("macro")
		if wrong(c); c.Steward != "nobody" && c.Generation == 1 && c.Script == (core.Digest{2}) && c.Seen == r.state.Seq() {
			r.at = 30 * core.Time(core.Second) // an order has happened, but its interval is not over
		}
		refusal := r.step(c)
		require.NotNil(t, refusal)
		require.Equal(t, core.RefuseNotOutstanding, refusal.Code)
	}
}

func TestMissionWaitsForThoseWhoCanPost(t *testing.T) {
	r := newRig(t, stewarded(), jobNamed("a"))
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("a"))
	require.Equal(t, core.Running, r.state.Status())
	r.asked("macro")
	c := r.advice("macro")
	c.Wake = 2 * core.Hour
	r.adviseAll(c)
	r.asked("guardian")
	r.advise("guardian")
	name, at, ok := r.state.StewardDue()
	require.True(t, ok)
	require.Equal(t, "guardian", name, "a strategist has asked for a wake")
	for name == "guardian" {
		r.at = at
		r.must(r.advice(name))
		name, at, _ = r.state.StewardDue()
	}
	r.at = at
	r.same()
	r.advise("macro")
	require.Equal(t, core.Ended, r.state.Status())
	require.Equal(t, "complete", r.state.Reason())
}

func TestStewardsDoNotKeepEachOtherAwake(t *testing.T) {
	for _, stuck := range []bool{false, true} {
		spec := stewarded()
		spec.Delegation.MaxAttempts = 1
		job, rich := jobNamed("a"), jobNamed("rich")
		rich.Employer, rich.Reward = "guardian", 1000*tokens // more than there is
		jobs := []core.JobSpec{job}
		if stuck {
			jobs = append(jobs, rich)
		}
		r := newRig(t, spec, jobs...)
		r.run()
		asked, price := 0, 1
		for name, at, ok := r.state.StewardDue(); ok; name, at, ok = r.state.StewardDue() {
			require.Less(t, asked, 1500)
			r.at = max(r.at, at)
			c := r.advice(name)
			if name == core.GuardianName {
				price = 3 - price
				c.Actions = []core.Action{{Do: core.ActReprice, Energy: tokens * ledger.Amount(price)}}
			} else {
				c.Wake = core.Minute
			}
			r.must(c)
			asked++
		}
		r.same()
		require.Greater(t, asked, 900)
		_, due := r.state.NextDeadline()
		require.False(t, due)
		require.Equal(t, map[bool]core.Status{true: core.Running, false: core.Ended}[stuck], r.state.Status(), "stalled, or complete")
	}
}

func TestOutcomes(t *testing.T) {
	spec := spending(stewarded())
	spec.Autonomy.May = []string{core.ActExpedite, core.ActBoost, core.ActPost}
	spec.Resources.Compute.Capacity = 0
	r := newRig(t, spec, jobNamed("a"), jobNamed("b"), jobNamed("c"))
	r.asked("guardian")
	unasked := r.advice("guardian", core.Action{Do: core.ActBoost, Job: "b", Tokens: 1})
	unasked.Actions[0].Ruling = nil
	require.Equal(t, core.RefuseRuling, r.step(unasked).Code)
	deny, ask := r.ruling(core.HookTransfer, core.SayDeny), r.ruling(core.HookTransfer, core.SayAsk)
	p := r.advise("guardian",
		core.Action{Do: core.ActExpedite, Job: "c", Why: "it is late"},
		core.Action{Do: core.ActExpedite, Job: "c"},
		core.Action{Do: core.ActExpedite, Job: "a"},
		core.Action{Do: core.ActExpedite, Job: "nobody"},
		core.Action{Do: core.ActReprice, Energy: 2 * tokens},
		core.Action{Do: core.ActReprice, Energy: tokens / 100},
		core.Action{Do: core.ActReprice, Compute: 2 * tokens},
		core.Action{Do: core.ActReprice},
		core.Action{Do: core.ActBoost, Job: "b", Tokens: 400 * tokens, Ruling: deny},
		core.Action{Do: core.ActBoost, Job: "b", Tokens: 400 * tokens},
		core.Action{Do: core.ActBoost, Job: "c", Tokens: 101 * tokens},
		core.Action{Do: core.ActBoost, Job: "c", Tokens: 10 * tokens, Ruling: ask},
		core.Action{Do: core.ActBoost, Job: "c", Tokens: -1},
		core.Action{Do: core.ActPauseSkill, Skill: "s", For: core.Hour},
		core.Action{Do: core.ActPauseSkill, Skill: "x", For: core.Hour},
		core.Action{Do: core.ActPauseSkill, Skill: "s", For: 25 * core.Hour},
		core.Action{Do: core.ActPost},
		core.Action{Do: core.ActPost, Post: &core.JobSpec{ID: "a", Skills: []string{"s"}}},
		core.Action{Do: core.ActPost, Post: &core.JobSpec{ID: "Wrong", Skills: []string{"s"}}},
		core.Action{Do: core.ActPost, Post: &core.JobSpec{Skills: []string{"x"}}},
		core.Action{Do: core.ActPost, Post: &core.JobSpec{Skills: []string{"s"}, Reward: 50 * tokens}},
		core.Action{Do: core.ActPost, Post: &core.JobSpec{ID: "after", Skills: []string{"s"}, Reward: 1000 * tokens}},
		core.Action{Do: core.ActSteer, Target: "planet"},
		core.Action{Do: "dance"},
	)
	seq := r.state.Seq()
	want := []string{
		"taken", "refused an earlier action of the plan does the same", "refused a does not wait to start: it is running", `refused there is no job "nobody"`,
		"waiting reprice is not among what it may do by itself", "refused a price of 0.01 for energy is not between 0.35 and 14", "refused the mission has no compute", "refused the prices are that already",
		"denied as planned", "taken", "waiting it costs 101, account guardian has 100 left", "waiting as planned", "refused a boost adds tokens",
		"waiting pause_skill is not among what it may do by itself", `refused no worker has the skill "x", and no job asks for it`, "refused a skill is paused for more than nothing and at most 24h",
		"refused it names no job", "refused there is a job a already", "refused a name is a lower-case letter, then up to 62 lower-case letters, digits or -", "refused no worker has the skills x",
		"taken", "waiting it costs 1050, account guardian has 47.5 left", "refused this version has no simulation to steer", `refused nobody knows how to "dance"`,
	}
	require.Equal(t, strings.Join(want, "\n"), strings.ReplaceAll(outcomes(p), "; ", "\n"))
	require.Equal(t, slices.Repeat([]string{"verdict_given"}, 11), r.lastNames()[:11])
	require.Equal(t, []string{"plan_recorded", "job_expedited", "reward_boosted", "transfer", "job_posted", "transfer", "job_ready"}, r.lastNames()[11:])
	require.NotNil(t, r.state.Job(fmt.Sprintf("post-%d-21", seq)))
	require.Equal(t, "47.5", r.balance("account:guardian"))
	var ids []string
	for p := range r.state.Proposals() {
		ids = append(ids, p.ID)
	}
	require.Equal(t, fmt.Sprintf("%[1]d.5 %[1]d.11 %[1]d.12 %[1]d.14 %[1]d.22", seq), strings.Join(ids, " "))
	require.Equal(t, core.ActBoost, r.state.Proposal(ids[1]).Action.Do)

	// What it repeats keeps its id, what it does not is withdrawn.
	r.asked("guardian")
	p = r.advise("guardian", core.Action{Do: core.ActPauseSkill, Skill: "s", For: core.Hour}, core.Action{Do: core.ActReprice, Energy: 2 * tokens})
	require.Equal(t, []string{ids[3], ids[0]}, []string{p.Actions[0].ID, p.Actions[1].ID})
	require.Equal(t, []string{"plan_recorded", "action_dropped", "action_dropped", "action_dropped"}, r.lastNames())
	r.asked("guardian")
	p = r.advise("guardian", core.Action{Do: core.ActPauseSkill, Skill: "s", For: core.Hour}, core.Action{Do: core.ActReprice, Energy: 2 * tokens})
	require.True(t, p.Same)
	require.Empty(t, p.Actions)

	// The owner decides; what was denied is not asked again as long as it is repeated.
	require.Equal(t, "not_awaiting", r.order(core.Approve, ids[1]))
	require.Empty(t, r.order(core.Deny, ids[3]))
	require.Empty(t, r.order(core.Approve, ids[0]))
	energy, _ := r.state.Prices()
	require.Equal(t, 2*tokens, energy)
	r.same()
	r.asked("guardian")
	p = r.advise("guardian", core.Action{Do: core.ActPauseSkill, Skill: "s", For: core.Hour})
	require.Equal(t, "refused the owner has said no", outcomes(p))
	r.asked("guardian")
	r.advise("guardian")
	r.asked("guardian")
	p = r.advise("guardian", core.Action{Do: core.ActPauseSkill, Skill: "s", For: core.Hour})
	require.Equal(t, "waiting pause_skill is not among what it may do by itself", outcomes(p))
}

func TestStrategistSpendsItsOwn(t *testing.T) {
	r := newRig(t, spending(stewarded()), jobNamed("a"))
	r.post()
	ask := r.ruling(core.HookPost, core.SayAsk)
	p := r.advise("macro",
		core.Action{Do: core.ActBoost, Job: "a", Tokens: tokens},
		core.Action{Do: core.ActPost, Post: &core.JobSpec{ID: "one", Skills: []string{"s"}, Reward: 100 * tokens, Employer: "test", Parent: "a", Block: "a"}},
		core.Action{Do: core.ActPost, Post: &core.JobSpec{ID: "two", Skills: []string{"s"}, Reward: 100 * tokens, Needs: []string{"one"}}},
		core.Action{Do: core.ActPost, Post: &core.JobSpec{ID: "three", Skills: []string{"s"}, Reward: 100 * tokens}},
		core.Action{Do: core.ActPost, Post: &core.JobSpec{ID: "four", Skills: []string{"s"}, Reward: 10 * tokens, Needs: []string{"three"}}},
		core.Action{Do: core.ActPost, Post: &core.JobSpec{ID: "five", Skills: []string{"s"}, Reward: 10 * tokens}, Ruling: ask},
	)
	require.Equal(t, "refused a strategist posts jobs and does nothing else; taken; taken; refused it costs 105, account macro has 90 left; refused it needs three, which is not posted; waiting as planned", outcomes(p))
	require.Equal(t, "macro", r.state.Job("one").Spec.Employer)
	require.Nil(t, r.state.Job("one").Parent)
	require.Equal(t, "90", r.balance("account:macro"))
	id := p.Actions[5].ID
	for r.stateOf("one") != core.JobFinalized {
		r.turn()
	}
	r.asked("macro")
	r.advise("macro")
	require.NotNil(t, r.state.Proposal(id), "a strategist withdraws nothing")
	require.Empty(t, r.order(core.Approve, id))
	require.Equal(t, "79.5", r.balance("account:macro"))
	require.Equal(t, "macro", r.job("five").Spec.Employer)
	r.same()
}

func TestApprovedActionsMustStillFit(t *testing.T) {
	spec := stewarded()
	spec.Autonomy.May = nil
	r := newRig(t, spec, jobNamed("a"), jobNamed("b"))
	r.asked("guardian")
	p := r.advise("guardian",
		core.Action{Do: core.ActBoost, Job: "b", Tokens: 7 * tokens},
		core.Action{Do: core.ActExpedite, Job: "b"},
		core.Action{Do: core.ActPost, Post: &core.JobSpec{Skills: []string{"s"}, Reward: 9 * tokens}})
	before := r.balance("account:" + r.state.Spec().Mission.Owner)
	require.Empty(t, r.order(core.Approve, p.Actions[0].ID))
	require.Equal(t, 107*tokens, r.state.Job("b").Reward())
	require.Equal(t, "500", r.balance("account:guardian"), "the owner pays")
	require.NotEqual(t, before, r.balance("account:"+r.state.Spec().Mission.Owner))
	require.Empty(t, r.order(core.Approve, p.Actions[2].ID))
	posted := r.state.Job("post-" + strings.ReplaceAll(p.Actions[2].ID, ".", "-"))
	require.Empty(t, posted.Spec.Employer)
	for r.stateOf("b") != core.JobRunning {
		r.turn()
	}
	require.Equal(t, "action_unfit", r.order(core.Approve, p.Actions[1].ID))
	require.NotNil(t, r.state.Proposal(p.Actions[1].ID))
	r.same()
}

// TestMemory: what a steward remembers is the state's, and recorded where it
// changes.
func TestMemory(t *testing.T) {
	r := newRig(t, stewarded(), jobNamed("a"))
	r.plan["a"] = []string{"hang"}
	answer := func(memory []byte) *core.PlanRecorded {
		r.asked("guardian")
		c := r.advice("guardian")
		c.Memory = memory
		return r.adviseAll(c)
	}
	require.Equal(t, `{"n":1}`, string(answer([]byte(`{"n":1}`)).Memory))
	require.Nil(t, answer([]byte(`{"n":1}`)).Memory, "it is what it was")
	require.Nil(t, answer(nil).Memory)
	require.Equal(t, `{"n":1}`, string(r.state.Steward("guardian").Memory), "what is left out stays")
	require.Equal(t, "null", string(answer([]byte("null")).Memory))
}

func TestPlansAreBounded(t *testing.T) {
	r := newRig(t, stewarded(), jobNamed("a"))
	r.plan["a"] = []string{"hang"}
	many := func(n int) (all []core.Action) {
		for i := range n {
			all = append(all, core.Action{Do: core.ActExpedite, Job: fmt.Sprint("j", i)})
		}
		return all
	}
	for fault, change := range map[string]func(*core.Advise){
		"101 actions, at most 100 are taken":                           func(c *core.Advise) { c.Actions = many(101) },
		"101 alerts, at most 100 are taken":                            func(c *core.Advise) { c.Alerts = slices.Repeat([]core.Alert{{Severity: "info"}}, 101) },
		"32769 bytes of text, at most 32768 are taken":                 func(c *core.Advise) { c.Headline = strings.Repeat("x", 32769) },
		"memory has 4097 bytes, at most 4096 are kept":                 func(c *core.Advise) { c.Memory = []byte(strings.Repeat("1", core.MaxMemory+1)) },
		`alert 1: severity is "loud"; it is info, warning or critical`: func(c *core.Advise) { c.Alerts = []core.Alert{{Severity: "loud"}} },
		"a text is not UTF-8":                                          func(c *core.Advise) { c.Recommend = []string{"\xff"} },
	} {
		r.asked("guardian")
		c := r.advice("guardian")
		change(c)
		p := r.adviseAll(c)
		require.Equal(t, fault, p.Fault)
		require.Empty(t, p.Headline)
		r.asked("guardian")
		r.advise("guardian") // one that answers is not suspended
	}
	r.asked("guardian")
	var posts []core.Action
	for range 100 {
		posts = append(posts, core.Action{Do: core.ActPost, Post: &core.JobSpec{Skills: []string{"s"}, Reward: 10_000 * tokens}})
	}
	p := r.advise("guardian", posts...)
	require.Equal(t, core.OutcomeWaiting, p.Actions[63].Outcome)
	require.Equal(t, "64 actions wait for a person already", p.Actions[64].Reason)
	id := p.Actions[0].ID
	r.asked("guardian")
	p = r.advise("guardian", posts...)
	require.True(t, p.Same, "equal actions keep their ids")
	require.NotNil(t, r.state.Proposal(id))
}

// boosted runs one job whose reward is raised by the guardian and the owner.
func boosted(t *testing.T, change func(*core.Spec, *rig)) *rig {
	spec := stewarded()
	spec.Guardian.Script.Params = nil
	first := jobNamed("first")
	r := newRig(t, spec, first, jobNamed("a"))
	if change != nil {
		change(&spec, r)
	}
	r.asked("guardian")
	p := r.advise("guardian", core.Action{Do: core.ActBoost, Job: "a", Tokens: 30 * tokens})
	require.Equal(t, "taken", outcomes(p))
	return r
}

func TestBoostIsPaidOut(t *testing.T) {
	r := boosted(t, nil)
	j := r.state.Job("a")
	escrow, _ := r.state.Escrow(j)
	require.Equal(t, 135*tokens, escrow)
	require.Equal(t, 5*tokens, j.Fee)
	before := r.state.Totals().Paid
	for !r.stateOf("a").Terminal() {
		if r.turn(); r.stateOf("a") == core.JobRunning {
			require.Equal(t, 26*tokens, r.state.Job("a").Stake, "20 % of what it is paid now")
		}
	}
	require.Equal(t, core.JobFinalized, r.stateOf("a"))
	paid := r.state.Totals().Paid - before
	require.Equal(t, "227.7", paid.String(), "99 of first, 128.7 of 130")
	require.Equal(t, "470", r.balance("account:guardian"))
	r.same()
}

// A boosted job's validators share a part of all it is paid: 8 % of 130, of the
// worker's slash too.
func TestBoostRaisesWhatValidatorsShare(t *testing.T) {
	for _, does := range []string{"ok", "wrong"} {
		spec := stewarded()
		spec.Governance.Committee, spec.Governance.ApprovalsRequired = 3, 2
		r := newRig(t, spec, jobNamed("first"), jobNamed("a"))
		r.plan["a"] = []string{does}
		r.asked("guardian")
		require.Equal(t, "taken", outcomes(r.advise("guardian", core.Action{Do: core.ActBoost, Job: "a", Tokens: 30 * tokens})))
		for !strings.Contains(r.told("round_closed"), `"job":"a"`) {
			r.turn()
		}
		require.Equal(t, "106.133332", r.balance("validator:rule_0"), "a third of 8 for first, a third of 10.4 for a, %s", does)
		r.same()
	}
}

func TestBoostReturnsToWhoGaveIt(t *testing.T) {
	r := boosted(t, func(_ *core.Spec, r *rig) { r.plan["a"] = []string{"fail", "fail", "fail"} })
	for !r.stateOf("a").Terminal() {
		r.turn()
	}
	require.Equal(t, core.JobFailed, r.stateOf("a"))
	require.Equal(t, "500", r.balance("account:guardian"))
	r.same()
}

func TestBoostRaisesWhatChildrenMayCost(t *testing.T) {
	r := boosted(t, func(_ *core.Spec, r *rig) {
		r.plan["a"] = []string{"kids", "fail", "fail", "fail"}
		r.kids["a"] = []core.JobSpec{{Skills: []string{"s"}, Reward: 110 * tokens}}
	})
	for r.stateOf("a") != core.JobDelegated {
		r.turn()
	}
	require.Contains(t, r.told("job_posted"), `"job":"a__1"`, "110 and a fee of 5.5 are within 130 less the validators' 10.4")
	require.Equal(t, "4.1", r.state.Grantable(r.state.Job("a")).String())
	for !r.stateOf("a").Terminal() {
		r.turn()
	}
	require.Equal(t, core.JobFailed, r.stateOf("a"))
	require.Equal(t, "489.5", r.balance("account:guardian"), "135 less 115.5 are left: all of it goes to the booster, at most what it gave")
	r.same()
}

func TestExpeditedJobsStartFirst(t *testing.T) {
	urgent := jobNamed("urgent")
	urgent.Priority = core.High
	r := newRig(t, stewarded(), jobNamed("a"), jobNamed("b"), jobNamed("c"), jobNamed("d"), urgent)
	r.asked("guardian")
	require.Equal(t, core.JobRunning, r.stateOf("urgent"))
	r.advise("guardian", core.Action{Do: core.ActExpedite, Job: "d"})
	r.asked("guardian")
	r.advise("guardian", core.Action{Do: core.ActExpedite, Job: "c"}, core.Action{Do: core.ActExpedite, Job: "b"}, core.Action{Do: core.ActExpedite, Job: "d"})
	var order []string
	for len(order) < 5 {
		for _, w := range r.state.Outstanding() {
			if id := w.Job.Spec.ID; w.Kind == core.RunAttempt && !slices.Contains(order, id) {
				order = append(order, id)
			}
		}
		r.turn()
	}
	require.Equal(t, []string{"urgent", "d", "b", "c", "a"}, order, "in the order of the entries, within one as they were posted")
}

func TestPausedSkillsStartNothing(t *testing.T) {
	other := jobNamed("other")
	other.Skills = []string{"o"}
	spec := stewarded()
	spec.Workers[0].Skills = []string{"o", "s"}
	r := newRig(t, spec, jobNamed("a"), jobNamed("b"), other)
	r.asked("guardian")
	p := r.advise("guardian", core.Action{Do: core.ActPauseSkill, Skill: "s", For: 10 * core.Minute})
	require.Equal(t, "taken", outcomes(p))
	require.Equal(t, core.JobRunning, r.stateOf("a"), "what runs goes on")
	require.Contains(t, r.state.Waiting(r.state.Job("b")), "its skill s is paused until 00:10:10")
	for r.stateOf("other") != core.JobRunning {
		r.turn()
	}
	require.Equal(t, core.JobReadyState, r.stateOf("b"))
	r.asked("guardian")
	p = r.advise("guardian", core.Action{Do: core.ActPauseSkill, Skill: "s", For: core.Minute})
	require.Equal(t, "refused s is paused until 00:10:10 already", outcomes(p))
	r.asked("guardian")
	p = r.advise("guardian", core.Action{Do: core.ActPauseSkill, Skill: "s", For: 20 * core.Minute})
	require.Equal(t, "taken", outcomes(p))
	until := r.state.Paused()[0].Until
	for r.stateOf("b") != core.JobRunning {
		r.turn()
	}
	require.Equal(t, until, r.at)
	require.Empty(t, r.state.Paused())
	require.NotContains(t, r.told("jobs_unattended"), `"b"`, "somebody attends to it")
	r.same()
}

func TestRuleMovesPricesOnFromWhereTheyWereSet(t *testing.T) {
	spec := stewarded()
	spec.Autonomy.PriceSmoothing = 500_000
	r := newRig(t, spec, jobNamed("a"))
	r.plan["a"] = []string{"hang"}
	r.asked("guardian")
	p := r.advise("guardian", core.Action{Do: core.ActReprice, Energy: 10 * tokens})
	require.Equal(t, "taken", outcomes(p))
	at := r.at
	energy, _ := r.state.Prices()
	require.Equal(t, 10*tokens, energy)
	due, ok := r.state.NextDeadline()
	require.True(t, ok)
	require.Greater(t, due, at, "not at the instant at which it was set")
	r.at = due
	r.must(&core.Tick{})
	energy, _ = r.state.Prices()
	require.Equal(t, "6", energy.String(), "u = 0, target 0.8")
	r.same()
}

func TestEditsTakeStewardsAlong(t *testing.T) {
	spec := stewarded()
	spec.Autonomy.May = nil
	r := newRig(t, spec, jobNamed("a"))
	r.plan["a"] = []string{"hang"}
	r.asked("guardian")
	p := r.advise("guardian", core.Action{Do: core.ActReprice, Energy: 2 * tokens})
	next := *r.state.Spec()
	next.Guardian = nil
	stale := r.advice("macro")
	var keys [][32]byte
	for range next.Eligible() {
		keys = append(keys, [32]byte{1})
	}
	r.must(&core.Generation{Entry: "mission.hcl", Spec: next, Keys: keys})
	require.Contains(t, r.lastNames(), "action_dropped")
	require.Equal(t, "not_awaiting", r.order(core.Approve, p.Actions[0].ID))
	require.Equal(t, core.RefuseNotOutstanding, r.step(stale).Code)
	r.same()
}

func TestStewardsThatKeepFailingAreNotAsked(t *testing.T) {
	r := newRig(t, stewarded(), jobNamed("a"))
	r.plan["a"] = []string{"hang"}
	r.guardianFails()
	name, _, ok := r.state.StewardDue()
	require.False(t, ok && name == "guardian")
}

// guardianFails has the guardian's own script fail until it is suspended.
func (r *rig) guardianFails() {
	r.t.Helper()
	for range 5 {
		r.asked("guardian")
		c := r.advice("guardian")
		c.Fault = "guardian.js:3: late is not a function"
		r.adviseAll(c)
	}
	require.Contains(r.t, r.lastNames(), "script_suspended")
}

// A guardian that keeps failing is stood in for by Omega's own, where the
// mission says so, and by nobody else.
func TestGuardianIsStoodInFor(t *testing.T) {
	spec := stewarded()
	spec.Guardian.Script.Fallback, spec.Guardian.Default = "default", core.Digest{9}
	r := newRig(t, spec, jobNamed("a"))
	r.plan["a"] = []string{"hang"}
	early := r.advice("guardian")
	early.Script = core.Digest{9}
	r.asked("guardian")
	early.Seen = r.state.Seq() - 1
	require.Equal(t, core.RefuseNotOutstanding, r.step(early).Code, "its own script has not failed")
	r.guardianFails()
	require.Equal(t, core.Digest{9}, r.state.StewardAsked("guardian").Digest)
	r.asked("guardian")
	for _, other := range []core.Digest{{1}, {7}, {}} {
		c := r.advice("guardian")
		c.Script = other
		require.Equal(t, core.RefuseNotOutstanding, r.step(c).Code, "%x", other[0])
	}
	for range 6 { // what the one that stands in fails at does not count
		r.asked("guardian")
		c := r.advice("guardian", core.Action{Do: core.ActPauseSkill, Skill: "s", For: core.Minute})
		c.Script, c.Fault = core.Digest{9}, "omega:guardian:1: no"
		require.Equal(t, core.Digest{9}, r.adviseAll(c).Script)
	}
	r.asked("guardian")
	c := r.advice("guardian", core.Action{Do: core.ActPauseSkill, Skill: "s", For: core.Minute})
	c.Script = core.Digest{9}
	require.Equal(t, "taken", outcomes(r.adviseAll(c)))
	require.Equal(t, 1, strings.Count(r.told("script_suspended"), `"script_suspended"`))

	mended := *r.state.Spec().Guardian
	mended.Script.Digest = core.Digest{3}
	require.Nil(t, r.edit(func(c *core.Generation) { c.Spec.Guardian = &mended }))
	require.Equal(t, core.Digest{3}, r.state.StewardAsked("guardian").Digest, "the script has been mended")
	r.asked("guardian")
	require.Equal(t, core.Digest{3}, r.advise("guardian").Script)
	r.same()
}

func TestGuardianWithoutAccountAsksTheOwner(t *testing.T) {
	spec := stewarded()
	spec.Accounts = nil
	r := newRig(t, spec, jobNamed("a"))
	r.asked("guardian")
	p := r.advise("guardian",
		core.Action{Do: core.ActPost, Post: &core.JobSpec{ID: "free", Skills: []string{"s"}}},
		core.Action{Do: core.ActPost, Post: &core.JobSpec{ID: "paid", Skills: []string{"s"}, Reward: tokens}})
	require.Equal(t, "waiting there is no account guardian; waiting there is no account guardian", outcomes(p))
	require.Empty(t, r.order(core.Approve, p.Actions[1].ID))
	require.Empty(t, r.state.Job("paid").Spec.Employer)
	r.asked("macro")
	p = r.advise("macro", core.Action{Do: core.ActPost, Post: &core.JobSpec{ID: "other", Skills: []string{"s"}}})
	require.Equal(t, "refused no account is called macro", outcomes(p))
	r.same()
}
