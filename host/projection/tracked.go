package projection

import (
	"container/heap"

	"github.com/omega-run/omega/host/core"
)

// tracked is what is kept of one open job: what it was counted as, and what its
// events do not say themselves.
type tracked struct {
	job    *core.Job
	state  core.JobState // as counted
	number int64         // in post order

	touched  bool      // in this entry
	open     link      // among the open jobs, in post order
	round    link      // among those whose round is open, in the order they opened
	asked    link      // among those put before a person, in the order they were
	approval *Approval // what is asked, while it is among them

	purse    *purse
	unfunded bool   // counted in the purse
	reward   uint64 // as counted there
	ready    bool   // counted in the purse
	inputs   bool   // counted as one whose input is to be worked out

	due  core.Time // 0 none
	heap *dueHeap  // the one it is in
	at   int       // position there

	worker *Conduct   // of this attempt's worker, or the last one's
	seats  []*Conduct // of the validators of the last round, while it can move their stakes
	names  []string   // theirs
	before int64      // seats of earlier rounds of the same attempt
}

// link is a place in one list.
type link struct {
	prev, next *tracked
	in         bool
}

// roll is a list of tracked jobs that one can leave from anywhere.
type roll struct {
	head, tail *tracked
	at         func(*tracked) *link
	n          int64
}

func (l *roll) push(r *tracked) {
	at := l.at(r)
	if at.in {
		return
	}
	*at = link{prev: l.tail, in: true}
	if l.tail == nil {
		l.head = r
	} else {
		l.at(l.tail).next = r
	}
	l.tail = r
	l.n++
}

func (l *roll) remove(r *tracked) {
	at := l.at(r)
	if !at.in {
		return
	}
	if at.prev == nil {
		l.head = at.next
	} else {
		l.at(at.prev).next = at.next
	}
	if at.next == nil {
		l.tail = at.prev
	} else {
		l.at(at.next).prev = at.prev
	}
	*at = link{}
	l.n--
}

// all yields the jobs in order.
func (l *roll) all(yield func(*tracked) bool) {
	for r := l.head; r != nil; r = l.at(r).next {
		if !yield(r) {
			return
		}
	}
}

// dueHeap orders jobs by when they are due, the first posted first.
type dueHeap []*tracked

func (h dueHeap) Len() int { return len(h) }

func (h dueHeap) Less(i, j int) bool {
	return h[i].due < h[j].due || h[i].due == h[j].due && h[i].number < h[j].number
}

func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

// Push is for container/heap.
func (h *dueHeap) Push(x any) {
	r := x.(*tracked)
	r.at, r.heap = len(*h), h
	*h = append(*h, r)
}

// Pop is for container/heap.
func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	r := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	r.heap = nil
	return r
}

// agenda knows which deadlines come within the horizon without looking at all.
type agenda struct {
	near, far dueHeap
	horizon   core.Time // up to when the near ones reach
}

// reach moves the horizon. It goes back only when an edit shortens it.
func (a *agenda) reach(horizon core.Time) {
	for horizon < a.horizon && len(a.near) > 0 {
		heap.Push(&a.far, heap.Pop(&a.near))
	}
	for len(a.far) > 0 && a.far[0].due <= horizon {
		heap.Push(&a.near, heap.Pop(&a.far))
	}
	a.horizon = horizon
}

// put notes when a job is due, 0 for never.
func (a *agenda) put(r *tracked, due core.Time) {
	if r.due == due {
		return
	}
	if r.heap != nil {
		heap.Remove(r.heap, r.at)
	}
	r.due = due
	switch {
	case due == 0:
	case due <= a.horizon:
		heap.Push(&a.near, r)
	default:
		heap.Push(&a.far, r)
	}
}

// first is the job that is due first, nil if none is.
func (a *agenda) first() *tracked {
	switch {
	case len(a.near) > 0:
		return a.near[0]
	case len(a.far) > 0:
		return a.far[0]
	}
	return nil
}
