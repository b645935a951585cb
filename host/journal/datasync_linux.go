package journal

import (
	"os"

	"golang.org/x/sys/unix"
)

// datasync leaves out metadata that reading does not need, such as the time of the last write.
func datasync(f *os.File) error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if err != unix.EINTR {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}
