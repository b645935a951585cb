package worker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Sweep clears DIR/work when a host starts, under the lock of the data folder and before any attempt: it ends
// what a former host's attempts have left running and then wipes the folder. Shims of a dead host are already
// at that work, so each recorded one is given the time to finish; what is left then is killed. A process is
// touched only if it is the one recorded (same boot, number and start) or was started with an OMEGA_OUT under dir:
// a number used again is never mistaken.
func Sweep(dir string) error {
	root, err := absolute(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	records, err := fs.Glob(os.DirFS(root), "*/*/"+recordName)
	if err != nil {
		return fmt.Errorf("listing the attempts in %s: %w", root, err)
	}
	until := time.Now().Add(shimTimeout)
	for _, record := range records {
		endShim(filepath.Join(root, record), until)
	}
	settle(root)
	entries, err := os.ReadDir(root)
	for _, entry := range entries {
		err = errors.Join(err, wipe(filepath.Join(root, entry.Name())))
	}
	return err
}

// endShim returns when the shim of that record is gone, or cannot be ended.
func endShim(record string, until time.Time) {
	text, err := os.ReadFile(record)
	who := strings.TrimSpace(string(text))
	fields := strings.Fields(who)
	if err != nil || len(fields) != 3 {
		return
	}
	pid, err := strconv.Atoi(fields[1])
	if err != nil || pid <= 1 {
		return
	}
	for identity(pid) == who && time.Since(until) < killTimeout {
		if time.Now().After(until) {
			killEach(append(descendants(pid), pid))
		}
		time.Sleep(killEvery)
	}
}
