package hosttest

import (
	"crypto/sha256"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// defaultSeeds is what an ordinary test run does.
const defaultSeeds = "1-200"

// seedsOf reads "7" or "1-200".
func seedsOf(t *testing.T) (from, to uint64) {
	text := os.Getenv("OMEGA_SEEDS")
	if text == "" {
		text = defaultSeeds
	}
	if n, _ := fmt.Sscanf(text, "%d-%d", &from, &to); n == 1 {
		to = from
	}
	require.True(t, from > 0 && to >= from, "OMEGA_SEEDS is %q: write 7 or 1-200", text)
	return from, to
}

// simulate is one run. The error names the law that does not hold.
func simulate(seed uint64, drop drops, trace func(string, ...any)) (w *world, err error) {
	defer lawful(&err)
	w = newWorld(seed, nil, drop)
	if trace != nil {
		w.trace = trace
	}
	w.trace("%s", w.plan.file())
	w.chaos(80 + w.r.IntN(420))
	w.step(-1)
	w.calm()
	w.atRest()
	return w, nil
}

// lawful makes an error of a broken law.
func lawful(err *error) {
	switch p := recover().(type) {
	case nil:
	case broken:
		*err = p.err
	default:
		*err = &lawError{law: "panic: " + fmt.Sprintf("%.24v", p), text: fmt.Sprintf("panic: %v\n%s", p, debug.Stack())}
	}
}

// TestSimulation runs many seeds, checks every law after every entry, and that
// the runs were worth it.
func TestSimulation(t *testing.T) {
	from, to := seedsOf(t)
	var mu sync.Mutex
	var shrinks atomic.Bool // the first that fails is shrunk, in a short run none
	shrinks.Store(testing.Short())
	did := map[string]int{}
	t.Run("seed", func(t *testing.T) {
		for seed := from; seed <= to; seed++ {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				var trace func(string, ...any)
				if os.Getenv("OMEGA_TRACE") != "" {
					trace = func(format string, args ...any) { fmt.Printf(format+"\n", args...) }
				}
				w, err := simulate(seed, dropped(t), trace)
				if err != nil && !shrinks.CompareAndSwap(false, true) {
					t.Fatalf("OMEGA_SEEDS=%d: %v\n%s", seed, err, w.last(6))
				}
				if err != nil {
					least, cause := shrink(func(d drops) error {
						_, err := simulate(seed, d, nil)
						return err
					}, dropped(t), err)
					t.Fatalf("OMEGA_SEEDS=%d: %v\nthe same with less: OMEGA_SEEDS=%d OMEGA_DROP=%s: %v\n%s", seed, err, seed, least, cause, w.last(6))
				}
				mu.Lock()
				defer mu.Unlock()
				for what, n := range w.counts() {
					did[what] += n
				}
			})
		}
	})
	if t.Failed() {
		return
	}
	report(t, did, int(to-from+1))
}

// last shows the end of what was recorded.
func (w *world) last(n int) string {
	if w == nil {
		return ""
	}
	var b strings.Builder
	for _, line := range w.lines[max(0, len(w.lines)-n):] {
		if len(line) > 2000 {
			line = line[:2000]
		}
		fmt.Fprintf(&b, "%s\n", line)
	}
	return b.String()
}

