package host

import (
	"slices"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
	"github.com/omega-run/omega/host/projection"
)

// news are the newest happenings of a mission, for strategists.
type news struct{ kept []happening }

// happening is something that has happened, as a strategist is told of it.
type happening struct {
	line  projection.LogLine
	state core.JobState // of a job's end
}

// maxNews bounds what a strategist is told at once, and what is kept for it.
const maxNews = 64

// noNews are events that are no happening: they are nobody's doing, or a
// strategist's own.
var noNews = []string{"clock_advanced", "checkpointed", "host_started", "host_left", "plan_recorded", "prices_set", "input_refused", "verdict_given"}

// add takes what an entry tells. The state is the one after it.
func (n *news) add(s *core.State, e *core.Entry) {
	projection.Tell(s, e, func(line projection.LogLine) {
		if slices.Contains(noNews, line.Event) {
			return
		}
		h := happening{line: line}
		for _, event := range e.Events {
			if end, ok := event.(*core.JobEnded); ok && line.Event == end.Name() && end.Job == line.Job {
				h.state = end.State
			}
		}
		if len(n.kept) == 2*maxNews {
			n.kept = append(n.kept[:0], n.kept[maxNews:]...)
		}
		n.kept = append(n.kept, h)
	})
}

// appendTo writes what has happened after an entry, the newest last.
func (n *news) appendTo(p *pen, after core.Seq) {
	told := n.kept[max(0, len(n.kept)-maxNews):]
	from, _ := slices.BinarySearchFunc(told, after+1, func(h happening, seq core.Seq) int { return int(h.line.Seq) - int(seq) })
	p.raw("[")
	for i, h := range told[from:] {
		p.comma(i)
		p.int(`{"at":`, int64(h.line.At))
		p.text(`,"event":`, h.line.Event)
		p.text(`,"job":`, h.line.Job)
		p.int(`,"seq":`, int64(h.line.Seq))
		p.text(`,"state":`, string(h.state))
		p.text(`,"text":`, h.line.Message)
		p.raw("}")
	}
	p.raw("]")
}

// recalled is how many entries are looked through for what happened before this
// host.
const recalled = 512

// recall takes up what the end of the journal tells. The state is the one after
// it: of a job that has ended only the id is left.
func (n *news) recall(s *core.State, j *journal.Journal) error {
	last, _ := j.Head()
	if len(s.Spec().Strategists) == 0 || last == 0 {
		return nil
	}
	from := uint64(1)
	if last > recalled {
		from = last - recalled + 1
	}
	cursor := j.Cursor(from)
	defer cursor.Close()
	for range last - from + 1 {
		e, err := nextEntry(cursor)
		if err != nil {
			return err
		}
		n.add(s, e)
	}
	return nil
}
