package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/inquiry"
)

// script explains a policy, the guardian or a strategist. Where the name is
// nobody's, the error is the one there is already.
func (p *program) script(data, name string, unknown error) error {
	policy, steward, err := host.ExplainScript(data, name)
	w := bufio.NewWriter(p.out)
	switch {
	case err != nil:
		return err
	case policy == nil && steward == nil:
		return asUsage(unknown)
	case p.json && policy != nil:
		return p.print(policy)
	case p.json:
		return p.print(steward)
	case policy != nil:
		explainPolicy(w, policy)
	default:
		explainSteward(w, steward)
	}
	return w.Flush()
}

// toldFaults is how many faults are told; --json has more.
const toldFaults = 3

// shortDigest is enough of a digest to tell versions apart.
func shortDigest(hex string) string { return hex[:min(len(hex), 12)] }

// verdictText is what one policy said, on a line.
func verdictText(v *inquiry.VerdictOf) string {
	shadow := ""
	if v.Shadow {
		shadow = ", in shadow"
	}
	text := fmt.Sprintf("%s said %s%s%s (version %s, generation %d)", v.Policy, v.Say, shadow, because(v.Reason, ""), shortDigest(v.Script), v.Generation)
	if v.Fault != "" {
		text = fmt.Sprintf("%s failed, %s was said%s: %s (version %s, generation %d)", v.Policy, v.Say, shadow, v.Fault, shortDigest(v.Script), v.Generation)
	}
	return clean(text)
}

func scriptHead(w io.Writer, s *inquiry.ScriptOf, suspended *inquiry.SuspendedOf) {
	gone := ""
	if !s.InForce {
		gone = ", no longer in the mission file"
	}
	fmt.Fprintf(w, "  script     %s, version %s since generation %d%s\n", clean(s.Path), shortDigest(s.Digest), s.Generation, gone)
	if suspended != nil {
		fmt.Fprintf(w, "  suspended  since %s after %d faults in a row, until its file is mended; fallback %s\n", suspended.At.Clock(), suspended.Faults, s.Fallback)
	}
}

func faultLines(w io.Writer, total int64, faults []*inquiry.FaultOf) {
	told := last(faults, toldFaults)
	earlier(w, total, len(told), "faults")
	for _, f := range told {
		fmt.Fprintf(w, "  fault      %s  %s\n", f.At.Clock(), short(f.Text))
	}
}

func saidCounts(c *inquiry.VerdictCount) string {
	text := counts(c.Allow, "allow", c.Ask, "ask", c.Deny, "deny")
	if c.Faults > 0 {
		text += ", " + number(c.Faults, "fault")
	}
	if c.Shadow > 0 {
		text += fmt.Sprintf(", %d in shadow", c.Shadow)
	}
	return text
}

func explainPolicy(w io.Writer, s *inquiry.PolicyStory) {
	fmt.Fprintf(w, "policy %s of %s, %s on %s\n", s.Policy, clean(s.Mission), s.Mode, strings.Join(s.On, ", "))
	scriptHead(w, &s.Script, s.Suspended)
	fmt.Fprintf(w, "  asked      %s: %s\n", times(s.Counts.Asked), saidCounts(&s.Counts))
	for i := range s.ByHook {
		fmt.Fprintf(w, "             on %s %s: %s\n", clean(s.ByHook[i].Key), times(s.ByHook[i].Asked), saidCounts(&s.ByHook[i].VerdictCount))
	}
	faultLines(w, s.Counts.Faults, s.LastFaults)
	told := last(s.Verdicts, toldDecisions)
	earlier(w, s.Counts.Asked, len(told), "verdicts")
	for _, v := range told {
		fmt.Fprintf(w, "  verdict    %s  %s %s: %s\n", v.At.Clock(), v.Hook, clean(v.Subject), verdictText(&v.VerdictOf))
	}
}

func explainSteward(w io.Writer, s *inquiry.StewardStory) {
	c, title := &s.Counts, "strategist "+s.Steward
	if s.Kind == s.Steward {
		title = "guardian"
	}
	fmt.Fprintf(w, "%s of %s\n", title, clean(s.Mission))
	scriptHead(w, &s.Script, s.Suspended)
	fmt.Fprintf(w, "  asked      %s: %s\n", times(c.Asked), counts(c.New, "new plans", c.Asked-c.New-c.Faults, "as before", c.Faults, "faults"))
	fmt.Fprintf(w, "  actions    %s\n", counts(c.Taken, "taken", c.Waited, "put before a person", c.Approved, "approved", c.Denied, "denied", c.Withdrawn, "withdrawn", c.Refused, "refused"))
	m := &s.Spending
	fmt.Fprintf(w, "  spending   %s of %s: %s; %s free, %s posted\n", m.Account, m.Given, parts(", ", "jobs", m.Jobs, "boosts", m.Boosts, "back", m.Back), m.Free, number(m.Posted, "job"))
	faultLines(w, c.Faults, s.LastFaults)
	for _, d := range s.Waiting {
		fmt.Fprintf(w, "  waits      %s since %s: %s\n             omega approve %s, or omega deny %s\n", d.ID, d.Since.Clock(), short(d.Text), d.ID, d.ID)
	}
	told := last(s.Plans, toldAttempts)
	earlier(w, c.New, len(told), "plans")
	for _, plan := range told {
		fmt.Fprintf(w, "  plan       %s  %s (entry %d)\n", plan.At.Clock(), short(plan.Headline), plan.Seq)
		if plan == told[len(told)-1] {
			worries(w, plan)
		}
		for _, d := range plan.Actions {
			fmt.Fprintf(w, "             %s: %s%s\n", d.Outcome, short(d.Text), because(d.Reason, ""))
		}
	}
}

// worries are what a plan wants seen.
func worries(w io.Writer, plan *inquiry.AdviceOf) {
	for _, a := range plan.Alerts {
		fmt.Fprintf(w, "             %s: %s\n", a.Severity, short(a.Text))
	}
	for _, text := range plan.Recommend {
		fmt.Fprintf(w, "             advises: %s\n", short(text))
	}
}
