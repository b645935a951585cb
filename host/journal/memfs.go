package journal

import (
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
)

// ErrDown is returned by every call on a MemFS whose machine was killed or crashed.
var ErrDown = errors.New("the machine is down")

// MemFS is a file system in memory for tests, here and in other packages. It keeps what is durable apart from what
// only the page cache holds, can lose the difference, and can fail any call. The root folder is always durable; any
// other name is durable after SyncDir of its folder, and content after Sync.
type MemFS struct {
	mu       sync.Mutex
	names    map[string]*memInode // as programs see them
	durable  map[string]*memInode // as a crash leaves them
	renames  []memNames           // changes of names that no SyncDir has covered, oldest first
	calls    int
	failCall int
	failWith error
	sticky   bool
	capacity int64 // of all content; 0 means no limit
	readOnly bool
	down     bool
}

// memNames is one atomic change of names in a folder; a nil inode is a removal.
type memNames struct {
	dir string
	set map[string]*memInode
}

// NewMemFS returns an empty file system.
func NewMemFS() *MemFS {
	return &MemFS{names: map[string]*memInode{}, durable: map[string]*memInode{}}
}

// Calls returns how many calls were made so far, those on files included.
func (m *MemFS) Calls() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls
}

// Fail makes a call fail, counted from 1 as Calls counts, and all later ones too if sticky. A failing write writes
// half; a failing Sync leaves its data in the page cache as if it were clean, so that no later Sync writes it.
func (m *MemFS) Fail(call int, err error, sticky bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failCall, m.failWith, m.sticky = call, err, sticky
}

// Limit bounds the bytes of all content; a write past it is cut short with ENOSPC. 0 lifts the limit.
func (m *MemFS) Limit(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.capacity = bytes
}

// ReadOnly makes every call that would change something fail with EROFS.
func (m *MemFS) ReadOnly(on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.readOnly = on
}

// ReadFile returns a copy of what programs see of a file, without counting a call; nil if there is none.
func (m *MemFS) ReadFile(name string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	if inode := m.names[filepath.Clean(name)]; inode != nil {
		return append([]byte{}, inode.data...)
	}
	return nil
}

// WriteFile makes a durable file of that content, and the folders above it, without counting a call.
func (m *MemFS) WriteFile(name string, content []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = filepath.Clean(name)
	for dir := filepath.Dir(name); !isRoot(dir); dir = filepath.Dir(dir) {
		if m.names[dir] == nil {
			m.names[dir] = &memInode{dir: true}
		}
		m.durable[dir] = m.names[dir]
	}
	inode := &memInode{data: slices.Clone(content), synced: slices.Clone(content)}
	m.names[name], m.durable[name] = inode, inode
}

// Fork returns a file system of the same content, made without copying it: a file is copied when either of the two
// first changes it. It is for tests that go on from one place in many ways.
func (m *MemFS) Fork() *MemFS {
	m.mu.Lock()
	defer m.mu.Unlock()
	forked := map[*memInode]*memInode{nil: nil}
	fork := func(names map[string]*memInode) map[string]*memInode {
		names = maps.Clone(names)
		for name, inode := range names {
			if _, known := forked[inode]; !known {
				inode.shared = true
				forked[inode] = &memInode{dir: inode.dir, data: inode.data, synced: inode.synced, dirty: slices.Clip(inode.dirty), shared: true}
			}
			names[name] = forked[inode]
		}
		return names
	}
	f := &MemFS{names: fork(m.names), durable: fork(m.durable), capacity: m.capacity, readOnly: m.readOnly}
	for _, change := range m.renames {
		f.renames = append(f.renames, memNames{change.dir, fork(change.set)})
	}
	return f
}

// Kill ends the process, not the machine: it returns the file system as the next process finds it, page cache
// included. Every later call on m fails.
func (m *MemFS) Kill() *MemFS {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = true
	return &MemFS{names: m.names, durable: m.durable, renames: m.renames, capacity: m.capacity}
}

