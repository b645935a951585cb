package host

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
	"github.com/omega-run/omega/host/missionfile"
	"github.com/omega-run/omega/host/projection"
	"github.com/omega-run/omega/host/worker"
)

// ErrMachine ends a rehearsal whose outcome would have depended on the machine:
// a limit of wall time or memory that ten times the allowance did not lift.
var ErrMachine = errors.New("a limit of this machine")

// Rehearse is a --ci run: the mission under a virtual clock, in a new or empty
// folder, with keys that derive from the seed.
func Rehearse(ctx context.Context, c Config) (*Outcome, error) {
	began := time.Now()
	defer boundMemory()()
	c.Given = c.Given.Keep()
	c.engines(true)
	defer c.run.close()
	mission, problems := missionfile.Load(c.Path, c.Given)
	if problems.HasErrors() {
		return nil, &DiagnosticsError{problems}
	}
	script, problems := missionfile.Rehearsal(mission.Dir())
	if problems.HasErrors() {
		return nil, &DiagnosticsError{problems}
	}
	recorded, problems := readRecordings(mission.Dir())
	if problems.HasErrors() {
		return nil, &DiagnosticsError{problems}
	}
	data, remove, err := rehearsalFolder(c.Data)
	if err != nil {
		return nil, err
	}
	defer remove()
	r, err := newRehearsal(ctx, c, mission, script, data)
	if err != nil {
		return nil, err
	}
	set := projection.New(filepath.Join(data, "status"))
	r.recorded = recorded
	r.follow = func(s *core.State, e *core.Entry, d core.Digest) {
		set.Apply(s, e, d)
	}
	err = r.create(mission)
	if err == nil {
		err = r.run()
	}
	err = errors.Join(err, r.journal.Close())
	if err != nil && !errors.Is(err, errStopped) {
		return nil, err
	}
	if err := set.Flush(); err != nil {
		return nil, err
	}
	report, err := reportOf(r.state, r.head(), set, began)
	return &Outcome{Report: report, Data: data, Code: codeOf(r.state), Ended: r.state.Status() == core.Ended}, err
}

// rehearsalMemory is what a rehearsal keeps below, in bytes, as long as what it
// holds lets it. All declared jobs are posted before the first one runs, so a
// million of them are open at once, about 900 bytes each; the collector would let
// the heap grow to twice that. Below half of the bound it costs nothing.
const rehearsalMemory = 1300 << 20

// boundMemory sets that bound unless the user has set one, and returns what takes
// it back.
func boundMemory() (undo func()) {
	before := debug.SetMemoryLimit(-1)
	if before == math.MaxInt64 {
		debug.SetMemoryLimit(rehearsalMemory)
	}
	return func() { debug.SetMemoryLimit(before) }
}

func rehearsalFolder(data string) (dir string, remove func(), err error) {
	if data == "" {
		dir, err = os.MkdirTemp("", "omega-ci-")
		return dir, func() { os.RemoveAll(dir) }, err
	}
	found, err := os.ReadDir(data)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", nil, err
	}
	if len(found) > 0 {
		return "", nil, fmt.Errorf("%s is not empty: a --ci run needs a new or empty folder", data)
	}
	return data, func() {}, os.MkdirAll(data, 0o755)
}

// rehearsal drives the loop as a discrete-event run: mission time jumps to the
// next instant at which something is due, and all work that begins at an
// instant really runs, and is waited for, before time goes on.
type rehearsal struct {
	*loop
	ctx        context.Context
	exec       func(context.Context, worker.Task) worker.Reply
	recorded   *recordings // what servers answer
	missionDir string
	data       string
	owner      ed25519.PrivateKey
	script     []scheduled // what the owner does, by time and in file order
	edit       func(path string) *missionfile.Reading
	begun      []core.Work // at this instant
	asked      []question
	stood      core.Time // how long mission time has stood still
	halt       core.Time // when the grace of a stop ends, 0 none
}

