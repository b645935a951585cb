package host

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/omega-run/omega/host/core"
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
	owed    []core.Chunk // that that could not be stored: the state will not give them again
}

type savedCheckpoint struct {
	point journal.Checkpoint
	fresh []core.Chunk
}

// maxSaving is how many checkpoints may wait for the disk.
const maxSaving = 4

func newCheckpointSaver(store *journal.Checkpoints, j *journal.Journal, log *slog.Logger) *checkpointSaver {
	s := &checkpointSaver{store: store, journal: j, log: log, queue: make(chan savedCheckpoint, maxSaving), done: make(chan struct{})}
	go s.run()
	return s
}

func (s *checkpointSaver) save(point journal.Checkpoint, fresh []core.Chunk) error {
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
	if len(s.owed) > 0 {
		held := make(map[core.Digest]bool, len(c.point.Chunks))
		for _, digest := range c.point.Chunks {
			held[digest] = true
		}
		s.owed = slices.DeleteFunc(s.owed, func(chunk core.Chunk) bool { return !held[chunk.Digest] }) // it has changed since
	}
	for s.owed = append(s.owed, c.fresh...); len(s.owed) > 0; s.owed = s.owed[1:] {
		if _, err := s.store.Put(s.owed[0].Bytes); err != nil {
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
