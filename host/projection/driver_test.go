package projection_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
	"github.com/omega-run/omega/host/projection"
	"github.com/stretchr/testify/require"
)

const one = ledger.One

// recorded is one entry as the journal holds it.
type recorded struct {
	line   []byte
	digest core.Digest
}

// driver is the smallest host: it makes a journal.
type driver struct {
	t     testing.TB
	state *core.State
	at    core.Time
	prev  core.Digest
	all   []recorded
	jobs  []core.JobSpec
	plan  map[string][]string // what the attempts of a job do, in order: ok, wrong, fail, hang
	order int64
	idle  string // the validator that never comes

	trusting bool            // audits nothing
	live     *projection.Set // sees the entries as they were made, not as they were recorded
}

func spec() core.Spec {
	var s core.Spec
	for _, setting := range core.Settings() {
		if setting.Default != "" {
			if err := setting.Parse(&s, setting.Default); err != nil {
				panic(err)
			}
		}
	}
	s.Mission.Name = "test"
	s.Treasury = core.Treasury{Tokens: 100_000 * one, WorkerEndowment: 100 * one, ValidatorEndowment: 100 * one}
	s.Resources.Energy.Capacity, s.Resources.Compute.Capacity = 5_000*one, 5_000*one
	s.Governance.Committee, s.Governance.ApprovalsRequired = 3, 2
	s.Retention.StructuredLog, s.Retention.StateHistory = 16, 16
	s.Workers = []core.WorkerSpec{{
		Name: "w", Instances: []string{"w_0", "w_1"}, Skills: []string{"s"}, Slots: 1, Kind: core.Simulated,
		Simulated: core.SimulatedSpec{Speed: 1_000_000},
	}}
	s.Validators = []core.ValidatorSpec{{Name: "rule", Instances: []string{"rule_0", "rule_1", "rule_2"}}}
	return s
}

func job(id string, change ...func(*core.JobSpec)) core.JobSpec {
	j := core.JobSpec{ID: id, Block: id, Generation: 1, Skills: []string{"s"}, Reward: 100 * one, EnergyBudget: 1_000 * one, Work: core.Minute, Required: true}
	for _, f := range change {
		f(&j)
	}
	return j
}

func start(t testing.TB, s core.Spec, jobs ...core.JobSpec) *driver {
	s.Instances = int64(len(jobs))
	d := &driver{t: t, state: core.New(), jobs: jobs, plan: map[string][]string{}, live: projection.New("")}
	keys := [][32]byte{{1}, {2}, {3}}
	d.do(&core.Genesis{Mission: "01J00000000000000000000000", OwnerKey: [32]byte{9}, Apply: core.Generation{Entry: "mission.hcl", Spec: s, Keys: keys}})
	return d
}

func (d *driver) do(c core.Command) *core.Refusal {
	in := &core.Input{At: d.at, Wall: "2000-01-01T00:00:00.000Z", By: "test", Prev: d.prev, Command: c}
	events, refusal := d.state.Step(in)
	e := &core.Entry{Seq: d.state.Seq(), At: in.At, Wall: in.Wall, By: in.By, Command: c, Events: events, Refusal: refusal, Prev: d.prev}
	line := fmt.Appendf(nil, `{"seq":%d,`, e.Seq)
	line = fmt.Appendf(e.AppendBody(line), `,"prev":"%x"`, d.prev)
	d.prev = sha256.Sum256(line)
	d.all = append(d.all, recorded{line, d.prev})
	d.live.Apply(d.state, e, d.prev)
	if !d.trusting && len(d.all) < 2_000 { // it looks at everything
		require.NoError(d.t, d.live.Audit(d.state))
	}
	return refusal
}

func (d *driver) say(kind core.OrderKind, job string) {
	d.order++
	require.Nil(d.t, d.do(&core.Order{ID: fmt.Sprintf("order-%d", d.order), Key: [32]byte{9}, Counter: d.order, Body: core.Digest{byte(d.order)}, Say: kind, Job: job}))
}

