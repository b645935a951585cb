package inquiry

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// Grouping says what the rows of a bill are.
type Grouping string

// The groupings. A row's amount is a cost by job, block and hour, and what
// somebody's tokens have changed by, endowments aside, by the others.
const (
	ByJob       Grouping = "job"
	ByBlock     Grouping = "block"
	ByHour      Grouping = "hour"
	ByWorker    Grouping = "worker"
	ByValidator Grouping = "validator"
	ByAccount   Grouping = "account"
)

// Groupings lists them all.
func Groupings() []Grouping {
	return []Grouping{ByJob, ByWorker, ByValidator, ByAccount, ByHour, ByBlock}
}

// row sums up for one key.
type row struct {
	key    string
	tally  Tally         // job, block, hour
	gain   ledger.Amount // worker: pay; validator: shares; account: what came back
	slash  ledger.Amount // worker, validator: lost; account: got
	shared ledger.Amount // validator: out of workers' slashes; fees, resources, burned: got
	paid   ledger.Amount // account: into escrows and deposits
	given  ledger.Amount // worker, validator, account: not for work
	stake  ledger.Amount // worker, validator: locked
	jobs   int64         // block
}

// change is what somebody's tokens have changed by for work.
func (r *row) change() ledger.Amount { return r.gain + r.shared - r.paid - r.slash }

// rows are sums by key, in the order in which keys first came.
type rows struct {
	at  map[string]*row
	all []*row
}

func (r *rows) of(key string) *row {
	found := r.at[key]
	if found == nil {
		found = &row{key: key}
		if r.at == nil {
			r.at = map[string]*row{}
		}
		r.at[key] = found
		r.all = append(r.all, found)
	}
	return found
}

// Bill sums up what a mission, or one job and all below it, has cost. It keeps
// a sum for each open job and each row, and the dearest of the jobs that ended.
type Bill struct {
	family
	by     Grouping
	top    int
	total  Tally
	minted ledger.Amount
	lent   ledger.Amount // given to workers and validators to stake
	payer  string        // who employs the one job that is asked for
	paid   ledger.Amount // by it
	groups map[Grouping]*rows
	dear   []dearJob // jobs that have ended, dearest first
	jobs   int64
	prices prices
}

// dearJob is a job on the bill.
type dearJob struct {
	*member
	below Tally
}

func (d *dearJob) cost() ledger.Amount { return d.own.Cost() + d.below.Cost() }

func dearer(a, b dearJob) int {
	return cmp.Or(cmp.Compare(b.cost(), a.cost()), cmp.Compare(a.index, b.index))
}

// NewBill begins a bill of the job with the given id, of the whole mission with
// "". It has at most top rows, and the sum of the others.
func NewBill(job string, by Grouping, top int) *Bill {
	b := &Bill{family: newFamily(job), by: by, top: top, groups: map[Grouping]*rows{}, prices: prices{hours: map[string]*[2]span{}}}
	for _, g := range Groupings() {
		b.groups[g] = &rows{}
	}
	b.moved, b.done, b.boosted = b.book, b.list, b.bookBoost
	return b
}

// Apply takes the next entry.
func (b *Bill) Apply(e *core.Entry) {
	for _, event := range e.Events {
		b.event(e.At, event)
		switch event := event.(type) {
		case *core.JobPosted:
			if m := b.open[event.Spec.ID]; m != nil {
				b.jobs++
				if m.id == b.only {
					b.payer = m.employer
				}
				b.groups[ByBlock].of(m.root).jobs++
			}
		case *core.Transfer:
			b.legs(event.Legs)
		}
	}
	b.entryDone()
}

// legs are what moves for no job: tokens are minted and given away to stake.
func (b *Bill) legs(legs []core.Leg) {
	for _, leg := range legs {
		if leg.Unit != ledger.Token || b.only != "" || isBoost(leg) {
			continue
		}
		b.give(leg.Debit, -leg.Amount)
		b.give(leg.Credit, leg.Amount)
	}
}

