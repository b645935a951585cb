package core_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/council"
	"github.com/omega-run/omega/host/ledger"
	"github.com/stretchr/testify/require"
)

// saysOf is what policies say of the assignment that waits.
func (r *rig) saysOf(w core.Work) string {
	said := r.ruled[w.Job.Spec.ID]
	if n := int(w.Attempt) - 1; n < len(said) {
		return said[n]
	}
	return "allow"
}

// ruling is all policies of a hook saying the same; nil where there are none.
func (r *rig) ruling(hook core.Hook, say string) *core.Ruling {
	all := r.state.Policies(hook)
	if len(all) == 0 {
		return nil
	}
	ruling := &core.Ruling{Request: []byte(`{"asked":true}`)}
	for _, p := range all {
		v := core.Verdict{Policy: p.Name, Say: say, Reason: "as planned", Shadow: p.Shadow(), Script: p.Script.Digest, Generation: r.state.Generation()}
		switch say {
		case "":
			v.Say, v.Reason = core.SayAllow, ""
		case "fault":
			v.Say, v.Reason, v.Fault = p.Script.Fallback, "", "scripts/p.js:3: it broke"
		}
		ruling.Verdicts = append(ruling.Verdicts, v)
	}
	return ruling
}

// restore goes on with a state that was sealed.
func (r *rig) restore() {
	r.t.Helper()
	r.same()
	r.state = r.mirror
	r.same()
}

func policyNamed(name, mode string, on ...core.Hook) core.PolicySpec {
	p := core.PolicySpec{Name: name, Mode: mode, Script: core.ScriptSpec{Path: name + ".js", Digest: core.Digest{1}, Timeout: core.Second, Memory: 64 << 20, Fallback: core.SayDeny}}
	for _, hook := range on {
		p.On = append(p.On, string(hook))
	}
	return p
}

// budgeted is a job that sets energy apart.
func budgeted() core.JobSpec {
	j := jobNamed("a")
	j.EnergyBudget = 1_000 * tokens
	return j
}

// asked is a mission whose assignments wait for the policy "gate".
func asked(t *testing.T, jobs ...core.JobSpec) *rig {
	spec := baseSpec()
	spec.Policies = []core.PolicySpec{policyNamed("gate", "enforce", core.HookAssign, core.HookDelegate)}
	return newRig(t, spec, jobs...)
}

// edit puts a changed spec in force.
func (r *rig) edit(change func(*core.Generation)) *core.Refusal {
	r.t.Helper()
	c := &core.Generation{Entry: "mission.hcl", Spec: *r.state.Spec(), Sources: []core.SourceRef{{Path: "mission.hcl", Digest: core.Digest{byte(len(r.lines)), 7}}}}
	for _, v := range r.state.Validators() {
		c.Keys = append(c.Keys, v.Key)
	}
	change(c)
	return r.step(c)
}

func TestRule(t *testing.T) {
	all := func(said ...string) (verdicts []core.Verdict) {
		for i, say := range said {
			say, shadow := strings.CutSuffix(say, " in shadow")
			verdicts = append(verdicts, core.Verdict{Say: say, Shadow: shadow, Reason: fmt.Sprint(i)})
		}
		return verdicts
	}
	for want, verdicts := range map[string][]core.Verdict{
		"allow":    nil,
		"allow 0":  all("allow in shadow", "deny in shadow"),
		"deny 1":   all("ask", "deny", "allow", "deny"),
		"ask 1":    all("allow", "ask", "deny in shadow"),
		"allow  ":  all("allow", "allow"),
		"deny 2":   all("ask in shadow", "ask", "deny"),
		"ask 0":    all("ask", "ask"),
		"allow   ": all("deny in shadow"),
	} {
		say, reason := core.Rule(verdicts)
		require.Equal(t, strings.Fields(want)[0], say, want)
		if say != core.SayAllow {
			require.Equal(t, strings.Fields(want)[1], reason, want)
		}
	}
}

