package council

import (
	"fmt"
	"math/bits"
)

// million is what ratios count in.
const million = 1_000_000

// Ratios are what a seat loses of its stake, in parts per million, each at most 1,000,000.
type Ratios struct {
	WrongVote    int64
	NoReveal     int64 // at least WrongVote, or silence would be cheaper than a mistake
	Equivocation int64
}

// Loss is what a seat loses of its stake, ⌊stake × ratio⌋: for the vote against the outcome, for
// absence, for equivocation. An undecided round slashes no vote, but absence and equivocation cost the
// same as ever; an abstention costs nothing.
func (r Ratios) Loss(outcome Outcome, seat Seat) int64 {
	switch seat.State {
	case Absent, Committed:
		return part(seat.Stake, r.NoReveal)
	case Equivocated:
		return part(seat.Stake, r.Equivocation)
	case Approved:
		if outcome == Rejection {
			return part(seat.Stake, r.WrongVote)
		}
	case Rejected:
		if outcome == Approval {
			return part(seat.Stake, r.WrongVote)
		}
	}
	return 0
}

// WithOutcome is true for a seat that voted with a decided outcome and so shares in the validators'
// part.
func WithOutcome(outcome Outcome, seat Seat) bool {
	return outcome == Approval && seat.State == Approved || outcome == Rejection && seat.State == Rejected
}

// Share is what each of n voters gets of amount: ⌊amount / n⌋. It is 0 when there is nobody.
func Share(amount int64, n int) int64 {
	if n <= 0 {
		return 0
	}
	return amount / int64(n)
}

// Split divides what was slashed: ⌊amount × treasury⌋ and ⌊amount × burn⌋, ratios in parts per million
// that with the employer's sum to a million, and the remainder to the employer.
func Split(amount, treasury, burn int64) (toEmployer, toTreasury, burned int64) {
	toTreasury, burned = part(amount, treasury), part(amount, burn)
	return amount - toTreasury - burned, toTreasury, burned
}

// part is ⌊amount × ratio⌋, the product taken in 128 bits.
func part(amount, ratio int64) int64 {
	if amount < 0 || ratio < 0 || ratio > million {
		panic(fmt.Sprintf("council: %d millionths of %d", ratio, amount))
	}
	hi, lo := bits.Mul64(uint64(amount), uint64(ratio))
	quotient, _ := bits.Div64(hi, lo, million)
	return int64(quotient)
}
