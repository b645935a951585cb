package missionfile

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/omega-run/omega/host/core"
	"github.com/stretchr/testify/require"
)

// many are missions of n instances.
func many(n int) map[string]string {
	return map[string]string{
		"count":   job("j", fmt.Sprintf("  count = %d", n), `  title = "the same for all"`, `  labels = { a = "b" }`, `  input = { x = [1, 2, 3] }`),
		"varying": job("j", fmt.Sprintf("  count = %d", n), `  title = "cell ${count.index}"`),
		"list":    job("j", fmt.Sprintf("  for_each = [for i in range(%d) : tostring(i)]", n)),
		"map":     job("j", fmt.Sprintf("  for_each = { for i in range(%d) : i => i }", n), `  work = each.value + 1`),
		"chain":   job("j", fmt.Sprintf("  count = %d", n), "  needs = count.index == 0 ? [] : [job.j[count.index - 1]]"),
	}
}

// TestMeasured says what many instances cost: OMEGA_INSTANCES=1000000 go test
// -v -run Measured. By default it looks that nothing grows with their square.
func TestMeasured(t *testing.T) {
	instances, err := strconv.Atoi(os.Getenv("OMEGA_INSTANCES"))
	if err != nil {
		instances = 20_000
	}
	for name, source := range many(instances) {
		t.Run(name, func(t *testing.T) {
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
			runtime.KeepAlive(m)
			require.Equal(t, instances, n)
			each := (after.TotalAlloc - before.TotalAlloc) / uint64(instances)
			t.Logf("%-8s load %v, expand %v, %d allocations and %d bytes an instance, %d MiB in use",
				name, loaded.Round(time.Millisecond), expanded.Round(time.Millisecond), (after.Mallocs-before.Mallocs)/uint64(instances), each, after.HeapInuse>>20)
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
	require.Contains(t, oneError(t, head+job("a", "  count = 600000")+job("b", "  count = 400001")), "14:1: Too many jobs: ")
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
