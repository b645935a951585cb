package missionfile

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/omega-run/omega/host/core"
	"github.com/stretchr/testify/require"
)

// millions are missions of a million instances.
var millions = map[string]string{
	"count":            job("j", "  count = 1000000", `  title = "the same for all"`, `  labels = { a = "b" }`, `  input = { x = [1, 2, 3] }`),
	"count that shows": job("j", "  count = 1000000", `  title = "cell ${count.index}"`),
	"for_each":         job("j", "  for_each = toset([for i in range(1000000) : tostring(i)])"),
	"a map":            job("j", "  for_each = { for i in range(1000000) : i => i }", `  work = "${each.value + 1}s"`),
	"a chain":          job("j", "  count = 1000000", "  needs = count.index == 0 ? [] : [job.j[count.index - 1]]"),
}

// TestAMillion measures what a million instances cost: go test -v -run AMillion.
func TestAMillion(t *testing.T) {
	for name, source := range millions {
		t.Run(name, func(t *testing.T) {
			if testing.Short() {
				t.Skip("it takes seconds")
			}
			start := time.Now()
			m, diags := load(t, head+source)
			require.Empty(t, diags)
			loaded := time.Since(start)
			before, start := stats(), time.Now()
			n := 0
			for from := int64(0); from < m.Spec().Instances; {
				jobs, next, problem := m.Expand(from, 1000, 1<<20)
				require.Nil(t, problem)
				n, from = n+len(jobs), next
			}
			expanded, after := time.Since(start), stats()
			require.Equal(t, maxInstances, n)
			each := (after.TotalAlloc - before.TotalAlloc) / maxInstances
			t.Logf("%-17s load %v, expand %v, %d allocations and %d bytes an instance, %d MiB in use",
				name, loaded.Round(time.Millisecond), expanded.Round(time.Millisecond), (after.Mallocs-before.Mallocs)/maxInstances, each, after.HeapInuse>>20)
		})
	}
}

func stats() (s runtime.MemStats) {
	runtime.GC()
	runtime.ReadMemStats(&s)
	return s
}

// TestOneMore: the bounds of the language are where it says they are.
func TestOneMore(t *testing.T) {
	require.Contains(t, oneError(t, head+job("j", "  count = 1000001")), "12:11: Invalid count: At most 1000000 instances are possible")
	require.Contains(t, oneError(t, head+job("j", "  for_each = [for i in setproduct(range(1000), range(1001)) : join(\"-\", i)]")), "12:14: ")
	require.Contains(t, oneError(t, head+job("a", "  count = 600000")+job("b", "  count = 400001")), "14:1: Too many jobs: ")
	require.Contains(t, oneError(t, head+job("j", "  count = length(range(1000001))")), "12:20: ")
}

var expanded []core.JobSpec

func BenchmarkExpand(b *testing.B) {
	for name, source := range map[string]string{"constant": job("j", "  count = 1000000"), "varying": job("j", "  count = 1000000", `  title = "${count.index}"`)} {
		b.Run(name, func(b *testing.B) {
			m, diags := Compile("mission.hcl", []Source{{Path: "mission.hcl", Bytes: fmt.Append(nil, head, source)}})
			require.Empty(b, diags)
			b.ReportAllocs()
			for i := 0; i < b.N; i += 1000 {
				expanded, _, _ = m.Expand(int64(i%1_000_000), 1000, 1<<20)
			}
		})
	}
}
