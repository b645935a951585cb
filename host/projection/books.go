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
	Balances  List[Balance]    `json:"balances"`  // accounts that hold something: lasting ones, then those of open jobs; in the ledger's order
	Totals    []CauseTotal     `json:"totals"`    // what ever moved, by unit and cause
	Transfers List[TransferOf] `json:"transfers"` // the last movements, oldest first
}

// Balance is what one account holds.
type Balance struct {
	Unit    string `json:"unit"`
	Account string `json:"account"`
	Amount  string `json:"amount"` // negative for minted only
}

// CauseTotal is what ever moved for one cause.
type CauseTotal struct {
	Unit   string `json:"unit"`
	Cause  string `json:"cause"` // genesis, edit, or the name of a job's step
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
	lastTransfers = 100
	balancesShare = maxArtifact / 2
	transferShare = maxArtifact / 4
)

const (
	causeGenesis = "genesis" // the first entry's endowments and limits
	causeEdit    = "edit"    // those of a later generation
)

// accountKinds is one more than the last kind of account.
const accountKinds = int(ledger.KindMinted) + 1

// books sums movements up as they are recorded, apart from the ledger. Its
// members are exported for JSON: a Set remembers them between two hosts.
type books struct {
	// Held is what all accounts of a kind hold together.
	Held [ledger.Units][accountKinds]ledger.Amount
	// Steps are the movements of jobs, Legs those of genesis and edits.
	Steps []flow
	Legs  [2][ledger.Units]flow
	// Last are the newest movements, from Next on the oldest first.
	Last []movement
	Next int
	// Seats are the validators of a job's last round, while a movement can name
	// them.
	Seats map[string][]string
	// Before counts the seats of earlier rounds of the same attempt: a repeated
	// round counts on, so that no two transfers have one id.
	Before map[string]int64

	each func(*movement) // is told of every movement; nil for nobody
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

// movement is a step or a leg as it is kept until somebody reads it.
type movement struct {
	Seq     core.Seq
	Job     string        `json:",omitempty"`
	Attempt int64         `json:",omitempty"`
	Step    core.Step     `json:",omitzero"`
	Worker  string        `json:",omitempty"`
	Seat    string        `json:",omitempty"` // the validator in it
	Before  int64         `json:",omitempty"` // seats of earlier rounds of the attempt
	N       int           `json:",omitempty"` // of a leg
	Unit    ledger.Unit   `json:",omitempty"`
	Debit   string        `json:",omitempty"` // "" for a step
	Credit  string        `json:",omitempty"`
	Amount  ledger.Amount // of a leg or a step
}

func newBooks() books {
	return books{Steps: make([]flow, len(core.Steps())), Seats: map[string][]string{}, Before: map[string]int64{}}
}

func (b *books) keep(m movement) {
	if b.each != nil {
		told := m // a copy, so that m stays off the heap where nobody asks
		b.each(&told)
	}
	if len(b.Last) < lastTransfers {
		b.Last = append(b.Last, m)
		return
	}
	b.Last[b.Next] = m
	b.Next = (b.Next + 1) % lastTransfers
}

// seat keeps who sits in a round, as long as the job may move their stakes.
func (b *books) seat(event core.Event) {
	switch e := event.(type) {
	case *core.RoundOpened:
		if earlier := len(b.Seats[e.Job]); earlier > 0 {
			b.Before[e.Job] += int64(earlier)
		}
		b.Seats[e.Job] = slices.Clone(e.Seats)
	case *core.AttemptRejected:
		b.leave(e.Job)
	case *core.JobEnded:
		b.leave(e.Job)
	}
}

func (b *books) leave(job string) {
	if len(b.Seats) > 0 {
		delete(b.Seats, job)
		delete(b.Before, job)
	}
}

// move books a transfer of the entry. A job has at most one worker in an entry:
// the one it has now, or the one it has just lost.
func (b *books) move(s *core.State, t *core.Transfer, j *core.Job) {
	for i, leg := range t.Legs {
		b.leg(s.Seq(), i, leg)
	}
	if len(t.Steps) == 0 {
		return
	}
	m := movement{Seq: s.Seq(), Job: t.Job, Attempt: t.Attempt, Worker: j.LastWorker, Before: b.Before[t.Job]}
	if j.Worker != nil {
		m.Worker = j.Worker.ID
	}
	seats := b.Seats[t.Job]
	for _, step := range t.Steps {
		debit, credit := step.Kind.Ends(core.Parties{})
		b.Held[debit.Unit][debit.Kind] -= step.Amount
		b.Held[credit.Unit][credit.Kind] += step.Amount
		b.Steps[step.Kind].book(step.Amount)
		m.Step, m.Amount, m.Seat = step, step.Amount, ""
		if int(step.Seat) < len(seats) {
			m.Seat = seats[step.Seat]
		}
		b.keep(m)
	}
}

func (b *books) leg(seq core.Seq, n int, leg core.Leg) {
	debit, err1 := ledger.ParseName(leg.Debit, leg.Unit)
	credit, err2 := ledger.ParseName(leg.Credit, leg.Unit)
	if err1 != nil || err2 != nil {
		panic(fmt.Sprintf("projection: entry %d moves between %q and %q", seq, leg.Debit, leg.Credit))
	}
	b.Held[leg.Unit][debit.Kind] -= leg.Amount
	b.Held[leg.Unit][credit.Kind] += leg.Amount
	cause := 1
	if seq == 1 {
		cause = 0
	}
	b.Legs[cause][leg.Unit].book(leg.Amount)
	b.keep(movement{Seq: seq, N: n, Unit: leg.Unit, Debit: leg.Debit, Credit: leg.Credit, Amount: leg.Amount})
}

func (b *books) token(kinds ...ledger.Kind) (sum ledger.Amount) {
	for _, k := range kinds {
		sum += b.Held[ledger.Token][k]
	}
	return sum
}

// locked is the part of all tokens that nobody can spend now.
func (b *books) locked() ledger.Ratio {
	held := b.token(ledger.KindEscrow, ledger.KindDeposit, ledger.KindWorkerStake, ledger.KindValidatorStake)
	return part(int64(held), -int64(b.token(ledger.KindMinted, ledger.KindBurned)))
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
		add(u, causeGenesis, b.Legs[0][u])
		add(u, causeEdit, b.Legs[1][u])
		for kind, rule := range core.Steps() {
			if rule.Unit == u {
				add(u, rule.Name, b.Steps[kind])
			}
		}
	}
	return all
}

