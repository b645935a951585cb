package projection_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/projection"
	"github.com/stretchr/testify/require"
)

// Every event has its place in the mapping, also one whose job is gone.
func TestSentencesAreClosed(t *testing.T) {
	d := scripted(t)
	told := map[string]bool{}
	for _, event := range core.Events() {
		projection.Tell(d.state, &core.Entry{Seq: 1, Command: &core.Tick{}, Events: []core.Event{event}}, func(l projection.LogLine) {
			require.NotEmpty(t, l.Message)
			require.Contains(t, []projection.Level{projection.Info, projection.Warning, projection.Error}, l.Level)
			told[event.Name()] = true
		})
	}
	require.Len(t, told, len(core.Events())-11)
}

func TestLogLinesAreWhatTheirStructSays(t *testing.T) {
	for name, line := range map[string]any{
		"structured-log.jsonl": &projection.LogLine{}, "state-history.jsonl": &projection.HistoryLine{}, "control-ack.jsonl": &projection.AckLine{},
		"storyboard-history.jsonl": &projection.Scene{}, "long-run-ledger.jsonl": &projection.LongRunLine{}, "mesh-history.jsonl": &projection.MeshLine{},
	} {
		for text := range strings.Lines(contents(t, scripted(t).live)[name]) {
			reflect.ValueOf(line).Elem().SetZero() // what is left out is not there
			strict(t, text, line)
			var again bytes.Buffer
			e := json.NewEncoder(&again)
			e.SetEscapeHTML(false)
			require.NoError(t, e.Encode(line))
			require.Equal(t, text, again.String())
		}
	}
}

func TestSnapshotsAreWhatTheirStructsSay(t *testing.T) {
	got := contents(t, scripted(t).live)
	strict(t, got["telemetry.json"], &projection.Telemetry{})
	strict(t, got["resource-ledger.json"], &projection.ResourceLedger{})
	strict(t, got["state-checkpoint.json"], &projection.StateCheckpoint{})
	strict(t, got["storyboard.json"], &projection.Storyboard{})
	strict(t, got["telemetry-ui.json"], &projection.Page{})
	var counts map[string]int
	b, err := json.Marshal(projection.JobCounts{})
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &counts))
	for _, state := range core.JobStates() {
		require.Contains(t, counts, string(state))
	}
	require.Len(t, counts, 2+len(core.JobStates()))
}

func strict(t *testing.T, text string, into any) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(into))
}

func TestTextFromOutsideStaysOnItsLine(t *testing.T) {
	d := start(t, spec(), job("a", func(j *core.JobSpec) { j.Label = "a\n\x1b[2Jb"; j.Title = strings.Repeat("long ", 4_000) }))
	e := &core.Entry{Seq: 2, At: 3_723_000, Command: &core.Expand{}}
	d.expand()
	e.Events = []core.Event{&core.JobPosted{Spec: d.jobs[0]}}
	lines := string(projection.AppendLines(nil, d.state, e))
	require.True(t, strings.HasPrefix(lines, "01:02:03  a  [2Jb posted, reward 100: long long "), lines)
	require.Equal(t, 1, strings.Count(lines, "\n"))
	require.Less(t, len(lines), 300)
}
