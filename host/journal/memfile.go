package journal

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"syscall"
)

type memInode struct {
	dir    bool
	data   []byte  // as programs see it
	synced []byte  // as the disk holds it
	dirty  []memOp // what a Sync must still bring to the disk
	shared bool    // data and synced belong to a fork too
}

// memOp is a write, or a truncation if data is nil.
type memOp struct {
	off  int64
	data []byte
}

type memFile struct {
	fs       *MemFS
	inode    *memInode
	path     string
	writable bool
	closed   bool
}

// crash returns the content that the disk holds after some of the unsynced writes reached it.
func (i *memInode) crash(dice *rand.Rand) []byte {
	content := slices.Clone(i.synced)
	for _, op := range i.dirty {
		switch choice := dice.IntN(4); {
		case choice == 0: // dropped
		case choice == 1 || op.data == nil:
			content = op.apply(content)
		case choice == 2: // torn: a part of it
			from := dice.IntN(len(op.data) + 1)
			to := from + dice.IntN(len(op.data)-from+1)
			content = memOp{op.off + int64(from), append([]byte{}, op.data[from:to]...)}.apply(content)
		default: // torn: the first part
			content = memOp{op.off, append([]byte{}, op.data[:dice.IntN(len(op.data)+1)]...)}.apply(content)
		}
	}
	return content
}

func (op memOp) apply(content []byte) []byte {
	if op.data == nil {
		if op.off <= int64(len(content)) {
			return content[:op.off]
		}
		return append(content, make([]byte, op.off-int64(len(content)))...)
	}
	if gap := op.off - int64(len(content)); gap > 0 && len(op.data) > 0 {
		content = append(content, make([]byte, gap)...)
	}
	n := copy(content[min(op.off, int64(len(content))):], op.data)
	return append(content, op.data[n:]...)
}

// begin locks the file system and counts a call on the file.
func (f *memFile) begin(op string, changes bool) error {
	f.fs.mu.Lock()
	err := f.fs.call(op, f.path, changes)
	if f.closed {
		err = &fs.PathError{Op: op, Path: f.path, Err: fs.ErrClosed}
	} else if changes && !f.writable {
		err = &fs.PathError{Op: op, Path: f.path, Err: fs.ErrPermission}
	}
	return err
}

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	err := f.begin("read", false)
	defer f.fs.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if off >= int64(len(f.inode.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.inode.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	err := f.begin("write", true)
	defer f.fs.mu.Unlock()
	n := len(p)
	if err != nil {
		n /= 2
	}
	if errors.Is(err, ErrDown) || errors.Is(err, fs.ErrClosed) || errors.Is(err, syscall.EROFS) {
		return 0, err
	}
	if grow := off + int64(n) - int64(len(f.inode.data)); f.fs.capacity > 0 && grow > 0 {
		if room := f.fs.capacity - f.fs.used(); grow > room {
			n = max(0, n-int(grow-max(0, room)))
			err = &fs.PathError{Op: "write", Path: f.path, Err: syscall.ENOSPC}
		}
	}
	f.change(memOp{off, append([]byte{}, p[:n]...)})
	return n, err
}

func (f *memFile) Truncate(size int64) error {
	err := f.begin("truncate", true)
	defer f.fs.mu.Unlock()
	if err == nil {
		f.change(memOp{off: size})
	}
	return err
}

// own gives a file bytes that no fork sees.
func (i *memInode) own() {
	if i.shared {
		i.data, i.synced, i.dirty, i.shared = slices.Clone(i.data), slices.Clone(i.synced), slices.Clone(i.dirty), false
	}
}

func (f *memFile) change(op memOp) {
	f.inode.own()
	f.inode.data = op.apply(f.inode.data)
	f.inode.dirty = append(f.inode.dirty, op)
}

func (f *memFile) Sync() error {
	err := f.begin("sync", true)
	defer f.fs.mu.Unlock()
	if errors.Is(err, ErrDown) || errors.Is(err, fs.ErrClosed) {
		return err
	}
	f.inode.own()
	if err == nil {
		for _, op := range f.inode.dirty {
			f.inode.synced = op.apply(f.inode.synced)
		}
	}
	f.inode.dirty = nil
	return err
}

func (f *memFile) Size() (int64, error) {
	err := f.begin("stat", false)
	defer f.fs.mu.Unlock()
	return int64(len(f.inode.data)), err
}

func (f *memFile) Close() error {
	err := f.begin("close", false)
	defer f.fs.mu.Unlock()
	f.closed = true
	return err
}
