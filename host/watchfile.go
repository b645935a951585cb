package host

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Times of the watch. An editor may write in pieces, or take a file away before
// it puts the new one: what is looked at has rested for quiet, or has been
// written to without end for patience. Where nobody tells of changes, on some
// network file systems, the poll finds them.
const (
	quiet     = 30 * time.Millisecond
	patience  = 200 * time.Millisecond
	pollFiles = 2 * time.Second
)

// folderWatch tells that something in some folders may have changed.
type folderWatch struct {
	watcher *fsnotify.Watcher // nil where there is none: the poll has to do
	folders map[string]identity
	parent  string // of the mission folder: of it only that one matters
	root    string
	log     *slog.Logger
}

func newFolderWatch(log *slog.Logger) *folderWatch {
	w := &folderWatch{folders: map[string]identity{}, log: log}
	var err error
	if w.watcher, err = fsnotify.NewBufferedWatcher(256); err != nil {
		log.Warn("files cannot be watched; they are looked at every two seconds", "error", err)
		w.watcher = nil
	}
	return w
}

func (w *folderWatch) close() {
	if w.watcher != nil {
		w.watcher.Close()
	}
}

// maxFolders bounds how many folders are watched; what lies in others is found by
// the poll.
const maxFolders = 1024

// follow watches exactly these folders. It reports whether one of them is new, or
// another one under its name: what happened in it until now nobody has told.
func (w *folderWatch) follow(root string, folders []string) (news bool) {
	if w.watcher == nil {
		return false
	}
	w.root, w.parent = filepath.Clean(root), filepath.Dir(filepath.Clean(root))
	wanted := map[string]bool{}
	for _, dir := range folders[:min(len(folders), maxFolders)] {
		wanted[dir] = true
		is := identityOf(dir)
		is = identity{dev: is.dev, ino: is.ino}
		if was, ok := w.folders[dir]; ok && was == is {
			continue
		}
		w.drop(dir)
		if is == (identity{}) {
			continue
		}
		if err := w.watcher.Add(dir); err != nil {
			w.log.Warn("a folder cannot be watched; it is looked at every two seconds", "folder", dir, "error", err)
		}
		w.folders[dir], news = is, true
	}
	for dir := range w.folders {
		if !wanted[dir] {
			w.drop(dir)
		}
	}
	return news
}

func (w *folderWatch) drop(dir string) {
	if _, ok := w.folders[dir]; ok {
		_ = w.watcher.Remove(dir) // it may be gone already
		delete(w.folders, dir)
	}
}

// events is nil where there is no watcher.
func (w *folderWatch) events() <-chan fsnotify.Event {
	if w.watcher == nil {
		return nil
	}
	return w.watcher.Events
}

// errors are said where events were lost.
func (w *folderWatch) errors() <-chan error {
	if w.watcher == nil {
		return nil
	}
	return w.watcher.Errors
}

// matters reports whether an event may be about the mission. A watched folder
// that is gone or renamed is watched anew once it is there again.
func (w *folderWatch) matters(e fsnotify.Event) bool {
	name := filepath.Clean(e.Name)
	if _, ok := w.folders[name]; ok && (e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename)) {
		w.drop(name)
	}
	return filepath.Dir(name) != w.parent || name == w.root || w.parent == w.root
}

// settle waits until nothing has happened for a moment, but not for ever.
func (w *folderWatch) settle(ctx context.Context) {
	most := time.After(patience)
	still := time.NewTimer(quiet)
	defer still.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-w.events():
			if w.matters(e) {
				still.Reset(quiet)
			}
		case <-still.C:
			return
		case <-most:
			return
		}
	}
}
