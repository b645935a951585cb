package worker

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// What a Task gets where it says 0.
const (
	DefaultTimeout     = 5 * time.Minute
	DefaultMemoryBytes = 1 << 30
	DefaultOutputBytes = 1 << 20   // sixteen times the largest result
	DefaultMaxFiles    = 1_000     // every file is named in the reply, which must fit into an entry
	DefaultFileBytes   = 64 << 20  // one file in $OMEGA_OUT
	DefaultFilesBytes  = 256 << 20 // all of them; they are kept as long as the mission
)

const (
	// MaxResultBytes is the largest result: results are held in the state and shown on the page.
	MaxResultBytes = 64 << 10
	// StderrBytes is how much of the end of standard error is kept.
	StderrBytes = 64 << 10
	// termGrace is the time between SIGTERM and SIGKILL for a program that ran out of wall time.
	termGrace = 2 * time.Second
)

// Exec runs exec attempts. The zero value is ready; it may be used by many goroutines.
type Exec struct {
	// Program is the binary that serves as the shim: one that calls Shim first thing in main. "" is the
	// running one.
	Program string
	// Rehearsal makes attempts independent of the machine's habits: LANG is C.UTF-8 and TZ is UTC, whatever
	// the host's are, and blobs are not synced to disk.
	Rehearsal bool
}

// Task is one attempt of one job. Zero limits mean the defaults above.
type Task struct {
	Job         string
	Attempt     int
	Command     []string // program and arguments, see the package comment
	Env         []string // names of variables passed on from the host's environment, if set there
	Secrets     []Secret // variables with these values; win over Env
	Input       []byte   // JSON for standard input
	Children    []byte   // JSON for the file that $OMEGA_CHILDREN names; nil: there is none
	Raw         bool     // what it prints is not an envelope: the reply has it as it stands
	MissionDir  string
	AttemptDir  string // of this attempt alone: wiped before and after
	BlobDir     string // made when needed
	Timeout     time.Duration
	MemoryBytes int64 // all processes of the attempt together
	OutputBytes int64 // standard output
	MaxFiles    int   // files in $OMEGA_OUT
	FileBytes   int64 // the largest of them
	FilesBytes  int64 // all of them
}

// Reply is what became of a Task.
type Reply struct {
	Result       []byte // canonical JSON, at most MaxResultBytes; nil with a fault
	Children     []byte // canonical JSON, instead of a result
	Stdout       []byte // of a Raw task
	EnergyUsed   string // decimal, canonical; "" = not reported
	ComputeUsed  string
	Fault        Fault
	Detail       string // one plain sentence about the fault
	ExitCode     int    // -1 when the program did not exit by itself
	Signal       string // what ended it, "SIGSEGV", or ""
	Stderr       []byte // its last StderrBytes
	Files        []File // in byte order of their names
	MachineLimit bool   // the fault depends on the machine: wall time, memory, a missing program, a kill from outside
}

// File is a file the attempt left in $OMEGA_OUT, kept as the blob of that digest.
type File struct {
	Name   string // relative, with slashes
	Digest string // SHA-256, lower-case hex
	Size   int64
}

// Run runs one attempt to its end and returns when nothing of it is left but its blobs. It never fails
// otherwise than by Reply.Fault. A cancelled ctx kills the attempt at once: FaultKilled.
func (x *Exec) Run(ctx context.Context, t Task) Reply {
	if ctx.Err() != nil {
		return killed()
	}
	t = t.withDefaults()
	f, err := makeFolder(t)
	if err != nil {
		return startFailed(true, "The folder of the attempt cannot be made: %v.", err)
	}
	defer f.remove()
	l, refusal := x.launch(t, f)
	if refusal != nil {
		return *refusal
	}
	p, err := start(l, f)
	if err != nil {
		return startFailed(true, "The host cannot start another process now: %v.", err)
	}
	end := p.wait(ctx, t.Timeout)
	r := end.reply(t)
	if r.Fault == "" && p.stderr.hidden.inOutput(end.stdout) {
		r = leaked(r)
	}
	if r.Fault == "" {
		if t.Raw {
			r.Stdout = end.stdout
			return r
		}
		r.parse(end.stdout, printed())
	}
	if r.Fault == "" {
		err = x.collect(&r, t, f.out, p.stderr.hidden)
	}
	if err != nil {
		r = failed(r, FaultStorage, true, "The files of the attempt cannot be kept: %v.", err)
	}
	return r
}

