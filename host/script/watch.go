package script

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	// tick is how often a running call is looked at.
	tick = time.Millisecond
	// holdUp is how long a call runs before the answers of others are sent on.
	holdUp = 3 * time.Millisecond
	// grace is how long an interrupted script has until it is noted where it is
	// stuck.
	grace = 15 * time.Millisecond
	// maxGrowth is the stack of Go that a call may grow, and what it may leave on
	// the heap.
	maxGrowth = 32 << 20
)

// watch keeps calls within their limits, beside the goroutine that runs them.
type watch struct {
	shared *shared
	flush  func()
	wake   chan struct{}

	mu          sync.Mutex
	realm       *realm // of the call that runs; nil for none
	started     time.Time
	timeout     time.Duration
	memory      int64
	limit       *Fault // that was passed
	interrupted time.Time
	flushed     bool
	base        int64 // the heap without a call
	samples     []metrics.Sample
}

func newWatch(s *shared, flush func()) *watch {
	return &watch{shared: s, flush: flush, wake: make(chan struct{}, 1),
		samples: []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}}
}

// settle measures the heap while no call runs.
func (w *watch) settle() {
	runtime.GC()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.base, _ = w.sample()
}

func (w *watch) sample() (heap, stacks int64) {
	metrics.Read(w.samples)
	return int64(w.samples[0].Value.Uint64()), int64(w.samples[1].Value.Uint64())
}

// grown reports whether a call has left behind what cannot be collected. A stack
// that has grown is given back by half each time.
func (w *watch) grown() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	heap, stacks := w.sample()
	if heap < w.base+maxGrowth && stacks < maxGrowth/4 {
		return false
	}
	for runtime.GC(); stacks > maxGrowth/4; stacks /= 2 {
		runtime.GC()
	}
	heap, _ = w.sample()
	return heap > w.base+maxGrowth/4
}

func (w *watch) begin(serial uint64, r *realm, c *Call) {
	w.mu.Lock()
	w.realm, w.timeout, w.memory = r, c.Timeout, c.Memory
	w.started, w.limit, w.interrupted, w.flushed = time.Now(), nil, time.Time{}, false
	w.mu.Unlock()
	w.shared.begin(serial)
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// end gives the limit the call has passed.
func (w *watch) end() *Fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shared.begin(0)
	w.realm = nil
	return w.limit
}

// run looks at calls while there are any.
func (w *watch) run() {
	debug.SetPanicOnFault(true) // see look
	for idle := 0; ; {
		if idle > 100 {
			<-w.wake
			idle = 0
		}
		time.Sleep(tick)
		if w.check() {
			idle = 0
		} else {
			idle++
		}
	}
}

func (w *watch) check() (running bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.realm == nil {
		return false
	}
	ran := time.Since(w.started)
	if ran > holdUp && !w.flushed {
		w.flushed = true
		go w.flush() // it may have to wait for the host
	}
	heap, stacks := w.sample()
	switch {
	case w.limit != nil:
		if time.Since(w.interrupted) > grace {
			w.look()
		}
	case ran > w.timeout:
		w.pass(FaultTime, "it took longer than "+w.timeout.String())
	case stacks > maxGrowth:
		w.pass(FaultMemory, "it is nested too deeply")
	case heap > w.base+w.memory && w.holds() > w.base+w.memory:
		w.pass(FaultMemory, fmt.Sprintf("it holds more than %d MiB", w.memory>>20))
	}
	return true
}

// holds collects what is no longer held, and measures what is. The host may lose
// patience over it, so it is noted first where the script is.
func (w *watch) holds() int64 {
	w.look()
	runtime.GC()
	heap, _ := w.sample()
	return heap
}

func (w *watch) pass(kind FaultKind, detail string) {
	w.limit, w.interrupted = &Fault{Kind: kind, Detail: detail}, time.Now()
	w.realm.Interrupt(w.limit)
	w.look()
}

// look notes where the script is stuck, for the host to read once it has killed
// this process. It reads the stack of a runtime that does not know of it: one
// that is stuck in a built-in does not change it. If it does, and what is read is
// torn, nothing is noted.
func (w *watch) look() {
	defer func() { _ = recover() }()
	const frames = 64
	w.shared.note(w.realm.unit.within(w.realm.CaptureCallStack(frames, nil)))
}
