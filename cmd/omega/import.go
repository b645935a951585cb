package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/missionfile"
	"github.com/omega-run/omega/host/wfcommons"
)

func (p *program) importCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "import", Short: "Make a mission of what others recorded", Args: cobra.NoArgs, RunE: help}
	cmd.AddCommand(p.importWfcommonsCommand())
	return cmd
}

func (p *program) importWfcommonsCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "wfcommons FILE",
		Short: "Make a mission of a recorded workflow, WfFormat 1.5",
		Long: `Make a mission of a workflow recorded in WfFormat 1.5 (https://wfcommons.org): a job for each task,
with the recorded edges, run times and cores, and a worker for each machine. It writes mission.hcl
and tasks.json, a task a line, into a new or empty folder.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if output == "" {
				return usage("say where the mission goes: --output DIR")
			}
			return p.importWfcommons(args[0], output)
		},
	}
	cmd.Flags().StringVar(&output, "output", "", "the folder of the mission, new or empty: `DIR`")
	return cmd
}

func (p *program) importWfcommons(file, dir string) error {
	content, err := readRecording(file)
	if err != nil {
		return err
	}
	recording, err := wfcommons.Parse(content)
	if err != nil {
		return invalid(file, err)
	}
	made, err := newFolder(dir)
	if err != nil {
		return err
	}
	mission, err := writeMission(dir, recording, filepath.Base(file))
	if err != nil {
		return errors.Join(err, unmake(dir, made))
	}
	return p.imported(dir, recording, mission)
}

// readRecording reads a file that may be anything, and no more than can be used.
func readRecording(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, usage("%v: name a recorded workflow", err)
	}
	if !info.Mode().IsRegular() {
		return nil, usage("%s is not a file: name a recorded workflow", file)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, usage("%v", err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, wfcommons.MaxBytes+1))
	if err != nil {
		return nil, usage("%v", err)
	}
	return content, nil
}

func invalid(file string, err error) error {
	return &exit{host.CodeInvalid, fmt.Errorf("%s: %w", file, err)}
}

// newFolder makes a folder, or takes an empty one. Made is the first of its
// parents that had to be made, "" for none.
func newFolder(dir string) (made string, err error) {
	found, err := os.ReadDir(dir)
	switch {
	case err == nil && len(found) > 0:
		return "", usage("%s is not empty: an imported mission goes into a new or empty folder", dir)
	case err == nil:
		return "", nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", usage("%v: name a new or empty folder", err)
	}
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		if _, err := os.Lstat(at); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		made = at
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", usage("%v", err)
	}
	return made, nil
}

// unmake leaves things as they were.
func unmake(dir, made string) error {
	if made != "" {
		return os.RemoveAll(made)
	}
	var errs []error
	for _, name := range [...]string{wfcommons.MissionFile, wfcommons.TasksFile} {
		if err := os.Remove(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// writeMission writes the files and checks them as omega check would.
func writeMission(dir string, r *wfcommons.Recording, source string) (*missionfile.Mission, error) {
	tasks, err := r.TaskLines()
	if err != nil {
		return nil, err
	}
	for name, content := range map[string][]byte{wfcommons.MissionFile: r.Mission(source), wfcommons.TasksFile: tasks} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return nil, err
		}
	}
	mission, found := missionfile.Load(filepath.Join(dir, wfcommons.MissionFile))
	for _, d := range found {
		return nil, invalid(source, fmt.Errorf("it makes no mission that could be run: %s: %s", d.Summary, d.Detail))
	}
	return mission, nil
}

func (p *program) imported(dir string, r *wfcommons.Recording, mission *missionfile.Mission) error {
	name := mission.Spec().Mission.Name
	if p.json {
		return p.print(struct {
			Mission  string `json:"mission"`
			Path     string `json:"path"`
			Tasks    int    `json:"tasks"`
			Edges    int    `json:"edges"`
			Machines int    `json:"machines"`
			Timeless int    `json:"timeless"`
		}{name, dir, len(r.Tasks), r.Edges, len(r.Machines), r.Timeless})
	}
	if r.Timeless > 0 {
		fmt.Fprintf(p.err, "%d tasks have no recorded run time: each takes 1 ms until you set its work_ms in %s\n", r.Timeless, filepath.Join(dir, wfcommons.TasksFile))
	}
	_, err := fmt.Fprintf(p.out, "%s: %d tasks, %d edges, %d machines in %s\n  go on with  omega run --ci %s\n", name, len(r.Tasks), r.Edges, len(r.Machines), dir, dir)
	return err
}
