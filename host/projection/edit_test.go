package projection_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/projection"
)

// A generation is told with the files it has changed, whatever they are.
func TestGenerationIsTold(t *testing.T) {
	file := func(path string, version byte) core.SourceRef {
		return core.SourceRef{Path: path, Digest: core.Digest{version}, Size: 1}
	}
	s := core.New()
	told := func(events ...core.Event) string {
		e := &core.Entry{Seq: s.Seq() + 1, Command: &core.Tick{}, Events: events}
		s.Replay(e)
		return string(projection.AppendLines(nil, s, e))
	}
	spec := core.Spec{Mission: core.MissionSpec{Name: "m", Owner: "operator"}, Instances: 1}
	first := core.GenerationApplied{Number: 1, Entry: ".", Spec: spec, Sources: []core.SourceRef{file("a.js", 1), file("b.js", 1), file("mission.hcl", 1)}}
	require.Contains(t, told(&core.MissionCreated{Title: "m"}, &first), "  generation 1 is in force: 1 job, 0 workers, 0 validators\n")

	next := first
	next.Number, next.Sources = 2, []core.SourceRef{file("a.js", 2), file("b.js", 1), file("mission.hcl", 1)}
	require.Equal(t, "00:00:00  generation 2 is in force: a.js has changed; 1 job, 0 workers, 0 validators\n", told(&next))
	again := next
	again.Number, again.Sources = 3, []core.SourceRef{file("c.js", 1), file("mission.hcl", 1), file("a.js", 2)}
	require.Equal(t, "00:00:00  generation 3 is in force: c.js, b.js have changed; 1 job, 0 workers, 0 validators\n", told(&again), "new and gone")
	same := again
	same.Number = 4
	require.Equal(t, "00:00:00  generation 4 is in force: 1 job, 0 workers, 0 validators\n", told(&same), "other values of variables")
}
