package journal

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// FS is what the journal asks of a file system: few calls, so that tests can fail each of them. Paths are as given
// to Open, joined by the rules of path/filepath. Errors wrap those of io/fs.
type FS interface {
	// OpenFile opens a file with the flags of package os; files are created for their owner only.
	OpenFile(name string, flag int) (File, error)
	// ReadDir returns the names in a folder, sorted.
	ReadDir(dir string) ([]string, error)
	// MkdirAll creates a folder and those above it.
	MkdirAll(dir string) error
	Rename(from, to string) error
	Remove(name string) error
	// SyncDir makes the names in a folder durable.
	SyncDir(dir string) error
}

// File is an open file.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Size returns the length in bytes.
	Size() (int64, error)
	Truncate(size int64) error
	// Sync makes the content durable, and the length needed to read it.
	Sync() error
}

// OS is the file system of the machine.
type OS struct{}

type osFile struct{ *os.File }

// OpenFile implements FS.
func (OS) OpenFile(name string, flag int) (File, error) {
	f, err := os.OpenFile(name, flag, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// ReadDir implements FS.
func (OS) ReadDir(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

// MkdirAll implements FS.
func (OS) MkdirAll(dir string) error { return os.MkdirAll(dir, 0o700) }

// Rename implements FS.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Remove implements FS.
func (OS) Remove(name string) error { return os.Remove(name) }

// SyncDir implements FS.
func (OS) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Size implements File.
func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// Sync implements File.
func (f osFile) Sync() error { return datasync(f.File) }

// readSmall returns at most limit bytes of a file; a missing file is empty without error.
func readSmall(disk FS, name string, limit int64) ([]byte, error) {
	f, err := disk.OpenFile(name, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.NewSectionReader(f, 0, limit))
}

// besideSuffix ends the name of a file on its way to its place. One that a crash left is removed by the next replace
// of the same name.
const besideSuffix = ".tmp"

// replace puts a new file in the place of name: written beside it, synced, renamed. What stood there stays whole
// until then. The name is durable after SyncDir. The file comes back open for reading and writing.
func replace(disk FS, name string, sync bool, write func(File) error) (File, error) {
	beside := name + besideSuffix
	if err := disk.Remove(beside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	f, err := disk.OpenFile(beside, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return nil, err
	}
	err = write(f)
	if err == nil && sync {
		err = f.Sync()
	}
	if err == nil {
		err = disk.Rename(beside, name)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// replaceWith is replace for a small file of known content, its name made durable too.
func replaceWith(disk FS, name string, content []byte) error {
	f, err := replace(disk, name, true, func(f File) error {
		_, err := f.WriteAt(content, 0)
		return err
	})
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), disk.SyncDir(filepath.Dir(name)))
}
