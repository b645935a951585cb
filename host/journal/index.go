package journal

import (
	"sort"
	"sync"
)

// markEvery is how many bytes of a segment may lie between two marks: what a new cursor reads at most to find its
// entry. One mark is 16 bytes of memory.
const markEvery = 64 << 10

// mark says where in its segment an entry begins.
type mark struct {
	seq uint64
	off int64
}

// extent is what is known of one segment: enough to find an entry in it.
type extent struct {
	end   int64  // of its readable lines, in bytes
	marks []mark // the first entry's place first
}

// index finds entries by seq. The writer extends it, cursors read it.
type index struct {
	mu      sync.RWMutex
	extents []extent // segment N is extents[N-1]
}

// add begins the next segment, whose first entry is seq, at byte off, and which is readable up to end.
func (x *index) add(seq uint64, off, end int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.extents = append(x.extents, extent{end: end, marks: []mark{{seq, off}}})
}

// mark notes that entry seq begins at byte off of the last segment, unless the last mark is near.
func (x *index) mark(seq uint64, off int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	last := &x.extents[len(x.extents)-1]
	if off-last.marks[len(last.marks)-1].off >= markEvery {
		last.marks = append(last.marks, mark{seq, off})
	}
}

// extend makes the last segment readable up to end.
func (x *index) extend(end int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.extents[len(x.extents)-1].end = end
}

// end returns up to where a segment is readable; ok is false if there is no such segment.
func (x *index) end(segment uint64) (end int64, ok bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if segment > uint64(len(x.extents)) {
		return 0, false
	}
	return x.extents[segment-1].end, true
}

// start returns where the first entry of a segment begins. The segment must be there.
func (x *index) start(segment uint64) mark {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.extents[segment-1].marks[0]
}

// find returns the last marked place that is not after entry seq. There must be a segment.
func (x *index) find(seq uint64) (segment uint64, at mark) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	n := max(1, sort.Search(len(x.extents), func(i int) bool { return x.extents[i].marks[0].seq > seq }))
	marks := x.extents[n-1].marks
	m := max(1, sort.Search(len(marks), func(i int) bool { return marks[i].seq > seq }))
	return uint64(n), marks[m-1]
}