// A job stays assigned, everything locked, until the verdict is on record.
func TestAssignmentWaitsForItsVerdict(t *testing.T) {
	r := asked(t, budgeted())
	r.ruled["a"] = []string{"hang"}
	r.run()
	j := r.job("a")
	require.Equal(t, core.JobAssignedState, j.State)
	require.Equal(t, "policies are asked about its worker", r.state.Waiting(j))
	require.EqualValues(t, 20*tokens, j.Stake)
	require.NotContains(t, r.told("job_assigned"), "attempt_started")
	r.same()
	r.ruled["a"] = []string{"allow"}
	r.at += 5000
	r.must(&core.Admit{Job: "a", Attempt: 1, Lease: j.Lease, Ruling: *r.ruling(core.HookAssign, "allow")})
	require.Equal(t, core.JobRunning, r.stateOf("a"))
	require.Equal(t, r.at, r.job("a").StartedAt, "its work begins with the verdict")
	line := string(r.lines[len(r.lines)-1])
	require.Less(t, strings.Index(line, "verdict_given"), strings.Index(line, "attempt_started"))
	r.same()
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("a"))
}

func TestDeniedAssignmentIsAFailedAttempt(t *testing.T) {
	r := asked(t, budgeted())
	r.ruled["a"] = []string{"deny", "deny", "allow"}
	for range 2 {
		r.turn()
	}
	require.Equal(t, core.JobReadyState, r.stateOf("a"))
	require.Equal(t, "denied", r.job("a").Reason)
	require.EqualValues(t, 1, r.job("a").Failures)
	require.Greater(t, r.job("a").RetryAt, r.state.Now())
	r.same()
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("a"))
	require.EqualValues(t, 3, r.job("a").Attempt)
	require.Zero(t, r.state.Totals().Slashed)
	require.Equal(t, 2, strings.Count(r.told("attempt_failed"), `"type":"attempt_failed"`))
	require.NotContains(t, r.told("attempt_failed"), `"usage"`, "nobody pays for what has not begun")
	r.same()
}

func TestDeniedToTheLastAttempt(t *testing.T) {
	r := asked(t, budgeted())
	r.ruled["a"] = []string{"deny", "deny", "deny"}
	r.run()
	require.Equal(t, core.JobFailed, r.stateOf("a"))
	require.Equal(t, "attempts", r.job("a").Reason)
	require.Equal(t, "denied", r.job("a").Detail)
	require.Equal(t, "9500", r.balance("account:operator"))
	r.same()
}

func TestAPersonDecidesWhatAPolicyAsks(t *testing.T) {
	r := asked(t, budgeted())
	r.ruled["a"] = []string{"ask", "deny"}
	r.run()
	j := r.job("a")
	require.Equal(t, core.JobAwaiting, j.State)
	require.Contains(t, r.state.Waiting(j), "a policy asks about its worker, as planned")
	require.Zero(t, j.Failures)
	require.Nil(t, j.Worker)
	r.same()
	require.Empty(t, r.order(core.Approve, "a"))
	require.Equal(t, core.JobRunning, r.stateOf("a"), "it is not asked about again")
	r.restore()
	r.same()
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("a"))

	r = asked(t, budgeted())
	r.ruled["a"] = []string{"ask"}
	r.run()
	require.Empty(t, r.order(core.Deny, "a"))
	require.Equal(t, core.JobFailed, r.stateOf("a"))
	require.Equal(t, "denied", r.job("a").Reason)
	require.Zero(t, r.state.Totals().Slashed)
	require.Equal(t, "9500", r.balance("account:operator"))
	r.same()
}

// Policies in shadow are asked, and change nothing but the record.
func TestShadowDoesNotCount(t *testing.T) {
	spec := baseSpec()
	spec.Policies = []core.PolicySpec{policyNamed("dark", "shadow", core.HookAssign, core.HookDelegate), policyNamed("gate", "enforce", core.HookPost)}
	r := newRig(t, spec, jobNamed("a"))
	r.plan["a"], r.kids["a"], r.minds["a"] = []string{"kids"}, []core.JobSpec{childPaid(10)}, "deny"
	for _, id := range []string{"a", "a__1"} {
		r.ruled[id] = []string{"deny", "ask"}
	}
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("a"))
	require.Equal(t, core.JobFinalized, r.stateOf("a__1"))
	require.Equal(t, 4, strings.Count(r.told("verdict_given"), `"verdict_given"`))
	require.Contains(t, r.told("verdict_given"), `"say":"deny","reason":"as planned","shadow":true`)
	r.same()
}

