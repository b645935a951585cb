package core_test

import (
	"testing"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
	"github.com/stretchr/testify/require"
)

// undecided is a mission whose three validators can never agree.
func undecided(t *testing.T) *rig {
	r := newRig(t, baseSpec(), jobNamed("a"))
	r.says["rule_0"], r.says["rule_1"], r.says["rule_2"] = "approve", "reject", "abstain"
	r.run()
	require.Equal(t, core.JobAwaiting, r.stateOf("a"))
	_, due := r.state.NextDeadline()
	require.False(t, due, "no window runs")
	r.same()
	return r
}

func TestOwnerDecidesWhatTheCouncilCannot(t *testing.T) {
	r := undecided(t)
	require.Equal(t, core.RefuseNotAwaiting, undecidedRefusal(r))
	r.order(core.Approve, "a")
	require.Equal(t, core.JobFinalized, r.stateOf("a"))
	// Nobody voted with the outcome: the validators' share stays with the worker.
	require.Equal(t, "1", r.balance("burned"))
	require.Equal(t, "300", r.validators())
	r.same()
}

func undecidedRefusal(r *rig) core.RefusalCode {
	r.must(&core.Order{ID: "x", Key: [32]byte{9}, Counter: 50, Say: core.PostJob, Post: &core.JobSpec{ID: "b", Skills: []string{"s"}}})
	return core.RefusalCode(r.order(core.Approve, "b"))
}

func TestDenialIsNoSlash(t *testing.T) {
	r := undecided(t)
	r.order(core.Deny, "a")
	require.Equal(t, core.JobRejected, r.stateOf("a"))
	require.Zero(t, r.state.Totals().Slashed)
	r.says = map[string]string{}
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("a"))
	require.EqualValues(t, 2, r.job("a").Attempt)
}

func TestNobodyAnswers(t *testing.T) {
	r := undecided(t)
	r.must(&core.Stall{})
	require.Equal(t, core.JobFailed, r.stateOf("a"))
	require.Equal(t, "undecided", r.job("a").Reason)
	require.Zero(t, r.state.Totals().Slashed)
}

func TestAskWhenTokensRunOut(t *testing.T) {
	spec := baseSpec()
	spec.Mission.OnExhausted = "ask"
	spec.Accounts = []core.AccountSpec{{Name: "poor", Tokens: 10 * tokens}}
	poor := jobNamed("a")
	poor.Employer = "poor"
	poor.Deadline = core.Hour
	r := newRig(t, spec, poor)
	r.run()
	require.Equal(t, core.JobAwaiting, r.stateOf("a"))
	r.order(core.Approve, "a")
	require.Equal(t, core.JobPostedState, r.stateOf("a"), "it may wait, and is not asked about again")
	r.same()
	r.order(core.CancelJob, "a")
	require.Equal(t, "10", r.balance("account:poor"))
}

func TestDenyWhenTokensRunOut(t *testing.T) {
	spec := baseSpec()
	spec.Mission.OnExhausted = "ask"
	big := jobNamed("a")
	big.Reward = 100_000 * tokens
	r := newRig(t, spec, big, jobNamed("b"))
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("b"), "others go on")
	r.order(core.Deny, "a")
	require.Equal(t, core.JobFailed, r.stateOf("a"))
	require.EqualValues(t, 1, r.state.Totals().ExhaustedLost)
}

// An employer pays for its own jobs, and gets back what is left.
func TestEmployersPay(t *testing.T) {
	spec := baseSpec()
	spec.Accounts = []core.AccountSpec{{Name: "lab", Tokens: 200 * tokens}}
	j := handJob()
	j.Employer = "lab"
	r := newRig(t, spec, j)
	r.used = 600 * tokens
	r.run()
	require.Equal(t, "94.4", r.balance("account:lab"))
	require.Equal(t, "9300", r.balance("account:operator"))
}

