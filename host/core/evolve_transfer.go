package core

import (
	"fmt"

	"github.com/omega-run/omega/host/ledger"
)

func (s *State) evolveTransfer(e *Transfer) {
	var batch [16]ledger.Transfer
	transfers := batch[:0]
	j := s.jobs[e.Job]
	for _, step := range e.Steps {
		rule := &stepRules[step.Kind]
		transfers = append(transfers, ledger.Transfer{
			Debit:  s.account(j, rule.debit, rule.Unit, step.Seat),
			Credit: s.account(j, rule.credit, rule.Unit, step.Seat),
			Amount: step.Amount,
		})
	}
	for _, leg := range e.Legs {
		transfers = append(transfers, ledger.Transfer{Debit: s.named(leg.Debit, leg.Unit), Credit: s.named(leg.Credit, leg.Unit), Amount: leg.Amount})
	}
	if i, refusal := s.ledger.Apply(transfers); refusal != ledger.OK {
		panic(fmt.Sprintf("core: entry %d moves what is not there: transfer %d of %+v: %s", s.seq, i, e, refusal))
	}
	for _, step := range e.Steps {
		s.evolveStep(j, step)
	}
	if j != nil && j.Parent != nil {
		j.Parent.group.fresh = true // its escrow is where a child is paid from
	}
	for _, leg := range e.Legs {
		if leg.Debit == "minted" && leg.Unit == ledger.Token {
			s.totals.Minted += leg.Amount
		}
	}
}

func (s *State) named(text string, unit ledger.Unit) ledger.Account {
	name, err := ledger.ParseName(text, unit)
	if err != nil {
		panic(fmt.Sprintf("core: entry %d: %v", s.seq, err))
	}
	if j := s.jobs[name.Owner]; name.Kind == ledger.KindEscrow && j != nil {
		return s.own(&j.escrow, ledger.KindEscrow, j)
	}
	return s.ledger.Open(name)
}

// evolveStep keeps the facts and sums that follow from a movement.
func (s *State) evolveStep(j *Job, step Step) {
	t := &s.totals
	switch step.Kind {
	case StepEscrow:
		j.Escrowed, j.Fee = true, step.Amount-j.Spec.Reward
		s.move(j)
		s.touch(j)
	case StepStake:
		j.Stake = step.Amount
	case StepSeat:
		j.Round.Seats[step.Seat].Stake = step.Amount
	case StepEnergyBurn:
		s.usage[0].owed -= step.Amount
	case StepComputeBurn:
		s.usage[1].owed -= step.Amount
	case StepPay:
		t.Paid += step.Amount
	case StepFee:
		t.Fees += step.Amount
	case StepBurn:
		t.Burned += step.Amount
	case StepShare:
		t.Paid += step.Amount
	case StepSlashShare:
		t.Slashed += step.Amount
		t.Paid += step.Amount
	case StepSlashBurn, StepSeatSlashBurn:
		t.Slashed += step.Amount
		t.Burned += step.Amount
	case StepSlashEmployer, StepSeatSlashEmployer:
		t.Slashed += step.Amount
		if j.Parent != nil {
			j.Parent.slashes += step.Amount
		}
	case StepSlashTreasury, StepSeatSlashTreasury:
		t.Slashed += step.Amount
	}
}

// own opens an account of a job when something first comes into it: most jobs
// never have a deposit.
func (s *State) own(a *ledger.Account, kind ledger.Kind, j *Job) ledger.Account {
	if *a == 0 {
		*a = s.ledger.OpenUnlisted(ledger.Name{Kind: kind, Unit: ledger.Token, Owner: j.Spec.ID})
	}
	return *a
}

// balance is what an account of a job holds, opened or not.
func (s *State) balance(a ledger.Account) ledger.Amount {
	if a == 0 {
		return 0
	}
	return s.ledger.Balance(a)
}

func (s *State) evolvePrices(e *PricesSet) {
	s.prices, s.priced = [2]ledger.Amount{e.Energy, e.Compute}, s.now
}
