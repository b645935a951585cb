package journal

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
)

// fillBelow bounds the writes that fill ahead, in bytes: a larger one pays for the metadata of its sync with the time
// of its data, and filling would write everything twice.
const fillBelow = 64 << 10

// writer puts batches on the disk. One goroutine owns it. After an error it must not be used but to release it.
type writer struct {
	options Options
	index   *index
	mission string
	open    openSegment
	mark    File   // the file durable
	record  []byte // what is written there, reused
	seq     uint64 // the last entry written
	digest  Digest
}

// start opens the witness file and notes what is durable now.
func (w *writer) start() (err error) {
	if w.options.NoSync {
		return nil
	}
	if w.mark, err = openDurable(w.options.FS, w.options.Dir); err != nil {
		return fmt.Errorf("opening %s: %w", durableFile, err)
	}
	return w.note()
}

// commit writes whole lines, syncs once for each segment they reach, and publishes what is durable.
func (w *writer) commit(batch []byte, publish func(seq uint64)) error {
	for len(batch) > 0 {
		n, count, last := w.fit(batch)
		if n == 0 {
			if err := w.roll(); err != nil {
				return err
			}
			continue
		}
		if err := w.write(batch[:n]); err != nil {
			return fmt.Errorf("writing %s: %w", segmentName(w.open.number), err)
		}
		w.seq, w.digest = w.seq+count, sha256.Sum256(last)
		w.index.extend(w.open.size)
		if err := w.note(); err != nil {
			return err
		}
		publish(w.seq)
		batch = batch[n:]
	}
	return nil
}

// fit returns how many bytes and lines of the batch the open segment takes, and the last of them. A segment takes
// at least one line.
func (w *writer) fit(batch []byte) (n int, count uint64, last []byte) {
	for n < len(batch) {
		length := bytes.IndexByte(batch[n:], '\n')
		at := w.open.size + int64(n)
		if at > w.open.start && at+int64(length)+1 > w.options.SegmentBytes {
			break
		}
		if at-w.open.marked >= markEvery {
			w.index.mark(w.seq+count+1, at)
			w.open.marked = at
		}
		last = batch[n : n+length]
		n += length + 1
		count++
	}
	return n, count, last
}

// write writes lines after those of the open segment, and fill after them when they pass its end.
func (w *writer) write(lines []byte) error {
	s := &w.open
	if _, err := s.file.WriteAt(lines, s.size); err != nil {
		return err
	}
	s.size += int64(len(lines))
	if s.size > s.filled && len(lines) < fillBelow {
		if err := s.fill(w.options); err != nil {
			return err
		}
	}
	if w.options.NoSync {
		return nil
	}
	return s.file.Sync()
}

// note writes the durable seq where other programs and the next start find it.
func (w *writer) note() error {
	if w.options.NoSync || w.seq == 0 {
		return nil
	}
	w.record = appendRecord(w.record[:0], durableFile, w.seq, &w.digest)
	if _, err := w.mark.WriteAt(w.record, 0); err != nil {
		return fmt.Errorf("writing %s: %w", durableFile, err)
	}
	return nil
}

// roll seals the open segment and begins the next. The old one is whole on the disk before the new one has a name.
func (w *writer) roll() error {
	if err := w.seal(); err != nil {
		return err
	}
	if err := w.open.file.Close(); err != nil {
		return fmt.Errorf("closing %s: %w", segmentName(w.open.number), err)
	}
	h := header{mission: w.mission, segment: w.open.number + 1, first: w.seq + 1, prev: w.digest}
	next, err := beginSegment(w.options, h, w.index)
	w.open = next
	if err != nil || w.options.NoSync {
		return err
	}
	if err := w.options.FS.SyncDir(w.options.Dir); err != nil {
		return fmt.Errorf("syncing the folder %s: %w", w.options.Dir, err)
	}
	return nil
}

// seal cuts the fill.
func (w *writer) seal() error {
	s := &w.open
	err := s.file.Truncate(s.size)
	if err == nil && !w.options.NoSync {
		err = s.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("sealing %s: %w", segmentName(s.number), err)
	}
	return nil
}

// finish leaves the folder as a clean close does.
func (w *writer) finish() error {
	if err := w.seal(); err != nil || w.options.NoSync || w.seq == 0 {
		return err
	}
	path := filepath.Join(w.options.Dir, closedFile)
	if err := replaceWith(w.options.FS, path, appendRecord(nil, closedFile, w.seq, &w.digest)); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// release closes the files.
func (w *writer) release() error {
	var errs []error
	for _, f := range []File{w.open.file, w.mark} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}
