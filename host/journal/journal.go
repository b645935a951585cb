package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
)

const (
	// segmentBytes is the length at which a segment is cut: small enough to copy and verify in a fraction of a
	// second, large enough that a year of entries is a few thousand files.
	segmentBytes = 64 << 20
	// fillBytes is how far ahead of its lines a segment is filled: one sync in so many bytes touches metadata, and
	// a small mission holds no more than this.
	fillBytes = 4 << 20
	// pendingBytes bounds what waits in memory for the disk: more would only add to the time a batch takes.
	pendingBytes = 4 << 20
)

// Options say where a journal lies and what is known of it.
type Options struct {
	FS  FS     // nil means OS
	Dir string // the folder of the segments

	// Mission is the id that headers carry: 1 to 64 of A-Z a-z 0-9 - _. Empty accepts that of an existing journal.
	Mission string
	// Witnesses are proofs from outside the folder: checkpoints, replicas.
	Witnesses []Witness
	// Trust is a witness, usually the newest checkpoint, up to whose segment nothing is read but headers. Open then
	// does not see damage in entries before that segment (Recovery.Trusted); a cursor that comes upon it does, by
	// checksum and seq. The segment that holds the entry is checked whole, and its chain must lead to its digest.
	Trust Witness

	SegmentBytes int64 // 0 means 64 MiB
	FillBytes    int64 // 0 means 4 MiB
	// NoSync leaves out every sync, the fill and both witness files: for runs whose record need not outlive the
	// machine. "Durable" then means written.
	NoSync bool
}

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = OS{}
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = segmentBytes
	}
	if o.FillBytes == 0 {
		o.FillBytes = fillBytes
	}
	return o
}

// Journal is an open journal. Its methods may be called from any goroutine.
type Journal struct {
	options Options
	index   *index
	durable atomic.Uint64
	done    chan struct{} // closed when the writer has ended

	mu      sync.Mutex
	work    sync.Cond // pending has lines, or the journal is closing or failed
	room    sync.Cond // pending was taken, or the journal is closing or failed
	pending []byte    // framed lines the writer has not taken
	spare   []byte    // the buffer of the batch before, empty
	seq     uint64    // the last appended entry
	digest  Digest
	closing bool
	err     error         // the first failure, or ErrClosed
	changed chan struct{} // closed at the next change of durable or err; nil if nobody asked
}

// Open reads a journal, repairs its tail and opens it for appending; an empty folder becomes a new journal. One
// process at a time may do so: see Lock. Proven damage is a *CorruptionError; other refusals wrap ErrNewerFormat or
// ErrOtherMission. A refused folder is not changed. Recovery is also filled in beside a *CorruptionError.
func Open(o Options) (*Journal, Recovery, error) {
	o = o.withDefaults()
	s, err := look(o)
	if err != nil {
		return nil, Recovery{}, err
	}
	if s.found.Damage != nil {
		return nil, s.found, s.found.Damage
	}
	if !validMission(s.mission) {
		return nil, s.found, fmt.Errorf("opening the journal: mission id %q is not one", s.mission)
	}
	open, err := s.prepare(o)
	if err != nil {
		return nil, s.found, err
	}
	w := &writer{options: o, index: s.index, open: open, mission: s.mission, seq: s.seq, digest: s.digest}
	if err := w.start(); err != nil {
		return nil, s.found, errors.Join(err, w.release())
	}
	j := &Journal{options: o, index: s.index, done: make(chan struct{}), seq: s.seq, digest: s.digest}
	j.work.L, j.room.L = &j.mu, &j.mu
	j.durable.Store(s.seq)
	go j.run(w)
	return j, s.found, nil
}

// prepare makes the folder and everything in it durable and ready for appending.
func (s *survey) prepare(o Options) (openSegment, error) {
	if err := o.FS.MkdirAll(o.Dir); err != nil {
		return openSegment{}, fmt.Errorf("making the journal's folder: %w", err)
	}
	open, err := s.repair(o)
	if err != nil || o.NoSync {
		return open, err
	}
	// Always, even if nothing was repaired: a start before this one may have renamed and failed to sync the name.
	for _, dir := range []string{o.Dir, filepath.Dir(o.Dir)} {
		if err := o.FS.SyncDir(dir); err != nil {
			return open, errors.Join(fmt.Errorf("syncing the folder %s: %w", dir, err), open.file.Close())
		}
	}
	return open, nil
}

