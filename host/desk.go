package host

import (
	"container/heap"
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
	cast     map[string][]castVote // by job, of the round that goes on
	replies  replies               // what will be answered at a later instant
	answers  []answer              // what can be answered at once
	ready    []answer              // what due has handed over, its room used again
	execute  func(core.Work)
	stop     func(core.Work)
	least    core.Time // the shortest time work takes
	open     bool      // work begins; not before a host has taken what it missed
}

// answer is an input the host itself makes.
type answer struct {
	id      string // work id, for the order within an instant
	by      string
	work    core.Work
	command core.Command
}

func newDesk(missions *missions, keys *Keys) *desk {
	return &desk{missions: missions, keys: keys, doing: map[string]core.Work{}, sealers: map[string]*council.Sealer{}, cast: map[string][]castVote{}}
}

// reconcile starts and ends work so that what is being done is what the state
// says should be. It looks only at jobs that have changed.
func (d *desk) reconcile(s *core.State) {
	s.Changed(func(j *core.Job) {
		if d.open {
			d.compare(s, j)
		}
	})
}

// reconcileAll looks at every job: at the start, when the desk opens, and when
// the mission as a whole has changed.
func (d *desk) reconcileAll(s *core.State) {
	d.open = true
	d.reconcile(s)
	for _, id := range slices.Sorted(maps.Keys(d.doing)) {
		d.compare(s, s.Job(id)) // what is not outstanding any more, and will have to begin anew
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
	if have.Kind == core.RunAttempt && d.stop != nil {
		d.stop(have)
	}
	if want.Kind == core.NoWork {
		delete(d.doing, id)
		delete(d.cast, id)
		return
	}
	d.doing[id] = want
	d.begin(s, want)
}

func (d *desk) begin(s *core.State, w core.Work) {
	switch w.Kind {
	case core.ResolveInput:
		d.answers = append(d.answers, d.resolve(s, w))
	case core.RunAttempt:
		if w.Job.Worker.Spec().Kind == core.Simulated {
			d.simulate(s, w)
			return
		}
		d.execute(w)
	case core.CommitVotes:
		d.answers = append(d.answers, d.commit(s, w))
	case core.RevealVotes:
		d.answers = append(d.answers, d.reveal(s, w))
	}
}

// again begins all running attempts anew, under the leases they have.
func (d *desk) again() {
	for _, id := range slices.Sorted(maps.Keys(d.doing)) {
		if w := d.doing[id]; w.Kind == core.RunAttempt && w.Job.Worker.Spec().Kind != core.Simulated {
			d.execute(w)
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
		ready = append(ready, heap.Pop(&d.replies).(reply).answer)
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
	at := max(w.Job.EndsAt(), w.Job.StartedAt+d.least)
	a := answer{id: w.Job.WorkID(), by: "worker:" + w.Job.Worker.ID, work: w, command: command}
	if at <= s.Now() {
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
	if judge := d.judgeFor(s, w); judge != nil {
		verdict := judge(result)
		answer.Judged = &verdict
	}
	d.answerAtEnd(s, w, answer)
}

// resolve evaluates the input of a job whose needs have ended.
func (d *desk) resolve(s *core.State, w core.Work) answer {
	id := w.Job.Spec.ID
	a := answer{id: id + "/input", by: "mission", work: w}
	mission := d.missions.loaded(w.Job.Spec.Generation)
	input, problem := mission.Input(id, func(need string) ([]byte, bool) {
		j := s.Job(need)
		if j == nil || j.State != core.JobFinalized {
			return nil, false
		}
		return j.Result, true
	})
	if problem != nil {
		a.command = &core.Resolve{Job: id, Problem: fmt.Sprintf("%s:%d: %s", problem.File, problem.Line, problem.Detail)}
	} else {
		a.command = &core.Resolve{Job: id, Input: input}
	}
	return a
}
