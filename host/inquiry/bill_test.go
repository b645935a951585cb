package inquiry_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/inquiry"
	"github.com/omega-run/omega/host/ledger"
)

const one = ledger.One

// play drives a core through delegations, failures, rejections and
// cancellations that a seed draws, and keeps its entries.
type play struct {
	t       *testing.T
	r       *rand.Rand
	state   *core.State
	at      core.Time
	entries []*core.Entry
	jobs    []string
	orders  int64
}

func newPlay(t *testing.T, seed uint64, change ...func(*core.Spec)) *play {
	p := &play{t: t, r: rand.New(rand.NewPCG(seed, 1)), state: core.New()}
	var s core.Spec
	for _, setting := range core.Settings() {
		if setting.Default != "" {
			require.NoError(t, setting.Parse(&s, setting.Default))
		}
	}
	s.Mission.Name, s.Instances = "play", 6
	s.Treasury = core.Treasury{Tokens: 10_000 * one, WorkerEndowment: 300 * one}
	s.Accounts = []core.AccountSpec{{Name: "other", Tokens: 1_000 * one}}
	s.Resources.Energy.Capacity, s.Resources.Energy.Price = 5_000*one, 7*one
	s.Governance.Committee, s.Governance.SlashTreasury, s.Governance.SlashBurn = 0, 300_000, 333_333
	s.Workers = []core.WorkerSpec{{Name: "w", Instances: []string{"w_0", "w_1", "w_2"}, Skills: []string{"s"}, Slots: 2, Kind: core.Simulated, Simulated: core.SimulatedSpec{Speed: 1_000_000}}}
	for _, f := range change {
		f(&s)
	}
	p.step(&core.Genesis{Mission: "M", OwnerKey: [32]byte{9}, Apply: core.Generation{Entry: "mission.hcl", Spec: s}})
	expand := &core.Expand{Generation: 1, Next: 6}
	for i := range 6 {
		j := p.job(fmt.Sprintf("j_%d", i), 100*one)
		j.Block, j.Label = "j", fmt.Sprintf("j[%d]", i)
		if i == 2 {
			j.Employer = "other"
		}
		expand.Jobs = append(expand.Jobs, j)
	}
	p.step(expand)
	return p
}

func (p *play) job(id string, reward ledger.Amount) core.JobSpec {
	return core.JobSpec{
		ID: id, Generation: 1, Skills: []string{"s"}, Reward: reward + ledger.Amount(p.r.IntN(999)),
		EnergyBudget: ledger.Amount(p.r.IntN(200)) * one, Work: core.Minute,
	}
}

func (p *play) step(c core.Command) {
	events, refusal := p.state.Step(&core.Input{At: p.at, Wall: "2000-01-01T00:00:00.000Z", By: "test", Command: c})
	p.entries = append(p.entries, &core.Entry{Seq: p.state.Seq(), At: p.at, By: "test", Command: c, Events: events, Refusal: refusal})
	for _, event := range events {
		if posted, ok := event.(*core.JobPosted); ok {
			p.jobs = append(p.jobs, posted.Spec.ID)
		}
	}
}

// turn answers an attempt, cancels a job or lets time pass.
func (p *play) turn() {
	p.at += core.Time(p.r.IntN(40 * int(core.Minute)))
	if due, ok := p.state.NextDeadline(); ok && due <= p.at {
		p.step(&core.Tick{})
	}
	if p.r.IntN(25) == 0 {
		p.orders++
		id := p.jobs[p.r.IntN(len(p.jobs))]
		p.step(&core.Order{ID: fmt.Sprint("o", p.orders), Key: [32]byte{9}, Counter: p.orders, Say: core.CancelJob, Job: id, Reason: "drawn"})
		return
	}
	for _, w := range p.state.Outstanding() {
		if w.Kind == core.RunAttempt && p.r.IntN(3) > 0 {
			p.answer(w)
			return
		}
	}
}

