package projection

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/omega-run/omega/host/core"
)

// memory is what a Set knows beside the state.
type memory struct {
	Format     string
	Seq        core.Seq
	Digest     core.Digest // of entry Seq
	Wall       string      // of entry Seq
	Books      books
	Ended      endedJobs
	Workers    conducts
	Validators conducts
	Watchdog   Watchdog
	Points     points
	Uptime     uptime
	Mood       mood
	NextLook   core.Time
	Seal       *seal
	Recent     recent
	Autonomy   autonomy
	Log        history
	States     history
	Scenes     history
	LongRun    history
	Acks       history
	Advice     history
	Insights   history
}

// kept is a memory as it is written down: with what the open jobs' events have
// said and the state does not.
type kept struct {
	memory
	Counts JobCounts // of the jobs that have ended
	Mesh   history
	Rounds []keptRound
	Asked  []Approval
}

// keptRound is who sits in a job's round, as long as it can move their stakes.
type keptRound struct {
	Job    string
	Seats  []string
	Before int64 `json:",omitempty"`
	Open   bool  `json:",omitempty"`
}

const memoryFormat = "omega.projection/v3"

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
	resumed := &Set{dir: dir, note: note, memory: m.memory, recall: true}
	resumed.mesh.history = m.Mesh
	resumed.prepare()
	for i, h := range resumed.histories() {
		if h.Name != historyNames()[i] || !h.intact(dir) {
			return p
		}
	}
	resumed.census.recalled(&m)
	return resumed
}

func recall(note string) (m kept, ok bool) {
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
	k := kept{memory: p.memory, Counts: p.census.counts.ended(), Mesh: p.mesh.history}
	for r := range p.census.rounds.all {
		k.Rounds = append(k.Rounds, keptRound{r.job.Spec.ID, r.names, r.before, true})
	}
	for r := range p.census.open.all {
		if len(r.names) > 0 && !r.round.in {
			k.Rounds = append(k.Rounds, keptRound{r.job.Spec.ID, r.names, r.before, false})
		}
	}
	for r := range p.census.asked.all {
		k.Asked = append(k.Asked, *r.approval)
	}
	if err := replaceWith(p.note, encode(&k)); err != nil {
		return fmt.Errorf("remembering the projection: %w", err)
	}
	return nil
}
