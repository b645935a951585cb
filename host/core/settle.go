package core

import (
	"github.com/omega-run/omega/host/council"
	"github.com/omega-run/omega/host/ledger"
)

// approve pays everybody for an approved result, in the order of the rules:
// the validators who voted with the outcome share their part of the reward, of
// the rest a part is burned, the worker gets what remains and its stake, the fee
// is booked. Without a council the validators' part stays with the worker.
func (s *State) approve(j *Job, seats []council.Seat, steps *stepList) {
	if steps == nil {
		own := s.steps(j)
		steps = &own
	}
	g := &s.spec.Governance
	left := s.balance(j.escrow) - j.Fee
	voters := withOutcome(council.Approval, seats)
	pot := min(g.ValidatorRewardRatio.Of(j.Reward()), max(0, left)) // an edit may raise the ratio after children were paid
	share := ledger.Amount(council.Share(int64(pot), len(voters)))
	for _, seat := range voters {
		steps.add(StepShare, seat, share)
		left -= share
	}
	burn := g.BurnRatio.Of(left)
	steps.add(StepBurn, 0, burn)
	steps.add(StepPay, 0, left-burn)
	steps.add(StepFee, 0, j.Fee)
	steps.add(StepStakeReturn, 0, j.Stake)
	steps.emit()
	s.end(j, JobFinalized, "", "")
}

// reject slashes the worker: the validators of the outcome are paid first out
// of it, the rest goes by the slash shares. Then the next attempt, or the end.
func (s *State) reject(j *Job, seats []council.Seat, steps *stepList, reason string) {
	if steps == nil {
		own := s.steps(j)
		steps = &own
	}
	g := &s.spec.Governance
	slash := g.SlashRatio.Of(j.Stake)
	rest := slash
	voters := withOutcome(council.Rejection, seats)
	pot := min(g.ValidatorRewardRatio.Of(j.Reward()), slash)
	share := ledger.Amount(council.Share(int64(pot), len(voters)))
	for _, seat := range voters {
		steps.add(StepSlashShare, seat, share)
		rest -= share
	}
	employer, treasury, burned := s.split(rest)
	steps.add(StepSlashEmployer, 0, employer)
	steps.add(StepSlashTreasury, 0, treasury)
	steps.add(StepSlashBurn, 0, burned)
	steps.add(StepStakeReturn, 0, j.Stake-slash)
	steps.emit()
	retry := s.retryAt(j)
	s.emit(&AttemptRejected{Job: j.Spec.ID, Attempt: j.Attempt, Reason: reason, RetryAt: retry})
	if retry == 0 {
		s.end(j, JobFailed, reasonAttempts, "rejected")
	}
}

func (s *State) split(slash ledger.Amount) (employer, treasury, burned ledger.Amount) {
	g := &s.spec.Governance
	e, t, b := council.Split(int64(slash), int64(g.SlashTreasury), int64(g.SlashBurn))
	return ledger.Amount(e), ledger.Amount(t), ledger.Amount(b)
}

func withOutcome(outcome council.Outcome, seats []council.Seat) (voters []int) {
	for i, seat := range seats {
		if council.WithOutcome(outcome, seat) {
			voters = append(voters, i)
		}
	}
	return voters
}

// addSeats settles the seats' own stakes: what a seat loses goes by the slash
// shares, the rest returns.
func (s *State) addSeats(steps stepList, seats []council.Seat, outcome council.Outcome) {
	g := &s.spec.Governance
	ratios := council.Ratios{WrongVote: int64(g.WrongVoteRatio), NoReveal: int64(g.NoRevealRatio), Equivocation: int64(g.EquivocationRatio)}
	for i, seat := range seats {
		loss := ledger.Amount(ratios.Loss(outcome, seat))
		employer, treasury, burned := s.split(loss)
		steps.add(StepSeatSlashEmployer, i, employer)
		steps.add(StepSeatSlashTreasury, i, treasury)
		steps.add(StepSeatSlashBurn, i, burned)
		steps.add(StepSeatReturn, i, ledger.Amount(seat.Stake)-loss)
	}
}
