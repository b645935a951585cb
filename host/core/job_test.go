package core_test

import (
	"crypto/ed25519"
	"testing"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/council"
	"github.com/stretchr/testify/require"
)

// The arithmetic of docs/journal.md, "Check by hand": reward 100, fee 5 %, burn
// 1 %, validators 8 %, stake 20 %, committee 3 of stake 10, energy 1,000 at
// price 1, of which 600 are used, slash 50 %.
func handJob() core.JobSpec {
	j := jobNamed("hand")
	j.EnergyBudget = 1_000 * tokens
	return j
}

func TestApprovalPaysByHand(t *testing.T) {
	r := newRig(t, baseSpec(), handJob())
	r.used = 600 * tokens
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("hand"))
	require.Equal(t, core.Ended, r.state.Status())
	require.Equal(t, "9394.4", r.balance("account:operator")) // 10,000 − 500 of endowments − 105.6
	require.Equal(t, "0.92", r.balance("burned"))
	require.Equal(t, "5", r.balance("fees"))
	require.Equal(t, "0.6", r.balance("resources"))
	for _, v := range []string{"rule_0", "rule_1", "rule_2"} {
		require.Equal(t, "102.666666", r.balance("validator:"+v))
	}
	r.same()
}

func TestRejectionThenApprovalPaysByHand(t *testing.T) {
	r := newRig(t, baseSpec(), handJob())
	r.used = 600 * tokens
	r.plan["hand"] = []string{"wrong"}
	r.run()
	j := r.job("hand")
	require.Equal(t, core.JobFinalized, j.State)
	require.EqualValues(t, 2, j.Attempt)
	require.Equal(t, "1.2", r.balance("resources"))
	totals := r.state.Totals()
	require.Equal(t, "10", totals.Slashed.String())
	for _, v := range []string{"rule_0", "rule_1", "rule_2"} {
		require.Equal(t, "105.333332", r.balance("validator:"+v))
	}
	// 9,500 after endowments − 105 escrow − 1.2 used + both shares of 2.000002
	require.Equal(t, "9395.800002", r.balance("account:operator"))
	r.same()
}

func TestAnotherWorkerTriesAgain(t *testing.T) {
	r := newRig(t, baseSpec(), jobNamed("a"))
	r.plan["a"] = []string{"fail"}
	r.at = 0
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("a"))
	require.EqualValues(t, 1, r.job("a").Failures)
	r.same()
}

func TestAttemptsRunOut(t *testing.T) {
	a, b := jobNamed("a"), jobNamed("b")
	b.Needs = []string{"a"}
	c := jobNamed("c")
	c.Needs, c.AnyEnd, c.Lazy = []string{"a"}, true, true
	r := newRig(t, baseSpec(), c, b, a)
	r.plan["a"] = []string{"fail", "wrong", "fail"}
	r.run()
	require.Equal(t, core.JobFailed, r.stateOf("a"))
	require.Equal(t, core.JobSkipped, r.stateOf("b"))
	require.Equal(t, core.JobFinalized, r.stateOf("c"))
	require.Equal(t, core.Ended, r.state.Status())
	require.EqualValues(t, 2, r.state.Totals().RequiredLost)
	r.same()
}

func TestDeadlineKillsAndPays(t *testing.T) {
	j := handJob()
	j.Deadline = core.Minute
	r := newRig(t, baseSpec(), j)
	r.plan["hand"] = []string{"hang"}
	r.run()
	require.Equal(t, core.JobExpired, r.stateOf("hand"))
	require.Equal(t, "1", r.balance("resources"))
	require.Equal(t, "9499", r.balance("account:operator"))
	r.same()
}

func TestWithoutCouncilTheHostJudges(t *testing.T) {
	spec := baseSpec()
	spec.Governance.Committee = 0
	r := newRig(t, spec, handJob())
	r.used = 600 * tokens
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("hand"))
	require.Equal(t, "1", r.balance("burned"))
	require.EqualValues(t, 3, r.state.Seq(), "genesis, posting, result")
	r.same()
}

func TestLateResultIsRefusedByItsToken(t *testing.T) {
	spec := baseSpec()
	spec.Workers[0].Kind = core.Exec
	r := newRig(t, spec, jobNamed("a"))
	r.answer()
	w := r.state.Outstanding()[0]
	old := r.result(w, `{}`)
	r.must(&core.Start{Speed: 1_000_000})
	require.Equal(t, core.RefuseLeaseStale, r.step(old).Code)
	r.must(r.result(r.state.Outstanding()[0], `{}`))
	require.Equal(t, core.RefuseAttemptOver, r.step(old).Code)
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("a"))
	r.same()
}

func order(say core.OrderKind, n int64) *core.Order {
	return &core.Order{ID: string(say) + string(rune('0'+n)), Key: [32]byte{9}, Counter: n, Body: core.Digest{byte(n)}, Say: say}
}

