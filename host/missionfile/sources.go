package missionfile

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/hashicorp/hcl/v2"
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/scripts"
)

// Source is one file an evaluation read. Path is relative to the mission
// folder, with slashes.
type Source struct {
	Path   string
	Bytes  []byte
	Digest core.Digest
}

// wholeFolder is the entry of a mission that is a folder of files.
const wholeFolder = "."

// Files of a mission folder that are HCL but not part of the mission.
var otherHCL = map[string]bool{"rehearsal.hcl": true, "omega.lock.hcl": true}

// sourceSet is the mission folder: on disk while root is set, else exactly the
// files that were recorded.
type sourceSet struct {
	entry string // a file name, or wholeFolder where several files are the mission
	dir   string
	root  *os.Root
	over  *os.Root // a folder whose files stand for those of the same name; mostly nil
	files map[string]Source
	total int64

	missing map[string]bool // paths under the folder that could not be read
}

// ownPrefix begins the path of a script that comes with Omega.
const ownPrefix = "omega:"

// missing is a file that is not there.
type missing struct{}

func (missing) Error() string        { return "there is no such file" }
func (missing) Is(target error) bool { return target == fs.ErrNotExist }

var (
	errOutside = errors.New("it lies outside the mission folder")
	errSealed  = errors.New("it was not read when the mission was loaded, and what a mission says may not change afterwards")
	errLarge   = fmt.Errorf("the files of a mission may have at most %d MiB together", maxSource>>20)
)

// openSources finds the mission at a path: a file, or a folder. The files of the
// folder edit, a path in the mission folder, are looked for first; "" is none.
func openSources(at, edit string) (*sourceSet, error) {
	info, err := os.Stat(at)
	if err != nil {
		return nil, err
	}
	s := &sourceSet{entry: wholeFolder, dir: at, files: map[string]Source{}, missing: map[string]bool{}}
	if !info.IsDir() {
		s.entry, s.dir = filepath.Base(at), filepath.Dir(at)
	}
	if s.root, err = os.OpenRoot(s.dir); err != nil {
		return s, err
	}
	if err := s.putOver(edit); err != nil || s.entry != wholeFolder {
		return s, err
	}
	// A folder with one mission file is that file, so that naming either gives the same record.
	if names, err := s.missionFiles(); err == nil && len(names) == 1 {
		s.entry = names[0]
	}
	return s, nil
}

// putOver puts the files of an edit's folder over those of the mission folder.
func (s *sourceSet) putOver(edit string) error {
	if edit == "" {
		return nil
	}
	folder, err := editFolder(s.root, edit)
	if err == nil {
		s.over, err = s.root.OpenRoot(folder)
	}
	if err != nil {
		s.seal()
	}
	return err
}

// editFolder is where the files of an edit lie: the edit is that folder or a file
// in it, which may be left out where it stays as it is in the mission folder.
func editFolder(root *os.Root, edit string) (string, error) {
	info, err := root.Stat(edit)
	if err == nil && info.IsDir() {
		return edit, nil
	}
	folder := path.Dir(edit)
	if errors.Is(err, fs.ErrNotExist) && folder != wholeFolder {
		if _, err = root.Stat(path.Base(edit)); err == nil {
			_, err = root.Stat(folder)
		}
	}
	return folder, err
}

// recordedSources serves a mission from what was recorded of it.
func recordedSources(entry string, sources []Source) (*sourceSet, error) {
	s := &sourceSet{entry: entry, files: make(map[string]Source, len(sources))}
	for _, f := range sources {
		if s.total += int64(len(f.Bytes)); s.total > maxSource {
			return s, errLarge
		}
		f.Digest = sha256.Sum256(f.Bytes)
		s.files[f.Path] = f
	}
	return s, nil
}

// seal ends reading from disk: from here on the files are what they are.
func (s *sourceSet) seal() {
	for _, root := range []*os.Root{s.over, s.root} {
		if root != nil {
			root.Close()
		}
	}
	s.over, s.root = nil, nil
}

