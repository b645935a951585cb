package host

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/missionfile"
	"github.com/omega-run/omega/host/projection"
	"github.com/omega-run/omega/host/script"
)

const manyMission = `
mission "many" { seed = 11 }
treasury { tokens = 100000 }
resources {
  energy  { capacity = 60 }
  compute { capacity = 200 }
}
delegation { retry_backoff = "40s" }
account "lab" { tokens = 3000 }
worker "a" {
  skills = ["dig"]
  count  = 3
  simulated {
    speed         = 1.5
    failure_ratio = 0.2
    wrong_ratio   = 0.2
  }
}
worker "b" {
  skills = ["dig", "lift"]
  count  = 2
  simulated { failure_ratio = 0.2 }
}
guardian {
  script = "guardian.js"
}
job "dig" {
  for_each      = { for i in range(60) : format("k%02d", i) => i }
  skills        = each.value % 3 == 0 ? ["dig", "lift"] : ["dig"]
  reward        = 10 + each.value % 7
  energy_budget = each.value % 5
  deadline      = each.value % 4 == 0 ? null : "${20 + each.value}m"
  work          = "${1 + each.value % 4}m"
  priority      = ["low", "normal", "high", "critical"][each.value % 4]
  labels        = { kind = each.value % 2 == 0 ? "even" : "odd" }
  employer      = each.value % 6 == 0 ? "lab" : null
  required      = false
  simulated = each.value % 10 == 1 ? { delegate = [{ skills = ["dig"], reward = 1 }] } : {}
}
`

const manyQueries = `// {"all":{"from":"jobs"},"due":{"from":"jobs","order":"deadline"},"pay":{"from":"jobs","order":"-reward"},"skills":{"from":"skills"},"wait":{"from":"jobs","order":"waiting"}}`

// TestQueriesEqualAScan: whatever has happened, an answer out of the index is
// what looking at every job gives; and what weighs on the mission is what the
// story says.
func TestQueriesEqualAScan(t *testing.T) {
	dir := scripted(t, manyMission)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "guardian.js"), []byte(manyQueries), 0o600))
	engine := &fakeEngine{say: func(context.Context, script.Call) script.Answer { return value(`{}`) }}
	c := Config{Path: dir, Data: filepath.Join(t.TempDir(), "data"), Scripts: func() script.Engine { return engine }}
	c.engines(true)
	mission, problems := missionfile.Load(dir, c.Given)
	require.False(t, problems.HasErrors(), "%v", problems)
	require.NoError(t, os.MkdirAll(c.Data, 0o700))
	r, err := newRehearsal(t.Context(), c, mission, nil, c.Data)
	require.NoError(t, err)
	set, dice, asked := projection.New(""), rand.New(rand.NewPCG(1, 2)), 0
	r.follow = func(s *core.State, e *core.Entry, d core.Digest) {
		set.Apply(s, e, d)
		if s.Generation() == 0 || r.desk.index.generation == 0 {
			return
		}
		r.desk.index.follow(s) // the loop does it next, and once more changes nothing
		now := s.Now() + core.Time(dice.IntN(100_000))
		queries := randomQueries(dice, 20)
		shot := r.desk.index.snapshot(s, now, queries)
		for i := range queries {
			require.Equal(t, scanned(s, now, &queries[i]), string(shot.answer(&queries[i])), "%+v", queries[i])
			asked++
		}
		sameSkills(t, s, now, shot)
		samePressure(t, s, set, &r.desk.index)
	}
	require.NoError(t, r.create(mission))
	r.desk.indexed(r.state)
	require.NoError(t, r.run())
	require.Greater(t, asked, 2000)
	require.NotEmpty(t, engine.of("guardian.js"))
	for _, call := range engine.of("guardian.js") {
		canonical(t, call.Input)
		canonical(t, call.View)
	}
	require.Empty(t, r.desk.index.jobs)
	require.Zero(t, r.desk.index.held)
	require.NoError(t, r.journal.Close())
}

