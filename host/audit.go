package host

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/council"
	"github.com/omega-run/omega/host/journal"
	"github.com/omega-run/omega/host/ledger"
	"github.com/omega-run/omega/host/projection"
)

// Problem is one thing an audit found. Seq is the entry, 0 where there is none.
type Problem struct {
	Seq     uint64 `json:"seq,omitempty"`
	Problem string `json:"problem"`
}

// Audit is what an audit says of a data folder.
type Audit struct {
	OK       bool      `json:"ok"`
	Entries  uint64    `json:"entries"`
	Digest   string    `json:"digest"` // of the last entry
	Mission  string    `json:"mission,omitempty"`
	Owner    string    `json:"owner_key,omitempty"` // who signed genesis: compare it with the key you trust
	HostHeld int64     `json:"host_held_votes"`     // votes covered by checkpoints, not signed one by one
	Seals    int64     `json:"checkpoints"`
	Problems []Problem `json:"problems"`
	Notes    []string  `json:"notes,omitempty"` // what is no fault of the record
}

// maxProblems bounds a report: damage repeats itself.
const maxProblems = 100

// auditor replays a journal and checks everything that can be checked without
// trusting whoever wrote it.
type auditor struct {
	Audit
	data    string
	state   *core.State
	set     *projection.Set
	shown   uint64        // the entry the artifacts are as of, 0 unknown
	moved   map[cast]bool // commitments
	heard   hearings
	boosted boosts
	files   map[core.Digest][]byte // recorded so far
	differs []string               // of the status folder
}

func (a *auditor) problem(seq core.Seq, format string, args ...any) {
	if len(a.Problems) < maxProblems {
		a.Problems = append(a.Problems, Problem{uint64(seq), fmt.Sprintf(format, args...)})
	}
}

// Verify audits a data folder offline: chain, canonical form, signatures of
// genesis and checkpoints, every commitment against its reveal, every transfer,
// conservation at every entry, replay to the recorded digests, blobs and
// artifacts. It reads only.
func Verify(data string) (*Audit, error) {
	view, err := journal.Read(journal.Options{Dir: journalDir(data)})
	if err != nil {
		return nil, err
	}
	found := view.Recovery()
	if found.Seq == 0 && found.Damage == nil {
		return nil, fmt.Errorf("%s holds no journal", data)
	}
	a := &auditor{data: data, state: core.New(), set: projection.New(""), moved: map[cast]bool{}, heard: newHearings(), boosted: boosts{}, files: map[core.Digest][]byte{}}
	a.Entries, a.Digest, a.Mission, a.Problems = found.Seq, hex.EncodeToString(found.Digest[:]), found.Mission, []Problem{}
	a.shown = shownEntry(data)
	if found.Damage != nil {
		a.problem(core.Seq(found.Damage.Seq), "%v", found.Damage)
	}
	if found.Torn != nil {
		a.problem(core.Seq(found.Torn.Seq), "a torn tail of %d bytes at byte %d of %s (%s); the next start of a host cuts it", found.Torn.Bytes, found.Torn.Offset, filepath.Base(found.Torn.File), found.Torn.Reason)
	}
	a.replay(view)
	a.upToDate(found)
	a.OK = len(a.Problems) == 0
	return &a.Audit, nil
}

// replay stops at the first entry that cannot be applied: what follows would
// only repeat it.
func (a *auditor) replay(view *journal.View) {
	var damage *journal.CorruptionError
	err := eachLine(view, func(line journal.Line) error {
		return a.entry(line)
	})
	if err != nil && !errors.As(err, &damage) {
		a.problem(a.state.Seq()+1, "%v", err)
		return
	}
	if err := a.state.Ledger().Audit(); err != nil {
		a.problem(a.state.Seq(), "the books do not add up: %v", err)
	}
	if err := a.set.Audit(a.state); a.state.Seq() > 0 && err != nil {
		a.problem(a.state.Seq(), "the artifacts do not add up: %v", err)
	}
}

