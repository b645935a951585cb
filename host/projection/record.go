package projection

import (
	"encoding/binary"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// A record is a message in short: its length in four bytes, then its members in
// a fixed order, numbers as varints, texts with their length before them.
const recordHead = 4

func recordSize(b []byte) int { return int(binary.LittleEndian.Uint32(b)) }

// closeRecord fills the length of a record in.
func closeRecord(record []byte) { binary.LittleEndian.PutUint32(record, uint32(len(record))) }

// head begins the records of an entry.
func (m *mesh) head(b []byte) []byte {
	b = append(b, 0, 0, 0, 0)
	b = appendInt(b, int64(m.seq))
	b = appendInt(b, int64(m.at))
	return appendText(b, m.wall)
}

// appendInt is a varint: one byte for the small ones.
func appendInt(b []byte, n int64) []byte {
	if n >= 0 && n < 64 {
		return append(b, byte(n<<1))
	}
	return binary.AppendVarint(b, n)
}

func appendText(b []byte, text string) []byte {
	return append(appendInt(b, int64(len(text))), text...)
}

func (one *message) append(b []byte) []byte {
	b = append(b, byte(one.about))
	b = appendText(b, one.event)
	b = appendText(b, one.job)
	b = appendText(b, one.text)
	b = appendText(b, one.other)
	b = appendInt(b, one.number)
	b = appendInt(b, one.a)
	b = appendInt(b, one.b)
	b = appendInt(b, int64(len(one.digest)))
	b = append(b, one.digest...)
	b = appendInt(b, int64(len(one.steps)))
	for i := range one.steps {
		b = append(b, byte(one.steps[i].Kind))
		b = appendInt(b, one.steps[i].Seat)
		b = appendInt(b, int64(one.steps[i].Amount))
	}
	b = appendInt(b, int64(len(one.seats)))
	for _, seat := range one.seats {
		b = appendInt(b, seat)
	}
	return b
}

// reader takes a record apart.
type reader struct{ b []byte }

func (r *reader) int() int64 {
	n, size := binary.Varint(r.b)
	r.b = r.b[size:]
	return n
}

func (r *reader) bytes() []byte {
	n := r.int()
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) text() string { return string(r.bytes()) }

func (one *message) read(r *reader) {
	one.about, r.b = subject(r.b[0]), r.b[1:]
	one.event, one.job, one.text, one.other = r.text(), r.text(), r.text(), r.text()
	one.number, one.a, one.b = r.int(), r.int(), r.int()
	one.digest = r.bytes()
	one.steps, one.seats = one.steps[:0], one.seats[:0]
	for range r.int() {
		kind := core.StepKind(r.b[0])
		r.b = r.b[1:]
		one.steps = append(one.steps, core.Step{Kind: kind, Seat: r.int(), Amount: ledger.Amount(r.int())})
	}
	for range r.int() {
		one.seats = append(one.seats, r.int())
	}
}