// Append frames what encode appends to dst as the next entry and returns its seq and digest. The entry is not
// durable yet: see WaitDurable. encode must only append the members of <body> to dst and return the result; it runs
// under the journal's lock and must not call the journal. Append blocks while 4 MiB wait for the disk. It allocates
// nothing once the buffers have grown.
func (j *Journal) Append(encode func(dst []byte) []byte) (seq uint64, digest Digest, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for len(j.pending) >= pendingBytes && j.err == nil && !j.closing {
		j.room.Wait()
	}
	if j.err != nil {
		return 0, Digest{}, j.err
	}
	if j.closing {
		return 0, Digest{}, ErrClosed
	}
	start := len(j.pending)
	line := append(j.pending, seqKey...)
	line = append(strconv.AppendUint(line, j.seq+1, 10), ',')
	body := len(line)
	line = encode(line)
	if len(line) <= body || bytes.IndexByte(line[body:], '\n') >= 0 {
		return 0, Digest{}, ErrBody
	}
	line = appendCRC(appendPrev(line, &j.digest), start)
	if len(line)-start > MaxEntry {
		return 0, Digest{}, ErrTooLarge
	}
	j.seq, j.digest = j.seq+1, sha256.Sum256(line[start:])
	j.pending = append(line, '\n')
	if start == 0 {
		j.work.Signal()
	}
	return j.seq, j.digest, nil
}

// Head returns the last appended entry, which need not be durable.
func (j *Journal) Head() (seq uint64, digest Digest) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.seq, j.digest
}

// Durable returns the last durable entry.
func (j *Journal) Durable() uint64 { return j.durable.Load() }

// Changed returns a channel that is closed when Durable next grows or Err becomes set; at once if it is set. Ask for
// the channel first and look at Durable and Err after, then wait.
func (j *Journal) Changed() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.changed == nil {
		j.changed = make(chan struct{})
		if j.err != nil {
			close(j.changed)
		}
	}
	return j.changed
}

// Err returns the first failed write or sync, ErrClosed after Close, or nil.
func (j *Journal) Err() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.err
}

// WaitDurable returns when entry seq is durable, when ctx ends, or when the journal has failed or closed before.
func (j *Journal) WaitDurable(ctx context.Context, seq uint64) error {
	for j.durable.Load() < seq {
		changed, err := j.Changed(), j.Err()
		if j.durable.Load() >= seq {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Close makes everything appended durable, cuts the fill and records the clean close. After a failure it only
// releases the files and returns that failure.
func (j *Journal) Close() error {
	j.mu.Lock()
	again := j.closing
	j.closing = true
	j.work.Broadcast()
	j.room.Broadcast()
	j.mu.Unlock()
	<-j.done
	if err := j.Err(); again || err != ErrClosed {
		return err
	}
	return nil
}

// run is the writer's goroutine: a batch closes when the disk is free.
func (j *Journal) run(w *writer) {
	defer close(j.done)
	for batch := j.take(); len(batch) > 0; batch = j.take() {
		if err := w.commit(batch, j.publish); err != nil {
			j.fail(errors.Join(err, w.release()))
			return
		}
	}
	err := w.finish()
	if err = errors.Join(err, w.release()); err == nil {
		err = ErrClosed
	}
	j.fail(err)
}

// take waits for lines and takes them all; none means that the journal is closing.
func (j *Journal) take() []byte {
	j.mu.Lock()
	defer j.mu.Unlock()
	for len(j.pending) == 0 && !j.closing {
		j.work.Wait()
	}
	batch := j.pending
	j.pending, j.spare = j.spare, batch[:0]
	j.room.Broadcast()
	return batch
}

// publish says that all up to entry seq is durable.
func (j *Journal) publish(seq uint64) {
	j.durable.Store(seq)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.wake()
}

// fail makes err the answer to every later call.
func (j *Journal) fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.err = err
	j.room.Broadcast()
	j.wake()
}

// wake tells those who wait. The lock is held.
func (j *Journal) wake() {
	if j.changed != nil {
		close(j.changed)
		j.changed = nil
	}
}
