package journal

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const pointDir = "data/checkpoint"

// state is what a checkpoint of entry seq holds in tests: its first chunk changes with every entry.
func state(seq uint64) [][]byte {
	return [][]byte{fmt.Appendf(nil, "hot %d", seq), []byte("cold"), fmt.Appendf(nil, "warm %d", seq/2)}
}

func save(c *Checkpoints, seq uint64) error {
	point := Checkpoint{Seq: seq, Digest: sha256.Sum256(fmt.Append(nil, seq))}
	for _, chunk := range state(seq) {
		digest, err := c.Put(chunk)
		if err != nil {
			return err
		}
		point.Chunks = append(point.Chunks, digest)
	}
	return c.Save(point)
}

func checkpoints(t *testing.T, disk FS) *Checkpoints {
	c, err := OpenCheckpoints(disk, pointDir)
	require.NoError(t, err)
	return c
}

func TestCheckpoints(t *testing.T) {
	disk := NewMemFS()
	c := checkpoints(t, disk)
	_, _, ok, err := c.Load()
	require.NoError(t, err)
	require.False(t, ok)
	for seq := uint64(1); seq <= 9; seq++ {
		require.NoError(t, save(c, seq))
		for _, c := range []*Checkpoints{c, checkpoints(t, disk)} {
			point, chunks, ok, err := c.Load()
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, seq, point.Seq)
			require.Equal(t, state(seq), chunks)
			require.Equal(t, Digest(sha256.Sum256(fmt.Append(nil, seq))), point.Witness().Digest)
			require.LessOrEqual(t, len(c.Kept()), 2)
		}
	}
	names, err := disk.ReadDir(pointDir)
	require.NoError(t, err)
	require.Len(t, names, 2+4) // hot twice, cold, warm: 8/2 = 9/2
	require.ErrorContains(t, c.Save(Checkpoint{Seq: 10, Chunks: []Digest{{1}}}), "not stored")
	require.Error(t, c.Save(Checkpoint{}))
	_, err = c.Put(make([]byte, MaxChunk+1))
	require.Error(t, err)
}

func TestManifestBytes(t *testing.T) {
	line := appendManifest(nil, Checkpoint{Seq: 7, Chunks: make([]Digest, 2)})
	zero := strings.Repeat("0", 64)
	require.Equal(t, `{"format":"omega.checkpoint/v1","seq":7,"digest":"`+zero+`","chunks":["`+zero+`","`+zero+`"],"crc":"9ea42cf4"}`+"\n", string(line))
	for bit := range 8 * len(line) {
		line[bit/8] ^= 1 << (bit % 8)
		_, ok := parseManifest(line)
		require.False(t, ok)
		line[bit/8] ^= 1 << (bit % 8)
	}
	_, ok := parseManifest(line)
	require.True(t, ok)
}

func TestSaveWritesOnlyWhatChanged(t *testing.T) {
	disk := NewMemFS()
	c := checkpoints(t, disk)
	large := func(n int) []byte { return []byte(strings.Repeat(fmt.Sprint(n%10), 1000+n)) }
	for round := range 3 {
		before := disk.Calls()
		point := Checkpoint{Seq: uint64(round + 1)}
		for n := range 200 {
			chunk := large(n)
			if n == 7 {
				chunk = append(chunk, byte(round))
			}
			digest, err := c.Put(chunk)
			require.NoError(t, err)
			point.Chunks = append(point.Chunks, digest)
		}
		require.NoError(t, c.Save(point))
		if round > 0 {
			require.Less(t, disk.Calls()-before, 30)
		}
	}
}

func TestDamagedCheckpointFallsBack(t *testing.T) {
	disk := NewMemFS()
	c := checkpoints(t, disk)
	for seq := uint64(1); seq <= 4; seq++ {
		require.NoError(t, save(c, seq))
	}
	hot := filepath.Join(pointDir, chunkName(sha256.Sum256([]byte("hot 4"))))
	disk.WriteFile(hot, []byte("hot 5"))
	c = checkpoints(t, disk)
	point, _, ok, err := c.Load()
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, uint64(3), point.Seq)
	require.Len(t, c.Kept(), 2)
	require.NoError(t, save(c, 4)) // writes the damaged chunk again
	point, _, _, err = checkpoints(t, disk).Load()
	require.NoError(t, err)
	require.Equal(t, uint64(4), point.Seq)

	disk.WriteFile(filepath.Join(pointDir, manifestName(4)), []byte("{}"))
	point, _, _, err = checkpoints(t, disk).Load()
	require.NoError(t, err)
	require.Equal(t, uint64(3), point.Seq)
	cold := filepath.Join(pointDir, chunkName(sha256.Sum256([]byte("cold"))))
	disk.WriteFile(cold, nil)
	_, _, ok, err = checkpoints(t, disk).Load()
	require.NoError(t, err)
	require.False(t, ok)
}

func TestEveryCheckpointCallFails(t *testing.T) {
	for call := 1; ; call++ {
		for _, sticky := range []bool{false, true} {
			disk := NewMemFS()
			disk.Fail(call, errDisk, sticky)
			var saved uint64
			c, err := OpenCheckpoints(disk, pointDir)
			for seq := uint64(1); seq <= 5 && err == nil; seq++ {
				if err = save(c, seq); err == nil {
					saved = seq
				}
			}
			if err == nil && disk.Calls() < call {
				return
			}
			disk.Fail(0, nil, false)
			for _, disk := range []*MemFS{disk.Kill().Kill(), disk.Crash(uint64(call))} {
				c := checkpoints(t, disk)
				point, chunks, ok, err := c.Load()
				require.NoError(t, err)
				require.GreaterOrEqual(t, point.Seq, saved)
				if ok {
					require.Equal(t, state(point.Seq), chunks)
				}
				require.NoError(t, save(c, point.Seq+1))
				require.NoError(t, save(c, point.Seq+2))
				names, err := disk.ReadDir(pointDir)
				require.NoError(t, err)
				require.LessOrEqual(t, len(names), 2+5, names)
			}
		}
	}
}
