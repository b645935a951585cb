package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/inquiry"
)

func (p *program) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain NAME",
		Short: "Tell the whole story of a job: what it waits for, its attempts, votes, decisions and cost; or what a worker, a validator, a policy, the guardian or a strategist did",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			data, err := p.folder()
			if err != nil {
				return err
			}
			told, err := host.Explain(data, args[0])
			var unknown *inquiry.UnknownJobError
			if errors.As(err, &unknown) {
				return p.party(data, args[0], err)
			}
			if err != nil {
				return err
			}
			if p.json {
				return p.print(told)
			}
			w := bufio.NewWriter(p.out)
			explain(w, told)
			return w.Flush()
		},
	}
}

// asUsage makes a name nobody knows a mistake of whoever typed it.
func asUsage(err error) error {
	var unknown *inquiry.UnknownJobError
	if errors.As(err, &unknown) {
		return &exit{host.CodeUsage, err}
	}
	return err
}

// Bounds of what is told on one screen; --json has more.
const (
	toldWaits     = 6
	toldAttempts  = 5
	toldRounds    = 3
	toldDecisions = 8
	toldNames     = 6
	toldText      = 160
)

// explain tells a story on about one screen.
func explain(w io.Writer, e *inquiry.Explanation) {
	title := ""
	if e.Title != "" {
		title = "  " + clean(e.Title)
	}
	fmt.Fprintf(w, "%s%s\n", called(e.Name, e.Job), title)
	why := ""
	if e.EndedAt != nil { // before, it is the last attempt's, which is told below
		why = because(e.Reason, e.Detail)
	}
	fmt.Fprintf(w, "  %s since %s%s\n", e.State, e.Since.Clock(), why)
	if e.Waiting != "" {
		fmt.Fprintf(w, "  waits: %s\n", clean(e.Waiting))
	}
	explainTerms(w, e)
	tellRelatives(w, "needs", &e.Needs)
	tellRelatives(w, "needed by", &e.NeededBy)
	if e.Parent != nil {
		fmt.Fprintf(w, "  posted by  %s (%s)\n", clean(e.Parent.Name), stateOr(e.Parent.State))
	}
	tellRelatives(w, "children", &e.Children)
	explainWaits(w, e)
	explainAttempts(w, e)
	explainVotes(w, e)
	explainDecisions(w, e)
	explainCost(w, e)
}

func explainTerms(w io.Writer, e *inquiry.Explanation) {
	t := &e.Terms
	budgets := ""
	if t.EnergyBudget != "0" || t.ComputeBudget != "0" {
		budgets = fmt.Sprintf(", up to %s energy and %s compute", t.EnergyBudget, t.ComputeBudget)
	}
	optional := ""
	if !t.Required {
		optional = ", not required"
	}
	fmt.Fprintf(w, "  terms      %s for %s, priority %s%s%s, paid by %s\n", t.Reward, strings.Join(t.Skills, ", "), t.Priority, budgets, optional, t.Employer)
	times := "posted " + e.PostedAt.Clock()
	for _, at := range [...]struct {
		what string
		at   *core.Time
	}{{"ready", e.ReadyAt}, {"due by", e.DueAt}, {"ended", e.EndedAt}} {
		if at.at != nil {
			times += ", " + at.what + " " + at.at.Clock()
		}
	}
	fmt.Fprintf(w, "  times      %s\n", times)
}

// called is a job's name, and its id where that differs.
func called(name, id string) string {
	if name == id {
		return clean(name)
	}
	return fmt.Sprintf("%s (%s)", clean(name), id)
}

func because(reason, detail string) string {
	text := coded(reason)
	if detail != "" {
		text = strings.TrimPrefix(text+": "+clean(detail), ": ")
	}
	if text == "" {
		return ""
	}
	return ": " + text
}

func stateOr(s core.JobState) string { return cmp.Or(string(s), "not posted yet") }

