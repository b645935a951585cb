package host

import (
	"crypto/sha256"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/missionfile"
)

// trace is what a reading of the mission was made of, as it lies on the disk:
// whether anything of it has changed can be told without reading the mission.
type trace struct {
	path  string   // mission file or folder
	names []string // of the mission files in it, where it is a folder
	files map[string]stamp
}

// stamp is a file as it was seen.
type stamp struct {
	identity
	digest core.Digest
	rested bool // it was not written just before: who is the same since then holds the same
}

// identity tells a file from another one, and from itself after a change; the
// zero value is no file.
type identity struct {
	dev, ino     uint64
	size         int64
	mode         uint32
	wrote, moved unix.Timespec // content, inode
}

// restedFor is how long a file has to lie still before its times prove anything:
// more than the grain in which file systems tell time.
const restedFor = 100 * time.Millisecond

// maxTraced bounds how much of a file is read to tell whether it has changed: no
// mission reads more.
const maxTraced = 17 << 20

// sighting is a mission as it was read, and the trace of that.
type sighting struct {
	*missionfile.Reading
	trace *trace
}

// see reads the mission.
func see(path string, given missionfile.Given) sighting {
	t := &trace{path: path, files: map[string]stamp{}}
	for _, at := range given.Again() { // before they are read: what is written meanwhile is seen as a change
		t.files[at] = look(at, stamp{})
	}
	s := sighting{missionfile.Read(path, "", given), t}
	t.follow(s.Reading)
	return s
}

// follow notes everything a reading was made of, as it was read. What has been
// written since is seen as a change.
func (t *trace) follow(reading *missionfile.Reading) {
	dir := t.folder()
	note := func(name string, read core.Digest) {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if t.files[at] = look(at, stamp{}); t.files[at].digest != read {
			t.files[at] = stamp{digest: read}
		}
	}
	for _, s := range reading.Sources {
		if !strings.HasPrefix(s.Path, "omega:") { // one of Omega's own
			note(s.Path, s.Digest)
		}
	}
	for _, name := range reading.Missing {
		note(name, core.Digest{})
	}
	for _, name := range t.list() {
		if _, read := t.files[filepath.Join(dir, name)]; read {
			t.names = append(t.names, name)
		}
	}
}

// acceptUnread takes what a mission could not be read from, although it lies
// there, for what it is: a file may be too large, or no text.
func (t *trace) acceptUnread() {
	t.names = t.list()
	for at, was := range t.files {
		if was.digest == (core.Digest{}) {
			t.files[at] = look(at, stamp{})
		}
	}
}

// folder is the mission folder.
func (t *trace) folder() string {
	if info, err := os.Stat(t.path); err == nil && info.IsDir() {
		return t.path
	} else if err != nil && !strings.HasSuffix(t.path, ".hcl") && !strings.HasSuffix(t.path, ".json") {
		return t.path // it has gone
	}
	return filepath.Dir(t.path)
}

// list is the names of the mission files, where all in the folder are read.
func (t *trace) list() []string {
	if info, err := os.Stat(t.path); err == nil && info.IsDir() {
		return missionfile.Files(t.path)
	}
	return nil
}

// changed looks again, and reports whether anything holds something else now.
func (t *trace) changed() bool {
	differs := !slices.Equal(t.names, t.list())
	for at, was := range t.files {
		is := look(at, was)
		differs = differs || is.digest != was.digest
		if is.digest == was.digest {
			t.files[at] = is
		}
	}
	return differs
}

// look is a file as it is now. It is not read again where it is the one that was
// seen.
func look(at string, was stamp) stamp {
	is := stamp{identity: identityOf(at)}
	if is.identity == (identity{}) {
		return is
	}
	if is.identity == was.identity && was.rested {
		return was
	}
	is.rested = is.restedBy(time.Now())
	is.digest = digestAt(at, is.mode)
	return is
}

func (i *identity) restedBy(now time.Time) bool {
	since := max(i.wrote.Nano(), i.moved.Nano())
	return now.UnixNano()-since > restedFor.Nanoseconds()
}

func identityOf(at string) identity {
	var s unix.Stat_t
	if unix.Stat(at, &s) != nil {
		return identity{}
	}
	return identity{uint64(s.Dev), uint64(s.Ino), s.Size, uint32(s.Mode), s.Mtim, s.Ctim}
}

// digestAt is the digest of a file's content; zero where it is not a file that
// can be read.
func digestAt(at string, mode uint32) core.Digest {
	if mode&unix.S_IFMT != unix.S_IFREG {
		return core.Digest{}
	}
	f, err := os.OpenFile(at, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return core.Digest{}
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(f, maxTraced)); err != nil {
		return core.Digest{}
	}
	return core.Digest(h.Sum(nil))
}

// folders are those in which a change shows: of every file, of every link that
// leads to it, up to the mission folder, and the folder that one lies in. Dot
// folders and what lies in them are left out, and so is except.
func (t *trace) folders(except string) []string {
	root := filepath.Clean(t.folder())
	all := map[string]bool{root: true, filepath.Dir(root): true}
	add := func(at string) {
		for dir := filepath.Dir(at); !all[dir] && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			if !inside(except, dir) && !hidden(root, dir) {
				all[dir] = true
			}
			if !inside(root, dir) {
				return
			}
		}
	}
	for at := range t.files {
		for range maxLinks {
			add(at)
			to, err := os.Readlink(at)
			if err != nil {
				break
			}
			if !filepath.IsAbs(to) {
				to = filepath.Join(filepath.Dir(at), to)
			}
			at = to
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// maxLinks is how many links in a row are followed.
const maxLinks = 8

// inside reports whether a path is a folder or lies in it.
func inside(dir, path string) bool {
	return dir != "" && (path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/"))
}

// hidden reports whether a folder under the root is a dot folder, or
// node_modules, or lies in one.
func hidden(root, dir string) bool {
	below, err := filepath.Rel(root, dir)
	if err != nil {
		return false
	}
	for _, part := range strings.Split(filepath.ToSlash(below), "/") {
		if strings.HasPrefix(part, ".") && part != "." && part != ".." || part == "node_modules" {
			return true
		}
	}
	return false
}
