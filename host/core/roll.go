package core

import "slices"

// roll is a growing list of small records, each under a text id. A record has no
// pointer of its own, so millions of them cost the collector nothing; a full page
// never changes again and is sealed once.
type roll[R any] struct {
	pages  []*page[R]    // the pages still kept
	gone   int           // how many were kept before the first of them
	shards [shards]shard // find the newest record of an id, by the hash of the id
}

// shard is a part of an open hash table. Each grows by itself, so that no record
// is kept by the growth of a large table.
type shard struct {
	slots []uint32 // one above the number of a record; 0: free; of a page that is gone: as good as free
	taken int
}

const shards = 256

// page is a run of records, as many as pageRows.
type page[R any] struct {
	rows   []row[R]
	texts  []byte // the ids, and what stands behind each
	last   Time   // when the newest of its records came
	digest Digest // of its sealed form
	fresh  bool   // it has changed since it was sealed
}

type row[R any] struct {
	record R
	end    uint32 // of its text, in texts
	before uint32 // one above the number of the record before it under the same id; 0: none
	id     uint16 // how many bytes of its text are the id
}

// pageRows is how many records make a page: enough that a million of them make
// 244 files of a checkpoint, few enough that the last page is written again at
// every checkpoint.
const pageRows = 4096

// len counts every record there ever was.
func (l *roll[R]) len() int {
	if len(l.pages) == 0 {
		return l.gone * pageRows
	}
	return (l.gone+len(l.pages)-1)*pageRows + len(l.pages[len(l.pages)-1].rows)
}

// add appends a record with its id and what else is to be said of it.
func (l *roll[R]) add(id, rest string, now Time, record R) {
	n := l.len()
	if n%pageRows == 0 {
		l.pages = append(l.pages, &page[R]{})
	}
	p, slot := l.pages[len(l.pages)-1], l.slot(id)
	p.texts = append(append(p.texts, id...), rest...)
	p.rows = append(p.rows, row[R]{record: record, end: uint32(len(p.texts)), before: *slot, id: uint16(len(id))})
	p.last, p.fresh = now, true
	*slot = uint32(n) + 1
}

// slot is where the newest record of an id is noted: a free one that counts as
// taken from now on, if there is none.
func (l *roll[R]) slot(id string) *uint32 {
	s, hash := &l.shards[hashOf(id)%shards], hashOf(id)/shards
	if 4*s.taken >= 3*len(s.slots) {
		l.grow(s)
	}
	for i := hash; ; i++ {
		slot := &s.slots[i%uint64(len(s.slots))]
		if *slot == 0 {
			s.taken++
			return slot
		}
		if l.is(*slot, id) {
			return slot
		}
	}
}

// grow makes room in a shard, and leaves behind what is gone.
func (l *roll[R]) grow(s *shard) {
	kept := slices.DeleteFunc(s.slots, func(n uint32) bool { return int(n) <= l.gone*pageRows })
	s.slots, s.taken = make([]uint32, max(8, 2*len(kept))), len(kept)
	for _, n := range kept {
		id, _ := l.pages[(int(n)-1)/pageRows-l.gone].text((int(n) - 1) % pageRows)
		i := hashOf(string(id)) / shards
		for s.slots[i%uint64(len(s.slots))] != 0 {
			i++
		}
		s.slots[i%uint64(len(s.slots))] = n
	}
}

// is reports whether a slot's record has this id.
func (l *roll[R]) is(n uint32, id string) bool {
	if int(n) <= l.gone*pageRows {
		return false
	}
	text, _ := l.pages[(int(n)-1)/pageRows-l.gone].text((int(n) - 1) % pageRows)
	return string(text) == id
}

// newest is one above the number of the newest record of an id, 0 for none.
func (l *roll[R]) newest(id string) uint32 {
	s, hash := &l.shards[hashOf(id)%shards], hashOf(id)/shards
	for i := hash; len(s.slots) > 0; i++ {
		n := s.slots[i%uint64(len(s.slots))]
		if n == 0 || l.is(n, id) {
			return n
		}
	}
	return 0
}

// find looks at the records under an id, newest first, until accept takes one.
func (l *roll[R]) find(id string, accept func(record *R, rest []byte) bool) bool {
	for n := int(l.newest(id)); n > l.gone*pageRows; {
		p, i := l.pages[(n-1)/pageRows-l.gone], (n-1)%pageRows
		if _, rest := p.text(i); accept(&p.rows[i].record, rest) {
			return true
		}
		n = int(p.rows[i].before)
	}
	return false
}

// text is the id of row i and what stands behind it.
func (p *page[R]) text(i int) (id, rest []byte) {
	start := uint32(0)
	if i > 0 {
		start = p.rows[i-1].end
	}
	text := p.texts[start:p.rows[i].end]
	return text[:p.rows[i].id], text[p.rows[i].id:]
}

// forget drops full pages whose newest record came before an instant.
func (l *roll[R]) forget(before Time) {
	for len(l.pages) > 0 && len(l.pages[0].rows) == pageRows && l.pages[0].last < before {
		l.pages[0] = nil
		l.pages, l.gone = l.pages[1:], l.gone+1
	}
}

// full is the page that was filled last, nil if it is sealed.
func (l *roll[R]) full() *page[R] {
	for i := len(l.pages) - 1; i >= max(0, len(l.pages)-2); i-- {
		if p := l.pages[i]; p.fresh && len(p.rows) == pageRows {
			return p
		}
	}
	return nil
}

// sealed notes of which sealed form the last page was made.
func (l *roll[R]) sealed(sum Digest) {
	if len(l.pages) > 0 {
		p := l.pages[len(l.pages)-1]
		p.digest, p.fresh = sum, false
	}
}

// hashOf is FNV-1a.
func hashOf(id string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	return h
}
