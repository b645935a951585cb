package journal

import (
	"bytes"
	"errors"
	"io"
)

const (
	// scanStart and scanMax bound the window of a scanner that meets short lines: small for one that follows the
	// end, large enough that reading a segment costs few calls. A longer line gets the window it needs.
	scanStart = 4 << 10
	scanMax   = 256 << 10
)

var errNoNewline = errors.New("no newline ends the line")

// scanner reads a file line by line through ReadAt, so that many can read one file.
type scanner struct {
	file File
	buf  []byte // buf[r:w] are the bytes of the file from off on
	r, w int
	off  int64
}

// reset starts at off of file. What was read ahead is forgotten.
func (s *scanner) reset(file File, off int64) {
	s.file, s.off, s.r, s.w = file, off, 0, 0
}

// line returns the next line before limit without its newline and moves past it. It is valid until the next call.
// At limit it returns io.EOF; where no newline follows before limit or within MaxEntry it returns errNoNewline and
// stays.
func (s *scanner) line(limit int64) ([]byte, error) {
	searched := 0
	for {
		if i := bytes.IndexByte(s.buf[s.r+searched:s.w], '\n'); i >= 0 {
			line := s.buf[s.r : s.r+searched+i]
			s.r += len(line) + 1
			s.off += int64(len(line)) + 1
			return line, nil
		}
		searched = s.w - s.r
		if searched > MaxEntry {
			return nil, errNoNewline
		}
		n, err := s.more(limit)
		if err != nil {
			return nil, err
		}
		if n == 0 && searched == 0 {
			return nil, io.EOF
		}
		if n == 0 {
			return nil, errNoNewline
		}
	}
}

// more reads what follows the window, at most up to limit, and returns how much that was.
func (s *scanner) more(limit int64) (int, error) {
	if s.w == len(s.buf) || s.r == s.w {
		held := s.w - s.r
		if room := len(s.buf); room == 0 || held > room/2 || held == 0 && room < scanMax {
			grown := make([]byte, max(scanStart, 2*room))
			copy(grown, s.buf[s.r:s.w])
			s.buf = grown
		} else {
			copy(s.buf, s.buf[s.r:s.w])
		}
		s.r, s.w = 0, held
	}
	from := s.off + int64(s.w-s.r)
	room := min(int64(len(s.buf)-s.w), limit-from)
	if room <= 0 {
		return 0, nil
	}
	n, err := s.file.ReadAt(s.buf[s.w:s.w+int(room)], from)
	s.w += n
	if n > 0 || errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}