// Whatever keeps the verdict from coming, nothing waits for it for ever and
// nothing is lost.
func TestWhatEndsTheWait(t *testing.T) {
	whole := func(r *rig) {
		require.Equal(t, "100", r.balance("worker:w_0"))
		require.Equal(t, "0", r.balance("worker:w_0:stake"))
		_, free, reserved, _ := r.state.Resource(ledger.Energy)
		require.Equal(t, "5000 0", fmt.Sprint(free, " ", reserved))
		r.same()
	}
	waiting := func(deadline core.Duration) *rig {
		j := budgeted()
		j.Deadline = deadline
		r := asked(t, j)
		r.ruled["a"] = []string{"hang", "hang"}
		for r.job("a") == nil || r.stateOf("a") != core.JobAssignedState {
			r.turn()
		}
		return r
	}
	r := waiting(core.Hour)
	r.run()
	require.Equal(t, core.JobExpired, r.stateOf("a"), "its deadline runs")
	whole(r)

	r = waiting(0)
	r.order(core.CancelJob, "a")
	require.Equal(t, core.JobCancelled, r.stateOf("a"))
	whole(r)

	r = waiting(0)
	old := r.job("a").Lease
	r.order(core.Stop, "")
	require.Equal(t, core.Stopped, r.state.Status(), "nothing of it has begun")
	require.Equal(t, core.JobReadyState, r.stateOf("a"))
	whole(r)
	r.order(core.Resume, "")
	require.Equal(t, core.JobAssignedState, r.stateOf("a"))
	refusal := r.step(&core.Admit{Job: "a", Attempt: 1, Lease: old, Ruling: *r.ruling(core.HookAssign, "allow")})
	require.Equal(t, core.RefuseNotOutstanding, refusal.Code, "it is asked about anew")

	r = waiting(0)
	r.order(core.EmergencyStop, "")
	require.Equal(t, core.JobReadyState, r.stateOf("a"))
	whole(r)

	r = waiting(0)
	r.order(core.Pause, "")
	require.Empty(t, r.state.Outstanding())
	require.Equal(t, core.RefusePaused, r.step(&core.Admit{Job: "a", Attempt: 1, Lease: r.job("a").Lease, Ruling: *r.ruling(core.HookAssign, "allow")}).Code)
	r.order(core.Resume, "")
	require.Equal(t, core.AskPolicies, r.state.Outstanding()[0].Kind)

	r = waiting(0)
	lease := r.job("a").Lease
	r.must(&core.Start{})
	require.Equal(t, lease, r.job("a").Lease, "a new host asks again about the same assignment")
	require.Equal(t, core.AskPolicies, r.state.Outstanding()[0].Kind)

	r = waiting(0)
	r.must(&core.Stall{})
	require.Equal(t, core.JobExpired, r.stateOf("a"))
	whole(r)
}

// An edit asks anew, or not any more, and takes nobody along whom it removes.
func TestEditsReachWhoWaitsForAVerdict(t *testing.T) {
	waiting := func() *rig {
		r := asked(t, jobNamed("a"))
		r.ruled["a"] = []string{"hang", "hang"}
		for range 3 {
			r.turn()
		}
		require.Equal(t, core.JobAssignedState, r.stateOf("a"))
		return r
	}
	r := waiting()
	require.Nil(t, r.edit(func(c *core.Generation) { c.Spec.Policies = nil }))
	require.Equal(t, core.JobRunning, r.stateOf("a"))
	r.same()

	r = waiting()
	changed := policyNamed("gate", "enforce", core.HookAssign)
	changed.Script.Digest = core.Digest{2}
	before := r.ruling(core.HookAssign, "allow")
	require.Nil(t, r.edit(func(c *core.Generation) { c.Spec.Policies = []core.PolicySpec{changed} }))
	j := r.job("a")
	require.Equal(t, core.JobAssignedState, j.State)
	refusal := r.step(&core.Admit{Job: "a", Attempt: j.Attempt, Lease: j.Lease, Ruling: *before})
	require.Equal(t, core.RefuseRuling, refusal.Code)
	require.Contains(t, refusal.Detail, "the policy gate in force has not been asked")
	r.same()

	r = waiting()
	worker := r.job("a").Worker.ID
	require.Nil(t, r.edit(func(c *core.Generation) {
		c.Spec.Reload.AllowRemovals = true
		c.Drains = []string{worker}
		c.Spec.Workers = []core.WorkerSpec{c.Spec.Workers[0]}
		c.Spec.Workers[0].Instances = []string{map[string]string{"w_0": "w_1", "w_1": "w_0"}[worker]}
	}))
	require.NotEqual(t, worker, r.job("a").Worker.ID)
	require.Equal(t, core.JobAssignedState, r.stateOf("a"))
	r.same()
}

