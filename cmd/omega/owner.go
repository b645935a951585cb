package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/core"
)

// acknowledgeWithin is how long an order waits for its answer before the
// command says that it is pending.
const acknowledgeWithin = 30 * time.Second

func (p *program) ownerCommand() *cobra.Command {
	owner := &cobra.Command{Use: "owner", Short: "Give an order as the mission's owner", Args: noOther, RunE: help}
	for _, o := range []struct {
		kind  core.OrderKind
		short string
	}{
		{core.Pause, "Stop mission time: nothing starts; results that come are held"},
		{core.Resume, "Go on after a pause or a stop"},
		{core.Stop, "Let running work end, then stop until a resume"},
		{core.EmergencyStop, "Kill all running work at once and stop until a resume"},
	} {
		owner.AddCommand(p.orderCommand(string(o.kind), o.short, cobra.NoArgs, func([]string) (*host.Order, error) {
			return &host.Order{Name: o.kind}, nil
		}))
	}
	owner.AddCommand(p.cancelCommand())
	return owner
}

func (p *program) cancelCommand() *cobra.Command {
	return p.jobOrder(core.CancelJob, "Cancel a job; every stake and what is left of its escrow return")
}

// decisionCommands answer what the mission asks of a person.
func (p *program) decisionCommands() []*cobra.Command {
	return []*cobra.Command{
		p.jobOrder(core.Approve, "Say yes to a job or an action that waits for a person: an undecided result is paid, a job that lacks something waits for it, what a policy wanted seen goes on, an action is taken"),
		p.jobOrder(core.Deny, "Say no to a job or an action that waits for a person: an undecided result is turned down, a job that lacks something fails, what a policy wanted seen is not done, an action is dropped"),
	}
}

// jobOrder is an order about one job, with a reason for the record.
func (p *program) jobOrder(kind core.OrderKind, short string) *cobra.Command {
	var reason string
	cmd := p.orderCommand(string(kind)+" JOB", short, oneJob, func(args []string) (*host.Order, error) {
		id, err := p.jobID(args[0])
		return &host.Order{Name: kind, Job: id, Reason: reason}, err
	})
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return cmd
}

func oneJob(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usage("name a job, and one alone: `%s JOB`; `omega job list` names them", cmd.CommandPath())
	}
	return nil
}

// orderCommand is a command that gives an order and waits for its answer.
func (p *program) orderCommand(use, short string, args cobra.PositionalArgs, make func([]string) (*host.Order, error)) *cobra.Command {
	var noWait bool
	cmd := &cobra.Command{
		Use: use, Short: short, Args: args,
		RunE: func(_ *cobra.Command, args []string) error {
			order, err := make(args)
			if err != nil {
				return err
			}
			if err := order.Check(); err != nil {
				return usage("%v", err)
			}
			return p.order(order, !noWait)
		},
	}
	cmd.Flags().BoolVar(&noWait, "no-wait", false, "do not wait for the answer")
	return cmd
}

func (p *program) order(order *host.Order, wait bool) error {
	data, err := p.folder()
	if err != nil {
		return err
	}
	answer, running, err := send(data, order, wait)
	if err != nil {
		return err
	}
	return p.answer(answer, running)
}

// send signs an order, sends it and, where a host runs, waits for its answer.
// Nothing that grows with the mission comes before the sending: it may be an
// emergency stop.
func send(data string, order *host.Order, wait bool) (answer host.Acknowledgement, running bool, err error) {
	mission, err := host.Identity(data)
	if err != nil {
		return answer, false, &exit{host.CodeUsage, err}
	}
	key, err := host.OwnerKey(false)
	if err != nil {
		return answer, false, &exit{host.CodeDenied, err}
	}
	if !host.Owns(key, mission) {
		return answer, false, &exit{host.CodeDenied, errors.New("this user's owner key is not the one that began the mission")}
	}
	if running = host.Running(data); !running {
		if r, err := host.Read(data); err == nil && r.State.Status() == core.Ended {
			return host.Acknowledgement{Refusal: string(core.RefuseMissionEnded), Detail: "nothing can be changed any more"}, false, nil
		}
	}
	last := host.LastDurable(data)
	id, err := host.SendOrder(data, mission.Mission, key, order)
	if err != nil || !running || !wait {
		return host.Acknowledgement{ID: id, Pending: true}, running, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), acknowledgeWithin)
	defer cancel()
	answer, err = host.WaitForOrder(ctx, data, id, last)
	return answer, running, err
}

func (p *program) answer(a host.Acknowledgement, running bool) (err error) {
	if p.json {
		err = p.print(a)
	} else {
		_, err = fmt.Fprintln(p.out, answerText(a, running))
	}
	if err == nil && !a.Pending && !a.Accepted {
		return &exit{code: host.CodeDenied}
	}
	return err
}

func answerText(a host.Acknowledgement, running bool) string {
	switch {
	case a.Pending && running:
		return "recorded; the running host has not answered yet"
	case a.Pending:
		return "recorded, applies at next start"
	case a.Accepted:
		return fmt.Sprintf("done, in entry %d", a.Seq)
	}
	return "refused: " + refusal(a.Refusal, a.Detail)
}

func (p *program) postCommand() *cobra.Command {
	var skills, needs []string
	text := map[string]*string{}
	cmd := p.orderCommand("post [NAME]", "Post a job", cobra.MaximumNArgs(1), func(args []string) (*host.Order, error) {
		post := map[string]json.RawMessage{}
		if len(args) > 0 {
			post["name"] = quote(args[0])
		}
		post["skills"], post["needs"] = list(skills), list(needs)
		for name, value := range text {
			if *value == "" {
				continue
			}
			switch name {
			case "input":
				post[name] = json.RawMessage(*value)
			case "simulated":
				post[name] = json.RawMessage(`{"result":` + *value + `}`)
			default:
				post[name] = quote(*value)
			}
		}
		return &host.Order{Name: core.PostJob, Post: post}, nil
	})
	cmd.Flags().StringSliceVar(&skills, "skill", nil, "a skill its worker must have; may be repeated")
	cmd.Flags().StringSliceVar(&needs, "needs", nil, "a job it needs; may be repeated")
	for _, f := range postFlags() {
		text[f[0]] = cmd.Flags().String(flagName(f[0]), "", f[1])
	}
	return cmd
}

// postFlags are the attributes of a job that are one value, from the one table.
func postFlags() (flags [][2]string) {
	for _, s := range core.JobSettings() {
		if s.Kind != core.KindNames {
			flags = append(flags, [2]string{s.Name, s.Doc})
		}
	}
	return append(flags, [2]string{"priority", "low, normal, high or critical"}, [2]string{"input", "its input, JSON"},
		[2]string{"simulated", "what a simulated worker answers, JSON"})
}
