package host

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/worker"
)

// live drives the loop on the wall clock.
type live struct {
	*loop
	clock      *missionClock
	inbox      chan input
	orders     chan input // the owner's, taken before the inbox
	edits      chan offered
	exec       func(context.Context, worker.Task) worker.Reply
	ask        asker
	spawn      func(func())  // runs an attempt beside the loop
	beside     func(func())  // has scripts asked
	shown      []*shownOrder // the owner's, in the order in which they came
	missionDir string
	data       string
	log        *slog.Logger
	problems   io.Writer // what the owner should know
	stalled    bool      // and has been told

	work     context.Context // of everything that runs outside; ends with the host
	endWork  context.CancelFunc
	group    sync.WaitGroup
	mu       sync.Mutex                    // guards running: an emergency stop does not wait for the loop
	running  map[string]context.CancelFunc // by job
	thinkers chan struct{}
	thoughts map[string]time.Time // by job: since when the host owes it an answer; only the loop knows
	stops    map[string]bool      // emergency stops seen; only listen writes it
	killed   bool                 // by an emergency stop whose entry is not recorded yet
}

// input is what the world wants of the loop.
type input struct {
	by      string
	command core.Command
	receipt *Receipt    // written once the entry is recorded; may be nil
	vote    *SignedVote // of a seat held outside; its signature holds
	work    *core.Work  // of an answer the host itself makes: it is dropped when nobody waits for it any more
	counsel *counsel    // of a steward
	shown   *shownOrder // policies have said what they think of it
	seen    bool        // an order that has been shown to them, or does not wait for it
}

// maxInbox is how many inputs wait for the loop before their senders do.
const maxInbox = 4096

// maxBatch is how many inputs one turn takes.
const maxBatch = 1024

// maxOrders is how many orders wait for the loop before the control stream does.
const maxOrders = 256

// clockInterval is how much mission time passes without an entry before one
// says so.
const clockInterval = core.Time(core.Minute)

// stopGrace is the wall time running work is given to end after a stop.
const stopGrace = 30 * time.Second

// run goes on until the mission has ended or stopped, or ctx asks the host to
// leave. A failed append ends it: nothing more can be promised.
func (l *live) run(ctx context.Context) error {
	defer l.group.Wait()
	defer l.endWork()
	var grace <-chan time.Time
	for {
		more, err := l.turn()
		if err != nil {
			return err
		}
		if more && ctx.Err() == nil {
			continue
		}
		switch l.state.Status() {
		case core.Ended:
			return l.leave("ended")
		case core.Stopped, core.Emergency:
			if _, busy := l.state.NextDeadline(); !busy {
				return joinStopped(l.leave("stopped"))
			}
		case core.Stopping:
			if grace == nil {
				grace = time.After(stopGrace)
			}
		default:
			grace = nil
		}
		l.tellStalled()
		l.consult()
		select {
		case <-ctx.Done():
			return l.leave("asked to leave")
		case <-grace:
			if _, err := l.apply(l.clock.now(), "host", &core.Halt{}); err != nil {
				return err
			}
		case in := <-l.orders:
			if err := l.take(in); err != nil {
				return err
			}
		case in := <-l.inbox:
			if err := l.take(in); err != nil {
				return err
			}
		case o := <-l.edits:
			if err := l.takeOffer(o); err != nil {
				return err
			}
		case <-l.wake():
		case <-l.journal.Changed():
			if err := l.journal.Err(); err != nil {
				return err
			}
		}
	}
}

// tellStalled says once that nothing will happen by itself any more: the
// mission waits for its owner.
func (l *live) tellStalled() {
	_, due := l.state.NextDeadline()
	_, reply := l.desk.nextReply()
	_, _, advised := l.state.StewardDue()
	stalled := !due && !reply && !advised && l.state.Status() == core.Running && l.state.Open() > 0 && len(l.desk.doing) == 0
	if stalled && !l.stalled {
		io.WriteString(l.problems, stalledText(l.state))
	}
	l.stalled = stalled
}

// stalledText says that nothing goes on by itself, or whose word it waits for.
func stalledText(s *core.State) string {
	for _, j := range s.Jobs() {
		if question, _ := j.Asked(); question != nil {
			return "the mission waits for you: omega approve " + j.Spec.ID + " or omega deny " + j.Spec.ID + "; `omega status` lists all that waits\n"
		}
	}
	for w := range s.Proposals() {
		return "the mission waits for you: omega approve " + w.ID + " or omega deny " + w.ID + "; `omega status` lists all that waits\n"
	}
	jobs := "1 job is"
	if n := s.Open(); n != 1 {
		jobs = fmt.Sprintf("%d jobs are", n)
	}
	return "the mission is stalled: " + jobs + " open and none can go on; `omega job list` says why each one waits\n"
}

