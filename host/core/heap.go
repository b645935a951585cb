package core

// heap is a binary heap whose items know their position, so that one can be
// moved or taken out when what orders it changes. The position is -1 outside.
type heap[T comparable] struct {
	items []T
	less  func(a, b T) bool
	at    func(T) *int32
}

func newHeap[T comparable](less func(a, b T) bool, at func(T) *int32) heap[T] {
	return heap[T]{less: less, at: at}
}

func (h *heap[T]) first() (item T, ok bool) {
	if len(h.items) == 0 {
		return item, false
	}
	return h.items[0], true
}

// put adds the item or, when it is there already, moves it to its place.
func (h *heap[T]) put(item T) {
	i := int(*h.at(item))
	if i < 0 {
		i = len(h.items)
		h.items = append(h.items, item)
		*h.at(item) = int32(i)
	}
	if !h.up(i) {
		h.down(i)
	}
}

func (h *heap[T]) remove(item T) {
	i := int(*h.at(item))
	if i < 0 {
		return
	}
	last := len(h.items) - 1
	h.swap(i, last)
	var none T
	h.items[last] = none
	h.items = h.items[:last]
	*h.at(item) = -1
	if i < last && !h.up(i) {
		h.down(i)
	}
}

func (h *heap[T]) swap(i, j int) {
	h.items[i], h.items[j] = h.items[j], h.items[i]
	*h.at(h.items[i]), *h.at(h.items[j]) = int32(i), int32(j)
}

func (h *heap[T]) up(i int) (moved bool) {
	for i > 0 {
		parent := (i - 1) / 2
		if !h.less(h.items[i], h.items[parent]) {
			return moved
		}
		h.swap(i, parent)
		i, moved = parent, true
	}
	return moved
}

func (h *heap[T]) down(i int) {
	for {
		least := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(h.items) && h.less(h.items[child], h.items[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		h.swap(i, least)
		i = least
	}
}

// queue hands jobs out in the order they came. A job that has left the state
// the queue is for is dropped when it reaches the front.
type queue struct {
	jobs []*Job
	head int
}

func (q *queue) push(j *Job) { q.jobs = append(q.jobs, j) }

// drop takes a job out that has left its place before its turn: it may come
// again.
func (q *queue) drop(j *Job) {
	for i := len(q.jobs) - 1; i >= q.head; i-- {
		if q.jobs[i] == j {
			q.jobs = append(q.jobs[:i], q.jobs[i+1:]...)
		}
	}
}

func (q *queue) front(waits func(*Job) bool) *Job {
	for q.head < len(q.jobs) {
		if j := q.jobs[q.head]; waits(j) {
			return j
		}
		q.pop()
	}
	return nil
}

func (q *queue) pop() {
	q.jobs[q.head] = nil
	if q.head++; q.head == len(q.jobs) {
		q.jobs, q.head = q.jobs[:0], 0
	}
}
