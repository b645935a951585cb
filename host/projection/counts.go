package projection

import "github.com/omega-run/omega/host/core"

// JobCounts counts jobs by their state.
type JobCounts struct {
	Total      int64 `json:"total"` // posted so far
	Open       int64 `json:"open"`  // not ended
	Posted     int64 `json:"posted"`
	Ready      int64 `json:"ready"`
	Assigned   int64 `json:"assigned"`
	Running    int64 `json:"running"`
	Submitted  int64 `json:"submitted"`
	Committing int64 `json:"committing"`
	Revealing  int64 `json:"revealing"`
	Rejected   int64 `json:"rejected"` // waiting for their next attempt
	Finalized  int64 `json:"finalized"`
	Failed     int64 `json:"failed"`
	Cancelled  int64 `json:"cancelled"`
	Expired    int64 `json:"expired"`
	Skipped    int64 `json:"skipped"`
}

func (c *JobCounts) of(state core.JobState) *int64 {
	switch state {
	case core.JobPostedState:
		return &c.Posted
	case core.JobReadyState:
		return &c.Ready
	case core.JobAssignedState:
		return &c.Assigned
	case core.JobRunning:
		return &c.Running
	case core.JobSubmitted:
		return &c.Submitted
	case core.JobCommitting:
		return &c.Committing
	case core.JobRevealing:
		return &c.Revealing
	case core.JobRejected:
		return &c.Rejected
	case core.JobFinalized:
		return &c.Finalized
	case core.JobFailed:
		return &c.Failed
	case core.JobCancelled:
		return &c.Cancelled
	case core.JobExpired:
		return &c.Expired
	case core.JobSkipped:
		return &c.Skipped
	}
	panic("projection: no count for the job state " + string(state))
}

// census keeps what is counted over jobs, one entry at a time.
type census struct {
	counts JobCounts
	states map[int]core.JobState // of open jobs, by index, as counted
	gone   []int                 // that the last entry ended
	timed  int64                 // open jobs with a deadline
	needs  [2]int64              // open jobs with an energy, a compute budget

}

// join takes the next entry. The first call counts all of a state: those that
// have ended by its totals.
func (c *census) join(s *core.State) {
	for _, i := range c.gone {
		delete(c.states, i)
	}
	c.gone = c.gone[:0]
	if c.states != nil {
		return
	}
	c.states = map[int]core.JobState{}
	totals := s.Totals()
	c.counts.Finalized, c.counts.Failed, c.counts.Cancelled = totals.Finalized, totals.Failed, totals.Cancelled
	c.counts.Expired, c.counts.Skipped = totals.Expired, totals.Skipped
	c.counts.Total = totals.Posted - int64(s.Open()+len(s.Ended()))
	for _, j := range s.Ended() {
		*c.counts.of(j.State)--
	}
	for _, j := range s.Jobs() {
		if !j.State.Terminal() {
			c.move(j)
		}
	}
}

func (c *census) opened(j *core.Job, by int64) {
	c.counts.Open += by
	if j.Spec.Deadline > 0 {
		c.timed += by
	}
	if j.Spec.EnergyBudget > 0 {
		c.needs[0] += by
	}
	if j.Spec.ComputeBudget > 0 {
		c.needs[1] += by
	}
}

// move counts a job where it is now. It is all the same how it came there, so
// one look after an entry is enough.
func (c *census) move(j *core.Job) {
	was, counted := c.states[j.Index()]
	if !counted {
		was = core.JobPostedState
		c.counts.Total++
		c.counts.Posted++
		c.opened(j, 1)
	} else if was == j.State {
		return
	}
	*c.counts.of(was)--
	*c.counts.of(j.State)++
	c.states[j.Index()] = j.State
	if j.State.Terminal() {
		c.opened(j, -1)
		c.gone = append(c.gone, j.Index())
	}
}

// survey is all open jobs in post order.
func (c *census) survey(s *core.State) (open []*core.Job) {
	for _, j := range s.Jobs() {
		if !j.State.Terminal() {
			open = append(open, j)
		}
	}
	return open
}

// due counts the open jobs whose deadline comes within the horizon. Jobs that
// are not ready yet, and those whose result is in, have none running.
func (c *census) due(s *core.State) (n int64) {
	if c.timed == 0 {
		return 0
	}
	until := s.Now() + core.Time(s.Spec().Autonomy.ForecastHorizon)
	for _, j := range c.survey(s) {
		switch j.State {
		case core.JobReadyState, core.JobAssignedState, core.JobRunning, core.JobRejected:
			if j.Spec.Deadline > 0 && j.ReadyAt+core.Time(j.Spec.Deadline) <= until {
				n++
			}
		}
	}
	return n
}
