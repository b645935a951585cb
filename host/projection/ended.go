package projection

import (
	"github.com/omega-run/omega/host/core"
)

const (
	// recentEnded is how many jobs that have ended are remembered.
	recentEnded = 256
	// keptNeeds is how many needs of each are.
	keptNeeds = 16
)

// summary is what is remembered of a job that has ended.
type summary struct {
	ID      string
	Name    string
	Title   string `json:",omitempty"`
	Parent  string `json:",omitempty"`
	State   core.JobState
	Worker  string   `json:",omitempty"`
	Attempt int64    `json:",omitempty"`
	Reason  string   `json:",omitempty"` // in plain words
	Needs   []string `json:",omitempty"`
}

// endedJobs are the newest of them, from Next on the oldest first.
type endedJobs struct {
	Jobs []summary
	Next int
}

func (e *endedJobs) add(j *core.Job) {
	if len(e.Jobs) < recentEnded {
		e.Jobs = append(e.Jobs, summary{})
		e.Next = len(e.Jobs) - 1
	}
	one := &e.Jobs[e.Next]
	e.Next = (e.Next + 1) % recentEnded
	needs := append(one.Needs[:0], j.Spec.Needs[:min(len(j.Spec.Needs), keptNeeds)]...)
	*one = summaryOf(j)
	one.Needs = needs
}

// all yields them, the one that ended last first.
func (e *endedJobs) all(yield func(*summary) bool) {
	n := len(e.Jobs)
	for i := range n {
		if !yield(&e.Jobs[(e.Next+n-1-i)%n]) {
			return
		}
	}
}

// summaryOf is what is shown of a job.
func summaryOf(j *core.Job) summary {
	one := summary{
		ID: j.Spec.ID, Name: plain(j.Name(), maxName), Title: plain(j.Spec.Title, maxTitle), Parent: j.Spec.Parent,
		State: j.State, Worker: j.LastWorker, Attempt: j.Attempt, Needs: j.Spec.Needs,
	}
	if j.Worker != nil {
		one.Worker = j.Worker.ID
	}
	if j.Reason != "" {
		one.Reason = because(j.Reason, j.Detail)
	}
	return one
}
