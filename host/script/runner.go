package script

import (
	"context"
	"math/bits"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Options of a Runner. The zero value is good.
type Options struct {
	// Children is how many run calls at the same time, for each size of memory. 0
	// is half the processors, at most four.
	Children int
}

// The limits of a call that sets none.
const (
	defaultTimeout = 150 * time.Millisecond
	defaultMemory  = 64 << 20
)

const (
	// maxBatch is how many calls travel together.
	maxBatch = 1024
	// maxBatchBytes is how much of them does.
	maxBatchBytes = 16 << 20
	// killAfter is when a child is killed that goes on after a call's timeout,
	// because it is within something that cannot be interrupted. It has as long
	// again to note where that is.
	killAfter = 60 * time.Millisecond
	// stallAfter is when calls that wait behind a slow one go to another child.
	stallAfter = 10 * time.Millisecond
	// loadLimit is how long a child may take for anything but a call.
	loadLimit = 10 * time.Second
	// lookEvery is how often children at work are looked at.
	lookEvery = 4 * time.Millisecond
	// maxStalled bounds the children of one lane that are at slow calls.
	maxStalled = 8
	// maxPrograms is how many programs a child knows before it is replaced.
	maxPrograms = 32
	// maxDeaths is how often a call is tried again that was sent to a child that
	// ended, when it is not known of what.
	maxDeaths = 3
)

// Runner is the Engine: it keeps child processes and gives them calls.
type Runner struct {
	options Options
	starts  chan start
	looking chan struct{} // something is in flight
	life    context.Context
	end     context.CancelFunc
	ended   sync.WaitGroup
	bundles atomic.Int64 // made so far

	mu       sync.Mutex
	lanes    map[int64]*lane
	programs map[string]*made
	serial   uint64
	bundlers chan struct{} // as many at a time
}

// lane is the children whose calls may hold the same memory, and what waits for
// them.
type lane struct {
	memory  int64
	waiting []*request
	idle    []*process
	busy    []*process
	coming  int // being started
}

// request is a call that waits for its answer.
type request struct {
	call   Call
	serial uint64
	answer chan Answer // has room for it
	done   bool        // answered, or nobody waits any more
	deaths int
}

// start asks for a child.
type start struct {
	memory int64
	give   func(*process, error)
}

// New gives a Runner; Close ends its children. It starts them when they are
// needed.
func New(options Options) *Runner {
	if options.Children <= 0 {
		options.Children = max(1, min(4, runtime.NumCPU()/2))
	}
	r := &Runner{
		options: options, starts: make(chan start, 64), looking: make(chan struct{}, 1),
		lanes: map[int64]*lane{}, programs: map[string]*made{}, bundlers: make(chan struct{}, 2),
	}
	r.life, r.end = context.WithCancel(context.Background())
	r.ended.Add(2)
	go r.startChildren()
	go r.look()
	return r
}

// Close ends all children and answers every call that waits with a fault. It
// returns when they are gone.
func (r *Runner) Close() {
	r.mu.Lock()
	r.end()
	for _, l := range r.lanes {
		for _, p := range slices.Concat(l.idle, l.busy) {
			p.kill()
		}
		for _, q := range l.waiting {
			q.finish(Answer{Fault: closedFault()})
		}
		l.waiting = nil
	}
	r.mu.Unlock()
	r.ended.Wait()
}

// enter counts somebody who uses children, unless it is too late for that.
func (r *Runner) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.life.Err() != nil {
		return false
	}
	r.ended.Add(1)
	return true
}

func closedFault() *Fault { return &Fault{Kind: FaultProcess, Detail: ErrClosed.Error()} }

// startChildren starts children on one thread, which lives as long as they do.
func (r *Runner) startChildren() {
	defer r.ended.Done()
	runtime.LockOSThread()
	var children sync.WaitGroup
	defer children.Wait()
	for {
		select {
		case <-r.life.Done():
			return
		case s := <-r.starts:
			p, err := startProcess(s.memory)
			children.Add(1)
			r.ended.Add(1)
			go func() {
				defer r.ended.Done()
				defer children.Done()
				s.give(p, err)
			}()
		}
	}
}

func (q *request) finish(a Answer) {
	if !q.done {
		q.done = true
		q.answer <- a
	}
}

