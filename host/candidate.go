package host

import (
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/missionfile"
)

// candidate is a mission file that has been read, and compared with the one in
// force, beside the loop: the loop has only to take it.
type candidate struct {
	reading *missionfile.Reading
	digest  core.Digest // of what was read, whether it can be used or not
	base    int64       // the generation it was compared with
	next    core.Generation
	changes differences
}

// broken reports whether it cannot be used.
func (c *candidate) broken() bool { return c.reading.Mission == nil }

// takesAway reports whether it removes what the file before it declares.
func (c *candidate) takesAway() bool { return len(c.next.Removes)+len(c.next.Drains) > 0 }

// newCandidate compares a reading with the file of a generation.
func newCandidate(base int64, before *missionfile.Mission, reading *missionfile.Reading, keys *Keys) (*candidate, error) {
	c := &candidate{reading: reading, digest: core.EditDigest(reading.Entry, refsOf(reading.Sources)), base: base}
	if c.broken() {
		return c, nil
	}
	c.next = generationOf(reading.Mission, keys)
	var err error
	if c.changes, err = compare(before, reading.Mission); err != nil {
		return nil, err
	}
	c.next.Removes, c.next.Drains = c.changes.removed, c.changes.drained
	return c, nil
}

// differences are what one mission file declares and another does not: job
// instances in file order, and workers and validators.
type differences struct {
	removed   []string
	drained   []string
	added     []int64  // places in the file order of the next one
	redefined []string // jobs of both whose terms differ
}

func compare(before, next *missionfile.Mission) (d differences, err error) {
	was, err := specs(before)
	if err != nil {
		return d, err
	}
	place := int64(0)
	err = eachInstance(next, func(j *core.JobSpec) {
		old := was[j.ID]
		switch {
		case old == nil:
			d.added = append(d.added, place)
		case !termsOf(old).Same(j):
			d.redefined = append(d.redefined, j.ID)
		}
		delete(was, j.ID)
		place++
	})
	for id := range before.Declared() {
		if was[id] != nil {
			d.removed = append(d.removed, id)
		}
	}
	still := map[string]bool{}
	for _, id := range staff(next.Spec()) {
		still[id] = true
	}
	for _, id := range staff(before.Spec()) {
		if !still[id] {
			d.drained = append(d.drained, id)
		}
	}
	return d, err
}

func termsOf(j *core.JobSpec) *core.Terms {
	return &core.Terms{ID: j.ID, Label: j.Label, Needs: j.Needs, Input: j.Input, JobSpec: j}
}

func specs(m *missionfile.Mission) (map[string]*core.JobSpec, error) {
	all := make(map[string]*core.JobSpec, m.Spec().Instances)
	err := eachInstance(m, func(j *core.JobSpec) { all[j.ID] = j })
	return all, err
}

func eachInstance(m *missionfile.Mission, do func(*core.JobSpec)) error {
	for from := int64(0); from < m.Spec().Instances; {
		jobs, next, problem := m.Expand(from, maxExpand, maxExpandBytes)
		if problem != nil {
			return problem
		}
		for i := range jobs {
			do(&jobs[i])
		}
		from = next
	}
	return nil
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
