package worker

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSimulatedIsFixedForever(t *testing.T) {
	s := Simulated{FailureRatio: 300_000, WrongRatio: 300_000}
	var got string
	for attempt := 1; attempt <= 40; attempt++ {
		fail, wrong := s.Outcome(42, "swarm_0", attempt)
		switch {
		case fail:
			got += "F"
		case wrong:
			got += "w"
		default:
			got += "."
		}
	}
	require.Equal(t, "w.FwFwFF..F..FFFFFww.....wFw.F.www.w....", got)
}

func TestSimulatedDistribution(t *testing.T) {
	const n = 200_000
	for _, seed := range []uint64{0, 1, 42, 1<<64 - 1} {
		for _, s := range []Simulated{{20_000, 10_000}, {500_000, 500_000}, {1, 1}, {250_000, 0}} {
			var fails, wrongs int64
			for i := range n {
				fail, wrong := s.Outcome(seed, fmt.Sprintf("job_%d", i/4), i%4+1)
				require.False(t, fail && wrong)
				if fail {
					fails++
				} else if wrong {
					wrongs++
				}
			}
			near(t, s.FailureRatio, n, fails)
			near(t, s.WrongRatio, n-fails, wrongs)
		}
	}
}

// near checks a binomial count within five standard deviations and a little, in integers: (x − np)² ≤ 25·np + 25.
func near(t *testing.T, ppm, n, count int64) {
	t.Helper()
	mean := n * ppm / 1_000_000
	require.LessOrEqual(t, (count-mean)*(count-mean), 25*mean+25, "%d of %d at %d ppm", count, n, ppm)
}

func TestSimulatedEdges(t *testing.T) {
	for i := range 1000 {
		fail, wrong := Simulated{}.Outcome(uint64(i), "j", i)
		require.False(t, fail || wrong)
		fail, wrong = Simulated{FailureRatio: -1, WrongRatio: 1_000_000}.Outcome(uint64(i), "j", i)
		require.True(t, !fail && wrong)
		fail, wrong = Simulated{FailureRatio: 1_000_000, WrongRatio: 1_000_000}.Outcome(uint64(i), "j", i)
		require.True(t, fail && !wrong)
	}
}

func TestSimulatedRatiosOnlyAdd(t *testing.T) {
	for i := range 2000 {
		few, _ := Simulated{FailureRatio: 100_000}.Outcome(7, "j", i)
		many, _ := Simulated{FailureRatio: 200_000, WrongRatio: 900_000}.Outcome(7, "j", i)
		require.True(t, !few || many)
	}
}