// counts are what a run has done, as its record tells.
func (w *world) counts() map[string]int {
	did := w.did
	did["entries"] += len(w.lines)
	boosted := map[string]bool{}
	for _, line := range w.lines {
		rec, _ := parseRecord(line)
		for _, e := range rec.Events {
			switch e.Type {
			case "job_ended":
				did["job "+e.State+" "+e.Reason]++
				if boosted[e.Job] {
					did["boosted "+e.State]++
				}
			case "round_closed":
				did["round "+e.Outcome]++
			case "attempt_failed":
				did[e.Type]++
				if e.Reason == "delegation" || e.Reason == "unskilled" || e.Reason == "denied" || e.Reason == "script" {
					did["attempt_failed "+e.Reason]++
				}
			case "script_suspended":
				did[e.Type]++
				kind, _, _ := strings.Cut(e.Script, ".")
				did["suspended "+kind]++
			case "verdict_given":
				did["verdict "+e.Hook+" "+e.Say]++
			case "plan_recorded":
				did[e.Type]++
				for _, a := range e.Actions {
					did["action "+a.Do+" "+a.Outcome]++
				}
				if e.Same {
					did["plan that says the same"]++
				}
				if e.Script == standIn {
					did["plan of the one who stands in"]++
				}
				if e.Fault != "" {
					did["plan that is a fault"]++
				}
			case "action_dropped":
				did["action "+e.Reason]++
			case "attempt_voided":
				did[e.Type]++
				did["voided "+e.Reason]++
			case "approval_asked":
				did[e.Type]++
				did[fmt.Sprintf("asked %s, children %v", e.Reason, len(e.Children) > 0)]++
			case "order_taken":
				did["order "+strings.TrimSpace("answered "+e.Refusal)]++
			case "reward_boosted":
				did[e.Type]++
				boosted[e.Job] = true
			case "transfer":
				for _, step := range e.Steps {
					name, _, _ := strings.Cut(step[0], "/")
					did["step "+name]++
				}
			default:
				did[e.Type]++
			}
		}
	}
	return did
}

// standIn is the digest of the script that stands in for a guardian.
var standIn = fmt.Sprintf("%x", sha256.Sum256([]byte("omega:guardian")))

// enough is the least a hundred seeds must have done: less and they prove
// nothing.
var enough = map[string]int{
	"entries": 3000, "entries lost": 200, "power cuts": 40, "ended armed": 40, "ended killed": 40, "starts": 300, "starts that failed": 50,
	"started with a checkpoint": 300, "torn tails": 12, "rewritten segments": 80, "left in order": 100, "checkpoints": 150, "restored twins": 500,
	"generation_applied": 130, "edit_refused": 4, "secrets lost": 15, "stalls": 5,
	"job_posted": 400, "job finalized ": 150, "job skipped need_ended": 40, "job cancelled owner": 10, "job expired deadline": 30,
	"job expired duration": 40, "job expired stalled": 30, "job failed attempts": 20, "job failed exhausted": 6,
	"attempt_failed": 40, "attempt_rejected": 40, "attempt_released": 80, "attempt_voided": 20, "result_held": 10,
	"round approved": 80, "round rejected": 25, "round undecided": 5, "meddled with a round committing": 30, "meddled with a round revealing": 15,
	"mission_paused": 25, "mission_stopping": 12, "mission_stopped": 30, "mission_resumed": 50, "mission_ended": 100,
	"refused lease_stale": 12, "refused attempt_over": 30, "refused job_ended": 25, "refused vote_closed": 5, "refused paused": 5,
	"order answered order_conflict": 12, "order answered order_replayed": 12, "order answered key_unknown": 10, "order answered invalid_job": 20,
	"attempt_delegated": 80, "job_resumed": 60, "job_ending": 12, "job cancelled parent_ended": 5, "attempt_failed delegation": 40, "approval_asked": 60, "approval_given": 50,
	"prices_set": 400, "seats_reminded": 80, "seat_equivocated": 2, "jobs_unattended": 200, "clocks set back": 40, "refused commitment_copied": 10, "refused reveal_mismatch": 5,
	"outside honest": 50, "outside collude": 20, "outside forge": 8, "outside usurp": 10, "outside old vote": 10, "outside withhold": 5,
	"verdict job.assign allow": 100, "verdict job.assign ask": 8, "verdict job.assign deny": 12, "verdict job.delegate allow": 20, "verdict job.delegate ask": 3, "verdict job.delegate deny": 2, "verdict job.post deny": 1, "voided edit": 8,
	"voided policy": 8, "voided stopping": 2, "asked policy, children true": 1, "job failed denied": 5, "script_suspended": 15, "suspended validator": 3, "suspended guardian": 1, "suspended strategist": 12, "suspended policy": 3,
	"attempt_failed script": 20, "votes of scripts": 240, "judged by rule in place of a script": 15, "abstained in place of a script": 7, "plan of the one who stands in": 13, "edit_held": 4, "edit_approved": 2, "refused ruling_unfit": 4,
	"order answered edit_unknown": 10, "plan_recorded": 1000, "plan that says the same": 500, "plan that is a fault": 20, "action boost taken": 7, "action boost waiting": 10, "action expedite taken": 12, "action reprice taken": 1,
	"action pause_skill taken": 4, "action post taken": 40, "action post waiting": 4, "action post refused": 40, "action post denied": 1, "action steer refused": 4, "action withdrawn": 14, "action denied": 2,
	"action_approved": 2, "boosted finalized": 2, "skill_resumed": 4,
	"step usage": 60, "step energy_burn": 1, "step slash_share": 5, "step slash_employer": 10, "step seat_slash_employer": 4,
}

