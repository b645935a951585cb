package journal

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const segmentSuffix = ".jsonl"

// segmentName is the name of a segment's file in the journal's folder.
func segmentName(number uint64) string { return fmt.Sprintf("%08d"+segmentSuffix, number) }

// walker reads segments from the first on, checks every line and stops at the first that is not good. It can go on
// later, when more has been written.
type walker struct {
	disk      FS
	dir       string
	mission   string // "" until the first header names it
	index     *index
	witnesses []Witness // by seq; those before next agree
	next      int

	seq    uint64 // the last good entry
	digest Digest
	number uint64 // the segment read last
	off    int64  // in it, the end of the last good line; 0 while its header is not read
}

// stop says how reading a segment ended.
type stop struct {
	reason  string // "" if nothing but fill follows the last good line
	badEnd  int64  // the end of the bad line
	dataEnd int64  // the end of the last byte that is not fill
	fileEnd int64
	zeros   bool // the fill holds NUL bytes: a file system's, not ours
}

// sealedProof ends the reason for damage in a segment that is not the last.
const sealedProof = ", and a later segment proves that this one was sealed"

// ending says how the reading ended, for messages.
func (s stop) ending() string {
	if s.reason == "" {
		return "the journal ends here"
	}
	return s.reason
}

func (w *walker) path() string { return filepath.Join(w.dir, segmentName(w.number)) }

// corruption describes damage at the place reached.
func (w *walker) corruption(reason string) *CorruptionError {
	return &CorruptionError{File: w.path(), Offset: w.off, Seq: w.seq + 1, Reason: reason, Remedy: remedy}
}

// read reads on in the segment w.number from w.off. A witness that disagrees is a *CorruptionError.
func (w *walker) read() (stop, error) {
	f, err := w.disk.OpenFile(w.path(), os.O_RDONLY)
	if err != nil {
		return stop{}, fmt.Errorf("reading the journal: %w", err)
	}
	defer f.Close()
	var s stop
	if s.fileEnd, err = f.Size(); err == nil {
		s.reason, s.badEnd, err = w.lines(f, s.fileEnd)
	}
	if err == nil {
		s.dataEnd, s.zeros, err = fillAfter(f, w.off, s.fileEnd)
	}
	if s.dataEnd == w.off {
		s.reason = "" // what looked like a line is a hole in the fill
		if w.off == 0 {
			s.reason = "the header is missing"
		}
	} else if s.reason == "" {
		s.reason = "bytes follow the fill"
	}
	var damage *CorruptionError
	if err != nil && !errors.As(err, &damage) {
		err = fmt.Errorf("reading %s: %w", w.path(), err)
	}
	return s, err
}

// lines takes good lines up to the first that is not, or to the fill. It says what is wrong with that line and where
// it ends.
func (w *walker) lines(f File, size int64) (reason string, badEnd int64, err error) {
	var scan scanner
	scan.reset(f, w.off)
	for {
		line, err := scan.line(size)
		if err == io.EOF {
			return "", size, nil
		}
		if err == errNoNewline {
			return err.Error(), size, nil
		}
		if err != nil {
			return "", 0, err
		}
		if len(line) == 0 {
			return "", scan.off, nil
		}
		if w.off == 0 {
			reason, err = w.takeHeader(line)
		} else if reason = faultOf(line, w.seq+1, &w.digest); reason == "" {
			err = w.takeEntry(line)
		}
		if reason != "" || err != nil {
			return reason, scan.off, err
		}
	}
}

// takeHeader compares the header line with the one derived from what came before.
func (w *walker) takeHeader(line []byte) (reason string, err error) {
	h, ok, err := parseHeader(line)
	if err != nil || !ok {
		return "the header is damaged", err
	}
	if w.mission == "" {
		w.mission = h.mission
	}
	if h.mission != w.mission {
		return "", fmt.Errorf("mission %s, not %s: %w", h.mission, w.mission, ErrOtherMission)
	}
	want := header{mission: w.mission, segment: w.number, first: w.seq + 1, prev: w.digest}
	if h != want {
		return "the header does not continue the segment before", nil
	}
	w.off = int64(len(line)) + 1
	w.index.add(w.seq+1, w.off, w.off)
	return "", nil
}

// takeEntry moves past a good line, unless a witness knows another digest for it.
func (w *walker) takeEntry(line []byte) error {
	digest := sha256.Sum256(line)
	for ; w.next < len(w.witnesses) && w.witnesses[w.next].Seq == w.seq+1; w.next++ {
		if witness := w.witnesses[w.next]; witness.Digest != digest {
			return w.corruption(fmt.Sprintf("its digest is %x, but %s says %x", digest, witness.Source, witness.Digest))
		}
	}
	w.seq, w.digest = w.seq+1, digest
	w.index.mark(w.seq, w.off)
	w.off += int64(len(line)) + 1
	w.index.extend(w.off)
	return nil
}

// fillAfter looks at a file from off on: where its last byte lies that is not fill, and whether the fill holds NUL
// bytes, which a file system leaves where a write never arrived.
func fillAfter(f File, off, size int64) (dataEnd int64, zeros bool, err error) {
	dataEnd = off
	buf := make([]byte, min(size-off, scanMax))
	for off < size {
		n, err := f.ReadAt(buf[:min(int64(len(buf)), size-off)], off)
		if n == 0 && err == io.EOF { // its writer has closed it meanwhile, and cut the fill off
			return dataEnd, zeros, nil
		}
		if n == 0 {
			return dataEnd, zeros, err
		}
		if data := len(bytes.TrimRight(buf[:n], "\n\x00")); data > 0 {
			dataEnd, zeros = off+int64(data), false
		}
		zeros = zeros || bytes.IndexByte(buf[:n], 0) >= 0
		off += int64(n)
	}
	return dataEnd, zeros, nil
}
