package host

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
	"github.com/omega-run/omega/host/projection"
)

// LogOptions choose entries of a journal.
type LogOptions struct {
	From   uint64
	Events []string // only entries with one of these; nil is all
	Follow bool     // wait for more
	Spell  bool     // spell transfers out
}

// LoggedEntry is one entry as it is shown.
type LoggedEntry struct {
	line  journal.Line
	lines []byte                  // what people read of it
	moved []projection.TransferOf // nil unless asked for
}

// Log hands over entries of a journal in order. The state they are read
// against is replayed from the beginning.
func Log(ctx context.Context, data string, o LogOptions, show func(*LoggedEntry) error) error {
	view, err := journal.Read(journal.Options{Dir: journalDir(data)})
	if err != nil {
		return err
	}
	cursor := view.Cursor(1)
	if o.Follow {
		cursor = view.Follow(1)
	}
	defer cursor.Close()
	state, set, teller := core.New(), projection.New(""), projection.NewTeller()
	var moved []projection.TransferOf
	if o.Spell {
		set.EachTransfer(func(t projection.TransferOf) { moved = append(moved, t) })
	}
	for {
		line, err := cursor.Next(ctx)
		if errors.Is(err, io.EOF) || errors.Is(err, context.Canceled) {
			return nil
		}
		if err != nil {
			return err
		}
		entry, err := parseEntry(line)
		if err != nil {
			return err
		}
		state.Replay(entry)
		moved = nil
		set.Apply(state, entry, line.Digest())
		told := teller.AppendLines(nil, state, entry, o.Events)
		if line.Seq < o.From || !o.wants(entry) {
			continue
		}
		if err := show(&LoggedEntry{line, told, moved}); err != nil {
			return err
		}
	}
}

func (o LogOptions) wants(e *core.Entry) bool {
	if len(o.Events) == 0 {
		return true
	}
	return slices.ContainsFunc(e.Events, func(event core.Event) bool { return slices.Contains(o.Events, event.Name()) })
}

// JSON is the line as it stands in the journal with `digest` added and, if
// asked for, `transfers`: every movement with its id, unit, accounts and amount.
func (l *LoggedEntry) JSON() []byte {
	digest := l.line.Digest()
	out := append([]byte(nil), l.line.Bytes[:len(l.line.Bytes)-1]...)
	if l.moved != nil {
		moved, err := json.Marshal(l.moved)
		if err != nil {
			panic("host: a transfer is not JSON: " + err.Error())
		}
		out = append(append(out, `,"transfers":`...), moved...)
	}
	out = append(out, `,"digest":"`...)
	out = hex.AppendEncode(out, digest[:])
	return append(out, '"', '}')
}

// Lines are what people read of the entry, each with the entry's number.
func (l *LoggedEntry) Lines() []byte { return l.lines }

// Compare says in a sentence where two journals first differ, "" if they are
// the same.
func Compare(data, expected string) (string, error) {
	a, err := journal.Read(journal.Options{Dir: journalDir(data)})
	if err != nil {
		return "", err
	}
	b, err := journal.Read(journal.Options{Dir: journalDir(expected)})
	if err != nil {
		return "", err
	}
	x, y := a.Cursor(1), b.Cursor(1)
	defer x.Close()
	defer y.Close()
	for seq := uint64(1); ; seq++ {
		is, err := x.Next(context.Background())
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		was, other := y.Next(context.Background())
		if other != nil && !errors.Is(other, io.EOF) {
			return "", other
		}
		switch {
		case err != nil && other != nil:
			return "", nil
		case err != nil:
			return difference(seq, "nothing: the run is shorter", string(was.Bytes)), nil
		case other != nil:
			return difference(seq, string(is.Bytes), "nothing: the run is longer"), nil
		case string(is.Bytes) != string(was.Bytes):
			return difference(seq, string(is.Bytes), string(was.Bytes)), nil
		}
	}
}

func difference(seq uint64, is, was string) string {
	const most = 2000
	if len(is) > most {
		is = is[:most] + "…"
	}
	if len(was) > most {
		was = was[:most] + "…"
	}
	return "the first entry that differs is " + strconv.FormatUint(seq, 10) + "\n  is        " + is + "\n  expected  " + was
}
