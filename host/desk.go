package host

import (
	"container/heap"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/council"
	"github.com/omega-run/omega/host/worker"
)

// desk does what the state says is outstanding, or has it done. It remembers
// who is doing what only to start each thing once: after a crash the state says
// it again.
type desk struct {
	missions *missions
	keys     *Keys
	doing    map[string]core.Work // by job
	sealers  map[string]*council.Sealer
	panels   map[string]*panel // by job, of the round that goes on
	replies  replies           // what will be answered at a later instant
	answers  []answer          // what can be answered at once
	ready    []answer          // what due has handed over, its room used again
	execute  func(core.Work)
	ask      func(question) // beside the loop
	stop     func(core.Work)
	where    folders
	index    index                               // of the state, for scripts
	scripts  *scripts                            // nil: somebody else answers for policies and stewards
	news     news                                // for strategists
	consults bool                                // a steward is being asked
	past     func(core.Seq) (*core.Entry, error) // reads a durable entry
	broken   error                               // why past could not be read: nothing may be decided by that
	least    core.Time                           // the shortest time work takes
	open     bool                                // work begins; not before a host has taken what it missed
}

// answer is an input the host itself makes.
type answer struct {
	id      string // work id, for the order within an instant
	by      string
	work    core.Work
	command core.Command
	judge   func([]byte) core.Judgement // of a result, where an expression has to be evaluated first
}

// judged asks for an answer's judgement.
func (a answer) judged() question {
	return question{id: a.id, by: a.by, work: a.work, answer: func(context.Context, runner) core.Command {
		result := a.command.(*core.Result)
		verdict := a.judge(result.Result)
		result.Judged = &verdict
		return result
	}}
}

func newDesk(missions *missions, keys *Keys, scripts *scripts, past func(core.Seq) (*core.Entry, error)) *desk {
	missions.scripts = scripts
	return &desk{missions: missions, keys: keys, scripts: scripts, past: past, doing: map[string]core.Work{}, sealers: map[string]*council.Sealer{}, panels: map[string]*panel{}}
}

// reconcile starts and ends work so that what is being done is what the state
// says should be. It looks only at jobs that have changed.
func (d *desk) reconcile(s *core.State) {
	if d.open {
		for _, j := range s.Changed() {
			d.compare(s, j)
		}
	}
}

// reconcileAll looks at every job: at the start, when the desk opens, and when
// the mission as a whole has changed.
func (d *desk) reconcileAll(s *core.State) {
	d.open = true
	d.reconcile(s)
	for _, id := range slices.Sorted(maps.Keys(d.doing)) {
		d.compare(s, d.doing[id].Job) // what is not outstanding any more, and will have to begin anew
	}
	for _, w := range s.Outstanding() {
		d.compare(s, w.Job)
	}
}

func (d *desk) compare(s *core.State, j *core.Job) {
	id := j.Spec.ID
	want, have := s.WorkOf(j), d.doing[id]
	if want.Kind == have.Kind && want.Attempt == have.Attempt && want.Lease == have.Lease && want.Round == have.Round {
		return
	}
	if have.Kind != core.NoWork && d.stop != nil {
		d.stop(have)
	}
	if want.Kind == core.NoWork {
		delete(d.doing, id)
		delete(d.panels, id)
		return
	}
	d.doing[id] = want
	d.begin(s, want)
}

func (d *desk) begin(s *core.State, w core.Work) {
	switch w.Kind {
	case core.ResolveInput:
		d.ask(d.resolve(s, w))
	case core.RunAttempt:
		if w.Job.Worker.Spec().Kind == core.Simulated {
			d.simulate(s, w)
			return
		}
		d.execute(w)
	case core.AskPolicies:
		if d.scripts != nil {
			d.ask(d.admit(s, w))
		}
	case core.CommitVotes:
		d.ask(d.commit(s, w))
	case core.RevealVotes:
		if a := d.reveal(s, w); len(a.command.(*core.Reveal).Votes) > 0 {
			d.answers = append(d.answers, a)
		}
	}
}

// again begins everything anew that is done beside the loop, under the leases
// there are.
func (d *desk) again(s *core.State) {
	for _, id := range slices.Sorted(maps.Keys(d.doing)) {
		w := d.doing[id]
		if w.Kind != core.RunAttempt || w.Job.Worker.Spec().Kind != core.Simulated {
			d.begin(s, w)
		}
	}
}

// goesOn reports whether work that was begun is still what should be done.
func (d *desk) goesOn(w core.Work) bool { return d.wanted(answer{work: w}) }

// wanted reports whether an answer is still to the question that stands.
func (d *desk) wanted(a answer) bool {
	have := d.doing[a.work.Job.Spec.ID]
	return have.Kind == a.work.Kind && have.Attempt == a.work.Attempt && have.Lease == a.work.Lease && have.Round == a.work.Round
}

// due hands over what can be answered by now, in the order of the work ids. It
// is valid until the next call.
func (d *desk) due(now core.Time) []answer {
	ready := d.answers
	d.answers = d.ready[:0]
	for len(d.replies) > 0 && d.replies[0].at <= now {
		a := heap.Pop(&d.replies).(reply).answer
		if a.judge == nil {
			ready = append(ready, a)
		} else if d.wanted(a) {
			d.ask(a.judged())
		}
	}
	slices.SortStableFunc(ready, func(a, b answer) int { return strings.Compare(a.id, b.id) })
	d.ready = ready
	return ready
}

