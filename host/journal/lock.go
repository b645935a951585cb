package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	lockFile = "lock"
	// maxCommand bounds the command line a lock file shows: enough to recognise the process.
	maxCommand = 256
	maxHolder  = 4 << 10 // of the whole file, with room for escapes

	// Held takes a shared lock for an instant; Lock waits as long as a few of them take.
	lookers  = 5
	lookTime = 10 * time.Millisecond
	// A killed host's lock lasts until the child it was about to start has closed its files: on a busy machine that
	// takes a moment, for which Lock waits once it sees that the holder is gone.
	orphanLooks = 200
)

// Holder is who holds a data folder.
type Holder struct {
	PID     int       `json:"pid"`
	Start   time.Time `json:"start"` // when it took the lock
	Command string    `json:"command"`
}

// HeldError says that another host has the data folder.
type HeldError struct {
	Dir    string
	Holder Holder // zero if the file cannot be read
}

func (e *HeldError) Error() string {
	if e.Holder.PID == 0 {
		return fmt.Sprintf("the data folder %s is held by another host", e.Dir)
	}
	return fmt.Sprintf("the data folder %s is held by process %d (%s), since %s", e.Dir, e.Holder.PID,
		e.Holder.Command, e.Holder.Start.Format(time.RFC3339))
}

// FolderLock is a held lock. The system lets go of it when the process ends, however it ends.
type FolderLock struct{ file *os.File }

// Lock takes DIR/lock for this process, or returns a *HeldError that names who has it. It makes the folder if there
// is none. The file stays when the lock is released; only the lock on it counts.
func Lock(dir string) (*FolderLock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the data folder: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	for i := 0; errors.Is(err, unix.EWOULDBLOCK) && (i < lookers || i < orphanLooks && readHolder(f).gone()); i++ { // it may be Held that is looking
		time.Sleep(lookTime)
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	}
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = &HeldError{Dir: dir, Holder: readHolder(f)}
		return nil, errors.Join(err, f.Close())
	}
	if err == nil {
		err = writeHolder(f)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("locking the data folder %s: %w", dir, err), f.Close())
	}
	return &FolderLock{f}, nil
}

// Held says who holds a data folder now, without taking or making anything.
func Held(dir string) (h Holder, held bool) {
	f, err := os.Open(filepath.Join(dir, lockFile))
	if err != nil {
		return Holder{}, false
	}
	defer f.Close()
	if !errors.Is(unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK) {
		return Holder{}, false
	}
	return readHolder(f), true
}

// Release lets go of the lock.
func (l *FolderLock) Release() error { return l.file.Close() }

func writeHolder(f *os.File) error {
	command := strings.ToValidUTF8(strings.Join(os.Args, " "), "")
	command = strings.ToValidUTF8(command[:min(len(command), maxCommand)], "")
	line, err := json.Marshal(Holder{PID: os.Getpid(), Start: time.Now().UTC().Truncate(time.Second), Command: command})
	if err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt(append(line, '\n'), 0)
	return err
}

// gone reports whether the process has ended.
func (h Holder) gone() bool { return h.PID > 0 && errors.Is(unix.Kill(h.PID, 0), unix.ESRCH) }

func readHolder(f *os.File) (h Holder) {
	content, err := io.ReadAll(io.NewSectionReader(f, 0, maxHolder))
	if err != nil || json.Unmarshal(content, &h) != nil {
		return Holder{}
	}
	return h
}