func tellRelatives(w io.Writer, what string, r *inquiry.Relatives) {
	if r.Total == 0 {
		return
	}
	items := slices.Clone(r.Items)
	slices.SortStableFunc(items, func(a, b *inquiry.Relative) int { return cmp.Compare(rank(a.State), rank(b.State)) })
	var names []string
	for _, one := range items[:min(len(items), toldNames)] {
		names = append(names, fmt.Sprintf("%s (%s)", clean(one.Name), stateOr(one.State)))
	}
	more := ""
	if rest := r.Total - int64(len(names)); rest > 0 {
		more = fmt.Sprintf(" and %d more", rest)
	}
	fmt.Fprintf(w, "  %-10s %s%s\n", what, strings.Join(names, ", "), more)
}

// rank puts what failed first, then what is open, then the rest.
func rank(s core.JobState) int {
	switch {
	case s == core.JobFailed || s == core.JobExpired:
		return 0
	case s == core.JobFinalized || s == core.JobCancelled || s == core.JobSkipped:
		return 2
	}
	return 1
}

// earlier says how many of a list are not told.
func earlier(w io.Writer, total int64, told int, what string) {
	if rest := total - int64(told); rest > 0 {
		fmt.Fprintf(w, "  … %d earlier %s, see --json\n", rest, what)
	}
}

func last[T any](all []T, n int) []T { return all[max(0, len(all)-n):] }

// explainWaits tells what has held the job up; why it waits now is told above.
func explainWaits(w io.Writer, e *inquiry.Explanation) {
	told := last(e.Waits, toldWaits)
	earlier(w, e.Totals.Waits, len(told), "waits")
	for _, one := range told {
		until := "now"
		if one.To != nil {
			until = one.To.Clock()
		}
		fmt.Fprintf(w, "  waited     %s–%s  %s\n", one.From.Clock(), until, clean(one.Reason))
	}
}

// waited reports whether the waits that are known say why it waited then.
func waited(e *inquiry.Explanation, at core.Time) bool {
	return slices.ContainsFunc(e.Waits, func(w *inquiry.WaitOf) bool { return w.From <= at && (w.To == nil || at <= *w.To) })
}

func explainAttempts(w io.Writer, e *inquiry.Explanation) {
	told := last(e.Attempts, toldAttempts)
	earlier(w, e.Totals.Attempts, len(told), "attempts")
	for _, a := range told {
		when := a.AssignedAt.Clock()
		if a.EndedAt != nil {
			when += "–" + a.EndedAt.Clock()
		}
		fmt.Fprintf(w, "  attempt %-2d %s  %s %s%s\n", a.Attempt, when, a.Worker, a.Outcome, because(a.Reason, a.Detail))
		facts := attemptFacts(a)
		if len(facts) > 0 {
			fmt.Fprintf(w, "             %s\n", strings.Join(facts, ", "))
		}
		if len(a.Result) > 0 {
			fmt.Fprintf(w, "             result %s\n", short(string(a.Result)))
		}
		for _, f := range a.Files {
			fmt.Fprintf(w, "             file %s, %d bytes: %s\n", clean(f.Name), f.Size, f.Path)
		}
	}
}

func attemptFacts(a *inquiry.AttemptOf) (facts []string) {
	add := func(amount, format string, args ...any) {
		if amount != "0" {
			facts = append(facts, fmt.Sprintf(format, args...))
		}
	}
	add(a.Stake, "staked %s", a.Stake)
	add(a.EnergyUsed, "used %s energy at %s for 1,000", a.EnergyUsed, a.EnergyPrice)
	add(a.ComputeUsed, "used %s compute at %s for 1,000", a.ComputeUsed, a.ComputePrice)
	add(a.Paid, "was paid %s", a.Paid)
	add(a.Slashed, "was slashed %s", a.Slashed)
	if a.OverReported {
		facts = append(facts, "reported more usage than its budget")
	}
	if a.Released > 0 {
		facts = append(facts, "began again "+times(a.Released))
	}
	if a.RetryAt != nil {
		facts = append(facts, "next try at "+a.RetryAt.Clock())
	}
	return facts
}

