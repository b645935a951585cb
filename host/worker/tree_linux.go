package worker

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// programAttr: its own session, hence its own process group, which can join no group of the host's; and killed
// when the shim is.
func programAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}

// adoptOrphans makes this process the parent of every descendant whose own parent ends.
func adoptOrphans() { _ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) }

// closeOnExec keeps from the program what the shim or the host was itself started with.
func closeOnExec() {
	fds, _ := os.ReadDir("/proc/self/fd")
	for _, entry := range fds {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
}

// limitData sets the ceiling of one process (see the package comment) and turns core dumps off. It holds for the
// shim too, which therefore leaves itself room.
func limitData(memory int64) {
	const room = 64 << 20
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	if memory > 0 {
		limit := uint64(max(4*memory, statm("self", 5)+room))
		_ = unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: limit, Max: limit})
	}
}

// statm is one field of /proc/PID/statm in bytes, 0 for a process that is gone.
func statm(pid string, field int) int64 {
	text, _ := os.ReadFile("/proc/" + pid + "/statm")
	fields := strings.Fields(string(text))
	if field >= len(fields) {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[field], 10, 64)
	return pages * int64(os.Getpagesize())
}

func largestResident(u syscall.Rusage) int64 { return int64(u.Maxrss) << 10 }

// descendants lists the processes below pid, parents first. The kernel may miss one that starts or ends
// meanwhile, so whoever must have all asks again.
func descendants(pid int) []int {
	var found []int
	for next := []int{pid}; len(next) > 0; {
		children := childrenOf(next[0])
		next = append(next[1:], children...)
		found = append(found, children...)
	}
	return found
}

// killTree kills all that the shim's program has started. Each process is killed together with its group, which
// dies at once, however fast it forks; a group with a living descendant in it is surely ours.
func killTree(int) {
	own := syscall.Getpgrp()
	for _, pid := range descendants(os.Getpid()) {
		if group, err := syscall.Getpgid(pid); err == nil && group != own {
			_ = syscall.Kill(-group, syscall.SIGKILL)
		}
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

func childrenOf(pid int) []int {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	var children []int
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for _, field := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				children = append(children, child)
			}
		}
	}
	return children
}

// resident adds up what the processes hold in memory. The cheap sum counts shared pages once for each process;
// only when it passes limit are they told apart.
func resident(pids []int, limit int64) int64 {
	var sum int64
	for _, pid := range pids {
		sum += statm(strconv.Itoa(pid), 1)
	}
	if sum <= limit || len(pids) == 1 {
		return sum
	}
	sum = 0
	for _, pid := range pids {
		sum += proportional(pid)
	}
	return sum
}

// proportional is the resident memory of a process with each shared page divided by those who share it.
func proportional(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return statm(strconv.Itoa(pid), 1)
	}
	for line := range bytes.Lines(text) {
		if value, ok := bytes.CutPrefix(line, []byte("Pss:")); ok {
			kib, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(string(value)), " kB"), 10, 64)
			return kib << 10
		}
	}
	return 0
}

// identity tells the process from any other that ever had or will have its number: the machine's boot, the number, and
// the instant it started. "" when there is no such process; a zombie is none.
func identity(pid int) string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The name in parentheses may hold anything; the fields after the last one are safe.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const state, start = 0, 19
	if len(fields) <= start || fields[state] == "Z" || fields[state] == "X" {
		return ""
	}
	return fmt.Sprintf("%s %d %s", strings.TrimSpace(string(boot)), pid, fields[start])
}

// strays lists the processes that were started with an OMEGA_OUT under root and see the same folder there as
// we do (not a namesake in another container).
func strays(root string) []int {
	here, err := os.Stat(root)
	if err != nil {
		return nil
	}
	mark := []byte("\x00" + outVariable + "=" + root + "/")
	var found []int
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		environ, err := os.ReadFile("/proc/" + entry.Name() + "/environ")
		if err != nil || !bytes.Contains(append([]byte{0}, environ...), mark) {
			continue
		}
		there, err := os.Stat("/proc/" + entry.Name() + "/root" + root)
		if err == nil && os.SameFile(here, there) && identity(pid) != "" {
			found = append(found, pid)
		}
	}
	return found
}
