package core_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/omega-run/omega/host/core"
	"github.com/stretchr/testify/require"
)

// A state that replays keeps of a job that has ended no more than the state that
// decided: what waits in the indexes leaves them by events alone.
func TestFinishedJobsLeaveMemory(t *testing.T) {
	spec := baseSpec()
	spec.Governance.Committee = 0
	var jobs []core.JobSpec
	for i := range 2000 {
		j := jobNamed(fmt.Sprintf("job-%d", i))
		j.Reward, j.Work = tokens/1000, core.Second
		jobs = append(jobs, j)
	}
	r := newRig(t, spec, jobs...)
	r.run()
	require.EqualValues(t, len(jobs), r.state.Totals().Finalized)
	entries := make([]*core.Entry, 0, len(r.lines))
	for _, line := range r.lines {
		e, err := core.ParseEntry(line)
		require.NoError(t, err)
		entries = append(entries, e)
	}
	r.mirror, r.state = nil, nil
	before := heapInUse()
	replayed := core.New()
	for _, e := range entries {
		replayed.Replay(e)
	}
	const most = 300 // bytes a finished job
	require.Less(t, (int64(heapInUse())-int64(before))/int64(len(jobs)), int64(most))
	runtime.KeepAlive(replayed)
	runtime.KeepAlive(entries)
}

func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
