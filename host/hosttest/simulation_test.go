package hosttest

import (
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
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
func simulate(seed uint64, trace func(string, ...any)) (w *world, err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case broken:
			err = p.err
		default:
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	w = newWorld(seed)
	if trace != nil {
		w.trace = trace
	}
	w.trace("%s", w.plan.file())
	w.chaos(80 + w.r.IntN(420))
	w.calm()
	w.atRest()
	return w, nil
}

// TestSimulation runs many seeds, checks every law after every entry, and that
// the runs were worth it.
func TestSimulation(t *testing.T) {
	from, to := seedsOf(t)
	var mu sync.Mutex
	did := map[string]int{}
	t.Run("seed", func(t *testing.T) {
		for seed := from; seed <= to; seed++ {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				var trace func(string, ...any)
				if os.Getenv("OMEGA_TRACE") != "" {
					trace = func(format string, args ...any) { fmt.Printf(format+"\n", args...) }
				}
				w, err := simulate(seed, trace)
				if err != nil {
					t.Fatalf("OMEGA_SEEDS=%d: %v\n%s", seed, err, w.last(6))
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
	for _, line := range w.lines {
		rec, _ := parseRecord(line)
		for _, e := range rec.Events {
			switch e.Type {
			case "job_ended":
				did["job "+e.State+" "+e.Reason]++
			case "round_closed":
				did["round "+e.Outcome]++
			case "order_taken":
				did["order "+strings.TrimSpace("answered "+e.Refusal)]++
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

// enough is the least a hundred seeds must have done: less and they prove
// nothing.
var enough = map[string]int{}

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
			_, err := simulate(seed, func(format string, args ...any) { runs[i] = append(runs[i], fmt.Sprintf(format, args...)) })
			require.NoError(t, err, "OMEGA_SEEDS=%d", seed)
		}
		require.Equal(t, runs[0], runs[1], "seed %d", seed)
	}
}
