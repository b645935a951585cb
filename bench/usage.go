package main

import (
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/omega-run/omega/host/journal"
)

// usage is what the process has used so far.
type usage struct {
	cpu    time.Duration // user and system, all threads
	allocs uint64
}

func used() usage {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{time.Duration(r.Utime.Nano() + r.Stime.Nano()), m.Mallocs}
}

func (u usage) since(before usage) usage {
	return usage{u.cpu - before.cpu, u.allocs - before.allocs}
}

// syncCounter is the disk, with the syncs of files counted.
type syncCounter struct {
	journal.OS
	syncs atomic.Int64
}

func (c *syncCounter) OpenFile(name string, flag int) (journal.File, error) {
	f, err := c.OS.OpenFile(name, flag)
	if err != nil {
		return nil, err
	}
	return countedFile{f, c}, nil
}

type countedFile struct {
	journal.File
	counter *syncCounter
}

func (f countedFile) Sync() error {
	f.counter.syncs.Add(1)
	return f.File.Sync()
}
