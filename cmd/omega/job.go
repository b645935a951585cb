package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/inquiry"
)

func (p *program) jobCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "job", Short: "Post, list, cancel jobs, and read their logs", Args: cobra.NoArgs, RunE: help}
	cmd.AddCommand(p.postCommand(), p.listCommand(), p.cancelCommand(), p.logsCommand())
	return cmd
}

func flagName(setting string) string { return strings.ReplaceAll(setting, "_", "-") }

func quote(s string) json.RawMessage { return json.RawMessage(core.AppendString(nil, s)) }

func list(all []string) json.RawMessage {
	b := []byte{'['}
	for i, s := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = core.AppendString(b, s)
	}
	return append(b, ']')
}

// jobRow is one job as `omega job list --json` writes it.
type jobRow struct {
	Job      string `json:"job"`
	Name     string `json:"name"`
	State    string `json:"state"`
	Attempts int64  `json:"attempts"`
	Worker   string `json:"worker,omitempty"`
	Reward   string `json:"reward"`
	Waiting  string `json:"waiting_for,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Result   string `json:"result_digest,omitempty"`
}

func rowOf(s *core.State, l *inquiry.Listed) jobRow {
	row := jobRow{
		Job: l.Job, Name: l.Name, State: string(l.State), Attempts: l.Attempts, Worker: l.Worker, Reward: l.Reward,
		Reason: strings.TrimSpace(l.Reason + " " + l.Detail), Result: l.Result,
	}
	if j := s.Job(l.Job); j != nil {
		row.Waiting = s.Waiting(j)
	}
	return row
}

func (p *program) listCommand() *cobra.Command {
	var state string
	cmd := &cobra.Command{
		Use: "list", Short: "List jobs and why each one waits", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if state != "" && !slices.Contains(core.JobStates(), core.JobState(state)) {
				return usage("--state %s: it is one of %v", state, core.JobStates())
			}
			data, err := p.folder()
			if err != nil {
				return err
			}
			all, now, err := host.Roll(data)
			if err != nil {
				return &exit{host.CodeUsage, err}
			}
			rows := []jobRow{}
			for _, one := range all {
				if state == "" || string(one.State) == state {
					rows = append(rows, rowOf(now, one))
				}
			}
			if p.json {
				return p.print(rows)
			}
			w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
			for _, row := range rows {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", row.Name, row.State, row.Worker, row.why())
			}
			return w.Flush()
		},
	}
	cmd.Flags().StringVar(&state, "state", "", "only jobs in this state")
	return cmd
}

func (r jobRow) why() string {
	if r.Waiting != "" {
		return r.Waiting
	}
	return r.Reason
}

func (p *program) logsCommand() *cobra.Command {
	return &cobra.Command{
		Use: "logs JOB", Short: "Show what the attempts of a job wrote to standard error", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			data, err := p.folder()
			if err != nil {
				return err
			}
			told, err := host.Explain(data, args[0])
			if err != nil {
				return asUsage(err)
			}
			return p.logs(data, told.Job, told.Totals.Attempts)
		},
	}
}

// jobID is the id of a job that may be named as people read it.
func (p *program) jobID(name string) (string, error) {
	if !strings.Contains(name, "[") {
		return name, nil
	}
	data, err := p.folder()
	if err != nil {
		return "", err
	}
	id, err := host.FindJob(data, name)
	return id, asUsage(err)
}

func (p *program) logs(data, job string, attempts int64) error {
	for n := int64(1); n <= attempts; n++ {
		log, err := os.ReadFile(host.LogPath(data, job, n))
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		if p.json {
			err = p.print(map[string]any{"job": job, "attempt": n, "stderr": string(log)})
		} else {
			_, err = fmt.Fprintf(p.out, "── attempt %d\n%s", n, log)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