// missionFiles are the names of the files the mission is written in, sorted.
func (s *sourceSet) missionFiles() ([]string, error) {
	if s.entry != wholeFolder {
		return []string{s.entry}, nil
	}
	var names []string
	if s.root == nil {
		for name := range s.files {
			names = append(names, name)
		}
	} else {
		for _, root := range []*os.Root{s.root, s.over} {
			if root == nil {
				continue
			}
			some, err := namesIn(root)
			if err != nil {
				return nil, err
			}
			names = append(names, some...)
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !isMissionFile(name) })
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > maxBlocks {
		return nil, fmt.Errorf("the folder holds %d mission files; at most %d are read", len(names), maxBlocks)
	}
	return names, nil
}

func namesIn(root *os.Root) ([]string, error) {
	folder, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	return folder.Readdirnames(-1)
}

// Files are the names of the mission files in a folder, sorted; those it cannot
// read are none.
func Files(dir string) (names []string) {
	entries, _ := os.ReadDir(dir) // sorted
	for _, e := range entries {
		if !e.IsDir() && isMissionFile(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names
}

func isMissionFile(name string) bool {
	if strings.ContainsRune(name, '/') || strings.HasPrefix(name, ".") || otherHCL[name] {
		return false
	}
	return strings.HasSuffix(name, ".hcl") || isJSON(name)
}

func isJSON(name string) bool { return strings.HasSuffix(name, ".hcl.json") }

// read is the content of one file under the mission folder, or of a script that
// comes with Omega.
func (s *sourceSet) read(name string) ([]byte, error) {
	clean := path.Clean(filepath.ToSlash(name))
	if strings.ContainsRune(name, 0) || !fs.ValidPath(clean) {
		return nil, errOutside
	}
	if f, ok := s.files[clean]; ok {
		return f.Bytes, nil
	}
	if s.root == nil {
		return nil, errSealed
	}
	content, err := s.fresh(clean)
	if err != nil {
		s.missing[clean] = true
		return nil, err
	}
	s.total += int64(len(content))
	s.files[clean] = Source{Path: clean, Bytes: content, Digest: sha256.Sum256(content)}
	return content, nil
}

// fresh reads what has not been read before.
func (s *sourceSet) fresh(name string) ([]byte, error) {
	if own, is := strings.CutPrefix(name, ownPrefix); is {
		if content, ok := scripts.Source(own); ok {
			return content, nil
		}
		return nil, missing{}
	}
	if s.over != nil {
		content, err := s.fromDisk(s.over, name)
		if !errors.Is(err, fs.ErrNotExist) {
			return content, err
		}
	}
	return s.fromDisk(s.root, name)
}

// fromDisk never follows a link out of the folder, never waits for a pipe, and
// never reads more than the mission has left.
func (s *sourceSet) fromDisk(root *os.Root, name string) ([]byte, error) {
	f, err := root.OpenFile(filepath.FromSlash(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, plainReason(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, plainReason(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	left := maxSource - s.total
	if info.Size() > left {
		return nil, fmt.Errorf("it has %d bytes: %w", info.Size(), errLarge)
	}
	content, err := io.ReadAll(io.LimitReader(f, left+1))
	if err != nil {
		return nil, plainReason(err)
	}
	if int64(len(content)) > left {
		return nil, errLarge
	}
	return content, nil
}

// plainReason is an error of the file system without the path and the call.
func plainReason(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return missing{}
	}
	var at *fs.PathError
	if errors.As(err, &at) {
		if strings.Contains(at.Err.Error(), "escapes") {
			return errOutside
		}
		return at.Err
	}
	return err
}

// list is every file read, in path order.
func (s *sourceSet) list() []Source {
	all := make([]Source, 0, len(s.files))
	for _, f := range s.files {
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b Source) int { return strings.Compare(a.Path, b.Path) })
	return all
}

// line is the source line a range starts in, cut where it is absurdly long.
func (s *sourceSet) line(at hcl.Range) string {
	content := s.files[at.Filename].Bytes
	if at.Start.Line == 0 || at.Start.Byte > len(content) {
		return ""
	}
	start := bytes.LastIndexByte(content[:at.Start.Byte], '\n') + 1
	text := content[start:]
	if end := bytes.IndexByte(text, '\n'); end >= 0 {
		text = text[:end]
	}
	text = text[:min(len(text), maxLine)]
	return strings.ToValidUTF8(string(bytes.TrimSuffix(text, []byte("\r"))), "\uFFFD")
}

// maxLine is as much of a source line as a diagnostic keeps.
const maxLine = 4096
