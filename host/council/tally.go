package council

import (
	"fmt"
	"math/bits"
)

// State is how far a seat has come in its round. The zero value is Absent: nothing heard.
type State uint8

const (
	Absent      State = iota // no commitment; at the end of the round, absent
	Committed                // commitment without reveal; at the end of the round, absent
	Abstained                // an abstention: revealed, or recorded by the host for a faulty or keyless validator
	Approved                 // revealed approve
	Rejected                 // revealed reject
	Equivocated              // two different commitments or reveals: counts as absent, costs most
)

var stateNames = [...]string{"absent", "committed", "abstained", "approved", "rejected", "equivocated"}

// String is the state's permanent name.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return fmt.Sprintf("state(%d)", uint8(s))
}

// State is the state of a seat that revealed the vote.
func (v Vote) State() State {
	switch v {
	case Approve:
		return Approved
	case Reject:
		return Rejected
	case Abstain:
		return Abstained
	}
	return Absent
}

// Seat is one member of a committee.
type Seat struct {
	Stake int64 // locked for this seat and round, TOKEN minor units, not negative
	State State
}

// Rules are a committee's terms.
type Rules struct {
	Seats             int // seats drawn; those Tally is not given are absent
	ApprovalsRequired int // at least Majority(Seats), or the mission was refused
}

// Majority is the least number of seats that is more than half.
func Majority(seats int) int { return seats/2 + 1 }

// Outcome is what a round decides.
type Outcome uint8

const (
	Undecided Outcome = iota
	Approval
	Rejection
)

var outcomeNames = [...]string{"undecided", "approved", "rejected"}

// String is the outcome's permanent name.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return fmt.Sprintf("outcome(%d)", uint8(o))
}

// Tally decides a round:
//
//	quorum     revealed seats × 3 ≥ seats × 2
//	approval   quorum, approvals ≥ ApprovalsRequired, approving stake × 3 ≥ revealed stake × 2
//	rejection  quorum, rejections ≥ Majority(Seats), rejecting stake × 3 ≥ revealed stake × 2
//
// Anything else is undecided. An abstention is revealed, in the quorum and in the revealed stake
// alike: the word has one meaning, and a decision needs two thirds of the stake of all who answered.
// So abstaining helps a round to be held but neither side to win it, and a doubt ends with the owner,
// not with a thinner council. Sums are taken in 128 bits. Both sides cannot win: each needs a majority
// of the seats.
func Tally(rules Rules, seats []Seat) Outcome {
	var revealed, approvals, rejections int
	var approving, rejecting, abstaining sum128
	for _, seat := range seats {
		switch seat.State {
		case Approved:
			approvals++
			approving.add(seat.Stake)
		case Rejected:
			rejections++
			rejecting.add(seat.Stake)
		case Abstained:
			abstaining.add(seat.Stake)
		default:
			continue
		}
		revealed++
	}
	switch {
	case revealed*3 < rules.Seats*2:
		return Undecided
	case approvals >= max(rules.ApprovalsRequired, 1) && approving.atLeastTwice(rejecting, abstaining):
		return Approval
	case rejections >= Majority(rules.Seats) && rejecting.atLeastTwice(approving, abstaining):
		return Rejection
	}
	return Undecided
}

// CommitsDone is true when everybody has answered in the commit phase, so that it may close early.
func CommitsDone(seats []Seat) bool { return none(seats, Absent) }

// RevealsDone is true when everybody who committed has answered in the reveal phase.
func RevealsDone(seats []Seat) bool { return none(seats, Committed) }

func none(seats []Seat, state State) bool {
	for _, seat := range seats {
		if seat.State == state {
			return false
		}
	}
	return true
}

// sum128 is an unsigned sum of stakes.
type sum128 struct{ hi, lo uint64 }

func (s *sum128) add(stake int64) {
	if stake < 0 {
		panic("council: a stake is negative")
	}
	*s = s.plus(sum128{lo: uint64(stake)})
}

func (s sum128) plus(t sum128) sum128 {
	lo, carry := bits.Add64(s.lo, t.lo, 0)
	hi, _ := bits.Add64(s.hi, t.hi, carry)
	return sum128{hi, lo}
}

// atLeastTwice is s ≥ 2(t+u), which is s × 3 ≥ (s+t+u) × 2.
func (s sum128) atLeastTwice(t, u sum128) bool {
	others := t.plus(u)
	others = others.plus(others)
	return s.hi > others.hi || s.hi == others.hi && s.lo >= others.lo
}
