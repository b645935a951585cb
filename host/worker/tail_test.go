package worker

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTailKeepsTheEnd(t *testing.T) {
	for _, size := range []int{1, 7, 4096, StderrBytes - 1, StderrBytes, StderrBytes + 1, 3 * StderrBytes} {
		var got tail
		var all []byte
		for i := 0; len(all) < 5*StderrBytes; i++ {
			part := bytes.Repeat([]byte{byte(i)}, size)
			n, err := got.Write(part)
			require.NoError(t, err)
			require.Equal(t, size, n)
			all = append(all, part...)
			if size > 1000 {
				require.Equal(t, all[max(0, len(all)-StderrBytes):], got.bytes())
			}
		}
		require.Equal(t, all[len(all)-StderrBytes:], got.bytes())
		require.LessOrEqual(t, len(got.buf), 2*StderrBytes)
	}
}
