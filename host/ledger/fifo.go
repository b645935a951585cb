package ledger

// fifo is a queue that also gives up its newest item, which undoing needs. The zero value is empty.
type fifo[T any] struct {
	items []T
	head  int // items before it are gone
}

func (q *fifo[T]) len() int { return len(q.items) - q.head }

func (q *fifo[T]) push(item T) { q.items = append(q.items, item) }

// at is the item i places behind the oldest.
func (q *fifo[T]) at(i int) T { return q.items[q.head+i] }

// pop removes the oldest item. The space before it is reclaimed when it is half of the whole, so a
// pop costs a constant on average.
func (q *fifo[T]) pop() T {
	var none T
	item := q.items[q.head]
	q.items[q.head] = none
	q.head++
	if q.head*2 >= len(q.items) {
		kept := copy(q.items, q.items[q.head:])
		clear(q.items[kept:])
		q.items, q.head = q.items[:kept], 0
	}
	return item
}

// unpush removes the newest item.
func (q *fifo[T]) unpush() {
	var none T
	last := len(q.items) - 1
	q.items[last] = none
	q.items = q.items[:last]
}
