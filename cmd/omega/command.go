package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/journal"
	"github.com/omega-run/omega/host/missionfile"
)

// program is one call of omega.
type program struct {
	in   io.Reader
	out  io.Writer // data
	err  io.Writer // everything else
	data string    // --data
	json bool      // --json
}

// exit ends the program with a code and, unless it is nil, a message.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

func usage(format string, args ...any) error {
	return &exit{host.CodeUsage, fmt.Errorf(format, args...)}
}

// Main runs one command and returns its exit code.
func Main(args []string, in io.Reader, out, err io.Writer) int {
	p := &program{in: in, out: out, err: err}
	root := p.root()
	root.SetArgs(longFlags(args))
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(err)
	return p.code(root.Execute())
}

// code prints what went wrong and gives the exit code.
func (p *program) code(err error) int {
	var e *exit
	var refused *host.DiagnosticsError
	var damage *journal.CorruptionError
	var unanswered *host.UnansweredError
	switch {
	case err == nil:
		return host.CodeOK
	case errors.As(err, &refused):
		_ = refused.Diagnostics.Print(p.err, p.colour())
		return host.CodeInvalid
	case errors.As(err, &e):
		if e.err != nil {
			fmt.Fprintf(p.err, "omega: %v\n", e.err)
		}
		if errors.As(err, &damage) {
			return host.CodeMismatch
		}
		return e.code
	}
	fmt.Fprintf(p.err, "omega: %v\n", err)
	switch {
	case errors.As(err, &damage):
		return host.CodeMismatch
	case errors.As(err, &unanswered):
		return host.CodeFailed
	case errors.Is(err, host.ErrMachine), errors.Is(err, syscall.ENOSPC):
		return host.CodeMachine
	}
	return host.CodeUsage
}

func (p *program) colour() bool {
	f, ok := p.err.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && isTerminal(f)
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// help is what a command does that only holds others: without it, a misspelt
// one would be a success.
func help(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// noOther refuses what is no command of those that one holds.
func noOther(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	hint := ""
	if close := cmd.SuggestionsFor(args[0]); len(close) > 0 {
		hint = "; did you mean " + strings.Join(close, " or ") + "?"
	}
	return usage("unknown command %q: `%s --help` lists what there is%s", args[0], cmd.CommandPath(), hint)
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "omega",
		Short:         "Run missions: budgeted, validated work done by a swarm of agents, recorded in one journal",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noOther,
	}
	about := root.Flags().Bool("version", false, "say which omega this is")
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if *about {
			return p.about()
		}
		return help(cmd, args)
	}
	root.PersistentFlags().StringVar(&p.data, "data", "", "the mission's data folder")
	root.PersistentFlags().BoolVar(&p.json, "json", false, "write JSON")
	root.AddCommand(
		p.runCommand(), p.checkCommand(), p.planCommand(), p.applyCommand(), p.fmtCommand(), p.statusCommand(), p.explainCommand(), p.costCommand(), p.logCommand(), p.jobCommand(), p.ownerCommand(), p.lsCommand(),
		p.verifyCommand(), p.replayCommand(), p.rebuildCommand(), p.importCommand(), p.newCommand(), p.policyCommand(), p.docsCommand(), p.schemaCommand(), p.versionCommand(),
	)
	root.AddCommand(p.decisionCommands()...)
	return root
}

// print writes a value as one line of JSON.
func (p *program) print(v any) error {
	enc := json.NewEncoder(p.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

var errNoMission = errors.New("there is no mission.hcl here: name a mission file or folder")

// path is the mission file or folder a command is given, or finds here.
func path(args []string) (string, error) {
	if len(args) > 0 {
		if _, err := os.Stat(args[0]); errors.Is(err, fs.ErrNotExist) {
			return "", usage("there is no %s: name a mission file or folder", args[0])
		}
		return args[0], nil
	}
	if here := missionHere(); here != "" {
		return here, nil
	}
	return "", &exit{host.CodeUsage, errNoMission}
}

// missionHere is the mission file in this folder, or where the mission that
// comes with omega was put; "" if there is none.
func missionHere() string {
	for _, name := range [...]string{"mission.hcl", "mission.hcl.json", filepath.Join(flagshipFolder, "mission.hcl")} {
		if _, err := os.Stat(name); err == nil {
			return name
		}
	}
	return ""
}

// folder is the data folder a command works on: --data, else that of the
// mission in this folder, else that of this user's only running host.
func (p *program) folder() (string, error) {
	if p.data != "" {
		return p.data, nil
	}
	if here := missionHere(); here != "" {
		mission, found := missionfile.Load(here, missionfile.Given{Environ: os.Environ()})
		data, err := host.DataFolder(here, mission)
		if err != nil && found.HasErrors() {
			return "", usage("%v\n%v", err, &host.DiagnosticsError{Diagnostics: found})
		}
		if err != nil {
			return "", &exit{host.CodeUsage, err}
		}
		return data, nil
	}
	known, err := host.Missions()
	if err != nil {
		return "", err
	}
	var running []host.Known
	for _, k := range known {
		if k.Running {
			running = append(running, k)
		}
	}
	if len(running) == 1 {
		return running[0].Data, nil
	}
	list := ""
	for _, k := range known {
		list += fmt.Sprintf("\n  %s  --data %s", k.Name, k.Data)
	}
	if list == "" {
		return "", usage("there is no mission.hcl here and no mission has been run: say which with --data DIR")
	}
	return "", usage("say which mission with --data DIR; these have been run:%s", list)
}

// read opens the mission a command works on, read-only.
func (p *program) read() (*host.Reading, string, error) {
	data, err := p.folder()
	if err != nil {
		return nil, "", err
	}
	r, err := host.Read(data)
	if err != nil {
		return nil, data, &exit{host.CodeUsage, err}
	}
	return r, data, nil
}

func (p *program) lsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "ls",
		Short: "List the missions this user has run",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			known, err := host.Missions()
			if err != nil {
				return err
			}
			if p.json {
				if known == nil {
					known = []host.Known{}
				}
				return p.print(known)
			}
			for _, k := range known {
				state := "-"
				if k.Running {
					state = "running"
				}
				fmt.Fprintf(p.out, "%-24s %-8s %s\n", k.Name, state, filepath.Clean(k.Data))
			}
			return nil
		},
	}
}
