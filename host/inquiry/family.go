package inquiry

import (
	"slices"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// member is a job that is followed while it is open.
type member struct {
	id, name, parent string
	employer         string // account:<name> or job:<parent>:escrow
	root             string // the block its family begins with
	index            int64  // in post order
	worker           string // of the last attempt
	seats            []string
	own              Tally
	below            Tally // of descendants that have ended
	state            core.JobState
}

// tree is what a job and all below it have come to.
func (m *member) tree() Tally {
	t := m.own
	t.add(&m.below)
	return t
}

// movement is one step of a job with everybody it concerns.
type movement struct {
	at        core.Time
	job       *member
	kind      core.StepKind
	amount    ledger.Amount
	seat      int64
	validator string // in the seat, "" where the step has none
}

// family follows open jobs: all of them, or one and what is below it.
type family struct {
	only   string // the one job that is asked for; "" is all
	owner  string // of the mission
	open   map[string]*member
	ended  []*member // in this entry
	posted int64
	moved  func(*movement)
	done   func(*member)
	// boosted is told what an account adds to a job's escrow, and, negative, what
	// comes back to it.
	boosted func(m *member, at core.Time, account ledger.Name, amount ledger.Amount)
}

func newFamily(only string) family {
	return family{only: only, open: map[string]*member{}, moved: func(*movement) {}, done: func(*member) {}, boosted: func(*member, core.Time, ledger.Name, ledger.Amount) {}}
}

// event takes an event of the entry at the given time.
func (f *family) event(at core.Time, event core.Event) {
	switch e := event.(type) {
	case *core.GenerationApplied:
		f.owner = e.Spec.Mission.Owner
	case *core.JobPosted:
		f.post(&e.Spec)
	case *core.JobAssigned:
		if m := f.open[e.Job]; m != nil {
			m.worker = e.Worker
		}
	case *core.RoundOpened:
		if m := f.open[e.Job]; m != nil {
			m.seats = slices.Clone(e.Seats)
		}
	case *core.Transfer:
		if m := f.open[e.Job]; m != nil {
			f.move(at, m, e.Steps)
		}
		for _, leg := range e.Legs {
			f.boost(at, leg)
		}
	case *core.JobEnded:
		if m := f.open[e.Job]; m != nil {
			m.state = e.State
			f.ended = append(f.ended, m)
		}
	}
}

func (f *family) post(spec *core.JobSpec) {
	f.posted++
	parent := f.open[spec.Parent]
	if f.only != "" && spec.ID != f.only && parent == nil {
		return
	}
	m := &member{id: spec.ID, name: nameOf(spec), parent: spec.Parent, employer: spec.EmployerOf(f.owner).String(), root: spec.Block, index: f.posted}
	if parent != nil {
		m.root = parent.root
	}
	f.open[spec.ID] = m
}

func nameOf(spec *core.JobSpec) string {
	if spec.Label != "" {
		return spec.Label
	}
	return spec.ID
}

func (f *family) move(at core.Time, m *member, steps []core.Step) {
	rules := core.Steps()
	for _, step := range steps {
		if rules[step.Kind].Unit != ledger.Token {
			continue
		}
		to := movement{at: at, job: m, kind: step.Kind, amount: step.Amount, seat: step.Seat}
		if rules[step.Kind].Seat && int(step.Seat) < len(m.seats) {
			to.validator = m.seats[step.Seat]
		}
		m.own.book(step.Kind, step.Amount)
		if parent := f.open[m.parent]; parent != nil {
			parent.own.Escrow += employerGets(step.Kind, step.Amount)
		}
		f.moved(&to)
	}
}

// boost takes a leg between an account and a job's escrow.
func (f *family) boost(at core.Time, leg core.Leg) {
	from, escrow, amount := nameIn(leg.Debit, leg.Unit), nameIn(leg.Credit, leg.Unit), leg.Amount
	if from.Kind == ledger.KindEscrow {
		from, escrow, amount = escrow, from, -amount
	}
	m := f.open[escrow.Owner]
	if escrow.Kind != ledger.KindEscrow || from.Kind != ledger.KindAccount || m == nil {
		return
	}
	m.own.Escrow += amount
	f.boosted(m, at, from, amount)
}

func nameIn(account string, unit ledger.Unit) ledger.Name {
	name, err := ledger.ParseName(account, unit)
	if err != nil {
		panic("inquiry: " + err.Error())
	}
	return name
}

// entryDone lets go of the jobs that ended in the entry: a parent takes over
// what its child came to.
func (f *family) entryDone() {
	for _, m := range f.ended {
		if parent := f.open[m.parent]; parent != nil {
			tree := m.tree()
			parent.below.add(&tree)
		}
		f.done(m)
		delete(f.open, m.id)
	}
	f.ended = f.ended[:0]
}

// members are the open jobs in post order.
func (f *family) members() []*member {
	all := make([]*member, 0, len(f.open))
	for _, m := range f.open {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b *member) int { return int(a.index - b.index) })
	return all
}

// below is what the descendants of every open job have come to, those included
// that are open themselves.
func (f *family) below() map[*member]Tally {
	sums, all := map[*member]Tally{}, f.members()
	for _, m := range slices.Backward(all) { // children are posted after their parents
		sum := sums[m]
		sum.add(&m.below)
		sums[m] = sum
		if parent := f.open[m.parent]; parent != nil {
			up := sums[parent]
			up.add(&m.own)
			up.add(&sum)
			sums[parent] = up
		}
	}
	return sums
}
