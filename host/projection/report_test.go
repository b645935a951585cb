package projection_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/projection"
	"github.com/stretchr/testify/require"
)

// By hand: printf 'omega.digest/v1\n%s%s  a.json\n%s  b.jsonl\n' with the digest
// 0101…01 and sha256sum of "A" and of nothing, through sha256sum.
func TestDigestByHand(t *testing.T) {
	var last core.Digest
	for i := range last {
		last[i] = 1
	}
	got := projection.Digest(last, []projection.Artifact{{Name: "b.jsonl"}, {Name: "a.json", Bytes: []byte("A")}})
	require.Equal(t, digestByHand, hex(got))
}

func TestReport(t *testing.T) {
	d := scripted(t)
	r := projection.NewReport(d.state, core.Digest{0xab}, 12, 34)
	b, err := json.Marshal(r)
	require.NoError(t, err)
	var back map[string]any
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, "omega.report/v1", back["schema"])
	require.EqualValues(t, len(d.all), back["entries"])
	require.EqualValues(t, float64(d.at)/1000, back["mission_seconds"])
	require.Equal(t, map[string]any{"posted": 5.0, "finalized": 2.0, "failed": 1.0, "cancelled": 0.0, "expired": 1.0, "skipped": 1.0}, back["jobs"])
	require.Len(t, back, 11)
	tokens := back["tokens"].(map[string]any)
	require.Equal(t, "100000", tokens["minted"])
	require.Len(t, tokens, 5)
}

const digestByHand = "c81731452ae4076e5dcaabeeed15d060a2b66d8be7dd72c83932e4b00bf452d4"

func hex(d core.Digest) string { return fmt.Sprintf("%x", d[:]) }

func TestSecondsAreExact(t *testing.T) {
	for ms, want := range map[core.Time]string{0: "0", 1: "0.001", 1000: "1", 61_500: "61.5", 64_800_000: "64800", 1_020: "1.02"} {
		require.Equal(t, want, string(projection.Seconds(ms)))
	}
}