func joinStopped(err error) error {
	if err != nil {
		return err
	}
	return errStopped
}

// turn takes what has come and settles what is due. It reports whether
// something is left to settle.
func (l *live) turn() (more bool, err error) {
	if _, posting := l.state.ExpandFrom(); !posting { // the declared jobs come before any other input
		if err := l.takeAll(); err != nil {
			return false, err
		}
	}
	more, err = l.settle(l.clock.now())
	l.keepTime()
	if err != nil {
		return false, err
	}
	if now := l.clock.now(); !more && now >= l.state.Now()+clockInterval { // never past what is due and not settled
		_, err = l.apply(now, "mission", &core.Clock{})
	}
	return more, err
}

func (l *live) takeAll() error {
	select {
	case o := <-l.edits:
		if err := l.takeOffer(o); err != nil {
			return err
		}
	default:
	}
	for range maxBatch {
		select {
		case in := <-l.orders: // the owner comes first
			if err := l.take(in); err != nil {
				return err
			}
			continue
		default:
		}
		select {
		case in := <-l.orders:
			if err := l.take(in); err != nil {
				return err
			}
		case in := <-l.inbox:
			if err := l.take(in); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

// keepTime lets mission time stand still while the mission does.
func (l *live) keepTime() {
	switch l.state.Status() {
	case core.Running, core.Stopping:
		l.clock.run()
	default:
		if !l.clock.stopped {
			l.clock.stop(l.state.Now())
		}
	}
}

// take steps one input. What was due before it comes first.
func (l *live) take(in input) error {
	switch {
	case in.work != nil:
		return l.takeThought(in)
	case in.counsel != nil:
		return l.takeCounsel(in.counsel)
	case in.shown != nil:
		return l.takeShown(in)
	}
	if in.vote != nil && !in.vote.seated(l.state) {
		in.receipt.write(l.state.Seq(), &core.Refusal{Code: core.RefuseVoteClosed, Detail: in.vote.Validator + " does not hold this seat"})
		return nil
	}
	now := l.clock.now()
	if order, ok := in.command.(*core.Order); ok {
		if answer, seq, known := l.state.Acknowledged(order.ID, order.Body); known {
			in.receipt.write(seq, refusalOf(&answer))
			l.obeyed(order, l.state.Status())
			return nil
		}
		if !in.seen && l.showFirst(in, order) {
			return nil
		}
		if err := l.obeyShown(!in.seen); err != nil { // in the order in which they were given
			return err
		}
	}
	if err := l.catchUp(now); err != nil {
		return err
	}
	if l.heldBack(in) {
		return nil
	}
	now = l.standing(now)
	before := l.state.Status()
	entry, err := l.apply(now, in.by, in.command)
	if err != nil {
		return err
	}
	in.receipt.write(entry.Seq, answerOf(entry))
	if order, ok := in.command.(*core.Order); ok {
		l.obeyed(order, before)
		return l.letThrough(now, entry)
	}
	return nil
}

// letThrough puts the edit in force that an order has approved, and says so once
// that is durable.
func (l *live) letThrough(now core.Time, entry *core.Entry) error {
	e, err := l.approved(now, entry)
	if e != nil {
		l.group.Go(func() {
			if l.journal.WaitDurable(l.work, uint64(e.seq)) == nil {
				e.tell(l.problems)
			}
		})
	}
	return err
}

// offered is a candidate, and where to say what became of it.
type offered struct {
	*candidate
	answer chan *edit
}

// offer hands the loop a candidate and waits until what became of it is durable;
// nil if the host ends before.
func (l *live) offer(ctx context.Context, c *candidate) *edit {
	o := offered{c, make(chan *edit, 1)}
	select {
	case l.edits <- o:
	case <-ctx.Done():
		return nil
	}
	select {
	case e := <-o.answer:
		if e.seq > 0 && l.journal.WaitDurable(ctx, uint64(e.seq)) != nil {
			return nil
		}
		return e
	case <-ctx.Done():
		return nil
	}
}

// takeOffer takes a candidate. What was due before it comes first.
func (l *live) takeOffer(o offered) error {
	now := l.clock.now()
	if err := l.catchUp(now); err != nil {
		return err
	}
	e, err := l.takeEdit(l.standing(now), o.candidate)
	if err == nil {
		o.answer <- e
	}
	return err
}

// takeThought steps an answer of the host itself, unless nobody waits for it any
// more. Thinking takes no mission time: it comes before what was due meanwhile.
func (l *live) takeThought(in input) error {
	if !l.desk.goesOn(*in.work) {
		return nil
	}
	delete(l.thoughts, in.work.Job.Spec.ID)
	if in.command == nil || l.desk.heldBack(l.state, answer{id: in.work.Job.WorkID(), by: in.by, work: *in.work, command: in.command}) {
		return nil // it has nothing to say, or policies have been changed while they were asked
	}
	_, err := l.apply(l.state.Now(), in.by, in.command)
	return err
}

// obeyed brings everything into line with an order. All jobs are looked at only
// where the mission as a whole has changed: an order that posts one must not
// cost more with every job there is. Work that an emergency stop has killed and
// the record then did not stop begins again.
func (l *live) obeyed(o *core.Order, before core.Status) {
	l.mu.Lock()
	killed := l.killed && o.Say == core.EmergencyStop // an order before it must not begin again what it has killed
	l.killed = l.killed && !killed
	l.mu.Unlock()
	l.keepTime()
	if killed || l.state.Status() != before {
		l.desk.reconcileAll(l.state)
	}
	if killed {
		l.desk.again(l.state)
	}
}

// wake is closed or fires when something is due by itself.
func (l *live) wake() <-chan time.Time {
	due, ok := l.next()
	if tick := l.state.Now() + clockInterval; !l.clock.stopped && (!ok || tick < due) {
		due, ok = tick, true
	}
	if !ok || l.clock.stopped && due > l.clock.now() {
		return nil
	}
	wait := l.clock.until(due)
	if len(l.thoughts) > 0 {
		wait = min(wait, longThought)
	}
	return time.After(wait)
}

// Send puts an input into the inbox, unless the host has ended.
func (l *live) send(in input) {
	select {
	case l.inbox <- in:
	case <-l.work.Done():
	}
}

// begin has an attempt run, once the entry that assigned it is durable.
func (l *live) begin(w core.Work) {
	a := l.attemptOf(w, l.missionDir, l.data)
	cause, _ := l.journal.Head()
	ctx, cancel := l.hold(w)
	judge := l.desk.judgeFor(l.state, w)
	l.spawn(func() {
		defer cancel()
		if err := l.journal.WaitDurable(ctx, cause); err != nil {
			return
		}
		reply := a.run(ctx, l.exec, l.ask, l.desk.scripts)
		a.tidy()
		if ctx.Err() != nil {
			return // it was ended: the state knows
		}
		if err := keepLog(l.data, a, reply); err != nil {
			l.log.Warn("a log is lost", "error", err)
		}
		l.send(input{by: a.worker, command: a.command(reply, judge)})
	})
}

// end ends an attempt that the state no longer wants.
func (l *live) end(w core.Work) {
	delete(l.thoughts, w.Job.Spec.ID)
	l.mu.Lock()
	defer l.mu.Unlock()
	id := w.Job.Spec.ID
	if cancel := l.running[id]; cancel != nil {
		cancel()
		delete(l.running, id)
	}
}

// kill ends all work at once, ahead of the record: an emergency stop.
func (l *live) kill() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.killed = true
	for _, cancel := range l.running {
		cancel()
	}
	clear(l.running)
}

// leave takes what has come, but no new work, seals the state and goes.
func (l *live) leave(reason string) error {
	if err := l.takeAll(); err != nil {
		return err
	}
	if err := l.obeyShown(true); err != nil {
		return err
	}
	l.endWork()
	now := l.clock.now()
	if l.state.Status() == core.Paused || l.clock.stopped {
		now = l.state.Now()
	}
	if err := l.catchUp(now); err != nil { // nobody who comes later can tell what was in time
		return err
	}
	now = l.standing(now)
	if _, err := l.apply(now, "host", &core.Leave{Reason: reason}); err != nil {
		return err
	}
	if err := l.seal(now); err != nil {
		return err
	}
	seq, _ := l.journal.Head()
	return l.journal.WaitDurable(context.Background(), seq)
}

// listen brings the orders of the control stream in. An emergency stop kills
// before it is recorded.
func (l *live) listen(ctx context.Context, s *stream) {
	watchControl(ctx, l.data, func() {
		orders, err := s.read()
		if err != nil {
			l.log.Warn("the control stream cannot be read", "error", err)
		}
		l.hear(orders)
	})
}

// hear hands orders to the loop. An emergency stop kills before any of them
// waits.
func (l *live) hear(orders []*core.Order) {
	for _, o := range orders {
		if o.Say == core.EmergencyStop && !l.stops[o.ID] {
			l.stops[o.ID] = true
			l.kill()
		}
	}
	for _, o := range orders {
		select {
		case l.orders <- input{by: "owner", command: o}:
		case <-l.work.Done():
			return
		}
	}
}
