package inquiry

import (
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// Tally is what the movements of a job come to, in TOKEN. A job's children are
// not part of it: what is granted to them moves between two escrows.
type Tally struct {
	Pay        ledger.Amount // to its workers
	Shares     ledger.Amount // of the reward, to validators
	Fee        ledger.Amount
	Burned     ledger.Amount // of the pay
	Resources  ledger.Amount // for energy and compute
	ToEmployer ledger.Amount // of slashes: it comes back
	ToTreasury ledger.Amount // of slashes: it comes back to the mission's owner

	WorkerSlashed ledger.Amount // what its workers lost, wherever it went
	SeatSlashed   ledger.Amount // what its validators lost
	SlashShares   ledger.Amount // of the workers' slashes, to validators
	SlashBurned   ledger.Amount // of all slashes

	Escrow  ledger.Amount // still held
	Deposit ledger.Amount
	Stake   ledger.Amount // of its worker
	Seats   ledger.Amount // stakes of its validators
}

// Cost is what has left the employers for good: what was paid without what came
// back out of slashes. What is still held is not spent.
func (t *Tally) Cost() ledger.Amount {
	return t.Pay + t.Shares + t.Fee + t.Burned + t.Resources - t.ToEmployer - t.ToTreasury
}

// book adds a movement of the job's own.
func (t *Tally) book(kind core.StepKind, a ledger.Amount) {
	switch kind {
	case core.StepEscrow:
		t.Escrow += a
	case core.StepEscrowReturn:
		t.Escrow -= a
	case core.StepDeposit:
		t.Deposit += a
	case core.StepDepositReturn:
		t.Deposit -= a
	case core.StepUsage:
		t.Deposit -= a
		t.Resources += a
	case core.StepShare:
		t.Escrow -= a
		t.Shares += a
	case core.StepBurn:
		t.Escrow -= a
		t.Burned += a
	case core.StepPay:
		t.Escrow -= a
		t.Pay += a
	case core.StepFee:
		t.Escrow -= a
		t.Fee += a
	default:
		t.bookStakes(kind, a)
	}
}

func (t *Tally) bookStakes(kind core.StepKind, a ledger.Amount) {
	switch kind {
	case core.StepStake:
		t.Stake += a
	case core.StepStakeReturn:
		t.Stake -= a
	case core.StepSeat:
		t.Seats += a
	case core.StepSeatReturn:
		t.Seats -= a
	}
	switch loser, to := slashOf(kind); loser {
	case theWorker:
		t.Stake -= a
		t.WorkerSlashed += a
		*t.slashed(to) += a
	case theSeat:
		t.Seats -= a
		t.SeatSlashed += a
		*t.slashed(to) += a
	}
}

func (t *Tally) slashed(to party) *ledger.Amount {
	switch to {
	case theEmployer:
		return &t.ToEmployer
	case theTreasury:
		return &t.ToTreasury
	case theSeat:
		return &t.SlashShares
	}
	return &t.SlashBurned
}

// party is an end of a slash.
type party int

const (
	nobody party = iota // burned
	theWorker
	theSeat
	theEmployer
	theTreasury
)

// slashOf says who loses a stake by a movement and who gets it; the loser is
// nobody where it is no slash.
func slashOf(kind core.StepKind) (loser, to party) {
	switch kind {
	case core.StepSlashShare:
		return theWorker, theSeat
	case core.StepSlashEmployer:
		return theWorker, theEmployer
	case core.StepSlashTreasury:
		return theWorker, theTreasury
	case core.StepSlashBurn:
		return theWorker, nobody
	case core.StepSeatSlashEmployer:
		return theSeat, theEmployer
	case core.StepSeatSlashTreasury:
		return theSeat, theTreasury
	case core.StepSeatSlashBurn:
		return theSeat, nobody
	}
	return nobody, nobody
}

// employerGets is what a movement adds to the account that pays for the job;
// it is negative where that account pays.
func employerGets(kind core.StepKind, a ledger.Amount) ledger.Amount {
	switch kind {
	case core.StepEscrow, core.StepDeposit:
		return -a
	case core.StepEscrowReturn, core.StepDepositReturn, core.StepSlashEmployer, core.StepSeatSlashEmployer:
		return a
	}
	return 0
}

// workerGets is what a movement adds to the worker's tokens, free and at stake
// together.
func workerGets(kind core.StepKind, a ledger.Amount) ledger.Amount {
	if loser, _ := slashOf(kind); loser == theWorker {
		return -a
	}
	if kind == core.StepPay {
		return a
	}
	return 0
}

// seatGets is the same for the validator in the movement's seat.
func seatGets(kind core.StepKind, a ledger.Amount) ledger.Amount {
	if loser, _ := slashOf(kind); loser == theSeat {
		return -a
	}
	if kind == core.StepShare || kind == core.StepSlashShare {
		return a
	}
	return 0
}

// add puts another tally on top.
func (t *Tally) add(o *Tally) {
	t.Pay += o.Pay
	t.Shares += o.Shares
	t.Fee += o.Fee
	t.Burned += o.Burned
	t.Resources += o.Resources
	t.ToEmployer += o.ToEmployer
	t.ToTreasury += o.ToTreasury
	t.WorkerSlashed += o.WorkerSlashed
	t.SeatSlashed += o.SeatSlashed
	t.SlashShares += o.SlashShares
	t.SlashBurned += o.SlashBurned
	t.Escrow += o.Escrow
	t.Deposit += o.Deposit
	t.Stake += o.Stake
	t.Seats += o.Seats
}

// CostOf is a Tally as it is written: decimal texts in whole TOKEN.
type CostOf struct {
	Total             string `json:"total"` // spent for good: the next five without the next two
	WorkerPay         string `json:"worker_pay"`
	ValidatorShares   string `json:"validator_shares"`
	Fee               string `json:"fee"`
	Burned            string `json:"burned"`
	Resources         string `json:"resources"`
	SlashesToEmployer string `json:"slashes_to_employer"`
	SlashesToTreasury string `json:"slashes_to_treasury"`

	WorkersSlashed      string `json:"workers_slashed"`    // in all
	ValidatorsSlashed   string `json:"validators_slashed"` // in all
	SlashesToValidators string `json:"slashes_to_validators"`
	SlashesBurned       string `json:"slashes_burned"`

	Escrow          string `json:"escrow"` // held now
	Deposit         string `json:"deposit"`
	WorkerStake     string `json:"worker_stake"`
	ValidatorStakes string `json:"validator_stakes"`
}

func (t *Tally) spell() CostOf {
	return CostOf{
		Total: t.Cost().String(), WorkerPay: t.Pay.String(), ValidatorShares: t.Shares.String(), Fee: t.Fee.String(),
		Burned: t.Burned.String(), Resources: t.Resources.String(),
		SlashesToEmployer: t.ToEmployer.String(), SlashesToTreasury: t.ToTreasury.String(),
		WorkersSlashed: t.WorkerSlashed.String(), ValidatorsSlashed: t.SeatSlashed.String(),
		SlashesToValidators: t.SlashShares.String(), SlashesBurned: t.SlashBurned.String(),
		Escrow: t.Escrow.String(), Deposit: t.Deposit.String(), WorkerStake: t.Stake.String(), ValidatorStakes: t.Seats.String(),
	}
}