func report(t *testing.T, did map[string]int, seeds int) {
	var names []string
	for what := range did {
		names = append(names, what)
	}
	for what := range enough {
		if did[what] == 0 {
			names = append(names, what)
		}
	}
	slices.Sort(names)
	for _, what := range slices.Compact(names) {
		t.Logf("%8d  %s", did[what], what)
	}
	if seeds < 100 {
		return
	}
	for what, least := range enough {
		require.GreaterOrEqual(t, did[what]*100, least*seeds, "the simulator did too little: %s", what)
	}
}

// TestOneSeedIsOneRun runs the same seeds twice.
func TestOneSeedIsOneRun(t *testing.T) {
	for seed := uint64(1001); seed <= 1006; seed++ {
		var runs [2][]string
		for i := range runs {
			_, err := simulate(seed, drops{}, func(format string, args ...any) { runs[i] = append(runs[i], fmt.Sprintf(format, args...)) })
			require.NoError(t, err, "OMEGA_SEEDS=%d", seed)
		}
		require.Equal(t, runs[0], runs[1], "seed %d", seed)
	}
}

// TestFullEntries ends more jobs at once than an entry has room for, with hosts
// that die on the way.
func TestFullEntries(t *testing.T) {
	for seed := uint64(1); seed <= 2; seed++ {
		w, err := longChain(seed)
		require.NoError(t, err, "seed %d\n%s", seed, w.last(1))
		require.NotZero(t, w.did["full entries"])
		require.Equal(t, int64(1800), w.book.sums.Skipped)
	}
}

func longChain(seed uint64) (w *world, err error) {
	defer lawful(&err)
	w = newWorld(seed, &plan{
		duration: "0", exhausted: "wait", price: "1", validators: 1, interval: "5s", fee: "0", endowments: [2]int64{1, 0},
		governance: []string{"fee_ratio = 0", "worker_stake_ratio = 0"}, delegation: []string{"max_attempts = 1"},
		workers: []workerPlan{{name: "w0", kind: "exec", count: 1, slots: 1, skills: `["a"]`}},
		jobs: []jobPlan{
			{name: "j0", skills: `["a"]`, reward: "0"},
			{name: "j1", count: 1800, skills: `["a"]`, reward: "1", lines: []string{"needs = [job.j0]"}},
		},
	}, drops{})
	w.always = "fail"
	for range 6 {
		if w.open(true); w.ended {
			break
		}
		w.turn()
		if w.host != nil {
			w.pump()
		}
		for w.host != nil && len(w.answerable()) > 0 {
			w.finish(w.answerable()[0])
		}
		if w.host != nil {
			_, err := w.host.Turn() // and not until it rests
			w.must(w.excuse(err), "%v", err)
			w.die()
		}
	}
	w.calm()
	w.atRest()
	return w, nil
}
