package journal

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sample is a closed journal and what is known of it.
type sample struct {
	options Options // without a file system
	files   map[string]string
	lines   [][]byte
	proven  uint64 // what the witness file durable says
}

// makeSample writes a journal of at least size bytes whose witness files prove a share of its entries, in percent.
func makeSample(t testing.TB, size, segmentBytes int, share uint64) sample {
	disk := NewMemFS()
	o := tiny(disk)
	o.SegmentBytes = int64(segmentBytes)
	j, _ := mustOpen(t, o)
	for written := 0; written < size; {
		seq, _ := j.Head()
		write(t, j, seq+1)
		written = 0
		for name, content := range files(t, disk) {
			if strings.HasSuffix(name, segmentSuffix) {
				written += len(strings.TrimRight(content, "\n"))
			}
		}
	}
	require.NoError(t, j.Close())
	s := sample{files: files(t, disk), lines: contents(t, o)}
	s.proven = uint64(len(s.lines)) * share / 100
	delete(s.files, closedFile)
	delete(s.files, durableFile)
	if s.proven > 0 {
		digest := Line{Bytes: s.lines[s.proven-1]}.Digest()
		s.files[durableFile] = string(appendRecord(nil, durableFile, s.proven, &digest))
	}
	o.FS = nil
	s.options = o
	return s
}

// outcome opens the sample with one file altered and checks the law: the same entries, fewer with the cut reported
// and its bytes kept, or refused and untouched.
func (s sample) outcome(t testing.TB, name, altered string, atLineEnd bool) string {
	all := maps.Clone(s.files)
	all[name] = altered
	o := s.options
	disk := diskOf(all)
	o.FS = disk
	j, r, err := Open(o)
	if err != nil {
		require.True(t, refused(err), "%v", err)
		require.True(t, maps.Equal(all, files(t, disk)))
		return "refused"
	}
	defer j.Close()
	seq, digest := j.Head()
	require.LessOrEqual(t, seq, uint64(len(s.lines)))
	require.GreaterOrEqual(t, seq, s.proven)
	if seq > 0 {
		require.Equal(t, Line{Bytes: s.lines[seq-1]}.Digest(), digest) // and by the chain, all before
	}
	if r.Torn != nil {
		kept := disk.ReadFile(r.Torn.Kept) // none if there was nothing to keep
		tail := strings.TrimRight(altered[r.Torn.Offset:], "\n")
		require.True(t, strings.HasPrefix(string(kept), tail) && len(kept) <= len(tail)+1)
		require.Equal(t, seq+1, r.Torn.Seq)
		return "torn"
	}
	if seq < uint64(len(s.lines)) {
		require.True(t, atLineEnd, "%s: entries gone without a word", name)
		return "ends earlier"
	}
	return "same"
}

// stride is 1, or more under -short: a run with the race detector takes ten times as long.
func stride() int {
	if testing.Short() {
		return 23
	}
	return 1
}

func TestEveryCut(t *testing.T) {
	for _, segmentBytes := range []int{1 << 20, 2000} {
		for _, share := range []uint64{0, 60, 100} {
			t.Run(fmt.Sprintf("segments of %d, %d%% proven", segmentBytes, share), func(t *testing.T) {
				t.Parallel()
				s := makeSample(t, min(16<<10, 4*segmentBytes), segmentBytes, share)
				seen := map[string]int{}
				for name, content := range s.files {
					for cut := 0; cut < len(content); cut += stride() {
						end := strings.HasSuffix(content[:cut], "\n") || name == durableFile
						seen[s.outcome(t, name, content[:cut], end)]++
					}
				}
				require.Positive(t, seen["refused"])
				require.Equal(t, share < 100, seen["torn"] > 0)
				require.Equal(t, share > 0, seen["same"] > 0, "a witness that says nothing changes nothing")
			})
		}
	}
}

// TestEveryBitFlip flips all bits of 4 KiB and some of 16 KiB; with OMEGA_EXHAUSTIVE set, all of both.
func TestEveryBitFlip(t *testing.T) {
	full := os.Getenv("OMEGA_EXHAUSTIVE") != ""
	for _, size := range []int{4 << 10, 16 << 10} {
		for _, share := range []uint64{0, 60, 100} {
			t.Run(fmt.Sprintf("%d KiB, %d%% proven", size>>10, share), func(t *testing.T) {
				t.Parallel()
				step := stride()
				if !full && size > 4<<10 {
					step = 61
				}
				s := makeSample(t, size, 2200, share)
				seen := map[string]int{}
				for name, content := range s.files {
					for bit := 0; bit < 8*len(content); bit += step {
						altered := []byte(content)
						altered[bit/8] ^= 1 << (bit % 8)
						what := s.outcome(t, name, string(altered), false)
						require.NotEqual(t, "ends earlier", what)
						require.True(t, what != "same" || name == durableFile)
						seen[what]++
					}
				}
				require.Positive(t, seen["refused"])
				require.Equal(t, share < 100, seen["torn"] > 0)
			})
		}
	}
}