// At most 256 assignments wait for a verdict: an edit asks about all of them
// anew, in its own entry.
func TestAtMostSoManyWaitForAVerdict(t *testing.T) {
	const most = 256
	spec := baseSpec()
	spec.Delegation.BackgroundLimit = 0
	spec.Workers[0].Instances, spec.Workers[0].Slots = []string{"w_0"}, 2*most
	spec.Policies = []core.PolicySpec{policyNamed("gate", "enforce", core.HookAssign)}
	var jobs []core.JobSpec
	for i := range most + 20 {
		j := jobNamed(fmt.Sprintf("j%03d", i))
		j.Reward = tokens
		jobs = append(jobs, j)
	}
	r := newRig(t, spec, jobs...)
	for _, j := range jobs {
		r.ruled[j.ID] = []string{"hang", "hang"}
	}
	r.post()
	counted := func(state core.JobState) (n int) {
		for _, j := range r.state.Jobs() {
			if j.State == state {
				n++
			}
		}
		return n
	}
	require.Equal(t, most, counted(core.JobAssignedState))
	require.Equal(t, 20, counted(core.JobReadyState))
	r.restore()

	gate := policyNamed("gate", "enforce", core.HookAssign)
	gate.Script.Digest = core.Digest{2}
	require.Nil(t, r.edit(func(c *core.Generation) { c.Spec.Policies = []core.PolicySpec{gate} }))
	require.Less(t, len(r.lines[len(r.lines)-1]), 4<<20, "an entry")
	require.Equal(t, most, strings.Count(string(r.lines[len(r.lines)-1]), `"attempt_voided"`))
	require.Equal(t, most, counted(core.JobAssignedState))
	r.same()

	first := r.job("j000")
	require.Nil(t, r.step(&core.Admit{Job: "j000", Attempt: first.Attempt, Lease: first.Lease, Ruling: *r.ruling(core.HookAssign, "")}))
	require.Equal(t, core.JobRunning, r.stateOf("j000"))
	require.Equal(t, most, counted(core.JobAssignedState), "the next one is asked about")
	require.Equal(t, 19, counted(core.JobReadyState))
	r.restore()

	require.Nil(t, r.edit(func(c *core.Generation) { c.Spec.Policies = nil }))
	require.Zero(t, counted(core.JobAssignedState))
	require.Equal(t, most+20, counted(core.JobRunning))
	r.same()
}

func TestRulingsThatDoNotFit(t *testing.T) {
	r := asked(t, jobNamed("a"))
	r.ruled["a"] = []string{"hang"}
	r.run()
	j := r.job("a")
	for says, change := range map[string]func(*core.Ruling){
		"the request has 65537 bytes":      func(c *core.Ruling) { c.Request = make([]byte, 64<<10+1) },
		"1 policies are asked":             func(c *core.Ruling) { c.Verdicts = nil },
		`the policy gate says "perhaps"`:   func(c *core.Ruling) { c.Verdicts[0].Say = "perhaps" },
		"gate in force has not been asked": func(c *core.Ruling) { c.Verdicts[0].Shadow = true },
		"instead of its fallback deny":     func(c *core.Ruling) { c.Verdicts[0].Fault = "x" },
		"is longer than 2048 bytes":        func(c *core.Ruling) { c.Verdicts[0].Reason = strings.Repeat("x", 2049) },
	} {
		ruling := r.ruling(core.HookAssign, "allow")
		change(ruling)
		refusal := r.step(&core.Admit{Job: "a", Attempt: 1, Lease: j.Lease, Ruling: *ruling})
		require.Equal(t, core.RefuseRuling, refusal.Code)
		require.Contains(t, refusal.Detail, says)
	}
	require.Equal(t, core.JobAssignedState, r.stateOf("a"))
}

// handsOn is a mission whose job asks for one child, of which a policy says.
func handsOn(t *testing.T, say string, change ...func(*core.Spec)) *rig {
	spec := baseSpec()
	spec.Policies = []core.PolicySpec{policyNamed("gate", "enforce", core.HookDelegate)}
	for _, c := range change {
		c(&spec)
	}
	r := newRig(t, spec, budgeted())
	r.used = 600 * tokens
	r.plan["a"], r.minds["a"] = []string{"kids"}, say
	r.kids["a"] = []core.JobSpec{childPaid(10)}
	return r
}

