package projection

import "github.com/omega-run/omega/host/core"

// Page is telemetry-ui.json, schema omega.telemetry-ui/v1: what a live page
// needs, at most 256 KiB.
type Page struct {
	Schema  string    `json:"schema"`
	Mission string    `json:"mission"` // its name
	ID      string    `json:"id"`      // its ULID
	Seq     core.Seq  `json:"seq"`     // the entry all of this is as of
	At      core.Time `json:"at"`
	Wall    string    `json:"wall"`
	Status  string    `json:"status"`

	Scene     Scene          `json:"scene"` // headline, story, flow of jobs by state, supplies
	Series    Series         `json:"series"`
	Rounds    List[RoundOf]  `json:"rounds"` // open ones, the longest open first
	Approvals List[Approval] `json:"approvals"`
	Autonomy  *Autonomy      `json:"autonomy,omitempty"` // as in telemetry.json
	Events    []LogLine      `json:"events"`             // the newest lines of structured-log.jsonl, oldest first
}

// RoundOf is a round of the council.
type RoundOf struct {
	Job   string    `json:"job"`
	Name  string    `json:"name"` // what people read
	Round int64     `json:"round"`
	Phase string    `json:"phase"` // commit, reveal
	Due   core.Time `json:"due"`   // the phase closes then at the latest
	Seats []SeatOf  `json:"seats"`
}

// SeatOf is one seat of a round.
type SeatOf struct {
	Validator string `json:"validator"`
	Committed bool   `json:"committed"`
	Revealed  bool   `json:"revealed"`
	Vote      string `json:"vote,omitempty"` // once revealed: approve, reject, abstain
}

const (
	pageSchema      = "omega.telemetry-ui/v1"
	maxPage         = 256 << 10
	roundsShare     = maxPage / 4
	pageApprovals   = maxPage / 8
	phaseCommitting = "commit"
	phaseRevealing  = "reveal"
	phaseClosed     = "closed"
)

func (p *Set) page(s *core.State) []byte {
	return encode(Page{
		Schema: pageSchema, Mission: s.Spec().Mission.Name, ID: s.Mission().Mission, Seq: s.Seq(), At: s.Now(), Wall: p.Wall, Status: string(s.Status()),
		Scene: p.scene(s), Series: p.Points.series(p.now(s)), Rounds: p.roundsOf(), Approvals: p.approvals(pageApprovals), Autonomy: p.glance(s, pageApprovals), Events: p.events(recentLines),
	})
}

func (p *Set) roundsOf() List[RoundOf] {
	list, room := newList[RoundOf](p.census.rounds.n), roundsShare
	for r := range p.census.rounds.all {
		if !list.add(roundOfJob(r.job), &room) {
			break
		}
	}
	return list
}

func roundOfJob(j *core.Job) RoundOf {
	round := RoundOf{Job: j.Spec.ID, Name: plain(j.Name(), maxName), Phase: phaseCommitting, Seats: []SeatOf{}}
	if j.State == core.JobRevealing {
		round.Phase = phaseRevealing
	}
	if j.Round == nil {
		return round
	}
	round.Round, round.Due = j.Round.Number, j.Round.Due
	for i := range j.Round.Seats {
		seat := &j.Round.Seats[i]
		round.Seats = append(round.Seats, SeatOf{seat.Validator.ID, seat.Committed, seat.Revealed, seat.Vote})
	}
	return round
}

func (p *Set) storyboard(s *core.State) []byte {
	return encode(Storyboard{storySchema, s.Spec().Mission.Name, p.scene(s)})
}
