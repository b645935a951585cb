package host

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/missionfile"
)

// edit is what became of a mission file that is not the one in force.
type edit struct {
	Applied     bool
	Held        *core.HeldEdit // it takes something away and waits for the owner
	Generation  int64
	Refusal     *core.Refusal
	Diagnostics missionfile.Diagnostics
}

// tell says what became of an edit.
func (e *edit) tell(w io.Writer) {
	switch {
	case e.Applied:
		fmt.Fprintf(w, "the mission file has changed: generation %d is in force\n", e.Generation)
	case e.Held != nil:
		fmt.Fprintf(w, "the mission file has changed, and the change waits: it removes %s; omega apply puts it in force\n", fewNames(slices.Concat(e.Held.Removes, e.Held.Drains)))
	case e.Refusal != nil:
		fmt.Fprintf(w, "the mission file has changed, and the change is not in force: %s\n", e.Refusal.Error())
	default:
		_ = e.Diagnostics.Print(w, false)
		fmt.Fprintln(w, "the mission file is broken: the recorded generation stays in force")
	}
}

// takeEdit puts the mission file on disk in force if it differs from the
// recorded one. A broken or refused one leaves the recorded one in force.
func (l *loop) takeEdit(now core.Time, mission *missionfile.Mission, problems missionfile.Diagnostics) (*edit, error) {
	if mission == nil {
		detail := (&DiagnosticsError{problems}).Error()
		_, err := l.apply(now, "mission", &core.RefuseEdit{Reason: "invalid_mission", Detail: detail})
		return &edit{Diagnostics: problems}, err
	}
	if l.same(mission) {
		return nil, l.recordSources(now, mission.Sources()) // a host may have ended before it had recorded them all
	}
	before, err := l.desk.missions.current(l.state)
	if err != nil {
		return nil, err
	}
	next := generationOf(mission, l.desk.keys)
	next.Removes, next.Drains = removed(before, mission)
	next.Kept = l.kept(mission)
	if err := l.recordSources(now, mission.Sources()); err != nil {
		return nil, err
	}
	generation := l.state.Generation()
	entry, err := l.apply(now, "mission", &next)
	if err != nil {
		return nil, err
	}
	found := &edit{Applied: l.state.Generation() > generation, Generation: l.state.Generation(), Refusal: entry.Refusal, Diagnostics: problems}
	switch {
	case found.Applied:
		l.desk.missions.put(found.Generation, mission)
	case entry.Refusal == nil || entry.Refusal.Code == core.RefuseEditHeld:
		found.Held = l.state.HeldEdit()
	}
	return found, nil
}

func fewNames(names []string) string {
	const few = 5
	if len(names) <= few {
		return fmt.Sprintf("%q", names)
	}
	return fmt.Sprintf("%q and %d more", names[:few], len(names)-few)
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

// same reports whether a mission file is the one in force.
func (l *loop) same(mission *missionfile.Mission) bool {
	return sameSources(mission.Sources(), l.state.Sources()) && mission.Entry() == l.state.Entry() &&
		slices.EqualFunc(mission.Variables(), l.state.Variables(), sameVariable)
}

// sameVariable compares what the record holds: of a sensitive one the name.
func sameVariable(a, b core.Variable) bool {
	return a.Name == b.Name && a.Sensitive == b.Sensitive && bytes.Equal(a.Value, b.Value)
}

func sameSources(sources []missionfile.Source, refs []core.SourceRef) bool {
	if len(sources) != len(refs) {
		return false
	}
	for i := range refs {
		if sources[i].Path != refs[i].Path || sources[i].Digest != refs[i].Digest {
			return false
		}
	}
	return true
}

// removed lists what the next file no longer declares: job instances, and
// workers and validators.
func removed(before, next *missionfile.Mission) (jobs, members []string) {
	still := map[string]bool{}
	for id := range next.Declared() {
		still[id] = true
	}
	for id := range before.Declared() {
		if !still[id] {
			jobs = append(jobs, id)
		}
	}
	clear(still)
	for _, id := range staff(next.Spec()) {
		still[id] = true
	}
	for _, id := range staff(before.Spec()) {
		if !still[id] {
			members = append(members, id)
		}
	}
	return jobs, members
}

func staff(s *core.Spec) (ids []string) {
	for _, w := range s.Workers {
		ids = append(ids, w.Instances...)
	}
	for _, v := range s.Validators {
		ids = append(ids, v.Instances...)
	}
	return ids
}

// maxKept bounds how many jobs an edit names that keep their terms.
const maxKept = 1000

// kept lists posted jobs that the file now declares with other terms.
func (l *loop) kept(mission *missionfile.Mission) (ids []string) {
	for from := int64(0); from < mission.Spec().Instances && len(ids) < maxKept; {
		jobs, next, problem := mission.Expand(from, maxExpand, maxExpandBytes)
		if problem != nil || next <= from {
			return ids
		}
		for i := range jobs {
			j := l.state.Job(jobs[i].ID)
			if j != nil && !j.State.Terminal() && !j.Spec.Same(&jobs[i]) && len(ids) < maxKept {
				ids = append(ids, jobs[i].ID)
			}
		}
		from = next
	}
	return ids
}
