package script

import (
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// childAttr: its own process group, and killed when the thread that started it
// ends, which is when the host does.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// sharedFile is a file in memory.
func sharedFile() (*os.File, error) {
	fd, err := unix.MemfdCreate("omega-script", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	return os.NewFile(uintptr(fd), "shared"), nil
}

// confine takes from this process what it could do harm with: files, room, core
// dumps. What it has open stays open, but it can open nothing else: a bundler
// looks for files by itself. The ceiling on its data is the last resort and therefore wide: a limit
// that is passed is noticed before, and then there is more to say.
func confine(memory int64) {
	const room = 64 << 20
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
	limit := uint64(dataSize() + 4*memory + room)
	for resource, n := range map[int]uint64{unix.RLIMIT_DATA: limit, unix.RLIMIT_CORE: 0, unix.RLIMIT_FSIZE: 0, unix.RLIMIT_NOFILE: 0} {
		_ = unix.Setrlimit(resource, &unix.Rlimit{Cur: n, Max: n})
	}
}

// dataSize is what counts against RLIMIT_DATA, in bytes.
func dataSize() int64 {
	text, _ := os.ReadFile("/proc/self/statm")
	if fields := strings.Fields(string(text)); len(fields) > 5 {
		pages, _ := strconv.ParseInt(fields[5], 10, 64)
		return pages * int64(os.Getpagesize())
	}
	return 0
}

func program() string { return "/proc/self/exe" }
