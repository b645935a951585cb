package projection

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// ResourceLedger is resource-ledger.json, schema omega.resource-ledger/v1: the
// books as they stand, why amounts moved, and the last movements.
type ResourceLedger struct {
	Schema    string           `json:"schema"`
	Mission   string           `json:"mission"`
	Seq       core.Seq         `json:"seq"` // the entry all of this is as of
	At        core.Time        `json:"at"`
	Balances  List[Balance]    `json:"balances"`  // lasting accounts that hold something, in the ledger's order
	Jobs      JobFunds         `json:"jobs"`      // what the accounts of all open jobs hold together
	Totals    []CauseTotal     `json:"totals"`    // what ever moved, by unit and cause
	Transfers List[TransferOf] `json:"transfers"` // the last movements, oldest first; at most retention.ledger_history
}

// Balance is what one account holds.
type Balance struct {
	Unit    string `json:"unit"`
	Account string `json:"account"`
	Amount  string `json:"amount"` // negative for minted only
}

// JobFunds are TOKEN that belong to open jobs.
type JobFunds struct {
	Open     int64  `json:"open"`     // jobs
	Escrow   string `json:"escrow"`   // rewards and fees
	Deposits string `json:"deposits"` // for the resources of running attempts
}

// CauseTotal is what ever moved for one cause.
type CauseTotal struct {
	Unit   string `json:"unit"`
	Cause  string `json:"cause"` // genesis, edit, boost, or the name of a job's step
	Amount string `json:"amount"`
	Count  int64  `json:"count"` // movements
}

// TransferOf is one movement with everything spelled out.
type TransferOf struct {
	Seq    core.Seq `json:"seq"` // the entry it stands in
	ID     string   `json:"id"`  // <job>/<attempt>/<step>[/<seat>], genesis/<n> or <seq>/<n>
	Unit   string   `json:"unit"`
	Debit  string   `json:"debit"`
	Credit string   `json:"credit"`
	Amount string   `json:"amount"`
	Cause  string   `json:"cause"`
}

const (
	ledgerSchema  = "omega.resource-ledger/v1"
	lastBatches   = 256
	balancesShare = maxArtifact / 2
	transferShare = maxArtifact / 3
)

const (
	causeGenesis = "genesis" // the first entry's endowments and limits
	causeEdit    = "edit"    // those of a later generation
	causeBoost   = "boost"   // tokens that a steward adds to a reward, and their return
)

// The causes of legs, in the order they are counted.
const (
	legGenesis = iota
	legEdit
	legBoost
	legCauses
)

// causeOf says why a leg moves; it is a boost's where it reaches or leaves a
// job's escrow.
func causeOf(seq core.Seq, leg *core.Leg) int {
	switch {
	case seq == 1:
		return legGenesis
	case strings.HasPrefix(leg.Debit, "job:") || strings.HasPrefix(leg.Credit, "job:"):
		return legBoost
	}
	return legEdit
}

func legCause(cause int) string {
	return [legCauses]string{causeGenesis, causeEdit, causeBoost}[cause]
}

// accountKinds is one more than the last kind of account.
const accountKinds = int(ledger.KindMinted) + 1

// books sums movements up as they are recorded, apart from the ledger. Its
// exported members are what a Set remembers between two hosts.
type books struct {
	// Held is what all accounts of a kind hold together.
	Held [ledger.Units][accountKinds]ledger.Amount
	// Steps are the movements of jobs, Legs those of genesis, edits and boosts.
	Steps []flow
	Legs  [legCauses][ledger.Units]flow
	// Last are the newest transfers, from Next on the oldest first.
	Last []batch
	Next int
	// Accounts are the names of all employers that ever held tokens.
	Accounts []string

	ends [2][]ends         // of each step: paid by an account, by a parent's escrow
	each func(*TransferOf) // is told of every movement; nil for nobody
}

// flow is what moved for one cause.
type flow struct {
	Sum
	Count int64
}

