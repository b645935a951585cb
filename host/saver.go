package host

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"slices"

	"github.com/omega-run/omega/host/journal"
)

// sealer saves checkpoints on a goroutine of its own: chunks first, the
// manifest once the entry that signs it is durable.
type checkpointSaver struct {
	store   *journal.Checkpoints
	journal *journal.Journal
	log     *slog.Logger
	queue   chan savedCheckpoint
	done    chan struct{}
	owed    [][]byte // chunks that could not be stored: the state will not give them again
}

type savedCheckpoint struct {
	point journal.Checkpoint
	fresh [][]byte
}

// maxSaving is how many checkpoints may wait for the disk.
const maxSaving = 4

func newCheckpointSaver(store *journal.Checkpoints, j *journal.Journal, log *slog.Logger) *checkpointSaver {
	s := &checkpointSaver{store: store, journal: j, log: log, queue: make(chan savedCheckpoint, maxSaving), done: make(chan struct{})}
	go s.run()
	return s
}

func (s *checkpointSaver) save(point journal.Checkpoint, fresh [][]byte) error {
	s.queue <- savedCheckpoint{point, fresh}
	return nil
}

func (s *checkpointSaver) run() {
	defer close(s.done)
	for next := range s.queue {
		if err := s.saveOne(next); err != nil {
			s.log.Warn("a checkpoint is lost; the journal has everything", "error", err)
		}
	}
}

func (s *checkpointSaver) saveOne(c savedCheckpoint) error {
	s.owed = append(s.owed, c.fresh...)
	s.owed = slices.DeleteFunc(s.owed, func(chunk []byte) bool {
		return !slices.Contains(c.point.Chunks, sha256.Sum256(chunk)) // it has changed since
	})
	for ; len(s.owed) > 0; s.owed = s.owed[1:] {
		if _, err := s.store.Put(s.owed[0]); err != nil {
			return err
		}
	}
	if err := s.journal.WaitDurable(context.Background(), c.point.Seq+1); err != nil {
		return fmt.Errorf("waiting for the entry that signs it: %w", err)
	}
	return s.store.Save(c.point)
}

func (s *checkpointSaver) close() {
	close(s.queue)
	<-s.done
}
