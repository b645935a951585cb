package host

import (
	"math"
	"strconv"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// What scripts are shown, as canonical JSON: members stand in the order of their
// names. It is copied out of the state, because a script thinks beside the loop.

// pen writes JSON.
type pen struct{ b []byte }

func (p *pen) raw(text string) { p.b = append(p.b, text...) }

func (p *pen) text(before, text string) {
	p.raw(before)
	p.b = core.AppendString(p.b, text)
}

func (p *pen) int(before string, n int64) { p.b = strconv.AppendInt(append(p.b, before...), n, 10) }

func (p *pen) flag(before string, yes bool) {
	p.b = strconv.AppendBool(append(p.b, before...), yes)
}

func (p *pen) amount(before string, a ledger.Amount) {
	p.b = append(a.AppendText(append(append(p.b, before...), '"')), '"')
}

// part is a ratio as a number.
func (p *pen) part(before string, r ledger.Ratio) { p.raw(before + r.String()) }

func (p *pen) texts(before string, all []string) {
	p.raw(before + "[")
	for i, text := range all {
		p.comma(i)
		p.b = core.AppendString(p.b, text)
	}
	p.raw("]")
}

func (p *pen) comma(i int) {
	if i > 0 {
		p.raw(",")
	}
}

// row is a job as scripts see it. It does not change: a job that does has
// another row.
type row struct {
	spec      core.Terms
	place     int // in post order
	state     core.JobState
	reward    ledger.Amount
	employer  string // name of the account that pays, "" of a child
	attempt   int64
	failures  int64
	worker    string
	ready     core.Time
	started   core.Time
	due       core.Time // 0 never
	since     core.Time // it waits, or will wait, for a worker; 0 does not
	expedited bool
}

func rowOf(s *core.State, j *core.Job) *row {
	r := &row{
		spec: j.Spec, place: j.Index(), state: j.State, employer: employerOf(s, j.Spec.JobSpec), attempt: j.Attempt, failures: j.Failures,
		ready: j.ReadyAt, due: j.DueAt(), since: j.WaitsFrom(), expedited: j.Expedited > 0, reward: j.Reward(),
	}
	if j.Worker != nil {
		r.worker = j.Worker.ID
	}
	if j.State == core.JobRunning {
		r.started = j.StartedAt
	}
	return r
}

// newRow is a job that is not posted yet.
func newRow(s *core.State, spec *core.JobSpec) *row {
	return &row{
		spec:  core.Terms{ID: spec.ID, Label: spec.Label, Needs: spec.Needs, Input: spec.Input, JobSpec: spec},
		place: math.MaxInt, state: core.JobPostedState, reward: spec.Reward, employer: employerOf(s, spec),
	}
}

func employerOf(s *core.State, spec *core.JobSpec) string {
	switch {
	case spec.Parent != "":
		return ""
	case spec.Employer != "":
		return spec.Employer
	}
	return s.Spec().Mission.Owner
}

// maxShownNeeds bounds the needs of a job that are named to a script.
const maxShownNeeds = 100

func (p *pen) job(before string, r *row, now core.Time) {
	spec, since := &r.spec, r.since
	if since > now {
		since = 0
	}
	name := spec.Label
	if name == "" {
		name = spec.ID
	}
	p.int(before+`{"attempt":`, r.attempt)
	p.amount(`,"compute_budget":`, spec.ComputeBudget)
	p.int(`,"deadline":`, int64(spec.Deadline))
	p.int(`,"due_at":`, int64(r.due))
	p.text(`,"employer":`, r.employer)
	p.amount(`,"energy_budget":`, spec.EnergyBudget)
	p.flag(`,"expedited":`, r.expedited)
	p.int(`,"failures":`, r.failures)
	p.text(`,"job":`, spec.ID)
	p.raw(`,"labels":{`)
	for i, l := range spec.Labels {
		p.comma(i)
		p.text("", l.Key)
		p.text(":", l.Value)
	}
	p.text(`},"name":`, name)
	p.texts(`,"needs":`, spec.Needs[:min(len(spec.Needs), maxShownNeeds)])
	p.text(`,"parent":`, spec.Parent)
	p.raw(`,"priority":"` + spec.Priority.String() + `"`)
	p.int(`,"ready_at":`, int64(r.ready))
	p.flag(`,"required":`, spec.Required)
	p.amount(`,"reward":`, r.reward)
	p.texts(`,"skills":`, spec.Skills)
	p.int(`,"started_at":`, int64(r.started))
	p.raw(`,"state":"` + string(r.state) + `"`)
	p.text(`,"title":`, spec.Title)
	p.int(`,"waiting_since":`, int64(since))
	p.int(`,"work":`, int64(spec.Work))
	p.text(`,"worker":`, r.worker)
	p.raw("}")
}

// bench is a worker as scripts see it.
type bench struct {
	id    string
	spec  *core.WorkerSpec // a copy: the state's own belongs to the loop
	load  int64
	stake ledger.Amount
	gone  bool
}

func benchOf(s *core.State, w *core.Worker) bench {
	free, _ := s.StakesOf(w)
	spec := *w.Spec()
	return bench{w.ID, &spec, w.Load, free, w.Draining}
}

func (p *pen) worker(before string, w *bench) {
	speed := ledger.Whole
	if w.spec.Kind == core.Simulated {
		speed = w.spec.Simulated.Speed
	}
	p.text(before+`{"block":`, w.spec.Name)
	p.flag(`,"draining":`, w.gone)
	p.text(`,"kind":`, string(w.spec.Kind))
	p.int(`,"load":`, w.load)
	p.texts(`,"skills":`, w.spec.Skills)
	p.int(`,"slots":`, w.spec.Slots)
	p.part(`,"speed":`, speed)
	p.amount(`,"stake_free":`, w.stake)
	p.text(`,"worker":`, w.id)
	p.raw("}")
}

// juror is a validator as scripts see it.
type juror struct {
	id, block, kind string
	missed          int64
	stake           ledger.Amount
	gone            bool
}

func jurorOf(s *core.State, v *core.Validator) juror {
	j := juror{id: v.ID, missed: v.Missed, stake: s.Pledgeable(v), gone: v.Draining}
	if spec := v.Spec(); spec != nil {
		j.block, j.kind = spec.Name, string(spec.Kind)
		if j.kind == "" {
			j.kind = string(core.RuleValidator)
		}
	}
	return j
}

func (p *pen) validator(before string, v *juror) {
	p.text(before+`{"block":`, v.block)
	p.flag(`,"draining":`, v.gone)
	p.text(`,"kind":`, v.kind)
	p.int(`,"missed":`, v.missed)
	p.amount(`,"stake_free":`, v.stake)
	p.text(`,"validator":`, v.id)
	p.raw("}")
}

// purse is an account as scripts see it.
type purse struct {
	name string
	free ledger.Amount
	open int64 // jobs it pays for
}

func (p *pen) account(before string, a purse) {
	p.text(before+`{"account":`, a.name)
	p.amount(`,"free":`, a.free)
	p.int(`,"jobs_open":`, a.open)
	p.raw("}")
}

// trade is all that needs the same skills, as scripts see it.
type trade struct {
	skills  []string
	waiting int64
	oldest  core.Time
	workers int64
	free    int64
	paused  bool
}

func (p *pen) trade(before string, t *trade) {
	p.int(before+`{"free_slots":`, t.free)
	p.int(`,"oldest":`, int64(t.oldest))
	p.flag(`,"paused":`, t.paused)
	p.texts(`,"skills":`, t.skills)
	p.int(`,"waiting":`, t.waiting)
	p.int(`,"workers":`, t.workers)
	p.raw("}")
}
