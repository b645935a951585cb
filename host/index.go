package host

import (
	"container/heap"
	"slices"
	"strings"

	"github.com/tidwall/btree"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
	"github.com/omega-run/omega/host/projection"
	"github.com/omega-run/omega/host/script"
)

// index is what views are counted from and queries are answered from. It is kept
// beside the state by looking at the jobs each entry has changed: nothing of it
// for a mission without scripts that are shown the mission, and no rows where no
// steward asks for any. It is a function of the state, so a restart makes it
// again.
type index struct {
	generation int64 // it was made for
	counts     bool  // for views
	jobs       map[string]*counted
	employs    map[string]int64 // open jobs by the account that pays
	needs      [2]int64         // open jobs with an energy, a compute budget
	held       ledger.Amount    // TOKEN in escrows, deposits and stakes
	ahead      core.Duration    // autonomy.forecast_horizon
	horizon    core.Time        // up to when a job counts as near
	near       int64
	far        agenda // due later than that
	rows       bool   // some steward asks for them
	shelves    []*shelf
	trades     map[string]*queue // rows that wait or will wait, by skills; nil where nobody asks
}

// indexed is the index of the state as it is.
func (d *desk) indexed(s *core.State) *index {
	if !d.index.counts || d.index.generation != s.Generation() {
		d.index.renew(s, d.missions.allQueries(s.Spec()))
	}
	return &d.index
}

// follow keeps what scripts are shown.
func (d *desk) follow(s *core.State, e *core.Entry) {
	d.index.follow(s)
	if len(s.Spec().Strategists) > 0 {
		d.news.add(s, e)
	}
}

// counted is what an open job adds to the index.
type counted struct {
	employer string
	needs    [2]bool
	held     ledger.Amount
	due      core.Time
	near     bool
	at       int // position in the agenda, -1 outside
	row      *row
}

// queue is the rows that wait for the same skills, by since when.
type queue struct {
	skills []string
	rows   *btree.BTreeG[*row]
}

// follow brings the index to the state after an entry. It is made when it is
// first used.
func (x *index) follow(s *core.State) {
	if !x.counts {
		return
	}
	for _, j := range s.Changed() {
		x.enter(s, j)
	}
}

// renew makes the index fit a generation, whose stewards ask these queries. It
// looks at every job where they ask for another order of them than before.
func (x *index) renew(s *core.State, queries []script.Query) {
	horizon := s.Spec().Autonomy.ForecastHorizon
	next := index{generation: s.Generation(), counts: true, ahead: horizon, jobs: map[string]*counted{}, employs: map[string]int64{}}
	for i := range queries {
		switch q := &queries[i]; q.From {
		case "jobs":
			next.shelf(orderOf(q))
		case "skills":
			next.trades = map[string]*queue{}
		}
	}
	if x.counts && x.ahead == horizon && (x.trades == nil) == (next.trades == nil) && slices.EqualFunc(x.shelves, next.shelves, func(a, b *shelf) bool { return a.order == b.order }) {
		x.generation = s.Generation()
		return
	}
	*x = next
	shelves := x.shelves
	x.rows, x.shelves = len(shelves) > 0 || x.trades != nil, nil
	for _, j := range s.Jobs() {
		x.enter(s, j)
	}
	if x.shelves = shelves; len(shelves) > 0 {
		x.fill()
	}
}

// fill puts all rows into the shelves: sorted first, that takes a part of the
// time.
func (x *index) fill() {
	rows := make([]*row, 0, len(x.jobs))
	for _, c := range x.jobs {
		rows = append(rows, c.row)
	}
	for _, s := range x.shelves {
		slices.SortFunc(rows, func(a, b *row) int {
			if s.less(a, b) {
				return -1
			}
			return 1
		})
		for _, r := range rows {
			s.rows.Load(r)
		}
	}
}

// enter brings what is counted of a job to what it is now.
func (x *index) enter(s *core.State, j *core.Job) {
	id := j.Spec.ID
	c := x.jobs[id]
	if c != nil {
		x.count(c, -1)
	}
	if j.State.Terminal() {
		if c != nil {
			x.put(c, 0)
			x.replace(c, nil)
			delete(x.jobs, id)
		}
		return
	}
	if c == nil {
		c = &counted{at: -1}
		x.jobs[id] = c
	}
	c.employer, c.held = employerOf(s, j.Spec.JobSpec), heldBy(s, j)
	c.needs = [2]bool{j.Spec.EnergyBudget > 0, j.Spec.ComputeBudget > 0}
	x.count(c, 1)
	x.put(c, j.DueAt())
	if x.rows {
		x.replace(c, rowOf(s, j))
	}
}

