package host

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/missionfile"
	"github.com/omega-run/omega/host/projection"
)

// edit is what became of a mission file that was looked at.
type edit struct {
	*candidate
	Outcome    editOutcome
	Generation int64 // in force now
	Refusal    *core.Refusal
	Secrets    bool     // it brings other values of sensitive variables
	seq        core.Seq // of the entry that says so, 0 if none does
}

// editOutcome says what became of an edit.
type editOutcome string

const (
	editApplied editOutcome = "applied"
	editRefused editOutcome = "refused" // by the record
	editBroken  editOutcome = "broken"
	editHeld    editOutcome = "held"  // it takes something away, and waits for the owner
	editNone    editOutcome = "none"  // it is what is in force
	editStale   editOutcome = "stale" // another one came before it
)

// tell says what became of an edit.
func (e *edit) tell(w io.Writer) {
	switch e.Outcome {
	case editApplied:
		fmt.Fprintf(w, "generation %d is in force: %s\n", e.Generation, e.differs())
		_ = e.reading.Problems.Print(w, false)
	case editRefused:
		fmt.Fprintf(w, "%s, and the change is not in force: %s\n", e.differs(), e.Refusal.Error())
	case editHeld:
		fmt.Fprintf(w, "%s, and the change waits for you: it would remove %s; `omega apply` puts it in force, reload { allow_removals = true } always does\n", e.differs(), losses(e.next.Removes, e.next.Drains))
	case editBroken:
		_ = e.reading.Problems.Print(w, false)
		fmt.Fprintf(w, "the mission is broken as it lies on the disk: the recorded generation stays in force\n")
	case editNone:
		fmt.Fprintf(w, "the mission is the one in force, generation %d\n", e.Generation)
	}
}

// differs names the files that an edit changes, or says what else it is.
func (e *edit) differs() string {
	if len(e.files) == 0 {
		return "variables have other values"
	}
	return projection.HaveChanged(e.files)
}

// losses are what an edit takes away, in words.
func losses(jobs, members []string) string {
	var parts []string
	if len(jobs) > 0 {
		parts = append(parts, someNames("job", jobs))
	}
	if len(members) > 0 {
		parts = append(parts, someNames("worker or validator", members))
	}
	return strings.Join(parts, " and ")
}

// fewLosses is how many names a sentence holds.
const fewLosses = 5

