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

	files     []string // that differ from those of that generation, where the reading can be used
	redefined []string // jobs that both files declare, with other terms
	added     []int64  // places in the file order of the jobs it adds
}

// broken reports whether it cannot be used.
func (c *candidate) broken() bool { return c.reading.Mission == nil }

// takesAway reports whether it removes what the file before it declares.
func (c *candidate) takesAway() bool { return len(c.next.Removes)+len(c.next.Drains) > 0 }

// newCandidate compares a reading with the file of a generation.
func newCandidate(base int64, before *missionfile.Mission, reading *missionfile.Reading, keys *Keys) *candidate {
	c := &candidate{reading: reading, digest: digestOf(reading), base: base}
	if c.broken() {
		return c
	}
	changes := missionfile.Compare(before, reading.Mission)
	c.next = generationOf(reading.Mission, keys)
	c.next.Removes, c.next.Drains = changes.Removed, changes.Drained
	c.files = core.DifferentSources(refsOf(before.Sources()), refsOf(reading.Mission.Sources()))
	c.redefined, c.added = changes.Redefined, added(before, reading.Mission)
	return c
}

// digestOf names an edit by what it was read from.
func digestOf(reading *missionfile.Reading) core.Digest {
	return core.EditDigest(reading.Entry, refsOf(reading.Sources))
}

// added are the places, in the file order of the next mission, of the job
// instances that the one before does not declare.
func added(before, next *missionfile.Mission) (places []int64) {
	was := make(map[string]bool, before.Spec().Instances)
	for id := range before.Declared() {
		was[id] = true
	}
	place := int64(0)
	for id := range next.Declared() {
		if !was[id] {
			places = append(places, place)
		}
		place++
	}
	return places
}
