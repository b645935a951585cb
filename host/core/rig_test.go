package core_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/council"
	"github.com/omega-run/omega/host/ledger"
	"github.com/stretchr/testify/require"
)

// rig is the smallest host: it steps a state, keeps the journal as bytes, and
// answers what is outstanding. After every entry it audits the books and checks
// that replaying the recorded bytes gives the same state.
type rig struct {
	t      *testing.T
	state  *core.State
	mirror *core.State // replays what was recorded
	lines  [][]byte
	prev   core.Digest
	at     core.Time
	jobs   []core.JobSpec
	chunks map[core.Digest][]byte // sealed so far
	past   map[string]*core.Job   // that have ended
	secret map[string]*council.Sealer
	plan   map[string][]string // what the attempts of a job do, in order: ok, wrong, fail, hang
	used   ledger.Amount
	kids   map[string][]core.JobSpec // what an attempt whose plan says kids posts
	silent map[string]bool           // validators that never answer
	says   map[string]string         // what a validator votes whatever the result
	why    string                    // and the reason it gives
	orders int64
	ruled  map[string][]string // what policies say of a job's assignments, in order: allow, ask, deny, hang, fault
	minds  map[string]string   // what they say of its children
}

const tokens = ledger.Amount(1_000_000)

func newRig(t *testing.T, spec core.Spec, jobs ...core.JobSpec) *rig {
	spec.Instances = int64(len(jobs))
	r := &rig{t: t, state: core.New(), mirror: core.New(), jobs: jobs, chunks: map[core.Digest][]byte{}, past: map[string]*core.Job{}, secret: map[string]*council.Sealer{}, plan: map[string][]string{}, used: core.Unreported}
	r.kids, r.silent, r.says = map[string][]core.JobSpec{}, map[string]bool{}, map[string]string{}
	r.ruled, r.minds = map[string][]string{}, map[string]string{}
	var keys [][32]byte
	for _, block := range spec.Validators {
		for _, id := range block.Instances {
			secret := council.Secret([32]byte{1}, id)
			r.secret[id] = council.NewSealer(secret)
			keys = append(keys, [32]byte(council.Derive(secret).Public().(ed25519.PublicKey)))
		}
	}
	r.must(&core.Genesis{Mission: "M", OwnerKey: [32]byte{9}, Apply: core.Generation{Entry: "mission.hcl", Spec: spec, Keys: keys}})
	return r
}

func baseSpec() core.Spec {
	var s core.Spec
	for _, setting := range core.Settings() {
		if setting.Default != "" {
			if err := setting.Parse(&s, setting.Default); err != nil {
				panic(err)
			}
		}
	}
	s.Mission.Name = "test"
	s.Autonomy.PriceSmoothing = 0 // sums are checked by hand
	s.Treasury = core.Treasury{Tokens: 10_000 * tokens, WorkerEndowment: 100 * tokens, ValidatorEndowment: 100 * tokens}
	s.Resources.Energy.Capacity, s.Resources.Compute.Capacity = 5_000*tokens, 5_000*tokens
	s.Governance.Committee, s.Governance.ApprovalsRequired = 3, 2
	s.Workers = []core.WorkerSpec{{
		Name: "w", Instances: []string{"w_0", "w_1"}, Skills: []string{"s"}, Slots: 1, Kind: core.Simulated,
		Simulated: core.SimulatedSpec{Speed: 1_000_000},
	}}
	s.Validators = []core.ValidatorSpec{{Name: "rule", Instances: []string{"rule_0", "rule_1", "rule_2"}}}
	return s
}

func jobNamed(id string) core.JobSpec {
	return core.JobSpec{ID: id, Block: id, Generation: 1, Skills: []string{"s"}, Reward: 100 * tokens, Work: core.Minute, Required: true}
}

// step records one input and checks everything that must always hold.
func (r *rig) step(c core.Command) *core.Refusal {
	r.t.Helper()
	in := &core.Input{At: r.at, Wall: "2000-01-01T00:00:00.000Z", By: "test", Prev: r.prev, Command: c}
	events, refusal := r.state.Step(in)
	for _, j := range r.state.Ended() {
		r.past[j.Spec.ID] = j
	}
	e := &core.Entry{Seq: r.state.Seq(), At: in.At, Wall: in.Wall, By: in.By, Command: c, Events: events, Refusal: refusal, Prev: r.prev}
	line := fmt.Appendf(nil, `{"seq":%d,`, e.Seq)
	line = e.AppendBody(line)
	line = fmt.Appendf(line, `,"prev":"%x"`, r.prev)
	back, err := core.ParseEntry(line)
	require.NoError(r.t, err, string(line))
	again := fmt.Appendf(nil, `{"seq":%d,`, back.Seq)
	again = fmt.Appendf(back.AppendBody(again), `,"prev":"%x"`, back.Prev)
	require.Equal(r.t, string(line), string(again))
	r.mirror.Replay(back)
	r.lines = append(r.lines, line)
	r.prev = sha256.Sum256(line)
	require.NoError(r.t, r.state.Ledger().Audit())
	return refusal
}

