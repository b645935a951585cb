package host

import (
	"context"
	"crypto/ed25519"
	"io"
	"log/slog"
	"time"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
	"github.com/omega-run/omega/host/missionfile"
	"github.com/omega-run/omega/host/script"
	"github.com/omega-run/omega/host/worker"
)

// Manual is a live host that is turned by hand: recovery, loop, desk, clock and
// attempts of Run, without its goroutines, timers, lock and files outside the
// journal. The simulator drives it.
type Manual struct {
	host  *hosting
	saver checkpointSaver
	saves []savedCheckpoint
	work  core.Work // being begun
}

// ManualConfig is the world of a Manual.
type ManualConfig struct {
	Journal journal.Options // Dir is set from Data
	Data    string
	Key     ed25519.PrivateKey // the host's, that signs checkpoints
	Secret  [32]byte           // validators' keys derive from it
	Owner   ed25519.PrivateKey // signs genesis
	Now     func() time.Time   // wall time
	Exec    func(context.Context, worker.Task) worker.Reply
	Ask     func(context.Context, worker.Request) worker.Reply // nil where no worker asks a server
	Scripts script.Engine                                      // nil: who turns the host answers for policies and stewards itself
	// Begin is told of every attempt that begins; run does it, and may be called
	// once, on any goroutine, when its cause is durable. End tells that it is not
	// wanted any more.
	Begin  func(w core.Work, cause uint64, run func())
	Follow func(*core.State, *core.Entry, core.Digest) // told of every entry, before it is durable
}

func (c *ManualConfig) scripts() *scripts {
	if c.Scripts == nil {
		return nil
	}
	return &scripts{make: func() script.Engine { return c.Scripts }}
}

// OpenManual recovers the mission. The journal is open; nothing is recorded yet.
func OpenManual(c ManualConfig) (*Manual, error) {
	found, err := recoverState(c.Journal, c.Data)
	if err != nil {
		return nil, err
	}
	m := &Manual{host: &hosting{id: c.Journal.Mission, found: found, owner: c.Owner, now: c.Now}}
	keys := &Keys{Host: c.Key, secret: c.Secret}
	recorded := func() (map[int64]recordedGeneration, error) { return archive(c.Data, c.Journal.FS) }
	all := &missions{compiled: map[int64]*missionfile.Mission{}, archive: recorded}
	work, end := context.WithCancel(context.Background())
	log := slog.New(slog.DiscardHandler)
	m.host.live = &live{
		loop:  &loop{state: found.state, journal: found.journal, desk: newDesk(all, keys, c.scripts(), pastOf(found.journal)), save: m.save, follow: c.Follow},
		inbox: make(chan input, maxInbox), orders: make(chan input, maxOrders), exec: c.Exec, ask: c.Ask, data: c.Data, log: log, problems: io.Discard,
		work: work, endWork: end, running: map[string]context.CancelFunc{}, stops: map[string]bool{},
	}
	m.saver = checkpointSaver{store: found.checkpoints, journal: found.journal, log: log}
	m.host.wall = func(core.Time) string { return c.Now().UTC().Format(wallFormat) }
	m.host.beside = func(ask func()) { ask() }
	m.host.spawn = func(run func()) { c.Begin(m.work, m.head(), run) }
	m.host.desk.execute = func(w core.Work) { m.work = w; m.host.begin(w) }
	m.host.desk.stop, m.host.desk.ask = m.host.end, m.ponder
	m.host.desk.where = folders{"", c.Data}
	return m, nil
}

func (m *Manual) head() uint64 {
	seq, _ := m.host.journal.Head()
	return seq
}

func (m *Manual) save(point journal.Checkpoint, fresh []core.Chunk) error {
	m.saves = append(m.saves, savedCheckpoint{point, fresh})
	return nil
}

// Save brings recorded checkpoints to the disk, as far as the entries that sign
// them are durable.
func (m *Manual) Save() error {
	for len(m.saves) > 0 && m.saves[0].point.Seq < m.host.journal.Durable() {
		next := m.saves[0]
		m.saves = m.saves[1:]
		if err := m.saver.saveOne(next); err != nil {
			return err
		}
	}
	return nil
}

// TakeUp records what happened before this host and the orders that were
// written meanwhile, and begins what is outstanding.
func (m *Manual) TakeUp(mission *missionfile.Mission, missed []*core.Order) error {
	if m.host.state.Status() == core.Ended {
		return nil
	}
	reading := &missionfile.Reading{} // of a file nobody can use
	if mission != nil {
		reading = &missionfile.Reading{Mission: mission, Entry: mission.Entry(), Sources: mission.Sources()}
	}
	if err := m.host.takeUp(Config{}, reading); err != nil {
		return err
	}
	if err := m.host.missed(missed); err != nil {
		return err
	}
	m.host.desk.reconcileAll(m.host.state)
	return nil
}

// Send puts a command into the inbox.
func (m *Manual) Send(by string, command core.Command) { m.host.send(input{by: by, command: command}) }

// Vote brings in what the holder of an outside seat has signed; one whose
// signature does not hold is refused and does not reach the loop.
func (m *Manual) Vote(v SignedVote) error {
	in, err := m.host.gate.admit(v)
	if err == nil {
		m.host.send(in)
	}
	return err
}

// Order brings an order in as the control stream does.
func (m *Manual) Order(o *core.Order) { m.host.hear([]*core.Order{o}) }

// Take takes what has come and settles nothing more: what the desk has to say
// can still be said by somebody else.
func (m *Manual) Take() error { return m.host.takeAll() }

// Turn takes what has come and settles what is due. It reports whether
// something is left to settle.
func (m *Manual) Turn() (more bool, err error) {
	if more, err = m.host.turn(); more || err != nil {
		return more, err
	}
	m.host.consult()
	return m.host.desk.consults, nil
}

// Next is the wall time that passes before something is due by itself.
func (m *Manual) Next() (wait time.Duration, ok bool) {
	due, ok := m.host.next()
	if !ok || m.host.clock.stopped && due > m.host.clock.now() {
		return 0, false
	}
	return m.host.clock.until(due), true
}

// Over says why the host has nothing left to do, "" while it has.
func (m *Manual) Over() string {
	switch m.host.state.Status() {
	case core.Ended:
		return "ended"
	case core.Stopped, core.Emergency:
		if _, busy := m.host.state.NextDeadline(); !busy {
			return "stopped"
		}
	}
	return ""
}

// Leave records that the host leaves, seals the state and waits for the disk.
func (m *Manual) Leave(reason string) error { return m.host.leave(reason) }

// Close ends the host, however it stands.
func (m *Manual) Close() error {
	m.host.endWork()
	return m.host.journal.Close()
}

// State is the state the loop holds.
func (m *Manual) State() *core.State { return m.host.state }

// Journal is the journal the loop writes.
func (m *Manual) Journal() *journal.Journal { return m.host.journal }

// Found is what recovery found.
func (m *Manual) Found() journal.Recovery { return m.host.found.found }