func TestSpentTokensCannotBeTakenBack(t *testing.T) {
	spec := baseSpec()
	spec.Accounts = []core.AccountSpec{{Name: "lab", Tokens: 200 * tokens}}
	j := jobNamed("a")
	j.Employer = "lab"
	r := newRig(t, spec, j)
	r.turn()
	edit := func(lab ledger.Amount) *core.Refusal {
		next := spec
		next.Instances = 1
		next.Accounts = []core.AccountSpec{{Name: "lab", Tokens: lab * tokens}}
		return r.step(&core.Generation{Entry: "mission.hcl", Spec: next, Keys: make([][32]byte, 3)})
	}
	refusal := edit(100)
	require.NotNil(t, refusal)
	require.Equal(t, core.RefuseAccountSpent, refusal.Code)
	require.Contains(t, refusal.Detail, "lab has 95 left")
	require.Nil(t, edit(105))
	require.Equal(t, "0", r.balance("account:lab"))
	require.Nil(t, edit(150))
	require.Equal(t, "45", r.balance("account:lab"))

	// An account that comes and goes is not given the same tokens again and again.
	gone := spec
	gone.Instances, gone.Accounts = 1, nil
	require.Nil(t, r.step(&core.Generation{Entry: "mission.hcl", Spec: gone, Keys: make([][32]byte, 3)}))
	require.Equal(t, "45", r.balance("account:lab"))
	owner := r.balance("account:operator")
	require.Nil(t, edit(45))
	require.Equal(t, "45", r.balance("account:lab"))
	require.Equal(t, owner, r.balance("account:operator"))
	require.Nil(t, r.step(&core.Generation{Entry: "mission.hcl", Spec: gone, Keys: make([][32]byte, 3)}))
	require.Nil(t, edit(0), "what was left in it comes back")
	require.Equal(t, "0", r.balance("account:lab"))
}

// Prices follow use: down to the floor when idle, up under load.
func TestPricesMove(t *testing.T) {
	spec := baseSpec()
	spec.Autonomy.PriceSmoothing = 280_000
	j := jobNamed("a")
	j.EnergyBudget, j.Work = 5_000*tokens, 10*core.Minute
	r := newRig(t, spec, j)
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("a"))
	require.Equal(t, "5", r.balance("resources"), "the price is that of the assignment")
	energy, compute := r.state.Prices()
	require.Equal(t, spec.Autonomy.PriceFloor, compute)
	// 60 steps of +5.6 %, each rounded down
	require.Greater(t, energy, 10*tokens)
	require.LessOrEqual(t, energy, spec.Autonomy.PriceCeiling)
	r.same()
}

func TestPriceByHand(t *testing.T) {
	spec := baseSpec()
	spec.Autonomy.PriceSmoothing = 280_000
	j := jobNamed("a")
	j.EnergyBudget, j.Work = 2_500*tokens, core.Minute // u = 0.5, target 0.8: × 0.916
	r := newRig(t, spec, j)
	for range 2 {
		r.turn()
	}
	require.EqualValues(t, 10_000, r.state.Now())
	energy, compute := r.state.Prices()
	require.Equal(t, "0.916", energy.String())
	require.Equal(t, "0.776", compute.String())
	r.turn()
	energy, _ = r.state.Prices()
	require.Equal(t, "0.839056", energy.String())
}

// Somebody who does not answer is reminded, pays, and after the second time sits
// last.
func TestAbsentValidator(t *testing.T) {
	spec := baseSpec()
	spec.Governance.Committee, spec.Governance.ApprovalsRequired = 5, 3
	spec.Validators[0].Instances = []string{"rule_0", "rule_1", "rule_2", "rule_3", "rule_4", "rule_5"}
	spec.Workers[0].Instances = []string{"w_0"} // one after the other
	var jobs []core.JobSpec
	for _, id := range []string{"a", "b", "c", "d", "e", "f"} {
		j := jobNamed(id)
		j.Work = 2 * core.Hour
		jobs = append(jobs, j)
	}
	r := newRig(t, spec, jobs...)
	r.silent["rule_3"] = true
	r.run()
	require.Contains(t, r.told("seats_reminded"), `"phase":"commit"`)
	v := r.state.Validator("rule_3")
	require.EqualValues(t, 2, v.Missed, "with five others there is no third time")
	free, locked := r.state.StakeOf(v)
	require.Equal(t, "90", free.String(), "twice half of 10")
	require.Zero(t, locked)
	require.EqualValues(t, 6, r.state.Totals().Finalized)
	r.same()
}

