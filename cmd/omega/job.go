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
	Job      string    `json:"job"`
	Name     string    `json:"name"`
	State    string    `json:"state"`
	Attempts int64     `json:"attempts"`
	Worker   string    `json:"worker,omitempty"`
	Reward   string    `json:"reward"`
	Waiting  string    `json:"waiting_for,omitempty"`
	Reason   string    `json:"reason,omitempty"` // of its end, or of the last attempt's
	Result   string    `json:"result_digest,omitempty"`
	Title    string    `json:"title,omitempty"`
	Since    core.Time `json:"since"` // in that state

	ended        bool
	code, detail string
}

func rowOf(s *core.State, l *inquiry.Listed) jobRow {
	row := jobRow{
		Job: l.Job, Name: l.Name, Title: l.Title, State: string(l.State), Since: l.Since, Attempts: l.Attempts, Worker: l.Worker, Reward: l.Reward,
		Reason: strings.TrimSpace(l.Reason + " " + l.Detail), Result: l.Result,
		ended: l.State.Terminal(), code: l.Reason, detail: l.Detail,
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
			if state != "" && state != waiting && !slices.Contains(core.JobStates(), core.JobState(state)) {
				return usage("--state %s: it is waiting or one of %v", state, core.JobStates())
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
				if inState(one.State, state) {
					rows = append(rows, rowOf(now, one))
				}
			}
			if p.json {
				return p.print(rows)
			}
			return p.jobTable(rows)
		},
	}
	cmd.Flags().StringVar(&state, "state", "", "only jobs in this state; waiting: posted, ready, rejected or delegated")
	return cmd
}

// waiting is a word for all states in which a job has nobody who does or judges
// it.
const waiting = "waiting"

func inState(is core.JobState, asked string) bool {
	if asked == waiting {
		return is == core.JobPostedState || is == core.JobReadyState || is == core.JobRejected || is == core.JobDelegated
	}
	return asked == "" || string(is) == asked
}

// Longest title and reason in a table, in runes; omega explain has all.
const (
	mostTitle = 32
	mostWhy   = 100
)

func (p *program) jobTable(rows []jobRow) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(p.err, "there is no such job")
		return err
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "job\ttitle\tstate\tsince\twaiting or reason\n")
	for _, row := range rows {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", clean(row.Name), cut(row.Title, mostTitle), row.State, row.Since.Clock(), cut(row.why(), mostWhy))
	}
	_ = w.Flush() // a strings.Builder takes everything
	for line := range strings.Lines(b.String()) {
		if _, err := fmt.Fprintln(p.out, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// why says what holds the job up now, who does it, or how it ended. How an
// attempt before ended is said as such.
func (r jobRow) why() string {
	why := strings.TrimPrefix(because(r.code, r.detail), ": ")
	if r.ended {
		return why
	}
	text := r.Waiting
	if text == "" {
		text = fmt.Sprintf("%s, attempt %d", r.Worker, r.Attempts)
	}
	if why != "" && r.State != string(core.JobAwaiting) {
		text += "; the last: " + why
	}
	return text
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
