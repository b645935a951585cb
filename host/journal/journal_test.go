package journal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBytesOnDisk(t *testing.T) {
	disk := NewMemFS()
	o := Options{FS: disk, Dir: testDir, Mission: "M1"}
	j, r := mustOpen(t, o)
	require.Zero(t, r.Seq)
	_, first, err := j.Append(func(dst []byte) []byte { return append(dst, `"a":1`...) })
	require.NoError(t, err)
	_, second, err := j.Append(func(dst []byte) []byte { return append(dst, `"b":2`...) })
	require.NoError(t, err)
	require.NoError(t, j.Close())

	zero := strings.Repeat("0", 64)
	lines := strings.Split(string(disk.ReadFile(testDir+"/00000001.jsonl")), "\n")
	require.Len(t, lines, 4)
	require.Equal(t, `{"format":"omega.journal/v1","mission":"M1","segment":1,"first":1,"prev":"`+zero+`","crc":"1a5d1819"}`, lines[0])
	require.Equal(t, `{"seq":1,"a":1,"prev":"`+zero+`","crc":"3d5bce5b"}`, lines[1])
	require.Equal(t, sha256.Sum256([]byte(lines[1])), first)
	require.Equal(t, `{"seq":2,"b":2,"prev":"`+hex.EncodeToString(first[:])+`","crc":"e8ec920b"}`, lines[2])
	require.Equal(t, sha256.Sum256([]byte(lines[2])), second)

	digest := hex.EncodeToString(second[:])
	require.Equal(t, "omega.durable/v1 00000000000000000002 "+digest+" a02155fe\n", string(disk.ReadFile(testDir+"/durable")))
	require.Equal(t, "omega.closed/v1 00000000000000000002 "+digest+" a925150b\n", string(disk.ReadFile(testDir+"/closed")))

	_, r = mustOpen(t, o)
	require.Equal(t, Recovery{Mission: "M1", Seq: 2, Digest: second, Witnessed: 2, Clean: true}, r)
}

func TestAppendRefusals(t *testing.T) {
	disk := NewMemFS()
	j, _ := mustOpen(t, Options{FS: disk, Dir: testDir, Mission: testMission})
	for _, bad := range []string{"", "\"a\":\n1"} {
		_, _, err := j.Append(func(dst []byte) []byte { return append(dst, bad...) })
		require.ErrorIs(t, err, ErrBody)
	}
	_, _, err := j.Append(func([]byte) []byte { return nil })
	require.ErrorIs(t, err, ErrBody)
	fits := MaxEntry - len(`{"seq":1,`) - prevLen - crcLen
	large := func(n int) func([]byte) []byte {
		return func(dst []byte) []byte { return append(dst, `"a":"`+strings.Repeat("x", n-6)+`"`...) }
	}
	_, _, err = j.Append(large(fits + 1))
	require.ErrorIs(t, err, ErrTooLarge)
	seq, _ := j.Head()
	require.Zero(t, seq)
	_, _, err = j.Append(large(fits))
	require.NoError(t, err)
	require.NoError(t, j.Close())
	_, _, err = j.Append(large(10))
	require.ErrorIs(t, err, ErrClosed)
	require.ErrorIs(t, j.Close(), ErrClosed)
	lines := contents(t, Options{FS: disk, Dir: testDir})
	require.Len(t, lines, 1)
	require.Len(t, lines[0], MaxEntry)
}

func TestSegmentsAreCutByBytes(t *testing.T) {
	disks := []*MemFS{NewMemFS(), NewMemFS()}
	for i, disk := range disks {
		j, _ := mustOpen(t, tiny(disk))
		for n := uint64(1); n <= 60; n++ {
			_, err := appendBody(j, n)
			require.NoError(t, err)
			if i == 0 { // one batch each here, as few as possible there
				require.NoError(t, j.WaitDurable(context.Background(), n))
			}
		}
		require.NoError(t, j.Close())
	}
	require.Equal(t, files(t, disks[0]), files(t, disks[1]))
	names := 0
	for name, content := range files(t, disks[0]) {
		if strings.HasSuffix(name, segmentSuffix) {
			names++
			require.LessOrEqual(t, len(content), 1500)
			for line := range strings.Lines(content) {
				require.True(t, json.Valid([]byte(line)))
			}
		}
	}
	require.Greater(t, names, 5)
	checkEntries(t, contents(t, tiny(disks[0])))
}

