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

	Treasury  Treasury        `json:"treasury"`
	Accounts  List[AccountOf] `json:"accounts"` // of employers, the owner's first
	Energy    ResourceOf      `json:"energy"`
	Compute   ResourceOf      `json:"compute"`
	Council   Council         `json:"council"`
	Watchdog  Watchdog        `json:"watchdog"`
	Approvals List[Approval]  `json:"approvals"` // jobs that wait for a person, the longest first
	Alerts    []Alert         `json:"alerts"`
	Workers   List[WorkerOf]  `json:"workers"`            // in declared order
	JobsList  List[JobOf]     `json:"job_list"`           // open ones in post order, then some of those that ended, the last first
	Autonomy  *Autonomy       `json:"autonomy,omitempty"` // where there is anything to show of scripts and stewards, or an edit is held
	Events    []LogLine       `json:"events"`             // the newest lines of structured-log.jsonl, oldest first
}

// PressureOf is what weighs on the mission, each between 0 and 1; confidence is
// what the greatest leaves of 1.
type PressureOf struct {
	Energy  string `json:"energy"`  // of the limit in use
	Compute string `json:"compute"` // of the limit in use
	Backlog string `json:"backlog"` // of the open jobs, those due within autonomy.forecast_horizon
	Locked  string `json:"locked"`  // of all tokens, those in escrow, deposits and stakes
}

func pressureOf(p *Pressure) PressureOf {
	return PressureOf{p.Energy.String(), p.Compute.String(), p.Backlog.String(), p.Locked.String()}
}

func (p *Pressure) appendTo(l *line, key string) {
	l.raw(key)
	l.ratio(`{"energy":`, p.Energy)
	l.ratio(`,"compute":`, p.Compute)
	l.ratio(`,"backlog":`, p.Backlog)
	l.ratio(`,"locked":`, p.Locked)
	l.raw("}")
}

// Treasury says where the tokens are.
type Treasury struct {
	Free     string `json:"free"`     // on the owner's account
	Escrowed string `json:"escrowed"` // rewards and fees of open jobs
	Deposits string `json:"deposits"` // for the resources of running attempts
	Staked   string `json:"staked"`   // by workers and validators
}

