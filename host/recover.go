package host

import (
	"errors"
	"path/filepath"
	"time"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
)

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
