package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
	"github.com/omega-run/omega/host/projection"
)

// pulse is the mission as it stood at one entry: what a view of it needs, and
// nothing that grows with the mission.
type pulse struct {
	taken    time.Time // wall time
	mission  string
	status   core.Status
	reason   string // why it ended
	at       core.Time
	seq      core.Seq
	speed    ledger.Ratio
	open     int
	totals   core.Totals
	states   map[core.JobState]int // of open jobs
	free     ledger.Amount         // on employers' accounts
	escrowed ledger.Amount         // with deposits
	staked   ledger.Amount
	energy   use
	compute  use
	rounds   []openRound
	more     int // rounds that are not among them
	asked    []question
	moreAsks int
	lines    []string // last events, oldest first
}

// use is a capacity as it stands.
type use struct{ limit, free, consumed, price ledger.Amount }

// openRound is a vote that goes on.
type openRound struct {
	job     string
	phase   string
	due     core.Time
	seats   int
	missing []string // who has not answered in this phase
}

// question is a job that waits for a person.
type question struct{ job, id, why string }

// Bounds of a pulse.
const (
	pulseRounds = 4
	pulseAsks   = 4
	pulseLines  = 40
)

// feed makes pulses out of what a watcher is told. It is for the goroutine of
// the watcher; whoever draws takes the newest pulse from the channel.
type feed struct {
	pulses chan *pulse // holds the newest one
	state  *core.State // of the watcher
	lines  []string
	prices [2]ledger.Amount
	last   time.Time
	pause  time.Duration // before the next pulse may be taken
	seen   core.Seq      // in the last pulse
}

// Pulses are taken at most ten times a second, and so seldom that looking at
// all open jobs takes a twentieth of the reader's time.
const (
	pulseEvery = time.Second / 10
	pulsePart  = 20
)

func newFeed() *feed { return &feed{pulses: make(chan *pulse, 1)} }

// take is a host.Watcher.
func (f *feed) take(s *core.State, e *core.Entry) {
	if f.state = s; e != nil {
		f.note(s, e)
	}
	if s.Seq() == f.seen || time.Since(f.last) < f.pause {
		return
	}
	began := time.Now()
	p := f.pulse(s)
	f.last, f.seen = time.Now(), s.Seq()
	f.pause = max(pulseEvery, pulsePart*f.last.Sub(began))
	select {
	case <-f.pulses: // nobody has looked at the one before
	default:
	}
	f.pulses <- p
}

// final is the pulse of the last entry. The watcher must have ended.
func (f *feed) final() *pulse {
	if f.state == nil {
		return nil
	}
	return f.pulse(f.state)
}

func (f *feed) note(s *core.State, e *core.Entry) {
	for _, event := range e.Events {
		switch ev := event.(type) {
		case *core.GenerationApplied:
			f.prices = [2]ledger.Amount{ev.Spec.Resources.Energy.Price, ev.Spec.Resources.Compute.Price}
		case *core.PricesSet:
			f.prices = [2]ledger.Amount{ev.Energy, ev.Compute}
		case *core.Repriced:
			f.prices = [2]ledger.Amount{ev.Energy, ev.Compute}
		}
	}
	for line := range strings.Lines(string(projection.AppendLines(nil, s, e))) {
		f.lines = append(f.lines, strings.TrimSuffix(line, "\n"))
	}
	if len(f.lines) > 2*pulseLines {
		f.lines = append(f.lines[:0], f.lines[len(f.lines)-pulseLines:]...)
	}
}

func (f *feed) pulse(s *core.State) *pulse {
	p := &pulse{
		taken: time.Now(), mission: s.Spec().Mission.Name, status: s.Status(), reason: s.Reason(), at: s.Now(), seq: s.Seq(), speed: s.Speed(), open: s.Open(), totals: s.Totals(),
		states: map[core.JobState]int{}, lines: append([]string(nil), last(f.lines, pulseLines)...),
		energy: useOf(s, ledger.Energy, f.prices[0]), compute: useOf(s, ledger.Compute, f.prices[1]),
	}
	for _, j := range s.Jobs() {
		if !j.State.Terminal() {
			p.job(s, j)
		}
	}
	for w := range s.Workers {
		_, locked := s.StakesOf(w)
		p.staked += locked
	}
	for _, v := range s.Validators() {
		_, locked := s.StakeOf(v)
		p.staked += locked
	}
	p.free = freeOf(s, s.Spec().Mission.Owner)
	for _, a := range s.Spec().Accounts {
		p.free += freeOf(s, a.Name)
	}
	return p
}