func TestDeniedDelegationPostsNothing(t *testing.T) {
	r := handsOn(t, "deny")
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("a"))
	require.Nil(t, r.job("a__1"))
	require.EqualValues(t, 1, r.job("a").Failures)
	require.Contains(t, r.told("attempt_failed"), `"reason":"denied","detail":"as planned","energy_used":"600"`)
	require.Equal(t, "1.2", r.balance("resources"), "two attempts, paid as reported")
	r.same()
}

// What was said of an attempt's children ends with it, and its stake comes back.
func TestVerdictEndsWithItsAttempt(t *testing.T) {
	r := handsOn(t, "deny")
	r.plan["a"] = []string{"kids", "kids"}
	for r.job("a") == nil || r.job("a").Failures == 0 {
		r.turn()
	}
	require.Equal(t, "100", r.balance("worker:"+r.job("a").LastWorker))
	require.Nil(t, r.edit(func(c *core.Generation) { c.Spec.Policies = nil }))
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("a"))
	require.EqualValues(t, 1, r.job("a").Failures)
	require.NotNil(t, r.job("a__1"))
	r.same()
}

// What was said of a delegation that came during a pause holds afterwards.
func TestRulingOutlastsThePause(t *testing.T) {
	for say, want := range map[string]core.JobState{"deny": core.JobReadyState, "ask": core.JobAwaiting, "allow": core.JobDelegated, "fault": core.JobReadyState} {
		r := handsOn(t, say)
		for r.job("a") == nil || r.stateOf("a") != core.JobRunning {
			r.turn()
		}
		j := r.job("a")
		r.order(core.Pause, "")
		command := &core.Delegate{Job: "a", Attempt: 1, Lease: j.Lease, EnergyUsed: 600 * tokens, ComputeUsed: core.Unreported, Children: r.children(j)}
		require.Equal(t, core.RefuseRuling, r.step(command).Code)
		command.Ruling = r.ruling(core.HookDelegate, say)
		r.must(command)
		require.Equal(t, core.JobRunning, r.stateOf("a"))
		r.restore()
		r.order(core.Resume, "")
		require.Equal(t, want, r.stateOf("a"), say)
		r.order(core.Pause, "")
		r.order(core.Resume, "")
		require.Equal(t, want, r.stateOf("a"), "%s: what was held is answered once", say)
		r.same()
	}
}

func TestAPersonDecidesAboutChildren(t *testing.T) {
	waiting := func(change ...func(*core.Spec)) *rig {
		r := handsOn(t, "ask", change...)
		r.run()
		j := r.job("a")
		require.Equal(t, core.JobAwaiting, j.State)
		require.Contains(t, r.state.Waiting(j), "a policy asks about its children, as planned")
		require.Equal(t, "0.6", r.balance("resources"))
		require.Zero(t, j.Stake)
		require.Zero(t, j.Failures)
		question, _ := j.Asked()
		require.Len(t, question.Children, 1)
		require.Nil(t, r.job("a__1"))
		r.same()
		return r
	}
	r := waiting()
	require.Empty(t, r.order(core.Approve, "a"))
	require.Equal(t, core.JobDelegated, r.stateOf("a"))
	require.Equal(t, core.JobRunning, r.stateOf("a__1"))
	r.same()
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("a"))
	require.Equal(t, core.JobFinalized, r.stateOf("a__1"))

	r = waiting()
	require.Empty(t, r.order(core.Deny, "a"))
	require.Equal(t, core.JobReadyState, r.stateOf("a"))
	require.EqualValues(t, 1, r.job("a").Failures)
	r.same()
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("a"))

	r = waiting(func(s *core.Spec) { s.Delegation.MaxAttempts = 1 })
	require.Empty(t, r.order(core.Deny, "a"))
	require.Equal(t, core.JobFailed, r.stateOf("a"))
	require.Equal(t, "denied", r.job("a").Detail)
	require.Zero(t, r.state.Totals().Slashed)
	r.same()

	r = waiting()
	require.Nil(t, r.edit(func(c *core.Generation) { c.Spec.Governance.ValidatorRewardRatio = 950_000 }))
	require.Empty(t, r.order(core.Approve, "a"))
	require.Equal(t, core.JobReadyState, r.stateOf("a"))
	require.Equal(t, "delegation", r.job("a").Reason)
	require.Contains(t, r.job("a").Detail, "is left to spend on them")
	r.same()

	r = waiting()
	require.Empty(t, r.order(core.CancelJob, "a"))
	require.Equal(t, core.JobCancelled, r.stateOf("a"))
	require.Equal(t, "9499.4", r.balance("account:operator"))
	r.same()
}