// isBoost reports whether a leg adds to a job's escrow, or takes back what did.
func isBoost(leg core.Leg) bool {
	return nameIn(leg.Debit, leg.Unit).Kind == ledger.KindEscrow || nameIn(leg.Credit, leg.Unit).Kind == ledger.KindEscrow
}

// bookBoost books what an account adds to a job's reward.
func (b *Bill) bookBoost(m *member, at core.Time, account ledger.Name, amount ledger.Amount) {
	b.total.Escrow += amount
	b.groups[ByBlock].of(m.root).tally.Escrow += amount
	b.groups[ByHour].of((at / hour * hour).Clock()).tally.Escrow += amount
	if m.id == b.only {
		b.paid += amount
	}
	if r := b.groups[ByAccount].of(account.String()); amount < 0 {
		r.gain -= amount
	} else {
		r.paid += amount
	}
}

func (b *Bill) give(account string, amount ledger.Amount) {
	name := nameIn(account, ledger.Token)
	switch name.Kind {
	case ledger.KindMinted:
		b.minted -= amount
	case ledger.KindAccount:
		b.groups[ByAccount].of(account).given += amount
	case ledger.KindWorker:
		b.lent += amount
		b.groups[ByWorker].of(name.Owner).given += amount
	case ledger.KindValidator:
		b.lent += amount
		b.groups[ByValidator].of(name.Owner).given += amount
	default:
		panic("inquiry: tokens move to " + account + " for no job")
	}
}

const hour = core.Time(core.Hour)

// book adds a movement to the total and to every row it concerns.
func (b *Bill) book(m *movement) {
	b.total.book(m.kind, m.amount)
	b.groups[ByBlock].of(m.job.root).tally.book(m.kind, m.amount)
	b.groups[ByHour].of((m.at / hour * hour).Clock()).tally.book(m.kind, m.amount)
	if w := workerGets(m.kind, m.amount); w != 0 {
		b.groups[ByWorker].of(m.job.worker).gets(w)
	}
	if v := seatGets(m.kind, m.amount); v != 0 && m.kind == core.StepSlashShare {
		b.groups[ByValidator].of(m.validator).shared += v
	} else if v != 0 {
		b.groups[ByValidator].of(m.validator).gets(v)
	}
	switch m.kind {
	case core.StepStake:
		b.groups[ByWorker].of(m.job.worker)
	case core.StepSeat:
		b.groups[ByValidator].of(m.validator)
	}
	b.bookAccounts(m)
}

func (r *row) gets(a ledger.Amount) {
	if a < 0 {
		r.slash -= a
	} else {
		r.gain += a
	}
}

// bookAccounts books what leaves and reaches employers' accounts. What a parent
// grants its children has left such an account before.
func (b *Bill) bookAccounts(m *movement) {
	gets := employerGets(m.kind, m.amount)
	if m.job.id == b.only {
		b.paid -= gets
	}
	if _, to := slashOf(m.kind); to == theTreasury {
		owner := ledger.Name{Kind: ledger.KindAccount, Unit: ledger.Token, Owner: b.owner}
		b.groups[ByAccount].of(owner.String()).gain += m.amount
	}
	if b.open[m.job.parent] != nil {
		b.total.Escrow += gets
		return
	}
	if gets == 0 {
		return
	}
	if r := b.groups[ByAccount].of(m.job.employer); gets < 0 {
		r.paid -= gets
	} else {
		r.gain += gets
	}
}

// list keeps the dearest of the jobs that have ended.
func (b *Bill) list(m *member) {
	m.seats = nil
	d := dearJob{m, m.below}
	at, _ := slices.BinarySearchFunc(b.dear, d, dearer)
	if at >= b.top {
		return
	}
	b.dear = slices.Insert(b.dear, at, d)
	b.dear = b.dear[:min(len(b.dear), b.top)]
}

