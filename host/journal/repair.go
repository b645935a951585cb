package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// tornSuffix ends the name of a file that holds a torn tail; a second one of the same segment gets ".2" after it.
const tornSuffix = ".torn"

// newlines is what fill is written from, a piece at a time.
var newlines = bytes.Repeat([]byte("\n"), 256<<10)

// openSegment is the segment that is appended to.
type openSegment struct {
	file   File
	number uint64
	start  int64 // of its first entry
	size   int64 // of its lines
	filled int64 // the file's length: newlines lie from size to here
	marked int64 // where the index was last told of an entry
}

// repair makes the folder ready for appending: it keeps and cuts a torn tail, begins a segment where there is none,
// and copies an open segment that is not proven durable, for its bytes may be in memory alone. It is safe to end
// anywhere: the old file stands until the new one is durable, and then has the same good lines.
func (s *survey) repair(o Options) (openSegment, error) {
	if err := s.keepTorn(); err != nil {
		return openSegment{}, fmt.Errorf("keeping the torn tail of %s: %w", s.path(), err)
	}
	if s.segments == 0 {
		s.number = 1
	}
	if s.segments == 0 || s.found.Torn != nil || s.last.zeros || s.found.Witnessed < s.seq {
		return s.rewrite(o)
	}
	f, err := s.disk.OpenFile(s.path(), os.O_RDWR)
	if err != nil {
		return openSegment{}, fmt.Errorf("opening the last segment: %w", err)
	}
	return s.opened(f, s.last.fileEnd), nil
}

// keepTorn copies the torn tail to a file of its own.
func (s *survey) keepTorn() error {
	if s.found.Torn == nil || s.found.Torn.Bytes == 0 {
		return nil
	}
	base := strings.TrimSuffix(segmentName(s.number), segmentSuffix) + tornSuffix
	name := base
	for n := 2; slices.Contains(s.names, name); n++ {
		name = fmt.Sprintf("%s.%d", base, n)
	}
	from, err := s.disk.OpenFile(s.path(), os.O_RDONLY)
	if err != nil {
		return err
	}
	defer from.Close()
	kept := filepath.Join(s.dir, name)
	f, err := replace(s.disk, kept, true, func(to File) error {
		return copyRange(to, from, s.off, s.last.dataEnd)
	})
	if err != nil {
		return err
	}
	if err := errors.Join(f.Close(), s.disk.SyncDir(s.dir)); err != nil {
		return err
	}
	s.found.Torn.Kept = kept
	s.found.TornFiles = append(s.found.TornFiles, name)
	return nil
}

// rewrite puts a new file in the place of the last segment, with its good lines, or begins the segment.
func (s *survey) rewrite(o Options) (openSegment, error) {
	if s.off == 0 {
		h := header{mission: s.mission, segment: s.number, first: s.seq + 1, prev: s.digest}
		return beginSegment(o, h, s.index)
	}
	s.found.Rewritten = true
	from, err := s.disk.OpenFile(s.path(), os.O_RDONLY)
	if err != nil {
		return openSegment{}, fmt.Errorf("rewriting the last segment: %w", err)
	}
	defer from.Close()
	f, err := replace(s.disk, s.path(), !o.NoSync, func(to File) error {
		return copyRange(to, from, 0, s.off)
	})
	if err != nil {
		return openSegment{}, fmt.Errorf("rewriting %s: %w", s.path(), err)
	}
	return s.opened(f, s.off), nil
}

// opened describes the last segment, now open as f.
func (s *survey) opened(f File, filled int64) openSegment {
	start := s.index.start(s.number).off
	return openSegment{file: f, number: s.number, start: start, size: s.off, filled: filled, marked: s.off}
}

// beginSegment makes the file of a new segment. Its name is durable after the folder is synced.
func beginSegment(o Options, h header, x *index) (openSegment, error) {
	line := h.append(nil)
	end := int64(len(line))
	s := openSegment{number: h.segment, start: end, size: end, filled: end, marked: end}
	path := filepath.Join(o.Dir, segmentName(h.segment))
	var err error
	s.file, err = replace(o.FS, path, !o.NoSync, func(f File) error {
		if _, err := f.WriteAt(line, 0); err != nil {
			return err
		}
		s.file = f
		return s.fill(o)
	})
	if err != nil {
		return s, fmt.Errorf("beginning %s: %w", path, err)
	}
	x.add(h.first, s.start, s.size)
	return s, nil
}

// fill writes newlines ahead of the lines, up to the limit of a segment.
func (s *openSegment) fill(o Options) error {
	end := min(s.size+o.FillBytes, o.SegmentBytes)
	for at := max(s.size, s.filled); at < end && !o.NoSync; at = s.filled {
		n := min(end-at, int64(len(newlines)))
		if _, err := s.file.WriteAt(newlines[:n], at); err != nil {
			return err
		}
		s.filled = at + n
	}
	return nil
}

// copyRange copies bytes of one file to the begin of another.
func copyRange(to, from File, off, end int64) error {
	n, err := io.Copy(io.NewOffsetWriter(to, 0), io.NewSectionReader(from, off, end-off))
	if err == nil && n < end-off {
		err = io.ErrUnexpectedEOF
	}
	return err
}
