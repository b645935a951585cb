package host

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
)

// nextEntry reads one entry from a cursor over what is there already.
func nextEntry(c *journal.Cursor) (*core.Entry, error) {
	line, err := c.Next(context.Background())
	if err != nil {
		return nil, err
	}
	return parseEntry(line)
}

// pastOf reads single entries of a journal, once they are durable.
func pastOf(j *journal.Journal) func(core.Seq) (*core.Entry, error) {
	return func(seq core.Seq) (*core.Entry, error) {
		cursor := j.Cursor(uint64(seq))
		defer cursor.Close()
		return nextEntry(cursor)
	}
}

func parseEntry(line journal.Line) (*core.Entry, error) {
	entry, err := core.ParseEntry(line.Bytes)
	if err != nil {
		return nil, fmt.Errorf("reading the journal: %w", err)
	}
	return entry, nil
}

// eachEntry hands over every entry of a journal with its digest.
func eachEntry(view *journal.View, do func(*core.Entry, core.Digest) error) error {
	return eachLine(view, func(line journal.Line) error {
		entry, err := parseEntry(line)
		if err != nil {
			return err
		}
		return do(entry, line.Digest())
	})
}

// Identity is who the mission in a data folder is, from its first entry alone:
// an order must not wait until a long journal has been read.
func Identity(data string) (core.MissionCreated, error) {
	f, err := os.Open(filepath.Join(journalDir(data), "00000001.jsonl"))
	if err != nil {
		return core.MissionCreated{}, fmt.Errorf("%s holds no mission: %w", data, err)
	}
	defer f.Close()
	lines := bufio.NewReaderSize(f, 64<<10)
	var line []byte
	for range 2 { // the header, then genesis
		if line, err = lines.ReadBytes('\n'); err != nil || len(line) > journal.MaxEntry {
			return core.MissionCreated{}, fmt.Errorf("%s holds no mission yet", data)
		}
	}
	entry, err := core.ParseEntry(line[:len(line)-1])
	if err != nil {
		return core.MissionCreated{}, err
	}
	for _, event := range entry.Events {
		if created, ok := event.(*core.MissionCreated); ok {
			return *created, nil
		}
	}
	return core.MissionCreated{}, fmt.Errorf("%s does not begin with genesis", data)
}

// LastDurable is the last entry that the journal of a data folder says is
// durable, without reading it.
func LastDurable(data string) uint64 { return journal.DurableSeq(journalDir(data)) }

// Acknowledgement is the answer to an order.
type Acknowledgement struct {
	ID       string `json:"id"`
	Accepted bool   `json:"accepted"`
	Refusal  string `json:"refusal"`
	Detail   string `json:"detail,omitempty"`
	Seq      uint64 `json:"seq"`     // of the entry that answers; 0 while pending
	Pending  bool   `json:"pending"` // recorded in the control stream, not taken yet
}

// WaitForOrder follows the journal until an order is acknowledged. From is the
// last entry that is known not to answer it.
func WaitForOrder(ctx context.Context, data, id string, from uint64) (Acknowledgement, error) {
	view, err := journal.Read(journal.Options{Dir: journalDir(data)})
	if err != nil {
		return Acknowledgement{}, err
	}
	cursor := view.Follow(from + 1)
	defer cursor.Close()
	for {
		line, err := cursor.Next(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			return Acknowledgement{ID: id, Pending: true}, nil
		}
		if err != nil {
			return Acknowledgement{}, err
		}
		entry, err := parseEntry(line)
		if err != nil {
			return Acknowledgement{}, err
		}
		for _, event := range entry.Events {
			if o, ok := event.(*core.OrderTaken); ok && o.ID == id {
				return Acknowledgement{ID: id, Accepted: o.Refusal == "", Refusal: o.Refusal, Detail: o.Detail, Seq: line.Seq}, nil
			}
		}
	}
}
