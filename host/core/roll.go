package core

// roll is a growing list of small records, each under a text id. A record has no
// pointer of its own, so millions of them cost the collector nothing; a full page
// never changes again and is sealed once.
type roll[R any] struct {
	pages  []*page[R]        // the pages still kept
	gone   int               // how many were kept before the first of them
	newest map[uint64]uint32 // by the hash of an id: one above the number of the newest record
}

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
	before uint32 // one above the number of the record before it with the same hash; 0: none
	id     uint16 // how many bytes of its text are the id
}

// pageRows is how many records make a page: enough that a million of them make
// 244 files of a checkpoint, few enough that the last page is written again at
// every checkpoint.
const pageRows = 4096

func newRoll[R any]() roll[R] { return roll[R]{newest: map[uint64]uint32{}} }

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
	p, key := l.pages[len(l.pages)-1], hashOf(id)
	p.texts = append(append(p.texts, id...), rest...)
	p.rows = append(p.rows, row[R]{record: record, end: uint32(len(p.texts)), before: l.newest[key], id: uint16(len(id))})
	p.last, p.fresh = now, true
	l.newest[key] = uint32(n) + 1
}

// find looks at the records under an id, newest first, until accept takes one.
func (l *roll[R]) find(id string, accept func(record *R, rest []byte) bool) bool {
	for n := int(l.newest[hashOf(id)]); n > l.gone*pageRows; {
		p, i := l.pages[(n-1)/pageRows-l.gone], (n-1)%pageRows
		if is, rest := p.text(i); string(is) == id && accept(&p.rows[i].record, rest) {
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
		for i := range l.pages[0].rows {
			id, _ := l.pages[0].text(i)
			if key := hashOf(string(id)); int(l.newest[key]) == l.gone*pageRows+i+1 {
				delete(l.newest, key)
			}
		}
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

// hashOf is FNV-1a. Two ids with one hash are told apart by their texts.
func hashOf(id string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	return h
}
