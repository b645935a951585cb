package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/inquiry"
	"github.com/omega-run/omega/host/projection"
)

func (p *program) statusCommand() *cobra.Command {
	var watch, graph bool
	cmd := &cobra.Command{
		Use: "status", Short: "Say how the mission stands", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			switch {
			case watch && graph:
				return usage("--watch and --graph are two ways to look at it: choose one")
			case watch:
				return p.watch()
			case graph && !p.json:
				return p.graph()
			}
			r, data, err := p.read()
			if err != nil {
				return err
			}
			return p.statusOf(r, data)
		},
	}
	cmd.Flags().BoolVar(&watch, "watch", false, "go on until the mission has ended: a live view in a terminal, else a line for each change")
	cmd.Flags().BoolVar(&graph, "graph", false, "draw the jobs, what they need and what they posted")
	return cmd
}

func (p *program) statusOf(r *host.Reading, data string) error {
	artifacts, err := r.Set.Artifacts()
	if err != nil {
		return err
	}
	for _, a := range artifacts {
		if a.Name == "telemetry.json" {
			return p.status(r, data, a.Bytes)
		}
	}
	return fmt.Errorf("%s has no telemetry", filepath.Base(data))
}

// status is telemetry.json with one fact of this machine added: whether a host
// runs the mission now.
func (p *program) status(r *host.Reading, data string, telemetry []byte) error {
	running := host.Running(data)
	if p.json {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(telemetry, &fields); err != nil {
			return err
		}
		fields["running"] = json.RawMessage(fmt.Sprint(running))
		return p.print(fields)
	}
	s, w := r.State, tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	t := s.Totals()
	hosted := "no host runs it now"
	if running {
		hosted = "a host runs it now"
	}
	fmt.Fprintf(w, "mission\t%s (%s), %s\n", s.Spec().Mission.Name, s.Status(), hosted)
	fmt.Fprintf(w, "time\t%s, entry %d, generation %d\n", s.Now().Clock(), s.Seq(), s.Generation())
	fmt.Fprintf(w, "jobs\t%d open, %d finalized, %d failed, %d cancelled, %d expired, %d skipped\n", s.Open(), t.Finalized, t.Failed, t.Cancelled, t.Expired, t.Skipped)
	fmt.Fprintf(w, "tokens\t%s minted, %s paid, %s slashed, %s burned, %s fees\n", t.Minted, t.Paid, t.Slashed, t.Burned, t.Fees)
	bill, err := host.Cost(data, "", inquiry.ByBlock, 1)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "cost\t%s so far, as of entry %d\n", bill.Cost.Total, bill.Seq)
	energy, compute := s.Prices()
	fmt.Fprintf(w, "prices\t%s for 1,000 energy, %s for 1,000 compute\n", energy, compute)
	tellAsked(w, s)
	var shown projection.Telemetry
	if err := json.Unmarshal(telemetry, &shown); err != nil {
		return err
	}
	if shown.Autonomy != nil {
		tellAutonomy(w, shown.Autonomy)
	}
	return w.Flush()
}

// mostAsked is how many of the jobs that wait for a person are told.
const mostAsked = 8

// tellAsked says what waits for a person and how to answer.
func tellAsked(w io.Writer, s *core.State) {
	asked := 0
	for _, j := range s.Jobs() {
		question, since := j.Asked()
		if question == nil {
			continue
		}
		if asked++; asked <= mostAsked {
			fmt.Fprintf(w, "for you\t%s since %s%s\n", clean(j.Name()), since.Clock(), because(question.Reason, question.Detail))
			fmt.Fprintf(w, "\tomega approve %s, or omega deny %s\n", j.Spec.ID, j.Spec.ID)
		}
	}
	if more := asked - mostAsked; more > 0 {
		fmt.Fprintf(w, "\tand %d more: omega job list --state %s\n", more, core.JobAwaiting)
	}
}