func (a *auditor) entry(line journal.Line) (err error) {
	defer func() {
		if p := recover(); p != nil { // a broken invariant of the core is a finding here
			err = fmt.Errorf("entry %d cannot be applied: %v", line.Seq, p)
		}
	}()
	e, err := core.ParseEntry(line.Bytes)
	if err != nil {
		return err
	}
	if body := e.AppendBody(nil); string(body) != string(line.Body()) {
		a.problem(e.Seq, "the entry is not in canonical form")
	}
	if e.At < a.state.Now() {
		a.problem(e.Seq, "mission time runs backwards")
	}
	if e.Refusal != nil && len(e.Events) > 0 {
		a.problem(e.Seq, "a refused input has events")
	}
	a.check(e)
	a.stewards(e)
	a.policies(e)
	a.legs(e)
	a.state.Replay(e)
	digest := line.Digest()
	a.set.Apply(a.state, e, digest)
	for unit := ledger.Token; unit < ledger.Units; unit++ {
		if sum := a.state.Ledger().Sum(unit); sum != 0 {
			a.problem(e.Seq, "%s is not conserved: the balances sum to %s", unit, sum)
		}
	}
	if line.Seq == a.shown {
		a.artifacts()
	}
	a.sources(e)
	return nil
}

// check looks at an entry against the state before it.
func (a *auditor) check(e *core.Entry) {
	for i, event := range e.Events {
		switch event := event.(type) {
		case *core.MissionCreated:
			a.genesis(e, event)
		case *core.Checkpointed:
			a.seal(e, event)
		case *core.HostStarted:
			if event.HostKey != [32]byte{} {
				a.Notes = append(a.Notes, fmt.Sprintf("entry %d: the host's keys were lost; from here on its key is %x", e.Seq, event.HostKey))
			}
		case *core.AttemptSubmitted:
			a.submitted(e, event)
		case *core.VotesCommitted:
			a.committed(e, event)
		case *core.SeatEquivocated:
			a.equivocated(e, event)
		case *core.VotesRevealed:
			a.revealed(e, event)
		case *core.PricesSet:
			if energy, compute := a.state.MovedPrices(); i == 0 && (energy != event.Energy || compute != event.Compute) {
				a.problem(e.Seq, "the prices are set to %s and %s where the rule says %s and %s", event.Energy, event.Compute, energy, compute)
			}
		case *core.ApprovalGiven:
			if o, ok := e.Command.(*core.Order); !ok || o.Job != event.Job || (o.Say == core.Approve) != event.Approve || !obeyed(e) {
				a.problem(e.Seq, "nobody has ordered what is answered about %s", event.Job)
			}
		}
		if i == 0 && e.Seq > 1 && a.state.Mission().Mission == "" {
			a.problem(e.Seq, "the journal does not begin with genesis")
		}
	}
}

// obeyed reports whether the order an entry takes was not refused.
func obeyed(e *core.Entry) bool {
	return slices.ContainsFunc(e.Events, func(event core.Event) bool {
		taken, ok := event.(*core.OrderTaken)
		return ok && taken.Refusal == ""
	})
}

func (a *auditor) genesis(e *core.Entry, created *core.MissionCreated) {
	a.Owner = hex.EncodeToString(created.OwnerKey[:])
	if e.Seq != 1 || len(e.Events) < 2 {
		a.problem(e.Seq, "genesis is not the first entry, or not whole")
		return
	}
	applied, ok := e.Events[1].(*core.GenerationApplied)
	if !ok || !ed25519.Verify(created.OwnerKey[:], core.GenesisBytes(created, applied), created.Signature) {
		a.problem(e.Seq, "genesis is not signed by the owner key it names")
	}
}

func (a *auditor) seal(e *core.Entry, c *core.Checkpointed) {
	a.Seals++
	state, _ := a.state.Seal(nil)
	switch {
	case c.Seq != e.Seq-1 || c.Entry != e.Prev:
		a.problem(e.Seq, "the checkpoint does not seal the entry before it")
	case c.State != state:
		a.problem(e.Seq, "replay gives state %x, the checkpoint says %x", state, c.State)
	case !verifyCheckpoint(a.state.Mission(), c):
		a.problem(e.Seq, "the checkpoint is not signed by the host key")
	}
}

func (a *auditor) submitted(e *core.Entry, s *core.AttemptSubmitted) {
	if s.Digest != sha256.Sum256(s.Result) {
		a.problem(e.Seq, "the result of %s is not what its digest says", s.Job)
	}
	for _, f := range s.Files {
		b, err := os.ReadFile(filepath.Join(a.data, "blobs", hex.EncodeToString(f.Digest[:])))
		switch {
		case err != nil:
			a.problem(e.Seq, "the file %s of %s is not among the blobs", f.Name, s.Job)
		case sha256.Sum256(b) != f.Digest:
			a.problem(e.Seq, "the file %s of %s is not what its digest says", f.Name, s.Job)
		}
	}
}

