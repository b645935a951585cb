package main

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestScriptsHoldTheirTests runs the tests of the scripts that come with omega
// and of those of the missions in the tree, as omega policy test does.
func TestScriptsHoldTheirTests(t *testing.T) {
	files, err := filepath.Glob("../../missions/*/scripts/*.test.js")
	require.NoError(t, err)
	own, err := filepath.Glob("../../scripts/*.test.js")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	require.NotEmpty(t, own)
	for _, path := range append(own, files...) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			var out, problems bytes.Buffer
			require.Zero(t, Main([]string{"policy", "test", path}, nil, &out, &problems), "%s%s", &out, &problems)
		})
	}
}
