package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestGoldenDigests rehearses every mission in the tree. Its digest covers each
// byte of the record and of the artifacts; a change that is meant is written
// down by `make golden`.
func TestGoldenDigests(t *testing.T) {
	missions, err := filepath.Glob("../../missions/*/mission.hcl")
	require.NoError(t, err)
	require.NotEmpty(t, missions)
	for _, path := range missions {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			want, err := os.ReadFile(filepath.Join(dir, "digest"))
			require.NoError(t, err)
			var out, problems bytes.Buffer
			require.Zero(t, Main([]string{"run", "--ci", "--json", dir}, nil, &out, &problems), problems.String())
			var report struct{ Digest string }
			require.NoError(t, json.Unmarshal(out.Bytes(), &report))
			require.Equal(t, strings.TrimSpace(string(want)), report.Digest, "the record has changed; if that is meant, run make golden")
		})
	}
}