func (f *flow) book(a ledger.Amount) {
	f.add(uint64(a))
	f.Count++
}

// ends are the kinds of account a step moves an amount between.
type ends struct {
	unit          ledger.Unit
	debit, credit ledger.Kind
}

// batch is a transfer as it is kept until somebody reads it.
type batch struct {
	Seq      core.Seq
	Job      string      `json:",omitempty"`
	Attempt  int64       `json:",omitempty"`
	Worker   string      `json:",omitempty"`
	Employer ledger.Name `json:",omitzero"`
	Before   int64       `json:",omitempty"` // seats of earlier rounds of the attempt
	Seats    []string    `json:",omitempty"` // the validators in them, where a step has a seat
	Steps    []core.Step `json:",omitempty"`
	From     int         `json:",omitempty"` // number of the first leg kept
	Legs     []core.Leg  `json:",omitempty"`
}

func (b *batch) len() int { return len(b.Steps) + len(b.Legs) }

// prepare makes what follows from the rules alone.
func (b *books) prepare() {
	for i, kind := range [...]ledger.Kind{ledger.KindAccount, ledger.KindEscrow} {
		for step, rule := range core.Steps() {
			debit, credit := core.StepKind(step).Ends(core.Parties{Employer: ledger.Name{Kind: kind}})
			b.ends[i] = append(b.ends[i], ends{rule.Unit, debit.Kind, credit.Kind})
		}
	}
	if len(b.Steps) < len(core.Steps()) {
		b.Steps = append(b.Steps, make([]flow, len(core.Steps())-len(b.Steps))...)
	}
}

// slot is a place for the next transfer, in the memory of the oldest.
func (b *books) slot() *batch {
	if len(b.Last) < lastBatches {
		b.Last = append(b.Last, batch{})
		return &b.Last[len(b.Last)-1]
	}
	m := &b.Last[b.Next]
	if b.Next++; b.Next == lastBatches {
		b.Next = 0
	}
	return m
}

// move books a transfer of the entry; r is the job it belongs to, nil where it
// has legs only. A job has at most one worker in an entry: the one it has now,
// or the one it has just lost.
func (b *books) move(s *core.State, t *core.Transfer, r *tracked) {
	m := b.slot()
	m.Seq, m.Job, m.Attempt, m.Worker, m.Employer, m.Before = s.Seq(), t.Job, t.Attempt, "", ledger.Name{}, 0
	m.Seats, m.Steps = m.Seats[:0], append(m.Steps[:0], t.Steps...)
	m.From, m.Legs = 0, append(m.Legs[:0], t.Legs...)
	for _, leg := range t.Legs {
		b.leg(s.Seq(), leg)
	}
	if len(t.Steps) > 0 {
		if j := r.job; j.Worker != nil {
			m.Worker = j.Worker.ID
		} else {
			m.Worker = j.LastWorker
		}
		m.Employer = r.job.Spec.EmployerOf(s.Spec().Mission.Owner)
		b.steps(m, r)
	}
	if b.each != nil {
		for i := range m.len() {
			spelled := m.spell(s.Spec().Mission.Owner, i)
			b.each(&spelled)
		}
	}
	if m.From = max(0, len(m.Legs)-maxItems); m.From > 0 {
		m.Legs = slices.Delete(m.Legs, 0, m.From)
	}
}

func (b *books) steps(m *batch, r *tracked) {
	kinds := b.ends[0]
	if m.Employer.Kind == ledger.KindEscrow {
		kinds = b.ends[1]
	}
	rules, seated := core.Steps(), false
	for i := range m.Steps {
		step := &m.Steps[i]
		at := &kinds[step.Kind]
		b.Held[at.unit][at.debit] -= step.Amount
		b.Held[at.unit][at.credit] += step.Amount
		b.Steps[step.Kind].book(step.Amount)
		seated = seated || rules[step.Kind].Seat
		switch step.Kind {
		case core.StepSlashShare, core.StepSlashEmployer, core.StepSlashTreasury, core.StepSlashBurn:
			if r.worker != nil {
				r.worker.Slashed.add(uint64(step.Amount))
			}
		case core.StepSeatSlashEmployer, core.StepSeatSlashTreasury, core.StepSeatSlashBurn:
			if int(step.Seat) < len(r.seats) {
				r.seats[step.Seat].Slashed.add(uint64(step.Amount))
			}
		}
	}
	if seated {
		m.Before, m.Seats = r.before, append(m.Seats, r.names...)
	}
}

