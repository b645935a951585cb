package missionfile

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ceilingHead has energy and compute, and three attempts a job.
var ceilingHead = head + `resources {
  energy {
    capacity = 1e6
    price    = 20
  }
  compute {
    capacity = 1e6
  }
}
`

func TestCeiling(t *testing.T) {
	for name, c := range map[string]struct {
		source string
		want   Ceiling
	}{
		"reward and fee": {head + job("alpha", "  count = 4"), Ceiling{"4.2", "0", "0"}},
		// energy at its price of 20, above the ceiling of 14; compute at 14: (2 + 0.7) × 3
		"attempts":              {ceilingHead + job("alpha", "  energy_budget = 100", "  compute_budget = 50"), Ceiling{"9.15", "300", "150"}},
		"instances":             {ceilingHead + job("alpha", "  count = 3", "  energy_budget = 100 * count.index"), Ceiling{"21.15", "900", "0"}},
		"an account's jobs":     {head + lab + job("alpha", `  employer = "lab"`), Ceiling{"1.05", "0", "0"}},
		"no more than it has":   {ceilingHead + lab + job("alpha", `  employer = "lab"`, "  energy_budget = 1e6"), Ceiling{"21", "3000000", "0"}},
		"stewards":              {head + "autonomy {\n  budget = 7\n}\nguardian {\n  script = \"a.js\"\n}\nstrategist \"s\" {\n  script = \"a.js\"\n  budget = 10\n}\n" + job("alpha", `  employer = "s"`), Ceiling{"17", "0", "0"}},
		"no more than there is": {strings.Replace(ceilingHead, "1e9", "200", 1) + job("alpha", "  energy_budget = 1e6"), Ceiling{"200", "3000000", "0"}},
		"beyond every amount":   {ceilingHead + job("alpha", "  count = 1000000", "  energy_budget = 1e6", "  compute_budget = 1e6"), Ceiling{"1000000000", "3000000000000", "3000000000000"}},
	} {
		m, diags := Load(folder(t, c.source, map[string]string{"a.js": plainScript}), Given{Scripts: &bundler{}})
		require.False(t, diags.HasErrors(), "%v", diags)
		require.Equal(t, c.want, m.Ceiling(), name)
	}
}

// TestCeilingOfMany: the sums of a million jobs are made while loading.
func TestCeilingOfMany(t *testing.T) {
	m, diags := load(t, ceilingHead+job("alpha", "  count = 1000000", "  energy_budget = 5"))
	require.Empty(t, diags)
	began := time.Now()
	require.Equal(t, "15000000", m.Ceiling().Energy)
	require.Less(t, time.Since(began), time.Second)
}
