package inquiry

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/core"
)

func TestAlikeDropsWhatChanges(t *testing.T) {
	for _, one := range []struct {
		a, b string
		same bool
	}{
		{"needs 420000 energy, 36000 are free", "needs 420000 energy, 12.5 are free", true},
		{"needs 420000 energy, 36000 are free", "needs 420000 compute, 36000 are free", false},
		{"needs a, b to end", "needs b to end", true},
		{"a comes first", "b comes first", true},
		{"tries again at 00:01:02", "tries again at 01:01:02", true},
		{"the mission is paused", "the mission is stopped", false},
	} {
		require.Equal(t, one.same, alike(one.a) == alike(one.b), one.a+" / "+one.b)
	}
}

// TestWaitsAreStretches: what took no time is forgotten, what goes on is one
// stretch, and the oldest of many go.
func TestWaitsAreStretches(t *testing.T) {
	var w waits
	begin := func(at core.Time, reason string) { w.add(&WaitOf{From: at, Reason: reason, alike: alike(reason)}) }
	begin(0, "a")
	w.close(5)
	begin(5, "b")
	w.close(5)
	begin(5, "a")
	require.Len(t, w.items, 1)
	require.Nil(t, w.items[0].To)
	w.close(9)
	require.EqualValues(t, 9, *w.items[0].To)
	for at := range core.Time(2 * mostWaits) {
		begin(10+at, "c")
		w.close(11 + at)
		begin(11+at, "d")
		w.close(11 + at)
	}
	require.Len(t, w.items, 2, "one reason without a gap is one stretch")
	for at := range core.Time(2 * mostWaits) {
		begin(1000+2*at, "c")
		w.close(1001 + 2*at)
	}
	require.Len(t, w.items, mostWaits)
	require.EqualValues(t, 2+2*mostWaits, w.total)
}
