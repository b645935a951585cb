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

// steps is the member that lists movements: ["stake","20"], ["share/0","2.5"],
// and as one ["share/0-4","2.5"] where seats that follow each other move the
// same.
func (c *Codec) steps(name string, v *[]Step) {
	if c.reading {
		c.readSteps(name, v)
		return
	}
	if len(*v) == 0 {
		return
	}
	c.key(name)
	c.buf = append(c.buf, '[')
	for rest := *v; len(rest) > 0; {
		n := alike(rest)
		c.step(&rest[0], rest[n-1].Seat)
		if rest = rest[n:]; len(rest) > 0 {
			c.buf = append(c.buf, ',')
		}
	}
	c.buf = append(c.buf, ']')
}

// alike is how many of the first steps differ in nothing but their seats, which
// follow each other.
func alike(steps []Step) int {
	n := 1
	for stepRules[steps[0].Kind].Seat && n < len(steps) && steps[n] == (Step{steps[0].Kind, steps[n-1].Seat + 1, steps[0].Amount}) {
		n++
	}
	return n
}

func (c *Codec) step(s *Step, last int64) {
	rule := &stepRules[s.Kind]
	c.buf = append(c.buf, '[', '"')
	c.buf = append(c.buf, rule.Name...)
	if rule.Seat {
		c.buf = append(c.buf, '/')
		c.buf = strconv.AppendInt(c.buf, s.Seat, 10)
	}
	if last != s.Seat {
		c.buf = append(c.buf, '-')
		c.buf = strconv.AppendInt(c.buf, last, 10)
	}
	c.buf = append(c.buf, '"', ',')
	c.putAmount(s.Amount)
	c.buf = append(c.buf, ']')
}

func (c *Codec) readSteps(name string, v *[]Step) {
	if !c.has(name) {
		return
	}
	c.expect('[')
	for c.err == nil {
		c.readStep(v)
		if len(c.buf) == 0 || c.buf[0] != ',' {
			break
		}
		c.buf = c.buf[1:]
	}
	c.expect(']')
}

// maxSeats bounds what a range of seats may stand for.
const maxSeats = 64

func (c *Codec) readStep(v *[]Step) {
	c.expect('[')
	c.expect('"')
	name, seats, seated := strings.Cut(string(c.until('"')), "/")
	kind, ok := stepNamed(name, seated)
	if !ok {
		c.fail("unknown step " + name)
	}
	first, last := c.seats(seats, seated)
	c.expect(',')
	amount := c.amount()
	c.expect(']')
	for seat := first; c.err == nil && seat <= last; seat++ {
		*v = append(*v, Step{kind, seat, amount})
	}
}

func stepNamed(name string, seated bool) (StepKind, bool) {
	for kind := range stepRules {
		if stepRules[kind].Name == name && stepRules[kind].Seat == seated {
			return StepKind(kind), true
		}
	}
	return 0, false
}

func (c *Codec) seats(text string, seated bool) (first, last int64) {
	if !seated {
		return 0, 0
	}
	from, to, many := strings.Cut(text, "-")
	if !many {
		to = from
	}
	first, err := strconv.ParseInt(from, 10, 32)
	last, err2 := strconv.ParseInt(to, 10, 32)
	if err != nil || err2 != nil || first < 0 || last < first || last-first >= maxSeats {
		c.fail("bad seat")
	}
	return first, last
}

// account resolves one end of a step.
func (s *State) account(j *Job, at place, unit ledger.Unit, seat int64) ledger.Account {
	a := &s.accounts
	switch at {
	case atOwner:
		return a.owner
	case atEmployer:
		if j.Parent != nil {
			return s.own(&j.Parent.escrow, ledger.KindEscrow, j.Parent)
		}
		return j.purse.account
	case atEscrow:
		return s.own(&j.escrow, ledger.KindEscrow, j)
	case atDeposit:
		return s.own(&j.deposit, ledger.KindDeposit, j)
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
