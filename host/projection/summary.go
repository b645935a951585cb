package projection

import (
	"strconv"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// Pressure is what weighs on a mission, as parts of the whole.
type Pressure struct {
	Energy  ledger.Ratio // of the limit in use; 1 where there is none and a job needs it
	Compute ledger.Ratio
	Backlog ledger.Ratio // of the open jobs, those due within the forecast horizon
	Locked  ledger.Ratio // of all tokens, those in escrow, deposits and stakes
}

// Weigh is the pressure on a mission of which so many jobs are open, due within
// the forecast horizon, and in need of energy and of compute.
func Weigh(s *core.State, needs [2]int64, due, open int64, locked ledger.Ratio) Pressure {
	limit, free, _, _ := s.Resource(ledger.Energy)
	limit2, free2, _, _ := s.Resource(ledger.Compute)
	return Pressure{Energy: useOf(limit, free, needs[0] > 0), Compute: useOf(limit2, free2, needs[1] > 0), Backlog: part(due, open), Locked: locked}
}

// LockedOf is the part of all tokens that lies in escrow, deposits and stakes.
func LockedOf(held, all ledger.Amount) ledger.Ratio { return part(int64(held), int64(all)) }

// Confidence is what the greatest pressure leaves of the whole.
func (p Pressure) Confidence() ledger.Ratio {
	return ledger.Whole - min(max(p.Energy, p.Compute, p.Backlog, p.Locked), ledger.Whole)
}

// Phase is the mission's condition in one word.
type Phase string

// The phases, from the confidence down.
const (
	Ascendant     Phase = "ascendant"     // 0.85 and above
	Stabilisation Phase = "stabilisation" // 0.60 and above
	Intervention  Phase = "intervention"
)

const (
	ascendantFrom     ledger.Ratio = 850_000
	stabilisationFrom ledger.Ratio = 600_000
)

// PhaseOf is the phase a confidence stands for.
func PhaseOf(confidence ledger.Ratio) Phase {
	switch {
	case confidence >= ascendantFrom:
		return Ascendant
	case confidence >= stabilisationFrom:
		return Stabilisation
	}
	return Intervention
}

// part is ⌊a/of⌋ in parts per million, at most the whole; 0 of nothing.
func part(a, of int64) ledger.Ratio {
	if a <= 0 || of <= 0 {
		return 0
	}
	n, ok := ledger.MulDiv(a, int64(ledger.Whole), of)
	if !ok {
		return ledger.Whole
	}
	return min(ledger.Ratio(n), ledger.Whole)
}

// useOf is the part of a resource that is in use. Without any, it is all used
// as soon as a job needs it.
func useOf(limit, free ledger.Amount, needed bool) ledger.Ratio {
	switch {
	case limit > 0:
		return part(int64(limit-free), int64(limit))
	case needed:
		return ledger.Whole
	}
	return 0
}

// appendHeadline says in a sentence how the mission stands.
func appendHeadline(b []byte, status core.Status, reason string, phase Phase, c *JobCounts) []byte {
	switch status {
	case core.Running:
		b = append(b, phase[0]-'a'+'A')
		b = append(b, phase[1:]...)
	case core.Ended:
		b = append(append(b, "Ended, "...), words(reason)...)
	case core.Emergency:
		b = append(b, "Stopped in an emergency"...)
	default:
		b = append(b, status[0]-'a'+'A')
		b = append(b, status[1:]...)
	}
	if c.Total == 0 {
		return append(b, ": no job is posted yet."...)
	}
	b = strconv.AppendInt(append(b, ": "...), c.Finalized, 10)
	b = strconv.AppendInt(append(b, " of "...), c.Total, 10)
	b = append(b, " jobs finalized"...)
	for _, group := range [...]struct {
		n    int64
		what string
	}{
		{c.running(), " running"}, {c.Delegated, " waiting for others"}, {c.judged(), " being judged"}, {c.AwaitingApproval, " waiting for a person"},
		{c.waiting(), " waiting"}, {c.Failed, " failed"}, {c.Expired, " expired"}, {c.Cancelled, " cancelled"}, {c.Skipped, " skipped"},
	} {
		if group.n > 0 {
			b = append(strconv.AppendInt(append(b, ", "...), group.n, 10), group.what...)
		}
	}
	return append(b, '.')
}
