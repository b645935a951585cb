// Package script runs what others have written in JavaScript or TypeScript. A
// script is bundled and run in a child process of this program that has no
// files, no environment and limits of its own, so that whatever it does, the
// host goes on. A call is a pure function: of the script's files, the input, the
// instant and the seed.
package script

import (
	"context"
	"crypto/sha256"
	"errors"
	"time"
)

// File is one file a program is made of.
type File struct {
	Path   string // in the mission folder, or omega:<name>
	Digest [sha256.Size]byte
}

// Program is a bundled script, ready to run. It does not change.
type Program struct {
	Entry   string
	Digest  [sha256.Size]byte // of its files: not of what the bundler makes of them
	Files   []File            // by path; without Omega's own modules, but with an entry that is one
	Exports []string
	Queries []byte // what it exports as queries, canonical JSON; nil for none
	code    string
	paths   []string // of all files in the code's source map
}

// Problem is why a script cannot be used: a place in the author's file and what
// to do.
type Problem struct {
	File         string
	Line, Column int // from 1; 0 where it is about the whole file
	Summary      string
	Detail       string
}

// Call is one call of a program's default export, (input, view).
type Call struct {
	Program *Program
	Export  string // the function to call; "" is default
	Input   []byte // JSON
	View    []byte // JSON
	At      int64  // mission time in ms: what Date says
	Seed    uint64 // of Math.random
	Timeout time.Duration
	Memory  int64 // bytes
}

// Answer is what came of a call: a value, canonical JSON of at most MaxAnswer
// bytes, or a fault.
type Answer struct {
	Value []byte
	Log   []string // what it wrote to console, cut
	Fault *Fault
}

// MaxAnswer bounds what a script may answer, in bytes of JSON.
const MaxAnswer = 64 << 10

// Fault is why a call has no answer.
type Fault struct {
	Kind         FaultKind
	File         string // the author's; "" where it is not known
	Line, Column int
	Detail       string
}

// FaultKind says what a script did wrong.
type FaultKind string

// The kinds of fault. The first three depend on the machine.
const (
	FaultTime    FaultKind = "time"
	FaultMemory  FaultKind = "memory"
	FaultProcess FaultKind = "process" // its process ended otherwise
	FaultThrown  FaultKind = "thrown"  // an exception
	FaultAnswer  FaultKind = "answer"  // not a value that can be used
)

// Machine reports whether another machine might have come to an answer.
func (f *Fault) Machine() bool {
	return f.Kind == FaultTime || f.Kind == FaultMemory || f.Kind == FaultProcess
}

// ErrClosed is said by a Runner that has been closed.
var ErrClosed = errors.New("no script is run any more")

// Engine bundles and runs scripts: a *Runner, or what the simulator puts in its
// place. It is safe for use by several goroutines.
type Engine interface {
	// Bundle makes a program of an entry, a path in the mission folder or
	// omega:<name>, and of what it imports. Read gives the bytes of a file of the
	// mission folder, and those of an entry omega:<name>: a recorded generation
	// keeps its own. An error that is fs.ErrNotExist says there is no such file. A
	// program is made once for the same files.
	Bundle(ctx context.Context, entry string, read func(path string) ([]byte, error)) (*Program, []Problem)
	// Call runs a call. Calls that come together travel together.
	Call(ctx context.Context, call Call) Answer
}
