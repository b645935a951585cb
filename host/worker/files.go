package worker

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	pathpkg "path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxNameBytes is the longest name of a kept file, its folders included.
const maxNameBytes = 255

// errFiles marks what is wrong with the files themselves, as opposed to the disk.
var errFiles = errors.New("files")

// errSecret marks a file, or the name of one, that holds a secret.
var errSecret = errors.New("secret")

// inFiles is errSecret where one of the files holds a secret. It comes before any is copied.
func (h hidden) inFiles(root *os.Root, files []File) error {
	if len(h.forms) == 0 {
		return nil
	}
	for _, f := range files {
		from, err := root.Open(f.Name)
		if errors.Is(err, fs.ErrPermission) {
			continue // it cannot be kept either
		}
		if err != nil {
			return err
		}
		found, err := h.inStream(from)
		from.Close()
		if err != nil {
			return err
		}
		if found {
			return errSecret
		}
	}
	return nil
}

// collect keeps each regular file under dir as a blob and lists them in r by name. What is wrong with the files
// themselves becomes r's fault; an error is one of the host's storage.
func (x *Exec) collect(r *Reply, t Task, dir string, h hidden) error {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the program removed its own folder
	}
	if err != nil {
		return err
	}
	defer root.Close()
	files, err := listFiles(root, t, h)
	if err == nil {
		err = h.inFiles(root, files)
	}
	if err == nil && len(files) > 0 {
		err = x.keep(root, t.BlobDir, files)
	}
	if errors.Is(err, errSecret) {
		*r = leaked(*r)
		return nil
	}
	if errors.Is(err, errFiles) {
		*r = failed(*r, FaultFilesLimit, false, "%s", strings.TrimPrefix(err.Error(), errFiles.Error()+": "))
		return nil
	}
	r.Files = files
	return err
}

func filesError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errFiles, fmt.Sprintf(format, args...))
}

// listing walks $OMEGA_OUT and checks all it finds against the limits before any file is read.
type listing struct {
	root  *os.Root
	task  Task
	h     hidden
	seen  int // files and folders
	total int64
	files []File
}

func listFiles(root *os.Root, t Task, h hidden) ([]File, error) {
	l := listing{root: root, task: t, h: h}
	if err := l.folder("."); err != nil {
		return nil, err
	}
	slices.SortFunc(l.files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return l.files, nil
}

// folder goes through one folder in order of the names. No more names are read than may be there.
func (l *listing) folder(name string) error {
	dir, err := l.root.Open(name)
	if errors.Is(err, fs.ErrPermission) {
		return filesError("The folder %.80q in $OMEGA_OUT cannot be read.", name)
	}
	if err != nil {
		return err
	}
	entries, err := dir.ReadDir(l.task.MaxFiles + 1 - l.seen)
	dir.Close()
	if err != nil && err != io.EOF {
		return err
	}
	if l.seen += len(entries); l.seen > l.task.MaxFiles {
		return filesError("The program left more than %d files and folders in $OMEGA_OUT.", l.task.MaxFiles)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, entry := range entries {
		path := pathpkg.Join(name, entry.Name())
		if l.h.in([]byte(path)) {
			return errSecret
		}
		if err = checkName(path); err != nil {
			return err
		}
		if entry.IsDir() {
			err = l.folder(path)
		} else {
			err = l.file(path, entry)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *listing) file(name string, entry fs.DirEntry) error {
	if !entry.Type().IsRegular() {
		return filesError("%.80q in $OMEGA_OUT is a %s; only regular files are kept.", name, kindOf(entry.Type()))
	}
	info, err := entry.Info()
	if err != nil {
		return err
	}
	l.total += info.Size()
	l.files = append(l.files, File{Name: name, Size: info.Size()})
	switch {
	case info.Size() > l.task.FileBytes:
		return filesError("The file %.80q in $OMEGA_OUT is larger than %d bytes.", name, l.task.FileBytes)
	case l.total > l.task.FilesBytes:
		return filesError("The files in $OMEGA_OUT are larger than %d bytes together.", l.task.FilesBytes)
	}
	return nil
}

// checkName refuses names that cannot be recorded or would deceive a reader.
func checkName(name string) error {
	switch {
	case len(name) > maxNameBytes:
		return filesError("A name in $OMEGA_OUT is longer than %d bytes: %.80q.", maxNameBytes, name)
	case !utf8.ValidString(name):
		return filesError("A name in $OMEGA_OUT is not UTF-8: %.80q.", name)
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return filesError("A name in $OMEGA_OUT holds a character that cannot be shown: %.80q.", name)
	}
	return nil
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		return "pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	}
	return "device"
}

// keep copies the files into the blob folder. Each is written aside, synced and renamed, so that a blob is
// whole or absent; the folder is synced once at the end.
func (x *Exec) keep(root *os.Root, blobs string, files []File) error {
	if err := os.MkdirAll(blobs, 0o700); err != nil {
		return err
	}
	for i := range files {
		if err := x.keepOne(root, blobs, &files[i]); err != nil {
			return err
		}
	}
	if x.Rehearsal {
		return nil
	}
	dir, err := os.Open(blobs)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

func (x *Exec) keepOne(root *os.Root, blobs string, f *File) error {
	from, err := root.Open(f.Name)
	if errors.Is(err, fs.ErrPermission) {
		return filesError("The file %.80q in $OMEGA_OUT cannot be read.", f.Name)
	}
	if err != nil {
		return err
	}
	defer from.Close()
	temp, err := os.CreateTemp(blobs, ".incoming-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // fails after the rename, as it should
	defer temp.Close()
	hash := sha256.New()
	// One byte more than listed, to notice a file that changed under us.
	size, err := io.Copy(io.MultiWriter(temp, hash), io.LimitReader(from, f.Size+1))
	if err != nil {
		return err
	}
	if size != f.Size {
		return filesError("The file %.80q in $OMEGA_OUT changed after the program had ended.", f.Name)
	}
	f.Digest = hex.EncodeToString(hash.Sum(nil))
	path := filepath.Join(blobs, f.Digest)
	if known, err := os.Lstat(path); err == nil && known.Mode().IsRegular() && known.Size() == size {
		return nil // the same content, kept before
	}
	if !x.Rehearsal {
		if err = temp.Sync(); err != nil {
			return err
		}
	}
	return os.Rename(temp.Name(), path)
}
