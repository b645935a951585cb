package projection_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/projection"
	"github.com/stretchr/testify/require"
)

// A mission of twenty thousand jobs leaves artifacts as small as any, and its
// last entries cost what its first ones did.
func TestLongMissionStaysSmall(t *testing.T) {
	const jobs = 20_000
	s := spec()
	s.Treasury.Tokens = 100_000_000 * one
	s.Treasury.WorkerEndowment = 100_000 * one
	s.Resources.Energy.Capacity = 0
	s.Governance.Committee = 0
	s.Delegation.BackgroundLimit = 0
	s.Workers[0].Slots = 500
	var all []core.JobSpec
	for i := range jobs {
		all = append(all, job(fmt.Sprintf("j_%d", i), func(j *core.JobSpec) {
			j.EnergyBudget, j.Deadline = 0, core.Duration(i%2)*core.Hour
			j.Title = strings.Repeat("title ", 40)
		}))
	}
	d := start(t, s, all...)
	d.trusting = true
	d.run(1_000_000)
	require.Equal(t, core.Ended, d.state.Status())
	require.EqualValues(t, jobs, d.state.Totals().Finalized+d.state.Totals().Expired)

	dir := filepath.Join(t.TempDir(), "status")
	note := filepath.Join(filepath.Dir(dir), "note.json")
	p := projection.Open(dir, note, nil)
	var allocated []uint64 // by the entries of each tenth: parsed, replayed, applied
	state, tenth := core.New(), len(d.all)/10
	for first := 0; first+tenth <= len(d.all); first += tenth {
		allocated = append(allocated, allocations(func() {
			for _, r := range d.all[first : first+tenth] {
				e, err := core.ParseEntry(r.line)
				require.NoError(t, err)
				state.Replay(e)
				p.Apply(state, e, r.digest)
			}
		}))
		require.NoError(t, p.Flush())
		for name, text := range folder(t, dir) {
			if strings.HasSuffix(name, ".json") {
				require.LessOrEqual(t, len(text), 1<<20, name)
			}
		}
	}
	require.LessOrEqual(t, allocated[9], allocated[2]+allocated[2]/5, "%v", allocated)
	info, err := os.Stat(note)
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(500_000), "what is remembered of jobs that have ended does not grow")
}

// allocations is how many times f asks for memory.
func allocations(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs
}
