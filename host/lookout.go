package host

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/omega-run/omega/host/missionfile"
)

// lookout watches the files of a mission while it runs. What it finds it reads
// and compares beside the loop, and offers to it: one candidate at a time, and
// never one that is not on the disk any more.
type lookout struct {
	path     string
	given    missionfile.Given
	except   string // the data folder
	say      io.Writer
	log      *slog.Logger
	asked    <-chan struct{} // to look now, and say what was found
	missions *missions
	keys     *Keys
	offer    func(context.Context, *candidate) *edit // nil once the host has ended

	trace *trace // of the last reading
	last  *edit  // what became of it
}

// run goes on until ctx ends.
func (l *lookout) run(ctx context.Context) {
	watch := newFolderWatch(l.log)
	defer watch.close()
	poll := time.NewTicker(pollFiles)
	defer poll.Stop()
	for ctx.Err() == nil {
		asked := false
		if !watch.follow(l.trace.folder(), l.trace.folders(l.except)) {
			select {
			case <-ctx.Done():
				return
			case <-l.asked:
				asked = true
			case e := <-watch.events():
				if !watch.matters(e) {
					continue
				}
			case err := <-watch.errors():
				l.log.Warn("changes of files may have been missed", "error", err)
			case <-poll.C:
				if !l.trace.changed() {
					continue
				}
			}
			watch.settle(ctx)
		}
		l.look(ctx, watch, asked)
	}
}

// look reads the mission again if anything of it has changed, until what was read
// is what lies on the disk, and offers it.
func (l *lookout) look(ctx context.Context, watch *folderWatch, asked bool) {
	if !asked && !l.trace.changed() {
		return
	}
	for tries := 0; ctx.Err() == nil; tries++ {
		generation, before := l.missions.inForce()
		seen := see(l.path, l.given)
		c := newCandidate(generation, before, seen.Reading, l.keys)
		if tries >= maxReadings {
			seen.trace.acceptUnread()
		}
		if (c.broken() || c.takesAway()) && l.moves(ctx, seen.trace) || seen.trace.changed() {
			watch.settle(ctx)
			continue
		}
		l.trace = seen.trace
		e := l.offer(ctx, c)
		if e != nil && e.Outcome == editStale {
			continue
		}
		if e != nil {
			l.told(e, asked)
		}
		return
	}
}

// maxReadings is how often a mission is read that does not seem to be what lies
// on the disk: a file that cannot be read as a source may well be there.
const maxReadings = 3

// moves reports whether a file that is broken, or lacks something, is still being
// written: it is given more time than others.
func (l *lookout) moves(ctx context.Context, t *trace) bool {
	select {
	case <-ctx.Done():
	case <-time.After(patience):
	}
	return t.changed()
}

// told says what became of an edit, once.
func (l *lookout) told(e *edit, asked bool) {
	was := l.last
	l.last = e
	switch {
	case e.Outcome == editNone && !asked && was.Outcome != editNone && was.Outcome != editApplied:
		fmt.Fprintf(l.say, "the mission is again the one in force, generation %d\n", e.Generation)
	case e.Outcome == editNone && !asked && e.Secrets:
		fmt.Fprintln(l.say, "the values of sensitive variables have been read again")
	case e.Outcome != editNone || asked:
		e.tell(l.say)
	}
}