// A window is a round's own: those who repeat it have their time, and so have
// those who are drawn late.
func TestValidationWindowOfEachRound(t *testing.T) {
	spec := baseSpec()
	spec.Validators[0].Instances = []string{"rule_0", "rule_1", "rule_2", "rule_3", "rule_4", "rule_5"}
	j := jobNamed("a")
	j.ValidationWindow = 10 * core.Minute
	r := newRig(t, spec, j)
	for r.job("a") == nil || r.stateOf("a") != core.JobCommitting {
		r.turn()
	}
	for i := range r.job("a").Round.Seats {
		r.silent[r.job("a").Round.Seats[i].Validator.ID] = true
	}
	for r.job("a").Rounds == 1 {
		due, _ := r.state.NextDeadline()
		r.at = due
		r.must(&core.Tick{})
	}
	require.EqualValues(t, 11*core.Minute, r.at)
	due, _ := r.state.NextDeadline()
	require.Greater(t, due, r.at, "the second round has a window of its own")
	r.same()
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("a"))
	for _, v := range r.state.Validators() {
		require.Equal(t, r.silent[v.ID], v.Missed > 0, "%s: only who was silent was absent", v.ID)
	}
}

// outside is a mission with a validator that signs for itself.
func outside(t *testing.T) (*rig, core.Digest) {
	spec := baseSpec()
	spec.Governance.Committee, spec.Governance.ApprovalsRequired = 4, 3
	spec.Validators = append(spec.Validators, core.ValidatorSpec{Name: "far", Instances: []string{"far"}, Kind: core.OutsideValidator})
	r := newRig(t, spec, jobNamed("a"))
	for r.job("a") == nil || r.stateOf("a") != core.JobCommitting {
		r.turn()
	}
	r.answer()
	return r, r.commitmentOf("far", "approve")
}

func TestOutsideSeatSignsItsVote(t *testing.T) {
	r, commitment := outside(t)
	seat := r.seatOf("far")
	require.Equal(t, core.JobCommitting, r.stateOf("a"), "one seat is missing")
	require.Equal(t, core.RefuseVoteClosed, r.step(&core.Commit{Job: "a", Round: 1, Votes: []core.SealedVote{{Seat: seat, Commitment: commitment}}}).Code)
	copied := r.job("a").Round.Seats[(seat+1)%4].Sealed.Commitment
	require.Equal(t, core.RefuseCommitmentCopied, r.step(signed(seat, copied)).Code)
	r.must(signed(seat, commitment))
	require.Equal(t, core.JobRevealing, r.stateOf("a"))
	r.must(&core.Reveal{Job: "a", Round: 1, Votes: []core.OpenVote{{Seat: seat, Vote: "approve"}}})
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("a"))
	require.Equal(t, "102", r.balance("validator:far"), "a quarter of 8")
	r.same()
}

func TestEquivocationCostsAll(t *testing.T) {
	r, commitment := outside(t)
	seat := r.seatOf("far")
	r.must(signed(seat, commitment))
	require.Equal(t, core.RefuseVoteClosed, r.step(signed(seat, commitment)).Code, "the same again is no lie")
	r.must(signed(seat, r.commitmentOf("far", "reject")))
	require.NotNil(t, r.step(&core.Reveal{Job: "a", Round: 1, Votes: []core.OpenVote{{Seat: seat, Vote: "approve"}}}))
	r.run()
	require.Equal(t, core.JobFinalized, r.stateOf("a"))
	require.Equal(t, "90", r.balance("validator:far"))
	r.same()
}

func signed(seat int64, commitment core.Digest) *core.Commit {
	return &core.Commit{Job: "a", Round: 1, Votes: []core.SealedVote{{Seat: seat, Commitment: commitment, Signature: []byte("verified before the loop")}}}
}

func (r *rig) seatOf(validator string) int64 {
	for i, seat := range r.job("a").Round.Seats {
		if seat.Validator.ID == validator {
			return int64(i)
		}
	}
	r.t.Fatal("not seated")
	return 0
}

func (r *rig) commitmentOf(validator, vote string) core.Digest {
	c, err := r.state.CommitmentOf(r.job("a"), &core.OpenVote{Seat: r.seatOf(validator), Vote: vote})
	require.NoError(r.t, err)
	return c
}