func (d *driver) seal() {
	digest, _ := d.state.Seal(nil)
	d.do(&core.Checkpoint{Seq: d.state.Seq(), Entry: d.prev, State: digest, Signature: []byte("signature")})
}

// expand posts the file's jobs.
func (d *driver) expand() {
	for {
		from, ok := d.state.ExpandFrom()
		if !ok {
			return
		}
		next := min(from+1000, int64(len(d.jobs)))
		d.do(&core.Expand{Generation: d.state.Generation(), Next: next, Jobs: d.jobs[from:next]})
	}
}

// vote answers an open round.
func (d *driver) vote() (voted bool) {
	for _, w := range d.state.Outstanding() {
		if w.Kind != core.CommitVotes && w.Kind != core.RevealVotes {
			continue
		}
		j, commit, reveal := w.Job, &core.Commit{Job: w.Job.Spec.ID, Round: w.Round}, &core.Reveal{Job: w.Job.Spec.ID, Round: w.Round}
		for i := range j.Round.Seats {
			open := core.OpenVote{Seat: int64(i), Vote: opinion(string(j.Answer.Result), i), Salt: [32]byte{byte(i), byte(w.Round)}}
			if open.Vote == "" || j.Round.Seats[i].Validator.ID == d.idle || w.Kind == core.CommitVotes && j.Round.Seats[i].Committed {
				continue
			}
			commitment, err := d.state.CommitmentOf(j, &open)
			require.NoError(d.t, err)
			commit.Votes = append(commit.Votes, core.SealedVote{Seat: int64(i), Commitment: commitment, Box: []byte("sealed")})
			reveal.Votes = append(reveal.Votes, open)
		}
		if len(reveal.Votes) == 0 {
			continue // the rest is absent
		}
		if w.Kind == core.CommitVotes {
			d.do(commit)
		} else {
			d.do(reveal)
		}
		return true
	}
	return false
}

// opinion is what the validator in a seat makes of a result, "" if it stays away.
func opinion(result string, seat int) string {
	switch {
	case result == `{"wrong":true}` && seat > 0:
		return "reject"
	case result == `{"absent":true}` && seat == 0:
		return ""
	case result == `{"torn":true}`:
		return [...]string{"approve", "reject", "abstain"}[seat%3]
	}
	return "approve"
}

// run goes on until nothing happens, or the number of entries is reached.
func (d *driver) run(entries int) {
	for len(d.all) < entries {
		d.expand()
		if d.vote() {
			continue
		}
		due, found := d.state.NextDeadline()
		for _, w := range d.state.Outstanding() {
			if w.Kind == core.RunAttempt && d.does(w) != "hang" && (!found || w.Job.EndsAt() < due) {
				due, found = max(w.Job.EndsAt(), d.at), true
			}
		}
		if !found {
			return
		}
		d.at = due
		d.finish()
		if due, ok := d.state.NextDeadline(); ok && due <= d.at {
			d.do(&core.Tick{})
		}
		if due, ok := d.state.CheckpointDue(); ok && due <= d.at {
			d.seal()
		}
	}
}

func (d *driver) does(w core.Work) string {
	if plan := d.plan[w.Job.Spec.ID]; int(w.Attempt) <= len(plan) {
		return plan[w.Attempt-1]
	}
	return "ok"
}

