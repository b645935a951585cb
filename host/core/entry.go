package core

import (
	"fmt"
)

// Input is what wants something of the mission.
type Input struct {
	ID      string // the sender's, "" where it has none
	At      Time
	Wall    string // RFC 3339 with three decimals, UTC; carried, never read
	By      string // owner, host, mission, worker:<id>, council
	Prev    Digest // of the entry before
	Command Command
}

// Entry is one line of the journal.
type Entry struct {
	Seq     Seq
	At      Time
	Wall    string
	By      string
	ID      string
	Command Command
	Events  []Event
	Refusal *Refusal
	Prev    Digest
}

// Refusal says why an input had no effect. Codes are a closed list.
type Refusal struct {
	Code   RefusalCode
	Detail string
}

func (r *Refusal) Error() string {
	if r.Detail == "" {
		return string(r.Code)
	}
	return string(r.Code) + ": " + r.Detail
}

func (r *Refusal) fields(c *Codec) {
	c.Text("code", (*string)(&r.Code))
	c.Text("detail", &r.Detail)
}

// AppendBody appends the members of the entry that stand between seq and prev.
func (e *Entry) AppendBody(dst []byte) []byte {
	c := Codec{buf: dst}
	c.key("at")
	c.buf = appendInt(c.buf, int64(e.At))
	c.key("wall")
	c.buf = AppendString(c.buf, e.Wall)
	c.Text("by", &e.By)
	c.key("input")
	c.buf = append(c.buf, `{"command":"`...)
	c.buf = append(c.buf, e.Command.Name()...)
	c.buf = append(c.buf, '"')
	c.Text("id", &e.ID)
	e.Command.fields(&c)
	c.buf = append(c.buf, '}')
	if e.Refusal != nil {
		c.key("refusal")
		c.nested(e.Refusal)
		return c.buf
	}
	c.key("events")
	c.buf = append(c.buf, '[')
	for i, event := range e.Events {
		if i > 0 {
			c.buf = append(c.buf, ',')
		}
		c.buf = append(c.buf, `{"type":"`...)
		c.buf = append(c.buf, event.Name()...)
		c.buf = append(c.buf, '"')
		event.fields(&c)
		c.buf = append(c.buf, '}')
	}
	c.buf = append(c.buf, ']')
	return c.buf
}

// ParseEntry reads one line of the journal. The frame (seq, prev, crc) has been
// checked by whoever read it; here it only has to be in its place.
func ParseEntry(line []byte) (*Entry, error) {
	e := &Entry{}
	c := Codec{buf: line, reading: true}
	c.expect('{')
	c.Seq("seq", &e.Seq)
	integer(&c, "at", &e.At)
	c.Text("wall", &e.Wall)
	c.Text("by", &e.By)
	if !c.has("input") {
		c.fail("expected member input")
	}
	e.parseInput(&c)
	if c.has("refusal") {
		e.Refusal = new(Refusal)
		c.nested(e.Refusal)
	} else if c.has("events") {
		e.parseEvents(&c)
	}
	c.Hex("prev", e.Prev[:])
	if c.err != nil {
		return nil, fmt.Errorf("entry %d: %w", e.Seq, c.err)
	}
	return e, nil
}

func (e *Entry) parseInput(c *Codec) {
	outer := c.comma
	c.comma = false
	c.expect('{')
	name := c.word("command")
	if e.Command = newCommand(string(name)); e.Command == nil {
		c.fail("unknown command " + string(name) + ": written by a newer omega")
		return
	}
	c.Text("id", &e.ID)
	e.Command.fields(c)
	c.expect('}')
	c.comma = outer
}

func (e *Entry) parseEvents(c *Codec) {
	outer := c.comma
	c.expect('[')
	e.Events = make([]Event, 0, usualEvents)
	for c.err == nil && len(c.buf) > 0 && c.buf[0] != ']' {
		c.comma = false
		c.expect('{')
		name := c.word("type")
		event := newEvent(string(name))
		if event == nil {
			c.fail("unknown event " + string(name) + ": written by a newer omega")
			return
		}
		event.fields(c)
		c.expect('}')
		e.Events = append(e.Events, event)
		if len(c.buf) > 0 && c.buf[0] == ',' {
			c.buf = c.buf[1:]
		}
	}
	c.expect(']')
	c.comma = outer
}
