package host

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/script"
)

// rank is where a row stands in an order. Those it says nothing of come last,
// also when it is turned round.
type rank struct {
	none bool
	key  int64
}

// jobOrders are the orders of jobs. Waiting begins with the one that has waited
// longest, as deadline does with the one due first.
var jobOrders = map[string]func(*row) rank{
	"deadline": func(r *row) rank { return rank{r.due == 0, int64(r.due)} },
	"waiting":  sinceOf,
	"reward":   func(r *row) rank { return rank{key: int64(r.reward)} },
	"posted":   func(r *row) rank { return rank{key: int64(r.place)} },
}

func sinceOf(r *row) rank { return rank{r.since == 0, int64(r.since)} }

// orderOf is the order of a query for jobs.
func orderOf(q *script.Query) string {
	if q.Order == "" {
		return "posted"
	}
	return q.Order
}

// before compares rows in an order; what is equal stands in post order.
func before(x, y rank, a, b *row) bool {
	switch {
	case x.none != y.none:
		return y.none
	case x.key != y.key:
		return x.key < y.key
	}
	return a.place < b.place
}

// snapshot is what queries are answered from: the state at one entry, as far as
// they ask for it. It is taken in the loop, in about as many steps as there are
// workers, and read beside it.
type snapshot struct {
	now        core.Time
	shelves    []*shelf
	trades     map[string]*queue
	paused     map[string]bool
	workers    []bench
	validators []juror
	accounts   []purse
}

// snapshot takes what queries ask for.
func (x *index) snapshot(s *core.State, now core.Time, queries []script.Query) *snapshot {
	shot := &snapshot{now: now}
	for i := range queries {
		switch q := &queries[i]; q.From {
		case "jobs":
			shot.shelves = x.copied()
		case "skills":
			shot.trades = make(map[string]*queue, len(x.trades))
			for key, q := range x.trades {
				shot.trades[key] = &queue{q.skills, q.rows.Copy()}
			}
			shot.workers, shot.paused = benches(s), map[string]bool{}
			for _, p := range s.Paused() {
				shot.paused[p.Skill] = true
			}
		case "workers":
			shot.workers = benches(s)
		case "validators":
			shot.validators = nil
			for _, v := range s.Validators() {
				shot.validators = append(shot.validators, jurorOf(s, v))
			}
		case "accounts":
			shot.accounts = nil
			for name, free := range s.Purses() {
				shot.accounts = append(shot.accounts, purse{name, free, x.employs[name]})
			}
		}
	}
	return shot
}

// copied are the shelves as they stand: a copy shares what neither of the two
// changes afterwards.
func (x *index) copied() (all []*shelf) {
	for _, s := range x.shelves {
		all = append(all, &shelf{s.order, s.less, s.rows.Copy()})
	}
	return all
}

func benches(s *core.State) (all []bench) {
	var block, spec *core.WorkerSpec // all of one block share a copy
	s.Workers(func(w *core.Worker) bool {
		if w.Spec() != block {
			block = w.Spec()
			same := *block
			spec = &same
		}
		free, _ := s.StakesOf(w)
		all = append(all, bench{w.ID, spec, w.Load, free, w.Draining})
		return true
	})
	return all
}

// answer is the rows of a query, {"more":…,"rows":[…]}.
func (shot *snapshot) answer(q *script.Query) []byte {
	switch q.From {
	case "jobs":
		rows := shot.jobs(q)
		return rowsOf(q, rows, func(p *pen, r **row) { p.job("", *r, shot.now) })
	case "workers":
		found := slices.DeleteFunc(slices.Clone(shot.workers), func(w bench) bool { return q.Skill != "" && !slices.Contains(w.spec.Skills, q.Skill) })
		order(q, found, map[string]func(*bench) int64{"load": func(w *bench) int64 { return w.load }, "stake": func(w *bench) int64 { return int64(w.stake) }})
		return rowsOf(q, found, func(p *pen, w *bench) { p.worker("", w) })
	case "validators":
		found := slices.Clone(shot.validators)
		order(q, found, map[string]func(*juror) int64{"missed": func(v *juror) int64 { return v.missed }, "stake": func(v *juror) int64 { return int64(v.stake) }})
		return rowsOf(q, found, func(p *pen, v *juror) { p.validator("", v) })
	case "accounts":
		found := slices.Clone(shot.accounts)
		order(q, found, map[string]func(*purse) int64{"free": func(a *purse) int64 { return int64(a.free) }})
		return rowsOf(q, found, func(p *pen, a *purse) { p.account("", *a) })
	}
	found := slices.DeleteFunc(shot.skills(), func(t trade) bool { return q.Skill != "" && !slices.Contains(t.skills, q.Skill) })
	order(q, found, map[string]func(*trade) int64{"waiting": func(t *trade) int64 { return t.waiting }})
	return rowsOf(q, found, func(p *pen, t *trade) { p.trade("", t) })
}