func (p *play) answer(w core.Work) {
	id, used := w.Job.Spec.ID, ledger.Amount(p.r.Int64N(int64(w.Job.Spec.EnergyBudget)+1))
	switch p.r.IntN(8) {
	case 0:
		p.step(&core.Failure{Job: id, Attempt: w.Attempt, Lease: w.Lease, Reason: "exit"})
	case 1:
		p.step(&core.Result{Job: id, Attempt: w.Attempt, Lease: w.Lease, Result: []byte(`{}`), EnergyUsed: used, Judged: &core.Judgement{Reason: "no"}})
	case 2, 3, 4:
		var children []core.JobSpec
		for i := range 1 + p.r.IntN(2) {
			children = append(children, p.job(core.ChildID(id, len(w.Job.Children)+1+i), w.Job.Spec.Reward/5))
		}
		p.step(&core.Delegate{Job: id, Attempt: w.Attempt, Lease: w.Lease, EnergyUsed: used, Children: children})
	default:
		p.step(&core.Result{Job: id, Attempt: w.Attempt, Lease: w.Lease, Result: []byte(`{}`), EnergyUsed: used, Judged: &core.Judgement{Approve: true}})
	}
}

// spent is what each job has cost, by the accounts that the movements name.
func (p *play) spent() (own map[string]ledger.Amount, parent map[string]string) {
	own, parent = map[string]ledger.Amount{}, map[string]string{}
	employer := map[string]ledger.Name{}
	pays := func(n ledger.Name) bool {
		return n.Kind == ledger.KindAccount || n.Kind == ledger.KindEscrow || n.Kind == ledger.KindDeposit
	}
	for _, e := range p.entries {
		for _, event := range e.Events {
			switch ev := event.(type) {
			case *core.JobPosted:
				employer[ev.Spec.ID], parent[ev.Spec.ID] = ev.Spec.EmployerOf("operator"), ev.Spec.Parent
			case *core.Transfer:
				for _, step := range ev.Steps {
					debit, credit := step.Kind.Ends(core.Parties{Owner: "operator", Employer: employer[ev.Job], Job: ev.Job, Worker: "w", Validator: "v"})
					if debit.Unit != ledger.Token || pays(debit) == pays(credit) {
						continue
					}
					if own[ev.Job] += step.Amount; pays(credit) {
						own[ev.Job] -= 2 * step.Amount
					}
				}
			}
		}
	}
	return own, parent
}

func (p *play) sheet(job string, by inquiry.Grouping, top int) *inquiry.BillSheet {
	p.t.Helper()
	bill := inquiry.NewBill(job, by, top)
	for _, e := range p.entries {
		bill.Apply(e)
	}
	sheet, err := bill.Sheet(p.state)
	require.NoError(p.t, err)
	return sheet
}

func (p *play) check() {
	p.t.Helper()
	own, parent := p.spent()
	tree := map[string]ledger.Amount{}
	var all ledger.Amount
	for _, id := range p.jobs {
		all += own[id]
		for at := id; at != ""; at = parent[at] {
			tree[at] += own[id]
		}
	}
	for _, by := range inquiry.Groupings() {
		require.Equal(p.t, all.String(), p.sheet("", by, 3).Cost.Total)
	}
	for _, row := range p.sheet("", inquiry.ByJob, 1000).Rows {
		require.Equal(p.t, own[row.Key].String(), row.Amount, row.Key)
		require.Equal(p.t, tree[row.Key].String(), row.Parts["tree"], row.Key)
	}
	for _, id := range p.jobs {
		require.Equal(p.t, tree[id].String(), p.sheet(id, inquiry.ByWorker, 3).Cost.Total, id)
		story := inquiry.NewStory(p.found(id))
		for _, e := range p.entries {
			story.Apply(e)
		}
		told := story.Explain(p.state)
		require.Equal(p.t, own[id].String(), told.Cost.Total, id)
		require.Equal(p.t, tree[id].String(), told.Tree, id)
		require.EqualValues(p.t, parent[id], func() string {
			if told.Parent == nil {
				return ""
			}
			return told.Parent.Job
		}())
	}
}

func (p *play) found(name string) core.JobSpec {
	finder := inquiry.NewFinder(name)
	for _, e := range p.entries {
		if finder.Apply(e) {
			return finder.Found()
		}
	}
	require.Fail(p.t, "not found", name)
	return core.JobSpec{}
}

