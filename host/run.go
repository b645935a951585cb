package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
	"github.com/omega-run/omega/host/ledger"
	"github.com/omega-run/omega/host/missionfile"
	"github.com/omega-run/omega/host/projection"
	"github.com/omega-run/omega/host/script"
)

// DiagnosticsError is a mission that cannot be run.
type DiagnosticsError struct{ Diagnostics missionfile.Diagnostics }

func (e *DiagnosticsError) Error() string {
	for _, d := range e.Diagnostics {
		if d.Severity == missionfile.Error {
			return d.String()
		}
	}
	return "the mission file is refused"
}

// DataFolder is where a mission keeps its data unless told otherwise:
// .omega/<mission> beside the mission file. A file that no longer loads has the
// folder of the only mission that has ever run there; the error says what is
// wrong with the file where that does not help.
func DataFolder(path string, mission *missionfile.Mission) (string, error) {
	dir := path
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		dir = filepath.Dir(path)
	}
	root := filepath.Join(dir, ".omega")
	if mission != nil {
		return filepath.Join(root, mission.Spec().Mission.Name), nil
	}
	found, err := os.ReadDir(root)
	if err != nil || len(found) != 1 {
		return "", errors.New("the mission file cannot be read to its end, so its data folder is not known: say which with --data DIR")
	}
	return filepath.Join(root, found[0].Name()), nil
}

// Config says what to run and where.
type Config struct {
	Path    string            // mission file or folder
	Data    string            // data folder; "" is DataFolder, or a temporary one in a rehearsal
	Given   missionfile.Given // values for the mission's variables
	Speed   ledger.Ratio      // mission time per wall time; 0 is 1
	Version string            // of the program
	FS      journal.FS        // what the journal and its checkpoints lie on; nil is the disk
	Segment int64             // bytes at which a segment of the journal is cut; 0 is 64 MiB
	Lines   io.Writer         // progress for people, a line an event; nil for none
	Watch   Watcher           // is told of every entry; nil for nobody
	Problem io.Writer         // diagnostics and warnings; nil for none
	Record  bool              // a live run keeps what servers answer, for rehearsals
	Look    <-chan struct{}   // to look at the mission file now and say what was found; nil for never

	// Scripts makes what runs scripts; nil is script.New.
	Scripts func() script.Engine
	run     *scripts // of this run
}

// engines readies what runs scripts; nothing is started before one is asked.
func (c *Config) engines(patient bool) {
	if c.Scripts == nil {
		c.Scripts = func() script.Engine { return script.New(script.Options{}) }
	}
	c.run = &scripts{make: c.Scripts, patient: patient}
	if c.Given.Scripts == nil {
		c.Given.Scripts = c.run
	}
}

func (c Config) problems() io.Writer {
	if c.Problem == nil {
		return io.Discard
	}
	return c.Problem
}

// Outcome is how a run ended.
type Outcome struct {
	Report projection.Report
	Data   string
	Code   int  // exit code: 0, 1, 5 or 8
	Ended  bool // the mission has; otherwise it can be gone on with
}

// Exit codes (SPEC of the command line, in docs/cli.md).
const (
	CodeOK        = 0
	CodeFailed    = 1
	CodeUsage     = 2
	CodeDenied    = 3
	CodeInvalid   = 4
	CodeExhausted = 5
	CodeMachine   = 6
	CodeMismatch  = 7
	CodeStopped   = 8
)

// codeOf is the exit code of a mission as it stands.
func codeOf(s *core.State) int {
	t := s.Totals()
	switch {
	case s.Status() == core.Stopped || s.Status() == core.Emergency:
		return CodeStopped
	case t.ExhaustedLost > 0:
		return CodeExhausted
	case t.RequiredLost > 0 || requiredOpen(s):
		return CodeFailed
	}
	return CodeOK
}

// requiredOpen reports whether a required job has not ended yet, or may still
// be posted.
func requiredOpen(s *core.State) bool {
	for _, j := range s.Jobs() {
		if j.Spec.Required && !j.State.Terminal() {
			return true
		}
	}
	return s.Expanded() < s.Spec().Instances
}

// Run is a live run: it opens or resumes the mission and goes on until it is
// complete, out of time, stopped, or ctx asks it to leave.
func Run(ctx context.Context, c Config) (*Outcome, error) {
	s, err := Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return s.Wait()
}

// liveFolder is where a live run keeps its data. For a new mission that cannot
// be run it is refused: nothing is written.
func liveFolder(c Config, mission *missionfile.Mission, problems missionfile.Diagnostics) (string, error) {
	data := c.Data
	if data == "" {
		var err error
		if data, err = DataFolder(c.Path, mission); err != nil {
			return "", errors.Join(&DiagnosticsError{problems}, err)
		}
	}
	if _, err := os.Stat(journalDir(data)); err != nil && problems.HasErrors() {
		return "", &DiagnosticsError{problems}
	}
	return data, nil
}

// toTheEnd runs an open mission, lets go of it and reports.
func (h *hosting) toTheEnd(ctx context.Context, c Config, seen sighting, began time.Time) (*Outcome, error) {
	code, err := h.run(ctx, c, seen)
	if broken := h.journal.Err(); broken != nil {
		_ = h.close() // it fails for the same reason
		return nil, fmt.Errorf("%w: the journal cannot be written, so the host ends; what was acknowledged is safe: %w", ErrMachine, broken)
	}
	if err != nil {
		return nil, errors.Join(err, h.close())
	}
	if err := h.close(); err != nil {
		return nil, err
	}
	report, err := reportOf(h.state, h.head(), h.reader.set, began)
	return &Outcome{Report: report, Data: h.data, Code: code, Ended: h.state.Status() == core.Ended}, err
}

func reportOf(s *core.State, last core.Digest, set *projection.Set, began time.Time) (projection.Report, error) {
	artifacts, err := set.Artifacts()
	if err != nil {
		return projection.Report{}, err
	}
	digest := projection.Digest(last, artifacts)
	return projection.NewReport(s, digest, time.Since(began).Milliseconds(), peakRSS()), nil
}

func peakRSS() int64 {
	var use unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &use) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(use.Maxrss)
	}
	return int64(use.Maxrss) * 1024
}