func TestOtherWitnesses(t *testing.T) {
	s := makeSample(t, 4<<10, 1<<20, 0)
	n := uint64(len(s.lines))
	last := Witness{Seq: n, Digest: Line{Bytes: s.lines[n-1]}.Digest(), Source: "replica /mnt/b"}
	open := func(o Options, all map[string]string) (Recovery, error) {
		o.FS = diskOf(all)
		j, r, err := Open(o)
		if err == nil {
			require.NoError(t, j.Close())
		}
		return r, err
	}
	o := s.options
	o.Witnesses = []Witness{last}
	r, err := open(o, s.files)
	require.NoError(t, err)
	require.Equal(t, n, r.Witnessed)
	require.False(t, r.Rewritten)

	path := segmentName(1)
	cut := maps.Clone(s.files)
	cut[path] = cut[path][:len(cut[path])-5]
	var damage *CorruptionError
	_, err = open(o, cut)
	require.ErrorAs(t, err, &damage)
	require.Equal(t, filepath.Join(testDir, path), damage.File)
	require.Equal(t, n, damage.Seq)
	require.Equal(t, int64(strings.LastIndexByte(cut[path], '\n')+1), damage.Offset)
	require.Contains(t, err.Error(), "replica /mnt/b")
	require.Contains(t, err.Error(), remedy)
	r, err = open(s.options, cut)
	require.NoError(t, err)
	require.Equal(t, n, r.Torn.Seq)

	o.Witnesses = []Witness{{Seq: 3, Digest: last.Digest, Source: "checkpoint 3"}}
	_, err = open(o, s.files)
	require.ErrorAs(t, err, &damage)
	require.Equal(t, uint64(3), damage.Seq)
	o.Witnesses = []Witness{{Seq: 1, Source: "checkpoint 1"}}
	_, err = open(o, map[string]string{})
	require.ErrorAs(t, err, &damage)
}

func TestMissingSegments(t *testing.T) {
	for _, proven := range []uint64{0, 100} {
		s := makeSample(t, 8<<10, 2000, proven)
		var names []string
		for name := range s.files {
			if strings.HasSuffix(name, segmentSuffix) {
				names = append(names, name)
			}
		}
		require.Greater(t, len(names), 3)
		for _, name := range names {
			if proven == 0 && name == segmentName(uint64(len(names))) {
				continue // nothing tells that there was one
			}
			all := maps.Clone(s.files)
			delete(all, name)
			o := s.options
			o.FS = diskOf(all)
			_, _, err := Open(o)
			require.True(t, refused(err), "%s: %v", name, err)
			require.Equal(t, all, files(t, o.FS.(*MemFS)))
		}
	}
	for _, name := range []string{durableFile, closedFile} {
		disk := diskOf(map[string]string{name: "unreadable"})
		_, _, err := Open(tiny(disk))
		require.True(t, refused(err), "%v", err)
		require.Contains(t, err.Error(), "no segment")
		require.Len(t, files(t, disk), 1)
	}
}

func TestRefusedHeaders(t *testing.T) {
	s := makeSample(t, 4<<10, 2000, 100)
	first := segmentName(1)
	swap := func(name, from, to string) map[string]string {
		line, rest, _ := strings.Cut(s.files[name], "\n")
		changed := []byte(strings.Replace(line[:len(line)-crcLen], from, to, 1))
		require.NotEqual(t, line[:len(line)-crcLen], string(changed))
		all := maps.Clone(s.files)
		all[name] = string(appendCRC(changed, 0)) + "\n" + rest
		return all
	}
	open := func(all map[string]string) error {
		o := s.options
		o.FS = diskOf(all)
		_, _, err := Open(o)
		require.Equal(t, all, files(t, o.FS.(*MemFS)))
		return err
	}
	require.ErrorIs(t, open(swap(first, "journal/v1", "journal/v2")), ErrNewerFormat)
	require.ErrorIs(t, open(swap(segmentName(2), "journal/v1", "journal/v10")), ErrNewerFormat)
	require.ErrorIs(t, open(swap(first, testMission, "another")), ErrOtherMission)
	require.ErrorIs(t, open(swap(segmentName(2), testMission, "another")), ErrOtherMission)
	var damage *CorruptionError
	require.ErrorAs(t, open(swap(segmentName(2), `"segment":2`, `"segment":3`)), &damage)
	require.ErrorAs(t, open(swap(first, `"segment":1`, `"segment": 1`)), &damage)
	exchanged := maps.Clone(s.files)
	exchanged[first], exchanged[segmentName(2)] = exchanged[segmentName(2)], exchanged[first]
	require.ErrorAs(t, open(exchanged), &damage)

	o := s.options
	o.Mission = "" // whatever the journal says
	o.FS = diskOf(s.files)
	_, r := mustOpen(t, o)
	require.Equal(t, testMission, r.Mission)
	o.FS = NewMemFS()
	_, _, err := Open(o)
	require.ErrorContains(t, err, "mission id")
}