func TestFillIsSkippedByJq(t *testing.T) {
	jq, err := exec.LookPath("jq")
	if err != nil {
		t.Skip("there is no jq here")
	}
	dir := filepath.Join(t.TempDir(), "journal")
	j, _ := mustOpen(t, Options{Dir: dir, Mission: testMission, FillBytes: 8 << 10})
	write(t, j, 5)
	out, err := exec.Command(jq, "-c", ".seq", filepath.Join(dir, segmentName(1))).Output()
	require.NoError(t, err)
	require.Equal(t, "null\n1\n2\n3\n4\n5\n", string(out))
	require.NoError(t, j.Close())
}

func TestRealDisk(t *testing.T) {
	o := Options{Dir: filepath.Join(t.TempDir(), "journal"), Mission: testMission, SegmentBytes: 4 << 10, FillBytes: 1 << 10}
	for last := uint64(20); last <= 60; last += 20 {
		j, r := mustOpen(t, o)
		require.Equal(t, last-20, r.Seq)
		require.Equal(t, last > 20, r.Clean)
		write(t, j, last)
		require.NoError(t, j.Close())
	}
	checkEntries(t, contents(t, o))
}

func TestManyAppendersAndCursors(t *testing.T) {
	o := tiny(NewMemFS())
	o.SegmentBytes = 20 << 10
	j, _ := mustOpen(t, o)
	const appenders, each, cursors = 8, 200, 4
	var all sync.WaitGroup
	for range cursors {
		all.Go(func() {
			c := j.Cursor(1)
			defer c.Close()
			var prev Digest
			for seq := uint64(1); seq <= appenders*each; seq++ {
				line, err := c.Next(context.Background())
				if err != nil || line.Seq != seq || j.Durable() < seq || faultOf(line.Bytes, seq, &prev) != "" {
					t.Errorf("entry %d: %v %s", seq, err, line.Bytes)
					return
				}
				prev = line.Digest()
			}
		})
	}
	for range appenders {
		all.Go(func() {
			for range each {
				seq, err := appendBody(j, 1)
				if err == nil {
					err = j.WaitDurable(context.Background(), seq)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	require.NoError(t, j.Close())
	require.Len(t, contents(t, o), appenders*each)
}

func TestCursorStartsAnywhere(t *testing.T) {
	o := tiny(NewMemFS())
	o.SegmentBytes = 200 << 10
	j, _ := mustOpen(t, o)
	const last = 3000 // several marks in several segments
	write(t, j, last)
	for _, live := range []bool{true, false} {
		v, err := Read(o)
		require.NoError(t, err)
		for from := uint64(0); from <= last; from += 123 {
			c := v.Cursor(from)
			if live {
				c = j.Cursor(from)
			}
			line, err := c.Next(context.Background())
			require.NoError(t, err)
			require.Equal(t, max(1, from), line.Seq)
			require.Equal(t, body(line.Seq), line.Body())
			require.NoError(t, c.Close())
			_, err = c.Next(context.Background())
			require.ErrorIs(t, err, ErrClosed)
		}
	}
	require.NoError(t, j.Close())
}

func TestCursorWaitsForDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, _ := mustOpen(t, tiny(NewMemFS()))
		c := j.Cursor(3)
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		write(t, j, 2)
		_, err := c.Next(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		got := make(chan Line)
		go func() {
			line, _ := c.Next(context.Background())
			got <- line
		}()
		synctest.Wait()
		write(t, j, 3)
		require.Equal(t, uint64(3), (<-got).Seq)
		changed := j.Changed()
		require.NoError(t, j.Close())
		<-changed
		<-j.Changed()
		_, err = c.Next(context.Background())
		require.ErrorIs(t, err, ErrClosed)
	})
}

func TestAppendBlocksWhenFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := &gate{MemFS: NewMemFS(), open: make(chan struct{})}
		j, _ := mustOpen(t, Options{FS: disk, Dir: testDir, Mission: testMission})
		large := strings.Repeat("x", 1<<20)
		appended := 0
		done := make(chan struct{})
		go func() {
			defer close(done)
			for ; appended < 12; appended++ {
				_, _, err := j.Append(func(dst []byte) []byte { return append(append(append(dst, `"a":"`...), large...), '"') })
				require.NoError(t, err)
			}
		}()
		synctest.Wait()
		require.Less(t, appended, 12)
		require.Zero(t, j.Durable())
		close(disk.open)
		<-done
		require.NoError(t, j.Close())
		require.Equal(t, uint64(12), j.Durable())
	})
}

func TestCloseTakesNothingMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := &gate{MemFS: NewMemFS(), open: make(chan struct{})}
		j, _ := mustOpen(t, Options{FS: disk, Dir: testDir, Mission: testMission})
		_, err := appendBody(j, 1)
		require.NoError(t, err)
		closed := make(chan error)
		go func() { closed <- j.Close() }()
		synctest.Wait()
		_, err = appendBody(j, 2)
		require.ErrorIs(t, err, ErrClosed)
		close(disk.open)
		require.NoError(t, <-closed)
		require.Equal(t, uint64(1), j.Durable())
	})
}

// gate holds up the syncs of files that hold entries until it is opened.
type gate struct {
	*MemFS
	open chan struct{}
}

type gateFile struct {
	File
	open chan struct{}
}

func (g *gate) OpenFile(name string, flag int) (File, error) {
	f, err := g.MemFS.OpenFile(name, flag)
	return gateFile{f, g.open}, err
}

func (f gateFile) WriteAt(p []byte, off int64) (int, error) {
	if strings.HasPrefix(string(p[:min(len(p), len(seqKey))]), seqKey) {
		<-f.open
	}
	return f.File.WriteAt(p, off)
}

func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := NewMemFS()
		o := tiny(disk)
		v, err := Read(o) // before there is a journal
		require.NoError(t, err)
		c := v.Follow(1)
		defer c.Close()
		var seen [][]byte
		end, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				line, err := c.Next(end)
				if err != nil {
					require.ErrorIs(t, err, context.Canceled)
					return
				}
				seen = append(seen, append([]byte{}, line.Bytes...))
			}
		}()
		for last := uint64(7); last <= 49; last += 7 { // a host that is started again and again
			j, _ := mustOpen(t, o)
			write(t, j, last)
			time.Sleep(2 * followPoll)
			synctest.Wait()
			require.Len(t, seen, int(last))
			if last%2 == 0 {
				require.NoError(t, j.Close())
				continue
			}
			disk.Fail(disk.Calls()+1, ErrDown, true) // a torn write, and the host is gone
			_, err := appendBody(j, last+1)
			require.NoError(t, err)
			require.ErrorIs(t, j.WaitDurable(t.Context(), last+1), ErrDown)
			<-j.done
			disk.Fail(0, nil, false)
		}
		stop()
		<-done
		checkEntries(t, seen)
	})
}

func TestFollowShowsWhatIsDurable(t *testing.T) {
	disk := NewMemFS()
	j, _ := mustOpen(t, tiny(disk))
	write(t, j, 4)
	record := disk.ReadFile(filepath.Join(testDir, durableFile))
	write(t, j, 6)
	for content, want := range map[string]uint64{string(record): 4, string(record[:60]): 0, "": 0} {
		disk.WriteFile(filepath.Join(testDir, durableFile), []byte(content))
		v, err := Read(tiny(disk))
		require.NoError(t, err)
		require.Equal(t, uint64(6), v.Recovery().Seq)
		last, err := (*follower)(v).advance()
		require.NoError(t, err)
		require.Equal(t, want, last)
	}
	require.NoError(t, j.Close())
}

func TestFollowReportsDamage(t *testing.T) {
	disk := NewMemFS()
	j, _ := mustOpen(t, tiny(disk))
	write(t, j, 30)
	require.NoError(t, j.Close())
	all := files(t, disk)
	first := all[segmentName(1)]
	some := diskOf(map[string]string{segmentName(1): first})
	v, err := Read(tiny(some))
	require.NoError(t, err)
	all[segmentName(1)] = first + "{}\n" // a line in a segment that by now is sealed
	for name, content := range all {
		some.WriteFile(filepath.Join(testDir, name), []byte(content))
	}
	_, err = (*follower)(v).advance()
	var damage *CorruptionError
	require.ErrorAs(t, err, &damage)
	require.Equal(t, int64(len(first)), damage.Offset)
	require.Equal(t, filepath.Join(testDir, segmentName(1)), damage.File)
}

