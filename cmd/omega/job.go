package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/core"
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

	index int // in post order
}

func rowOf(s *core.State, j *core.Job) jobRow {
	row := jobRow{
		Job: j.Spec.ID, Name: j.Name(), State: string(j.State), Attempts: j.Attempt, Worker: j.LastWorker,
		Reward: j.Spec.Reward.String(), Waiting: s.Waiting(j), Reason: strings.TrimSpace(j.Reason + " " + j.Detail),
		index: j.Index(),
	}
	if j.Worker != nil {
		row.Worker = j.Worker.ID
	}
	if j.Result != nil {
		row.Result = fmt.Sprintf("%x", j.Digest)
	}
	return row
}

// jobs reads the jobs that are asked for, in post order. Those that have ended
// are kept as they are printed while the journal goes by.
func (p *program) jobs(asked func(*core.Job) bool) (rows []jobRow, data string, err error) {
	data, err = p.folder()
	if err != nil {
		return nil, "", err
	}
	rows = []jobRow{}
	r, err := host.ReadEach(data, func(s *core.State) {
		for _, j := range s.Ended() {
			if asked(j) {
				rows = append(rows, rowOf(s, j))
			}
		}
	})
	if err != nil {
		return nil, data, &exit{host.CodeUsage, err}
	}
	for _, j := range r.State.Jobs() {
		if !j.State.Terminal() && asked(j) {
			rows = append(rows, rowOf(r.State, j))
		}
	}
	slices.SortFunc(rows, func(a, b jobRow) int { return a.index - b.index })
	return rows, data, nil
}

func (p *program) listCommand() *cobra.Command {
	var state string
	cmd := &cobra.Command{
		Use: "list", Short: "List jobs and why each one waits", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if state != "" && !slices.Contains(core.JobStates(), core.JobState(state)) {
				return usage("--state %s: it is one of %v", state, core.JobStates())
			}
			rows, _, err := p.jobs(func(j *core.Job) bool { return state == "" || string(j.State) == state })
			if err != nil {
				return err
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
			j, data, err := p.findJob(args[0])
			if err != nil {
				return err
			}
			return p.logs(data, j)
		},
	}
}

// jobID is the id of a job that may be named as people read it.
func (p *program) jobID(name string) (string, error) {
	if !strings.Contains(name, "[") {
		return name, nil
	}
	j, _, err := p.findJob(name)
	return j.Job, err
}

// findJob takes an id or the name people read.
func (p *program) findJob(name string) (j jobRow, data string, err error) {
	rows, data, err := p.jobs(func(j *core.Job) bool { return j.Spec.ID == name || j.Name() == name })
	if err != nil {
		return jobRow{}, data, err
	}
	for _, row := range rows {
		if row.Job == name || j.Job == "" {
			j = row
		}
	}
	if j.Job == "" {
		return j, data, usage("there is no job %s", name)
	}
	return j, data, nil
}

func (p *program) logs(data string, j jobRow) error {
	for n := int64(1); n <= j.Attempts; n++ {
		log, err := os.ReadFile(host.LogPath(data, j.Job, n))
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		if p.json {
			err = p.print(map[string]any{"job": j.Job, "attempt": n, "stderr": string(log)})
		} else {
			_, err = fmt.Fprintf(p.out, "── attempt %d\n%s", n, log)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *program) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Say how the mission stands", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			r, data, err := p.read()
			if err != nil {
				return err
			}
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
		},
	}
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
	fmt.Fprintf(w, "time\t%s, entry %d, generation %d\n", core.Duration(s.Now()), s.Seq(), s.Generation())
	fmt.Fprintf(w, "jobs\t%d open, %d finalized, %d failed, %d cancelled, %d expired, %d skipped\n", s.Open(), t.Finalized, t.Failed, t.Cancelled, t.Expired, t.Skipped)
	fmt.Fprintf(w, "tokens\t%s minted, %s paid, %s slashed, %s burned, %s fees\n", t.Minted, t.Paid, t.Slashed, t.Burned, t.Fees)
	return w.Flush()
}
