package projection

import (
	"slices"
	"strconv"
	"strings"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// Teller tells a journal to people from its first entry on. It knows who does
// each open job and who sits in its round, so that it can name them; progress
// lines, which a running host writes, only count them.
type Teller struct {
	workers map[string]string   // by job
	seats   map[string][]string // by job
	energy  ledger.Amount       // price
	compute ledger.Amount
}

// NewTeller has been told nothing.
func NewTeller() *Teller {
	return &Teller{workers: map[string]string{}, seats: map[string][]string{}}
}

// AppendLines appends the lines of the next entry, "#12  00:01:02  swarm[0]
// assigned to …". With events it appends those that tell of them, or all where
// none does. The state is the one after the entry; every entry has to be told.
func (t *Teller) AppendLines(dst []byte, s *core.State, e *core.Entry, events []string) []byte {
	lines := t.tell(s, e)
	asked := func(l LogLine) bool { return slices.Contains(events, l.Event) }
	if slices.ContainsFunc(lines, asked) {
		lines = slices.DeleteFunc(lines, func(l LogLine) bool { return !asked(l) })
	} else { // some happen so often that they are told to whom they matter
		lines = slices.DeleteFunc(lines, func(l LogLine) bool { return l.quiet })
	}
	for _, l := range lines {
		dst = append(dst, '#')
		dst = strconv.AppendUint(dst, uint64(l.Seq), 10)
		dst = append(append(append(dst, "  "...), l.At.Clock()...), "  "...)
		dst = append(append(dst, l.Message...), '\n')
	}
	return dst
}

func (t *Teller) tell(s *core.State, e *core.Entry) (lines []LogLine) {
	if e.Refusal != nil {
		Tell(s, e, func(l LogLine) { lines = append(lines, l) })
		return lines
	}
	for _, event := range e.Events {
		t.note(event)
		line := LogLine{Seq: e.Seq, At: e.At, Event: event.Name(), Job: jobOf(event)}
		line.Level, line.Message = t.sentence(s, e, event)
		if line.quiet = line.Level == silent; line.Message != "" {
			lines = append(lines, line)
		}
	}
	for _, event := range e.Events { // what it moves comes after a job's end
		if ended, ok := event.(*core.JobEnded); ok {
			delete(t.workers, ended.Job)
			delete(t.seats, ended.Job)
		}
	}
	return lines
}

func (t *Teller) note(event core.Event) {
	switch ev := event.(type) {
	case *core.JobAssigned:
		t.workers[ev.Job] = ev.Worker
	case *core.RoundOpened:
		t.seats[ev.Job] = ev.Seats
	}
}

func (t *Teller) sentence(s *core.State, e *core.Entry, event core.Event) (Level, string) {
	level, text := sentence(s, e, event)
	switch ev := event.(type) {
	case *core.GenerationApplied:
		t.energy, t.compute = ev.Spec.Resources.Energy.Price, ev.Spec.Resources.Compute.Price
	case *core.SeatsReminded:
		text = roundOf(s, ev.Job, ev.Round) + ": " + t.who(ev.Job, ev.Seats) + " reminded to " + ev.Phase
	case *core.SeatEquivocated:
		text = roundOf(s, ev.Job, ev.Round) + ": " + t.seat(ev.Job, ev.Seat) + " signed two commitments"
	case *core.RoundClosed:
		text = roundOf(s, ev.Job, ev.Round) + " closed: " + words(ev.Outcome)
		if len(ev.Absent) > 0 {
			text += ", " + t.who(ev.Job, ev.Absent) + " absent"
		}
	case *core.Transfer:
		if text = t.settlement(s, ev); text != "" {
			return Info, text
		}
	case *core.PricesSet:
		text = "prices: " + priceMove("energy", t.energy, ev.Energy) + ", " + priceMove("compute", t.compute, ev.Compute)
		t.energy, t.compute = ev.Energy, ev.Compute
		return silent, text
	case *core.Repriced:
		t.energy, t.compute = ev.Energy, ev.Compute
	case *core.VerdictGiven:
		if text == "" {
			text = hookWords(s, &ev.Ruling) + ": " + rulingWords(ev.Say)
		}
		text += " (" + verdictNames(ev.Verdicts) + ")"
	case *core.PlanRecorded:
		if text == "" {
			text = steward(ev.Steward) + ": " + planWords(ev)
		}
	}
	return level, text
}

// verdictNames says what each policy said.
func verdictNames(all []core.Verdict) string {
	var names []string
	for i := range all {
		v := &all[i]
		text := plain(v.Policy, maxName) + " " + v.Say
		if v.Shadow {
			text += " in shadow"
		}
		names = append(names, text)
	}
	return strings.Join(names, ", ")
}

// planWords says what a plan nobody has to be told of holds.
func planWords(ev *core.PlanRecorded) string {
	if ev.Same {
		return "nothing new"
	}
	text := plain(ev.Headline, maxSaid)
	if n := len(ev.Alerts); n > 0 {
		text += ", " + count(n, "alert", "alerts")
	}
	if n := len(ev.Actions); n > 0 {
		text += ", " + count(n, "action", "actions")
	}
	if text == "" {
		return "an empty plan"
	}
	return strings.TrimPrefix(text, ", ")
}

func priceMove(what string, was, is ledger.Amount) string {
	text := what + " " + is.String() + " for 1,000"
	if was != is {
		text += " (was " + was.String() + ")"
	}
	return text
}

func (t *Teller) seat(job string, seat int64) string {
	if seats := t.seats[job]; int(seat) < len(seats) {
		return seats[seat]
	}
	return "seat " + itoa(seat)
}

// who names validators, with the verb.
func (t *Teller) who(job string, seats []int64) string {
	var names []string
	for _, n := range seats {
		names = append(names, t.seat(job, n))
	}
	if len(names) == 1 {
		return names[0] + " was"
	}
	return strings.Join(names, ", ") + " were"
}

// slash is what somebody lost, and to whom.
type slash struct {
	who                                    string
	validators, employer, treasury, burned ledger.Amount
}

func (l *slash) text() string {
	all := l.validators + l.employer + l.treasury + l.burned
	var to []string
	for _, part := range [...]struct {
		amount ledger.Amount
		to     string
	}{{l.validators, " to validators"}, {l.employer, " to the employer"}, {l.treasury, " to the treasury"}, {l.burned, " burned"}} {
		if part.amount != 0 {
			to = append(to, part.amount.String()+part.to)
		}
	}
	return l.who + " slashed " + all.String() + ": " + strings.Join(to, ", ")
}

// settlement says who was paid and slashed in a transfer, "" where nobody was.
func (t *Teller) settlement(s *core.State, ev *core.Transfer) string {
	var said []string
	var pay, shares, fee, burned, back ledger.Amount
	var voters int
	lost := []*slash{{who: t.workers[ev.Job]}}
	for _, step := range ev.Steps {
		switch step.Kind {
		case core.StepPay:
			pay += step.Amount
		case core.StepShare:
			shares, voters = shares+step.Amount, voters+1
		case core.StepFee:
			fee += step.Amount
		case core.StepBurn:
			burned += step.Amount
		case core.StepEscrowReturn:
			back += step.Amount
		default:
			lost = t.slashed(lost, ev.Job, step)
		}
	}
	say := func(amount ledger.Amount, text string) {
		if amount != 0 {
			said = append(said, text)
		}
	}
	say(pay, t.workers[ev.Job]+" paid "+pay.String())
	say(shares, count(voters, "validator", "validators")+" paid "+shares.String())
	say(fee, "fee "+fee.String())
	say(burned, burned.String()+" burned")
	for _, one := range lost {
		say(one.validators+one.employer+one.treasury+one.burned, one.text())
	}
	if j := find(s, ev.Job); j != nil {
		say(back, back.String()+" returned to "+j.Spec.EmployerOf(s.Spec().Mission.Owner).String())
	}
	if len(said) == 0 {
		return ""
	}
	return name(s, ev.Job) + ": " + strings.Join(said, "; ")
}

// slashed adds a step to what somebody lost; the first of them is the worker.
func (t *Teller) slashed(lost []*slash, job string, step core.Step) []*slash {
	seat := func() *slash {
		who := t.seat(job, step.Seat)
		if at := slices.IndexFunc(lost[1:], func(l *slash) bool { return l.who == who }); at >= 0 {
			return lost[1+at]
		}
		lost = append(lost, &slash{who: who})
		return lost[len(lost)-1]
	}
	switch step.Kind {
	case core.StepSlashShare:
		lost[0].validators += step.Amount
	case core.StepSlashEmployer:
		lost[0].employer += step.Amount
	case core.StepSlashTreasury:
		lost[0].treasury += step.Amount
	case core.StepSlashBurn:
		lost[0].burned += step.Amount
	case core.StepSeatSlashEmployer:
		seat().employer += step.Amount
	case core.StepSeatSlashTreasury:
		seat().treasury += step.Amount
	case core.StepSeatSlashBurn:
		seat().burned += step.Amount
	}
	return lost
}
