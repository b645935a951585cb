package journal

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// scenario is something a host does to a folder, whose every call is to fail once.
type scenario struct {
	name    string
	prepare func(t *testing.T) *MemFS                           // what it begins with, all of it durable
	do      func(t *testing.T, disk FS) (kept promise, e error) // what may not be lost afterwards, and what went wrong
	calls   int                                                 // there are at least so many
}

// promise is what was reported done.
type promise struct {
	durable uint64 // an entry
	saved   uint64 // a checkpoint
}

// onDisk makes the folder of a journal closed after so many entries, and harms it.
func onDisk(entries uint64, harm func(t *testing.T, disk *MemFS)) func(t *testing.T) *MemFS {
	return func(t *testing.T) *MemFS {
		disk := NewMemFS()
		if entries > 0 {
			j, _ := mustOpen(t, tiny(disk))
			write(t, j, entries)
			require.NoError(t, j.Close())
		}
		disk = diskOf(files(t, disk))
		if harm != nil {
			harm(t, disk)
		}
		return disk
	}
}

// hosted opens the journal, does something and closes it.
func hosted(change func(o *Options), do func(j *Journal) error) func(t *testing.T, disk FS) (promise, error) {
	return func(t *testing.T, disk FS) (promise, error) {
		o := tiny(disk)
		if change != nil {
			change(&o)
		}
		j, _, err := Open(o)
		if err != nil {
			return promise{}, err
		}
		if do != nil {
			err = do(j)
		}
		err = errors.Join(err, j.Close())
		return promise{durable: j.Durable()}, err
	}
}