func (r *rig) must(c core.Command) {
	r.t.Helper()
	require.Nil(r.t, r.step(c))
}

// same checks that replay, and a restored seal, are the state that lives.
func (r *rig) same() {
	r.t.Helper()
	keep := func(c core.Chunk) { r.chunks[c.Digest] = c.Bytes }
	live, lived := r.state.Seal(keep)
	replayed, sums := r.mirror.Seal(keep)
	var chunks [][]byte
	for i, sum := range sums {
		require.Equal(r.t, string(r.chunks[lived[i]]), string(r.chunks[sum]))
		chunks = append(chunks, r.chunks[sum])
	}
	require.Equal(r.t, live, replayed)
	back, digest, err := core.Restore(chunks)
	require.NoError(r.t, err)
	require.Equal(r.t, live, digest)
	restored, _ := back.Seal(func(c core.Chunk) { require.Equal(r.t, string(chunks[0]), string(c.Bytes)) })
	require.Equal(r.t, live, restored)
	r.mirror = back
}

// run answers everything outstanding and lets time pass until nothing happens.
func (r *rig) run() {
	r.t.Helper()
	for range 10_000 {
		if r.answer() {
			continue
		}
		due, ok := r.next()
		if !ok {
			return
		}
		r.at = due
		r.finishWork()
		if due, ok := r.state.NextDeadline(); ok && due <= r.at {
			r.must(&core.Tick{})
		}
	}
	r.t.Fatal("the mission does not come to rest")
}

// answer gives one round of answers that need no time.
func (r *rig) answer() bool {
	if from, ok := r.state.ExpandFrom(); ok {
		next := min(from+1000, int64(len(r.jobs)))
		r.must(&core.Expand{Generation: r.state.Generation(), Next: next, Jobs: r.jobs[from:next]})
		return true
	}
	for _, w := range r.state.Outstanding() {
		switch w.Kind {
		case core.CommitVotes, core.RevealVotes:
			if r.vote(w) {
				return true
			}
		case core.AskPolicies:
			if say := r.saysOf(w); say != "hang" {
				r.must(&core.Admit{Job: w.Job.Spec.ID, Attempt: w.Attempt, Lease: w.Lease, Ruling: *r.ruling(core.HookAssign, say)})
				return true
			}
		case core.ResolveInput:
			r.must(&core.Resolve{Job: w.Job.Spec.ID, Input: []byte(`{"from":"needs"}`)})
			return true
		}
	}
	return false
}

func (r *rig) vote(w core.Work) bool {
	j, commit, reveal := w.Job, &core.Commit{Job: w.Job.Spec.ID, Round: w.Round}, &core.Reveal{Job: w.Job.Spec.ID, Round: w.Round}
	for i := range j.Round.Seats {
		seat := &j.Round.Seats[i]
		v := seat.Validator
		if r.silent[v.ID] || v.Outside || w.Kind == core.CommitVotes && seat.Committed || w.Kind == core.RevealVotes && (!seat.Committed || seat.Revealed) {
			continue
		}
		vote, reason := "approve", ""
		if string(j.Answer.Result) == `{"wrong":true}` {
			vote, reason = "reject", "wrong"
		}
		if r.says[v.ID] != "" {
			vote, reason = r.says[v.ID], r.why
		}
		salt := r.secret[v.ID].Salt("M", j.Spec.ID, int(w.Round))
		open := core.OpenVote{Seat: int64(i), Vote: vote, Reason: reason, Salt: salt}
		commitment, err := r.state.CommitmentOf(j, &open)
		require.NoError(r.t, err)
		parsed, _ := council.ParseVote(vote)
		plain, err := council.Plaintext(parsed, reason)
		require.NoError(r.t, err)
		nonce, box := r.secret[v.ID].Seal("M", j.Spec.ID, int(w.Round), plain[:])
		commit.Votes = append(commit.Votes, core.SealedVote{Seat: int64(i), Commitment: commitment, Nonce: nonce, Box: box})
		reveal.Votes = append(reveal.Votes, open)
	}
	switch {
	case w.Kind == core.CommitVotes && len(commit.Votes) > 0:
		r.must(commit)
	case w.Kind == core.RevealVotes && len(reveal.Votes) > 0:
		r.must(reveal)
	default:
		return false
	}
	return true
}

