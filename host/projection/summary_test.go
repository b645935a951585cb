package projection_test

import (
	"math/big"
	"testing"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
	"github.com/omega-run/omega/host/projection"
	"github.com/stretchr/testify/require"
)

func TestConfidenceIsWhatTheGreatestPressureLeaves(t *testing.T) {
	for _, c := range []struct {
		p     projection.Pressure
		want  ledger.Ratio
		phase projection.Phase
	}{
		{projection.Pressure{}, 1_000_000, projection.Ascendant},
		{projection.Pressure{Energy: 150_000}, 850_000, projection.Ascendant},
		{projection.Pressure{Energy: 150_001}, 849_999, projection.Stabilisation},
		{projection.Pressure{Compute: 400_000, Energy: 1}, 600_000, projection.Stabilisation},
		{projection.Pressure{Backlog: 400_001}, 599_999, projection.Intervention},
		{projection.Pressure{Locked: 1_000_000}, 0, projection.Intervention},
	} {
		require.Equal(t, c.want, c.p.Confidence())
		require.Equal(t, c.phase, projection.PhaseOf(c.p.Confidence()))
	}
}

func TestPartsOfTheWhole(t *testing.T) {
	for _, c := range []struct{ a, of, want int64 }{
		{0, 0, 0}, {1, 0, 0}, {-1, 5, 0}, {1, 3, 333_333}, {5, 3, 1_000_000}, {1 << 62, 1, 1_000_000}, {1 << 62, 1 << 62, 1_000_000},
	} {
		require.EqualValues(t, c.want, projection.Part(c.a, c.of))
	}
	require.EqualValues(t, 0, projection.UseOf(0, 0, false), "a resource nobody needs does not weigh")
	require.EqualValues(t, 1_000_000, projection.UseOf(0, 0, true))
	require.EqualValues(t, 250_000, projection.UseOf(4, 3, true))
	require.EqualValues(t, 1_000_000, projection.UseOf(4, 0, true))
}

func TestSumsDoNotOverflow(t *testing.T) {
	var s projection.Sum
	want := new(big.Int)
	for range 5 {
		projection.Add(&s, 1<<63-1)
		want.Add(want, big.NewInt(1<<63-1))
	}
	require.Equal(t, "46116860184273.879035", s.String())
	require.Equal(t, "46116860184273879035", want.String())
	require.Equal(t, "0", projection.Sum{}.String())
	require.Equal(t, "1.5", projection.Sum{Lo: 1_500_000}.String())
}

func TestPressureOfAMission(t *testing.T) {
	d := start(t, spec(), job("a", func(j *core.JobSpec) { j.Deadline = core.Hour }), job("b"))
	d.expand()
	var seen projection.Telemetry
	strict(t, contents(t, d.live)["telemetry.json"], &seen)
	require.Equal(t, "0.4", seen.Pressure.Energy)
	require.Equal(t, "0.5", seen.Pressure.Backlog)
	require.Equal(t, "0.00252", seen.Pressure.Locked) // 2 × (105 + 20 + 1) of 100,000
	require.Equal(t, "0.5", seen.Confidence)
	require.Equal(t, "Intervention: 0 of 2 jobs finalized, 2 running.", seen.Headline)
	require.True(t, seen.Running)
	require.Equal(t, projection.Treasury{Free: "99288", Escrowed: "210", Deposits: "2", Staked: "40"}, seen.Treasury)
	require.Equal(t, projection.ResourceOf{Limit: "5000", Free: "3000", Reserved: "2000", Consumed: "0", Price: "1"}, seen.Energy)
}

// Why a job waits, in the words people get to read.
func TestWaiting(t *testing.T) {
	s := spec()
	s.Treasury.Tokens = 1_000 * one
	s.Governance.ValidatorStake = 60 * one
	jobs := []core.JobSpec{
		job("a"), job("b"), job("c"), job("d", func(j *core.JobSpec) { j.Needs = []string{"a", "b"} }), job("rich", func(j *core.JobSpec) { j.Reward = 900 * one }),
		job("poor"),
	}
	d := start(t, s, jobs...)
	d.expand()
	why := func(id string) string { return d.state.Waiting(d.state.Job(id)) }
	require.Equal(t, "", why("a"))
	require.Equal(t, "every worker with the skills s is busy", why("c"))
	require.Equal(t, "needs a, b to end", why("d"))
	require.Equal(t, "needs 945 tokens, 78 are free", why("rich"))
	require.Equal(t, "needs 105 tokens, 78 are free", why("poor"))
	d.at = core.Time(core.Minute)
	d.plan["b"] = []string{"fail"}
	d.finish()
	require.Equal(t, "validators vote until 00:16:00", why("a"))
	require.Equal(t, "tries again at 00:01:10", why("b"))
	require.Equal(t, "", why("c"))
	d.say(core.Pause, "")
	require.Equal(t, "the mission is paused", why("d"))
	require.Equal(t, "", why("c"))
	d.at *= 2
	d.finish()
	require.Equal(t, "its result is held until the mission resumes", why("c"))
	d.say(core.Resume, "")
	require.Equal(t, "a committee of 3 is needed, 0 validators can stake 60", why("c"))
	d.say(core.EmergencyStop, "")
	require.Equal(t, "the mission is stopped", why("d"))
}

func TestWaitingForResources(t *testing.T) {
	s := spec()
	s.Resources.Energy.Capacity, s.Delegation.BackgroundLimit = 1_500*one, 2
	s.Workers[0].Slots = 2
	s.Treasury.WorkerEndowment = 25 * one
	large := func(j *core.JobSpec) { j.EnergyBudget = 2_000 * one }
	cheap := func(j *core.JobSpec) { j.EnergyBudget = 0 }
	// The large one stands before the cheap ones, so only another class passes it.
	d := start(t, s, job("a"), job("b"), job("large", large), job("cheap", cheap))
	d.expand()
	why := func(id string) string { return d.state.Waiting(d.state.Job(id)) }
	require.Equal(t, "needs 1000 energy, 500 are free", why("b"))
	require.Equal(t, "needs 2000 energy, the limit is 1500", why("large"))
	require.Equal(t, "b comes first", why("cheap"))

	s.Workers[0].Slots = 4
	d = start(t, s, job("a", cheap), job("b", cheap), job("c", cheap))
	d.expand()
	require.Equal(t, "2 jobs are running, the most at once", why("c"))
	s.Delegation.BackgroundLimit = 0
	d = start(t, s, job("a", cheap), job("b", cheap), job("c", cheap))
	d.expand()
	require.Equal(t, "no free worker can stake 20", why("c"))
}