// BillSheet is what `omega cost` writes, schema omega.cost/v1. Amounts are
// decimal texts in whole TOKEN.
type BillSheet struct {
	Schema  string    `json:"schema"`
	Mission string    `json:"mission"`
	Seq     core.Seq  `json:"seq"` // the entry all of this is as of
	At      core.Time `json:"at"`
	Job     string    `json:"job,omitempty"` // the one that is asked for
	By      Grouping  `json:"by"`
	Cost    CostOf    `json:"cost"`
	Jobs    int64     `json:"jobs"` // whose cost it is
	Columns []string  `json:"columns"`
	Rows    []RowOf   `json:"rows"`
	Rest    *RowOf    `json:"rest,omitempty"` // the rows there was no room for
	Check   CheckOf   `json:"check"`
}

// RowOf is one row. Amount is what the rows sum up to Check.Rows.
type RowOf struct {
	Key    string            `json:"key"`
	Name   string            `json:"name"`
	Parent string            `json:"parent,omitempty"`
	State  core.JobState     `json:"state,omitempty"` // of a job that has ended
	Count  int64             `json:"count,omitempty"` // jobs of a block, rows of the rest
	Amount string            `json:"amount"`
	Parts  map[string]string `json:"parts"` // by column
}

// CheckOf compares the bill with the balances: Rows is what the rows sum up to,
// Balances what the accounts have changed by.
type CheckOf struct {
	Rows     string `json:"rows"`
	Balances string `json:"balances"`
	Held     string `json:"held"` // in escrows and deposits now
	// Of a whole mission: of what was minted, what was given to workers and
	// validators to stake with, and what is on the employers' accounts now.
	Minted string `json:"minted,omitempty"`
	Lent   string `json:"endowed,omitempty"`
	Free   string `json:"free,omitempty"`
	// Of one job: who pays for it, and what it has paid without what came back.
	Payer string `json:"paid_by,omitempty"`
	Paid  string `json:"paid,omitempty"`
}

const billSchema = "omega.cost/v1"

// Sheet writes the bill as of the last entry applied; s is the state after it.
// An error is a bill that does not agree with the balances: nothing on it can
// be relied on.
func (b *Bill) Sheet(s *core.State) (*BillSheet, error) {
	if err := b.audit(s); err != nil {
		return nil, err
	}
	sheet := &BillSheet{
		Schema: billSchema, Mission: s.Spec().Mission.Name, Seq: s.Seq(), At: s.Now(), Job: b.only, By: b.by, Cost: b.total.spell(), Jobs: b.jobs,
	}
	var sum ledger.Amount
	switch b.by {
	case ByJob:
		sum = b.jobRows(sheet)
	case ByBlock, ByHour:
		sum = b.costRows(sheet, b.groups[b.by])
	default:
		sum = b.partyRows(sheet, b.groups[b.by])
	}
	return sheet, b.check(s, sheet, sum)
}

var costColumns = [...]string{"worker_pay", "validator_shares", "fee", "burned", "resources", "slashes_back"}

func costParts(t *Tally) map[string]string {
	return map[string]string{
		"worker_pay": t.Pay.String(), "validator_shares": t.Shares.String(), "fee": t.Fee.String(), "burned": t.Burned.String(),
		"resources": t.Resources.String(), "slashes_back": (t.ToEmployer + t.ToTreasury).String(),
	}
}

