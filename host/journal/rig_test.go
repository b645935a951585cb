package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	testDir     = "data/journal"
	testMission = "01J0000000000000000000000A"
)

// tiny makes files small, so that a test meets every kind of write soon.
func tiny(disk FS) Options {
	return Options{FS: disk, Dir: testDir, Mission: testMission, SegmentBytes: 1500, FillBytes: 400}
}

// body is the body of entry n in tests: its length varies with n.
func body(n uint64) []byte {
	return fmt.Appendf(nil, `"n":%d,"pad":%q`, n, bytes.Repeat([]byte("p"), int(n*7%40)))
}

func appendBody(j *Journal, n uint64) (uint64, error) {
	seq, _, err := j.Append(func(dst []byte) []byte { return append(dst, body(n)...) })
	return seq, err
}

// write appends entries up to last and waits until they are durable.
func write(t testing.TB, j *Journal, last uint64) {
	seq, _ := j.Head()
	for n := seq + 1; n <= last; n++ {
		got, err := appendBody(j, n)
		require.NoError(t, err)
		require.Equal(t, n, got)
	}
	require.NoError(t, j.WaitDurable(context.Background(), last))
}

// mustOpen opens a journal that must open.
func mustOpen(t testing.TB, o Options) (*Journal, Recovery) {
	j, r, err := Open(o)
	require.NoError(t, err)
	return j, r
}

// readAll returns every line that a cursor gives, and the error that ended it.
func readAll(c *Cursor) (lines [][]byte, err error) {
	defer c.Close()
	for {
		line, err := c.Next(context.Background())
		if err != nil {
			return lines, err
		}
		lines = append(lines, bytes.Clone(line.Bytes))
	}
}

// contents reads a folder without writing to it.
func contents(t testing.TB, o Options) [][]byte {
	v, err := Read(o)
	require.NoError(t, err)
	require.Nil(t, v.Recovery().Damage)
	lines, err := readAll(v.Cursor(1))
	require.Equal(t, io.EOF, err)
	require.Len(t, lines, int(v.Recovery().Seq))
	return lines
}

// checkEntries checks that lines are the entries 1 to len(lines) of these tests, readable as JSON.
func checkEntries(t testing.TB, lines [][]byte) {
	for i, line := range lines {
		n := uint64(i + 1)
		var entry struct{ Seq, N uint64 }
		require.NoError(t, json.Unmarshal(line, &entry))
		require.Equal(t, []uint64{n, n}, []uint64{entry.Seq, entry.N})
		require.Equal(t, body(n), Line{Seq: n, Bytes: line}.Body())
	}
}

// files returns every file of the journal's folder.
func files(t testing.TB, disk *MemFS) map[string]string {
	all := map[string]string{}
	names, err := disk.ReadDir(testDir)
	if err != nil {
		return all
	}
	for _, name := range names {
		all[name] = string(disk.ReadFile(filepath.Join(testDir, name)))
	}
	return all
}

// diskOf makes a file system that holds these files in the journal's folder.
func diskOf(all map[string]string) *MemFS {
	disk := NewMemFS()
	for name, content := range all {
		disk.WriteFile(filepath.Join(testDir, name), []byte(content))
	}
	return disk
}

// refused reports whether err is one of the ways a journal may be refused.
func refused(err error) bool {
	var damage *CorruptionError
	return errors.As(err, &damage) || errors.Is(err, ErrNewerFormat) || errors.Is(err, ErrOtherMission)
}