// cast is a commitment in its round. In another round the same one is no copy: a
// seat held outside that repeats it can never reveal it, and pays for that.
type cast struct {
	job        string
	round      int64
	commitment core.Digest
}

func (a *auditor) committed(e *core.Entry, v *core.VotesCommitted) {
	for _, vote := range v.Votes {
		this := cast{v.Job, v.Round, vote.Commitment}
		if a.moved[this] {
			a.problem(e.Seq, "a commitment of %s is a copy", v.Job)
		}
		a.moved[this] = true
		switch holder := a.seat(v.Job, vote.Seat); {
		case holder == nil:
			a.problem(e.Seq, "a vote on %s has no seat", v.Job)
		case !holder.Outside:
			a.HostHeld++
		case !ed25519.Verify(holder.Key[:], council.SigningBytes(a.state.Mission().Mission, v.Job, v.Round, vote.Commitment), vote.Signature):
			a.problem(e.Seq, "the commitment of %s on %s is not signed by its key", holder.ID, v.Job)
		}
	}
}

// equivocated verifies the proof that a seat has signed two commitments.
func (a *auditor) equivocated(e *core.Entry, v *core.SeatEquivocated) {
	holder := a.seat(v.Job, v.Seat)
	if holder == nil || !ed25519.Verify(holder.Key[:], council.SigningBytes(a.state.Mission().Mission, v.Job, v.Round, v.Commitment), v.Signature) || a.committedTo(e, v.Job, v.Seat) == v.Commitment {
		a.problem(e.Seq, "nothing proves that seat %d of %s has signed two commitments", v.Seat, v.Job)
	}
}

// committedTo is what a seat has committed to, before this entry or in it.
func (a *auditor) committedTo(e *core.Entry, job string, seat int64) core.Digest {
	for _, event := range e.Events {
		if v, ok := event.(*core.VotesCommitted); ok && v.Job == job {
			for _, vote := range v.Votes {
				if vote.Seat == seat {
					return vote.Commitment
				}
			}
		}
	}
	return a.state.Job(job).Round.Seats[seat].Sealed.Commitment
}

// seat is who holds a seat of a job's open round, nil if there is none.
func (a *auditor) seat(job string, n int64) *core.Validator {
	j := a.state.Job(job)
	if j == nil || j.Round == nil || n < 0 || n >= int64(len(j.Round.Seats)) {
		return nil
	}
	return j.Round.Seats[n].Validator
}

func (a *auditor) revealed(e *core.Entry, v *core.VotesRevealed) {
	j := a.state.Job(v.Job)
	for i := range v.Votes {
		vote := &v.Votes[i]
		if j == nil || j.Round == nil || vote.Seat < 0 || vote.Seat >= int64(len(j.Round.Seats)) {
			a.problem(e.Seq, "a vote on %s has no seat", v.Job)
			continue
		}
		commitment, err := commitmentOf(a.state.Mission().Mission, j, vote)
		if err != nil || commitment != j.Round.Seats[vote.Seat].Sealed.Commitment {
			a.problem(e.Seq, "seat %d of %s reveals what it did not commit to", vote.Seat, v.Job)
		}
	}
}

// commitmentOf is computed here once more, not asked of the core.
func commitmentOf(mission string, j *core.Job, vote *core.OpenVote) (core.Digest, error) {
	v, err := council.ParseVote(vote.Vote)
	if err != nil {
		return core.Digest{}, err
	}
	key := j.Round.Seats[vote.Seat].Validator.Key
	return council.Commitment(council.Ballot{
		Mission: mission, Job: j.Spec.ID, Round: int(j.Round.Number), Validator: key[:],
		Result: j.Answer.Digest, Vote: v, Reason: council.ReasonDigest(vote.Reason), Salt: vote.Salt,
	}), nil
}

// shownEntry is the entry the status folder is as of, as telemetry.json says.
func shownEntry(data string) uint64 {
	b, err := os.ReadFile(filepath.Join(data, "status", "telemetry.json"))
	var shown struct {
		Seq uint64 `json:"seq"`
	}
	if err != nil || json.Unmarshal(b, &shown) != nil {
		return 0
	}
	return shown.Seq
}