func (b *books) leg(seq core.Seq, leg core.Leg) {
	debit, err1 := ledger.ParseName(leg.Debit, leg.Unit)
	credit, err2 := ledger.ParseName(leg.Credit, leg.Unit)
	if err1 != nil || err2 != nil {
		panic(fmt.Sprintf("projection: entry %d moves between %q and %q", seq, leg.Debit, leg.Credit))
	}
	b.Held[leg.Unit][debit.Kind] -= leg.Amount
	b.Held[leg.Unit][credit.Kind] += leg.Amount
	b.Legs[causeOf(seq, &leg)][leg.Unit].book(leg.Amount)
	if credit.Kind == ledger.KindAccount && !slices.Contains(b.Accounts, credit.Owner) {
		b.Accounts = append(b.Accounts, strings.Clone(credit.Owner))
	}
}

func (b *books) token(kinds ...ledger.Kind) (sum ledger.Amount) {
	for _, k := range kinds {
		sum += b.Held[ledger.Token][k]
	}
	return sum
}

// locked is the part of all tokens that nobody can spend now.
func (b *books) locked() ledger.Ratio {
	t := &b.Held[ledger.Token]
	held := t[ledger.KindEscrow] + t[ledger.KindDeposit] + t[ledger.KindWorkerStake] + t[ledger.KindValidatorStake]
	return LockedOf(held, -(t[ledger.KindMinted] + t[ledger.KindBurned]))
}

// audit compares what was summed up with what the ledger holds.
func (b *books) audit(l *ledger.Ledger) error {
	var held [ledger.Units][accountKinds]ledger.Amount
	for a := range l.Accounts {
		name := l.Name(a)
		held[name.Unit][name.Kind] += l.Balance(a)
	}
	for u := range held {
		for k := range held[u] {
			if held[u][k] != b.Held[u][k] {
				return fmt.Errorf("auditing %s accounts of kind %d: the ledger holds %s, the transfers make %s", ledger.Unit(u), k, held[u][k], b.Held[u][k])
			}
		}
	}
	return nil
}

func (b *books) totals() []CauseTotal {
	all := []CauseTotal{}
	add := func(unit ledger.Unit, cause string, f flow) {
		if f.Count > 0 {
			all = append(all, CauseTotal{unit.String(), cause, f.String(), f.Count})
		}
	}
	for u := ledger.Unit(0); u < ledger.Units; u++ {
		for cause := range b.Legs {
			add(u, legCause(cause), b.Legs[cause][u])
		}
		for kind, rule := range core.Steps() {
			if rule.Unit == u {
				add(u, rule.Name, b.Steps[kind])
			}
		}
	}
	return all
}

// spell spells a movement of the transfer out.
func (b *batch) spell(owner string, i int) TransferOf {
	if i >= len(b.Steps) {
		return b.spellLeg(i - len(b.Steps))
	}
	step := b.Steps[i]
	rule := &core.Steps()[step.Kind]
	parties := core.Parties{Owner: owner, Employer: b.Employer, Job: b.Job, Worker: b.Worker}
	if rule.Seat && int(step.Seat) < len(b.Seats) {
		parties.Validator = b.Seats[step.Seat]
	}
	debit, credit := step.Kind.Ends(parties)
	t := TransferOf{
		Seq: b.Seq, ID: b.Job + "/" + itoa(b.Attempt) + "/" + rule.Name, Unit: rule.Unit.String(),
		Debit: debit.String(), Credit: credit.String(), Amount: step.Amount.String(), Cause: rule.Name,
	}
	if rule.Seat {
		t.ID += "/" + itoa(b.Before+step.Seat)
	}
	return t
}

