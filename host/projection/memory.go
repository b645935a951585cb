package projection

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/omega-run/omega/host/core"
)

// maxMemory bounds what is read back: seats of a hundred thousand open rounds
// fit.
const maxMemory = 64 << 20

// Open continues in a folder that a Set of a former host has left. After each
// Flush a Set made by Open writes what it knows to the file note, outside the
// folder; it is used when it is whole, when the histories still begin with what
// was written then, and when the journal has the entry it stands at: digest
// gives the digest of an entry, false where the journal has none. In every
// other case the Set is New, and the folder is written again from the first
// entry on.
//
// Seq says where to go on. The caller brings a state to that entry, from the
// journal's first entry or from a checkpoint at or before it, and applies every
// later one. Where all its checkpoints are later it calls New instead.
func Open(dir, note string, digest func(core.Seq) (core.Digest, bool)) *Set {
	p := New(dir)
	p.note = note
	m, ok := recall(note)
	if !ok {
		return p
	}
	if is, ok := digest(m.Seq); !ok || is != m.Digest {
		return p
	}
	resumed := &Set{dir: dir, note: note, memory: m}
	for i, h := range resumed.histories() {
		if h.Name != p.histories()[i].Name || !h.intact(dir) {
			return p
		}
	}
	return resumed
}

func recall(note string) (m memory, ok bool) {
	info, err := os.Stat(note)
	if err != nil || info.Size() > maxMemory {
		return m, false
	}
	b, err := os.ReadFile(note)
	if err != nil || json.Unmarshal(b, &m) != nil {
		return m, false
	}
	return m, m.Format == memoryFormat && m.Seq > 0 && len(m.Books.Steps) == len(core.Steps())
}

// remember writes the memory after a flush. A crash before it leaves an older
// one, and histories that go on beyond it: they are cut back.
func (p *Set) remember() error {
	if p.note == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(p.note), dirMode); err != nil {
		return fmt.Errorf("remembering the projection: %w", err)
	}
	if err := replaceWith(p.note, encode(&p.memory)); err != nil {
		return fmt.Errorf("remembering the projection: %w", err)
	}
	return nil
}