// artifacts compares the status folder with what the journal implies at the
// entry it says it is as of.
func (a *auditor) artifacts() {
	want, err := a.set.Artifacts()
	if err != nil {
		a.problem(a.state.Seq(), "%v", err)
		return
	}
	for _, w := range want {
		b, err := os.ReadFile(filepath.Join(a.data, "status", w.Name))
		switch {
		case errors.Is(err, os.ErrNotExist):
			a.differs = append(a.differs, "status/"+w.Name+" is missing")
		case err != nil:
			a.differs = append(a.differs, err.Error())
		case string(b) != string(w.Bytes):
			a.differs = append(a.differs, fmt.Sprintf("status/%s is not what the journal implies at entry %d", w.Name, a.state.Seq()))
		}
	}
}

// upToDate judges the status folder. A host that left in order has written it
// as of its last entry; one that was killed, or is running, may not have.
func (a *auditor) upToDate(found journal.Recovery) {
	if a.shown != found.Seq {
		a.differs = append(a.differs, fmt.Sprintf("the status folder is as of entry %d, the journal ends with %d", a.shown, found.Seq))
	}
	left := found.Clean || a.state.Status() == core.Ended
	for _, what := range a.differs {
		if what += ": omega rebuild writes it again"; left && !Running(a.data) {
			a.problem(0, "%s", what)
		} else {
			a.Notes = append(a.Notes, what)
		}
	}
}

// sources checks that the journal holds the files of a generation before
// anything else follows: without them nobody can see what was judged by.
func (a *auditor) sources(e *core.Entry) {
	for _, event := range e.Events {
		switch event := event.(type) {
		case *core.SourceRecorded:
			file := event.AppendTo(a.files[event.Digest])
			if a.files[event.Digest] = file; event.Last && sha256.Sum256(file) != event.Digest {
				a.problem(e.Seq, "a recorded file is not what its digest says")
			}
		case *core.JobsExpanded:
			for _, source := range a.state.Sources() {
				if !a.state.Recorded(source.Digest) {
					a.problem(e.Seq, "jobs are posted from %s, which the journal does not hold", source.Path)
				}
			}
		}
	}
}

// eachLine hands over every line of a journal as it stands.
func eachLine(view *journal.View, do func(journal.Line) error) error {
	cursor := view.Cursor(1)
	defer cursor.Close()
	for {
		line, err := cursor.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = do(line)
		}
		if err != nil {
			return err
		}
	}
}

// Reading is a mission read from its journal, whether a host runs it or not.
type Reading struct {
	State  *core.State
	Set    *projection.Set
	Found  journal.Recovery
	Digest core.Digest
}

// Read replays a data folder's journal up to its last good entry. It reads only.
func Read(data string) (*Reading, error) { return ReadEach(data, func(*core.State) {}) }

// ReadEach is Read with each called after every entry: most of what is known of
// a job is gone from the state one entry after its end.
func ReadEach(data string, each func(*core.State)) (*Reading, error) { return readInto(data, "", each) }

func readInto(data, status string, each func(*core.State)) (*Reading, error) {
	view, err := journal.Read(journal.Options{Dir: journalDir(data)})
	if err != nil {
		return nil, err
	}
	r := &Reading{State: core.New(), Set: projection.New(status), Found: view.Recovery()}
	if r.Found.Seq == 0 {
		if r.Found.Damage != nil {
			return nil, r.Found.Damage
		}
		return nil, fmt.Errorf("%s holds no mission", data)
	}
	err = eachEntry(view, func(e *core.Entry, digest core.Digest) error {
		r.State.Replay(e)
		r.Set.Apply(r.State, e, digest)
		r.Digest = digest
		each(r.State)
		return nil
	})
	return r, err
}

// Rebuild writes everything that is derived from the journal again.
func Rebuild(data string) (*Reading, error) {
	lock, err := journal.Lock(data)
	if err != nil {
		return nil, err
	}
	defer lock.Release()
	for _, derived := range [...]string{"status", "checkpoint"} {
		if err := os.RemoveAll(filepath.Join(data, derived)); err != nil {
			return nil, fmt.Errorf("removing what is derived: %w", err)
		}
	}
	r, err := readInto(data, filepath.Join(data, "status"), func(*core.State) {})
	if err != nil {
		return nil, err
	}
	return r, r.Set.Flush()
}

// Running reports whether a host runs the mission in a data folder.
func Running(data string) bool {
	_, held := journal.Held(data)
	return held
}
