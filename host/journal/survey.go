package journal

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Torn tells of a torn tail: bytes after every witness that are not good lines.
type Torn struct {
	File   string // the segment's path
	Offset int64  // where in it the tail began
	Bytes  int64  // its length, fill not counted; 0 if the segment had lost even its header
	Seq    uint64 // the entry expected there
	Reason string // what was wrong with its first line
	Kept   string // the path of the file that holds it now; "" if there are no bytes, and from Read
}

// Recovery is what Open or Read found.
type Recovery struct {
	Mission   string   // as the first header names it; "" if there was no journal
	Seq       uint64   // the last good entry; 0 if there is none
	Digest    Digest   // of that entry
	Witnessed uint64   // the highest seq that a witness proves durable
	Trusted   uint64   // entries up to this one were not read, on the word of Options.Trust
	Clean     bool     // the journal was closed after its last entry
	Rewritten bool     // the open segment was copied to a new file: not all of it was proven durable
	Torn      *Torn    // the torn tail, or nil; the caller records the cut as the next entry
	TornFiles []string // names of the files that hold torn tails, of earlier starts too: a start may end before it records its cut

	// Damage is set by Read alone, which stops there. Open returns it as its error.
	Damage *CorruptionError
}

// survey reads a journal's folder without changing it.
type survey struct {
	walker
	names    []string
	segments uint64 // how many there are, numbered from 1
	last     stop   // how reading the last one ended
	found    Recovery
}

// look reads everything. Damage is in found.Damage; any other obstacle is the error.
func look(o Options) (*survey, error) {
	s := &survey{walker: walker{disk: o.FS, dir: o.Dir, mission: o.Mission, index: &index{}}}
	var err error
	s.names, err = o.FS.ReadDir(o.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the journal's folder: %w", err)
	}
	err = s.readAll(o)
	if err != nil && !errors.As(err, &s.found.Damage) {
		return nil, err
	}
	s.found.Seq, s.found.Digest = s.seq, s.digest
	if s.segments > 0 {
		s.found.Mission = s.mission
	}
	for _, name := range s.names {
		if strings.Contains(name, tornSuffix) {
			s.found.TornFiles = append(s.found.TornFiles, name)
		}
	}
	return s, nil
}

// readAll reads witnesses, then segments in order: the witnesses of a running host only move on. Damage is the error.
func (s *survey) readAll(o Options) error {
	marked := slices.Contains(s.names, durableFile) || slices.Contains(s.names, closedFile)
	closed, err := s.gather(o)
	if err != nil {
		return err
	}
	if err := s.count(marked || len(s.witnesses) > 0); err != nil {
		return err
	}
	first, err := s.skip(o.Trust.Seq)
	if err != nil {
		return err
	}
	for s.number = first; s.number <= s.segments; s.number++ {
		s.off = 0
		if s.last, err = s.read(); err != nil {
			return err
		}
		if err := s.judge(); err != nil {
			return err
		}
	}
	s.number = s.segments
	if s.last.reason != "" {
		s.found.Torn = &Torn{File: s.path(), Offset: s.off, Bytes: s.last.dataEnd - s.off, Seq: s.seq + 1, Reason: s.last.reason}
	}
	s.found.Clean = closed == s.seq && s.seq > 0 && s.found.Torn == nil
	return nil
}

// gather collects the witnesses that say something, by seq, and returns the seq of the clean close, if any.
func (s *survey) gather(o Options) (closed uint64, err error) {
	s.witnesses = append(slices.Clone(o.Witnesses), o.Trust)
	for _, name := range []string{durableFile, closedFile} {
		w, _, err := readRecord(o.FS, o.Dir, name)
		if err != nil {
			return 0, err
		}
		s.witnesses = append(s.witnesses, w)
		closed = w.Seq
	}
	s.witnesses = slices.DeleteFunc(s.witnesses, func(w Witness) bool { return w.Seq == 0 })
	slices.SortStableFunc(s.witnesses, func(a, b Witness) int { return cmp.Compare(a.Seq, b.Seq) })
	if n := len(s.witnesses); n > 0 {
		s.found.Witnessed = s.witnesses[n-1].Seq
	}
	return closed, nil
}

// count finds how many segments there are. None may be missing, and some must be there if anything says so.
func (s *survey) count(expected bool) error {
	var numbers []uint64
	for _, name := range s.names {
		number, err := strconv.ParseUint(strings.TrimSuffix(name, segmentSuffix), 10, 64)
		if err == nil && name == segmentName(number) {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	for i, number := range numbers {
		if s.number = uint64(i + 1); number != s.number {
			return s.corruption("the segment is missing, yet a later one is there")
		}
	}
	s.segments = uint64(len(numbers))
	if s.segments == 0 && expected {
		s.number = 1
		return s.corruption("there is no segment, yet something proves that a journal was here")
	}
	return nil
}

// skip moves past the segments that end before the trusted entry, reading their headers only, and returns the first
// to be read whole. That one chains to the trusted entry's digest, which vouches for its header.
func (s *survey) skip(trusted uint64) (first uint64, err error) {
	if trusted == 0 {
		return 1, nil
	}
	var at []header
	var sizes []int64
	for s.number = 1; s.number <= s.segments; s.number++ {
		h, size, err := s.peek()
		if err != nil {
			return 0, err
		}
		if h.segment != s.number || h.first > trusted || len(at) > 0 && h.mission != at[0].mission {
			break // reading starts before it, and finds what is wrong
		}
		at, sizes = append(at, h), append(sizes, size)
	}
	if len(at) < 2 {
		return 1, nil
	}
	last := len(at) - 1
	for i, h := range at[:last] {
		s.index.add(h.first, int64(len(h.append(nil))), sizes[i])
	}
	s.seq, s.digest = at[last].first-1, at[last].prev
	s.found.Trusted = s.seq
	for s.next < len(s.witnesses) && s.witnesses[s.next].Seq <= s.seq {
		s.next++
	}
	return uint64(last + 1), nil
}

// peek reads the header of the segment s.number alone; one that cannot be read is empty.
func (s *survey) peek() (h header, size int64, err error) {
	f, err := s.disk.OpenFile(s.path(), os.O_RDONLY)
	if err != nil {
		return h, 0, fmt.Errorf("reading the journal: %w", err)
	}
	defer f.Close()
	if size, err = f.Size(); err != nil {
		return h, 0, fmt.Errorf("reading %s: %w", s.path(), err)
	}
	var scan scanner
	scan.reset(f, 0)
	line, err := scan.line(size)
	if err != nil {
		return h, size, nil
	}
	h, ok, err := parseHeader(line)
	if !ok {
		return header{}, size, err
	}
	return h, size, nil
}

// judge decides whether what ended the reading of a segment is damage.
func (s *survey) judge() error {
	reason := s.last.reason
	if s.number < s.segments {
		if reason == "" && s.last.zeros {
			reason = "bytes are missing"
		}
		if reason == "" {
			return nil
		}
		return s.corruption(reason + sealedProof)
	}
	reason = s.last.ending()
	if s.next < len(s.witnesses) {
		w := s.witnesses[len(s.witnesses)-1]
		return s.corruption(fmt.Sprintf("%s, yet %s proves that entry %d was durable", reason, w.Source, w.Seq))
	}
	if s.off == 0 && (s.number == 1 || s.last.dataEnd > s.last.badEnd) {
		return s.corruption(reason + ", and a segment gets its name only with a durable header")
	}
	return nil
}