// order sorts rows; those that are equal stay as they came.
func order[T any](q *script.Query, rows []T, orders map[string]func(*T) int64) {
	key := orders[q.Order]
	if key == nil {
		return
	}
	slices.SortStableFunc(rows, func(a, b T) int {
		if q.Descending {
			return cmp.Compare(key(&b), key(&a))
		}
		return cmp.Compare(key(&a), key(&b))
	})
}

func rowsOf[T any](q *script.Query, rows []T, write func(*pen, *T)) []byte {
	var p pen
	p.flag(`{"more":`, len(rows) > q.Limit)
	p.raw(`,"rows":[`)
	for i := range rows[:min(len(rows), q.Limit)] {
		p.comma(i)
		write(&p, &rows[i])
	}
	p.raw("]}")
	return p.b
}

// jobs finds the first rows of a query, and one more where there are others.
func (shot *snapshot) jobs(q *script.Query) (found []*row) {
	name := orderOf(q)
	at := slices.IndexFunc(shot.shelves, func(s *shelf) bool { return s.order == name })
	states := q.States
	if len(states) == 0 {
		for _, state := range core.JobStates() {
			if !state.Terminal() {
				states = append(states, string(state))
			}
		}
	}
	key := jobOrders[name]
	for _, state := range states {
		n := 0
		shot.shelves[at].each(core.JobState(state), key, q.Descending, func(r *row) bool {
			if q.DeadlineWithin > 0 && name == "deadline" && !q.Descending && int64(r.due-shot.now) > q.DeadlineWithin {
				return false // and so are all behind it
			}
			if q.WaitingOver > 0 && name == "waiting" && !q.Descending && int64(shot.now-r.since) < q.WaitingOver {
				return false
			}
			if shot.fits(q, r) {
				found = append(found, r)
				n++
			}
			return n <= q.Limit
		})
	}
	slices.SortFunc(found, func(a, b *row) int {
		x, y := key(a), key(b)
		less := before(x, y, a, b)
		if q.Descending && x.none == y.none && x.key != y.key {
			less = !less
		} else if q.Descending && x == y {
			less = a.place > b.place
		}
		if less {
			return -1
		}
		return 1
	})
	return found[:min(len(found), q.Limit+1)]
}

// each goes through the rows of one state in order, or in the order turned
// round: those it says nothing of come last in both.
func (s *shelf) each(state core.JobState, key func(*row) rank, down bool, yield func(*row) bool) {
	first := &row{state: state, place: -1, due: -1, since: -1, reward: -1}
	if !down {
		s.rows.Ascend(first, func(r *row) bool { return r.state == state && yield(r) })
		return
	}
	going, last := true, lastOf(state)
	for _, none := range [...]bool{false, true} {
		if !going {
			return
		}
		s.rows.Descend(last, func(r *row) bool {
			if r.state != state {
				return false
			}
			if key(r).none == none {
				going = yield(r)
			}
			return going
		})
	}
}

// lastOf comes after every row of a state.
func lastOf(state core.JobState) *row { return &row{state: state + "\xff"} }

// fits reports whether all that a query asks for holds of a job.
func (shot *snapshot) fits(q *script.Query, r *row) bool {
	spec := &r.spec
	return (q.Skill == "" || slices.Contains(spec.Skills, q.Skill)) &&
		(q.Employer == "" || r.employer == q.Employer) &&
		(len(q.Priority) == 0 || slices.Contains(q.Priority, spec.Priority.String())) &&
		(q.Parent == "" || spec.Parent == q.Parent) &&
		(q.DeadlineWithin == 0 || r.due > 0 && int64(r.due-shot.now) <= q.DeadlineWithin) &&
		(q.WaitingOver == 0 || r.since > 0 && int64(shot.now-r.since) >= q.WaitingOver) &&
		!slices.ContainsFunc(q.Labels, func(l script.Label) bool { return !slices.Contains(spec.Labels, core.Label(l)) })
}

// skills are all sets of skills that a job waits for or a worker has.
func (shot *snapshot) skills() (all []trade) {
	sets := map[string][]string{}
	for key, q := range shot.trades {
		sets[key] = q.skills
	}
	for i := range shot.workers {
		if w := &shot.workers[i]; !w.gone {
			sets[strings.Join(w.spec.Skills, "\x00")] = w.spec.Skills
		}
	}
	for _, key := range slices.Sorted(maps.Keys(sets)) {
		t := trade{skills: sets[key]}
		t.paused = slices.ContainsFunc(t.skills, func(skill string) bool { return shot.paused[skill] })
		if q := shot.trades[key]; q != nil {
			t.count(q, shot.now)
		}
		for i := range shot.workers {
			if w := &shot.workers[i]; !w.gone && w.spec.Takes(t.skills) {
				t.workers++
				t.free += max(0, w.spec.Slots-w.load)
			}
		}
		all = append(all, t)
	}
	return all
}

// count is how many wait, and since when the first does. Those that will wait
// later stand behind.
func (t *trade) count(q *queue, now core.Time) {
	t.waiting = int64(q.rows.Len())
	q.rows.Reverse(func(r *row) bool {
		later := r.since > now
		if later {
			t.waiting--
		}
		return later
	})
	if first, ok := q.rows.Min(); ok && t.waiting > 0 {
		t.oldest = first.since
	}
}
