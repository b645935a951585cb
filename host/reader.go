package host

import (
	"context"
	"errors"
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
	mute   bool
	set    *projection.Set
	cancel context.CancelFunc
	done   chan error
	j      *journal.Journal
	tail   *tail
	watch  Watcher
}

// flushEvery is how often snapshots are written while entries come.
const flushEvery = time.Second

// startReader follows a journal; entries after told are told as lines.
func startReader(j *journal.Journal, t *tail, status string, lines io.Writer, watch Watcher, told uint64, log *slog.Logger) *reader {
	ctx, cancel := context.WithCancel(context.Background())
	r := &reader{set: projection.New(status), cancel: cancel, done: make(chan error, 1), j: j, tail: t, watch: watch}
	go func() {
		err := r.run(ctx, lines, told)
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
	cursor := &entryCursor{journal: r.j, tail: r.tail}
	defer cursor.close()
	state, flushed := core.New(), time.Now()
	for {
		wait, stop := context.WithTimeout(ctx, r.rest())
		end, err := r.follow(wait, cursor, state, lines, told)
		stop()
		switch closing := ctx.Err() != nil; {
		case err != nil:
			return err
		case closing:
			return r.finish(cursor, state, lines, told)
		case !errors.Is(end, context.DeadlineExceeded):
			return end
		}
		r.tell(state, nil)
		if uint64(state.Seq()) < told || time.Since(flushed) < flushEvery { // never back to what is past
			continue
		}
		flushed = time.Now()
		if err := r.set.Flush(); err != nil {
			return err
		}
	}
}

// rest is how long the reader waits for entries before it does something else.
func (r *reader) rest() time.Duration {
	if r.watch != nil {
		return watchEvery
	}
	return flushEvery
}

func (r *reader) tell(state *core.State, entry *core.Entry) {
	if r.watch != nil {
		r.watch(state, entry)
	}
}

// follow takes entries as they come, and returns why no more did.
func (r *reader) follow(ctx context.Context, cursor *entryCursor, state *core.State, lines io.Writer, told uint64) (end, err error) {
	for {
		entry, digest, end := cursor.next(ctx)
		if end != nil {
			return end, nil
		}
		if err := r.take(state, entry, digest, lines, told); err != nil {
			return nil, err
		}
	}
}

// finish reads what is durable to its end and writes everything.
func (r *reader) finish(cursor *entryCursor, state *core.State, lines io.Writer, told uint64) error {
	for uint64(state.Seq()) < r.j.Durable() {
		entry, digest, err := cursor.next(context.Background())
		if err != nil {
			return err
		}
		if err := r.take(state, entry, digest, lines, told); err != nil {
			return err
		}
	}
	return r.set.Flush()
}

func (r *reader) take(state *core.State, entry *core.Entry, digest core.Digest, lines io.Writer, told uint64) error {
	state.Replay(entry)
	r.set.Apply(state, entry, digest)
	r.tell(state, entry)
	if lines != nil && !r.mute && uint64(entry.Seq) > told {
		_, err := lines.Write(projection.AppendLines(nil, state, entry))
		r.mute = err != nil // nobody listens any more: the artifacts are written all the same
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
