package projection

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
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

	shy     bool  // there is no file before the first line
	drop    int64 // lines at the head of the file that have been cut
	pending blocks
	spell   func(dst, pending []byte) []byte // makes lines of what is pending; nil where it is lines
	buffer  []byte
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// add takes a line with its newline and, when there are twice the lines to
// keep, cuts the oldest. Where they lie makes no difference.
func (h *history) add(line []byte, keep int64) {
	h.pending.add(line)
	if h.Lines++; h.Lines < 2*keep {
		return
	}
	cut := h.Lines - keep
	h.Lines = keep
	filed := min(cut, h.Filed-h.drop)
	h.drop += filed
	h.pending.cut(cut - filed)
}

// lines yields what is pending, as it will stand in the file; it is valid until
// the next one.
func (h *history) lines(yield func([]byte) bool) {
	for piece := range h.pending.each {
		if h.spell != nil {
			h.buffer = h.spell(h.buffer[:0], piece)
			piece = h.buffer
		}
		if !yield(piece) {
			return
		}
	}
}

func (h *history) reader() io.Reader {
	var all []io.Reader
	for piece := range h.lines {
		if h.spell != nil {
			piece = bytes.Clone(piece)
		}
		all = append(all, bytes.NewReader(piece))
	}
	return io.MultiReader(all...)
}

// flush brings the file up to date. When it fails nothing is forgotten, and the
// next flush tries again.
func (h *history) flush(dir string) error {
	path := filepath.Join(dir, h.Name)
	if h.absent() {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing a history without lines: %w", err)
		}
		return nil
	}
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
	size, crc := h.Bytes, h.CRC
	for piece := range h.lines {
		if _, err := f.WriteAt(piece, size); err != nil {
			return fmt.Errorf("appending to a history: %w", err)
		}
		size, crc = size+int64(len(piece)), crc32.Update(crc, castagnoli, piece)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("appending to a history: %w", err)
	}
	h.filed(size, crc)
	return nil
}

// absent reports whether there is no file, because there is no line.
func (h *history) absent() bool { return h.shy && h.Lines == 0 }

func (h *history) filed(size int64, crc uint32) {
	h.Filed, h.Bytes, h.CRC, h.drop = h.Lines, size, crc, 0
	h.pending.clear()
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
		return io.Copy(io.MultiWriter(w, sum), io.MultiReader(r, h.reader()))
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
	if h.absent() {
		return true
	}
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
		return io.ReadAll(h.reader())
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