// The owner is obeyed whatever policies say of a job that is posted.
func TestOwnerIsObeyed(t *testing.T) {
	spec := baseSpec()
	spec.Policies = []core.PolicySpec{policyNamed("gate", "enforce", core.HookPost)}
	r := newRig(t, spec, jobNamed("a"))
	post := func(id string, ruling *core.Ruling) {
		r.orders++
		r.must(&core.Order{ID: fmt.Sprint("order ", r.orders), Key: [32]byte{9}, Counter: 100 + r.orders, Body: core.Digest{byte(r.orders)}, Say: core.PostJob, Post: &core.JobSpec{ID: id, Skills: []string{"s"}}, Ruling: ruling})
		require.NotContains(t, string(r.lines[len(r.lines)-1]), "refusal")
	}
	post("b", r.ruling(core.HookPost, "deny"))
	require.Contains(t, r.told("verdict_given"), `"hook":"job.post","subject":"b"`)
	require.Less(t, strings.Index(r.told("verdict_given"), "verdict_given"), strings.Index(r.told("verdict_given"), "job_posted"))
	unfit := r.ruling(core.HookPost, "deny")
	unfit.Verdicts = nil
	post("c", unfit)
	post("", nil)
	require.Equal(t, 1, strings.Count(r.told("verdict_given"), `"verdict_given"`))
	r.same()
}

// Five faults in a row take a script out until an edit changes it; an answer
// ends the row.
func TestFaultsSuspend(t *testing.T) {
	spec := baseSpec()
	gate := policyNamed("gate", "enforce", core.HookAssign)
	gate.Script.Fallback = core.SayAllow
	spec.Policies = []core.PolicySpec{gate}
	var jobs []core.JobSpec
	for i := range 12 {
		jobs = append(jobs, jobNamed(fmt.Sprintf("j%02d", i)))
	}
	r := newRig(t, spec, jobs...)
	for i, j := range jobs {
		if i != 2 { // the third is answered
			r.ruled[j.ID] = []string{"fault"}
		}
	}
	for range 10_000 {
		if r.state.Suspended("policy.gate") {
			break
		}
		r.turn()
	}
	require.True(t, r.state.Suspended("policy.gate"))
	require.False(t, r.state.Suspended("policy.other"))
	require.Equal(t, 8, strings.Count(r.told("verdict_given"), `"verdict_given"`))
	require.Contains(t, r.told("script_suspended"), `"script":"policy.gate","faults":5,"fallback":"allow","fault":"scripts/p.js:3: it broke"`)
	r.same()
	require.Nil(t, r.edit(func(c *core.Generation) { c.Spec.Policies[0].Mode = "shadow" }))
	require.True(t, r.state.Suspended("policy.gate"), "the script is the same")
	r.run()
	require.Equal(t, 1, strings.Count(r.told("script_suspended"), `"script_suspended"`))
	r.same()
	require.EqualValues(t, 12, r.state.Totals().Finalized)
}

func TestEditForgivesFaults(t *testing.T) {
	names := []string{"a", "b", "c", "d", "e"}
	var jobs []core.JobSpec
	for _, name := range names {
		jobs = append(jobs, jobNamed(name))
	}
	r := asked(t, jobs...)
	for _, name := range names {
		r.ruled[name] = []string{"fault", "hang"}
	}
	for range 100 {
		if r.state.Suspended("policy.gate") {
			break
		}
		r.turn()
	}
	require.True(t, r.state.Suspended("policy.gate"))
	gate := policyNamed("gate", "enforce", core.HookAssign)
	gate.Script.Digest = core.Digest{2}
	require.Nil(t, r.edit(func(c *core.Generation) { c.Spec.Policies = []core.PolicySpec{gate} }))
	require.False(t, r.state.Suspended("policy.gate"))
	r.same()
}

