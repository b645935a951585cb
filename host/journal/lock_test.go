package journal

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLockNamesItsHolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	lock, err := Lock(dir)
	require.NoError(t, err)
	content, err := os.ReadFile(filepath.Join(dir, "lock"))
	require.NoError(t, err)
	var holder Holder
	require.NoError(t, json.Unmarshal(content, &holder))
	require.Equal(t, os.Getpid(), holder.PID)

	_, err = Lock(dir)
	var held *HeldError
	require.ErrorAs(t, err, &held)
	require.Equal(t, holder, held.Holder)
	require.ErrorContains(t, err, holder.Command)

	require.NoError(t, lock.Release())
	lock, err = Lock(dir)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "lock"), []byte("{"), 0o600))
	_, err = Lock(dir)
	require.ErrorAs(t, err, &held)
	require.ErrorContains(t, err, "another host")
	require.NoError(t, lock.Release())
}