// AccountOf is the account of one employer.
type AccountOf struct {
	Account  string `json:"account"`
	Free     string `json:"free"`
	Unfunded int64  `json:"unfunded"` // jobs that wait for it to escrow their reward
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

// Approval is a job that waits for a person.
type Approval struct {
	Job    string    `json:"job"`
	Name   string    `json:"name"`   // what people read
	Reason string    `json:"reason"` // undecided: the council came to no outcome; exhausted: something ran out; policy: a policy wants it seen
	Detail string    `json:"detail,omitempty"`
	Since  core.Time `json:"since"`
}

// WorkerOf is one worker.
type WorkerOf struct {
	ID       string `json:"id"`
	Load     int64  `json:"load"` // attempts it works on
	Slots    int64  `json:"slots"`
	Free     string `json:"free"`     // tokens it can stake
	Staked   string `json:"staked"`   // tokens it has at stake
	Attempts int64  `json:"attempts"` // so far
	Failed   int64  `json:"failed"`   // of them, without a valid result
	Rejected int64  `json:"rejected"` // of them, by a council
	InRow    int64  `json:"in_row"`   // rejections since its last approved result
	Slashed  string `json:"slashed"`  // tokens lost so far
	Draining bool   `json:"draining,omitempty"`
}

// ValidatorOf is one validator.
type ValidatorOf struct {
	ID       string `json:"id"`
	Free     string `json:"free"`
	Staked   string `json:"staked"`
	Seats    int64  `json:"seats"`   // drawn for so far
	Absent   int64  `json:"absent"`  // from so many of those rounds
	InRow    int64  `json:"in_row"`  // absences since it last came
	Slashed  string `json:"slashed"` // tokens lost so far
	Draining bool   `json:"draining,omitempty"`
}

// JobOf is one job.
type JobOf struct {
	ID      string        `json:"id"`
	Label   string        `json:"label"`            // what people read
	Title   string        `json:"title,omitempty"`  // cut when it is long
	Parent  string        `json:"parent,omitempty"` // the job that posted it
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
	accountsShare   = maxArtifact / 20
	approvalsShare  = maxArtifact / 20
	actionsShare    = maxArtifact / 20
)

func (p *Set) telemetry(s *core.State) []byte {
	load, status := p.pressure(s), s.Status()
	stopped := status == core.Stopped || status == core.Emergency
	return encode(Telemetry{
		Schema: telemetrySchema, Mission: s.Spec().Mission.Name, ID: s.Mission().Mission,
		Seq: p.memory.Seq, Digest: hexOf(p.Digest), At: s.Now(), Wall: p.Wall,
		Condition: p.condition(s, &load), Reason: s.Reason(), Pressure: pressureOf(&load),
		Paused: status == core.Paused, Stopped: stopped, Running: !stopped && status != core.Ended && !s.LeftInOrder(),
		Generation: s.Generation(), Rehearsal: s.Mission().Rehearsal,
		Treasury: p.treasury(s), Accounts: p.accounts(s), Energy: resourceOf(s, ledger.Energy), Compute: resourceOf(s, ledger.Compute),
		Council: p.council(s), Watchdog: p.Watchdog, Approvals: p.approvals(approvalsShare), Alerts: p.scene(s).Alerts,
		Workers: p.workersOf(s), JobsList: p.jobsOf(s), Autonomy: p.glance(s, actionsShare), Events: p.events(recentShown),
	})
}

func ownersFree(s *core.State) ledger.Amount {
	return balanceOf(s, ledger.Name{Kind: ledger.KindAccount, Owner: s.Spec().Mission.Owner})
}

func (p *Set) treasury(s *core.State) Treasury {
	b := &p.Books
	return Treasury{
		Free: ownersFree(s).String(), Escrowed: b.token(ledger.KindEscrow).String(), Deposits: b.token(ledger.KindDeposit).String(),
		Staked: b.token(ledger.KindWorkerStake, ledger.KindValidatorStake).String(),
	}
}

func (p *Set) appendTreasury(l *line, key string, s *core.State) {
	t := &p.Books.Held[ledger.Token]
	l.raw(key)
	l.amount(`{"free":`, ownersFree(s))
	l.amount(`,"escrowed":`, t[ledger.KindEscrow])
	l.amount(`,"deposits":`, t[ledger.KindDeposit])
	l.amount(`,"staked":`, t[ledger.KindWorkerStake]+t[ledger.KindValidatorStake])
	l.raw("}")
}

func (p *Set) accounts(s *core.State) List[AccountOf] {
	unfunded := map[string]int64{}
	for _, purse := range p.census.purses {
		unfunded[purse.account.Owner] += purse.unfunded
	}
	list, room := newList[AccountOf](int64(len(p.Books.Accounts))), accountsShare
	names := slices.Clone(p.Books.Accounts)
	slices.Sort(names)
	if at := slices.Index(names, s.Spec().Mission.Owner); at > 0 {
		names = slices.Insert(slices.Delete(names, at, at+1), 0, s.Spec().Mission.Owner)
	}
	for _, name := range names {
		account := ledger.Name{Kind: ledger.KindAccount, Owner: name}
		if !list.add(AccountOf{account.String(), balanceOf(s, account).String(), unfunded[name]}, &room) {
			break
		}
	}
	return list
}

// pricesOf are TOKEN per 1,000 units of energy and compute now.
func pricesOf(s *core.State) [2]ledger.Amount {
	energy, compute := s.Prices()
	return [2]ledger.Amount{energy, compute}
}

func priceOf(s *core.State, unit ledger.Unit) ledger.Amount { return pricesOf(s)[unit-ledger.Energy] }

func resourceOf(s *core.State, unit ledger.Unit) ResourceOf {
	limit, free, reserved, consumed := s.Resource(unit)
	return ResourceOf{limit.String(), free.String(), reserved.String(), consumed.String(), priceOf(s, unit).String()}
}

func appendResource(l *line, key string, s *core.State, unit ledger.Unit) {
	limit, free, reserved, consumed := s.Resource(unit)
	l.raw(key)
	l.amount(`{"limit":`, limit)
	l.amount(`,"free":`, free)
	l.amount(`,"reserved":`, reserved)
	l.amount(`,"consumed":`, consumed)
	l.amount(`,"price":`, priceOf(s, unit))
	l.raw("}")
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
		view := ValidatorOf{ID: v.ID, Free: free.String(), Staked: staked.String(), Slashed: "0", Draining: v.Draining}
		if one := p.Validators.Of[v.ID]; one != nil {
			view.Seats, view.Absent, view.InRow, view.Slashed = one.Taken, one.Failed, one.InRow, one.Slashed.String()
		}
		if !c.Validators.add(view, &room) {
			break
		}
	}
	return c
}

func (p *Set) approvals(room int) List[Approval] {
	list := newList[Approval](p.census.asked.n)
	for r := range p.census.asked.all {
		if !list.add(*r.approval, &room) {
			break
		}
	}
	return list
}

func (p *Set) workersOf(s *core.State) List[WorkerOf] {
	total := int64(0)
	for range s.Workers {
		total++
	}
	list, room := newList[WorkerOf](total), workersShare
	for w := range s.Workers {
		free, staked := s.StakesOf(w)
		view := WorkerOf{ID: w.ID, Load: w.Load, Slots: w.Spec().Slots, Free: free.String(), Staked: staked.String(), Slashed: "0", Draining: w.Draining}
		if one := p.Workers.Of[w.ID]; one != nil {
			view.Attempts, view.Failed, view.Rejected, view.InRow, view.Slashed = one.Taken, one.Failed, one.Rejected, one.InRow, one.Slashed.String()
		}
		if !list.add(view, &room) {
			break
		}
	}
	return list
}

func (p *Set) jobsOf(s *core.State) List[JobOf] {
	list, room := newList[JobOf](p.census.counts.Total), jobsShare
	for r := range p.census.open.all {
		one := summaryOf(r.job)
		if !list.add(one.view(plain(s.Waiting(r.job), maxDetail)), &room) {
			return list
		}
	}
	for one := range p.Ended.all {
		if !list.add(one.view(""), &room) {
			return list
		}
	}
	return list
}

func (one *summary) view(waiting string) JobOf {
	return JobOf{
		ID: one.ID, Label: one.Name, Title: one.Title, Parent: one.Parent, State: one.State, Worker: one.Worker, Attempt: one.Attempt,
		Waiting: waiting, Reason: one.Reason,
	}
}

func (p *Set) events(most int) []LogLine {
	lines := []LogLine{}
	for _, b := range p.Recent.newest(most) {
		var l LogLine
		if err := json.Unmarshal(b, &l); err != nil {
			panic("projection: a line of the log is not JSON: " + err.Error())
		}
		lines = append(lines, l)
	}
	return lines
}