func (d *driver) finish() {
	for _, w := range d.state.Outstanding() {
		if w.Kind != core.RunAttempt || w.Job.EndsAt() > d.at {
			continue
		}
		id := w.Job.Spec.ID
		switch d.does(w) {
		case "hang":
		case "fail":
			d.do(&core.Failure{Job: id, Attempt: w.Attempt, Lease: w.Lease, Reason: "exit", Detail: "exit status 1"})
		case "wrong":
			d.do(&core.Result{Job: id, Attempt: w.Attempt, Lease: w.Lease, Result: []byte(`{"wrong":true}`), EnergyUsed: core.Unreported, ComputeUsed: core.Unreported})
		case "torn", "absent":
			d.do(&core.Result{Job: id, Attempt: w.Attempt, Lease: w.Lease, Result: fmt.Appendf(nil, `{"%s":true}`, d.does(w)), EnergyUsed: core.Unreported, ComputeUsed: core.Unreported})
		case "split":
			child := job(core.ChildID(id, len(w.Job.Children)+1), func(j *core.JobSpec) { j.Reward, j.EnergyBudget, j.Required, j.Block = 10*one, 500*one, false, "" })
			second := child
			second.ID, second.Needs = core.ChildID(id, len(w.Job.Children)+2), []string{child.ID}
			d.do(&core.Delegate{Job: id, Attempt: w.Attempt, Lease: w.Lease, EnergyUsed: 100 * one, ComputeUsed: core.Unreported, Children: []core.JobSpec{child, second}})
		default:
			d.do(&core.Result{Job: id, Attempt: w.Attempt, Lease: w.Lease, Result: []byte(`{}`), EnergyUsed: 600 * one, ComputeUsed: core.Unreported})
		}
	}
}

// scripted is a mission in which nearly everything happens.
func scripted(t *testing.T) *driver {
	retried := job("swarm_0", func(j *core.JobSpec) {
		j.Label, j.Title, j.Deadline = "swarm[0]", "Dyson swarm \"reinforcement\"", 24*core.Hour
	})
	report := job("report", func(j *core.JobSpec) { j.Needs = []string{"swarm_0"} })
	doomed := job("doomed", func(j *core.JobSpec) { j.Required = false })
	skipped := job("after", func(j *core.JobSpec) { j.Needs = []string{"doomed"}; j.Required = false })
	late := job("late", func(j *core.JobSpec) { j.Deadline = core.Minute / 2 })
	d := start(t, spec(), retried, report, doomed, skipped, late)
	d.plan["swarm_0"], d.plan["doomed"], d.plan["late"] = []string{"wrong"}, []string{"fail", "fail", "fail"}, []string{"hang"}
	d.do(&core.Start{Speed: 1_000_000})
	d.run(8)
	d.say(core.Pause, "")
	d.say(core.Pause, "") // refused
	d.do(&core.Tick{})    // refused
	d.finish()
	d.say(core.Resume, "")
	d.do(&core.RefuseEdit{Reason: "invalid_mission", Detail: "mission.hcl:3: Unsupported block type"})
	d.do(&core.TailCut{File: "journal/00000001.torn", Bytes: 77, From: 12})
	d.do(&core.Result{Job: "late", Attempt: 7, Lease: 1, Result: []byte(`{}`)}) // refused
	wider := *d.state.Spec()
	wider.Resources.Energy.Capacity, wider.Resources.Compute.Capacity = 6_000*one, 4_000*one
	d.do(&core.Generation{Entry: "mission.hcl", Spec: wider, Keys: [][32]byte{{1}, {2}, {3}}})
	d.run(40)
	d.say(core.EmergencyStop, "")
	d.say(core.Resume, "")
	d.say(core.CancelJob, "nobody")
	d.run(1_000)
	d.seal()
	d.do(&core.Leave{Reason: "ended"})
	return d
}

// random is a mission of n jobs, each with a fate of its own.
func random(t *testing.T, seed uint64, n int) *driver {
	r := rand.New(rand.NewPCG(seed, 1))
	var jobs []core.JobSpec
	plan := map[string][]string{}
	for i := range n {
		id := fmt.Sprintf("j_%d", i)
		jobs = append(jobs, job(id, func(j *core.JobSpec) {
			for range r.IntN(2) {
				if i > 0 {
					j.Needs = append(j.Needs, fmt.Sprintf("j_%d", r.IntN(i)))
				}
			}
			j.Deadline = core.Duration(r.IntN(3)) * core.Hour
		}))
		fates := []string{"ok", "wrong", "fail", "hang"}
		if jobs[i].Deadline == 0 {
			fates = fates[:3] // it would hang for ever
		}
		for range r.IntN(3) {
			plan[id] = append(plan[id], fates[r.IntN(len(fates))])
		}
	}
	s := spec()
	s.Mission.Duration = 12 * core.Hour
	d := start(t, s, jobs...)
	d.plan = plan
	d.run(20)
	d.say(core.Stop, "")
	d.do(&core.Halt{})
	d.do(&core.Start{Speed: 1_000_000})
	d.say(core.Resume, "")
	d.run(10_000)
	return d
}