func explainVotes(w io.Writer, e *inquiry.Explanation) {
	told := last(e.Rounds, toldRounds)
	earlier(w, e.Totals.Rounds, len(told), "rounds")
	for _, r := range told {
		how := r.Outcome
		if r.ClosedAt == nil {
			how = fmt.Sprintf("seats %s until %s", r.Phase, r.DueAt.Clock())
		}
		fmt.Fprintf(w, "  round %-4d %s  on attempt %d: %s\n", r.Round, r.OpenedAt.Clock(), r.Attempt, how)
		for _, s := range r.Seats {
			fmt.Fprintf(w, "             %-16s %s\n", s.Validator, seatText(r, s))
		}
	}
}

func seatText(r *inquiry.RoundOf, s *inquiry.SeatOf) string {
	text := cmp.Or(s.Vote, "has not committed")
	switch {
	case s.Vote != "":
		text += because(s.Reason, "")
	case s.Absent:
		text = "absent"
	case s.Committed:
		text = "has committed"
	case r.ClosedAt != nil:
		text = "was not asked to the end"
	}
	if s.Equivocated {
		text += ", signed two commitments"
	}
	if s.Reminded > 0 {
		text += ", reminded " + times(s.Reminded)
	}
	if s.Paid != "0" {
		text += ", was paid " + s.Paid
	}
	if s.Slashed != "0" {
		text += ", was slashed " + s.Slashed
	}
	return clean(text)
}

func explainDecisions(w io.Writer, e *inquiry.Explanation) {
	decisions, total := e.Decisions, e.Totals.Decisions
	decisions = slices.DeleteFunc(slices.Clone(decisions), func(d *inquiry.DecisionOf) bool { return d.What == "jobs_unattended" && waited(e, d.At) })
	total -= int64(len(e.Decisions) - len(decisions))
	told := last(decisions, toldDecisions)
	earlier(w, total, len(told), "decisions")
	for _, d := range told {
		fmt.Fprintf(w, "  decision   %s  %s%s\n", d.At.Clock(), clean(d.Text), because(d.Reason, d.Detail))
		for i := range d.Verdicts {
			fmt.Fprintf(w, "             %s\n", verdictText(&d.Verdicts[i]))
		}
	}
}

func explainCost(w io.Writer, e *inquiry.Explanation) {
	c, back := &e.Cost, ""
	if e.Returned != "0" {
		back = fmt.Sprintf("; %s returned to %s", e.Returned, e.Terms.Employer)
	}
	fmt.Fprintf(w, "  cost       %s: %s%s\n", c.Total, parts(", ",
		"worker", c.WorkerPay, "validators", c.ValidatorShares, "fee", c.Fee, "burned", c.Burned, "resources", c.Resources,
		"back from slashes", sumOf(c.SlashesToEmployer, c.SlashesToTreasury)), back)
	if text := parts(", ", "workers lost", c.WorkersSlashed, "validators lost", c.ValidatorsSlashed, "to validators", c.SlashesToValidators,
		"to the employer", c.SlashesToEmployer, "to the treasury", c.SlashesToTreasury, "burned", c.SlashesBurned); text != nothing {
		fmt.Fprintf(w, "  slashes    %s\n", text)
	}
	if text := parts(", ", "escrow", c.Escrow, "deposit", c.Deposit, "worker's stake", c.WorkerStake, "validators' stakes", c.ValidatorStakes); text != nothing {
		fmt.Fprintf(w, "  held       %s\n", text)
	}
	if e.Children.Total > 0 {
		fmt.Fprintf(w, "  below it   %s, together %s\n", e.Below.Total, e.Tree)
	}
}

const nothing = "nothing"

// parts joins names and amounts that are not zero.
func parts(separator string, namesAndAmounts ...string) string {
	var all []string
	for i := 0; i < len(namesAndAmounts); i += 2 {
		if amount := namesAndAmounts[i+1]; amount != "0" {
			all = append(all, namesAndAmounts[i]+" "+amount)
		}
	}
	return cmp.Or(strings.Join(all, separator), nothing)
}

// short is a text that fits on a line.
func short(text string) string { return cut(text, toldText) }

// cut is a text of at most that many runes, fit for a terminal.
func cut(text string, most int) string {
	text = clean(text)
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// clean makes text from outside fit to be shown in a terminal: what is no
// visible mark becomes a space.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x200e || r == 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff {
			return ' '
		}
		return r
	}, text)
}

// number is a number of things.
func number(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

func times(n int64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
