//go:build !linux

package script

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Other systems than Linux: a child ends when the pipe from its host does, and
// its memory is watched but has no ceiling.

func childAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func sharedFile() (*os.File, error) {
	f, err := os.CreateTemp("", "omega-script-")
	if err != nil {
		return nil, err
	}
	return f, os.Remove(f.Name())
}

func confine(int64) {
	for _, resource := range []int{unix.RLIMIT_CORE, unix.RLIMIT_NOFILE} {
		_ = unix.Setrlimit(resource, &unix.Rlimit{})
	}
}

func program() string {
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}