// tellAutonomy says what the guardian says, which actions and edits wait for a
// person, and which scripts are not asked any more.
func tellAutonomy(w io.Writer, a *projection.Autonomy) {
	if a.Headline != "" {
		fmt.Fprintf(w, "guardian\t%s (%s)\n", clean(a.Headline), a.At.Clock())
	}
	if a.Fault != nil {
		fmt.Fprintf(w, "guardian\thas no plan since %s: %s\n", a.Fault.At.Clock(), clean(a.Fault.Text))
	}
	for _, one := range a.Alerts[:min(len(a.Alerts), mostAsked)] {
		fmt.Fprintf(w, "%s\t%s\n", one.Severity, clean(one.Text))
	}
	if more := len(a.Alerts) - mostAsked; more > 0 {
		fmt.Fprintf(w, "\tand %d more: omega explain guardian\n", more)
	}
	for _, one := range a.Waiting.Items[:min(len(a.Waiting.Items), mostAsked)] {
		fmt.Fprintf(w, "for you\t%s wants to %s%s, since %s\n", clean(one.Steward), clean(one.Text), because("", one.Why), one.Since.Clock())
		fmt.Fprintf(w, "\t%s, or %s\n", one.Approve, one.Deny)
	}
	if more := a.Waiting.Total - mostAsked; more > 0 {
		fmt.Fprintf(w, "\tand %d more: omega explain guardian\n", more)
	}
	if held := a.Held; held != nil && !held.Approved {
		fmt.Fprintf(w, "for you\tan edit is held since %s: it removes %s\n", held.Since.Clock(), clean(strings.Join(append(held.Removes, held.Drains...), ", ")))
		fmt.Fprintf(w, "\t%s\n", held.Command)
	}
	for _, one := range a.Paused {
		fmt.Fprintf(w, "paused\tskill %s until %s, by %s\n", clean(one.Skill), one.Until.Clock(), clean(one.By))
	}
	for _, one := range a.Suspended {
		fmt.Fprintf(w, "failing\t%s is not asked since %s, fallback %s: %s\n", clean(one.Script), one.Since.Clock(), one.Fallback, clean(one.Fault))
	}
}

// watch follows a mission that a host runs, or will run again.
func (p *program) watch() error {
	data, err := p.folder()
	if err != nil {
		return err
	}
	if _, err := host.Identity(data); err != nil {
		return &exit{host.CodeUsage, err}
	}
	if p.live() {
		return p.watchShown(data)
	}
	ctx, cancel := notify()
	defer cancel()
	return p.watchPlain(ctx, data)
}

func (p *program) watchShown(data string) (err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	f := newFeed()
	v := p.newView(f, data)
	v.hosted = host.Running(data)
	t := p.draw(v)
	v.leave = leaving(t, cancel)
	defer onSignals(func() { v.leave(false) }, func() { v.leave(true) })()
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = host.Watch(ctx, data, f.take)
		t.Send(pulseMsg(f.final()))
		t.Send(overMsg(readOutlook(data)))
	}()
	_, drawn := t.Run()
	cancel()
	<-done
	if err == nil {
		err = drawn
	}
	return err
}

// plainEvery is how often a change is told where lines are read.
const plainEvery = time.Second

// watchPlain writes a line when something has changed, at most one a second.
// What was there when it began is one line.
func (p *program) watchPlain(ctx context.Context, data string) error {
	f, told, last := newFeed(), "", time.Time{}
	caught := false // up with what was there
	tell := func(s *core.State) error {
		now := f.pulse(s)
		text := now.summary()
		if text == told {
			return nil
		}
		told, last = text, time.Now()
		if p.json {
			return p.print(watched{now.mission, now.seq, now.at, string(now.status), now.open, text})
		}
		_, err := fmt.Fprintf(p.out, "%s  %s\n", now.at.Clock(), text)
		return err
	}
	var failed error
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := host.Watch(ctx, data, func(s *core.State, e *core.Entry) {
		caught = caught || e == nil
		ended := s.Status() == core.Ended && e == nil
		if !caught || !ended && time.Since(last) < plainEvery || failed != nil {
			return
		}
		if failed = tell(s); failed != nil {
			cancel()
		}
	})
	if os.IsNotExist(err) {
		return &exit{host.CodeUsage, err}
	}
	if err == nil {
		err = failed
	}
	return err
}

// watched is one line of `omega status --watch --json`.
type watched struct {
	Mission string    `json:"mission"`
	Seq     core.Seq  `json:"seq"`
	At      core.Time `json:"at"`
	Status  string    `json:"status"`
	Open    int       `json:"open"`
	Summary string    `json:"summary"`
}
