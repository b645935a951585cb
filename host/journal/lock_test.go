package journal

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

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

// A killed host's lock may outlive it for a moment, in a child that has not
// closed its files yet: the next host waits for that, and for nobody else.
func TestLockWaitsForWhatAKilledHostLeft(t *testing.T) {
	dir := t.TempDir()
	lock, err := Lock(dir)
	require.NoError(t, err)
	const nobody = 1 << 30 // above any process id
	require.NoError(t, os.WriteFile(filepath.Join(dir, "lock"), []byte(`{"pid":1073741824,"command":"omega"}`), 0o600))
	require.True(t, Holder{PID: nobody}.gone())
	require.False(t, Holder{PID: os.Getpid()}.gone())
	next := make(chan error)
	go func() {
		again, err := Lock(dir)
		if err == nil {
			err = again.Release()
		}
		next <- err
	}()
	select {
	case err := <-next:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(10 * lookers * lookTime):
	}
	require.NoError(t, lock.Release())
	require.NoError(t, <-next)
}
