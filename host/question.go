package host

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/worker"
)

// runner has a program run; it is a worker's.
type runner func(context.Context, worker.Task) worker.Reply

// question is something the host itself has to say: how its validators vote,
// what an input comes to, whether a result is accepted. Expressions have no
// limit of steps and programs take their time, so it is answered beside the
// loop, out of copies alone. A nil answer is silence.
type question struct {
	id      string // work id, for the order within an instant
	by      string
	work    core.Work
	program bool // it asks a program: its cause has to be durable first
	script  bool // it asks scripts: they run elsewhere, and take no processor of the host
	answer  func(context.Context, runner) core.Command
}

// consider answers a question on the wall clock.
func (l *live) consider(q question) {
	ctx, done := l.hold(q.work)
	cause, _ := l.journal.Head()
	if !q.program {
		l.thoughts[q.work.Job.Spec.ID] = time.Now()
	}
	l.group.Go(func() {
		defer done()
		if q.program {
			if err := l.journal.WaitDurable(ctx, cause); err != nil {
				return
			}
		} else if !q.script { // no more at once than there are processors
			l.thinkers <- struct{}{}
			defer func() { <-l.thinkers }()
		}
		command := q.answer(ctx, l.exec)
		if ctx.Err() != nil {
			return // it was ended, and a program that was killed has not said anything
		}
		l.send(input{by: q.by, command: command, work: &q.work})
	})
}

// longThought is the wall time after which a window closes although the host
// has not come to an answer: an expression may never end.
const longThought = 10 * time.Second

// thinking reports whether the host owes a job an answer it can give by itself.
func (l *live) thinking(job string) bool {
	since, owed := l.thoughts[job]
	return owed && time.Since(since) < longThought
}

// hold notes work under way, so that it can be ended, and makes its context.
func (l *live) hold(w core.Work) (context.Context, context.CancelFunc) {
	return l.holdAs(w.Job.Spec.ID)
}

func (l *live) holdAs(name string) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(l.work)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.killed {
		cancel()
	}
	l.running[name] = cancel
	return ctx, cancel
}

// thinkers is how many questions are answered at the same time.
func thinkers() chan struct{} { return make(chan struct{}, runtime.GOMAXPROCS(0)) }

// settleQuestions answers what has been asked at this instant, all of it before
// time goes on.
func (r *rehearsal) settleQuestions() error {
	asked := slices.DeleteFunc(r.asked, func(q question) bool { return !r.desk.goesOn(q.work) })
	r.asked = nil
	answers, limits := make([]core.Command, len(asked)), make([]error, len(asked))
	slots := thinkers()
	var all sync.WaitGroup
	for i, q := range asked {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			answers[i] = q.answer(r.ctx, func(_ context.Context, t worker.Task) worker.Reply {
				reply := r.really(t)
				if reply.MachineLimit && limits[i] == nil {
					limits[i] = machineLimit(t, reply)
				}
				return reply
			})
		})
	}
	all.Wait()
	if err := r.desk.scripts.broken(); err != nil {
		return err
	}
	for i, q := range asked {
		if limits[i] != nil {
			return limits[i]
		}
		if answers[i] != nil {
			r.desk.answers = append(r.desk.answers, answer{id: q.id, by: q.by, work: q.work, command: answers[i]})
		}
	}
	return r.ctx.Err()
}

// ponder answers a question at once: by hand there is no beside.
func (m *Manual) ponder(q question) {
	if command := q.answer(m.host.work, m.host.exec); command != nil {
		m.host.desk.answers = append(m.host.desk.answers, answer{id: q.id, by: q.by, work: q.work, command: command})
	}
}