// Call runs a call.
func (r *Runner) Call(ctx context.Context, call Call) Answer {
	if call.Timeout <= 0 {
		call.Timeout = defaultTimeout
	}
	if call.Memory <= 0 {
		call.Memory = defaultMemory
	}
	if call.Program == nil {
		return Answer{Fault: &Fault{Kind: FaultProcess, Detail: "there is no program to call"}}
	}
	q := &request{call: call, answer: make(chan Answer, 1)}
	r.mu.Lock()
	if r.life.Err() != nil {
		r.mu.Unlock()
		return Answer{Fault: closedFault()}
	}
	r.serial++
	q.serial = r.serial
	l := r.lane(call.Memory)
	l.waiting = append(l.waiting, q)
	r.dispatch(l)
	r.mu.Unlock()
	select {
	case a := <-q.answer:
		return a
	case <-ctx.Done():
		r.mu.Lock()
		q.done = true
		r.mu.Unlock()
		return Answer{Fault: &Fault{Kind: FaultProcess, Detail: "no longer wanted: " + context.Cause(ctx).Error()}}
	}
}

// lane is that of a memory, rounded up to a power of two.
func (r *Runner) lane(memory int64) *lane {
	memory = max(16<<20, int64(1)<<bits.Len64(uint64(memory-1)))
	l := r.lanes[memory]
	if l == nil {
		l = &lane{memory: memory}
		r.lanes[memory] = l
	}
	return l
}

// dispatch sends what waits to children that have nothing to do, and has others
// started: one is always kept in reserve, so that nobody waits for a child to
// begin when another had to be killed.
func (r *Runner) dispatch(l *lane) {
	atWork, stalled := 0, 0
	for _, p := range l.busy {
		if p.stalled {
			stalled++
		} else {
			atWork++
		}
	}
	for len(l.idle) > 0 && atWork < r.options.Children && stalled < maxStalled {
		batch := l.take()
		if len(batch) == 0 {
			break
		}
		last := len(l.idle) - 1
		p := l.idle[last]
		l.idle = l.idle[:last]
		r.send(l, p, batch)
		atWork++
	}
	want := 1
	if len(l.waiting) > 0 && atWork < r.options.Children {
		want = 2
	}
	for len(l.idle)+l.coming < want && len(l.busy)+len(l.idle)+l.coming < maxStalled+r.options.Children {
		l.coming++
		select {
		case r.starts <- start{l.memory, func(p *process, err error) { r.live(l, p, err) }}:
		default: // too many are asked for: the next look asks again
			l.coming--
			r.wake()
			return
		}
	}
}

// take is the next batch of those that wait.
func (l *lane) take() (batch []*request) {
	size := 0
	for len(l.waiting) > 0 && len(batch) < maxBatch && size < maxBatchBytes {
		q := l.waiting[0]
		l.waiting[0] = nil
		l.waiting = l.waiting[1:]
		if !q.done {
			batch = append(batch, q)
			size += len(q.call.Input) + len(q.call.View)
		}
	}
	return batch
}

// send gives a batch to a child.
func (r *Runner) send(l *lane, p *process, batch []*request) {
	l.busy = append(l.busy, p)
	p.order, p.stalled, p.serial, p.since = batch, false, 0, time.Now()
	p.shared.stop(false)
	var out []byte
	calls := newFrame(frameCalls).unsigned(uint64(len(batch)))
	var last *Call
	for _, q := range batch {
		c := &q.call
		id, known := p.knows[c.Program]
		if !known {
			id = uint64(len(p.knows) + 1)
			p.knows[c.Program] = id
			out = append(out, newFrame(frameProgram).unsigned(id).text(c.Program.Entry).text(c.Program.code).texts(c.Program.paths).done()...)
		}
		p.calls[q.serial] = q
		calls = calls.appendCall(q.serial, id, c, last != nil && string(last.View) == string(c.View))
		last = c
	}
	out = append(out, calls.done()...)
	go func() { _, _ = p.in.Write(out) }() // a child that does not read it is killed
	r.wake()
}

// wake has somebody look at the children.
func (r *Runner) wake() {
	select {
	case r.looking <- struct{}{}:
	default:
	}
}

// live is the life of a child.
func (r *Runner) live(l *lane, p *process, err error) {
	r.mu.Lock()
	l.coming--
	if err != nil {
		for _, q := range l.waiting {
			q.finish(Answer{Fault: &Fault{Kind: FaultProcess, Detail: "no process can be started for it: " + err.Error()}})
		}
		l.waiting = nil
		r.mu.Unlock()
		return
	}
	if r.life.Err() != nil {
		p.kill()
	} else {
		l.idle = append(l.idle, p)
		r.dispatch(l)
	}
	r.mu.Unlock()
	p.drain(func(f *fields) { r.heard(l, p, f) })
	r.mu.Lock()
	r.buried(l, p)
	r.mu.Unlock()
	p.release()
}

// heard takes what a child says.
func (r *Runner) heard(l *lane, p *process, f *fields) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch f.kind {
	case frameAnswer:
		serial, a := f.answer()
		if q := p.calls[serial]; q != nil && !f.bad {
			delete(p.calls, serial)
			q.finish(a)
		}
	case frameDone:
		r.requeue(l, p)
		l.busy = slices.DeleteFunc(l.busy, func(other *process) bool { return other == p })
		if len(p.knows) >= maxPrograms {
			p.kill()
		} else {
			l.idle = append(l.idle, p)
		}
		r.dispatch(l)
	}
}