func newRehearsal(ctx context.Context, c Config, mission *missionfile.Mission, script []missionfile.Scheduled, data string) (*rehearsal, error) {
	spec := mission.Spec()
	keys, owner := rehearsalKeys(spec.Mission.Name, spec.Mission.Seed)
	j, _, err := journal.Open(journal.Options{Dir: journalDir(data), Mission: rehearsalID(&keys), NoSync: true})
	if err != nil {
		return nil, err
	}
	r := &rehearsal{ctx: ctx, missionDir: mission.Dir(), data: data, owner: owner}
	all := &missions{compiled: map[int64]*missionfile.Mission{}}
	r.loop = &loop{state: core.New(), journal: j, wall: wallAt, desk: newDesk(all, &keys, c.run, pastOf(j))}
	r.desk.execute, r.desk.least, r.desk.open = r.begin, 1, true
	r.desk.ask = func(q question) { r.asked = append(r.asked, q) }
	r.desk.where = folders{mission.Dir(), data}
	r.exec = (&worker.Exec{Rehearsal: true}).Run
	r.edit = func(path string) *missionfile.Reading { return missionfile.Read(c.Path, path, c.Given) }
	r.script, err = schedule(script, owner)
	return r, err
}

// create records genesis and the sources.
func (r *rehearsal) create(mission *missionfile.Mission) error {
	if _, err := r.apply(0, "owner", genesis(mission, rehearsalID(r.desk.keys), r.desk.keys, r.owner)); err != nil {
		return err
	}
	r.desk.missions.put(1, mission)
	return r.recordSources(0, mission.Sources())
}

// scheduled is an order or an edit of rehearsal.hcl. Its time is that of the
// rehearsal, which goes on while mission time stands still.
type scheduled struct {
	at    core.Time
	order *core.Order // nil for an edit
	edit  string
}

// schedule signs nothing: a rehearsal's orders come from its own folder.
func schedule(script []missionfile.Scheduled, owner ed25519.PrivateKey) (all []scheduled, err error) {
	for i, s := range script {
		if s.Edit != "" {
			all = append(all, scheduled{at: s.At, edit: s.Edit})
			continue
		}
		said, err := OrderFromWords(s.Order)
		if err != nil {
			return nil, &DiagnosticsError{missionfile.Diagnostics{{
				Severity: missionfile.Error, Summary: "Not an order", Detail: err.Error() + ".", File: missionfile.RehearsalFile, Line: s.Line, Column: 1,
			}}}
		}
		body := fmt.Appendf(nil, "%d %q", i, s.Order)
		all = append(all, scheduled{at: s.At, order: &core.Order{
			ID: fmt.Sprintf("rehearsal-%d", i+1), Key: publicOf(owner), Counter: int64(i) + 1,
			Body: sha256.Sum256(body), Say: said.Name, Job: said.Job, Reason: said.Reason,
		}})
	}
	return all, nil
}

// run goes on until the mission has ended or is stopped for good.
func (r *rehearsal) run() error {
	now := r.state.Now()
	for {
		if err := r.instant(now); err != nil {
			return err
		}
		if r.state.Status() == core.Ended {
			return r.seal(now)
		}
		next, err := r.nextInstant(now)
		if err != nil {
			return err
		}
		now = next
	}
}

// nextInstant is when something is due next. Where nothing is, the mission is
// stalled, or stopped for good.
func (r *rehearsal) nextInstant(now core.Time) (core.Time, error) {
	status := r.state.Status()
	if status != core.Running && status != core.Stopping {
		if len(r.script) == 0 {
			return now, errors.Join(r.seal(now), errStopped)
		}
		r.stood = r.script[0].at - now
		return now, nil
	}
	next, ok := r.next()
	if len(r.script) > 0 && (!ok || r.script[0].at-r.stood < next) {
		next, ok = r.script[0].at-r.stood, true
	}
	switch {
	case status == core.Stopping && r.halt == 0:
		r.halt = now + core.Time(stopGrace.Milliseconds())
		return now, nil
	case status == core.Stopping && (!ok || r.halt <= next):
		halt := r.halt
		r.halt = 0
		_, err := r.apply(halt, "host", &core.Halt{})
		return halt, err
	case ok:
		return max(next, now), nil
	}
	_, err := r.apply(now, "mission", &core.Stall{})
	return now, err
}