// next is the next instant at which something happens.
func (r *rig) next() (core.Time, bool) {
	due, ok := r.state.NextDeadline()
	if r.state.Status() == core.Paused {
		return due, ok
	}
	for _, w := range r.state.Outstanding() {
		if w.Kind == core.RunAttempt && r.does(w) != "hang" {
			if end := max(w.Job.EndsAt(), r.at); !ok || end < due {
				due, ok = end, true
			}
		}
	}
	return due, ok
}

func (r *rig) does(w core.Work) string {
	plan := r.plan[w.Job.Spec.ID]
	if n := int(w.Attempt) - 1; n < len(plan) {
		return plan[n]
	}
	return "ok"
}

func (r *rig) finishWork() {
	for _, w := range r.state.Outstanding() {
		if w.Kind != core.RunAttempt || w.Job.EndsAt() > r.at || r.does(w) == "hang" {
			continue
		}
		id := w.Job.Spec.ID
		switch r.does(w) {
		case "fail":
			r.must(&core.Failure{Job: id, Attempt: w.Attempt, Lease: w.Lease, Reason: "exit", Detail: "exit status 1"})
		case "kids":
			r.must(&core.Delegate{Job: id, Attempt: w.Attempt, Lease: w.Lease, EnergyUsed: r.used, ComputeUsed: core.Unreported, Children: r.children(w.Job), Ruling: r.ruling(core.HookDelegate, r.minds[id])})
		case "wrong":
			r.must(r.result(w, `{"wrong":true}`))
		default:
			r.must(r.result(w, `{}`))
		}
	}
}

// children are those planned for a job, under their ids.
func (r *rig) children(j *core.Job) (all []core.JobSpec) {
	for i, child := range r.kids[j.Spec.ID] {
		child.ID = core.ChildID(j.Spec.ID, len(j.Children)+1+i)
		all = append(all, child)
	}
	return all
}

func (r *rig) result(w core.Work, body string) *core.Result {
	return &core.Result{Job: w.Job.Spec.ID, Attempt: w.Attempt, Lease: w.Lease, Result: []byte(body), EnergyUsed: r.used, ComputeUsed: core.Unreported}
}

func (r *rig) balance(account string) string {
	name, err := ledger.ParseName(account, ledger.Token)
	require.NoError(r.t, err)
	a, ok := r.state.Ledger().Find(name)
	require.True(r.t, ok, account)
	return r.state.Ledger().Balance(a).String()
}

// job is a job that goes on, or as it ended.
func (r *rig) job(id string) *core.Job {
	if j := r.past[id]; j != nil {
		return j
	}
	return r.state.Job(id)
}

func (r *rig) stateOf(id string) core.JobState { return r.job(id).State }

// turn does the next thing that happens, if any.
func (r *rig) turn() {
	r.t.Helper()
	if r.answer() {
		return
	}
	due, ok := r.next()
	if !ok {
		return
	}
	r.at = due
	r.finishWork()
	if due, ok := r.state.NextDeadline(); ok && due <= r.at {
		r.must(&core.Tick{})
	}
}

// order gives an order and returns what it was refused for.
func (r *rig) order(say core.OrderKind, job string) string {
	r.t.Helper()
	r.orders++
	r.must(&core.Order{ID: fmt.Sprint("order ", r.orders), Key: [32]byte{9}, Counter: 100 + r.orders, Body: core.Digest{byte(r.orders)}, Say: say, Job: job})
	for r.state.Status() == core.Running {
		due, ok := r.state.NextDeadline()
		if !ok || due > r.state.Now() {
			break
		}
		r.must(&core.Tick{})
	}
	answer, _, ok := r.state.Acknowledged(fmt.Sprint("order ", r.orders), core.Digest{byte(r.orders)})
	require.True(r.t, ok)
	return answer.Refusal
}

// told is the lines that hold an event.
func (r *rig) told(event string) (lines string) {
	for _, line := range r.lines {
		if bytes.Contains(line, []byte(`"type":"`+event+`"`)) {
			lines += string(line)
		}
	}
	return lines
}

// validators is what all of them have free.
func (r *rig) validators() string {
	total := ledger.Amount(0)
	for _, v := range r.state.Validators() {
		free, _ := r.state.StakeOf(v)
		total += free
	}
	return total.String()
}

// endowed is what workers and validators were given at genesis.
func (r *rig) endowed() ledger.Amount {
	spec := r.state.Spec()
	n := ledger.Amount(0)
	for _, w := range spec.Workers {
		n += ledger.Amount(len(w.Instances)) * spec.Treasury.WorkerEndowment
	}
	return n + ledger.Amount(spec.Eligible())*spec.Treasury.ValidatorEndowment
}
