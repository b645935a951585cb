package script

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"
)

// process is a child as the host sees it.
type process struct {
	cmd    *exec.Cmd
	in     *os.File // frames to it
	out    *bufio.Reader
	ends   []*os.File // that are ours
	shared *shared
	words  words // what it said when it ended
	knows  map[*Program]uint64

	// What follows belongs to the lane.
	calls   map[uint64]*request // in flight
	order   []*request          // the same, in the order they were sent
	stalled bool                // one of them takes long
	serial  uint64              // the call seen last
	since   time.Time           // when it was seen first
	killed  bool
}

// words keeps the beginning of what a child says.
type words struct {
	mu   sync.Mutex
	text []byte
}

func (w *words) Write(b []byte) (int, error) {
	const most = 4 << 10
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, b[:min(len(b), most-len(w.text))]...)
	return len(b), nil
}

func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.text)
}

// startProcess starts a child. It is called on a thread that lives as long as the
// Runner, because the child is killed when the thread ends.
func startProcess(memory int64) (p *process, err error) {
	p = &process{knows: map[*Program]uint64{}, calls: map[uint64]*request{}}
	var theirs []*os.File
	defer func() {
		for _, f := range theirs {
			f.Close()
		}
		if err != nil {
			p.release()
		}
	}()
	if len(os.Args) > 1 && os.Args[1] == childArg {
		return nil, errors.New("script.Child must be called first in main") // this is a child: it would start others without end
	}
	file, err := sharedFile()
	if err != nil {
		return nil, err
	}
	theirs = append(theirs, file)
	if err = file.Truncate(sharedSize); err != nil {
		return nil, err
	}
	if p.shared, err = mapShared(file); err != nil {
		return nil, err
	}
	read, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	theirs, p.in, p.ends = append(theirs, read), in, append(p.ends, in)
	out, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	theirs, p.out, p.ends = append(theirs, write), bufio.NewReaderSize(out, 64<<10), append(p.ends, out)
	p.cmd = &exec.Cmd{
		Path: program(), Args: []string{"omega", childArg, strconv.FormatInt(memory, 10)}, Env: []string{}, Dir: "/",
		Stdin: read, Stdout: write, Stderr: &p.words, ExtraFiles: []*os.File{file}, SysProcAttr: childAttr(),
	}
	return p, p.cmd.Start()
}

// release lets go of what the host holds of a child.
func (p *process) release() {
	for _, f := range p.ends {
		f.Close()
	}
	if p.shared != nil {
		p.shared.close()
	}
}

// kill ends a child at once. It starts no others.
func (p *process) kill() { _ = p.cmd.Process.Kill() }

// drain reads frames until there are no more, and then waits for the process.
func (p *process) drain(each func(*fields)) {
	for {
		f, err := readFrame(p.out)
		if err != nil {
			break
		}
		each(f)
	}
	p.kill()
	_, _ = io.Copy(io.Discard, p.out)
	_ = p.cmd.Wait()
}