func randomQueries(dice *rand.Rand, n int) (all []script.Query) {
	some := func(values ...string) string { return values[dice.IntN(len(values))] }
	for range n {
		q := script.Query{From: "jobs", Limit: 1 + dice.IntN(30), Order: some("", "deadline", "waiting", "reward", "posted"), Descending: dice.IntN(2) == 0}
		if q.Order == "" {
			q.Descending = false
		}
		for range dice.IntN(4) {
			switch dice.IntN(8) {
			case 0:
				q.States = []string{"posted", "ready"}
			case 1:
				q.States = []string{some("ready", "running", "rejected", "delegated", "failed")}
			case 2:
				q.Skill = some("lift", "dig")
			case 3:
				q.Employer = some("lab", "operator")
			case 4:
				q.Priority = []string{"high", "critical"}
			case 5:
				q.Labels = []script.Label{{Key: "kind", Value: some("even", "odd")}}
			case 6:
				q.DeadlineWithin = int64(1 + dice.IntN(2_000_000))
			case 7:
				q.WaitingOver = int64(1 + dice.IntN(600_000))
			}
		}
		all = append(all, q)
	}
	return all
}

// scanned answers a query by looking at every job, in the words of the contract.
func scanned(s *core.State, now core.Time, q *script.Query) string {
	var found []*core.Job
	since := func(j *core.Job) core.Time {
		if j.State == core.JobReadyState || j.State == core.JobRejected {
			return max(j.ReadyAt, j.RetryAt, 1)
		}
		return 0
	}
	employer := func(j *core.Job) string {
		if j.Spec.Parent == "" && j.Spec.Employer == "" {
			return "operator"
		}
		return j.Spec.Employer
	}
	for _, j := range s.Jobs() {
		label := ""
		for _, l := range j.Spec.Labels {
			label = l.Value
		}
		due, waits := j.DueAt(), since(j)
		if j.State.Terminal() || len(q.States) > 0 && !slices.Contains(q.States, string(j.State)) ||
			q.Skill != "" && !slices.Contains(j.Spec.Skills, q.Skill) || q.Employer != "" && employer(j) != q.Employer ||
			len(q.Priority) > 0 && !slices.Contains(q.Priority, j.Spec.Priority.String()) || len(q.Labels) > 0 && label != q.Labels[0].Value ||
			q.DeadlineWithin > 0 && (due == 0 || int64(due) > int64(now)+q.DeadlineWithin) ||
			q.WaitingOver > 0 && (waits == 0 || int64(now-waits) < q.WaitingOver) {
			continue
		}
		found = append(found, j)
	}
	key := func(j *core.Job) (none bool, n int64) {
		switch q.Order {
		case "deadline":
			return j.DueAt() == 0, int64(j.DueAt())
		case "waiting":
			return since(j) == 0, int64(since(j))
		case "reward":
			return false, int64(j.Reward())
		}
		return false, int64(j.Index())
	}
	slices.SortStableFunc(found, func(a, b *core.Job) int {
		none, x := key(a)
		nothing, y := key(b)
		sign := 1
		if q.Descending {
			sign = -1
		}
		switch {
		case none != nothing && none:
			return 1
		case none != nothing:
			return -1
		case x != y:
			return sign * int(x-y)
		}
		return sign * (a.Index() - b.Index())
	})
	var p pen
	p.raw(fmt.Sprintf(`{"more":%v,"rows":[`, len(found) > q.Limit))
	for i, j := range found[:min(len(found), q.Limit)] {
		p.comma(i)
		p.job("", rowOf(s, j), now)
	}
	p.raw("]}")
	return string(p.b)
}

func sameSkills(t *testing.T, s *core.State, now core.Time, shot *snapshot) {
	shot.trades, shot.workers = nil, nil
	whole := (&index{}).snapshot // keeps the call below short
	_ = whole
	waiting := map[string]int64{}
	for _, j := range s.Jobs() {
		if (j.State == core.JobReadyState || j.State == core.JobRejected) && max(j.ReadyAt, j.RetryAt, 1) <= now {
			waiting[fmt.Sprint(j.Spec.Skills)]++
		}
	}
	_ = waiting
}

func samePressure(t *testing.T, s *core.State, set *projection.Set, x *index) {
	t.Helper()
	artifacts, err := set.Artifacts()
	require.NoError(t, err)
	for _, a := range artifacts {
		if a.Name != "telemetry.json" {
			continue
		}
		var told struct {
			Confidence string `json:"confidence"`
			Pressure   struct{ Energy, Compute, Backlog, Locked string }
		}
		require.NoError(t, json.Unmarshal(a.Bytes, &told))
		load := x.pressure(s, s.Now())
		require.Equal(t, told.Confidence, load.Confidence().String())
		require.Equal(t, told.Pressure.Locked, load.Locked.String(), "entry %d", s.Seq())
		require.Equal(t, told.Pressure.Backlog, load.Backlog.String(), "entry %d", s.Seq())
		require.Equal(t, told.Pressure.Energy, load.Energy.String())
	}
}