// instant does everything that is due at one instant: the owner's orders in
// file order, answers by work id, timers, repeated until nothing is left.
func (r *rehearsal) instant(now core.Time) error {
	for {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		if len(r.script) > 0 && r.script[0].at <= now+r.stood {
			next := r.script[0]
			r.script = r.script[1:]
			if err := r.carryOut(now, next); err != nil {
				return err
			}
			continue
		}
		busy, err := r.settleOnce(now)
		if err != nil {
			return err
		}
		switch {
		case busy:
		case len(r.asked) > 0:
			if err := r.settleQuestions(); err != nil {
				return err
			}
		case len(r.begun) == 0:
			if advised, err := r.adviseNow(r.ctx, now); err != nil || !advised {
				return err
			}
		default:
			if err := r.work(); err != nil {
				return err
			}
		}
	}
}

// carryOut does what the owner does. An apply is about the edit that waits then.
func (r *rehearsal) carryOut(now core.Time, s scheduled) error {
	if s.order == nil {
		generation, before := r.desk.missions.inForce()
		_, err := r.takeEdit(now, newCandidate(generation, before, r.edit(s.edit), r.desk.keys))
		return err
	}
	if held := r.state.HeldEdit(); s.order.Say == core.ApplyEdit && held != nil {
		s.order.Edit = held.Digest
	}
	entry, err := r.apply(now, "owner", s.order)
	if err == nil {
		_, err = r.approved(now, entry)
	}
	return err
}

// begin notes work that starts at this instant.
func (r *rehearsal) begin(w core.Work) { r.begun = append(r.begun, w) }

// work runs everything that begins at this instant and holds the replies back
// until their modelled time is over.
func (r *rehearsal) work() error {
	begun := slices.DeleteFunc(r.begun, func(w core.Work) bool { return !r.desk.goesOn(w) }) // some have ended in the same instant
	r.begun = nil
	replies, missing := make([]worker.Reply, len(begun)), make([]*worker.Request, len(begun))
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var all sync.WaitGroup
	for i, w := range begun {
		a := r.attemptOf(w, r.missionDir, r.data)
		all.Go(func() {
			slots <- struct{}{}
			ask := func(_ context.Context, q worker.Request) worker.Reply {
				x, ok := r.recorded.answer(q)
				if !ok {
					missing[i] = &q
				}
				return q.Reply(x)
			}
			replies[i] = a.run(r.ctx, func(_ context.Context, t worker.Task) worker.Reply { return r.really(t) }, ask, r.desk.scripts)
			<-slots
		})
	}
	all.Wait()
	if err := r.recorded.without(missing); err != nil {
		return err
	}
	for i, w := range begun {
		if err := r.hold(w, replies[i]); err != nil {
			return err
		}
	}
	return nil
}

// really runs a task. A limit that depends on the machine is given ten times
// the allowance once.
func (r *rehearsal) really(t worker.Task) worker.Reply {
	reply := r.exec(r.ctx, t)
	if reply.MachineLimit && r.ctx.Err() == nil {
		if t.Timeout == 0 {
			t.Timeout = worker.DefaultTimeout
		}
		t.Timeout, t.MemoryBytes = 10*t.Timeout, 10*t.MemoryBytes
		reply = r.exec(r.ctx, t)
	}
	return reply
}

func (r *rehearsal) hold(w core.Work, reply worker.Reply) error {
	a := r.attemptOf(w, r.missionDir, r.data)
	a.tidy()
	if err := keepLog(r.data, a, reply); err != nil {
		return err
	}
	switch {
	case r.ctx.Err() != nil:
		return r.ctx.Err()
	case reply.MachineLimit:
		return machineLimit(a.task, reply)
	}
	r.desk.answerAtEnd(r.state, w, a.command(reply, r.desk.judgeFor(r.state, w)))
	return nil
}

func machineLimit(t worker.Task, r worker.Reply) error {
	return fmt.Errorf("%w: attempt %d of %s, with ten times its allowance: %s", ErrMachine, t.Attempt, t.Job, r.Detail)
}
