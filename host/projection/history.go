package projection

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

// history is an artifact of lines. Lines wait in memory until a flush; without
// a folder they stay there. Its exported members are what a Set remembers of
// the file between two hosts.
type history struct {
	Name  string
	Lines int64  // in all: in the file, without those to be dropped, and pending
	Filed int64  // lines in the file
	Bytes int64  // of the file
	CRC   uint32 // CRC-32C of the file

	drop    int64 // lines at the head of the file that have been cut
	pending []byte
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// add takes a line with its newline and, when there are twice the lines to
// keep, cuts the oldest. Where they lie makes no difference.
func (h *history) add(line []byte, keep int64) {
	h.pending = append(h.pending, line...)
	if h.Lines++; h.Lines < 2*keep {
		return
	}
	cut := h.Lines - keep
	h.Lines = keep
	filed := min(cut, h.Filed-h.drop)
	h.drop += filed
	rest := h.pending
	for range cut - filed {
		rest = rest[bytes.IndexByte(rest, '\n')+1:]
	}
	h.pending = h.pending[:copy(h.pending, rest)]
}

// flush brings the file up to date. When it fails nothing is forgotten, and the
// next flush tries again.
func (h *history) flush(dir string) error {
	path := filepath.Join(dir, h.Name)
	if h.drop > 0 {
		return h.rewrite(path)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, fileMode)
	if err != nil {
		return fmt.Errorf("appending to a history: %w", err)
	}
	defer f.Close()
	// Whatever lies behind what was counted is left over from a flush that failed.
	if err := f.Truncate(h.Bytes); err != nil {
		return fmt.Errorf("appending to a history: %w", err)
	}
	if _, err := f.WriteAt(h.pending, h.Bytes); err != nil {
		return fmt.Errorf("appending to a history: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("appending to a history: %w", err)
	}
	h.filed(h.Bytes+int64(len(h.pending)), crc32.Update(h.CRC, castagnoli, h.pending))
	return nil
}

func (h *history) filed(size int64, crc uint32) {
	h.Filed, h.Bytes, h.CRC, h.drop, h.pending = h.Lines, size, crc, 0, h.pending[:0]
}

// rewrite writes the file again without the lines that were cut.
func (h *history) rewrite(path string) error {
	old, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("cutting a history: %w", err)
	}
	defer old.Close()
	r := bufio.NewReaderSize(io.LimitReader(old, h.Bytes), 1<<16)
	for range h.drop {
		if err := skipLine(r); err != nil {
			return fmt.Errorf("cutting history %s: %w", h.Name, err)
		}
	}
	sum := crc32.New(castagnoli)
	size, err := replace(path, func(w io.Writer) (int64, error) {
		return io.Copy(io.MultiWriter(w, sum), io.MultiReader(r, bytes.NewReader(h.pending)))
	})
	if err != nil {
		return fmt.Errorf("cutting a history: %w", err)
	}
	h.filed(size, sum.Sum32())
	return nil
}

func skipLine(r *bufio.Reader) error {
	for {
		_, err := r.ReadSlice('\n')
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// intact reports whether the file still begins with what was written to it.
func (h *history) intact(dir string) bool {
	f, err := os.Open(filepath.Join(dir, h.Name))
	if err != nil {
		return false
	}
	defer f.Close()
	sum := crc32.New(castagnoli)
	n, err := io.Copy(sum, io.LimitReader(f, h.Bytes))
	return err == nil && n == h.Bytes && sum.Sum32() == h.CRC
}

// content is the whole history: what a flush now would leave in the file.
func (h *history) content(dir string) ([]byte, error) {
	if dir == "" {
		return bytes.Clone(h.pending), nil
	}
	if err := h.flush(dir); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(filepath.Join(dir, h.Name))
	if err != nil {
		return nil, fmt.Errorf("reading a history: %w", err)
	}
	return b, nil
}
