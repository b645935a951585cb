package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/missionfile"
)

func (p *program) applyCommand() *cobra.Command {
	var given func() missionfile.Given
	var yes, noWait bool
	cmd := &cobra.Command{
		Use:   "apply [PATH]",
		Short: "Put an edit in force that removes something and therefore waits",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return p.apply(args, given(), yes, !noWait)
		},
	}
	given = variables(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&noWait, "no-wait", false, "do not wait for the answer")
	return cmd
}

// apply shows the edit that waits, asks, and sends the order that lets it
// through.
func (p *program) apply(args []string, given missionfile.Given, yes, wait bool) error {
	sheet, data, err := p.planned(args, given)
	if err != nil {
		return err
	}
	if _, err := host.Identity(data); err != nil {
		return &exit{host.CodeUsage, err}
	}
	if err := p.mayApply(sheet, data); err != nil {
		return err
	}
	if !p.json {
		if err := p.tellPlan(sheet); err != nil {
			return err
		}
	}
	if !yes {
		if err := p.confirm(); err != nil {
			return err
		}
	}
	answer, running, err := send(data, &host.Order{Name: core.ApplyEdit, Edit: sheet.Edit}, wait)
	if err != nil {
		return err
	}
	return p.answer(answer, running)
}

// heldWithin is how long a running host is given to find an edit that has just
// been saved.
const heldWithin = 10 * time.Second

// mayApply says why there is nothing to apply. A running host has to have found
// the edit; without one the order is recorded, and the next start finds both.
func (p *program) mayApply(sheet *host.PlanSheet, data string) error {
	last := host.LastDurable(data)
	r, err := host.Read(data)
	if err != nil {
		return &exit{host.CodeUsage, err}
	}
	held := r.State.HeldEdit()
	waits := held != nil && hex.EncodeToString(held.Digest[:]) == sheet.Edit
	switch {
	case waits && held.Approved:
		return p.nothing("the edit has been approved already; it is in force when the host has taken it")
	case waits:
		return nil
	case sheet.Outcome == host.PlanHeld && !host.Running(data):
		return nil
	case sheet.Outcome == host.PlanHeld:
		return p.untilHeld(sheet, data, last)
	case sheet.Outcome == host.PlanBroken:
		_ = sheet.Problems.Print(p.err, p.colour())
		return &exit{host.CodeInvalid, errors.New("the mission file is broken; an edit is applied as it lies on the disk")}
	case held != nil && !held.Approved:
		return p.nothing("the mission file has changed since the edit that waits was held, and is now " + outcomeText(sheet) + "; to apply that edit, save it again")
	}
	return p.nothing("nothing waits: " + outcomeText(sheet))
}

// nothing is the answer where no order is sent.
func (p *program) nothing(why string) error { return &exit{host.CodeDenied, errors.New(why)} }

func (p *program) untilHeld(sheet *host.PlanSheet, data string, last uint64) error {
	ctx, cancel := context.WithTimeout(context.Background(), heldWithin)
	defer cancel()
	var digest core.Digest
	if _, err := hex.Decode(digest[:], []byte(sheet.Edit)); err != nil {
		return err
	}
	held, err := host.WaitForHeld(ctx, data, digest, last)
	if err == nil && !held {
		err = p.nothing("the running host has not taken up this edit: it may run another mission file, or have been given other values")
	}
	return err
}

// confirm asks on a terminal; elsewhere --yes has to be said.
func (p *program) confirm() error {
	in, ok := p.in.(*os.File)
	if p.json || !ok || !isTerminal(in) {
		return usage("say --yes to put it in force")
	}
	fmt.Fprint(p.err, "Put it in force? [y/N] ")
	line, _ := bufio.NewReader(in).ReadString('\n')
	if word := strings.ToLower(strings.TrimSpace(line)); word != "y" && word != "yes" {
		return p.nothing("not applied; the edit goes on waiting")
	}
	return nil
}