// A policy that cannot say is no verdict on a job: the attempt does not count, and
// the job waits for an edit, which puts it forward again.
func TestFaultWithholdsUntilAnEdit(t *testing.T) {
	r := asked(t, jobNamed("a"))
	r.ruled["a"] = []string{"fault"}
	for range 20 {
		r.turn()
	}
	j := r.state.Job("a")
	require.Equal(t, core.JobReadyState, j.State)
	require.Zero(t, j.Failures)
	require.Contains(t, r.told("attempt_voided"), `"fault"`)
	require.Contains(t, r.state.Waiting(j), "the policy gate could not say whether it may: ")
	_, due := r.state.NextDeadline()
	require.False(t, due, "nothing but an edit helps: the mission is stalled")
	r.same()
	gate := policyNamed("gate", "enforce", core.HookAssign)
	gate.Script.Digest = core.Digest{2}
	r.ruled["a"] = nil
	require.Nil(t, r.edit(func(c *core.Generation) { c.Spec.Policies = []core.PolicySpec{gate} }))
	for range 20 {
		r.turn()
	}
	require.Contains(t, r.told("attempt_started"), `"a"`)
	r.same()
}

// The script of a validator has failed when all its seats abstain over a fault.
func TestValidatorFaultsSuspend(t *testing.T) {
	spec := baseSpec()
	spec.Validators[0].Kind = core.ScriptValidator
	spec.Validators[0].Script = core.ScriptSpec{Path: "v.js", Digest: core.Digest{1}, Timeout: core.Second, Memory: 64 << 20, Fallback: "abstain"}
	r := newRig(t, spec, jobNamed("a"), jobNamed("b"), jobNamed("c"))
	for _, v := range []string{"rule_0", "rule_1", "rule_2"} {
		r.says[v] = council.Abstain.String()
	}
	r.why = "script: v.js:1: no"
	for range 10_000 {
		if r.state.Suspended("validator.rule") {
			break
		}
		r.turn()
	}
	require.True(t, r.state.Suspended("validator.rule"))
	require.Equal(t, 5, strings.Count(r.told("votes_revealed"), `"votes_revealed"`))
	r.same()
}

// A seat that abstains over a fault beside others with an answer was kept from
// speaking by something else than its script.
func TestOneSeatIsNotItsScript(t *testing.T) {
	spec := baseSpec()
	spec.Validators[0].Kind = core.ScriptValidator
	spec.Validators[0].Script = core.ScriptSpec{Path: "v.js", Digest: core.Digest{1}, Timeout: core.Second, Memory: 64 << 20, Fallback: "abstain"}
	var jobs []core.JobSpec
	for i := range 8 {
		jobs = append(jobs, jobNamed(fmt.Sprintf("j%d", i)))
	}
	r := newRig(t, spec, jobs...)
	r.says["rule_0"], r.why = council.Abstain.String(), "script: v.js:1: no"
	r.run()
	require.EqualValues(t, 8, r.state.Totals().Finalized)
	require.Empty(t, r.told("script_suspended"))
	r.same()
}

// Votes that a script gave before an edit do not count against the one after it.
func TestMendedValidatorStartsAnew(t *testing.T) {
	spec := baseSpec()
	spec.Validators[0].Kind = core.ScriptValidator
	spec.Validators[0].Script = core.ScriptSpec{Path: "v.js", Digest: core.Digest{1}, Timeout: core.Second, Memory: 64 << 20, Fallback: "abstain"}
	r := newRig(t, spec, jobNamed("a"), jobNamed("b"), jobNamed("c"), jobNamed("d"), jobNamed("e"), jobNamed("f"))
	for _, v := range []string{"rule_0", "rule_1", "rule_2"} {
		r.says[v] = council.Abstain.String()
	}
	r.why = "script: v.js:1: no"
	r.post()
	for r.stateOf("a") != core.JobRevealing {
		r.turn()
	}
	open, before := int64(0), strings.Count(r.told("votes_revealed"), `"votes_revealed"`)
	for _, j := range r.state.Jobs() {
		if round := j.Round; round != nil && !round.Closed {
			open++
		}
	}
	mended := slices.Clone(r.state.Spec().Validators)
	mended[0].Script.Digest = core.Digest{2}
	require.Nil(t, r.edit(func(c *core.Generation) { c.Spec.Validators = mended }))
	r.same()
	for range 10_000 {
		if r.state.Suspended("validator.rule") {
			break
		}
		r.turn()
	}
	require.True(t, r.state.Suspended("validator.rule"))
	require.Positive(t, open)
	require.EqualValues(t, open+5, strings.Count(r.told("votes_revealed"), `"votes_revealed"`)-before)
	r.same()
}

