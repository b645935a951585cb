package host

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/missionfile"
	"github.com/omega-run/omega/host/script"
)

// crowded is a mission with so many open jobs, as its loop has it.
func crowded(tb testing.TB, jobs int) *rehearsal {
	tb.Helper()
	dir := tb.TempDir()
	mission := fmt.Sprintf(`
mission "crowd" { seed = 1 }
treasury { tokens = 100000000 }
worker "a" {
  skills = ["dig"]
  count  = 1000
  simulated {}
}
worker "b" {
  skills = ["lift"]
  simulated {}
}
guardian { script = "guardian.js" }
policy "gate" {
  script = "gate.js"
  on     = ["job.post"]
}
job "dig" {
  count    = %d
  skills   = [count.index %% 50 == 0 ? "lift" : "dig"]
  reward   = 1 + count.index %% 7
  deadline = "${1 + count.index %% 1000}h"
  priority = count.index %% 100 == 0 ? "critical" : "normal"
  labels   = { kind = count.index %% 2 == 0 ? "even" : "odd" }
}
`, jobs)
	require.NoError(tb, os.WriteFile(filepath.Join(dir, "mission.hcl"), []byte(mission), 0o600))
	require.NoError(tb, os.WriteFile(filepath.Join(dir, "gate.js"), nil, 0o600))
	queries := `// {"due":{"from":"jobs","order":"deadline","where":{"deadline_within":"2h","state":["ready","running"]}},"late":{"from":"jobs","order":"waiting","where":{"waiting_over":"1h","priority":"critical"}},"lift":{"from":"jobs","where":{"skill":"lift","state":"ready"},"order":"-reward"},"people":{"from":"skills"},"rich":{"from":"accounts"}}`
	require.NoError(tb, os.WriteFile(filepath.Join(dir, "guardian.js"), []byte(queries), 0o600))
	engine := &fakeEngine{say: func(context.Context, script.Call) script.Answer { return value(`{}`) }}
	c := Config{Path: dir, Data: filepath.Join(tb.TempDir(), "data"), Scripts: func() script.Engine { return engine }}
	c.engines(true)
	loaded, problems := missionfile.Load(dir, c.Given)
	require.False(tb, problems.HasErrors(), "%v", problems)
	require.NoError(tb, os.MkdirAll(c.Data, 0o700))
	r, err := newRehearsal(tb.Context(), c, loaded, nil, c.Data)
	require.NoError(tb, err)
	require.NoError(tb, r.create(loaded))
	for {
		from, ok := r.state.ExpandFrom()
		if !ok {
			break
		}
		require.NoError(tb, r.expand(0, from))
	}
	tb.Cleanup(func() { _ = r.journal.Close() })
	return r
}

// BenchmarkGuardianScan is what a guardian costs with five queries: in the loop,
// and beside it until it could be called.
func BenchmarkGuardianScan(b *testing.B) {
	for _, jobs := range []int{1_000, 10_000, 100_000} {
		r := crowded(b, jobs)
		began := time.Now()
		r.desk.indexed(r.state)
		made := time.Since(began)
		b.Run(fmt.Sprint(jobs), func(b *testing.B) {
			inLoop := time.Duration(0)
			for b.Loop() {
				began := time.Now()
				c := r.desk.consult(r.state, 5000, core.GuardianName)
				inLoop += time.Since(began)
				_ = c.input()
			}
			b.ReportMetric(float64(inLoop.Microseconds())/float64(b.N), "µs-in-loop/op")
			b.ReportMetric(float64(made.Milliseconds()), "ms-to-make-the-index")
		})
	}
}

// BenchmarkRequest is what a request to a policy costs in the loop.
func BenchmarkRequest(b *testing.B) {
	r := crowded(b, 10_000)
	job := &core.JobSpec{ID: "extra", Skills: []string{"dig"}, Reward: 1}
	b.ReportAllocs()
	for b.Loop() {
		_ = r.desk.hear(r.state, 5000, core.HookPost, "extra", 1, r.desk.postRequest(r.state, 5000, "macro", "operator", job))
	}
}

// BenchmarkIndex is what the index of 100,000 open jobs costs, once an edit asks
// for another order of them.
func BenchmarkIndex(b *testing.B) {
	r := crowded(b, 100_000)
	for b.Loop() {
		r.desk.index = index{}
		r.desk.indexed(r.state)
	}
}