func (x *index) count(c *counted, by int64) {
	x.held += ledger.Amount(by) * c.held
	for i, needs := range c.needs {
		if needs {
			x.needs[i] += by
		}
	}
	if x.employs[c.employer] += by; x.employs[c.employer] == 0 {
		delete(x.employs, c.employer)
	}
}

// heldBy is the TOKEN an open job holds: in its escrow, as deposit, and as
// stakes of its worker and its committee.
func heldBy(s *core.State, j *core.Job) ledger.Amount {
	escrow, deposit := s.Escrow(j)
	held := escrow + deposit + j.Stake
	if j.Round != nil && !j.Round.Closed {
		for i := range j.Round.Seats {
			held += j.Round.Seats[i].Stake
		}
	}
	return held
}

// agenda is jobs by when they are due.
type agenda []*counted

func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].due < a[j].due }
func (a agenda) Swap(i, j int)      { a[i], a[j] = a[j], a[i]; a[i].at, a[j].at = i, j }
func (a *agenda) Push(c any)        { c.(*counted).at = len(*a); *a = append(*a, c.(*counted)) }
func (a *agenda) Pop() any {
	last := len(*a) - 1
	c := (*a)[last]
	c.at, *a = -1, (*a)[:last]
	return c
}

// put notes when a job is due, 0 for never.
func (x *index) put(c *counted, due core.Time) {
	if c.due == due {
		return
	}
	if c.at >= 0 {
		heap.Remove(&x.far, c.at)
	}
	if c.near {
		c.near = false
		x.near--
	}
	c.due = due
	switch {
	case due == 0:
	case due <= x.horizon:
		c.near = true
		x.near++
	default:
		heap.Push(&x.far, c)
	}
}

// reach moves the horizon on; an edit that moves it back makes another index.
func (x *index) reach(horizon core.Time) {
	for x.horizon = max(x.horizon, horizon); len(x.far) > 0 && x.far[0].due <= x.horizon; {
		heap.Pop(&x.far).(*counted).near = true
		x.near++
	}
}

// pressure is what weighs on the mission now, as the story tells it.
func (x *index) pressure(s *core.State, now core.Time) projection.Pressure {
	x.reach(now + core.Time(x.ahead))
	return projection.Weigh(s, x.needs, x.near, int64(s.Open()), projection.LockedOf(x.held, tokens(s)))
}

// tokens is all TOKEN there is.
func tokens(s *core.State) (all ledger.Amount) {
	books := s.Ledger()
	for _, kind := range [...]ledger.Kind{ledger.KindMinted, ledger.KindBurned} {
		if a, ok := books.Find(ledger.Name{Kind: kind, Unit: ledger.Token}); ok {
			all -= books.Balance(a)
		}
	}
	return all
}

// purse is an account as it stands.
func (x *index) purse(s *core.State, name string) purse {
	free, _ := s.Purse(name)
	return purse{name, free, x.employs[name]}
}

// shelf is the open jobs in one order, state by state.
type shelf struct {
	order string
	less  func(a, b *row) bool
	rows  *btree.BTreeG[*row]
}

// shelf makes sure that there is one of an order.
func (x *index) shelf(order string) {
	for _, s := range x.shelves {
		if s.order == order {
			return
		}
	}
	key := jobOrders[order]
	less := func(a, b *row) bool {
		if a.state != b.state {
			return a.state < b.state
		}
		return before(key(a), key(b), a, b)
	}
	x.shelves = append(x.shelves, &shelf{order, less, btree.NewBTreeGOptions(less, btree.Options{NoLocks: true})})
}

// replace puts a job's row in the place of the one it had; nil takes it away.
func (x *index) replace(c *counted, next *row) {
	for _, s := range x.shelves {
		if c.row != nil {
			s.rows.Delete(c.row)
		}
		if next != nil {
			s.rows.Set(next)
		}
	}
	if x.trades != nil {
		x.rank(c.row, next)
	}
	c.row = next
}

// rank keeps the queue of each set of skills.
func (x *index) rank(old, next *row) {
	if old != nil && old.since > 0 {
		key := strings.Join(old.spec.Skills, "\x00")
		q := x.trades[key]
		if q.rows.Delete(old); q.rows.Len() == 0 {
			delete(x.trades, key)
		}
	}
	if next == nil || next.since == 0 {
		return
	}
	key := strings.Join(next.spec.Skills, "\x00")
	q := x.trades[key]
	if q == nil {
		less := func(a, b *row) bool { return before(sinceOf(a), sinceOf(b), a, b) }
		q = &queue{next.spec.Skills, btree.NewBTreeGOptions(less, btree.Options{NoLocks: true})}
		x.trades[key] = q
	}
	q.rows.Set(next)
}