// jobRows lists the dearest jobs, open ones and ended ones. A row's amount is
// the job's own cost; its tree holds that of its children too.
func (b *Bill) jobRows(sheet *BillSheet) ledger.Amount {
	sheet.Columns = append(costColumns[:len(costColumns):len(costColumns)], "below", "tree")
	dear, below := slices.Clone(b.dear), b.below()
	for _, m := range b.members() {
		dear = append(dear, dearJob{m, below[m]})
	}
	slices.SortFunc(dear, dearer)
	dear = dear[:min(len(dear), b.top)]
	rest := b.total
	for _, d := range dear {
		parts, own := costParts(&d.own), d.own.Cost()
		parts["below"], parts["tree"] = d.below.Cost().String(), d.cost().String()
		sheet.Rows = append(sheet.Rows, RowOf{Key: d.id, Name: d.name, Parent: d.parent, State: d.state, Amount: own.String(), Parts: parts})
		rest.less(&d.own)
	}
	if n := b.jobs - int64(len(dear)); n > 0 {
		parts := costParts(&rest)
		parts["below"], parts["tree"] = "0", rest.Cost().String()
		sheet.Rest = &RowOf{Name: "others", Count: n, Amount: rest.Cost().String(), Parts: parts}
	}
	return b.total.Cost()
}

func (t *Tally) less(o *Tally) {
	t.Pay -= o.Pay
	t.Shares -= o.Shares
	t.Fee -= o.Fee
	t.Burned -= o.Burned
	t.Resources -= o.Resources
	t.ToEmployer -= o.ToEmployer
	t.ToTreasury -= o.ToTreasury
}

// costRows are the rows of blocks, dearest first, or of hours, in their order.
func (b *Bill) costRows(sheet *BillSheet, r *rows) (sum ledger.Amount) {
	sheet.Columns = costColumns[:]
	if b.by == ByHour {
		sheet.Columns = append(costColumns[:len(costColumns):len(costColumns)], priceColumns()...)
	}
	all := slices.Clone(r.all)
	if b.by == ByBlock {
		slices.SortStableFunc(all, func(x, y *row) int { return cmp.Compare(y.tally.Cost(), x.tally.Cost()) })
	}
	rest := Tally{}
	for i, x := range all {
		sum += x.tally.Cost()
		if i >= b.top {
			rest.add(&x.tally)
			continue
		}
		name := x.key
		if name == "" {
			name = "(posted)"
		}
		parts := costParts(&x.tally)
		b.prices.spell(x.key, parts)
		sheet.Rows = append(sheet.Rows, RowOf{Key: x.key, Name: name, Count: x.jobs, Amount: x.tally.Cost().String(), Parts: parts})
	}
	if n := len(all) - b.top; n > 0 {
		sheet.Rest = &RowOf{Name: "others", Count: int64(n), Amount: rest.Cost().String(), Parts: costParts(&rest)}
	}
	return sum
}

// partyRows are the rows of workers, validators or accounts, by how much their
// tokens have changed, up or down, most first.
func (b *Bill) partyRows(sheet *BillSheet, r *rows) (sum ledger.Amount) {
	parts := map[Grouping]func(*row) map[string]string{
		ByWorker: func(x *row) map[string]string {
			return map[string]string{"endowed": x.given.String(), "earned": x.gain.String(), "slashed": x.slash.String()}
		},
		ByValidator: func(x *row) map[string]string {
			return map[string]string{"endowed": x.given.String(), "earned": x.gain.String(), "from_slashes": x.shared.String(), "slashed": x.slash.String()}
		},
		ByAccount: func(x *row) map[string]string {
			return map[string]string{"given": x.given.String(), "paid": x.paid.String(), "back": x.gain.String(), "received": x.shared.String()}
		},
	}[b.by]
	sheet.Columns = map[Grouping][]string{
		ByWorker: {"endowed", "earned", "slashed"}, ByValidator: {"endowed", "earned", "from_slashes", "slashed"}, ByAccount: {"given", "paid", "back", "received"},
	}[b.by]
	all := slices.Clone(r.all)
	if t := &b.total; b.by == ByAccount {
		all = append(all, &row{key: "fees", shared: t.Fee}, &row{key: "resources", shared: t.Resources}, &row{key: "burned", shared: t.Burned + t.SlashBurned})
	}
	slices.SortFunc(all, func(x, y *row) int {
		return cmp.Or(cmp.Compare(max(y.change(), -y.change()), max(x.change(), -x.change())), strings.Compare(x.key, y.key))
	})
	rest := row{}
	for i, x := range all {
		sum += x.change()
		if i < b.top {
			sheet.Rows = append(sheet.Rows, RowOf{Key: x.key, Name: x.key, Amount: x.change().String(), Parts: parts(x)})
			continue
		}
		rest.gain, rest.slash, rest.shared, rest.paid, rest.given = rest.gain+x.gain, rest.slash+x.slash, rest.shared+x.shared, rest.paid+x.paid, rest.given+x.given
	}
	if n := len(all) - b.top; n > 0 {
		sheet.Rest = &RowOf{Name: "others", Count: int64(n), Amount: rest.change().String(), Parts: parts(&rest)}
	}
	return sum
}

