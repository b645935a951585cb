package projection

import (
	"slices"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// census follows the open jobs, one entry at a time. Nothing in it looks at all
// of them but takeUp.
type census struct {
	counts JobCounts
	byID   map[string]*tracked
	unused *tracked // given back, linked by open.next
	posted int64    // numbers jobs in post order

	open   roll
	rounds roll
	asked  roll

	purses []*purse // in the order of their accounts
	needs  [2]int64 // open jobs with an energy, a compute budget
	wants  demand   // of the ready jobs together
	inputs int64    // posted jobs whose input is to be worked out
	agenda agenda

	touched []*tracked // in this entry
	leaving []*tracked // ended in this entry
	last    *tracked   // asked for last
	left    *kept      // by a former host's Set, until the first entry
}

// purse is what the jobs of one employer wait for. Children are paid out of
// their parent's escrow, which was set aside for them: all of them share a
// purse without an account.
type purse struct {
	account  ledger.Name
	unfunded int64 // posted jobs without escrow
	rewards  Sum   // of them
	wants    demand
}

// demand is what ready jobs wait for.
type demand struct {
	jobs   int64
	budget [2]Sum // energy, compute
}

func (d *demand) add(spec *core.JobSpec) {
	d.jobs++
	d.budget[0].add(uint64(spec.EnergyBudget))
	d.budget[1].add(uint64(spec.ComputeBudget))
}

func (d *demand) sub(spec *core.JobSpec) {
	d.jobs--
	d.budget[0].sub(uint64(spec.EnergyBudget))
	d.budget[1].sub(uint64(spec.ComputeBudget))
}

func newCensus() census {
	return census{
		byID:   map[string]*tracked{},
		open:   roll{at: func(r *tracked) *link { return &r.open }},
		rounds: roll{at: func(r *tracked) *link { return &r.round }},
		asked:  roll{at: func(r *tracked) *link { return &r.asked }},
	}
}

func (c *census) purseOf(s *core.State, spec *core.JobSpec) *purse {
	account := spec.EmployerOf(s.Spec().Mission.Owner)
	if spec.Parent != "" {
		account = ledger.Name{}
	}
	at := 0
	for ; at < len(c.purses) && c.purses[at].account.Owner <= account.Owner; at++ {
		if c.purses[at].account == account {
			return c.purses[at]
		}
	}
	p := &purse{account: account}
	c.purses = slices.Insert(c.purses, at, p)
	return p
}

// find is the job an event concerns; it may have ended in this entry.
func find(s *core.State, id string) *core.Job {
	if j := s.Job(id); j != nil {
		return j
	}
	for _, j := range s.Ended() {
		if j.Spec.ID == id {
			return j
		}
	}
	return nil
}

// of finds what is kept of an open job and notes that the entry concerns it;
// nil where there is none.
func (c *census) of(id string) *tracked {
	r := c.last
	if r == nil || r.job.Spec.ID != id {
		if r = c.byID[id]; r == nil {
			return nil
		}
		c.last = r
	}
	if !r.touched {
		r.touched = true
		c.touched = append(c.touched, r)
	}
	return r
}

// track takes a job up, once.
func (c *census) track(s *core.State, j *core.Job) *tracked {
	if r := c.byID[j.Spec.ID]; r != nil {
		return r
	}
	r := c.unused
	if r == nil {
		r = &tracked{}
	} else {
		c.unused = r.open.next
		*r = tracked{seats: r.seats[:0], names: r.names[:0]}
	}
	c.posted++
	r.job, r.state, r.number, r.purse = j, core.JobPostedState, c.posted, c.purseOf(s, j.Spec.JobSpec)
	c.byID[j.Spec.ID] = r
	c.open.push(r)
	c.counts.Posted++
	c.opened(j, 1)
	c.move(s, r)
	return r
}

func (c *census) opened(j *core.Job, by int64) {
	c.counts.Open += by
	if j.Spec.EnergyBudget > 0 {
		c.needs[0] += by
	}
	if j.Spec.ComputeBudget > 0 {
		c.needs[1] += by
	}
}

// settle counts the jobs of an entry where they are after it. It is all the
// same how they came there.
func (c *census) settle(s *core.State) {
	c.agenda.reach(s.Now() + core.Time(s.Spec().Autonomy.ForecastHorizon))
	for _, r := range c.touched {
		r.touched = false
		c.move(s, r)
	}
	for _, r := range c.leaving {
		c.leave(r)
	}
	c.touched, c.leaving, c.last = c.touched[:0], c.leaving[:0], nil
}

func (c *census) move(s *core.State, r *tracked) {
	j := r.job
	if j.State.Terminal() {
		return // until it leaves
	}
	if r.state != j.State {
		*c.counts.of(r.state)--
		*c.counts.of(j.State)++
		r.state = j.State
	}
	posted := j.State == core.JobPostedState
	c.wait(r, posted && !j.Escrowed && j.Spec.Reward > 0, j.State == core.JobReadyState)
	c.resolve(r, posted && j.Spec.Lazy)
	c.agenda.put(r, dueOf(j))
}

// dueOf is when a job has to be submitted, 0 for never. Jobs that are not ready
// yet, and those whose result is in, have no deadline running.
func dueOf(j *core.Job) core.Time {
	if j.Spec.Deadline == 0 {
		return 0
	}
	switch j.State {
	case core.JobReadyState, core.JobAssignedState, core.JobRunning, core.JobRejected, core.JobDelegated:
		return j.ReadyAt + core.Time(j.Spec.Deadline)
	}
	return 0
}

func (c *census) wait(r *tracked, unfunded, ready bool) {
	p, spec := r.purse, r.job.Spec.JobSpec
	if r.unfunded != unfunded {
		r.unfunded = unfunded
		if unfunded {
			p.unfunded++
			r.reward = uint64(spec.Reward) // it may be raised before it is paid
			p.rewards.add(r.reward)
		} else {
			p.unfunded--
			p.rewards.sub(r.reward)
		}
	}
	if r.ready != ready {
		r.ready = ready
		if ready {
			p.wants.add(spec)
			c.wants.add(spec)
		} else {
			p.wants.sub(spec)
			c.wants.sub(spec)
		}
	}
}

func (c *census) resolve(r *tracked, inputs bool) {
	switch {
	case inputs && !r.inputs:
		c.inputs++
	case !inputs && r.inputs:
		c.inputs--
	}
	r.inputs = inputs
}

// leave lets go of a job that has ended.
func (c *census) leave(r *tracked) {
	*c.counts.of(r.state)--
	c.opened(r.job, -1)
	c.wait(r, false, false)
	c.resolve(r, false)
	c.agenda.put(r, 0)
	c.open.remove(r)
	c.rounds.remove(r)
	c.asked.remove(r)
	delete(c.byID, r.job.Spec.ID)
	r.job, r.open.next, c.unused = nil, c.unused, r
}

// recalled keeps what a former host's Set has said of open jobs until the first
// entry is applied.
func (c *census) recalled(k *kept) { c.counts, c.left = k.Counts, k }

// takeUp takes up the open jobs of a state, as a former host's Set left them. An
// entry has been applied since: jobs that ended in it are still to be let go.
func (p *Set) takeUp(s *core.State) {
	c := &p.census
	for _, j := range s.Jobs() {
		if !j.State.Terminal() {
			c.track(s, j)
		}
	}
	for _, j := range s.Ended() {
		c.track(s, j)
	}
	for r := range c.open.all {
		if id := r.job.LastWorker; r.job.Worker != nil {
			r.worker = p.Workers.of(r.job.Worker.ID)
		} else if id != "" {
			r.worker = p.Workers.of(id)
		}
	}
	for _, round := range c.left.Rounds {
		r := c.byID[round.Job]
		r.before, r.names = round.Before, round.Seats
		for _, id := range round.Seats {
			r.seats = append(r.seats, p.Validators.of(id))
		}
		if round.Open {
			c.rounds.push(r)
		}
	}
	for _, approval := range c.left.Asked {
		r := c.byID[approval.Job]
		r.approval = &approval
		c.asked.push(r)
	}
	c.left, p.recall = nil, false
}