func useOf(s *core.State, unit ledger.Unit, price ledger.Amount) use {
	limit, free, _, consumed := s.Resource(unit)
	return use{limit, free, consumed, price}
}

func freeOf(s *core.State, account string) ledger.Amount {
	a, ok := s.Ledger().Find(ledger.Name{Kind: ledger.KindAccount, Unit: ledger.Token, Owner: account})
	if !ok {
		return 0
	}
	return s.Ledger().Free(a)
}

// job adds an open job.
func (p *pulse) job(s *core.State, j *core.Job) {
	p.states[j.State]++
	escrow, deposit := s.Escrow(j)
	p.escrowed += escrow + deposit
	switch j.State {
	case core.JobAwaiting:
		if len(p.asked) == pulseAsks {
			p.moreAsks++
			return
		}
		asked, _ := j.Asked()
		why := strings.TrimSpace(strings.ReplaceAll(asked.Reason, "_", " ") + " " + asked.Detail)
		p.asked = append(p.asked, question{clean(j.Name()), j.Spec.ID, clean(why)})
	case core.JobCommitting, core.JobRevealing:
		if len(p.rounds) == pulseRounds {
			p.more++
			return
		}
		p.rounds = append(p.rounds, roundOf(j))
	}
}

func roundOf(j *core.Job) openRound {
	r := openRound{job: clean(j.Name()), phase: "commit", due: j.Round.Due, seats: len(j.Round.Seats)}
	if j.State == core.JobRevealing {
		r.phase = "reveal"
	}
	for i := range j.Round.Seats {
		seat := &j.Round.Seats[i]
		if !seat.Committed || j.State == core.JobRevealing && !seat.Revealed {
			r.missing = append(r.missing, seat.Validator.ID)
		}
	}
	return r
}

// now is mission time as it goes on between entries.
func (p *pulse) now(wall time.Time, hosted bool) core.Time {
	if p.status != core.Running || !hosted {
		return p.at
	}
	passed := max(0, wall.Sub(p.taken).Milliseconds())
	return p.at + core.Time(passed*int64(p.speed)/int64(ledger.Whole))
}

// summary says in a line how the mission stands.
func (p *pulse) summary() string {
	t := &p.totals
	text := fmt.Sprintf("%s: %d of %d jobs finalized", p.status, t.Finalized, t.Posted)
	if p.status == core.Ended {
		text = fmt.Sprintf("%s, %s: %d of %d jobs finalized", p.status, p.reason, t.Finalized, t.Posted)
	}
	for _, group := range p.groups() {
		if group.n > 0 && group.name != "finalized" {
			text += fmt.Sprintf(", %d %s", group.n, group.name)
		}
	}
	return text
}

// jobGroup is a part of all jobs.
type jobGroup struct {
	name string
	n    int
	mark rune
	tone tone
}

// groups are all jobs, from done to not begun.
func (p *pulse) groups() []jobGroup {
	n, t := p.states, &p.totals
	return []jobGroup{
		{"finalized", int(t.Finalized), '█', good},
		{"judged", n[core.JobSubmitted] + n[core.JobCommitting] + n[core.JobRevealing], '▓', busy},
		{"running", n[core.JobAssignedState] + n[core.JobRunning], '▒', busy},
		{"delegated", n[core.JobDelegated], '◇', busy},
		{"for a person", n[core.JobAwaiting], '?', warn},
		{"waiting", n[core.JobPostedState] + n[core.JobReadyState] + n[core.JobRejected], '░', quiet},
		{"failed", int(t.Failed), '×', bad},
		{"expired", int(t.Expired), '!', bad},
		{"cancelled", int(t.Cancelled), '–', quiet},
		{"skipped", int(t.Skipped), '·', quiet},
	}
}

// outlook is what telemetry.json knows beside: how much weighs on the mission.
type outlook struct {
	Phase      string `json:"phase"`
	Confidence string `json:"confidence"`
	Headline   string `json:"headline"`

	Autonomy *projection.Autonomy `json:"autonomy"` // nil where there is nothing to show of scripts
}

// readOutlook reads what the running host has last written; nothing is known
// before.
func readOutlook(data string) (o outlook) {
	b, err := os.ReadFile(filepath.Join(data, "status", "telemetry.json"))
	if err != nil || json.Unmarshal(b, &o) != nil {
		return outlook{}
	}
	o.Headline = clean(o.Headline)
	return o
}

func (o *outlook) text() string {
	if o.Phase == "" {
		return ""
	}
	return fmt.Sprintf("%s, confidence %s", cmp.Or(o.Phase, "-"), o.Confidence)
}