func (b *batch) spellLeg(n int) TransferOf {
	leg := &b.Legs[n]
	t := TransferOf{Seq: b.Seq, Unit: leg.Unit.String(), Debit: leg.Debit, Credit: leg.Credit, Amount: leg.Amount.String()}
	cause := causeOf(b.Seq, leg)
	t.Cause, t.ID = legCause(cause), strconv.FormatUint(uint64(b.Seq), 10)
	if cause == legGenesis {
		t.ID = causeGenesis
	}
	t.ID += "/" + strconv.Itoa(b.From+n)
	return t
}

// last spells the newest movements out, at most so many, oldest first.
func (b *books) last(owner string, most int64) List[TransferOf] {
	total := int64(0)
	for _, f := range b.Steps {
		total += f.Count
	}
	for _, causes := range b.Legs {
		for _, f := range causes {
			total += f.Count
		}
	}
	list, room := newList[TransferOf](total), transferShare
	for i := range b.Last {
		m := &b.Last[(b.Next+len(b.Last)-1-i)%len(b.Last)]
		for n := m.len() - 1; n >= 0; n-- {
			if int64(len(list.Items)) == most || !list.add(m.spell(owner, n), &room) {
				slices.Reverse(list.Items)
				return list
			}
		}
	}
	slices.Reverse(list.Items)
	return list
}

// balances lists what lasting accounts hold, as far as there is room, in the
// ledger's order.
func (b *books) balances(s *core.State) List[Balance] {
	l := s.Ledger()
	var held []ledger.Name
	total := int64(0)
	b.lasting(s, func(name ledger.Name) {
		if a, ok := l.Find(name); ok && l.Balance(a) != 0 {
			if total++; len(held) < maxItems {
				held = append(held, name)
			}
		}
	})
	slices.SortFunc(held, byLedgerOrder)
	list, room := newList[Balance](total), balancesShare
	for _, name := range held {
		a, _ := l.Find(name)
		list.add(Balance{name.Unit.String(), name.String(), l.Balance(a).String()}, &room)
	}
	return list
}

func (b *books) lasting(s *core.State, add func(ledger.Name)) {
	for u := ledger.Unit(0); u < ledger.Units; u++ {
		for k := ledger.KindAccount; k <= ledger.KindMinted; k++ {
			add(ledger.Name{Kind: k, Unit: u})
		}
	}
	for _, name := range b.Accounts {
		add(ledger.Name{Kind: ledger.KindAccount, Owner: name})
	}
	for w := range s.Workers {
		add(ledger.Name{Kind: ledger.KindWorker, Owner: w.ID})
		add(ledger.Name{Kind: ledger.KindWorkerStake, Owner: w.ID})
	}
	for _, v := range s.Validators() {
		add(ledger.Name{Kind: ledger.KindValidator, Owner: v.ID})
		add(ledger.Name{Kind: ledger.KindValidatorStake, Owner: v.ID})
	}
}

// byLedgerOrder is unit, kind, owner.
func byLedgerOrder(a, b ledger.Name) int {
	if a.Unit != b.Unit {
		return int(a.Unit) - int(b.Unit)
	}
	if a.Kind != b.Kind {
		return int(a.Kind) - int(b.Kind)
	}
	return strings.Compare(a.Owner, b.Owner)
}

func (p *Set) resourceLedger(s *core.State) []byte {
	b := &p.Books
	return encode(ResourceLedger{
		Schema: ledgerSchema, Mission: s.Spec().Mission.Name, Seq: p.memory.Seq, At: s.Now(), Balances: b.balances(s),
		Jobs:   JobFunds{p.census.counts.Open, b.token(ledger.KindEscrow).String(), b.token(ledger.KindDeposit).String()},
		Totals: b.totals(), Transfers: b.last(s.Spec().Mission.Owner, s.Spec().Retention.LedgerHistory),
	})
}