// Crash cuts the power and returns what the disk holds afterwards: everything synced, and of each file's unsynced
// writes and each folder's unsynced names whatever the seed decides. Every later call on m fails.
func (m *MemFS) Crash(seed uint64) *MemFS {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = true
	dice := rand.New(rand.NewPCG(seed, seed))
	after := &MemFS{names: map[string]*memInode{}, durable: map[string]*memInode{}, capacity: m.capacity}
	names := maps.Clone(m.durable)
	for _, change := range m.renames {
		if dice.IntN(3) > 0 {
			apply(names, change.set)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if parent := filepath.Dir(name); !isRoot(parent) && after.names[parent] == nil {
			continue
		}
		content := names[name].crash(dice)
		inode := &memInode{dir: names[name].dir, data: content, synced: slices.Clone(content)}
		after.names[name], after.durable[name] = inode, inode
	}
	return after
}

func apply(names map[string]*memInode, set map[string]*memInode) {
	for name, inode := range set {
		if inode == nil {
			delete(names, name)
		} else {
			names[name] = inode
		}
	}
}

func isRoot(dir string) bool { return dir == "." || dir == string(filepath.Separator) }

// call counts one call and says whether it fails. The lock is held.
func (m *MemFS) call(op, path string, changes bool) error {
	m.calls++
	fails := m.failCall > 0 && (m.calls == m.failCall || m.sticky && m.calls > m.failCall)
	switch {
	case m.down:
		return &fs.PathError{Op: op, Path: path, Err: ErrDown}
	case fails:
		return &fs.PathError{Op: op, Path: path, Err: m.failWith}
	case changes && m.readOnly:
		return &fs.PathError{Op: op, Path: path, Err: syscall.EROFS}
	}
	return nil
}

// rename makes one change of names in a folder.
func (m *MemFS) rename(dir string, set map[string]*memInode) {
	apply(m.names, set)
	if isRoot(dir) {
		apply(m.durable, set)
		return
	}
	m.renames = append(m.renames, memNames{dir, set})
}

// OpenFile implements FS, with the flags O_RDONLY, O_RDWR, O_CREATE and O_EXCL.
func (m *MemFS) OpenFile(name string, flag int) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = filepath.Clean(name)
	inode := m.names[name]
	writable := flag&(os.O_RDWR|os.O_WRONLY) != 0
	if err := m.call("open", name, writable); err != nil {
		return nil, err
	}
	parent := m.names[filepath.Dir(name)]
	switch {
	case inode != nil && flag&os.O_EXCL != 0:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrExist}
	case inode == nil && (flag&os.O_CREATE == 0 || parent == nil && !isRoot(filepath.Dir(name))):
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	case inode == nil:
		inode = &memInode{}
		m.rename(filepath.Dir(name), map[string]*memInode{name: inode})
	}
	return &memFile{fs: m, inode: inode, path: name, writable: writable}, nil
}

// ReadDir implements FS.
func (m *MemFS) ReadDir(dir string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir = filepath.Clean(dir)
	if err := m.call("readdir", dir, false); err != nil {
		return nil, err
	}
	if !isRoot(dir) && m.names[dir] == nil {
		return nil, &fs.PathError{Op: "readdir", Path: dir, Err: fs.ErrNotExist}
	}
	var names []string
	for name := range m.names {
		if filepath.Dir(name) == dir {
			names = append(names, filepath.Base(name))
		}
	}
	slices.Sort(names)
	return names, nil
}

// MkdirAll implements FS.
func (m *MemFS) MkdirAll(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir = filepath.Clean(dir)
	if err := m.call("mkdir", dir, m.names[dir] == nil); err != nil {
		return err
	}
	for i := range dir + "/" {
		above := dir[:i]
		if i < len(dir) && dir[i] != filepath.Separator || isRoot(above) || above == "" || m.names[above] != nil {
			continue
		}
		m.rename(filepath.Dir(above), map[string]*memInode{above: {dir: true}})
	}
	return nil
}

// Rename implements FS. Both names must lie in one folder.
func (m *MemFS) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	from, to = filepath.Clean(from), filepath.Clean(to)
	if err := m.call("rename", from, true); err != nil {
		return err
	}
	inode := m.names[from]
	if inode == nil || filepath.Dir(from) != filepath.Dir(to) {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	m.rename(filepath.Dir(to), map[string]*memInode{from: nil, to: inode})
	return nil
}

// Remove implements FS.
func (m *MemFS) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = filepath.Clean(name)
	if err := m.call("remove", name, m.names[name] != nil); err != nil {
		return err
	}
	if m.names[name] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	m.rename(filepath.Dir(name), map[string]*memInode{name: nil})
	return nil
}

// SyncDir implements FS.
func (m *MemFS) SyncDir(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir = filepath.Clean(dir)
	if err := m.call("syncdir", dir, true); err != nil {
		return err
	}
	m.renames = slices.DeleteFunc(m.renames, func(change memNames) bool {
		if change.dir == dir {
			apply(m.durable, change.set)
		}
		return change.dir == dir
	})
	return nil
}

// used returns the bytes of all content.
func (m *MemFS) used() (sum int64) {
	for _, inode := range m.names {
		sum += int64(len(inode.data))
	}
	return sum
}
