package core_test

import (
	"fmt"
	"testing"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
	"github.com/stretchr/testify/require"
)

func childPaid(reward ledger.Amount) core.JobSpec {
	j := jobNamed("")
	j.Reward = reward * tokens
	return j
}

// A parent's attempt posts two children; they are paid out of its escrow, and it
// goes on, with another attempt, when both have ended.
func TestParentEndsAfterItsChildren(t *testing.T) {
	r := newRig(t, baseSpec(), jobNamed("parent"))
	r.plan["parent"] = []string{"kids"}
	second := childPaid(20)
	second.Needs = []string{"parent__1"}
	r.kids["parent"] = []core.JobSpec{childPaid(10), second}
	r.at = 0
	for range 6 {
		r.turn()
	}
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("parent__1"))
	require.Equal(t, core.JobFinalized, r.stateOf("parent__2"))
	require.Equal(t, core.JobFinalized, r.stateOf("parent"))
	require.EqualValues(t, 2, r.job("parent").Attempt)
	require.EqualValues(t, 0, r.job("parent").Failures)
	// Escrow 105, of it 10.5 and 21 for the children; fees 5 + 0.5 + 1; every
	// reward pays 8 % to validators, and 1 % of the rest is burned.
	require.Equal(t, "9395", r.balance("account:operator"))
	require.Equal(t, "6.5", r.balance("fees"))
	require.Equal(t, "0.881", r.balance("burned")) // 1 % of 60.500002, 18.400001 and 9.200002, each rounded down
	r.same()
}

func TestThreeLevels(t *testing.T) {
	r := newRig(t, baseSpec(), jobNamed("a"))
	r.plan["a"], r.plan["a__1"], r.plan["a__1__1"] = []string{"kids"}, []string{"kids"}, []string{"kids"}
	r.kids["a"], r.kids["a__1"], r.kids["a__1__1"] = []core.JobSpec{childPaid(50)}, []core.JobSpec{childPaid(20)}, []core.JobSpec{childPaid(5)}
	r.run()
	for _, id := range []string{"a", "a__1", "a__1__1", "a__1__1__1"} {
		require.Equal(t, core.JobFinalized, r.stateOf(id), id)
	}
	require.EqualValues(t, 3, r.job("a__1__1__1").Depth)
	r.same()
}

func TestChildrenAreRefusedByTheRule(t *testing.T) {
	for name, c := range map[string]struct {
		kids  []core.JobSpec
		depth int64
		says  string
	}{
		"none":        {nil, 9, "without children"},
		"too dear":    {[]core.JobSpec{childPaid(50), childPaid(40)}, 9, "the children cost 94.5 with fees and deposits, 92 is left"},
		"too deep":    {[]core.JobSpec{childPaid(1)}, 0, "deeper than max_depth"},
		"no such job": {[]core.JobSpec{{Skills: []string{"s"}, Needs: []string{"parent"}}}, 9, "child 1: it needs parent"},
		"no skill":    {[]core.JobSpec{{Skills: []string{"z"}}}, 9, "child 1: no worker has the skills z"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := baseSpec()
			spec.Delegation.MaxDepth, spec.Delegation.MaxAttempts = c.depth, 1
			r := newRig(t, spec, jobNamed("parent"))
			r.plan["parent"] = []string{"kids"}
			r.kids["parent"] = c.kids
			r.run()
			j := r.job("parent")
			require.Equal(t, core.JobFailed, j.State)
			require.Equal(t, "delegation", j.Detail)
			require.Contains(t, r.told("attempt_failed"), c.says)
			require.Equal(t, "9500", r.balance("account:operator"))
		})
	}
}

// Cancelling a parent returns everything below it to the unit: escrows, stakes,
// seat stakes, deposits but for what running work has used.
func TestCancelReturnsTheSubtree(t *testing.T) {
	for _, turns := range []int{4, 6, 8, 10, 12} {
		spec := baseSpec()
		spec.Workers[0].Instances = []string{"w_0", "w_1", "w_2", "w_3"}
		r := newRig(t, spec, jobNamed("a"))
		r.plan["a"], r.plan["a__1"] = []string{"kids"}, []string{"kids"}
		r.kids["a"], r.kids["a__1"] = []core.JobSpec{childPaid(40), childPaid(5)}, []core.JobSpec{childPaid(20), childPaid(3)}
		for range turns {
			r.turn()
		}
		before := r.state.Totals()
		r.order(core.CancelJob, "a")
		require.Equal(t, core.JobCancelled, r.stateOf("a"))
		require.Zero(t, r.state.Open())
		after := r.state.Totals()
		require.Zero(t, after.Slashed-before.Slashed)
		paid, _ := ledger.ParseAmount("0")
		for _, account := range []string{"burned", "fees", "resources"} {
			v, err := ledger.ParseAmount(r.balance(account))
			require.NoError(t, err)
			paid += v
		}
		// What children had earned before stays earned; nothing else has left.
		owner, err := ledger.ParseAmount(r.balance("account:operator"))
		require.NoError(t, err)
		require.Equal(t, 10_000*tokens, owner+paid+after.Paid+r.endowed())
		r.same()
	}
}

