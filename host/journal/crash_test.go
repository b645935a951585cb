package journal

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

var errDisk = errors.New("input/output error")

// life is a host's life on a disk that may fail: two starts, several segments, clean closes. It returns the last
// entry that was reported durable, and whether it got to its end.
func life(disk *MemFS) (reported uint64, ended bool) {
	for _, last := range []uint64{21, 30} {
		j, _, err := Open(tiny(disk))
		if err != nil {
			return reported, false
		}
		reported = max(reported, j.Durable())
		seq, _ := j.Head()
		for n := seq + 1; n <= last && err == nil; n++ {
			if _, err = appendBody(j, n); err == nil && n%3 == 0 {
				err = j.WaitDurable(context.Background(), n)
			}
		}
		closeErr := j.Close()
		reported = max(reported, j.Durable())
		if err != nil || closeErr != nil {
			return reported, false
		}
	}
	return reported, true
}

// checkRecovery checks that a start after a fault finds everything reported, in order, and goes on from there.
func checkRecovery(t *testing.T, disk *MemFS, reported uint64) {
	j, r, err := Open(tiny(disk))
	require.NoError(t, err)
	require.GreaterOrEqual(t, r.Seq, reported)
	for number := uint64(2); disk.ReadFile(filepath.Join(testDir, segmentName(number))) != nil; number++ {
		sealed := string(disk.ReadFile(filepath.Join(testDir, segmentName(number-1))))
		require.False(t, strings.HasSuffix(sealed, "\n\n"), "fill is cut before there is a next segment")
	}
	write(t, j, r.Seq+4)
	require.NoError(t, j.Close())
	lines := contents(t, tiny(disk))
	require.Len(t, lines, int(r.Seq+4))
	checkEntries(t, lines)
}

// ends are the ways a failed host's machine goes on: what the next start finds, and what was reported until then.
var ends = map[string]func(disk *MemFS, seed, reported uint64) (*MemFS, uint64){
	"restart": func(disk *MemFS, _, reported uint64) (*MemFS, uint64) { return disk.Kill(), reported },
	"crash":   func(disk *MemFS, seed, reported uint64) (*MemFS, uint64) { return disk.Crash(seed), reported },
	"restart and crash": func(disk *MemFS, seed, reported uint64) (*MemFS, uint64) {
		disk = disk.Kill()
		more, _ := life(disk)
		return disk.Crash(seed), max(reported, more)
	},
}

func TestEveryCallFails(t *testing.T) {
	for _, sticky := range []bool{false, true} {
		for how, end := range ends {
			t.Run(fmt.Sprintf("sticky %t, %s", sticky, how), func(t *testing.T) {
				t.Parallel()
				failed := 0
				for call := 1; ; call++ {
					disk := NewMemFS()
					disk.Fail(call, errDisk, sticky)
					reported, ended := life(disk)
					if ended && disk.Calls() < call {
						break
					}
					if !ended {
						failed++
					}
					disk.Fail(0, nil, false)
					after, reported := end(disk, uint64(call), reported)
					checkRecovery(t, after, reported)
				}
				require.Greater(t, failed, 100)
			})
		}
	}
}

// TestPowerFailsAnywhere stops the machine at each call, without an error before it.
func TestPowerFailsAnywhere(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			for call := 1; ; call++ {
				disk := NewMemFS()
				disk.Fail(call, ErrDown, true)
				reported, ended := life(disk)
				if ended {
					break
				}
				checkRecovery(t, disk.Crash(seed<<32+uint64(call)), reported)
			}
		})
	}
}

// TestRecoveryFailsAnywhere fails each call of starts that have a torn tail to repair, then starts again.
func TestRecoveryFailsAnywhere(t *testing.T) {
	torn := 0
	for seed := range uint64(12) {
		broken := func() (*MemFS, uint64) {
			disk := NewMemFS()
			j, _ := mustOpen(t, tiny(disk))
			write(t, j, 15+seed)
			disk.Fail(disk.Calls()+1+int(seed%2), errDisk, true) // the write tears, or its sync fails
			_, _ = appendBody(j, 16+seed)
			require.Error(t, j.Close())
			disk.Fail(0, nil, false)
			return disk.Kill(), 15 + seed
		}
		for call := 1; ; call++ {
			disk, reported := broken()
			disk.Fail(call, errDisk, call%2 == 0)
			j, r, err := Open(tiny(disk))
			if err == nil {
				if r.Torn != nil {
					torn++
				}
				reported = max(reported, j.Durable())
				if _, err = appendBody(j, r.Seq+1); err == nil {
					err = j.WaitDurable(context.Background(), r.Seq+1)
				}
				reported = max(reported, j.Durable())
			}
			over := disk.Calls() < call
			disk.Fail(0, nil, false)
			if call%3 > 0 && err != nil { // the next process of the same machine gets further
				disk = disk.Kill()
				j, _, err := Open(tiny(disk))
				require.NoError(t, err)
				write(t, j, reported+2)
				reported += 2
			}
			checkRecovery(t, disk.Crash(seed*1000+uint64(call)), reported)
			if over {
				break
			}
		}
	}
	require.Positive(t, torn)
}

func TestFullDisk(t *testing.T) {
	for limit := int64(200); limit < 12000; limit += 117 {
		disk := NewMemFS()
		disk.Limit(limit)
		reported, ended := life(disk)
		if !ended {
			_, again, err := Open(tiny(disk))
			if err != nil {
				require.ErrorIs(t, err, syscall.ENOSPC)
				require.GreaterOrEqual(t, again.Seq, reported)
			}
		}
		disk.Limit(0)
		checkRecovery(t, disk.Kill(), reported)
	}
}

func TestFullDiskIsSticky(t *testing.T) {
	disk := NewMemFS()
	j, _ := mustOpen(t, tiny(disk))
	write(t, j, 3)
	disk.Limit(1)
	var err error
	for err == nil {
		_, err = appendBody(j, 1)
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	disk.Limit(0)
	_, err = appendBody(j, 1)
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorIs(t, j.Close(), syscall.ENOSPC)
	require.GreaterOrEqual(t, j.Durable(), uint64(3))
}
