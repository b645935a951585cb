package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"time"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
	"github.com/omega-run/omega/host/ledger"
)

// poster posts jobs to a live mission in its own process, as its owner, and
// watches them end. Orders are not signed: signatures are checked before the
// loop, and cost what they cost wherever the key lies.
type poster struct {
	session *host.Session
	leave   context.CancelFunc
	cursor  *journal.Cursor
	owner   [32]byte
	syncs   *syncCounter
	posted  int
	posts   int // bytes of entries that post
	bytes   int // of all entries
	ran     ran
}

// open starts a mission of its own in a new folder.
func open(dir, kind string) (*poster, error) {
	dir, err := writeMission(dir, kind, 0)
	if err != nil {
		return nil, err
	}
	return openIn(dir)
}

// openIn starts the mission in a folder, or takes it up again.
func openIn(dir string) (*poster, error) {
	ctx, leave := context.WithCancel(context.Background())
	p := &poster{leave: leave, syncs: &syncCounter{}}
	var err error
	if p.session, err = host.Open(ctx, host.Config{Path: dir, Data: dataOf(dir), FS: p.syncs}); err != nil {
		leave()
		return nil, err
	}
	key, err := host.OwnerKey(false)
	if err != nil {
		return nil, err
	}
	p.owner = [32]byte(key.Public().(ed25519.PublicKey))
	p.cursor = p.session.Cursor(1)
	return p, nil
}

// dataOf is the data folder of the mission in a folder.
func dataOf(dir string) string { return filepath.Join(dir, "data") }

// close asks the host to leave and waits until everything is written: state
// sealed, journal closed, artifacts as of the last entry.
func (p *poster) close() error {
	p.leave()
	if err := p.cursor.Close(); err != nil {
		return err
	}
	_, err := p.session.Wait()
	return err
}

// order is the next job, as the loop gets it when its signature has been
// checked.
func (p *poster) order() *core.Order {
	p.posted++
	id := fmt.Sprintf("01J0000000000000%010d", p.posted)
	return &core.Order{
		ID: id, Key: p.owner, Counter: int64(p.posted), Body: sha256.Sum256([]byte(id)), Say: core.PostJob,
		Post: &core.JobSpec{ID: fmt.Sprintf("bench-%d", p.posted), Skills: []string{"bench"}, Reward: 10 * ledger.Amount(1_000_000)},
	}
}

func (p *poster) post(ctx context.Context) (*host.Receipt, error) {
	return p.session.Submit(ctx, "owner", p.order())
}

// acknowledged waits until the entry that posted a job is durable.
func acknowledged(ctx context.Context, r *host.Receipt) error {
	_, refusal, err := r.Wait(ctx)
	if err == nil && refusal != nil {
		err = fmt.Errorf("a job was refused: %w", refusal)
	}
	return err
}

var (
	endedMark     = []byte(`{"type":"job_ended"`)
	finalizedMark = []byte(`"state":"finalized"`)
	orderMark     = []byte(`"input":{"command":"order"`)
)

// ended reads durable entries up to the next one that ends jobs and says how
// many. It looks for marks and does not decode.
func (p *poster) ended(ctx context.Context) (int, error) {
	for {
		line, err := p.cursor.Next(ctx)
		if err != nil {
			return 0, err
		}
		p.bytes += len(line.Bytes) + 1
		if bytes.Contains(line.Bytes[:min(160, len(line.Bytes))], orderMark) {
			p.posts += len(line.Bytes) + 1
		}
		n := bytes.Count(line.Bytes, endedMark)
		if n == 0 {
			continue
		}
		if bytes.Count(line.Bytes, finalizedMark) != n {
			return 0, fmt.Errorf("a job was not finalized: %s", line.Bytes)
		}
		return n, nil
	}
}

// run has a number of jobs posted and finalized, at most so many outstanding
// between the call that posts and the durable end. Every post is waited for
// until it is durable, too.
func (p *poster) run(jobs, outstanding int) (time.Duration, error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	free := make(chan struct{}, outstanding)
	for range outstanding {
		free <- struct{}{}
	}
	receipts := make(chan *host.Receipt, outstanding)
	go func() {
		defer close(receipts)
		for range jobs {
			select {
			case <-free:
			case <-ctx.Done():
				return
			}
			r, err := p.post(ctx)
			if err != nil {
				cancel(err)
				return
			}
			receipts <- r
		}
	}()
	acks := make(chan struct{})
	go func() {
		defer close(acks)
		for r := range receipts {
			if err := acknowledged(ctx, r); err != nil {
				cancel(err)
			}
		}
	}()
	began := time.Now()
	for done := 0; done < jobs; {
		n, err := p.ended(ctx)
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			}
			cancel(err)
			return 0, err
		}
		done += n
		for range n {
			free <- struct{}{}
		}
	}
	<-acks
	return time.Since(began), context.Cause(ctx)
}

// latencies posts one job at a time and times, in milliseconds, how long its
// post takes to be durable and its whole life to be.
func (p *poster) latencies(jobs int) (posts, lives []float64, err error) {
	ctx := context.Background()
	for range jobs {
		began := time.Now()
		r, err := p.post(ctx)
		if err == nil {
			err = acknowledged(ctx, r)
		}
		posts = append(posts, milliseconds(time.Since(began)))
		if err == nil {
			_, err = p.ended(ctx)
		}
		lives = append(lives, milliseconds(time.Since(began)))
		if err != nil {
			return nil, nil, err
		}
	}
	return posts, lives, nil
}
