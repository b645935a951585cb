package projection_test

import (
	"fmt"
	"testing"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/projection"
	"github.com/stretchr/testify/require"
)

func many(b *testing.B, n int, deadline core.Duration) *driver {
	s := spec()
	s.Treasury.Tokens = 100_000_000 * one
	s.Retention.StructuredLog = 16384
	s.Workers[0].Slots = 1
	var jobs []core.JobSpec
	for i := range n {
		jobs = append(jobs, job(fmt.Sprintf("j_%d", i), func(j *core.JobSpec) { j.Deadline = deadline }))
	}
	return start(b, s, jobs...)
}

// BenchmarkApply is three hundred job lives: what a Set costs beside the replay.
func BenchmarkApply(b *testing.B) {
	d := many(b, 300, 0)
	d.run(100_000)
	entries := make([]*core.Entry, len(d.all))
	for i, r := range d.all {
		e, err := core.ParseEntry(r.line)
		require.NoError(b, err)
		entries[i] = e
	}
	for _, with := range []string{"replay", "replay and apply"} {
		b.Run(with, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				s, p := core.New(), projection.New("")
				for i, e := range entries {
					s.Replay(e)
					if with != "replay" {
						p.Apply(s, e, d.all[i].digest)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(entries)), "ns/entry")
		})
	}
}

func BenchmarkFlush100000Open(b *testing.B) {
	for name, deadline := range map[string]core.Duration{"plain": 0, "deadlines": core.Hour} {
		b.Run(name, func(b *testing.B) {
			d := many(b, 100_000, deadline)
			d.expand()
			b.ResetTimer()
			for range b.N {
				_, err := d.live.Artifacts()
				require.NoError(b, err)
			}
		})
	}
}