func (m *movement) spell(owner string) TransferOf {
	t := TransferOf{Seq: m.Seq, Amount: m.Amount.String(), Debit: m.Debit, Credit: m.Credit}
	if m.Debit != "" {
		t.Unit, t.Cause, t.ID = m.Unit.String(), causeEdit, strconv.FormatUint(uint64(m.Seq), 10)
		if m.Seq == 1 {
			t.Cause, t.ID = causeGenesis, causeGenesis
		}
		t.ID += "/" + strconv.Itoa(m.N)
		return t
	}
	rule := &core.Steps()[m.Step.Kind]
	debit, credit := m.Step.Kind.Ends(core.Parties{Owner: owner, Job: m.Job, Worker: m.Worker, Validator: m.Seat})
	t.Unit, t.Cause, t.Debit, t.Credit = rule.Unit.String(), rule.Name, debit.String(), credit.String()
	t.ID = m.Job + "/" + strconv.FormatInt(m.Attempt, 10) + "/" + rule.Name
	if rule.Seat {
		t.ID += "/" + strconv.FormatInt(m.Before+m.Step.Seat, 10)
	}
	return t
}

func (b *books) last(owner string) List[TransferOf] {
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
		list.add(b.Last[(b.Next+i)%len(b.Last)].spell(owner), &room)
	}
	return list
}

// balances lists what is not zero: the lasting accounts, then those of open
// jobs in post order as far as there is room, all put in the ledger's order.
func balances(s *core.State, open []*core.Job) List[Balance] {
	l := s.Ledger()
	var held []ledger.Name
	total := int64(0)
	add := func(name ledger.Name, amount ledger.Amount) {
		if amount == 0 {
			return
		}
		if total++; len(held) < maxItems {
			held = append(held, name)
		}
	}
	lasting(s, func(name ledger.Name) {
		if a, ok := l.Find(name); ok {
			add(name, l.Balance(a))
		}
	})
	for _, j := range open {
		escrow, deposit := s.Escrow(j)
		add(ledger.Name{Kind: ledger.KindEscrow, Unit: ledger.Token, Owner: j.Spec.ID}, escrow)
		add(ledger.Name{Kind: ledger.KindDeposit, Unit: ledger.Token, Owner: j.Spec.ID}, deposit)
	}
	slices.SortFunc(held, byLedgerOrder)
	list, room := newList[Balance](total), balancesShare
	for _, name := range held {
		a, _ := l.Find(name)
		list.add(Balance{name.Unit.String(), name.String(), l.Balance(a).String()}, &room)
	}
	return list
}

func lasting(s *core.State, add func(ledger.Name)) {
	for u := ledger.Unit(0); u < ledger.Units; u++ {
		for k := ledger.KindAccount; k <= ledger.KindMinted; k++ {
			add(ledger.Name{Kind: k, Unit: u})
		}
	}
	add(ledger.Name{Kind: ledger.KindAccount, Unit: ledger.Token, Owner: s.Spec().Mission.Owner})
	for w := range s.Workers {
		add(ledger.Name{Kind: ledger.KindWorker, Unit: ledger.Token, Owner: w.ID})
		add(ledger.Name{Kind: ledger.KindWorkerStake, Unit: ledger.Token, Owner: w.ID})
	}
	for _, v := range s.Validators() {
		add(ledger.Name{Kind: ledger.KindValidator, Unit: ledger.Token, Owner: v.ID})
		add(ledger.Name{Kind: ledger.KindValidatorStake, Unit: ledger.Token, Owner: v.ID})
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
