package hosttest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// book is a mission as its record alone tells it, and every law it must obey.
// take is told one line after the other; the first broken law ends the book.
type book struct {
	broken *lawError
	rec    *record

	seq      uint64
	at       int64
	prev     string
	size     int // of the last entry, in bytes
	mission  string
	status   string
	settings map[string]string
	declared int64 // instances of the file
	expanded int64

	staff      map[string]*member
	pools      []string // worker ids in declared order
	validators map[string]*member
	council    []*member // validators as they were declared
	jobs       map[string]*life
	order      []*life // as posted
	open       int

	money   map[string]micro // by unit and account
	limit   map[string]micro
	owed    map[string]micro
	ids     map[string]bool // transfers
	pending []string        // legs that the rules ask for in this entry
	sums    totals

	halted   bool             // the entry began in a mission that is stopped
	still    bool             // the entry began while mission time stood still
	ripe     int64            // the last entry that was not refused: who waits since then is counted
	prices   [2]micro         // now
	given    [2]string        // and as the file says
	priced   int64            // they were moved
	reminded int64            // somebody was told of jobs nobody attends to
	consumed [2]micro         // by attempts
	accounts map[string]micro // tokens given to employers, as the file says
	granted  map[*life]bool   // jobs whose escrow was spent on children in this entry

	policies []policy
	inForce  uint64 // the entry that put the generation in force
	juries   []jury
	faults   map[string]int    // of scripts, in a row
	out      map[string]bool   // scripts that were taken out
	outSince map[string]uint64 // and in which entry
	ruled    map[string]string // in this entry, by hook and subject
	posts    map[*life]bool    // jobs that may post children in this entry
	lastSaid map[*life]string  // of attempts that ended in this entry
	held     *heldEdit

	stewardship

	orders   map[string]bool // id and body that were answered
	applied  map[string]bool // ids that were obeyed
	counter  int64
	recorded map[string]bool // files by digest
	needed   map[string]bool // files of the generation in force that are not
}

// member is a worker or a validator.
type member struct {
	id       string
	skills   []string
	slots    int
	speed    micro
	exec     bool
	hands    bool   // takes jobs of which it has some skills
	kind     string // of a validator
	missed   int    // rounds in a row in which it was absent
	key      string
	draining bool
	load     int
}

// life is a job.
type life struct {
	posted
	index     int
	begin     uint64 // the entry that posted it
	fixed     uint64 // the one that fixed its result, 0 none
	end       uint64 // the one that ended it, 0 none
	alone     uint64 // the one since which nothing open depends on it, 0 none
	state     string
	attempt   int64
	failures  int64
	lease     uint64
	worker    *member
	last      string
	working   bool
	readyAt   int64
	retryAt   int64
	held      *fact
	escrow    micro // held
	fee       micro
	funded    bool
	stake     micro
	deposit   micro
	prices    [2]micro
	digest    string
	result    string
	rejected  bool // by the host itself, in the entry that brought the result
	round     *round
	last2     *round // the one before, of the same attempt
	rounds    int64
	undecided int
	expected  map[string]micro // movements the rules ask for, less those recorded

	parent    *life
	children  []*life
	depth     int64
	grant     micro // set apart by the parent for deposits
	slashes   micro // over its children
	ending    *fact // how it will end after its children
	asked     *fact
	askedAt   int64
	askedIn   string
	answered  *fact // what a person said of an undecided result
	patient   bool
	boost     micro // added to its reward
	boosters  []booster
	expedited uint64 // the entry in which a steward put it first, 0 none
	said      string // by policies of the children its attempt asks for
	withheld  uint64 // the entry in which a policy failed over it: an edit has to come
	cleared   bool   // a person lets it be assigned whatever policies say
	drawnBy   string // prev of the entry that fixed the result
}

type posted struct {
	id       string
	fact     *fact
	reward   micro
	budgets  [2]micro
	required bool
}

type round struct {
	number   int64
	begun    uint64 // the entry that opened it
	excused  bool   // the script of a validator has been changed since
	opened   int64
	from     int64
	until    int64 // the window ends, without the grace
	due      int64
	reminded bool // in this phase
	outcome  string
	seats    []seat
}

type seat struct {
	validator  *member
	stake      micro
	commitment string
	twice      bool   // signed two commitments
	excused    bool   // the round ended before it could reveal
	vote       string // revealed
}

type totals struct {
	Posted, Finalized, Failed, Cancelled, Expired, Skipped int64
	Minted, Paid, Slashed, Burned, Fees                    micro
}