func (t Task) withDefaults() Task {
	if t.Timeout <= 0 {
		t.Timeout = DefaultTimeout
	}
	if t.MemoryBytes <= 0 {
		t.MemoryBytes = DefaultMemoryBytes
	}
	if t.OutputBytes <= 0 {
		t.OutputBytes = DefaultOutputBytes
	}
	if t.MaxFiles <= 0 {
		t.MaxFiles = DefaultMaxFiles
	}
	if t.FileBytes <= 0 {
		t.FileBytes = DefaultFileBytes
	}
	if t.FilesBytes <= 0 {
		t.FilesBytes = DefaultFilesBytes
	}
	return t
}

// failed is r with a fault and nothing that only a valid result has.
func failed(r Reply, f Fault, machine bool, format string, args ...any) Reply {
	return Reply{Fault: f, Detail: fmt.Sprintf(format, args...), ExitCode: r.ExitCode, Signal: r.Signal, Stderr: r.Stderr, MachineLimit: machine}
}

func leaked(r Reply) Reply {
	return failed(r, FaultSecret, false, "The result or a file in $OMEGA_OUT holds a secret of the program, so nothing of it is recorded.")
}

// refuse is the reply to a task that no process is started for.
func refuse(machine bool, format string, args ...any) *Reply {
	r := startFailed(machine, format, args...)
	return &r
}

func startFailed(machine bool, format string, args ...any) Reply {
	return failed(Reply{ExitCode: -1}, FaultStartFailed, machine, format, args...)
}

func killed() Reply {
	return failed(Reply{ExitCode: -1}, FaultKilled, true, "The host ended the attempt.")
}

// reply judges how the processes ended; what they printed is judged later.
func (e ending) reply(t Task) Reply {
	r := Reply{ExitCode: -1, Stderr: e.stderr}
	last := e.last
	switch {
	case last == nil:
	case last.Signal != 0:
		r.Signal = signalName(syscall.Signal(last.Signal))
	case last.Ended:
		r.ExitCode = last.Exit
	}
	switch {
	case e.cause == FaultKilled:
		return failed(r, FaultKilled, true, "The host ended the attempt.")
	case e.cause == FaultOutputLimit:
		return failed(r, FaultOutputLimit, false, "The program wrote more than %d bytes to standard output; write large data to files in $OMEGA_OUT, or raise output.", t.OutputBytes)
	case e.cause == FaultTimeout:
		return failed(r, FaultTimeout, true, "The program ran longer than %v and was stopped; raise timeout, or give it less to do.", t.Timeout)
	case last == nil:
		return failed(r, FaultKilled, true, "The process that watches the attempt was killed, and the attempt with it.")
	case last.Error != "":
		return failed(r, FaultStartFailed, last.Busy, "The program %q cannot be started: %s.", t.Command[0], last.Error)
	case last.Memory:
		return failed(r, FaultMemory, true, "The attempt held more than %d bytes of memory and was stopped; raise memory, or make it need less.", t.MemoryBytes)
	case !last.Ended:
		return failed(r, FaultKilled, true, "The attempt was told to end, and did not within %v.", killTimeout)
	case last.Signal != 0:
		outside := last.Signal == int(syscall.SIGKILL) || last.Signal == int(syscall.SIGTERM)
		return failed(r, FaultSignal, outside, "The program was ended by %s; standard error may say why.", r.Signal)
	case last.Exit != 0:
		return failed(r, FaultExit, false, "The program ended with exit code %d; standard error may say why.", last.Exit)
	}
	return r
}