func (d *desk) nextReply() (core.Time, bool) {
	if len(d.answers) > 0 {
		return 0, true
	}
	for len(d.replies) > 0 && !d.wanted(d.replies[0].answer) {
		heap.Pop(&d.replies) // what it answers has ended: nothing waits for it
	}
	if len(d.replies) == 0 {
		return 0, false
	}
	return d.replies[0].at, true
}

// reply is an answer that is given at a later instant of mission time.
type reply struct {
	at core.Time
	answer
}

type replies []reply

func (r replies) Len() int { return len(r) }
func (r replies) Less(i, j int) bool {
	return r[i].at < r[j].at || r[i].at == r[j].at && r[i].id < r[j].id
}
func (r replies) Swap(i, j int) { r[i], r[j] = r[j], r[i] }
func (r *replies) Push(x any)   { *r = append(*r, x.(reply)) }
func (r *replies) Pop() any {
	last := len(*r) - 1
	x := (*r)[last]
	*r = (*r)[:last]
	return x
}

// answerAtEnd gives a work's answer when its modelled time is over.
func (d *desk) answerAtEnd(s *core.State, w core.Work, command core.Command) {
	d.answerWhenOver(s, w, command, nil)
}

func (d *desk) answerWhenOver(s *core.State, w core.Work, command core.Command, judge func([]byte) core.Judgement) {
	at := max(w.Job.EndsAt(), w.Job.StartedAt+d.least)
	a := answer{id: w.Job.WorkID(), by: "worker:" + w.Job.Worker.ID, work: w, command: command, judge: judge}
	switch {
	case at > s.Now():
	case judge != nil:
		d.ask(a.judged())
		return
	default:
		d.answers = append(d.answers, a)
		return
	}
	heap.Push(&d.replies, reply{at, a})
}

// simulate decides how a simulated attempt ends; it ends when its time is over.
func (d *desk) simulate(s *core.State, w core.Work) {
	j := w.Job
	spec := j.Worker.Spec().Simulated
	model := worker.Simulated{FailureRatio: int64(spec.FailureRatio), WrongRatio: int64(spec.WrongRatio)}
	fail, wrong := model.Outcome(uint64(s.Spec().Mission.Seed), j.Spec.ID, int(w.Attempt))
	if fail {
		d.answerAtEnd(s, w, &core.Failure{Job: j.Spec.ID, Attempt: w.Attempt, Lease: w.Lease, Reason: "exit", Detail: "The simulated worker failed."})
		return
	}
	if j.Spec.Delegate != nil && len(j.Children) == 0 {
		d.answerAtEnd(s, w, handsOn(w))
		return
	}
	result := j.Spec.Simulated
	switch {
	case wrong:
		result = []byte(worker.WrongResult)
	case result == nil:
		result = []byte("{}")
	}
	answer := &core.Result{
		Job: j.Spec.ID, Attempt: w.Attempt, Lease: w.Lease, Result: result, EnergyUsed: core.Unreported, ComputeUsed: core.Unreported,
	}
	judge := d.judgeFor(s, w)
	if judge != nil && !j.Spec.Accept { // no expression to evaluate
		verdict := judge(result)
		answer.Judged, judge = &verdict, nil
	}
	d.answerWhenOver(s, w, answer, judge)
}

// handsOn is a simulated worker's first answer to a job that declares children.
func handsOn(w core.Work) core.Command {
	j := w.Job
	children, err := childrenOf(j.Spec.ID, 0, j.Spec.Delegate)
	if err != nil {
		return &core.Failure{Job: j.Spec.ID, Attempt: w.Attempt, Lease: w.Lease, Reason: "delegation", Detail: err.Error() + "."}
	}
	return &core.Delegate{Job: j.Spec.ID, Attempt: w.Attempt, Lease: w.Lease, EnergyUsed: core.Unreported, ComputeUsed: core.Unreported, Children: children}
}

// recorded reads the result of a job that the state has put away.
func (d *desk) recorded(f core.Finished) []byte {
	entry, err := d.past(f.Result)
	if err != nil {
		d.broken = fmt.Errorf("reading the result of %s: %w", f.ID, err)
		return nil
	}
	for _, event := range entry.Events {
		if e, ok := event.(*core.AttemptSubmitted); ok && e.Job == f.ID {
			return e.Result
		}
	}
	panic(fmt.Sprintf("host: entry %d has no result of %s", f.Result, f.ID))
}

// resolve asks for the input of a job whose needs have ended.
func (d *desk) resolve(s *core.State, w core.Work) question {
	id := w.Job.Spec.ID
	mission := d.missions.loaded(w.Job.Spec.Generation)
	results := map[string][]byte{}
	for _, need := range w.Job.Spec.Needs {
		if j := s.Job(need); j != nil && j.State == core.JobFinalized {
			results[need] = j.Answer.Result
		} else if f, ok := s.Finished(need); ok && f.State == core.JobFinalized {
			results[need] = d.recorded(f)
		}
	}
	return question{id: id + "/input", by: "mission", work: w, answer: func(context.Context, runner) core.Command {
		input, problem := mission.Input(id, func(need string) ([]byte, bool) {
			result, ok := results[need]
			return result, ok
		})
		if problem != nil {
			return &core.Resolve{Job: id, Problem: fmt.Sprintf("%s:%d: %s", problem.File, problem.Line, problem.Detail)}
		}
		return &core.Resolve{Job: id, Input: input}
	}}
}
