package inquiry

import (
	"encoding/json"

	"github.com/omega-run/omega/host/core"
)

// Explanation is what `omega explain` writes, schema omega.explain/v1. Amounts
// are decimal texts in whole units, times milliseconds of mission time.
type Explanation struct {
	Schema  string    `json:"schema"`
	Mission string    `json:"mission"`
	Seq     core.Seq  `json:"seq"` // the entry all of this is as of
	At      core.Time `json:"at"`

	Job      string        `json:"job"`  // its id
	Name     string        `json:"name"` // what people read
	Title    string        `json:"title"`
	State    core.JobState `json:"state"`
	Since    core.Time     `json:"since"`       // when it came to be in that state
	Waiting  string        `json:"waiting_for"` // "" where it runs or has ended
	Reason   string        `json:"reason"`      // of its end or of the last attempt's
	Detail   string        `json:"detail"`
	Terms    Terms         `json:"terms"`
	PostedAt core.Time     `json:"posted_at"`
	ReadyAt  *core.Time    `json:"ready_at"` // null before
	DueAt    *core.Time    `json:"due_at"`   // by when a result has to be in; null where nothing says so
	EndedAt  *core.Time    `json:"ended_at"`

	Needs    Relatives `json:"needs"`
	NeededBy Relatives `json:"needed_by"`
	Parent   *Relative `json:"parent"` // null where there is none
	Children Relatives `json:"children"`

	// Of many waits, attempts, rounds and decisions these are the last ones,
	// oldest first; Totals says how many there were.
	Waits     []*WaitOf     `json:"waits"`
	Attempts  []*AttemptOf  `json:"attempts"`
	Rounds    []*RoundOf    `json:"rounds"`
	Votes     []*SeatOf     `json:"votes"` // of those rounds, seat by seat
	Decisions []*DecisionOf `json:"decisions"`
	Totals    Totals        `json:"totals"`

	Cost     CostOf `json:"cost"`     // its own
	Below    CostOf `json:"below"`    // of everything it posted, and so on down
	Tree     string `json:"tree"`     // both totals together
	Returned string `json:"returned"` // of its escrow, to who pays for it
}

const explainSchema = "omega.explain/v1"

// Terms are what was agreed on when the job was posted.
type Terms struct {
	Block         string        `json:"block"` // that declared it; "" for a posted one
	Employer      string        `json:"employer"`
	Skills        []string      `json:"skills"`
	Reward        string        `json:"reward"`
	EnergyBudget  string        `json:"energy_budget"`
	ComputeBudget string        `json:"compute_budget"`
	Deadline      core.Duration `json:"deadline"` // from ready; 0: none
	Priority      string        `json:"priority"`
	Required      bool          `json:"required"`
}

// Relative is another job.
type Relative struct {
	Job   string        `json:"job"`
	Name  string        `json:"name"`
	State core.JobState `json:"state"` // "" where it is not posted yet
}

// Relatives are the first of many.
type Relatives struct {
	Items []*Relative `json:"items"`
	Total int64       `json:"total"`
}

// Totals count what an explanation may hold in part.
type Totals struct {
	Attempts  int64 `json:"attempts"`
	Rounds    int64 `json:"rounds"`
	Decisions int64 `json:"decisions"`
	Waits     int64 `json:"waits"`
}

// Bounds of an explanation.
const (
	mostRelatives = 50
	mostRecent    = 100
)

// recent are the last of many, oldest first.
type recent[T any] struct {
	items []T
	total int64
}

// add returns what has just been added.
func (r *recent[T]) add(item T) T {
	if r.total++; len(r.items) == mostRecent {
		copy(r.items, r.items[1:])
		r.items = r.items[:mostRecent-1]
	}
	r.items = append(r.items, item)
	return item
}

// AttemptOf is one attempt.
type AttemptOf struct {
	Attempt      int64           `json:"attempt"`
	Worker       string          `json:"worker"`
	AssignedAt   core.Time       `json:"assigned_at"`
	StartedAt    *core.Time      `json:"started_at"`
	EndedAt      *core.Time      `json:"ended_at"`
	Outcome      string          `json:"outcome"` // running, submitted, approved, delegated, failed, rejected, void, cut short
	Reason       string          `json:"reason"`
	Detail       string          `json:"detail"`
	RetryAt      *core.Time      `json:"retry_at"`
	Released     int64           `json:"released"` // times it began again because its host was gone
	Held         bool            `json:"held"`     // its result came during a pause
	EnergyPrice  string          `json:"energy_price"`
	ComputePrice string          `json:"compute_price"`
	EnergyUsed   string          `json:"energy_used"`
	ComputeUsed  string          `json:"compute_used"`
	OverReported bool            `json:"over_reported"`
	Resources    string          `json:"resources_paid"`
	Stake        string          `json:"stake"`
	Slashed      string          `json:"slashed"`
	Paid         string          `json:"paid"`
	Result       json.RawMessage `json:"result"`
	ResultDigest string          `json:"result_digest"`
	Files        []FileOf        `json:"files"`

	sums attemptSums
}

// FileOf is a file that an attempt left.
type FileOf struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
	Size   int64  `json:"size"`
	Path   string `json:"path"` // in the data folder
}

// RoundOf is one vote of a committee.
type RoundOf struct {
	Round    int64      `json:"round"`
	Attempt  int64      `json:"attempt"`
	OpenedAt core.Time  `json:"opened_at"`
	DueAt    core.Time  `json:"due_at"` // of the phase it is in, or ended in
	Phase    string     `json:"phase"`  // commit, reveal, closed
	ClosedAt *core.Time `json:"closed_at"`
	Outcome  string     `json:"outcome"` // approved, rejected, undecided, cancelled; "" while it is open
	Seats    []*SeatOf  `json:"-"`
}

// SeatOf is one validator in a round.
type SeatOf struct {
	Round       int64  `json:"round"`
	Attempt     int64  `json:"attempt"`
	Seat        int64  `json:"seat"`
	Validator   string `json:"validator"`
	Stake       string `json:"stake"`
	Committed   bool   `json:"committed"`
	Revealed    bool   `json:"revealed"`
	Vote        string `json:"vote"`
	Reason      string `json:"reason"`
	Absent      bool   `json:"absent"`
	Equivocated bool   `json:"equivocated"`
	Reminded    int64  `json:"reminded"`
	Slashed     string `json:"slashed"`
	Paid        string `json:"paid"`

	sums seatSums
}

// DecisionOf is something that was decided about the job, asked of a person or
// brought to somebody's mind.
type DecisionOf struct {
	Seq    core.Seq  `json:"seq"`
	At     core.Time `json:"at"`
	What   string    `json:"what"` // the event, or the order's name
	By     string    `json:"by"`
	Text   string    `json:"text"`   // in plain words
	Reason string    `json:"reason"` // a code, or what was said
	Detail string    `json:"detail"`

	Verdicts []VerdictOf `json:"verdicts,omitempty"` // of policies, each by itself
}

// VerdictOf is what one policy said.
type VerdictOf struct {
	Policy     string `json:"policy"`
	Say        string `json:"say"` // allow, ask, deny
	Reason     string `json:"reason,omitempty"`
	Shadow     bool   `json:"shadow,omitempty"` // it did not count
	Script     string `json:"script"`           // digest of the version that was asked, hex
	Generation int64  `json:"generation"`
	Fault      string `json:"fault,omitempty"` // why it could not say, with the author's file and line
}
