package missionfile

import (
	"flag"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/script"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write golden files")

func TestMain(m *testing.M) {
	script.Child()
	os.Exit(m.Run())
}

// TestReferenceIsTheProgramsOwn: docs/mission.md is what the program prints, and
// names every block, setting, rule and function.
func TestReferenceIsTheProgramsOwn(t *testing.T) {
	const path = "../../docs/mission.md"
	page := Reference()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(page), 0o644))
	}
	kept, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(kept), page, "go test ./host/missionfile -run Reference -update writes it again")

	for _, settings := range [][]core.Setting{core.Settings(), core.WorkerSettings(), core.ValidatorSettings(), core.AccountSettings(), core.PolicySettings(), core.GuardianSettings(), core.StrategistSettings(), core.JobSettings()} {
		for _, s := range settings {
			require.Contains(t, page, "| `"+s.Name+"` | "+string(s.Kind)+" |", "%s.%s", s.Block, s.Name)
			require.Contains(t, page, s.Doc)
			require.Contains(t, page, "# "+s.Block, "a heading of the block")
		}
	}
	for _, r := range rules() {
		require.Contains(t, page, "| `"+r.name+"` | "+r.form+" |", "%s.%s", r.block, r.name)
	}
	for name, f := range functions(&sourceSet{}) {
		require.Contains(t, page, "| `"+name+"(")
		require.NotEmpty(t, f.Description(), name)
	}
	for _, b := range topBlocks {
		require.Contains(t, page, "\n## "+b.name)
	}
	for _, name := range slices.Sorted(maps.Keys(notYet.blocks)) {
		require.Contains(t, page, "`"+name+"`")
	}
}