// The deadline of a parent ends its children too.
func TestDeadlineReachesChildren(t *testing.T) {
	parent := jobNamed("a")
	parent.Deadline = 5 * core.Minute
	r := newRig(t, baseSpec(), parent)
	r.plan["a"] = []string{"kids"}
	long := childPaid(10)
	long.Work = core.Hour
	r.kids["a"] = []core.JobSpec{long}
	r.run()
	require.Equal(t, core.JobExpired, r.stateOf("a"))
	require.Equal(t, core.JobCancelled, r.stateOf("a__1"))
	require.Equal(t, "parent_ended", r.job("a__1").Reason)
	require.EqualValues(t, core.Time(5*core.Minute), r.state.Now())
}

func TestDelegationDuringAPauseIsHeld(t *testing.T) {
	r := newRig(t, baseSpec(), jobNamed("a"))
	r.plan["a"] = []string{"kids"}
	r.kids["a"] = []core.JobSpec{childPaid(10)}
	r.turn()
	r.order(core.Pause, "")
	r.at += core.Time(core.Minute)
	r.finishWork()
	require.Equal(t, core.JobRunning, r.stateOf("a"))
	require.Nil(t, r.job("a__1"))
	r.order(core.Resume, "")
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("a"))
	require.Equal(t, core.JobFinalized, r.stateOf("a__1"))
	r.same()
}

// A job of two skills that no worker has together goes to one that has the
// first and may hand the second on; it has to.
func TestSkillsAreHandedOn(t *testing.T) {
	spec := baseSpec()
	spec.Delegation.MaxAttempts = 1
	spec.Workers[0].Delegates = true
	other := spec.Workers[0]
	other.Name, other.Instances, other.Skills, other.Delegates = "x", []string{"x_0"}, []string{"t"}, false
	spec.Workers = append(spec.Workers, other)
	both := jobNamed("a")
	both.Skills = []string{"s", "t"}
	lazy := both
	lazy.ID = "b"
	r := newRig(t, spec, both, lazy)
	r.plan["a"] = []string{"kids"}
	child := childPaid(10)
	child.Skills = []string{"t"}
	r.kids["a"] = []core.JobSpec{child}
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("a"))
	require.Equal(t, core.JobFinalized, r.stateOf("a__1"))
	require.Equal(t, core.JobFailed, r.stateOf("b"))
	require.Contains(t, r.told("attempt_failed"), `"reason":"unskilled"`)
	r.same()
}

// An edit raises the validators' share after a child has been paid out of it:
// they get what is left, and nobody less than nothing.
func TestShareOfWhatChildrenHaveLeft(t *testing.T) {
	spec := baseSpec()
	r := newRig(t, spec, jobNamed("a"))
	r.plan["a"] = []string{"kids"}
	r.kids["a"] = []core.JobSpec{childPaid(80)}
	for r.state.Job("a") == nil || len(r.state.Job("a").Children) == 0 {
		r.turn()
	}
	spec.Instances, spec.Governance.ValidatorRewardRatio = 1, ledger.Whole
	r.must(&core.Generation{Entry: "mission.hcl", Spec: spec, Keys: make([][32]byte, 3)})
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("a"))
	require.Contains(t, r.told("transfer"), `"job":"a","attempt":2,"steps":[["seat_return/0-2","10"],["share/0-2","5.333333"]`) // 16 are left, of 100
	r.same()
}

// A child that failed has used up what was set apart for its deposit; its next
// attempt is not paid for out of its parent's fee.
func TestSecondDepositIsNotTheFee(t *testing.T) {
	child := childPaid(0)
	child.EnergyBudget = 5_000 * tokens // at price 1: 5
	parent := jobNamed("a")
	parent.Reward = 6 * tokens // 5.52 may be spent
	r := newRig(t, baseSpec(), parent)
	r.plan["a"], r.plan["a__1"] = []string{"kids"}, []string{"fail"}
	r.kids["a"] = []core.JobSpec{child}
	r.run()
	r.must(&core.Stall{})
	require.Equal(t, core.JobExpired, r.stateOf("a__1"))
	require.EqualValues(t, 1, r.job("a__1").Attempt)
	r.same()
}

