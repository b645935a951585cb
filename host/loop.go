package host

import (
	"errors"
	"fmt"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
	"github.com/omega-run/omega/host/missionfile"
)

// loop owns the state. Everything that wants something of the mission comes
// through apply; nothing else steps the core or appends to the journal.
type loop struct {
	state   *core.State
	journal *journal.Journal
	desk    *desk
	wall    func(core.Time) string                                   // what a line carries beside its mission time
	follow  func(*core.State, *core.Entry, core.Digest)              // a rehearsal's projections; nil when they have a cursor
	thinks  func(job string) bool                                    // whether the host itself owes a job an answer; nil where it never does
	gate    gate                                                     // before the loop, for votes from outside; it learns the keys from here
	tail    *tail                                                    // of a live run, for its readers; nil in a rehearsal
	save    func(point journal.Checkpoint, fresh []core.Chunk) error // takes a checkpoint that has been recorded
	fresh   []core.Chunk                                             // sealed since the last checkpoint
	held    *candidate                                               // the edit that waits for the owner; nil where the record has one that is not on disk
	broken  map[core.Digest]bool                                     // mission files that could not be used and are recorded as refused
	added   additions                                                // what the last edit has to post
}

// apply stamps an input, steps the core and records what happened. The entry is
// not durable yet.
func (l *loop) apply(now core.Time, by string, command core.Command) (*core.Entry, error) {
	_, prev := l.journal.Head()
	entry := &core.Entry{At: now, Wall: l.wall(now), By: by, Command: command, Prev: prev}
	entry.Events, entry.Refusal = l.state.Step(&core.Input{At: now, Wall: entry.Wall, By: by, Prev: prev, Command: command})
	entry.Seq = l.state.Seq()
	size := 0
	seq, digest, err := l.journal.Append(func(dst []byte) []byte {
		line := entry.AppendBody(dst)
		size = len(line) - len(dst)
		return line
	})
	if err != nil {
		return nil, fmt.Errorf("recording entry %d: %w", entry.Seq, err)
	}
	if core.Seq(seq) != entry.Seq {
		panic(fmt.Sprintf("host: the journal is at entry %d, the state at %d", seq, entry.Seq))
	}
	if l.tail != nil && size <= tailBytes {
		l.tail.put(entry, digest)
	}
	if l.follow != nil {
		l.follow(l.state, entry, digest)
	}
	l.gate.follow(l.state)
	l.desk.missions.follow(l.state, entry)
	l.desk.follow(l.state, entry)
	l.desk.reconcile(l.state)
	l.state.SealFull(l.keep)
	return entry, l.desk.broken
}

// maxRounds bounds how much one turn settles before the loop looks at its inbox
// again.
const maxRounds = 64

// settle does everything that is due at an instant: answers in the order of
// their work ids, then timers, until nothing is left or the turn is over. It
// reports whether something is left.
func (l *loop) settle(now core.Time) (more bool, err error) {
	for range maxRounds {
		now = l.standing(now)
		at := now
		if due, ok := l.overdue(now); ok {
			at = due
		}
		busy, err := l.settleOnce(at)
		if err != nil || !busy && at == now { // an answer nobody wants any more leaves an instant without anything to do
			return false, err
		}
	}
	return true, nil
}

// deadline is when something happens by itself, unless it would happen to a job
// the host itself owes an answer: how fast this machine thinks is wall time, and
// no reason to close a window.
func (l *loop) deadline() (core.Time, bool) {
	due, ok := l.state.NextDeadline()
	if j, at := l.state.DueJob(); ok && j != nil && at <= due && l.thinks != nil && l.thinks(j.Spec.ID) {
		return 0, false
	}
	return due, ok
}

// overdue is the first instant before now at which something was due. A loop
// that comes late, because the machine slept, takes what it missed in the order
// of mission time: work that was done before its deadline was in time.
func (l *loop) overdue(now core.Time) (core.Time, bool) {
	due, ok := l.deadline()
	if len(l.desk.replies) > 0 && (!ok || l.desk.replies[0].at < due) {
		due, ok = l.desk.replies[0].at, true
	}
	return max(due, l.state.Now()), ok && due < now
}

