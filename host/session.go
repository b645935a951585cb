package host

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
	"github.com/omega-run/omega/host/ledger"
)

// Session is a live mission held open by the program it runs in. Whatever wants
// something of the mission submits a command; whatever wants to know what
// happened holds a cursor.
type Session struct {
	host    *hosting
	done    chan struct{} // closed when the host has left; the rest is written before
	outcome *Outcome
	err     error
}

// ErrEnded is returned for a command that the host did not take before it left.
var ErrEnded = errors.New("the host has ended")

// Open does what Run does and returns while the mission goes on. The caller has
// to Wait; ending ctx asks the host to leave.
func Open(ctx context.Context, c Config) (*Session, error) {
	began := time.Now()
	c.Given = c.Given.Keep()
	c.engines(false)
	c.Given.Hurried = c.Speed != 0 && c.Speed != ledger.Ratio(ledger.One)
	seen := see(c.Path, c.Given)
	h, err := c.open(ctx, seen)
	if err != nil {
		c.run.close()
		return nil, err
	}
	s := &Session{host: h, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		defer c.run.close()
		s.outcome, s.err = h.toTheEnd(ctx, c, seen, began)
	}()
	return s, nil
}

// open opens the mission in its data folder.
func (c Config) open(ctx context.Context, seen sighting) (*hosting, error) {
	data, err := liveFolder(c, seen.Mission, seen.Problems)
	if err != nil {
		return nil, err
	}
	return open(ctx, c, data)
}

// Wait returns how the run ended.
func (s *Session) Wait() (*Outcome, error) {
	<-s.done
	return s.outcome, s.err
}

// Data is the folder in which the mission's record lies.
func (s *Session) Data() string { return s.host.data }

// Cursor reads the durable entries of the mission from the given one on. The
// caller closes it.
func (s *Session) Cursor(from uint64) *journal.Cursor { return s.host.journal.Cursor(from) }

// Submit hands the loop a command and returns; while the inbox is full it
// waits. Who sends it, and that an order is signed by a key that may give it,
// is the caller's to check. The command belongs to the loop from here on.
func (s *Session) Submit(ctx context.Context, by string, command core.Command) (*Receipt, error) {
	return s.submit(ctx, input{by: by, command: command})
}

// Vote hands the loop what the holder of an outside seat has signed. A vote
// whose signature does not hold is refused here, with ErrUnsigned.
func (s *Session) Vote(ctx context.Context, v SignedVote) (*Receipt, error) {
	in, err := s.host.gate.admit(v)
	if err != nil {
		return nil, err
	}
	return s.submit(ctx, in)
}

func (s *Session) submit(ctx context.Context, in input) (*Receipt, error) {
	r := &Receipt{session: s, taken: make(chan struct{})}
	in.receipt = r
	select {
	case <-s.done: // the inbox may have room for what nobody takes any more
		return nil, ErrEnded
	default:
	}
	select {
	case s.host.inbox <- in:
		return r, nil
	case <-s.done:
		return nil, ErrEnded
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Receipt is the answer to a submitted command.
type Receipt struct {
	session *Session
	taken   chan struct{} // closed when the loop has recorded the command; the rest is written before
	seq     core.Seq
	refusal *core.Refusal
}

// Wait returns the entry that records the command, and why it was refused if it
// was, once that entry is durable.
func (r *Receipt) Wait(ctx context.Context) (core.Seq, *core.Refusal, error) {
	select {
	case <-r.taken:
	case <-r.session.done:
		select {
		case <-r.taken:
		default:
			return 0, nil, ErrEnded
		}
	case <-ctx.Done():
		return 0, nil, ctx.Err()
	}
	if err := r.session.host.journal.WaitDurable(ctx, uint64(r.seq)); err != nil {
		return 0, nil, fmt.Errorf("waiting for entry %d: %w", r.seq, err)
	}
	return r.seq, r.refusal, nil
}

// write fills in the answer. Only the loop calls it; nobody may be waiting.
func (r *Receipt) write(seq core.Seq, refusal *core.Refusal) {
	if r != nil {
		r.seq, r.refusal = seq, refusal
		close(r.taken)
	}
}

// answerOf is what an entry answers its sender: a refused order is an entry
// that acknowledges it.
func answerOf(e *core.Entry) *core.Refusal {
	if _, order := e.Command.(*core.Order); !order || e.Refusal != nil {
		return e.Refusal
	}
	for _, event := range e.Events {
		if taken, ok := event.(*core.OrderTaken); ok {
			return refusalOf(taken)
		}
	}
	return nil
}

func refusalOf(e *core.OrderTaken) *core.Refusal {
	if e.Refusal == "" {
		return nil
	}
	return &core.Refusal{Code: core.RefusalCode(e.Refusal), Detail: e.Detail}
}
