package core

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// HeldEdit is an edit that takes something away and waits for the owner, or,
// once it is approved, for the host to put it in force.
type HeldEdit struct {
	EditHeld
	Since    Time
	Approved bool
}

func (e *HeldEdit) fields(c *Codec) {
	e.EditHeld.fields(c)
	integer(c, "since", &e.Since)
	c.Flag("approved", &e.Approved)
}

// HeldEdit is the edit that is held; nil while none is. Readers must not write
// it.
func (s *State) HeldEdit() *HeldEdit { return s.edit }

// EditDigest names an edit: SHA-256 over "omega.edit/v1\n", the entry's name and
// a newline, and "<sha256>  <path>\n" for each source in path order.
func EditDigest(entry string, sources []SourceRef) Digest {
	sorted := slices.Clone(sources)
	slices.SortFunc(sorted, func(a, b SourceRef) int {
		if by := strings.Compare(a.Path, b.Path); by != 0 {
			return by
		}
		return bytes.Compare(a.Digest[:], b.Digest[:])
	})
	h := sha256.New()
	fmt.Fprintf(h, "omega.edit/v1\n%s\n", entry)
	for i := range sorted {
		fmt.Fprintf(h, "%s  %s\n", hex.EncodeToString(sorted[i].Digest[:]), sorted[i].Path)
	}
	return Digest(h.Sum(nil))
}

// holds reports whether an edit is the one that is held: the same sources, which
// take away the same.
func (e *HeldEdit) holds(c *Generation) bool {
	return e != nil && e.Digest == EditDigest(c.Entry, c.Sources) && slices.Equal(e.Removes, c.Removes) && slices.Equal(e.Drains, c.Drains)
}

// mustWait reports whether an edit takes something away that nobody has allowed
// it to take.
func (s *State) mustWait(c *Generation) bool {
	removes := len(c.Removes) > 0 || len(c.Drains) > 0
	return removes && !c.Spec.Reload.AllowRemovals && !(s.edit.holds(c) && s.edit.Approved)
}

// holdEdit puts an edit before the owner, once.
func (s *State) holdEdit(c *Generation) *Refusal {
	if s.edit.holds(c) {
		return refuse(RefuseEditHeld, "it waits for the owner already")
	}
	s.emit(&EditHeld{Digest: EditDigest(c.Entry, c.Sources), Removes: c.Removes, Drains: c.Drains})
	return nil
}

// approveEdit takes the owner's word for the edit that waits.
func (s *State) approveEdit(d Digest) *Refusal {
	switch {
	case s.edit == nil:
		return refuse(RefuseEditUnknown, "no edit waits")
	case s.edit.Digest != d:
		return refuse(RefuseEditUnknown, "another edit waits, "+hex.EncodeToString(s.edit.Digest[:]))
	case s.edit.Approved:
		return refuse(RefuseEditUnknown, "it has been approved already")
	}
	s.emit(&EditApproved{Digest: d})
	return nil
}