func TestEditThatRemovesIsHeld(t *testing.T) {
	r := newRig(t, baseSpec(), jobNamed("a"), jobNamed("b"))
	r.turn()
	removing := func(digest byte, ids ...string) *core.Refusal {
		return r.edit(func(c *core.Generation) {
			c.Spec.Instances, c.Removes, c.Sources[0].Digest = 1, ids, core.Digest{digest}
		})
	}
	apply := func(d core.Digest) string {
		r.orders++
		id, body := fmt.Sprint("order ", r.orders), core.Digest{byte(r.orders)}
		r.must(&core.Order{ID: id, Key: [32]byte{9}, Counter: 100 + r.orders, Body: body, Say: core.ApplyEdit, Edit: d})
		answer, _, _ := r.state.Acknowledged(id, body)
		return strings.TrimSpace(answer.Refusal + " " + answer.Detail)
	}
	require.Equal(t, "edit_unknown no edit waits", apply(core.Digest{}))
	require.Nil(t, removing(1, "b"))
	require.EqualValues(t, 1, r.state.Generation())
	first := r.state.HeldEdit()
	require.Equal(t, []string{"b"}, first.Removes)
	require.Equal(t, core.EditDigest("mission.hcl", []core.SourceRef{{Path: "mission.hcl", Digest: core.Digest{1}}}), first.Digest)
	require.Equal(t, core.RefuseEditHeld, removing(1, "b").Code, "once")
	r.same()
	require.Nil(t, removing(2, "b"))
	require.Contains(t, apply(first.Digest), "edit_unknown another edit waits")
	second := r.state.HeldEdit()
	require.Empty(t, apply(second.Digest))
	require.Contains(t, apply(second.Digest), "edit_unknown it has been approved already")
	r.same()
	require.Nil(t, removing(2, "a", "b"), "it would take away more than was shown")
	require.False(t, r.state.HeldEdit().Approved)
	require.Empty(t, apply(second.Digest))
	require.Nil(t, removing(2, "a", "b"))
	require.EqualValues(t, 2, r.state.Generation())
	require.Nil(t, r.state.HeldEdit())
	require.Equal(t, core.JobCancelled, r.stateOf("a"))
	require.Equal(t, core.JobCancelled, r.stateOf("b"))
	r.same()
}

func TestHeldEditIsReplaced(t *testing.T) {
	r := newRig(t, baseSpec(), jobNamed("a"))
	r.turn()
	drain := func(c *core.Generation) {
		c.Drains = []string{"w_1"}
		c.Spec.Workers = []core.WorkerSpec{c.Spec.Workers[0]}
		c.Spec.Workers[0].Instances = []string{"w_0"}
	}
	require.Nil(t, r.edit(drain))
	require.NotNil(t, r.state.HeldEdit())
	require.Nil(t, r.edit(func(*core.Generation) {}), "one that removes nothing is in force at once")
	require.Nil(t, r.state.HeldEdit())
	require.Equal(t, core.RefuseEditHeld, r.edit(func(c *core.Generation) { c.Removes = make([]string, 1001) }).Code)
	require.Nil(t, r.edit(func(c *core.Generation) {
		drain(c)
		c.Spec.Reload.AllowRemovals = true
	}))
	require.Nil(t, r.state.HeldEdit())
	require.EqualValues(t, 3, r.state.Generation())
	r.same()
}

// A delegation without children is a failure, also when it came during a pause.
func TestEmptyDelegationDuringAPause(t *testing.T) {
	r := newRig(t, baseSpec(), jobNamed("a"))
	r.turn()
	r.order(core.Pause, "")
	r.must(&core.Delegate{Job: "a", Attempt: 1, Lease: r.job("a").Lease, EnergyUsed: core.Unreported, ComputeUsed: core.Unreported})
	r.order(core.Resume, "")
	require.Equal(t, core.JobReadyState, r.stateOf("a"))
	require.Equal(t, "delegation", r.job("a").Reason)
	r.same()
}
