package host

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
)

// Watcher is told of every durable entry with the state after it, and with no
// entry when none came for a quarter of a second, and at least once when all
// that was there at first has been told. It runs on a reader's goroutine, so it
// cannot slow the loop. The state may be looked at while it is told, and after
// the run has ended.
type Watcher func(*core.State, *core.Entry)

// watchEvery is how long a watcher waits to hear that nothing has happened.
const watchEvery = time.Second / 4

// Watch follows the journal in a data folder, whether a host runs the mission
// or not, until the mission has ended or ctx is over. It reads only.
func Watch(ctx context.Context, data string, watch Watcher) error {
	view, err := journal.Read(journal.Options{Dir: journalDir(data)})
	if err != nil {
		return err
	}
	cursor, state := view.Follow(1), core.New()
	defer cursor.Close()
	there := view.Recovery().Seq
	for {
		wait, stop := context.WithTimeout(ctx, watchEvery)
		line, err := cursor.Next(wait)
		stop()
		switch {
		case ctx.Err() != nil || errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, context.DeadlineExceeded):
			watch(state, nil)
			continue
		case err != nil:
			return err
		}
		entry, err := parseEntry(line)
		if err != nil {
			return err
		}
		state.Replay(entry)
		watch(state, entry)
		if line.Seq < there {
			continue
		}
		ended := state.Status() == core.Ended
		if ended || line.Seq == there {
			watch(state, nil)
		}
		if ended {
			return nil
		}
	}
}
