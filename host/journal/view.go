package journal

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"time"
)

// followPoll is how often a folder that another process writes is looked at: a person reads along.
const followPoll = 100 * time.Millisecond

// View is a journal that is read only: nothing in its folder is created, changed or locked. The host that writes it
// may be running.
type View struct {
	disk  FS
	found Recovery

	mu    sync.Mutex // guards what follows; the walker's index has its own lock
	walk  walker
	shown uint64 // what the file durable said last
}

// Read reads a journal up to its last good line. Damage is reported in Recovery, as are bytes after the last good
// line, which are a batch on its way if a host is running. Options about writing are ignored.
func Read(o Options) (*View, error) {
	o = o.withDefaults()
	s, err := look(o)
	if err != nil {
		return nil, err
	}
	return &View{disk: o.FS, found: s.found, walk: s.walker}, nil
}

// Recovery returns what Read found.
func (v *View) Recovery() Recovery { return v.found }

// Cursor returns a cursor whose first entry is from (0 means 1) and that ends after the last good one: with the
// damage that Read found there, else with io.EOF.
func (v *View) Cursor(from uint64) *Cursor { return v.cursor(v, from) }

// Follow returns a cursor that also waits for entries that a host in another process writes from now on. It shows
// what the file durable covers; where there is no such file, whole lines, which a power cut may still take back.
func (v *View) Follow(from uint64) *Cursor { return v.cursor((*follower)(v), from) }

func (v *View) cursor(s source, from uint64) *Cursor {
	return &Cursor{source: s, disk: v.disk, dir: v.walk.dir, index: v.walk.index, from: max(1, from)}
}

func (v *View) await(_ context.Context, seq uint64) (uint64, error) {
	if seq <= v.found.Seq {
		return v.found.Seq, nil
	}
	if v.found.Damage != nil {
		return 0, v.found.Damage
	}
	return 0, io.EOF
}

// follower is a view that goes on reading.
type follower View

func (f *follower) await(ctx context.Context, seq uint64) (uint64, error) {
	if f.found.Damage != nil {
		return (*View)(f).await(ctx, seq)
	}
	tick := time.NewTicker(followPoll)
	defer tick.Stop()
	for {
		last, err := f.advance()
		if err != nil || seq <= last {
			return last, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// advance reads what has been written since, and returns the last entry that may be shown.
func (f *follower) advance() (last uint64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := &f.walk
	durable, present, err := readRecord(w.disk, w.dir, durableFile)
	if err != nil {
		return 0, err
	}
	f.shown = max(f.shown, durable.Seq)
	s, err := w.goOn()
	if err != nil {
		return 0, err
	}
	if !present {
		return w.seq, nil
	}
	if f.shown > w.seq {
		return 0, w.corruption(fmt.Sprintf("%s, yet %s proves that entry %d was durable", s.ending(), durableFile, f.shown))
	}
	return f.shown, nil
}

// goOn reads on to the end of what is there now.
func (w *walker) goOn() (s stop, err error) {
	for {
		// Asked before the segment is read: if there is a next one, this one is sealed.
		next := filepath.Join(w.dir, segmentName(w.number+1))
		start, err := readSmall(w.disk, next, 1)
		if err != nil {
			return s, fmt.Errorf("reading the journal: %w", err)
		}
		if w.number > 0 {
			if s, err = w.read(); err != nil || start == nil {
				return s, err
			}
		}
		if start == nil {
			return s, nil
		}
		if s.reason != "" {
			return s, w.corruption(s.reason + sealedProof)
		}
		w.number, w.off = w.number+1, 0
	}
}