// standing is the instant until which mission time has run by now: what was
// caught up with may have stopped it.
func (l *loop) standing(now core.Time) core.Time {
	switch l.state.Status() {
	case core.Running, core.Stopping:
		return now
	}
	return min(now, l.state.Now())
}

// catchUp settles what was due before now.
func (l *loop) catchUp(now core.Time) error {
	for {
		due, ok := l.overdue(now)
		if !ok {
			return nil
		}
		if _, err := l.settleOnce(due); err != nil {
			return err
		}
	}
}

func (l *loop) settleOnce(now core.Time) (busy bool, err error) {
	if from, ok := l.state.ExpandFrom(); ok {
		return true, l.expand(now, from)
	}
	if answers := l.desk.due(now); len(answers) > 0 {
		for _, a := range answers {
			if !l.desk.wanted(a) || l.desk.heldBack(l.state, a) {
				continue
			}
			if _, err := l.apply(now, a.by, a.command); err != nil {
				return true, err
			}
		}
		return true, nil
	}
	if due, ok := l.deadline(); ok && due <= now {
		_, err := l.apply(now, "mission", &core.Tick{})
		return true, err
	}
	if due, ok := l.state.CheckpointDue(); ok && due <= now {
		return true, l.seal(now)
	}
	return false, nil
}

// Bounds of one expansion entry (docs/journal.md).
const (
	maxExpand      = 1000
	maxExpandBytes = 1 << 20
)

// expand posts the next instances the mission file declares.
func (l *loop) expand(now core.Time, from int64) error {
	mission, err := l.desk.missions.current(l.state)
	if err != nil {
		return err
	}
	generation := l.state.Generation()
	jobs, next, problem := l.toPost(mission, generation, from)
	if problem != nil {
		return fmt.Errorf("posting the declared jobs: %s", problem.Detail)
	}
	for i := range jobs {
		jobs[i].Generation = generation
	}
	_, err = l.apply(now, "mission", &core.Expand{Generation: generation, Next: next, Jobs: jobs})
	return err
}

// toPost are the next instances to post, and the place from which to go on: of an
// edit only those it adds.
func (l *loop) toPost(mission *missionfile.Mission, generation, from int64) (jobs []core.JobSpec, next int64, problem *missionfile.Problem) {
	first, last, after := l.added.ahead(generation, from, mission.Spec().Instances)
	if first == last {
		return nil, after, nil
	}
	jobs, next, problem = mission.Expand(first, int(min(last-first, maxExpand)), maxExpandBytes)
	if next == last {
		next = after
	}
	return jobs, next, problem
}

// seal records a signed checkpoint of the state as it is.
func (l *loop) seal(now core.Time) error {
	digest, chunks := l.state.Seal(l.keep)
	seq, entry := l.journal.Head()
	command := &core.Checkpoint{Seq: core.Seq(seq), Entry: entry, State: digest}
	command.Signature = l.desk.keys.signCheckpoint(l.state.Mission().Mission, command)
	if _, err := l.apply(now, "host", command); err != nil {
		return err
	}
	if l.save == nil {
		return nil
	}
	point := journal.Checkpoint{Seq: seq, Digest: entry}
	for _, c := range chunks {
		point.Chunks = append(point.Chunks, c)
	}
	fresh := l.fresh
	l.fresh = nil
	return l.save(point, fresh)
}

// keep keeps a chunk for the next checkpoint that is saved.
func (l *loop) keep(c core.Chunk) {
	if l.save != nil {
		l.fresh = append(l.fresh, c)
	}
}

// next is the next instant at which something is due by itself.
func (l *loop) next() (core.Time, bool) {
	var due core.Time
	found := false
	for _, source := range [...]func() (core.Time, bool){l.deadline, l.state.CheckpointDue, l.desk.nextReply, l.nextSteward} {
		if t, ok := source(); ok && (!found || t < due) {
			due, found = t, true
		}
	}
	return due, found
}

// errStopped ends a run that the owner has stopped.
var errStopped = errors.New("the mission is stopped")

func (l *loop) head() core.Digest {
	_, digest := l.journal.Head()
	return digest
}
