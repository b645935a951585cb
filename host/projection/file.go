package projection

import (
	"io"
	"os"
)

const (
	fileMode = 0o644
	dirMode  = 0o755
)

// replace writes a file beside path and renames it there, so that a reader sees
// the old one or the new one.
func replace(path string, write func(io.Writer) (int64, error)) (size int64, err error) {
	temp := path + ".tmp"
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return 0, err
	}
	size, err = write(f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		os.Remove(temp) // best effort: the next flush overwrites it
	}
	return size, err
}

func replaceWith(path string, content []byte) error {
	_, err := replace(path, func(w io.Writer) (int64, error) {
		n, err := w.Write(content)
		return int64(n), err
	})
	return err
}
