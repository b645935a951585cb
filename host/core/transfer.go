package core

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/omega-run/omega/host/ledger"
)

// Step is one movement of a job's amounts. Its kind says from where to where;
// Seat is the seat it concerns, where the kind has one. The id of the transfer
// is <job>/<attempt>/<step>[/<seat>].
type Step struct {
	Kind   StepKind
	Seat   int64
	Amount ledger.Amount
}

// StepKind is one of the closed list of movements.
type StepKind uint8

// The movements, in the order a job's life takes them.
const (
	StepEscrow StepKind = iota
	StepStake
	StepDeposit
	StepEnergy
	StepCompute
	StepUsage
	StepDepositReturn
	StepEnergyReturn
	StepEnergyBurn
	StepComputeReturn
	StepComputeBurn
	StepSeat
	StepSeatReturn
	StepSeatSlashEmployer
	StepSeatSlashTreasury
	StepSeatSlashBurn
	StepShare
	StepBurn
	StepPay
	StepFee
	StepStakeReturn
	StepSlashShare
	StepSlashEmployer
	StepSlashTreasury
	StepSlashBurn
	StepEscrowReturn
	stepKinds
)

// place is one end of a step, resolved against the job it belongs to.
type place uint8

const (
	atEmployer place = iota
	atOwner
	atEscrow
	atDeposit
	atWorker
	atWorkerStake
	atValidator
	atValidatorStake
	atResources
	atFees
	atBurned
	atCapacity
	atReserved
)

// StepRule is a row of the step table.
type StepRule struct {
	Name   string
	Unit   ledger.Unit
	Seat   bool
	debit  place
	credit place
	Doc    string
}

var stepRules = [stepKinds]StepRule{
	StepEscrow:            {"escrow", ledger.Token, false, atEmployer, atEscrow, "reward and fee, reserved when the job is posted"},
	StepStake:             {"stake", ledger.Token, false, atWorker, atWorkerStake, "the worker's stake"},
	StepDeposit:           {"deposit", ledger.Token, false, atEmployer, atDeposit, "the price of the whole budget"},
	StepEnergy:            {"energy", ledger.Energy, false, atCapacity, atReserved, "the energy budget"},
	StepCompute:           {"compute", ledger.Compute, false, atCapacity, atReserved, "the compute budget"},
	StepUsage:             {"usage", ledger.Token, false, atDeposit, atResources, "the price of what was used"},
	StepDepositReturn:     {"deposit_return", ledger.Token, false, atDeposit, atEmployer, "the rest of the deposit"},
	StepEnergyReturn:      {"energy_return", ledger.Energy, false, atReserved, atCapacity, "the energy budget, free again"},
	StepEnergyBurn:        {"energy_burn", ledger.Energy, false, atReserved, atBurned, "energy owed to a lowered limit"},
	StepComputeReturn:     {"compute_return", ledger.Compute, false, atReserved, atCapacity, "the compute budget, free again"},
	StepComputeBurn:       {"compute_burn", ledger.Compute, false, atReserved, atBurned, "compute owed to a lowered limit"},
	StepSeat:              {"seat", ledger.Token, true, atValidator, atValidatorStake, "a seat's stake"},
	StepSeatReturn:        {"seat_return", ledger.Token, true, atValidatorStake, atValidator, "a seat's stake, or what is left of it"},
	StepSeatSlashEmployer: {"seat_slash_employer", ledger.Token, true, atValidatorStake, atEmployer, "the employer's part of a seat's slash"},
	StepSeatSlashTreasury: {"seat_slash_treasury", ledger.Token, true, atValidatorStake, atOwner, "the treasury's part of a seat's slash"},
	StepSeatSlashBurn:     {"seat_slash_burn", ledger.Token, true, atValidatorStake, atBurned, "the burned part of a seat's slash"},
	StepShare:             {"share", ledger.Token, true, atEscrow, atValidator, "a validator's part of the reward"},
	StepBurn:              {"burn", ledger.Token, false, atEscrow, atBurned, "the burned part of the worker's pay"},
	StepPay:               {"pay", ledger.Token, false, atEscrow, atWorker, "the worker's pay"},
	StepFee:               {"fee", ledger.Token, false, atEscrow, atFees, "the fee"},
	StepStakeReturn:       {"stake_return", ledger.Token, false, atWorkerStake, atWorker, "the worker's stake, or what is left of it"},
	StepSlashShare:        {"slash_share", ledger.Token, true, atWorkerStake, atValidator, "a validator's part of the worker's slash"},
	StepSlashEmployer:     {"slash_employer", ledger.Token, false, atWorkerStake, atEmployer, "the employer's part of the worker's slash"},
	StepSlashTreasury:     {"slash_treasury", ledger.Token, false, atWorkerStake, atOwner, "the treasury's part of the worker's slash"},
	StepSlashBurn:         {"slash_burn", ledger.Token, false, atWorkerStake, atBurned, "the burned part of the worker's slash"},
	StepEscrowReturn:      {"escrow_return", ledger.Token, false, atEscrow, atEmployer, "what is left of the escrow"},
}

// Steps is the table of movements, for the reference pages.
func Steps() []StepRule { return stepRules[:] }

func (k StepKind) String() string { return stepRules[k].Name }

// Leg is a movement between two named accounts that belongs to no job.
type Leg struct {
	Unit   ledger.Unit
	Debit  string
	Credit string
	Amount ledger.Amount
}

// step writes ["stake","20"] or ["share/0","2.666666"].
func (c *Codec) step(s *Step) {
	if c.reading {
		c.readStep(s)
		return
	}
	rule := &stepRules[s.Kind]
	c.buf = append(c.buf, '[', '"')
	c.buf = append(c.buf, rule.Name...)
	if rule.Seat {
		c.buf = append(c.buf, '/')
		c.buf = strconv.AppendInt(c.buf, s.Seat, 10)
	}
	c.buf = append(c.buf, '"', ',')
	c.putAmount(s.Amount)
	c.buf = append(c.buf, ']')
}

func (c *Codec) readStep(s *Step) {
	c.expect('[')
	c.expect('"')
	name, seat, seated := strings.Cut(string(c.until('"')), "/")
	for kind := range stepRules {
		if stepRules[kind].Name == name && stepRules[kind].Seat == seated {
			s.Kind = StepKind(kind)
			break
		}
	}
	if s.Kind.String() != name {
		c.fail("unknown step " + name)
	}
	if seated {
		n, err := strconv.ParseInt(seat, 10, 32)
		if err != nil || n < 0 {
			c.fail("bad seat")
		}
		s.Seat = n
	}
	c.expect(',')
	s.Amount = c.amount()
	c.expect(']')
}

// account resolves one end of a step.
func (s *State) account(j *Job, at place, unit ledger.Unit, seat int64) ledger.Account {
	a := &s.accounts
	switch at {
	case atEmployer, atOwner:
		return a.owner
	case atEscrow:
		return j.escrow
	case atDeposit:
		return j.deposit
	case atWorker:
		return j.Worker.account
	case atWorkerStake:
		return j.Worker.stake
	case atValidator:
		return j.Round.Seats[seat].Validator.account
	case atValidatorStake:
		return j.Round.Seats[seat].Validator.stake
	case atResources:
		return a.resources
	case atFees:
		return a.fees
	case atCapacity:
		return a.capacity[resource(unit)]
	case atReserved:
		return a.reserved[resource(unit)]
	case atBurned:
		if unit != ledger.Token {
			return a.limitBurned[resource(unit)]
		}
		return a.burned
	}
	panic(fmt.Sprintf("core: no account for place %d", at))
}
