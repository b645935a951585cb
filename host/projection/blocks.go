package projection

import (
	"bytes"
)

// blocks hold lines in pieces of memory that are never moved and are used again:
// a long history costs what is written to it, not what it has become.
type blocks struct {
	all   []block // oldest first
	spare [][]byte
	size  func([]byte) int // of the first line; nil where a newline ends it
}

type block struct {
	bytes []byte
	from  int // what is before it has been cut
	lines int64
}

const (
	firstBlock = 4 << 10
	mostBlock  = 64 << 10
)

func (b *blocks) add(line []byte) {
	last := len(b.all) - 1
	if last < 0 || cap(b.all[last].bytes)-len(b.all[last].bytes) < len(line) {
		b.all = append(b.all, block{bytes: b.fresh(len(line))})
		last++
	}
	b.all[last].bytes = append(b.all[last].bytes, line...)
	b.all[last].lines++
}

func (b *blocks) fresh(least int) []byte {
	if n := len(b.spare) - 1; n >= 0 && cap(b.spare[n]) >= least {
		bytes := b.spare[n]
		b.spare = b.spare[:n]
		return bytes
	}
	size := firstBlock
	if n := len(b.all); n > 0 {
		size = min(2*cap(b.all[n-1].bytes), mostBlock)
	}
	return make([]byte, 0, max(size, least))
}

// cut takes the oldest lines away.
func (b *blocks) cut(lines int64) {
	gone := 0
	for ; gone < len(b.all) && lines >= b.all[gone].lines; gone++ {
		lines -= b.all[gone].lines
		b.free(&b.all[gone])
	}
	b.all = b.all[:copy(b.all, b.all[gone:])]
	for ; lines > 0; lines-- {
		first := &b.all[0]
		first.from += b.sizeOf(first.bytes[first.from:])
		first.lines--
	}
}

func (b *blocks) sizeOf(line []byte) int {
	if b.size != nil {
		return b.size(line)
	}
	return bytes.IndexByte(line, '\n') + 1
}

func (b *blocks) free(one *block) {
	if cap(one.bytes) <= mostBlock {
		b.spare = append(b.spare, one.bytes[:0])
	}
	one.bytes = nil
}

func (b *blocks) clear() {
	for i := range b.all {
		b.free(&b.all[i])
	}
	b.all = b.all[:0]
}

// each yields the bytes in order.
func (b *blocks) each(yield func([]byte) bool) {
	for i := range b.all {
		if !yield(b.all[i].bytes[b.all[i].from:]) {
			return
		}
	}
}
