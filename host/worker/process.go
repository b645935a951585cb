package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

const (
	// shimTimeout is how long the host waits for a shim that was told to kill everything, before it takes over.
	shimTimeout = killTimeout + time.Second
	// drainTimeout bounds the wait for streams that a process out of reach still holds open. It is long: a busy
	// host must find the time to read what an ended program has left in the pipes.
	drainTimeout = 5 * time.Second
	// reportBytes bounds what is read from a shim: its lines are short.
	reportBytes = 64 << 10
)

// process is a running attempt, seen from the host.
type process struct {
	cmd     *exec.Cmd
	dir     string   // the attempt's folder
	control *os.File // orders to the shim; closed = kill everything
	closed  bool
	streams [4]*os.File // our ends of stdin, stdout, stderr and the report pipe

	stdout   []byte
	limit    int64
	overflow chan struct{} // closed when stdout passes limit
	stderr   tail
	reported chan struct{} // closed when the report pipe has ended; then last is the shim's last word, or nil
	last     *report
	copies   sync.WaitGroup
}

// ending is all that is known when an attempt's processes are gone.
type ending struct {
	cause  Fault   // why the host stopped it, or ""
	last   *report // the shim's last word; nil when it was killed before
	stdout []byte
	stderr []byte
}

// start starts the shim, which starts the program.
func start(l launch, f folder) (*process, error) {
	p := &process{dir: f.dir, limit: l.output, stderr: tail{hidden: l.hidden}, overflow: make(chan struct{}), reported: make(chan struct{})}
	var theirs [5]*os.File
	defer func() {
		for _, end := range theirs {
			end.Close()
		}
	}()
	var err error
	for i, ours := range []**os.File{&p.streams[0], &p.streams[1], &p.streams[2], &p.control, &p.streams[3]} {
		var r, w *os.File
		if r, w, err = os.Pipe(); err != nil {
			p.close()
			return nil, fmt.Errorf("making a pipe: %w", err)
		}
		if i == 0 || i == controlFD {
			theirs[i], *ours = r, w
		} else {
			theirs[i], *ours = w, r
		}
	}
	p.cmd = &exec.Cmd{
		Path: l.shim, Args: append([]string{"omega", shimArg, strconv.FormatInt(l.memory, 10), l.path}, l.argv...),
		Env: l.env, Dir: f.cwd, Stdin: theirs[0], Stdout: theirs[1], Stderr: theirs[2],
		ExtraFiles: []*os.File{theirs[controlFD], theirs[reportFD]}, SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if err = p.cmd.Start(); err != nil {
		p.close()
		return nil, fmt.Errorf("starting the shim: %w", err)
	}
	p.record()
	p.copies.Go(func() { p.feed(l.input) })
	p.copies.Go(p.readStdout)
	p.copies.Go(func() { _, _ = io.Copy(&p.stderr, p.streams[2]) })
	p.copies.Go(p.readReports)
	return p, nil
}

// record notes who the shim is, for the Sweep of a later host. Without the note Sweep still finds the attempt by
// its environment, so an error is not one of the attempt.
func (p *process) record() {
	_ = os.WriteFile(filepath.Join(p.dir, recordName), []byte(identity(p.cmd.Process.Pid)+"\n"), 0o600)
}

// feed writes the input; a program that does not read it is none of our business.
func (p *process) feed(input []byte) {
	_, _ = p.streams[0].Write(input)
	p.streams[0].Close()
}

func (p *process) readStdout() {
	p.stdout, _ = io.ReadAll(io.LimitReader(p.streams[1], p.limit+1))
	if int64(len(p.stdout)) > p.limit {
		close(p.overflow)
		_, _ = io.Copy(io.Discard, p.streams[1])
	}
}

func (p *process) readReports() {
	defer close(p.reported)
	lines := json.NewDecoder(io.LimitReader(p.streams[3], reportBytes))
	for {
		var line report
		if lines.Decode(&line) != nil {
			return
		}
		if line.Final {
			p.last = &line
		}
	}
}

// wait stays with the attempt until its processes are gone.
func (p *process) wait(ctx context.Context, timeout time.Duration) ending {
	exited := make(chan struct{})
	go func() {
		_ = p.cmd.Wait() // what it would tell, the report tells better
		close(exited)
	}()
	cause := p.watch(ctx, timeout, exited)
	<-p.reported // the shim alone held that pipe
	if p.last == nil {
		settle(p.dir)
	}
	p.drain()
	select {
	case <-p.overflow:
		if cause != FaultKilled {
			cause = FaultOutputLimit // so that it does not depend on how fast the program then ended
		}
	default:
	}
	return ending{cause: cause, last: p.last, stdout: p.stdout, stderr: p.stderr.bytes()}
}

// watch returns when the shim is gone, with the reason why the host ended the attempt, if it did.
func (p *process) watch(ctx context.Context, timeout time.Duration, exited <-chan struct{}) (cause Fault) {
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	cancelled, overflow := ctx.Done(), (<-chan struct{})(p.overflow)
	var takeOver <-chan time.Time
	kill := func(why Fault) {
		if cause == "" {
			cause = why
		}
		p.closeControl()
		takeOver = time.After(shimTimeout)
	}
	for {
		select {
		case <-exited:
			return cause
		case <-cancelled:
			cancelled = nil
			kill(FaultKilled)
		case <-overflow:
			overflow = nil
			kill(FaultOutputLimit)
		case <-limit.C:
			if cause == "" {
				cause = FaultTimeout
				_, _ = p.control.Write([]byte{orderTerm})
				limit.Reset(termGrace)
			} else if !p.closed {
				kill(cause)
			}
		case <-takeOver:
			_ = p.cmd.Process.Kill()
		}
	}
}

// settle ends what shims that did not finish their work have left under root.
func settle(root string) {
	for range int(killTimeout / killEvery) {
		left := strays(root)
		if len(left) == 0 {
			return
		}
		killEach(left)
		time.Sleep(killEvery)
	}
}

func killEach(pids []int) {
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// drain waits for the streams to end and closes them.
func (p *process) drain() {
	until := time.Now().Add(drainTimeout)
	for _, stream := range p.streams {
		if err := stream.SetDeadline(until); err != nil && !errors.Is(err, os.ErrClosed) {
			stream.Close()
		}
	}
	p.copies.Wait()
	p.close()
}

func (p *process) closeControl() {
	p.closed = true
	p.control.Close()
}

func (p *process) close() {
	p.control.Close()
	for _, stream := range p.streams {
		stream.Close()
	}
}