func newBook() *book {
	return &book{
		prev: strings.Repeat("0", 64), status: "running", stewardship: stewardship{paused: map[string]int64{}}, staff: map[string]*member{}, validators: map[string]*member{}, jobs: map[string]*life{},
		money: map[string]micro{}, limit: map[string]micro{}, owed: map[string]micro{}, ids: map[string]bool{}, orders: map[string]bool{},
		faults: map[string]int{}, out: map[string]bool{}, outSince: map[string]uint64{}, ruled: map[string]string{}, posts: map[*life]bool{}, lastSaid: map[*life]string{},
		applied: map[string]bool{}, accounts: map[string]micro{}, granted: map[*life]bool{}, needed: map[string]bool{}, recorded: map[string]bool{},
	}
}

// law notes that something must hold here.
func (b *book) law(holds bool, format string, args ...any) {
	if !holds && b.broken == nil {
		b.broken = &lawError{format, fmt.Sprintf("entry %d: "+format, append([]any{b.seq}, args...)...)}
	}
}

// take reads the next line.
func (b *book) take(line []byte) *lawError {
	rec, err := parseRecord(line)
	if err != nil {
		return &lawError{"a line that is no record", err.Error()}
	}
	b.rec = rec
	b.law(rec.Seq == b.seq+1, "follows entry %d", rec.Seq)
	b.seq = rec.Seq
	b.law(rec.At >= b.at, "mission time runs back from %d to %d", b.at, rec.At)
	b.law(rec.Prev == b.prev, "prev is %s, the line before is %s", rec.Prev, b.prev)
	b.law(rec.Refused == nil || len(rec.Events) == 0, "refused, and yet it has events")
	b.halted = b.status == "stopped" || b.status == "emergency"
	b.still = b.halted || b.status == "paused"
	b.law(!b.still || rec.At == b.at, "mission time goes on from %d to %d while the mission is %s", b.at, rec.At, b.status)
	b.priceDue(rec.At)
	b.overdue(rec.At)
	b.pauseOver(rec.At)
	b.at, b.prev, b.size = rec.At, digest(line), len(line)
	for i := range rec.Events {
		if b.broken == nil {
			b.fact(&rec.Events[i])
			b.notice(&rec.Events[i])
		}
	}
	if b.broken == nil {
		b.letGo()
		b.after()
		b.stewardsRest()
	}
	if rec.Refused == nil {
		b.ripe = b.at
	}
	return b.broken
}

func (b *book) fact(e *fact) {
	switch e.Type {
	case "mission_created":
		b.law(b.seq == 1, "created again")
		b.mission = e.Mission
	case "generation_applied":
		b.generation(e)
	case "source_recorded":
		if e.Last {
			delete(b.needed, e.Digest)
			b.recorded[e.Digest] = true
		}
	case "jobs_expanded":
		b.expanded = e.Next
	case "transfer":
		b.transfer(e)
	case "order_taken":
		b.orderTaken(e)
	case "mission_paused":
		b.change("paused", "running")
	case "mission_resumed":
		b.change("running", "paused", "stopping", "stopped", "emergency")
	case "mission_stopping":
		b.change("stopping", "running", "paused")
	case "mission_stopped":
		if e.Emergency {
			b.change("emergency", "running", "paused", "stopping", "stopped")
		} else {
			b.change("stopped", "stopping")
		}
	case "mission_ended":
		b.law(b.open == 0, "the mission ends with %d open jobs", b.open)
		b.law(e.Reason != "complete" || b.expanded == b.declared, "complete before everything was posted")
		b.law(e.Reason != "complete" || !b.attended(), "complete, and a steward could still post")
		b.change("ended", "running", "stopping")
	case "host_started":
		for i, key := range e.Keys {
			if b.council[i].kind != "outside" {
				b.council[i].key = key
			}
		}
	case "plan_recorded", "action_approved", "action_dropped", "job_expedited", "reward_boosted", "skill_paused", "skill_resumed", "repriced":
		b.stewarded(e)
	case "verdict_given", "script_suspended", "edit_held", "edit_approved":
		b.policed(e)
	case "prices_set":
		b.pricesSet(e)
	case "jobs_unattended":
		b.unattended(e)
	case "host_left", "checkpointed", "journal_cut", "clock_advanced", "edit_refused":
	default:
		b.life(e)
	}
}

func (b *book) change(to string, from ...string) {
	b.law(slices.Contains(from, b.status), "%s after %s", to, b.status)
	b.status = to
}

func (b *book) orderTaken(e *fact) {
	key := e.OrderID + " " + e.Body
	b.law(!b.orders[key], "order %s is answered twice", e.OrderID)
	b.orders[key] = true
	if e.Refusal != "" {
		return
	}
	b.law(!b.applied[e.OrderID], "order %s is obeyed twice", e.OrderID)
	b.law(e.Counter > b.counter, "order %s with counter %d is obeyed after %d", e.OrderID, e.Counter, b.counter)
	b.applied[e.OrderID], b.counter = true, e.Counter
}

