package worker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The parts of an attempt's folder. The record lies beside the working directory, not in it, so that a program
// that empties its directory does not remove it.
const (
	cwdName     = "cwd"
	outName     = "out"
	recordName  = "shim" // who the shim is: see identity
	outVariable = "OMEGA_OUT"

	childrenName     = "children.json" // what became of the children of earlier attempts
	childrenVariable = "OMEGA_CHILDREN"
)

// folder is the absolute paths of one attempt.
type folder struct{ dir, cwd, out, mission, blobs string }

func makeFolder(t Task) (f folder, err error) {
	if t.AttemptDir == "" || t.MissionDir == "" || t.BlobDir == "" {
		return f, errors.New("a folder of the task has no name")
	}
	if f.mission, err = absolute(t.MissionDir); err != nil {
		return f, err
	}
	if err = os.MkdirAll(t.AttemptDir, 0o700); err != nil { // before links in its path are resolved
		return f, fmt.Errorf("making %s: %w", t.AttemptDir, err)
	}
	if f.dir, err = absolute(t.AttemptDir); err != nil {
		return f, err
	}
	if f.blobs, err = filepath.Abs(t.BlobDir); err != nil {
		return f, err
	}
	if within(f.mission, f.dir) {
		return f, fmt.Errorf("%s holds the mission and would be wiped", f.dir)
	}
	f.cwd, f.out = filepath.Join(f.dir, cwdName), filepath.Join(f.dir, outName)
	if err = wipe(f.dir); err != nil {
		return f, err
	}
	for _, dir := range []string{f.cwd, f.out} {
		if err = os.MkdirAll(dir, 0o700); err != nil {
			return f, fmt.Errorf("making %s: %w", dir, err)
		}
	}
	if t.Children != nil {
		if err = os.WriteFile(filepath.Join(f.dir, childrenName), t.Children, 0o600); err != nil {
			return f, fmt.Errorf("writing %s: %w", childrenName, err)
		}
	}
	return f, nil
}

// within reports whether path is dir or lies under it.
func within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

// remove wipes the folder after the attempt. What cannot be removed now is left to the next attempt's wipe or
// to Sweep: the attempt's outcome does not depend on it.
func (f folder) remove() { _ = wipe(f.dir) }

// wipe removes dir and all in it, folders too that the program has made unreadable.
func wipe(dir string) error {
	if os.RemoveAll(dir) == nil {
		return nil
	}
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if entry != nil && entry.IsDir() {
			_ = os.Chmod(path, 0o700)
		}
		return nil
	})
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("wiping %s: %w", dir, err)
	}
	return nil
}

// absolute is filepath.Abs with links resolved, so that a folder has one name.
func absolute(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return "", fmt.Errorf("resolving the folder: %w", err)
	}
	return dir, nil
}