// balances are the tokens of the ledger by kind of account, and those of every
// worker, validator and employer's account.
type balances struct {
	kind  [int(ledger.KindMinted) + 1]ledger.Amount
	owner map[ledger.Name]ledger.Amount // stakes counted with whom they belong to
}

func balancesOf(l *ledger.Ledger) balances {
	b := balances{owner: map[ledger.Name]ledger.Amount{}}
	for a := range l.Accounts {
		name := l.Name(a)
		if name.Unit != ledger.Token {
			continue
		}
		b.kind[name.Kind] += l.Balance(a)
		switch name.Kind {
		case ledger.KindWorkerStake:
			name.Kind = ledger.KindWorker
		case ledger.KindValidatorStake:
			name.Kind = ledger.KindValidator
		case ledger.KindAccount, ledger.KindWorker, ledger.KindValidator:
		default:
			continue
		}
		b.owner[name] += l.Balance(a)
	}
	return b
}

// audit holds a bill of the whole mission against the ledger: every account is
// what the rows make of it.
func (b *Bill) audit(s *core.State) error {
	if b.only != "" {
		return b.auditOne()
	}
	held := balancesOf(s.Ledger())
	t := &b.total
	for _, sum := range [...]struct {
		what string
		kind ledger.Kind
		want ledger.Amount
	}{
		{"escrows", ledger.KindEscrow, t.Escrow}, {"deposits", ledger.KindDeposit, t.Deposit},
		{"workers' stakes", ledger.KindWorkerStake, t.Stake}, {"validators' stakes", ledger.KindValidatorStake, t.Seats},
		{"resources", ledger.KindResources, t.Resources}, {"fees", ledger.KindFees, t.Fee},
		{"burned", ledger.KindBurned, t.Burned + t.SlashBurned}, {"minted", ledger.KindMinted, -b.minted},
	} {
		if is := held.kind[sum.kind]; is != sum.want {
			return disagree(sum.what, sum.want, is)
		}
	}
	for _, g := range [...]struct {
		by   Grouping
		kind ledger.Kind
	}{{ByWorker, ledger.KindWorker}, {ByValidator, ledger.KindValidator}, {ByAccount, ledger.KindAccount}} {
		for _, r := range b.groups[g.by].all {
			name := ledger.Name{Kind: g.kind, Unit: ledger.Token, Owner: strings.TrimPrefix(r.key, "account:")}
			if is, want := held.owner[name], r.given+r.change(); is != want {
				return disagree(name.String(), want, is)
			}
			delete(held.owner, name)
		}
	}
	for name, is := range held.owner {
		if is != 0 {
			return disagree(name.String(), 0, is)
		}
	}
	return nil
}

// auditOne holds the bill of one job against what its employer has paid for it.
func (b *Bill) auditOne() error {
	t := &b.total
	if want := t.Cost() + t.ToTreasury + t.Escrow + t.Deposit; want != b.paid {
		return disagree("the employer of "+b.only, want, b.paid)
	}
	return nil
}

func disagree(what string, rows, is ledger.Amount) error {
	return fmt.Errorf("the bill is wrong and is not shown: %s is %s by its rows and %s by the balances", what, rows, is)
}
