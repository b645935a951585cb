package projection

import (
	"encoding/json"
	"slices"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// Telemetry is telemetry.json, schema omega.telemetry/v1: the mission at a
// glance.
type Telemetry struct {
	Schema  string    `json:"schema"`
	Mission string    `json:"mission"` // its name
	ID      string    `json:"id"`      // its ULID
	Seq     core.Seq  `json:"seq"`     // the entry all of this is as of
	Digest  string    `json:"digest"`  // of that entry, hex
	At      core.Time `json:"at"`      // of that entry
	Wall    string    `json:"wall"`    // of that entry, as recorded

	Condition
	Reason     string     `json:"reason,omitempty"` // why it ended
	Pressure   PressureOf `json:"pressure"`
	Paused     bool       `json:"paused"`
	Stopped    bool       `json:"stopped"` // by the owner, in an emergency or not
	Running    bool       `json:"running"` // a host has taken it up and has neither left nor come to the end; true during a pause
	Generation int64      `json:"generation"`
	Rehearsal  bool       `json:"rehearsal"` // keys are public

	Treasury Treasury          `json:"treasury"`
	Energy   ResourceOf        `json:"energy"`
	Compute  ResourceOf        `json:"compute"`
	Council  Council           `json:"council"`
	Workers  List[WorkerOf]    `json:"workers"`  // in declared order
	JobsList List[JobOf]       `json:"job_list"` // open ones in post order, then those that ended, posted last first
	Events   []json.RawMessage `json:"events"`   // the newest lines of structured-log.jsonl, oldest first
}

// PressureOf is what weighs on the mission, each between 0 and 1; confidence is
// what the greatest leaves of 1.
type PressureOf struct {
	Energy  string `json:"energy"`  // of the limit in use
	Compute string `json:"compute"` // of the limit in use
	Backlog string `json:"backlog"` // of the open jobs, those due within autonomy.forecast_horizon
	Locked  string `json:"locked"`  // of all tokens, those in escrow, deposits and stakes
}

// Treasury says where the tokens are.
type Treasury struct {
	Free     string `json:"free"`     // on the owner's account
	Escrowed string `json:"escrowed"` // rewards and fees of open jobs
	Deposits string `json:"deposits"` // for the resources of running attempts
	Staked   string `json:"staked"`   // by workers and validators
}

// ResourceOf is a capacity as it stands.
type ResourceOf struct {
	Limit    string `json:"limit"`
	Free     string `json:"free"`
	Reserved string `json:"reserved"` // by running jobs
	Consumed string `json:"consumed"` // so far
	Price    string `json:"price"`    // TOKEN per 1,000 units
}

// Council says what it has to judge.
type Council struct {
	Committee  int64             `json:"committee"`   // seats of a round; 0: the host judges by itself
	OpenRounds int64             `json:"open_rounds"` // committing and revealing
	Committing int64             `json:"committing"`
	Revealing  int64             `json:"revealing"`
	Waiting    int64             `json:"waiting"`    // results without a committee yet
	Validators List[ValidatorOf] `json:"validators"` // in declared order
}

// WorkerOf is one worker.
type WorkerOf struct {
	ID       string `json:"id"`
	Load     int64  `json:"load"` // attempts it works on
	Slots    int64  `json:"slots"`
	Free     string `json:"free"`   // tokens it can stake
	Staked   string `json:"staked"` // tokens it has at stake
	Draining bool   `json:"draining,omitempty"`
}

// ValidatorOf is one validator.
type ValidatorOf struct {
	ID       string `json:"id"`
	Free     string `json:"free"`
	Staked   string `json:"staked"`
	Draining bool   `json:"draining,omitempty"`
}

// JobOf is one job.
type JobOf struct {
	ID      string        `json:"id"`
	Label   string        `json:"label"`           // what people read
	Title   string        `json:"title,omitempty"` // cut when it is long
	State   core.JobState `json:"state"`
	Worker  string        `json:"worker,omitempty"`  // of this attempt, or the last one
	Attempt int64         `json:"attempt"`           // 0: none yet
	Waiting string        `json:"waiting,omitempty"` // why it does not go on, in plain words
	Reason  string        `json:"reason,omitempty"`  // of its end, or the last attempt's, in plain words
}

const (
	telemetrySchema = "omega.telemetry/v1"

	jobsShare       = maxArtifact / 2
	workersShare    = maxArtifact / 5
	validatorsShare = maxArtifact / 10
)

func (p *Set) telemetry(s *core.State, open []*core.Job) []byte {
	load, status, energy, compute := p.pressure(s), s.Status(), &s.Spec().Resources.Energy, &s.Spec().Resources.Compute
	stopped := status == core.Stopped || status == core.Emergency
	t := Telemetry{
		Schema: telemetrySchema, Mission: s.Spec().Mission.Name, ID: s.Mission().Mission,
		Seq: p.memory.Seq, Digest: hexOf(p.Digest), At: s.Now(), Wall: p.Wall,
		Condition: p.condition(s, load), Reason: s.Reason(),
		Pressure: PressureOf{load.Energy.String(), load.Compute.String(), load.Backlog.String(), load.Locked.String()},
		Paused:   status == core.Paused, Stopped: stopped, Running: !stopped && status != core.Ended && !s.LeftInOrder(),
		Generation: s.Generation(), Rehearsal: s.Mission().Rehearsal,
		Treasury: p.treasury(),
		Energy:   resourceOf(s, ledger.Energy, energy.Price), Compute: resourceOf(s, ledger.Compute, compute.Price),
		Council: p.council(s), Workers: workersOf(s), JobsList: jobsOf(s, open),
		Events: []json.RawMessage{},
	}
	for _, line := range p.Recent {
		t.Events = append(t.Events, json.RawMessage(line))
	}
	return encode(t)
}

func (p *Set) treasury() Treasury {
	b := &p.Books
	return Treasury{
		Free: b.token(ledger.KindAccount).String(), Escrowed: b.token(ledger.KindEscrow).String(), Deposits: b.token(ledger.KindDeposit).String(),
		Staked: b.token(ledger.KindWorkerStake, ledger.KindValidatorStake).String(),
	}
}

func resourceOf(s *core.State, unit ledger.Unit, price ledger.Amount) ResourceOf {
	limit, free, reserved, consumed := s.Resource(unit)
	return ResourceOf{limit.String(), free.String(), reserved.String(), consumed.String(), price.String()}
}

func (p *Set) council(s *core.State) Council {
	n := &p.census.counts
	c := Council{
		Committee: s.Spec().Governance.Committee, OpenRounds: n.Committing + n.Revealing,
		Committing: n.Committing, Revealing: n.Revealing, Waiting: n.Submitted, Validators: newList[ValidatorOf](int64(len(s.Validators()))),
	}
	room := validatorsShare
	for _, v := range s.Validators() {
		free, staked := s.StakeOf(v)
		if !c.Validators.add(ValidatorOf{v.ID, free.String(), staked.String(), v.Draining}, &room) {
			break
		}
	}
	return c
}

func workersOf(s *core.State) List[WorkerOf] {
	total := int64(0)
	for range s.Workers {
		total++
	}
	list, room := newList[WorkerOf](total), workersShare
	for w := range s.Workers {
		free, staked := s.StakesOf(w)
		if !list.add(WorkerOf{w.ID, w.Load, w.Spec().Slots, free.String(), staked.String(), w.Draining}, &room) {
			break
		}
	}
	return list
}

func jobsOf(s *core.State, open []*core.Job) List[JobOf] {
	list, room := newList[JobOf](s.Totals().Posted), jobsShare
	for j := range openFirst(s, open) {
		view := JobOf{
			ID: j.Spec.ID, Label: plain(j.Name(), maxName), Title: plain(j.Spec.Title, maxTitle), State: j.State, Worker: j.LastWorker,
			Attempt: j.Attempt, Waiting: plain(s.Waiting(j), maxDetail),
		}
		if j.Worker != nil {
			view.Worker = j.Worker.ID
		}
		if j.Reason != "" {
			view.Reason = because(j.Reason, j.Detail)
		}
		if !list.add(view, &room) {
			break
		}
	}
	return list
}

// openFirst yields the open jobs in post order, then those that have ended and
// that the state still holds, posted last first.
func openFirst(s *core.State, open []*core.Job) func(func(*core.Job) bool) {
	return func(yield func(*core.Job) bool) {
		for _, j := range open {
			if !yield(j) {
				return
			}
		}
		var ended []*core.Job
		for _, j := range s.Jobs() {
			if j.State.Terminal() {
				ended = append(ended, j)
			}
		}
		for _, j := range slices.Backward(ended) {
			if !yield(j) {
				return
			}
		}
	}
}

func (p *Set) resourceLedger(s *core.State, open []*core.Job) []byte {
	owner := s.Spec().Mission.Owner
	return encode(ResourceLedger{
		Schema: ledgerSchema, Mission: s.Spec().Mission.Name, Seq: p.memory.Seq, At: s.Now(),
		Balances: balances(s, open), Totals: p.Books.totals(), Transfers: p.Books.last(owner),
	})
}