// generation puts settings in force and says what has to be moved for it.
func (b *book) generation(e *fact) {
	var spec struct {
		Instances int64 `json:"instances"`
		Workers   []struct {
			Instances, Skills                   []string
			Kind, Slots, Speed, Name, Delegates string
		} `json:"workers"`
		Validators []struct {
			Instances []string
			Kind      string
		} `json:"validators"`
		Accounts []struct{ Name, Tokens string } `json:"accounts"`
		Policies []policy                        `json:"policies"`
	}
	var all map[string]json.RawMessage
	b.law(json.Unmarshal(e.Spec, &spec) == nil && json.Unmarshal(e.Spec, &all) == nil, "a spec nobody can read")
	first := b.settings == nil
	b.settings = map[string]string{}
	for name, raw := range all {
		var text string
		if json.Unmarshal(raw, &text) == nil {
			b.settings[name] = text
		}
	}
	b.declared, b.expanded = spec.Instances, 0
	b.policiesInForce(spec.Policies)
	b.juriesInForce(e.Spec)
	b.mayRemove(e)
	b.stewardsInForce(e.Spec)
	for _, source := range e.Sources {
		b.law(first || b.recorded[source.Digest], "an edit is in force before its files are in the journal")
		if !b.recorded[source.Digest] {
			b.needed[source.Digest] = true
		}
	}
	for i, name := range [...]string{"resources.energy.price", "resources.compute.price"} {
		if text := b.settings[name]; text != b.given[i] {
			b.given[i], b.prices[i] = text, amountOf(text)
		}
	}
	owner := b.owner()
	if first {
		b.pend("TOKEN", "minted", owner, b.setting("treasury.tokens"))
	}
	before := b.accounts
	b.accounts = map[string]micro{}
	for _, a := range spec.Accounts {
		b.accounts[a.Name] = amountOf(a.Tokens)
		has, declared := before[a.Name]
		if !declared { // it may have been, by a file before that
			has = b.money["TOKEN account:"+a.Name]
		}
		b.pend("TOKEN", owner, "account:"+a.Name, b.accounts[a.Name]-has)
		b.pend("TOKEN", "account:"+a.Name, owner, has-b.accounts[a.Name])
	}
	b.limitTo("ENERGY", b.setting("resources.energy.capacity"))
	b.limitTo("COMPUTE", b.setting("resources.compute.capacity"))
	for _, m := range b.staff {
		m.draining = true
	}
	b.pools = nil
	for _, w := range spec.Workers {
		for _, id := range w.Instances {
			m := b.staff[id]
			if m == nil {
				m = &member{id: id}
				b.staff[id] = m
				b.pend("TOKEN", owner, "worker:"+id, b.setting("treasury.worker_endowment"))
			}
			m.skills, m.exec, m.draining, m.speed, m.slots, m.hands = w.Skills, w.Kind != "simulated", false, 1e6, 0, w.Delegates == "true"
			fmt.Sscan(w.Slots, &m.slots)
			if !m.exec {
				m.speed = amountOf(w.Speed)
			}
			b.pools = append(b.pools, id)
		}
	}
	for _, m := range b.validators {
		m.draining = true
	}
	n := 0
	for _, v := range spec.Validators {
		for _, id := range v.Instances {
			if b.validators[id] == nil {
				b.validators[id] = &member{id: id, key: e.Keys[n], kind: v.Kind}
				b.council = append(b.council, b.validators[id])
				b.pend("TOKEN", owner, "validator:"+id, b.setting("treasury.validator_endowment"))
			}
			b.validators[id].draining = false
			n++
		}
	}
}

func (b *book) setting(name string) micro { return amountOf(b.settings[name]) }

func (b *book) count(name string) (n int64) {
	fmt.Sscan(b.settings[name], &n)
	return n
}

func (b *book) owner() string { return "account:" + b.settings["mission.owner"] }

// limitTo moves a capacity: what a lowered limit cannot burn at once it is owed.
func (b *book) limitTo(unit string, limit micro) {
	d := limit - b.limit[unit]
	if d > 0 {
		forgiven := min(d, b.owed[unit])
		b.owed[unit] -= forgiven
		b.pend(unit, "minted", "capacity", d-forgiven)
	} else {
		burned := min(-d, b.money[unit+" capacity"])
		b.owed[unit] += -d - burned
		b.pend(unit, "capacity", "burned", burned)
	}
	b.limit[unit] = limit
}

func (b *book) pend(unit, from, to string, amount micro) {
	if amount > 0 {
		b.pending = append(b.pending, fmt.Sprint(unit, " ", from, " ", to, " ", amount))
	}
}