// appended appends so many entries, and waits for each or for all at once.
func appended(entries uint64, each bool) func(j *Journal) error {
	return func(j *Journal) error {
		seq, _ := j.Head()
		for last := seq + entries; seq < last; {
			var err error
			if seq, err = appendBody(j, seq+1); err != nil {
				return err
			}
			if each || seq == last {
				if err := j.WaitDurable(context.Background(), seq); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

func segmentPath(number uint64) string { return filepath.Join(testDir, segmentName(number)) }

func unproven(_ *testing.T, disk *MemFS) {
	for _, name := range []string{durableFile, closedFile} {
		disk.WriteFile(filepath.Join(testDir, name), nil)
	}
}

// unsynced is what the next process finds after a sync that failed: an entry that only the page cache holds.
func unsynced(t *testing.T) *MemFS {
	disk := NewMemFS()
	j, _ := mustOpen(t, tiny(disk))
	write(t, j, 6)
	disk.Fail(disk.Calls()+2, syscall.EIO, true)
	_, err := appendBody(j, 7)
	require.NoError(t, err)
	require.ErrorIs(t, j.Close(), syscall.EIO)
	disk.Fail(0, nil, false)
	return disk.Kill()
}

func torn(_ *testing.T, disk *MemFS) {
	disk.WriteFile(segmentPath(1), append(disk.ReadFile(segmentPath(1)), `{"seq":7,"n":7,"p`...))
}

// scenarios are everything that touches the journal's disk.
var scenarios = []scenario{
	{"begin a journal", onDisk(0, nil), hosted(nil, nil), 15},
	{"append an entry", onDisk(6, nil), hosted(nil, appended(1, true)), 15},
	{"append a batch", onDisk(6, nil), hosted(nil, appended(9, false)), 15},
	{"fill ahead", onDisk(1, nil), hosted(func(o *Options) { o.FillBytes = 50 }, appended(5, true)), 20},
	{"append without fill", onDisk(1, nil), hosted(func(o *Options) { o.FillBytes = 1 }, appended(5, true)), 20},
	{"begin the next segment", onDisk(6, nil), hosted(nil, appended(12, true)), 40},
	{"an entry larger than a segment", onDisk(3, nil), hosted(func(o *Options) { o.SegmentBytes = 100 }, appended(2, true)), 30},
	{"close without an entry more", onDisk(6, nil), hosted(nil, nil), 10},
	{"go on from pages that a failed sync left", unsynced, hosted(nil, appended(2, true)), 20},
	{"go on unproven", onDisk(6, unproven), hosted(nil, appended(2, true)), 20},
	{"cut a torn tail", onDisk(6, torn), hosted(nil, appended(2, true)), 25},
	{"cut a second torn tail", onDisk(6, func(t *testing.T, disk *MemFS) {
		torn(t, disk)
		disk.WriteFile(filepath.Join(testDir, "00000001.torn"), []byte("earlier"))
	}), hosted(nil, appended(2, true)), 25},
	{"begin a segment that lost its header", onDisk(6, func(_ *testing.T, disk *MemFS) { disk.WriteFile(segmentPath(2), []byte("\n\n\x00")) }), hosted(nil, appended(2, true)), 20},
	{"fill that never arrived", onDisk(6, func(_ *testing.T, disk *MemFS) {
		disk.WriteFile(segmentPath(1), append(disk.ReadFile(segmentPath(1)), "\n\x00\x00"...))
	}), hosted(nil, appended(2, true)), 20},
	{"a witness file that says nothing", onDisk(6, func(_ *testing.T, disk *MemFS) { disk.WriteFile(filepath.Join(testDir, durableFile), []byte("?")) }), hosted(nil, appended(2, true)), 15},
	{"files on their way to their places", onDisk(6, func(t *testing.T, disk *MemFS) {
		unproven(t, disk)
		for _, name := range []string{closedFile, segmentName(1), segmentName(2)} {
			disk.WriteFile(filepath.Join(testDir, name+besideSuffix), []byte("half"))
		}
	}), hosted(nil, appended(12, true)), 40},
	{"start at a checkpoint", onDisk(40, nil), func(t *testing.T, disk FS) (promise, error) {
		clean := onDisk(40, nil)(t)
		at := Line{Bytes: contents(t, tiny(clean))[34]}
		return hosted(func(o *Options) { o.Trust = Witness{Seq: 35, Digest: at.Digest(), Source: "checkpoint"} }, appended(1, true))(t, disk)
	}, 20},
	{"read to the end", onDisk(40, nil), func(t *testing.T, disk FS) (promise, error) {
		v, err := Read(tiny(disk))
		if err != nil {
			return promise{}, err
		}
		lines, err := readAll(v.Cursor(1))
		checkEntries(t, lines)
		if err == io.EOF {
			require.Len(t, lines, 40)
			err = nil
		}
		return promise{durable: 40}, err
	}, 15},
	{"follow a host", onDisk(40, nil), func(t *testing.T, disk FS) (promise, error) {
		v, err := Read(tiny(disk))
		if err != nil {
			return promise{}, err
		}
		c := v.Follow(30)
		defer c.Close()
		for seq := uint64(30); seq <= 40; seq++ {
			line, err := c.Next(context.Background())
			if err != nil {
				return promise{}, err
			}
			require.Equal(t, body(seq), line.Body())
		}
		return promise{durable: 40}, nil
	}, 15},
	{"save the first checkpoint", onDisk(6, nil), saved(1), 10},
	{"save checkpoints and remove old ones", onDisk(6, nil), saved(4), 40},
	{"save after a damaged chunk", onDisk(6, func(t *testing.T, disk *MemFS) {
		_, err := saved(2)(t, disk)
		require.NoError(t, err)
		names, err := disk.ReadDir(pointDir)
		require.NoError(t, err)
		disk.WriteFile(filepath.Join(pointDir, names[len(names)-1]), []byte("?"))
	}), saved(3), 20},
}

// saved stores checkpoints of entries 1 to n.
func saved(n uint64) func(t *testing.T, disk FS) (promise, error) {
	return func(_ *testing.T, disk FS) (kept promise, err error) {
		c, err := OpenCheckpoints(disk, pointDir)
		if err != nil {
			return kept, err
		}
		if _, _, _, err := c.Load(); err != nil {
			return kept, err
		}
		for seq := uint64(1); seq <= n; seq++ {
			if err := save(c, seq); err != nil {
				return kept, err
			}
			kept.saved = seq
		}
		return kept, nil
	}
}

// checkSaved: the newest checkpoint that loads is whole and not older than the last that was reported saved, and the
// folder can be gone on with.
func checkSaved(t *testing.T, disk *MemFS, least uint64) {
	point, chunks, ok, err := checkpoints(t, disk).Load()
	require.NoError(t, err)
	require.GreaterOrEqual(t, point.Seq, least)
	if ok {
		require.Equal(t, state(point.Seq), chunks)
	}
	_, err = saved(6)(t, disk)
	require.NoError(t, err)
	point, chunks, _, err = checkpoints(t, disk).Load()
	require.NoError(t, err)
	require.EqualValues(t, 6, point.Seq)
	require.Equal(t, state(6), chunks)
}

// TestEveryCallOfEveryScenarioFails fails the first call of a scenario, then the second, and so on, once or for good,
// with each error a disk gives; then it restarts the process, or cuts the power. What was reported is there.
func TestEveryCallOfEveryScenarioFails(t *testing.T) {
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			prepared := s.prepare(t)
			for _, sticky := range []bool{false, true} {
				for _, fault := range []error{syscall.EIO, syscall.ENOSPC} {
					calls := s.eachCall(t, prepared, fault, sticky)
					require.GreaterOrEqual(t, calls, s.calls, "too few calls for this scenario to be what it says")
				}
			}
		})
	}
}

// eachCall fails every call of a scenario in turn and returns how many there are.
func (s *scenario) eachCall(t *testing.T, prepared *MemFS, fault error, sticky bool) (calls int) {
	for call := 1; ; call++ {
		disk := prepared.Fork()
		disk.Fail(call, fault, sticky)
		kept, err := s.do(t, disk)
		over := disk.Calls() < call
		if over {
			require.NoError(t, err)
		}
		if err != nil {
			require.ErrorIs(t, err, fault, "call %d", call)
			require.False(t, refused(err), "call %d: a disk that fails proves nothing: %v", call, err)
		}
		disk.Fail(0, nil, false)
		for _, left := range []*MemFS{disk.Fork(), disk.Crash(uint64(2 * call)), disk.Crash(uint64(2*call + 1))} { // a restart, and power cuts
			checkSaved(t, left.Fork(), kept.saved)
			checkRecovery(t, left, kept.durable)
		}
		if over {
			return call - 1
		}
	}
}
