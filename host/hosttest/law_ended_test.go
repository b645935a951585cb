package hosttest

import (
	"slices"
	"strings"
)

// letGo notes of every job that has ended since when nothing open depends on it.
func (b *book) letGo() {
	for _, j := range b.order {
		if j.ended() && j.alone == 0 && !b.depends(j) {
			j.alone = b.seq
		}
	}
}

// depends reports whether an open job depends on one that has ended: a posted
// job that needs it, or its parent.
func (b *book) depends(j *life) bool {
	if parent, _, child := cutLast(j.id, "__"); child && b.jobs[parent] != nil && !b.jobs[parent].ended() {
		return true
	}
	return slices.ContainsFunc(b.order, func(other *life) bool {
		posted := other.state == "posted" || other.state == "awaiting_approval" && other.askedIn == "posted"
		return posted && slices.Contains(other.fact.Needs, j.id)
	})
}

func cutLast(text, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(text, sep); i >= 0 {
		return text[:i], text[i+len(sep):], true
	}
	return text, "", false
}