// What a child lacks is what its family lacks: the mission ends for want of it.
func TestFamilyThatStallsForTokens(t *testing.T) {
	spec := baseSpec()
	spec.Autonomy.PriceSmoothing, spec.Autonomy.ResourceTarget = 1_000, 0 // under load prices rise, and never fall
	spec.Workers = append(spec.Workers, core.WorkerSpec{
		Name: "x", Instances: []string{"x"}, Skills: []string{"t"}, Slots: 1, Kind: core.Simulated, Simulated: core.SimulatedSpec{Speed: 1_000_000},
	})
	hog := jobNamed("hog")
	hog.Skills, hog.EnergyBudget, hog.Work = []string{"t"}, 4_500*tokens, 3*core.Hour
	r := newRig(t, spec, hog, jobNamed("parent"))
	r.plan["parent"] = []string{"kids"}
	child := childPaid(80) // what is left pays for its energy at the price of the day
	child.Skills, child.EnergyBudget = []string{"t"}, 5_000*tokens
	r.kids["parent"] = []core.JobSpec{child}
	r.run()
	require.Equal(t, core.JobDelegated, r.stateOf("parent"))
	r.must(&core.Stall{})
	require.Equal(t, "exhausted: tokens", r.job("parent__1").Detail)
	require.Equal(t, "exhausted: tokens", r.job("parent").Detail)
	require.EqualValues(t, 1, r.state.Totals().ExhaustedLost)
	r.same()
}

// A child nobody could decide on fails, as any other job does.
func TestUndecidedChildOfAStalledFamily(t *testing.T) {
	r := newRig(t, baseSpec(), jobNamed("parent"))
	r.plan["parent"] = []string{"kids"}
	r.kids["parent"] = []core.JobSpec{childPaid(10)}
	r.says["rule_0"], r.says["rule_1"], r.says["rule_2"] = "abstain", "abstain", "abstain"
	r.run()
	require.Equal(t, core.JobAwaiting, r.stateOf("parent__1"))
	r.must(&core.Stall{})
	require.Equal(t, core.JobFailed, r.stateOf("parent__1"))
	require.Equal(t, "undecided", r.job("parent__1").Reason)
	require.Equal(t, core.JobExpired, r.stateOf("parent"))
	r.same()
}

// A child's deposit comes out of its parent's escrow, wherever in the sealed
// state the two stand.
func TestSealHoldsWhatAChildTakesFromItsParent(t *testing.T) {
	spec := baseSpec()
	spec.Workers[0].Instances = []string{"w_0"}
	jobs := []core.JobSpec{jobNamed("parent")}
	for i := range 100 { // the child stands in another chunk
		j := jobNamed(fmt.Sprintf("later-%d", i))
		j.Needs = []string{"parent"}
		jobs = append(jobs, j)
	}
	r := newRig(t, spec, jobs...)
	r.plan["parent"] = []string{"kids"}
	child := childPaid(10)
	child.EnergyBudget = 5_000 * tokens
	r.kids["parent"] = []core.JobSpec{child}
	r.used = 0
	for r.job("parent__1") == nil || r.stateOf("parent__1") != core.JobRunning {
		r.turn()
	}
	r.same()
	for r.stateOf("parent__1") == core.JobRunning { // its deposit comes back
		r.turn()
	}
	r.same()
	lived, _ := r.state.Escrow(r.job("parent"))
	back, _ := r.mirror.Escrow(r.mirror.Job("parent"))
	require.Equal(t, lived, back)
	require.NoError(t, r.mirror.Ledger().Audit())
}

// Slashes over children flow into their parent's escrow, and do not enlarge what
// it may grant: its reward without the validators' share.
func TestSlashesAreNotGranted(t *testing.T) {
	spec := baseSpec()
	spec.Treasury.WorkerEndowment = 500 * tokens
	spec.Governance.WorkerStakeRatio, spec.Governance.SlashRatio = ledger.Whole, ledger.Whole
	spec.Governance.SlashEmployer, spec.Governance.SlashTreasury = ledger.Whole, 0
	r := newRig(t, spec, jobNamed("parent"))
	r.plan["parent"] = []string{"kids"}
	r.kids["parent"] = []core.JobSpec{childPaid(80)}
	r.plan["parent__1"] = []string{"wrong", "wrong", "wrong"}
	for range 100 {
		if r.job("parent__1") == nil || !r.stateOf("parent__1").Terminal() {
			r.turn()
		}
	}
	escrow, _ := r.state.Escrow(r.job("parent"))
	require.Greater(t, escrow, 105*tokens)
	require.Equal(t, "92", r.state.Grantable(r.job("parent")).String())
	r.same()
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("parent"))
}
