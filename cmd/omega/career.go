package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/inquiry"
)

// party explains a worker or a validator. Where the name is neither's, the
// error is the one there is already.
func (p *program) party(data, name string, unknown error) error {
	worker, validator, err := host.ExplainParty(data, name)
	w := bufio.NewWriter(p.out)
	switch {
	case err != nil:
		return err
	case worker == nil && validator == nil:
		return p.script(data, name, unknown)
	case p.json && worker != nil:
		return p.print(worker)
	case p.json:
		return p.print(validator)
	case worker != nil:
		explainWorker(w, worker)
	default:
		explainValidator(w, validator)
	}
	return w.Flush()
}

func partyHead(w io.Writer, kind, name string, members []string, mission string) {
	many := ""
	if len(members) > 1 {
		many = fmt.Sprintf(", %d of them", len(members))
	}
	fmt.Fprintf(w, "%s %s of %s%s\n", kind, name, clean(mission), many)
}

// partyScript says what a script worker or validator runs.
func partyScript(w io.Writer, s *inquiry.ScriptOf, suspended *inquiry.SuspendedOf) {
	if s != nil {
		scriptHead(w, s, suspended)
	}
	if suspended != nil {
		fmt.Fprintf(w, "  fault      %s\n", short(suspended.Fault))
	}
}

// ofVersion names the version of the script that did it.
func ofVersion(digest string) string {
	if digest == "" {
		return ""
	}
	return " (version " + shortDigest(digest) + ")"
}

// before says how many there were before the ones that are told.
func before(w io.Writer, n int64, what string) {
	if n > 0 {
		fmt.Fprintf(w, "  … %s before these\n", number(n, what))
	}
}

func explainWorker(w io.Writer, s *inquiry.WorkerStory) {
	t := &s.Totals
	partyHead(w, "worker", s.Worker, s.Members, s.Mission)
	partyScript(w, s.Script, s.Suspended)
	fmt.Fprintf(w, "  %s: %s\n", number(t.Attempts, "attempt"), counts(t.Approved, "approved", t.Rejected, "rejected", t.Failed, "failed", t.Delegated, "delegated", t.Other, "ended otherwise", t.Open, "open"))
	fmt.Fprintf(w, "  tokens: %s\n", parts(", ", "paid", t.Paid, "slashed", t.Slashed))
	before(w, t.Attempts-int64(len(s.Turns)), "attempt")
	for _, a := range s.Turns {
		when := a.AssignedAt.Clock()
		if a.EndedAt != nil {
			when += "–" + a.EndedAt.Clock()
		}
		who := ""
		if len(s.Members) > 1 {
			who = a.Worker + "  "
		}
		fmt.Fprintf(w, "  %-17s  %s%s, attempt %d: %s%s%s\n", when, who, clean(a.Name), a.Attempt, a.Outcome, because(a.Reason, a.Detail), got(a.Paid, a.Slashed)+ofVersion(a.Version))
	}
}

func explainValidator(w io.Writer, s *inquiry.ValidatorStory) {
	t := &s.Totals
	partyHead(w, "validator", s.Validator, s.Members, s.Mission)
	partyScript(w, s.Script, s.Suspended)
	fmt.Fprintf(w, "  %s: %s\n", number(t.Seats, "seat"), counts(t.Voted, "voted", t.Absent, "absent", t.Reminded, "reminded"))
	fmt.Fprintf(w, "  tokens: %s\n", parts(", ", "paid", t.Paid, "slashed", t.Slashed))
	before(w, t.Seats-int64(len(s.Sittings)), "seat")
	for _, one := range s.Sittings {
		who, text := "", sittingText(one)
		if len(s.Members) > 1 {
			who = one.Validator + "  "
		}
		fmt.Fprintf(w, "  %s  %s%s, round %d: %s\n", one.OpenedAt.Clock(), who, clean(one.Name), one.Round, text+ofVersion(one.Version))
	}
}

func sittingText(s *inquiry.SittingOf) string {
	text := s.Vote + because(s.Reason, "")
	switch {
	case s.Absent:
		text = "absent"
	case s.Vote == "" && s.Outcome == "":
		text = "the vote is open"
	case s.Vote == "":
		text = "no vote counted"
	}
	if s.Reminded > 0 {
		text += ", reminded " + times(s.Reminded)
	}
	if s.Equivocated {
		text += ", signed two commitments"
	}
	if s.Outcome != "" {
		text += "; the round: " + s.Outcome
	}
	return text + got(s.Paid, s.Slashed)
}

// got is what somebody was paid and has lost.
func got(paid, slashed string) (text string) {
	if paid != "0" {
		text += ", paid " + paid
	}
	if slashed != "0" {
		text += ", slashed " + slashed
	}
	return text
}

// counts joins numbers that are not zero with what they count.
func counts(numbersAndNames ...any) string {
	var all []string
	for i := 0; i < len(numbersAndNames); i += 2 {
		if n := numbersAndNames[i].(int64); n != 0 {
			all = append(all, fmt.Sprintf("%d %s", n, numbersAndNames[i+1]))
		}
	}
	if len(all) == 0 {
		return nothing
	}
	return strings.Join(all, ", ")
}