func TestUnfinishedLastSegment(t *testing.T) {
	s := makeSample(t, 4<<10, 2000, 100)
	next := uint64(len(s.files)) // the witness file counts for the one that follows
	digest := Line{Bytes: s.lines[len(s.lines)-1]}.Digest()
	whole := string(header{testMission, next, uint64(len(s.lines)) + 1, digest}.append(nil))
	for content, torn := range map[string]bool{
		"": true, "\n\n": true, "\x00\x00": true, whole: false, whole + "\x00\x00\n": false,
		whole[:30]: true, whole[:30] + "\n\x00": true, whole + "{": true, whole + "\n\n{": true,
	} {
		all := maps.Clone(s.files)
		all[segmentName(next)] = content
		o := s.options
		o.FS = diskOf(all)
		j, r := mustOpen(t, o)
		require.Equal(t, uint64(len(s.lines)), r.Seq)
		require.Equal(t, torn, r.Torn != nil, "%q", content)
		require.NotContains(t, files(t, o.FS.(*MemFS))[segmentName(next)], "\x00", "jq would stumble over it")
		write(t, j, r.Seq+3)
		require.NoError(t, j.Close())
		checkEntries(t, contents(t, o))
	}
	all := map[string]string{segmentName(1): ""} // never starts empty
	_, _, err := Open(tiny(diskOf(all)))
	require.True(t, refused(err))
}

func TestForgedEntries(t *testing.T) {
	s := makeSample(t, 4<<10, 1<<20, 100)
	lines := strings.SplitAfter(s.files[segmentName(1)], "\n")
	for i := 1; i < len(lines)-1; i++ { // each entry in turn is changed and gets a checksum that is right
		forged := strings.Replace(lines[i][:len(lines[i])-crcLen-1], `"n":`, `"m":`, 1)
		all := maps.Clone(s.files)
		all[segmentName(1)] = strings.Join(lines[:i], "") + string(appendCRC([]byte(forged), 0)) + "\n" + strings.Join(lines[i+1:], "")
		o := s.options
		o.FS = diskOf(all)
		_, _, err := Open(o)
		var damage *CorruptionError
		require.ErrorAs(t, err, &damage)
		if i < len(lines)-2 {
			require.Equal(t, uint64(i+1), damage.Seq)
			require.Contains(t, damage.Reason, fmt.Sprintf("prev is not the digest of entry %d", i))
		} else {
			require.Contains(t, damage.Reason, "durable says")
		}
	}
}

func TestTornBytesAreNeverLost(t *testing.T) {
	s := makeSample(t, 2<<10, 1<<20, 100)
	s.files[segmentName(1)] += "some torn bytes"
	for call := 1; ; call++ {
		for seed := range uint64(20) {
			disk := diskOf(s.files)
			disk.Fail(call, ErrDown, true)
			o := s.options
			o.FS = disk
			j, _, err := Open(o)
			if err == nil && disk.Calls() < call {
				require.ErrorIs(t, errors.Join(j.Close(), ErrDown), ErrDown)
				return
			}
			after := disk.Crash(seed)
			held := false
			for _, content := range files(t, after) {
				held = held || strings.Contains(content, "some torn bytes")
			}
			require.True(t, held, "call %d, seed %d", call, seed)
		}
	}
}

