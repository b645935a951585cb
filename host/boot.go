package host

import (
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
	"github.com/omega-run/omega/host/missionfile"
)

// DiagnosticsError is a mission that cannot be run.
type DiagnosticsError struct{ Diagnostics missionfile.Diagnostics }

func (e *DiagnosticsError) Error() string {
	for _, d := range e.Diagnostics {
		if d.Severity == missionfile.Error {
			return d.String()
		}
	}
	return "the mission file is refused"
}

// DataFolder is where a mission keeps its data unless told otherwise:
// .omega/<mission> beside the mission file. A file that no longer loads has the
// folder of the only mission that has ever run there.
func DataFolder(path string, mission *missionfile.Mission) (string, error) {
	dir := path
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		dir = filepath.Dir(path)
	}
	root := filepath.Join(dir, ".omega")
	if mission != nil {
		return filepath.Join(root, mission.Spec().Mission.Name), nil
	}
	found, err := os.ReadDir(root)
	if err != nil || len(found) != 1 {
		return "", errors.New("the mission file names no mission: say which with --data DIR")
	}
	return filepath.Join(root, found[0].Name()), nil
}

// recovered is a mission as its data folder holds it.
type recovered struct {
	state       *core.State
	journal     *journal.Journal
	checkpoints *journal.Checkpoints
	found       journal.Recovery
	lastWall    time.Time
}

func journalDir(data string) string { return filepath.Join(data, "journal") }

// recover opens the journal and brings the state to its end: from the newest
// checkpoint that the host key has signed, else from the beginning.
func recoverState(options journal.Options, data string) (*recovered, error) {
	r := &recovered{}
	var err error
	if r.checkpoints, err = journal.OpenCheckpoints(options.FS, filepath.Join(data, "checkpoint")); err != nil {
		return nil, err
	}
	options.Dir = journalDir(data)
	for _, kept := range r.checkpoints.Kept() {
		options.Witnesses = append(options.Witnesses, kept.Witness())
	}
	state, point := r.fromCheckpoint()
	if state != nil {
		options.Trust = point.Witness()
	}
	if r.journal, r.found, err = journal.Open(options); err != nil {
		return nil, err
	}
	if state != nil {
		if err := r.replay(state, point.Seq+1); err == nil && r.state != nil {
			return r, nil
		}
	}
	if err := r.replay(core.New(), 1); err != nil {
		return nil, errors.Join(err, r.journal.Close())
	}
	return r, nil
}

func (r *recovered) fromCheckpoint() (*core.State, journal.Checkpoint) {
	point, chunks, ok, err := r.checkpoints.Load()
	if err != nil || !ok {
		return nil, point
	}
	state, _, err := core.Restore(chunks)
	if err != nil || uint64(state.Seq()) != point.Seq {
		return nil, point
	}
	return state, point
}

// errUnsigned is a checkpoint that the journal does not vouch for.
var errUnsigned = errors.New("the checkpoint is not signed by the host key")

// replay applies recorded entries to a state. One from a checkpoint must meet
// the entry that signed it first.
func (r *recovered) replay(state *core.State, from uint64) error {
	cursor := r.journal.Cursor(from)
	defer cursor.Close()
	for seq := from; seq <= r.found.Seq; seq++ {
		entry, err := nextEntry(cursor)
		if err != nil {
			return err
		}
		if seq == from && from > 1 && !sealedBy(state, entry) {
			return errUnsigned
		}
		state.Replay(entry)
		if seq == r.found.Seq {
			r.lastWall, _ = time.Parse(wallFormat, entry.Wall)
		}
	}
	if from > 1 && from > r.found.Seq {
		return errUnsigned
	}
	r.state = state
	return nil
}

func sealedBy(state *core.State, entry *core.Entry) bool {
	digest, _ := state.Seal(nil)
	for _, event := range entry.Events {
		if c, ok := event.(*core.Checkpointed); ok {
			return c.State == digest && c.Seq == state.Seq() && verifyCheckpoint(state.Mission(), c)
		}
	}
	return false
}

