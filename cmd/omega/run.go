package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/ledger"
	"github.com/omega-run/omega/host/missionfile"
	"github.com/omega-run/omega/host/projection"
)

func (p *program) runCommand() *cobra.Command {
	var ci, plain, record bool
	var speed, expect string
	var given func() missionfile.Given
	cmd := &cobra.Command{
		Use:   "run [PATH]",
		Short: "Run a mission, or go on with it",
		Long: `Run a mission until it is complete, its duration is over, or the owner stops it.
Killed at any instant and started again, it goes on exactly where it was.

An edit of the mission file is taken while the mission runs: what it changes is in
force at once, a broken one changes nothing, and one that removes a job, a worker or
a validator waits for ` + "`omega apply`" + `. SIGHUP has the file looked at now.

In a terminal it shows a live view, elsewhere and with --plain a line for each event.

With --ci it runs on a virtual clock and the mission's seed, in a new folder; two
runs give the same bytes. --expect compares them with a digest, a report or a data folder.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			at, err := p.missionToRun(args, ci)
			if err != nil {
				return err
			}
			c := host.Config{Path: at, Data: p.data, Given: given(), Version: version, Problem: p.err, Record: record}
			if !p.json && !ci {
				c.Lines = p.out
			}
			if c.Speed, err = speedOf(speed); err != nil {
				return err
			}
			switch {
			case ci && speed != "":
				return usage("--speed is for live runs: a --ci run has a virtual clock")
			case ci && record:
				return usage("--record is for live runs: a --ci run asks no server")
			case ci:
				return p.rehearse(c, expect)
			case expect != "":
				return usage("--expect goes with --ci")
			}
			return p.run(c, plain, again(at, p.data, speed, record))
		},
	}
	given = variables(cmd)
	cmd.Flags().BoolVar(&ci, "ci", false, "run on a virtual clock: the same bytes every time")
	cmd.Flags().StringVar(&expect, "expect", "", "with --ci: a `DIGEST`, a report file or a data folder the run must equal")
	cmd.Flags().BoolVar(&plain, "plain", false, "print plain lines although standard output is a terminal")
	cmd.Flags().BoolVar(&record, "record", false, "keep what servers answer in recordings/recorded.jsonl, for --ci runs")
	cmd.Flags().StringVar(&speed, "speed", "", "run mission time `N` times faster than the clock")
	return cmd
}

// missionToRun is the mission named or found here, or else the one that comes
// with omega.
func (p *program) missionToRun(args []string, ci bool) (string, error) {
	at, err := path(args)
	if !errors.Is(err, errNoMission) {
		return at, err
	}
	if others := missionfile.Files("."); len(others) > 0 {
		return "", usage("there is no mission.hcl here, but %s: say which with `omega run FILE`, or `omega run .` where they are one mission", strings.Join(others, ", "))
	}
	return p.flagship(ci)
}

// again is the command that goes on with a run, word for word.
func again(at, data, speed string, record bool) string {
	words := []string{"omega", "run", at}
	if data != "" {
		words = append(words, "--data", data)
	}
	if speed != "" {
		words = append(words, "--speed", speed)
	}
	if record {
		words = append(words, "--record")
	}
	for i, word := range words {
		if strings.ContainsAny(word, " \t\n'\"\\$&|;<>()*?[]#~`!{}") {
			words[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

func speedOf(text string) (ledger.Ratio, error) {
	if text == "" {
		return 0, nil
	}
	speed, err := ledger.ParseAmount(text)
	const most = 1_000_000 * ledger.One
	if err != nil || speed <= 0 || speed > most {
		return 0, usage("--speed %s: write a number above 0 and up to 1000000", text)
	}
	return ledger.Ratio(speed), nil
}

func (p *program) run(c host.Config, plain bool, again string) error {
	signal.Ignore(syscall.SIGPIPE) // a mission goes on when nobody reads its progress any more
	look, stop := onHangup()
	defer stop()
	c.Look = look
	run := p.runPlain
	if p.live() && !plain {
		run = p.runShown
	}
	outcome, err := run(c)
	if err != nil {
		return err
	}
	if err := p.report(outcome, again); err != nil {
		return err
	}
	return withCode(outcome.Code)
}

func (p *program) runPlain(c host.Config) (*host.Outcome, error) {
	ctx, cancel := notify()
	defer cancel()
	return host.Run(ctx, c)
}

func withCode(code int) error {
	if code == host.CodeOK {
		return nil
	}
	return &exit{code: code}
}

func (p *program) rehearse(c host.Config, expect string) error {
	ctx, cancel := notify()
	defer cancel()
	compare := filepath.Join(expect, "journal")
	folder := expect != "" && isDir(compare)
	if folder && c.Data == "" { // the run's own journal is needed for the comparison
		data, err := os.MkdirTemp("", "omega-ci-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(data)
		c.Data = data
	}
	outcome, err := host.Rehearse(ctx, c)
	if err != nil {
		return err
	}
	if err := p.report(outcome, ""); err != nil {
		return err
	}
	if expect != "" {
		if err := p.expect(outcome, expect, folder); err != nil {
			return err
		}
	}
	return withCode(outcome.Code)
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// expect compares a rehearsal with what it should have been.
func (p *program) expect(outcome *host.Outcome, expect string, folder bool) error {
	if folder {
		difference, err := host.Compare(outcome.Data, expect)
		if err != nil {
			return err
		}
		if difference != "" {
			return &exit{host.CodeMismatch, errors.New(difference)}
		}
		return nil
	}
	want := expect
	if b, err := os.ReadFile(expect); err == nil {
		var report projection.Report
		if want = strings.TrimSpace(string(b)); json.Unmarshal(b, &report) == nil {
			want = report.Digest
		}
	}
	if want != outcome.Report.Digest {
		return &exit{host.CodeMismatch, fmt.Errorf("the digest is %s, expected %s; with --expect DATA-FOLDER the first entry that differs is shown", outcome.Report.Digest, want)}
	}
	return nil
}

// report says how a run ended, and where it has not, the command that goes on.
func (p *program) report(outcome *host.Outcome, again string) error {
	r := outcome.Report
	if p.json {
		return p.print(r)
	}
	w := bufio.NewWriter(p.out)
	fmt.Fprintf(w, "\n%s: %s\n", r.Mission, ending(outcome, again))
	fmt.Fprintf(w, "  jobs     %d posted, %d finalized, %d failed, %d cancelled, %d expired, %d skipped\n",
		r.Jobs.Posted, r.Jobs.Finalized, r.Jobs.Failed, r.Jobs.Cancelled, r.Jobs.Expired, r.Jobs.Skipped)
	fmt.Fprintf(w, "  tokens   %s minted, %s paid, %s slashed, %s burned, %s fees\n", r.Tokens.Minted, r.Tokens.Paid, r.Tokens.Slashed, r.Tokens.Burned, r.Tokens.Fees)
	fmt.Fprintf(w, "  record   %d entries, %d events, %s s of mission time\n", r.Entries, r.Events, r.MissionSeconds)
	fmt.Fprintf(w, "  digest   %s\n", r.Digest)
	return w.Flush()
}

func ending(o *host.Outcome, again string) string {
	switch {
	case o.Code == host.CodeStopped && again != "":
		return fmt.Sprintf("stopped by the owner; to go on: `omega owner resume --data %s`, then `%s`", o.Data, again)
	case o.Code == host.CodeStopped:
		return "stopped by the owner"
	case !o.Ended && again != "":
		return fmt.Sprintf("left; `%s` goes on", again)
	case !o.Ended:
		return "left; a rehearsal begins anew each time"
	case o.Code == host.CodeExhausted:
		return "ended; a required job ended for lack of tokens, energy or compute"
	case o.Code == host.CodeFailed:
		return "ended; a required job was not finalized"
	}
	return "complete; every required job was finalized"
}

func (p *program) checkCommand() *cobra.Command {
	var given func() missionfile.Given
	cmd := &cobra.Command{
		Use:   "check [PATH]",
		Short: "Check a mission file; nothing is run or written",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			at, err := path(args)
			if err != nil {
				return err
			}
			mission, found := missionfile.Load(at, given())
			if mission != nil {
				_, more := missionfile.Rehearsal(mission.Dir())
				found = slices.Concat(found, more, host.CheckRecordings(mission.Dir()))
			}
			if p.json {
				if found == nil {
					found = missionfile.Diagnostics{}
				}
				err = p.print(struct {
					Diagnostics missionfile.Diagnostics `json:"diagnostics"`
				}{found})
			} else {
				err = p.diagnostics(mission, found)
			}
			if err == nil && found.HasErrors() {
				err = &exit{code: host.CodeInvalid}
			}
			return err
		},
	}
	given = variables(cmd)
	return cmd
}

func (p *program) diagnostics(mission *missionfile.Mission, found missionfile.Diagnostics) error {
	if err := found.Print(p.err, p.colour()); err != nil {
		return err
	}
	if !found.HasErrors() && mission != nil {
		s := mission.Spec()
		_, err := io.WriteString(p.out, fmt.Sprintf("%s is valid: %s, %s\n", s.Mission.Name, number(s.Instances, "job"), number(int64(workers(mission)), "worker")))
		return err
	}
	return nil
}

func workers(m *missionfile.Mission) (n int) {
	for _, w := range m.Spec().Workers {
		n += len(w.Instances)
	}
	return n
}
