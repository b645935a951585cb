package journal

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// A reader in another process may know a size that a clean close has just cut
// down: what is gone was fill.
func TestFillCutWhileItIsRead(t *testing.T) {
	disk := NewMemFS()
	disk.WriteFile("segment", []byte("line\n\n\n\n"))
	f, err := disk.OpenFile("segment", os.O_RDONLY)
	require.NoError(t, err)
	dataEnd, zeros, err := fillAfter(f, 5, 4096)
	require.NoError(t, err)
	require.EqualValues(t, 5, dataEnd)
	require.False(t, zeros)
}