func TestPauseHoldsResultsUntilResume(t *testing.T) {
	r := newRig(t, baseSpec(), jobNamed("a"), jobNamed("b"))
	r.answer()
	r.must(order(core.Pause, 1))
	_, ok := r.state.NextDeadline()
	require.False(t, ok)
	for _, w := range r.state.Outstanding() {
		r.must(r.result(w, `{}`))
	}
	require.Equal(t, core.JobRunning, r.stateOf("a"))
	require.Empty(t, r.state.Outstanding())
	r.same()
	r.must(order(core.Resume, 2))
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("a"))
	r.same()
}

func TestEmergencyStopVoidsWork(t *testing.T) {
	r := newRig(t, baseSpec(), handJob())
	r.answer()
	r.must(order(core.EmergencyStop, 1))
	require.Equal(t, core.Emergency, r.state.Status())
	require.Equal(t, core.JobReadyState, r.stateOf("hand"))
	require.Empty(t, r.state.Outstanding())
	r.same()
	r.must(order(core.Resume, 2))
	r.run()
	j := r.job("hand")
	require.Equal(t, core.JobFinalized, j.State)
	require.EqualValues(t, 2, j.Attempt)
	require.Zero(t, j.Failures)
	require.Equal(t, "1", r.balance("resources"))
	r.same()
}

func TestOrdersCountOnce(t *testing.T) {
	r := newRig(t, baseSpec(), jobNamed("a"))
	r.answer()
	r.must(order(core.Pause, 5))
	again := order(core.Resume, 5)
	again.ID = "other"
	r.must(again)
	answer, _, ok := r.state.Acknowledged("other", again.Body)
	require.True(t, ok)
	require.Equal(t, "order_replayed", answer.Refusal)
	conflict := order(core.Pause, 6)
	conflict.ID = order(core.Pause, 5).ID
	r.must(conflict)
	answer, _, _ = r.state.Acknowledged(conflict.ID, conflict.Body)
	require.Equal(t, "order_conflict", answer.Refusal)
	require.Equal(t, core.Paused, r.state.Status())
	r.same()
}

func TestCancelReturnsEverything(t *testing.T) {
	spec := baseSpec()
	spec.Mission.OnExhausted = "wait"
	r := newRig(t, spec, jobNamed("a"))
	r.answer()
	for _, w := range r.state.Outstanding() {
		r.must(r.result(w, `{}`))
	}
	require.Equal(t, core.JobCommitting, r.stateOf("a"))
	cancel := order(core.CancelJob, 1)
	cancel.Job, cancel.Reason = "a", "no longer needed"
	r.must(cancel)
	require.Equal(t, core.JobCancelled, r.stateOf("a"))
	require.Equal(t, "9500", r.balance("account:operator"))
	require.Equal(t, "100", r.balance("validator:rule_0"))
	require.Equal(t, "100", r.balance("worker:w_0"))
	r.same()
}

func TestMoneyRunsOut(t *testing.T) {
	spec := baseSpec()
	spec.Treasury.Tokens = 500*tokens + 110*tokens
	r := newRig(t, spec, jobNamed("a"), jobNamed("b"))
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("a"))
	require.Equal(t, core.JobPostedState, r.stateOf("b"))
	r.must(&core.Stall{})
	require.Equal(t, core.JobExpired, r.stateOf("b"))
	require.EqualValues(t, 1, r.state.Totals().ExhaustedLost)
	r.same()

	spec.Mission.OnExhausted = "fail"
	r = newRig(t, spec, jobNamed("a"), jobNamed("b"))
	r.run()
	require.Equal(t, core.JobFailed, r.stateOf("b"))
	require.Equal(t, core.Ended, r.state.Status())
	r.same()
}

// Votes sealed under a secret that is lost abstain, unslashed; later rounds go
// on under new keys.
func TestLostKeysAbstain(t *testing.T) {
	r := newRig(t, baseSpec(), jobNamed("a"))
	r.answer()
	r.at = core.Time(core.Minute)
	r.finishWork()
	r.vote(r.state.Outstanding()[0])
	require.Equal(t, core.JobRevealing, r.stateOf("a"))
	start := &core.Start{Speed: 1_000_000, HostKey: [32]byte{7}}
	for _, v := range r.state.Validators() {
		secret := council.Secret([32]byte{2}, v.ID)
		r.secret[v.ID] = council.NewSealer(secret)
		start.Keys = append(start.Keys, [32]byte(council.Derive(secret).Public().(ed25519.PublicKey)))
	}
	r.must(start)
	require.EqualValues(t, 2, r.job("a").Rounds, "nobody decided: the round is repeated")
	r.same()
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("a"))
	require.Zero(t, r.state.Totals().Slashed)
	require.Equal(t, [32]byte{7}, r.state.Mission().HostKey)
	r.same()
}
