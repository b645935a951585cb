package journal

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// source is what a cursor reads from: a journal that is written here, a view that does not change, or a folder that
// another process writes.
type source interface {
	// await returns the last entry that may be read once that is seq or later; io.EOF if it never will be.
	await(ctx context.Context, seq uint64) (last uint64, err error)
}

// Cursor reads entries in order. It has its own file handle and is for one goroutine.
type Cursor struct {
	source source
	disk   FS
	dir    string
	index  *index
	from   uint64 // the first entry asked for
	seq    uint64 // the next line in the file
	last   uint64 // entries up to this one may be read
	number uint64 // the segment being read; 0 before the first
	file   File
	scan   scanner
	err    error
}

// Cursor returns a cursor whose first entry is from (0 means 1). Next waits for entries to become durable; after the
// last one of a closed or failed journal it returns what Err returns.
func (j *Journal) Cursor(from uint64) *Cursor {
	return &Cursor{source: j, disk: j.options.FS, dir: j.options.Dir, index: j.index, from: max(1, from)}
}

func (j *Journal) await(ctx context.Context, seq uint64) (uint64, error) {
	err := j.WaitDurable(ctx, seq)
	return j.durable.Load(), err
}

// Next returns the next entry, valid until the next call. Damage is a *CorruptionError; what Next returns when there
// are no more entries is said where the cursor is made. When ctx ends the cursor can go on later; after any other
// error it cannot.
func (c *Cursor) Next(ctx context.Context) (Line, error) {
	for c.err == nil {
		want := max(c.seq, c.from)
		if want > c.last {
			last, err := c.source.await(ctx, want)
			if err != nil {
				return Line{}, err
			}
			c.last = last
		}
		if err := ctx.Err(); err != nil {
			return Line{}, err
		}
		line, err := c.read()
		if err != nil {
			c.err = err
			break
		}
		c.seq++
		if c.seq > c.from {
			return Line{Seq: c.seq - 1, Bytes: line}, nil
		}
	}
	return Line{}, c.err
}

// Close releases the file. Later calls of Next return ErrClosed.
func (c *Cursor) Close() error {
	c.err = ErrClosed
	if c.file == nil {
		return nil
	}
	err := c.file.Close()
	c.file = nil
	return err
}

// read returns the line of entry c.seq, which is known to be there.
func (c *Cursor) read() ([]byte, error) {
	if c.number == 0 {
		number, at := c.index.find(c.from)
		c.seq = at.seq
		if err := c.open(number, at.off); err != nil {
			return nil, err
		}
	}
	for {
		end, _ := c.index.end(c.number)
		line, err := c.scan.line(end)
		if err == nil && len(line) > 0 {
			if fault := faultOf(line, c.seq, nil); fault != "" {
				return nil, c.corruption(fault)
			}
			return line, nil
		}
		if err == errNoNewline {
			return nil, c.corruption(err.Error())
		}
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("reading %s: %w", segmentName(c.number), err) // a disk that fails proves nothing
		}
		if _, more := c.index.end(c.number + 1); !more {
			return nil, c.corruption("the entry is missing")
		}
		next := c.index.start(c.number + 1)
		if next.seq != c.seq {
			return nil, c.corruption("the entry is missing")
		}
		if err := c.open(c.number+1, next.off); err != nil {
			return nil, err
		}
	}
}

// open moves to a place in a segment.
func (c *Cursor) open(number uint64, off int64) error {
	f, err := c.disk.OpenFile(filepath.Join(c.dir, segmentName(number)), os.O_RDONLY)
	if err == nil && c.file != nil {
		err = c.file.Close()
	}
	if err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	c.number, c.file = number, f
	c.scan.reset(f, off)
	return nil
}

func (c *Cursor) corruption(reason string) error {
	path := filepath.Join(c.dir, segmentName(c.number))
	return &CorruptionError{File: path, Offset: c.scan.off, Seq: c.seq, Reason: reason, Remedy: remedy}
}