func TestTornFilesGetTheirOwnNames(t *testing.T) {
	s := makeSample(t, 2<<10, 1<<20, 100)
	disk := diskOf(s.files)
	for n := 1; n <= 3; n++ {
		path := filepath.Join(testDir, segmentName(1))
		disk.WriteFile(path, append(disk.ReadFile(path), fmt.Sprintf("torn %d", n)...))
		o := s.options
		o.FS = disk
		j, r := mustOpen(t, o)
		require.Equal(t, fmt.Sprintf("torn %d", n), string(disk.ReadFile(r.Torn.Kept)))
		require.Len(t, r.TornFiles, n)
		require.NoError(t, j.Close())
	}
	require.Contains(t, files(t, disk), "00000001.torn.3")
}

func TestTrust(t *testing.T) {
	s := makeSample(t, 16<<10, 2000, 100)
	o := s.options
	witness := func(seq int) Witness {
		return Witness{Seq: uint64(seq), Digest: Line{Bytes: s.lines[seq-1]}.Digest(), Source: "checkpoint"}
	}
	n := len(s.lines)
	for seq := 1; seq <= n; seq++ { // every place in a segment
		o.Trust = witness(seq)
		o.FS = diskOf(s.files)
		j, r := mustOpen(t, o)
		require.Less(t, r.Trusted, uint64(seq))
		require.Equal(t, uint64(n), r.Seq)
		write(t, j, uint64(n)+1)
		require.NoError(t, j.Close())
		v, err := Read(o)
		require.NoError(t, err)
		lines, err := readAll(v.Cursor(1))
		require.ErrorContains(t, err, "EOF")
		checkEntries(t, lines)
		require.Len(t, lines, n+1)
	}
	damaged := maps.Clone(s.files)
	damaged[segmentName(2)] = strings.Replace(damaged[segmentName(2)], `"pad":"pp`, `"pad":"qq`, 1)
	o.FS = diskOf(damaged)
	o.Trust = witness(n)
	v, err := Read(o)
	require.NoError(t, err)
	require.Nil(t, v.Recovery().Damage)
	require.Greater(t, v.Recovery().Trusted, uint64(n/2))
	_, err = readAll(v.Cursor(1))
	var damage *CorruptionError
	require.ErrorAs(t, err, &damage)
	require.Equal(t, filepath.Join(testDir, segmentName(2)), damage.File)

	o.FS = diskOf(s.files)
	o.Trust.Digest[0] ^= 1
	_, _, err = Open(o)
	require.True(t, refused(err))
	o.Trust = Witness{Seq: uint64(n) + 1, Source: "checkpoint"}
	_, _, err = Open(o)
	require.True(t, refused(err))
}

func TestReadReportsDamage(t *testing.T) {
	s := makeSample(t, 8<<10, 2000, 100)
	all := maps.Clone(s.files)
	all[segmentName(2)] = strings.Replace(all[segmentName(2)], `"pad":"pp`, `"pad":"qq`, 1)
	o := s.options
	o.FS = diskOf(all)
	v, err := Read(o)
	require.NoError(t, err)
	r := v.Recovery()
	require.NotNil(t, r.Damage)
	require.Equal(t, r.Seq+1, r.Damage.Seq)
	for _, c := range []*Cursor{v.Cursor(1), v.Follow(1)} {
		lines, err := readAll(c)
		require.Equal(t, error(r.Damage), err)
		require.Len(t, lines, int(r.Seq))
		checkEntries(t, lines)
	}
}

func FuzzOpen(f *testing.F) {
	s := makeSample(f, 2<<10, 1<<20, 60)
	content := []byte(s.files[segmentName(1)])
	f.Add(content, []byte(s.files[durableFile]))
	f.Add(content[:500], []byte(nil))
	f.Add([]byte(nil), []byte(nil))
	f.Add(append(bytes.Clone(content), "\n\n\x00\n{"...), []byte("x"))
	f.Fuzz(func(t *testing.T, content, durable []byte) {
		disk := diskOf(map[string]string{segmentName(1): string(content)})
		if len(durable) > 0 {
			disk.WriteFile(filepath.Join(testDir, durableFile), durable)
		}
		before := files(t, disk)
		o := tiny(disk)
		v, err := Read(o)
		j, r, openErr := Open(o)
		if openErr != nil {
			require.True(t, refused(openErr), "%v", openErr)
			require.Equal(t, before, files(t, disk))
			return
		}
		require.NoError(t, err)
		require.Equal(t, v.Recovery().Digest, r.Digest)
		next, err := appendBody(j, r.Seq+1)
		require.NoError(t, err)
		require.NoError(t, j.Close())
		j, again := mustOpen(t, o)
		require.Equal(t, next, again.Seq)
		require.Nil(t, again.Torn)
		require.NoError(t, j.Close())
	})
}