// rich is a mission of n jobs in which everything happens that can: children,
// two employers, absent validators, questions to a person, shortages.
func rich(t *testing.T, seed uint64, n int) *driver {
	r := rand.New(rand.NewPCG(seed, 4))
	var jobs []core.JobSpec
	plan := map[string][]string{}
	fates := []string{"ok", "ok", "wrong", "fail", "torn", "absent", "split"}
	for i := range n {
		id := fmt.Sprintf("j_%d", i)
		jobs = append(jobs, job(id, func(j *core.JobSpec) {
			if i > 0 && r.IntN(3) == 0 {
				j.Needs = []string{fmt.Sprintf("j_%d", r.IntN(i))}
			}
			if r.IntN(4) == 0 {
				j.Employer = "patron"
			}
			j.Required, j.Deadline = false, [...]core.Duration{0, 2 * core.Hour, 10 * core.Minute}[r.IntN(3)]
			j.EnergyBudget = ledger.Amount(r.IntN(3)) * 1_000 * one
		}))
		for range r.IntN(3) {
			plan[id] = append(plan[id], fates[r.IntN(len(fates))])
		}
	}
	s := spec()
	s.Mission.OnExhausted, s.Resources.Energy.Capacity = "ask", 2_500*one
	s.Autonomy.GuardianInterval = 5 * core.Minute
	if seed > 0 { // else the histories are cut again and again
		s.Retention.StateHistory, s.Retention.StructuredLog = 4096, 4096
	} else {
		s.Retention.MeshHistory = 100
	}
	s.Delegation.Retry = 10 * core.Minute
	s.Accounts = []core.AccountSpec{{Name: "patron", Tokens: 600 * one}}
	s.Treasury.Tokens = ledger.Amount(n)*80*one + 2_000*one
	d := start(t, s, jobs...)
	d.plan = plan
	if seed == 2 {
		d.idle = "rule_1"
	}
	d.do(&core.Start{Speed: 1_000_000})
	for len(d.all) < 100*n && d.state.Status() != core.Ended {
		before := len(d.all)
		d.run(before + 5)
		d.answer(r, before == len(d.all))
		switch r.IntN(40) {
		case 0:
			d.say(core.Pause, "")
			d.say(core.Resume, "")
		case 1:
			d.do(&core.Leave{Reason: "signal"})
			d.do(&core.Start{Speed: 1_000_000, Gap: core.Duration(r.IntN(100_000))})
		}
	}
	require.Equal(t, core.Ended, d.state.Status())
	return d
}

// answer answers one question to a person, or, where nothing else goes on, ends
// what is left.
func (d *driver) answer(r *rand.Rand, stuck bool) {
	if !stuck && r.IntN(6) > 0 {
		return
	}
	for _, j := range d.state.Jobs() {
		if j.State == core.JobAwaiting {
			d.say([]core.OrderKind{core.Approve, core.Deny}[r.IntN(2)], j.Spec.ID)
			return
		}
	}
	if stuck && d.state.Status() == core.Running {
		d.do(&core.Stall{})
	}
}

// follow applies recorded entries, after the set's own, on a state of its own.
func follow(t *testing.T, p *projection.Set, all []recorded, each func(*core.State)) {
	s := core.New()
	for _, r := range all {
		e, err := core.ParseEntry(r.line)
		require.NoError(t, err)
		s.Replay(e)
		if e.Seq <= p.Seq() {
			continue
		}
		p.Apply(s, e, r.digest)
		if each != nil {
			each(s)
		}
	}
}

func contents(t *testing.T, p *projection.Set) map[string]string {
	all, err := p.Artifacts()
	require.NoError(t, err)
	m := map[string]string{}
	for _, a := range all {
		m[a.Name] = string(a.Bytes)
	}
	if m["autonomy-plan.json"] == "" {
		require.Len(t, m, 12)
	}
	return m
}
