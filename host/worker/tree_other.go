//go:build !linux

package worker

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Other systems than Linux: the program's process group is killed, memory is not limited, and a process that
// left the group is not found.

func programAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

func adoptOrphans() {}

func closeOnExec() {
	unix.CloseOnExec(controlFD)
	unix.CloseOnExec(reportFD)
}

func limitData(int64) { _ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}) }

// largestResident is 0: what the number counts differs from system to system.
func largestResident(syscall.Rusage) int64 { return 0 }

func killTree(program int) { _ = syscall.Kill(-program, syscall.SIGKILL) }

func descendants(int) []int { return nil }

func resident([]int, int64) int64 { return 0 }

func identity(int) string { return "" }

func strays(string) []int { return nil }