// TestBillsOfFamilies: through trees of children, some of them open, some
// cancelled, every sum is what the movements say, and agrees with the ledger.
func TestBillsOfFamilies(t *testing.T) {
	deep, slashed := 0, false
	for seed := range uint64(30) {
		p := newPlay(t, seed)
		for range 4 {
			for range 40 {
				p.turn()
			}
			p.check()
		}
		for _, id := range p.jobs {
			depth := 0
			_, parent := p.spent()
			for at := parent[id]; at != ""; at = parent[at] {
				depth++
			}
			deep = max(deep, depth)
		}
		slashed = slashed || p.sheet("", inquiry.ByJob, 1).Cost.SlashesToTreasury != "0"
	}
	require.GreaterOrEqual(t, deep, 2, "children of children should have been posted")
	require.True(t, slashed)
}

// TestBillsOfBoosts: what stewards add to rewards and get back, and the jobs
// they post, are on the bill of whoever paid.
func TestBillsOfBoosts(t *testing.T) {
	taken, back := 0, false
	for seed := range uint64(20) {
		p := newPlay(t, seed, func(s *core.Spec) {
			s.Guardian = &core.GuardianSpec{Script: core.ScriptSpec{Path: "omega:guardian", Fallback: "none"}}
			s.Autonomy.GuardianInterval, s.Autonomy.May = core.Minute, []string{core.ActBoost, core.ActPost}
			s.Accounts = append(s.Accounts, core.AccountSpec{Name: core.GuardianName, Tokens: 400 * one})
		})
		for range 4 {
			for range 40 {
				p.turn()
				p.advise()
			}
			p.check()
		}
		steward := inquiry.NewStewardship(core.GuardianName)
		for _, e := range p.entries {
			steward.Apply(e)
		}
		told := steward.Story(p.state)
		amount := func(text string) ledger.Amount {
			a, err := ledger.ParseAmount(text)
			require.NoError(t, err)
			return a
		}
		m := told.Spending
		require.Equal(t, amount(m.Free), amount(m.Given)+amount(m.Back)-amount(m.Jobs)-amount(m.Boosts))
		for _, row := range p.sheet("", inquiry.ByAccount, 100).Rows {
			if row.Key == m.Account {
				require.Equal(t, amount(m.Jobs)+amount(m.Boosts), amount(row.Parts["paid"]))
				require.Equal(t, m.Back, row.Parts["back"])
			}
		}
		if taken += int(told.Counts.Taken); m.Boosts != "0" && m.Back != "0" {
			back = true
		}
	}
	require.Greater(t, taken, 20)
	require.True(t, back)
}

// advise has the guardian boost a job and post another, where it is asked.
func (p *play) advise() {
	if _, due, ok := p.state.StewardDue(); !ok || due > p.at || p.r.IntN(3) > 0 {
		return
	}
	post := p.job("", 10*one)
	var waits string
	for _, j := range p.state.Jobs() {
		if j.Parent == nil && (j.State == core.JobReadyState || j.State == core.JobRejected || j.State == core.JobPostedState) {
			waits = j.Spec.ID
		}
	}
	p.step(&core.Advise{
		Steward: core.GuardianName, Seen: p.state.Seq(), Generation: p.state.Generation(), Headline: fmt.Sprint(len(p.entries)),
		Actions: []core.Action{
			{Do: core.ActBoost, Job: waits, Tokens: ledger.Amount(1+p.r.IntN(20)) * one},
			{Do: core.ActPost, Post: &post},
		},
	})
}

func TestFinderSuggests(t *testing.T) {
	p := newPlay(t, 1)
	require.Equal(t, "j_3", p.found("j[3]").ID)
	require.Equal(t, "j_3", p.found("j_3").ID)
	finder := inquiry.NewFinder("j[8]")
	for _, e := range p.entries {
		require.False(t, finder.Apply(e))
	}
	require.EqualError(t, finder.Unknown(), "there is no job j[8]; did you mean j[0], j[1], j[2]?")
	require.Contains(t, inquiry.NewFinder("something else").Unknown().Error(), "omega job list")
}

// TestBillIsNotShownWhenItIsWrong: a movement that the bill has not seen makes
// it worthless.
func TestBillIsNotShownWhenItIsWrong(t *testing.T) {
	p := newPlay(t, 1)
	for range 20 {
		p.turn()
	}
	for _, by := range inquiry.Groupings() {
		bill := inquiry.NewBill("", by, 10)
		for _, e := range p.entries[:len(p.entries)-5] {
			bill.Apply(e)
		}
		_, err := bill.Sheet(p.state)
		require.ErrorContains(t, err, "is not shown")
	}
}
