package hosttest

import (
	"errors"
	"math/rand/v2"
	"path/filepath"
	"sync"

	"github.com/omega-run/omega/host/journal"
)

// disk is the file system of one process. The journal's writer is a goroutine of
// its own: each time it wants to change something after it has made a batch
// durable, it waits here until the simulator lets it, so that what a batch holds
// and which call comes when follows from the seed alone.
type disk struct {
	mem *journal.MemFS

	mu     sync.Mutex
	room   sync.Cond
	gated  bool // the writer has to wait
	inside bool // it has been let into this batch
	waits  bool // it waits
	came   chan struct{}

	fault *fault
	after *journal.MemFS // what a crash left
}

// fault happens at a call, counted down to 0.
type fault struct {
	calls int
	kind  string // kill, power, error, dead
	seed  uint64
}

var errDisk = errors.New("the disk has failed, as the seed wants")

func newDisk(mem *journal.MemFS) *disk {
	d := &disk{mem: mem, came: make(chan struct{}, 1)}
	d.room.L = &d.mu
	return d
}

// writes is asked before every call that changes the journal.
func (d *disk) writes() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.gated && !d.inside {
		d.waits = true
		select {
		case d.came <- struct{}{}:
		default:
		}
		d.room.Wait()
	}
	d.waits = false
}

func (d *disk) waiting() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.waits
}

// let lets the writer make its batch durable; gate says whether the next one
// has to wait.
func (d *disk) let(gate bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.inside, d.gated, d.waits = true, gate, false
	d.room.Broadcast()
}

// gate makes the writer wait from the next batch on.
func (d *disk) gate(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gated, d.inside = on, false
	if !on {
		d.waits = false
		d.room.Broadcast()
	}
}

// noted ends a batch: its seq is written to the file durable.
func (d *disk) noted() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.inside = false
}

// call counts every call, and lets the fault that is due happen.
func (d *disk) call() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fault == nil {
		return
	}
	if d.fault.calls--; d.fault.calls > 0 {
		return
	}
	switch f := d.fault; f.kind {
	case "kill":
		d.after = d.mem.Kill()
	case "power":
		d.after = d.mem.Crash(f.seed)
	case "error":
		d.mem.Fail(d.mem.Calls()+1, errDisk, false)
	case "dead":
		d.mem.Fail(d.mem.Calls()+1, errDisk, true)
	}
	d.fault = nil
}

func (d *disk) arm(r *rand.Rand, calls int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = &fault{calls: 1 + r.IntN(calls), kind: pick(r, "kill", "power", "power", "error", "dead"), seed: r.Uint64()}
}

func (d *disk) disarm() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = nil
}

// end is the file system as the next process finds it.
func (d *disk) end(r *rand.Rand) (mem *journal.MemFS, how string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = nil
	if d.after != nil {
		return d.after, "armed"
	}
	if chance(r, 50) {
		return d.mem.Kill(), "killed"
	}
	return d.mem.Crash(r.Uint64()), "power"
}

func ours(name string) bool { return filepath.Base(filepath.Dir(name)) == "journal" }

func (d *disk) change(name string) {
	if ours(name) {
		d.writes()
	}
	d.call()
}

// OpenFile implements journal.FS.
func (d *disk) OpenFile(name string, flag int) (journal.File, error) {
	if flag == 0 {
		d.call()
	} else {
		d.change(name)
	}
	f, err := d.mem.OpenFile(name, flag)
	if err != nil {
		return nil, err
	}
	return &file{f, d, name}, nil
}

// ReadDir implements journal.FS.
func (d *disk) ReadDir(dir string) ([]string, error) {
	d.call()
	return d.mem.ReadDir(dir)
}

// MkdirAll implements journal.FS.
func (d *disk) MkdirAll(dir string) error {
	d.call()
	return d.mem.MkdirAll(dir)
}

// Rename implements journal.FS.
func (d *disk) Rename(from, to string) error {
	d.change(from)
	return d.mem.Rename(from, to)
}

// Remove implements journal.FS.
func (d *disk) Remove(name string) error {
	d.change(name)
	return d.mem.Remove(name)
}

// SyncDir implements journal.FS.
func (d *disk) SyncDir(dir string) error {
	d.change(filepath.Join(dir, "."))
	return d.mem.SyncDir(dir)
}

type file struct {
	journal.File
	disk *disk
	name string
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.disk.call()
	return f.File.ReadAt(p, off)
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	f.disk.change(f.name)
	n, err := f.File.WriteAt(p, off)
	if filepath.Base(f.name) == "durable" {
		f.disk.noted()
	}
	return n, err
}

func (f *file) Truncate(size int64) error {
	f.disk.change(f.name)
	return f.File.Truncate(size)
}

func (f *file) Sync() error {
	f.disk.change(f.name)
	return f.File.Sync()
}

func (f *file) Size() (int64, error) {
	f.disk.call()
	return f.File.Size()
}

func (f *file) Close() error {
	f.disk.call()
	return f.File.Close()
}
