package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
	"github.com/omega-run/omega/host/projection"
)

// reader follows the journal on a goroutine of its own, with its own state, and
// folds it into artifacts and progress lines. It cannot slow the loop.
type reader struct {
	set    *projection.Set
	cancel context.CancelFunc
	done   chan error
	j      *journal.Journal
}

// flushEvery is how often snapshots are written while entries come.
const flushEvery = time.Second

func startReader(j *journal.Journal, status string, lines io.Writer, log *slog.Logger) *reader {
	ctx, cancel := context.WithCancel(context.Background())
	r := &reader{set: projection.New(status), cancel: cancel, done: make(chan error, 1), j: j}
	from, _ := j.Head()
	go func() {
		err := r.run(ctx, lines, from)
		if err != nil {
			log.Warn("artifacts are no longer written", "error", err)
		}
		r.done <- err
	}()
	return r
}

// run reads until it is told to stop, and then to the end. Entries up to told
// were there before this host: they are not told again.
func (r *reader) run(ctx context.Context, lines io.Writer, told uint64) error {
	cursor := r.j.Cursor(1)
	defer cursor.Close()
	state, flushed := core.New(), time.Now()
	for {
		wait, stop := context.WithTimeout(ctx, flushEvery)
		line, err := cursor.Next(wait)
		stop()
		switch closing := ctx.Err() != nil; {
		case err == nil:
			if err := r.take(state, line, lines, told); err != nil {
				return err
			}
		case closing:
			return r.finish(cursor, state, lines, told)
		case !errors.Is(err, context.DeadlineExceeded):
			return err
		}
		if time.Since(flushed) >= flushEvery && uint64(state.Seq()) >= told { // never back to what is past
			if err := r.set.Flush(); err != nil {
				return err
			}
			flushed = time.Now()
		}
	}
}

// finish reads what is durable to its end and writes everything.
func (r *reader) finish(cursor *journal.Cursor, state *core.State, lines io.Writer, told uint64) error {
	for uint64(state.Seq()) < r.j.Durable() {
		line, err := cursor.Next(context.Background())
		if err != nil {
			return err
		}
		if err := r.take(state, line, lines, told); err != nil {
			return err
		}
	}
	return r.set.Flush()
}

func (r *reader) take(state *core.State, line journal.Line, lines io.Writer, told uint64) error {
	entry, err := core.ParseEntry(line.Bytes)
	if err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	state.Replay(entry)
	r.set.Apply(state, entry, line.Digest())
	if lines != nil && line.Seq > told {
		if _, err := lines.Write(projection.AppendLines(nil, state, entry)); err != nil {
			return fmt.Errorf("writing progress: %w", err)
		}
	}
	return nil
}

// close reads to the end and writes everything.
func (r *reader) close() error {
	head, _ := r.j.Head()
	if err := r.j.WaitDurable(context.Background(), head); err != nil {
		return err
	}
	r.cancel()
	return <-r.done
}
