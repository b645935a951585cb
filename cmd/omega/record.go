package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
)

func (p *program) logCommand() *cobra.Command {
	var from uint64
	var events []string
	var follow bool
	cmd := &cobra.Command{
		Use:   "log",
		Short: "Show the journal, entry by entry",
		Long: `Show the journal, entry by entry. With --json each entry is one line as it stands in the
journal, with its digest added; transfers are spelled out with --events transfer. For
people each line begins with the number of its entry; with --events the lines are those that
tell of these events.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			known := eventNames()
			for _, name := range events {
				if !slices.Contains(known, name) {
					return usage("--events %s: it is one of %s", name, strings.Join(known, ", "))
				}
			}
			data, err := p.target(nil)
			if err != nil {
				return err
			}
			ctx, cancel := notify()
			defer cancel()
			spell := slices.Contains(events, "transfer")
			return host.Log(ctx, data, host.LogOptions{From: from, Events: events, Follow: follow, Spell: spell}, func(e *host.LoggedEntry) error {
				if p.json {
					_, err := fmt.Fprintf(p.out, "%s\n", e.JSON())
					return err
				}
				_, err := p.out.Write(e.Lines())
				return err
			})
		},
	}
	cmd.Flags().Uint64Var(&from, "from", 1, "the first entry")
	cmd.Flags().StringSliceVar(&events, "events", nil, "only entries with these events")
	cmd.Flags().BoolVar(&follow, "follow", false, "wait for more")
	return cmd
}

func eventNames() (names []string) {
	for _, event := range core.Events() {
		names = append(names, event.Name())
	}
	return names
}

// target is the data folder named as an argument, or found; it holds a journal.
func (p *program) target(args []string) (data string, err error) {
	if len(args) > 0 {
		data = args[0]
	} else if data, err = p.folder(); err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(data, "journal")); err != nil {
		return "", usage("%s holds no journal: %v", data, errors.Unwrap(err))
	}
	return data, nil
}

// unread is the code for a record that could not be read: damage is found there,
// unless it is the machine that does not let anybody look.
func unread(err error) error {
	var machine *fs.PathError
	var held *journal.HeldError
	if errors.As(err, &machine) || errors.As(err, &held) {
		return &exit{host.CodeUsage, err}
	}
	return &exit{host.CodeMismatch, err}
}

func (p *program) verifyCommand() *cobra.Command {
	return &cobra.Command{
		Use: "verify [DIR]", Short: "Audit a data folder, trusting nobody; exit 7 if anything is wrong", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			data, err := p.target(args)
			if err != nil {
				return err
			}
			a, err := host.Verify(data)
			if err != nil {
				return unread(err)
			}
			if p.json {
				err = p.print(a)
			} else {
				err = p.audit(a)
			}
			if err == nil && !a.OK {
				return &exit{code: host.CodeMismatch}
			}
			return err
		},
	}
}

func (p *program) audit(a *host.Audit) error {
	for _, problem := range a.Problems {
		fmt.Fprintf(p.out, "entry %d: %s\n", problem.Seq, problem.Problem)
	}
	for _, note := range a.Notes {
		fmt.Fprintf(p.err, "note: %s\n", note)
	}
	verdict := "everything holds"
	if !a.OK {
		verdict = number(int64(len(a.Problems)), "problem")
	}
	_, err := fmt.Fprintf(p.out, "%s: %d entries, %d signed checkpoints, %d host-held votes\n  last entry  %s\n  owner key   %s\n", verdict, a.Entries, a.Seals, a.HostHeld, a.Digest, a.Owner)
	return err
}

func (p *program) replayCommand() *cobra.Command {
	return &cobra.Command{
		Use: "replay [DIR]", Short: "Apply the recorded events again and say what state they make", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			data, err := p.target(args)
			if err != nil {
				return err
			}
			r, err := host.Read(data)
			if err != nil {
				return unread(err)
			}
			return p.stateOf(r)
		},
	}
}

func (p *program) rebuildCommand() *cobra.Command {
	return &cobra.Command{
		Use: "rebuild [DIR]", Short: "Write everything that is derived from the journal again", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			data, err := p.target(args)
			if err != nil {
				return err
			}
			r, err := host.Rebuild(data)
			if err != nil {
				return unread(err)
			}
			return p.stateOf(r)
		},
	}
}

func (p *program) stateOf(r *host.Reading) error {
	state, _ := r.State.Seal(nil)
	about := map[string]any{"entries": r.State.Seq(), "digest": hex.EncodeToString(r.Digest[:]), "state": hex.EncodeToString(state[:])}
	if p.json {
		return p.print(about)
	}
	_, err := fmt.Fprintf(p.out, "%d entries\n  last entry  %x\n  state       %x\n", r.State.Seq(), r.Digest, state)
	return err
}