// requeue puts the calls of a child that have no answer before those that wait.
func (r *Runner) requeue(l *lane, p *process) {
	var again []*request
	for _, q := range p.order {
		if p.calls[q.serial] == q && !q.done {
			again = append(again, q)
		}
	}
	clear(p.calls)
	p.order = nil
	l.waiting = append(again, l.waiting...)
}

// buried settles what a child leaves that has ended: the call it was at gets the
// fault, the others are sent again.
func (r *Runner) buried(l *lane, p *process) {
	same := func(other *process) bool { return other == p }
	l.busy, l.idle = slices.DeleteFunc(l.busy, same), slices.DeleteFunc(l.idle, same)
	closed := r.life.Err() != nil
	at := p.shared.serial()
	culprit := p.calls[at]
	for _, q := range p.calls {
		q.deaths++
		switch {
		case closed:
			q.finish(Answer{Fault: closedFault()})
		case q == culprit:
			q.finish(Answer{Fault: p.verdict(q)})
		case culprit == nil && q.deaths >= maxDeaths:
			q.finish(Answer{Fault: &Fault{Kind: FaultProcess, File: q.call.Program.Entry, Detail: p.said("its process ended before it was called")}})
		}
	}
	r.requeue(l, p)
	if !closed {
		r.dispatch(l)
	}
}

// starved is how the Go runtime ends when it is given no more memory.
var starved = []string{"out of memory", "cannot allocate memory", "pthread_create failed", "new OS thread", "SIGSEGV"}

// verdict says why a child ended at a call.
func (p *process) verdict(q *request) *Fault {
	at := p.shared.noted()
	f := &Fault{Kind: FaultProcess, File: at.file, Line: at.line, Column: at.column}
	if !slices.Contains(q.call.Program.paths, at.file) {
		f.File, f.Line, f.Column = "", 0, 0
	}
	said := p.words.String()
	switch {
	case p.killed:
		f.Kind, f.Detail = FaultTime, "it took longer than "+q.call.Timeout.String()+", and could not be interrupted"
	case strings.Contains(said, "stack overflow"), strings.Contains(said, "stack exceeds"):
		f.Kind, f.Detail = FaultMemory, "it is nested too deeply"
	case slices.ContainsFunc(starved, func(sign string) bool { return strings.Contains(said, sign) }):
		f.Kind, f.Detail = FaultMemory, "it wanted far more memory than it may hold"
	default:
		f.Detail = p.said("its process ended")
	}
	return f
}

// said is the first line of what a child said, if anything.
func (p *process) said(or string) string {
	line, _, _ := strings.Cut(p.words.String(), "\n")
	if line == "" {
		return or
	}
	return or + ": " + cutText(line, maxDetail)
}

// look looks at the children at work as long as there are any.
func (r *Runner) look() {
	defer r.ended.Done()
	timer := time.NewTicker(lookEvery)
	defer timer.Stop()
	for {
		timer.Stop()
		select {
		case <-r.life.Done():
			return
		case <-r.looking:
		}
		timer.Reset(lookEvery)
		for busy := true; busy; {
			select {
			case <-r.life.Done():
				return
			case <-timer.C:
				busy = r.lookOnce(time.Now())
			}
		}
	}
}

// lookOnce kills the children that are over their time, and has calls that wait
// behind a slow one go elsewhere.
func (r *Runner) lookOnce(now time.Time) (busy bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.lanes {
		for _, p := range l.busy {
			busy = true
			r.inspectChild(l, p, now)
		}
		if len(l.waiting) > 0 {
			busy = true
			r.dispatch(l)
		}
	}
	return busy
}

func (r *Runner) inspectChild(l *lane, p *process, now time.Time) {
	serial := p.shared.serial()
	if serial != p.serial {
		p.serial, p.since = serial, now
		return
	}
	spent := now.Sub(p.since)
	q := p.calls[serial]
	switch {
	case q == nil: // it reads a program
		if spent > loadLimit {
			p.kill()
		}
	case q.done && spent > stallAfter: // nobody waits for it
		p.kill()
	case spent > q.call.Timeout+killAfter && p.shared.noted().file != "", spent > q.call.Timeout+2*killAfter:
		p.killed = true
		p.kill()
	case spent > stallAfter && !p.stalled:
		p.stalled = true
		p.shared.stop(true)
		own := p.order
		p.order = nil
		for _, other := range own {
			if other != q && p.calls[other.serial] == other {
				delete(p.calls, other.serial)
				l.waiting = append(l.waiting, other)
			}
		}
		p.order = []*request{q}
	}
}
