package projection

import (
	"strconv"

	"github.com/omega-run/omega/host/core"
)

// LogLine is a line of structured-log.jsonl: something worth telling people,
// and what they are told.
type LogLine struct {
	Seq     core.Seq  `json:"seq"` // the entry it stands in
	At      core.Time `json:"at"`
	Level   Level     `json:"level"`         // info, warning or error
	Event   string    `json:"event"`         // an event's name, or input_refused
	Job     string    `json:"job,omitempty"` // id of the job it concerns
	Message string    `json:"message"`       // one line, in plain words

	quiet bool // told only to whom it matters
}

// append writes the line as JSON, with its newline.
func (l *LogLine) append(dst []byte) []byte {
	dst = append(dst, `{"seq":`...)
	dst = strconv.AppendUint(dst, uint64(l.Seq), 10)
	dst = append(dst, `,"at":`...)
	dst = strconv.AppendInt(dst, int64(l.At), 10)
	dst = append(dst, `,"level":"`...)
	dst = append(dst, l.Level...)
	dst = append(dst, `","event":"`...)
	dst = append(dst, l.Event...)
	if l.Job != "" {
		dst = append(dst, `","job":`...)
		dst = core.AppendString(dst, l.Job)
		dst = append(dst, `,"message":`...)
	} else {
		dst = append(dst, `","message":`...)
	}
	dst = core.AppendString(dst, l.Message)
	return append(dst, '}', '\n')
}

// Tell calls yield for everything in an entry that is worth telling people. The
// state is the one after the entry.
func Tell(s *core.State, e *core.Entry, yield func(LogLine)) {
	line := LogLine{Seq: e.Seq, At: e.At}
	if e.Refusal != nil {
		line.Level, line.Event = Warning, eventRefused
		line.Job, line.Message = refusedSentence(s, e)
		yield(line)
		return
	}
	for _, event := range e.Events {
		if line.Level, line.Message = sentence(s, e, event); line.Level != silent {
			line.Event, line.Job = event.Name(), jobOf(event)
			yield(line)
		}
	}
}

// AppendLines appends the progress lines of an entry, "00:01:02  swarm[0]
// assigned to …", one for everything worth telling.
func AppendLines(dst []byte, s *core.State, e *core.Entry) []byte {
	Tell(s, e, func(l LogLine) {
		dst = append(dst, l.At.Clock()...)
		dst = append(dst, ' ', ' ')
		dst = append(dst, l.Message...)
		dst = append(dst, '\n')
	})
	return dst
}