func someNames(what string, names []string) string {
	text := what + " " + strings.Join(names[:min(len(names), fewLosses)], ", ")
	if more := len(names) - fewLosses; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// takeEdit puts a candidate in force if it differs from what is. A broken or
// refused one leaves the recorded generation in force; one that takes something
// away waits for the owner. Each is recorded once.
func (l *loop) takeEdit(now core.Time, c *candidate) (*edit, error) {
	e := &edit{candidate: c, Generation: l.state.Generation()}
	switch {
	case c.broken():
		return e, l.refuseBroken(now, e)
	case inForce(l.state, c.reading.Mission):
		e.Outcome = editNone
		e.Secrets = l.desk.missions.know(c.reading.Mission)
		return e, l.recordSources(now, c.reading.Sources) // a host may have ended before it had recorded them all
	case c.base != l.state.Generation():
		e.Outcome = editStale
		return e, nil
	case l.waits(c):
		e.Outcome, l.held = editHeld, c
		return e, nil
	}
	if err := l.recordSources(now, c.reading.Sources); err != nil {
		return nil, err
	}
	posted := l.state.Expanded() == l.state.Spec().Instances
	next := c.next
	next.Kept = kept(l.state, c.redefined)
	l.desk.missions.know(c.reading.Mission) // its policies may be asked in the very entry
	entry, err := l.apply(now, "mission", &next)
	if err != nil {
		return nil, err
	}
	e.seq = entry.Seq
	switch e.Refusal = entry.Refusal; {
	case e.Refusal != nil:
		e.Outcome = editRefused
	case l.waits(c):
		e.Outcome, l.held = editHeld, c
	default:
		e.Outcome, e.Generation, l.held = editApplied, l.state.Generation(), nil
		l.desk.missions.put(e.Generation, c.reading.Mission)
		l.desk.missions.retire(e.Generation)
		l.added = additions{}
		if posted {
			l.added = additions{e.Generation, c.added}
		}
	}
	return e, nil
}

// refuseBroken records a mission file that cannot be used, once.
func (l *loop) refuseBroken(now core.Time, e *edit) error {
	e.Outcome = editBroken
	if l.broken[e.digest] {
		return nil
	}
	if l.broken == nil {
		l.broken = map[core.Digest]bool{}
	}
	l.broken[e.digest] = true
	detail := (&DiagnosticsError{e.reading.Problems}).Error()
	entry, err := l.apply(now, "mission", &core.RefuseEdit{Reason: "invalid_mission", Detail: detail, Digest: e.digest})
	if err == nil {
		e.seq = entry.Seq
	}
	return err
}

// waits reports whether the record holds a candidate back for the owner.
func (l *loop) waits(c *candidate) bool {
	held := l.state.HeldEdit()
	return held != nil && !held.Approved && held.Digest == c.digest && slices.Equal(held.Removes, c.next.Removes) && slices.Equal(held.Drains, c.next.Drains)
}

// approved puts the edit in force that an order has just let through.
func (l *loop) approved(now core.Time, entry *core.Entry) (*edit, error) {
	for _, event := range entry.Events {
		if e, ok := event.(*core.EditApproved); ok && l.held != nil && l.held.digest == e.Digest {
			return l.takeEdit(now, l.held)
		}
	}
	return nil, nil
}

// ErrFileLost is a mission whose first host ended between genesis and the file
// that genesis names, which has changed since. No job has been posted.
var ErrFileLost = errors.New("the mission file has changed before the journal held it: put it back as it was, or begin again with a new data folder")

// sourcesRecorded reports whether the journal holds the generation in force
// whole. Where it does not, nothing that it declares was posted.
func (l *loop) sourcesRecorded() bool {
	for _, source := range l.state.Sources() {
		if !l.state.Recorded(source.Digest) {
			return false
		}
	}
	return true
}

// inForce reports whether a mission file is the one in force.
func inForce(s *core.State, mission *missionfile.Mission) bool {
	return sameSources(mission.Sources(), s.Sources()) && mission.Entry() == s.Entry() &&
		slices.EqualFunc(mission.Variables(), s.Variables(), sameVariable)
}

// sameVariable compares what the record holds: of a sensitive one the name.
func sameVariable(a, b core.Variable) bool {
	return a.Name == b.Name && a.Sensitive == b.Sensitive && bytes.Equal(a.Value, b.Value)
}

func sameSources(sources []missionfile.Source, refs []core.SourceRef) bool {
	return slices.EqualFunc(sources, refs, func(s missionfile.Source, ref core.SourceRef) bool {
		return s.Path == ref.Path && s.Digest == ref.Digest
	})
}

// maxKept bounds how many jobs an edit names that keep their terms.
const maxKept = 1000

// kept lists the jobs that have been posted, out of those that the file now
// declares with other terms.
func kept(s *core.State, redefined []string) (ids []string) {
	for _, id := range redefined {
		if j := s.Job(id); j != nil && !j.State.Terminal() && len(ids) < maxKept {
			ids = append(ids, id)
		}
	}
	return ids
}

// additions are the instances that a generation declares and the one before it,
// posted whole, does not: nothing else is left to be posted.
type additions struct {
	generation int64
	places     []int64 // in file order
}

// ahead is what is to be posted from a place on: how many instances that follow
// each other, and where to go on after them. Where nothing is known that is all.
func (a *additions) ahead(generation, from, end int64) (first, last, next int64) {
	if a.generation != generation {
		return from, end, end
	}
	for len(a.places) > 0 && a.places[0] < from {
		a.places = a.places[1:]
	}
	if len(a.places) == 0 {
		return end, end, end
	}
	first, n := a.places[0], 1
	for n < len(a.places) && n < maxExpand && a.places[n] == first+int64(n) {
		n++
	}
	last, next = first+int64(n), end
	if n < len(a.places) {
		next = a.places[n]
	}
	return first, last, next
}
