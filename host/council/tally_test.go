package council

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

// judge is a second tally, written from the rule's sentences with rationals.
func judge(required int, seats []Seat) Outcome {
	count, stake := map[State]int{}, map[State]*big.Int{}
	for s := Absent; s <= Equivocated; s++ {
		stake[s] = new(big.Int)
	}
	for _, seat := range seats {
		count[seat.State]++
		stake[seat.State].Add(stake[seat.State], big.NewInt(seat.Stake))
	}
	revealed := count[Abstained] + count[Approved] + count[Rejected]
	if big.NewRat(int64(revealed), int64(len(seats))).Cmp(big.NewRat(2, 3)) < 0 {
		return Undecided
	}
	all := new(big.Int).Add(stake[Abstained], stake[Approved])
	all.Add(all, stake[Rejected])
	carries := func(side State) bool {
		if all.Sign() == 0 {
			return true // no stake at all: only the seats decide
		}
		return new(big.Rat).SetFrac(stake[side], all).Cmp(big.NewRat(2, 3)) >= 0
	}
	approved := count[Approved] >= required && carries(Approved)
	rejected := 2*count[Rejected] > len(seats) && carries(Rejected)
	switch {
	case approved && rejected:
		panic("both sides won")
	case approved:
		return Approval
	case rejected:
		return Rejection
	}
	return Undecided
}

// TestTallyExhaustive runs every order of states for committees of three to seven under several stakes
// and every allowed number of required approvals.
func TestTallyExhaustive(t *testing.T) {
	largest := map[int]int{3: 6, 4: 6, 5: 6, 6: 5, 7: 4} // states tried, to bound the time
	patterns := [][]int64{{1}, {0}, {1, 2}, {4, 1, 1}, {math.MaxInt64}, {math.MaxInt64, 1, 0}, {1, 1, 1, 1, 1, 1, 4}}
	order := []State{Approved, Rejected, Abstained, Absent, Equivocated, Committed}
	outcomes := map[Outcome]int{}
	for size := 3; size <= 7; size++ {
		seats := make([]Seat, size)
		cases := 1
		for range size {
			cases *= largest[size]
		}
		for _, pattern := range patterns {
			for n := range cases {
				for i, rest := 0, n; i < size; i++ {
					seats[i] = Seat{Stake: pattern[i%len(pattern)], State: order[rest%largest[size]]}
					rest /= largest[size]
				}
				for required := Majority(size); required <= size; required++ {
					got := Tally(Rules{Seats: size, ApprovalsRequired: required}, seats)
					if want := judge(required, seats); got != want {
						require.Failf(t, "tally", "%v, %d required: %s, want %s", seats, required, got, want)
					}
					outcomes[got]++
				}
			}
		}
	}
	for o := Undecided; o <= Rejection; o++ {
		require.Greater(t, outcomes[o], 5_000, "%s", o)
	}
}

func TestTally(t *testing.T) {
	states := map[byte]State{'.': Absent, 'c': Committed, '-': Abstained, 'a': Approved, 'r': Rejected, 'e': Equivocated}
	for committee, want := range map[string]Outcome{
		"aaa": Approval, "aar": Approval, "aa-": Approval, "aa.": Approval, "aac": Approval, "aae": Approval,
		"rrr": Rejection, "rra": Rejection, "rr.": Rejection, "rr-": Rejection,
		"ar.": Undecided, "a..": Undecided, "a--": Undecided, "---": Undecided, "...": Undecided, "eee": Undecided,
		"aaa..": Undecided, // three of five revealed: no quorum
		"aaa-.": Approval,  // the abstention makes the quorum, and 3 of 4 is enough stake
		"aaa--": Undecided, // a quorum, but 3 of 5 is not two thirds of the stake
		"aaaa-": Approval, "aaarr": Undecided, "aaaar": Approval, "rrrr.": Rejection,
		"aaar": Approval, "aarr": Undecided,
	} {
		var seats []Seat
		for _, c := range []byte(committee) {
			seats = append(seats, Seat{Stake: 10, State: states[c]})
		}
		rules := Rules{Seats: len(seats), ApprovalsRequired: Majority(len(seats))}
		require.Equal(t, want, Tally(rules, seats), committee)
	}
	require.Equal(t, Undecided, Tally(Rules{Seats: 5, ApprovalsRequired: 3}, []Seat{{10, Approved}, {10, Approved}, {10, Approved}}),
		"seats not given are absent")
	require.Equal(t, Undecided, Tally(Rules{}, nil))
	require.Panics(t, func() { Tally(Rules{Seats: 1}, []Seat{{-1, Approved}}) })
}

func TestDone(t *testing.T) {
	for _, c := range []struct {
		states           []State
		commits, reveals bool
	}{
		{[]State{Committed, Committed}, true, false},
		{[]State{Committed, Absent}, false, false},
		{[]State{Approved, Absent}, false, true},
		{[]State{Approved, Committed}, true, false},
		{[]State{Approved, Rejected, Abstained, Equivocated}, true, true},
	} {
		var seats []Seat
		for _, s := range c.states {
			seats = append(seats, Seat{State: s})
		}
		require.Equal(t, c.commits, CommitsDone(seats), "%v", c.states)
		require.Equal(t, c.reveals, RevealsDone(seats), "%v", c.states)
	}
	require.Equal(t, Approved, Approve.State())
	require.Equal(t, Rejected, Reject.State())
	require.Equal(t, Abstained, Abstain.State())
	require.Equal(t, Absent, Vote(0).State())
}

func TestLoss(t *testing.T) {
	ratios := Ratios{WrongVote: 400_000, NoReveal: 500_000, Equivocation: 1_000_000}
	for state, losses := range map[State][3]int64{ // undecided, approval, rejection
		Absent:      {5, 5, 5},
		Committed:   {5, 5, 5},
		Abstained:   {0, 0, 0},
		Approved:    {0, 0, 4},
		Rejected:    {0, 4, 0},
		Equivocated: {11, 11, 11},
	} {
		for outcome, want := range losses {
			require.Equal(t, want, ratios.Loss(Outcome(outcome), Seat{11, state}), "%s %s", state, Outcome(outcome))
			with := Outcome(outcome) == Approval && state == Approved || Outcome(outcome) == Rejection && state == Rejected
			require.Equal(t, with, WithOutcome(Outcome(outcome), Seat{11, state}))
		}
	}
	require.Equal(t, int64(math.MaxInt64), ratios.Loss(Undecided, Seat{math.MaxInt64, Equivocated}))
	require.Panics(t, func() { ratios.Loss(Undecided, Seat{-1, Absent}) })
	require.Panics(t, func() { Ratios{NoReveal: 1_000_001}.Loss(Undecided, Seat{1, Absent}) })
}

func TestShareAndSplit(t *testing.T) {
	require.Equal(t, int64(2_666_666), Share(8_000_000, 3))
	require.Zero(t, Share(8_000_000, 0))
	employer, treasury, burned := Split(2_000_003, 500_000, 0)
	require.Equal(t, []int64{1_000_002, 1_000_001, 0}, []int64{employer, treasury, burned})
	employer, treasury, burned = Split(math.MaxInt64, 333_333, 333_333)
	require.Equal(t, int64(math.MaxInt64), employer+treasury+burned)
	require.Equal(t, treasury, burned)
	require.Greater(t, employer, treasury)
}