func TestFollowStopsAtAnIncompleteLine(t *testing.T) {
	disk := NewMemFS()
	j, _ := mustOpen(t, tiny(disk))
	write(t, j, 6)
	require.NoError(t, j.Close())
	all := files(t, disk)
	segment := all[segmentName(1)]
	delete(all, durableFile)
	delete(all, closedFile)
	cut := strings.LastIndexByte(strings.TrimSpace(segment), '\n') + 1 + 40
	all[segmentName(1)] = segment[:cut] + strings.Repeat("\n", 100)
	disk = diskOf(all)
	v, err := Read(tiny(disk))
	require.NoError(t, err)
	require.Equal(t, uint64(5), v.Recovery().Seq)
	require.Equal(t, int64(40), v.Recovery().Torn.Bytes)
	f := (*follower)(v)
	last, err := f.advance()
	require.NoError(t, err)
	require.Equal(t, uint64(5), last)
	disk.WriteFile(filepath.Join(testDir, segmentName(1)), []byte(segment))
	last, err = f.advance()
	require.NoError(t, err)
	require.Equal(t, uint64(6), last)
}

func TestReadWritesNothing(t *testing.T) {
	disk := NewMemFS()
	j, _ := mustOpen(t, tiny(disk))
	write(t, j, 20)
	disk = disk.Kill()
	disk.ReadOnly(true)
	before := files(t, disk)
	checkEntries(t, contents(t, tiny(disk)))
	_, _, err := Open(tiny(disk))
	require.ErrorIs(t, err, syscall.EROFS)
	require.Equal(t, before, files(t, disk))
}

func TestFailureIsSticky(t *testing.T) {
	broken := errors.New("input/output error")
	for seed := range uint64(8) {
		disk := NewMemFS()
		j, _ := mustOpen(t, tiny(disk))
		write(t, j, 3)
		c := j.Cursor(3)
		disk.Fail(disk.Calls()+2, broken, false) // the sync of the next batch
		seq, err := appendBody(j, 4)
		require.NoError(t, err)
		require.ErrorIs(t, j.WaitDurable(context.Background(), seq), broken)
		_, err = appendBody(j, 5)
		require.ErrorIs(t, err, broken)
		require.ErrorIs(t, j.Err(), broken)
		require.NoError(t, j.WaitDurable(context.Background(), 3))
		line, err := c.Next(context.Background())
		require.NoError(t, err)
		require.Equal(t, uint64(3), line.Seq)
		_, err = c.Next(context.Background())
		require.ErrorIs(t, err, broken)
		require.ErrorIs(t, j.Close(), broken)

		_, r := mustOpen(t, tiny(disk)) // the page cache still shows entry 4; the disk does not hold it
		require.True(t, r.Rewritten)
		require.Equal(t, uint64(4), r.Seq)
		require.Len(t, contents(t, tiny(disk.Crash(seed))), 4)
	}
}

func TestNoSync(t *testing.T) {
	disk := NewMemFS()
	o := tiny(disk)
	o.NoSync = true
	j, _ := mustOpen(t, o)
	write(t, j, 30)
	require.NoError(t, j.Close())
	for name := range files(t, disk) {
		require.True(t, strings.HasSuffix(name, segmentSuffix), name)
	}
	checkEntries(t, contents(t, o))
	j, r := mustOpen(t, o)
	require.Equal(t, uint64(30), r.Seq)
	c := j.Cursor(30)
	_, err := c.Next(context.Background())
	require.NoError(t, err)
	require.NoError(t, j.Close())
	_, err = c.Next(context.Background())
	require.ErrorIs(t, err, ErrClosed)
}

func TestScannerReadsLongLines(t *testing.T) {
	disk := NewMemFS()
	long := strings.Repeat("y", 3*scanMax)
	disk.WriteFile("f", []byte("a\n"+long+"\n\nb"))
	f, err := disk.OpenFile("f", 0)
	require.NoError(t, err)
	var s scanner
	s.reset(f, 0)
	size, _ := f.Size()
	for _, want := range []string{"a", long, ""} {
		line, err := s.line(size)
		require.NoError(t, err)
		require.Equal(t, want, string(line))
	}
	_, err = s.line(size)
	require.Equal(t, errNoNewline, err)
	_, err = s.line(s.off)
	require.Equal(t, errNoNewline, err) // what is in the window stays
	s.reset(f, size)
	_, err = s.line(size)
	require.Equal(t, io.EOF, err)
}
