package host

import (
	"context"
	"fmt"
	"sync"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
)

// tail keeps the newest entries as the loop made them, so that a reader in this
// process that keeps up need not decode what has just been encoded. An entry is
// a fact: nobody writes to it once it is recorded, so it may be shared.
type tail struct {
	mu     sync.Mutex
	recent [tailEntries]recentEntry // entry n at n % tailEntries
}

type recentEntry struct {
	entry  *core.Entry
	digest core.Digest
}

// Bounds of the tail: what a reader may lag behind at full speed, and the
// longest entry kept, in bytes of its body. Longer ones are read from the
// journal, so the tail holds at most 16 MiB of lines.
const (
	tailEntries = 4096
	tailBytes   = 4 << 10
)

func (t *tail) put(e *core.Entry, digest core.Digest) {
	t.mu.Lock()
	t.recent[e.Seq%tailEntries] = recentEntry{e, digest}
	t.mu.Unlock()
}

func (t *tail) get(seq uint64) (recentEntry, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.recent[seq%tailEntries]
	return r, r.entry != nil && uint64(r.entry.Seq) == seq
}

// entryCursor hands over durable entries in order: from the tail while they are
// there, else from the journal. It is for one goroutine.
type entryCursor struct {
	journal *journal.Journal
	tail    *tail
	seq     uint64          // handed over last
	lines   *journal.Cursor // nil until it is needed
	line    uint64          // handed over last by lines
}

// next waits for the next entry to be durable.
func (c *entryCursor) next(ctx context.Context) (*core.Entry, core.Digest, error) {
	seq := c.seq + 1
	if err := c.journal.WaitDurable(ctx, seq); err != nil {
		return nil, core.Digest{}, err
	}
	if err := ctx.Err(); err != nil {
		return nil, core.Digest{}, err
	}
	if r, ok := c.tail.get(seq); ok {
		c.seq = seq
		return r.entry, r.digest, nil
	}
	return c.decode(ctx, seq)
}

func (c *entryCursor) decode(ctx context.Context, seq uint64) (*core.Entry, core.Digest, error) {
	if c.lines == nil || c.line != seq-1 {
		if err := c.close(); err != nil {
			return nil, core.Digest{}, err
		}
		c.lines = c.journal.Cursor(seq)
	}
	line, err := c.lines.Next(ctx)
	if err != nil {
		return nil, core.Digest{}, err
	}
	c.line = line.Seq
	entry, err := core.ParseEntry(line.Bytes)
	if err != nil {
		return nil, core.Digest{}, fmt.Errorf("reading the journal: %w", err)
	}
	c.seq = seq
	return entry, line.Digest(), nil
}

func (c *entryCursor) close() error {
	if c.lines == nil {
		return nil
	}
	return c.lines.Close()
}
