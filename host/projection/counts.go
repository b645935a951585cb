package projection

import "github.com/omega-run/omega/host/core"

// JobCounts counts jobs by their state.
type JobCounts struct {
	Total            int64 `json:"total"` // posted so far
	Open             int64 `json:"open"`  // not ended
	Posted           int64 `json:"posted"`
	Ready            int64 `json:"ready"`
	Assigned         int64 `json:"assigned"`
	Running          int64 `json:"running"`
	Delegated        int64 `json:"delegated"` // waiting for their children
	Submitted        int64 `json:"submitted"`
	Committing       int64 `json:"committing"`
	Revealing        int64 `json:"revealing"`
	AwaitingApproval int64 `json:"awaiting_approval"` // put before a person
	Rejected         int64 `json:"rejected"`          // waiting for their next attempt
	Finalized        int64 `json:"finalized"`
	Failed           int64 `json:"failed"`
	Cancelled        int64 `json:"cancelled"`
	Expired          int64 `json:"expired"`
	Skipped          int64 `json:"skipped"`
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
	case core.JobDelegated:
		return &c.Delegated
	case core.JobSubmitted:
		return &c.Submitted
	case core.JobCommitting:
		return &c.Committing
	case core.JobRevealing:
		return &c.Revealing
	case core.JobAwaiting:
		return &c.AwaitingApproval
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

// ended is the part that no open job is in.
func (c *JobCounts) ended() JobCounts {
	return JobCounts{Total: c.Total, Finalized: c.Finalized, Failed: c.Failed, Cancelled: c.Cancelled, Expired: c.Expired, Skipped: c.Skipped}
}

func (c *JobCounts) running() int64 { return c.Assigned + c.Running }

func (c *JobCounts) judged() int64 { return c.Submitted + c.Committing + c.Revealing }

func (c *JobCounts) waiting() int64 { return c.Posted + c.Ready + c.Rejected }

func (c *JobCounts) appendTo(l *line, key string) {
	l.raw(key)
	l.int(`{"total":`, c.Total)
	l.int(`,"open":`, c.Open)
	l.int(`,"posted":`, c.Posted)
	l.int(`,"ready":`, c.Ready)
	l.int(`,"assigned":`, c.Assigned)
	l.int(`,"running":`, c.Running)
	l.int(`,"delegated":`, c.Delegated)
	l.int(`,"submitted":`, c.Submitted)
	l.int(`,"committing":`, c.Committing)
	l.int(`,"revealing":`, c.Revealing)
	l.int(`,"awaiting_approval":`, c.AwaitingApproval)
	l.int(`,"rejected":`, c.Rejected)
	l.int(`,"finalized":`, c.Finalized)
	l.int(`,"failed":`, c.Failed)
	l.int(`,"cancelled":`, c.Cancelled)
	l.int(`,"expired":`, c.Expired)
	l.int(`,"skipped":`, c.Skipped)
	l.raw("}")
}
