package worker

import (
	"encoding/json"
	"errors"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The shim is this binary started as `omega __exec MEMORY FILE ARG…` in the attempt's working directory, with
// the program's standard streams and environment. It gets its orders on descriptor 3 and reports on 4.
const (
	shimArg   = "__exec"
	controlFD = 3
	reportFD  = 4
)

// orderTerm on the control pipe asks the program to end; the end of the pipe kills everything. A host that dies
// closes it too.
const orderTerm = 't'

const (
	// sampleEvery is how often memory is added up: often enough to catch growth, cheap for many attempts.
	sampleEvery = 100 * time.Millisecond
	// killEvery is how often what is left is killed again until nothing is.
	killEvery = 5 * time.Millisecond
	// killTimeout ends that: what survives so long waits in the kernel or belongs to another user.
	killTimeout = 2 * time.Second
)

// report is one line from the shim to the host: one when the program runs or could not be started, one at the
// end. The program never sees that pipe.
type report struct {
	Error  string `json:"error,omitempty"`  // why the program could not be started
	Busy   bool   `json:"busy,omitempty"`   // that was for lack of memory, processes or files
	Ended  bool   `json:"ended,omitempty"`  // the program ended, as follows
	Exit   int    `json:"exit,omitempty"`   // code
	Signal int    `json:"signal,omitempty"` // number
	Memory bool   `json:"memory,omitempty"` // the memory limit was passed
	Final  bool   `json:"final,omitempty"`
}

// Shim must be called first in the main function of every program that runs exec attempts (in a test: in
// TestMain). In a process that Exec started to watch an attempt it does that and exits; in any other it returns
// at once.
func Shim() {
	if len(os.Args) < 2 || os.Args[1] != shimArg {
		return
	}
	if len(os.Args) < 5 {
		os.Stderr.WriteString("omega " + shimArg + " is started by omega itself\n")
		os.Exit(2)
	}
	memory, _ := strconv.ParseInt(os.Args[2], 10, 64)
	s := shim{
		memory:  memory,
		orders:  make(chan byte),
		signals: make(chan os.Signal, 1),
		ended:   make(chan ended, 1),
		gone:    make(chan struct{}),
		out:     json.NewEncoder(os.NewFile(reportFD, "report")),
	}
	s.run(os.Args[3], os.Args[4:])
	syscall.Exit(0) // at once: there is nothing to flush
}

type shim struct {
	child   int
	memory  int64 // limit in bytes
	grown   bool  // the limit was passed
	orders  chan byte
	signals chan os.Signal
	ended   chan ended
	gone    chan struct{} // closed when no process is left
	out     *json.Encoder
}

// ended is how the program ended, and the most memory it or a process it waited for held.
type ended struct {
	status  syscall.WaitStatus
	largest int64
}

func (s *shim) run(path string, argv []string) {
	runtime.LockOSThread() // the program is killed when this thread ends
	closeOnExec()
	adoptOrphans()
	limitData(s.memory)
	// Caught, not ignored: an ignored signal would stay ignored in the program.
	signal.Notify(s.signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	var err error
	s.child, err = syscall.ForkExec(path, argv, &syscall.ProcAttr{
		Env: os.Environ(), Files: []uintptr{0, 1, 2}, Sys: programAttr(),
	})
	if err != nil {
		busy := errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.ENOMEM) || errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
		_ = s.out.Encode(report{Error: startError(err), Busy: busy, Final: true})
		return
	}
	releaseStreams()
	_ = s.out.Encode(report{})
	go s.listen(os.NewFile(controlFD, "control"))
	go s.reap()
	s.watch()
}

// startError is the message for an execve that failed, with the remedy where the kernel's words mislead.
func startError(err error) string {
	switch {
	case errors.Is(err, syscall.ENOEXEC):
		return "it is not a program; a script needs a first line such as #!/bin/sh"
	case errors.Is(err, syscall.ENOENT):
		return "the interpreter its first line names does not exist"
	}
	return err.Error()
}

func (s *shim) listen(control *os.File) {
	var order [1]byte
	for {
		if _, err := control.Read(order[:]); err != nil {
			close(s.orders)
			return
		}
		s.orders <- order[0]
	}
}

// reap waits for every child, adopted ones too, until there is none.
func (s *shim) reap() {
	for {
		var status syscall.WaitStatus
		var usage syscall.Rusage
		pid, err := syscall.Wait4(-1, &status, 0, &usage)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			close(s.gone)
			return
		case pid == s.child:
			s.ended <- ended{status, largestResident(usage)}
		}
	}
}

// watch is the shim's life once the program runs.
func (s *shim) watch() {
	sample := time.NewTicker(sampleEvery)
	defer sample.Stop()
	var again, giveUp <-chan time.Time
	last := report{Final: true}
	kill := func() {
		killTree(s.child)
		if again == nil {
			again, giveUp = time.NewTicker(killEvery).C, time.After(killTimeout)
		}
	}
	for {
		select {
		case order, ok := <-s.orders:
			if ok && order == orderTerm {
				_ = syscall.Kill(-s.child, syscall.SIGTERM)
				continue
			}
			s.orders = nil
			kill()
		case <-s.signals:
			kill()
		case e := <-s.ended:
			s.describe(&last, e)
			kill() // nothing outlives the program
		case <-sample.C:
			if again == nil && s.memory > 0 && resident(descendants(os.Getpid()), s.memory) > s.memory {
				s.grown = true
				kill()
			}
		case <-again:
			killTree(s.child)
		case <-s.gone:
			select {
			case e := <-s.ended:
				s.describe(&last, e)
			default:
			}
			last.Memory = s.grown
			_ = s.out.Encode(last)
			return
		case <-giveUp:
			last.Memory = s.grown
			_ = s.out.Encode(last)
			return
		}
	}
}

// describe notes how the program ended. One that failed after it had held more than the limit, faster than it
// was measured, failed for memory.
func (s *shim) describe(last *report, e ended) {
	last.Ended = true
	if e.status.Signaled() {
		last.Signal = int(e.status.Signal())
	} else {
		last.Exit = e.status.ExitStatus()
	}
	var own syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &own)
	// The kernel counts the shim's own memory for a program it forked: below that nothing is known.
	if s.memory > 0 && (last.Signal != 0 || last.Exit != 0) && e.largest > max(s.memory, largestResident(own)) {
		s.grown = true
	}
}

// releaseStreams lets go of the program's standard streams: their other ends see when the program's close.
func releaseStreams() {
	null, err := syscall.Open(os.DevNull, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	for fd := range 3 {
		if err == nil {
			_ = unix.Dup2(null, fd)
		} else {
			_ = syscall.Close(fd)
		}
	}
}

func signalName(s syscall.Signal) string {
	if name := unix.SignalName(s); name != "" {
		return name
	}
	return "signal " + strconv.Itoa(int(s))
}