// genesis makes the first command of a mission, signed by the owner.
func genesis(m *missionfile.Mission, id string, keys *Keys, owner ed25519.PrivateKey) *core.Genesis {
	g := &core.Genesis{
		Mission: id, HostKey: publicOf(keys.Host), OwnerKey: publicOf(owner),
		Rehearsal: keys.Rehearsal, Apply: generationOf(m, keys),
	}
	g.Signature = ed25519.Sign(owner, g.Bytes())
	return g
}

func generationOf(m *missionfile.Mission, keys *Keys) core.Generation {
	g := core.Generation{Entry: m.Entry(), Spec: *m.Spec()}
	for _, source := range m.Sources() {
		g.Sources = append(g.Sources, core.SourceRef{Path: source.Path, Digest: source.Digest, Size: int64(len(source.Bytes))})
	}
	for _, block := range g.Spec.Validators {
		for _, id := range block.Instances {
			g.Keys = append(g.Keys, keys.publicKey(id))
		}
	}
	return g
}

// maxSourceBytes is how much of a file one entry holds.
const maxSourceBytes = 1 << 20

// recordSources records the files a mission was evaluated from, each digest
// once.
func (l *loop) recordSources(now core.Time, sources []missionfile.Source) error {
	for _, source := range sources {
		if l.state.Recorded(source.Digest) {
			continue
		}
		for offset := 0; ; offset += maxSourceBytes {
			end := min(offset+maxSourceBytes, len(source.Bytes))
			piece := &core.Source{Digest: source.Digest, Offset: int64(offset), Last: end == len(source.Bytes), Bytes: source.Bytes[offset:end]}
			if _, err := l.apply(now, "mission", piece); err != nil {
				return err
			}
			if piece.Last {
				break
			}
		}
	}
	return nil
}

// newMissionID is a ULID: random for a live mission, derived for a rehearsal.
func newMissionID() string { return ulid.Make().String() }

func rehearsalID(keys *Keys) string {
	var id ulid.ULID
	_ = id.SetTime(ulid.Timestamp(epoch))
	_ = id.SetEntropy(keys.secret[:10])
	return id.String()
}

// archive reads every recorded generation from the journal.
func archive(data string, fs journal.FS) (map[int64]recordedGeneration, error) {
	view, err := journal.Read(journal.Options{FS: fs, Dir: journalDir(data)})
	if err != nil {
		return nil, err
	}
	files := map[core.Digest][]byte{}
	var applied []*core.GenerationApplied
	err = eachEntry(view, func(e *core.Entry, _ core.Digest) error {
		for _, event := range e.Events {
			switch event := event.(type) {
			case *core.SourceRecorded:
				files[event.Digest] = event.AppendTo(files[event.Digest])
			case *core.GenerationApplied:
				applied = append(applied, event)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	all := map[int64]recordedGeneration{}
	for _, g := range applied {
		recorded := recordedGeneration{entry: g.Entry}
		for _, ref := range g.Sources {
			recorded.sources = append(recorded.sources, missionfile.Source{Path: ref.Path, Bytes: files[ref.Digest], Digest: ref.Digest})
		}
		all[g.Number] = recorded
	}
	return all, nil
}

// edit is what became of a mission file that is not the one in force.
type edit struct {
	Applied     bool
	Generation  int64
	Refusal     *core.Refusal
	Diagnostics missionfile.Diagnostics
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
	entry, err := l.apply(now, "mission", &next)
	if err != nil {
		return nil, err
	}
	if entry.Refusal == nil {
		l.desk.missions.put(l.state.Generation(), mission)
	}
	return &edit{Applied: entry.Refusal == nil, Generation: l.state.Generation(), Refusal: entry.Refusal, Diagnostics: problems}, nil
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
	return sameSources(mission.Sources(), l.state.Sources()) && mission.Entry() == l.state.Entry()
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
			if j != nil && !j.State.Terminal() && !core.SameTerms(&j.Spec, &jobs[i]) && len(ids) < maxKept {
				ids = append(ids, jobs[i].ID)
			}
		}
		from = next
	}
	return ids
}
