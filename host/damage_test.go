package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
)

// damagedMission has councils that disagree, retries, energy that runs short and
// sealed checkpoints.
const damagedMission = `
mission "damaged" { seed = 11 }
treasury { tokens = 1000000 }
resources {
  energy { capacity = 60 }
}
governance { committee = 5 }
delegation {
  max_attempts  = 3
  retry_backoff = "1s"
}
checkpoint { interval = "5s" }
worker "sim" {
  skills = ["sim"]
  count  = 3
  slots  = 2
  simulated {
    failure_ratio = 0.2
    wrong_ratio   = 0.2
  }
}
validator "rule" { count = 7 }
job "first" {
  count         = 60
  title         = "Work that may fail"
  skills        = ["sim"]
  reward        = 7.5
  energy_budget = 10
  work          = "3s"
  required      = false
}
job "then" {
  count    = 60
  skills   = ["sim"]
  reward   = 3
  work     = "1s"
  needs    = [job.first[count.index]]
  run_if   = "any_end"
  required = false
}
`

const (
	damagedBytes   = 256 << 10 // of the journal, as SPEC has it
	damagedSegment = 48 << 10
	damagedFill    = 200
	unwitnessed    = 2 // entries of the last batch
	damagedBatch   = 1200
	damagedData    = "data"
)

// stricken is the data folder of a killed host whose last batch nothing proves
// durable, and what is known of it.
type stricken struct {
	disk   *journal.MemFS
	lines  [][]byte      // of all entries
	states []core.Digest // states[n] is that after entry n; of the unwitnessed entries and the one before
	proven int           // the last entry that a witness proves
}

// rehearsed are the lines of a mission's journal.
func rehearsed(t *testing.T, mission string) (lines [][]byte) {
	dir := t.TempDir()
	path := filepath.Join(dir, "mission.hcl")
	require.NoError(t, os.WriteFile(path, []byte(mission), 0o600))
	out, err := Rehearse(t.Context(), Config{Path: path, Data: filepath.Join(dir, "data")})
	require.NoError(t, err)
	view, err := journal.Read(journal.Options{Dir: journalDir(out.Data)})
	require.NoError(t, err)
	require.NoError(t, eachLine(view, func(line journal.Line) error {
		lines = append(lines, bytes.Clone(line.Bytes))
		return nil
	}))
	return lines
}

// strike writes a rehearsed journal of at least so many bytes as a host on the
// disk would, and kills it. Clean also closes it; checkpoints are saved as told.
func strike(t *testing.T, lines [][]byte, clean, checkpoints bool) *stricken {
	s := &stricken{disk: journal.NewMemFS()}
	n, size := 0, 0
	for size < damagedBytes || len(lines[n-1])+len(lines[n-2]) > damagedBatch {
		require.Less(t, n, len(lines), "the mission is too short for this test: %d bytes", size)
		size += len(lines[n]) + 1
		n++
	}
	s.lines, s.proven = lines[:n], n-unwitnessed
	first, err := core.ParseEntry(lines[0])
	require.NoError(t, err)
	j, _, err := journal.Open(journal.Options{
		FS: s.disk, Dir: journalDir(damagedData), Mission: first.Events[0].(*core.MissionCreated).Mission, SegmentBytes: damagedSegment, FillBytes: damagedFill,
	})
	require.NoError(t, err)
	store, err := journal.OpenCheckpoints(s.disk, filepath.Join(damagedData, "checkpoint"))
	require.NoError(t, err)
	state, durable := core.New(), []byte(nil)
	for i, line := range s.lines {
		entry, err := core.ParseEntry(line)
		require.NoError(t, err)
		var save func()
		for _, event := range entry.Events {
			if sealed, ok := event.(*core.Checkpointed); ok && checkpoints {
				save = saving(t, store, state, sealed)
			}
		}
		_, digest, err := j.Append(func(dst []byte) []byte { return append(dst, journal.Line{Bytes: line}.Body()...) })
		require.NoError(t, err)
		require.Equal(t, journal.Line{Bytes: line}.Digest(), digest)
		if i+1 <= s.proven {
			require.NoError(t, j.WaitDurable(t.Context(), uint64(i+1)))
			durable = s.disk.ReadFile(filepath.Join(journalDir(damagedData), "durable"))
		}
		state.Replay(entry)
		if save != nil {
			save()
		}
		seal := core.Digest{}
		if i+1 >= s.proven {
			seal, _ = state.Seal(nil)
		}
		s.states = append(s.states, seal)
	}
	s.states = append([]core.Digest{{}}, s.states...)
	if clean {
		require.NoError(t, j.Close())
		s.proven = n
		return s
	}
	require.NoError(t, j.WaitDurable(t.Context(), uint64(n)))
	killed := s.disk.Kill()
	require.Error(t, j.Close())
	s.disk = killed
	s.disk.WriteFile(filepath.Join(journalDir(damagedData), "durable"), durable) // as if that write alone never arrived
	return s
}

// saving stores the chunks of a checkpoint and returns what stores its manifest.
func saving(t *testing.T, store *journal.Checkpoints, state *core.State, sealed *core.Checkpointed) func() {
	var fresh [][]byte
	digest, chunks := state.Seal(func(c core.Chunk) { fresh = append(fresh, c.Bytes) })
	require.Equal(t, sealed.State, digest)
	point := journal.Checkpoint{Seq: uint64(sealed.Seq), Digest: sealed.Entry}
	for _, chunk := range chunks {
		point.Chunks = append(point.Chunks, chunk)
	}
	return func() {
		for _, chunk := range fresh {
			_, err := store.Put(chunk)
			require.NoError(t, err)
		}
		require.NoError(t, store.Save(point))
	}
}

// files are the paths that a host left, sorted, with their bytes.
func (s *stricken) files(t *testing.T) map[string][]byte {
	all := map[string][]byte{}
	for _, dir := range []string{journalDir(damagedData), filepath.Join(damagedData, "checkpoint")} {
		names, err := s.disk.ReadDir(dir)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		require.NoError(t, err)
		for _, name := range names {
			path := filepath.Join(dir, name)
			all[path] = s.disk.ReadFile(path)
		}
	}
	return all
}

// harm is one change of one file: a bit flipped, or everything from a byte on
// cut off.
type harm struct {
	path string
	at   int // the byte
	bit  int // 0 to 7, or cut
}

const cut = 8

func (h harm) String() string { return fmt.Sprintf("%s, byte %d, bit %d", h.path, h.at, h.bit) }

func (h harm) done(content []byte) []byte {
	if h.bit == cut {
		return content[:h.at]
	}
	changed := bytes.Clone(content)
	changed[h.at] ^= 1 << h.bit
	return changed
}

// Outcomes of a start after harm. There is no other: what differs from all of
// these fails the test.
const (
	outSame     = "same"         // every entry and the state are there
	outRepaired = "repaired"     // the same, and bytes after the last entry were kept aside and cut
	outCut      = "cut"          // entries of the unwitnessed batch were kept aside, cut and reported
	outShorter  = "shorter"      // a cut between two lines of the unwitnessed batch: no byte of the rest was there to report
	outRefused  = "refused"      // with the place named, nothing changed
	outUnread   = "same, unread" // by a checkpoint: the state is there; a reader of the entry is refused
)

// start starts a host's recovery on a harmed folder and judges it.
func (s *stricken) start(t *testing.T, h harm, original []byte) string {
	harmed := s.disk.Fork()
	altered := h.done(original)
	harmed.WriteFile(h.path, altered)
	looked := harmed.Fork()
	looked.ReadOnly(true) // whoever is refused here has changed nothing and tried nothing
	r, err := recoverState(journal.Options{FS: looked}, damagedData)
	require.Error(t, err, "%v", h)
	var damage *journal.CorruptionError
	if errors.As(err, &damage) {
		s.named(t, h, original, damage)
		return outRefused
	}
	if errors.Is(err, journal.ErrNewerFormat) || errors.Is(err, journal.ErrOtherMission) {
		return outRefused
	}
	require.ErrorContains(t, err, "read-only", "%v", h)
	r, err = recoverState(journal.Options{FS: harmed}, damagedData)
	require.NoError(t, err, "%v", h)
	what := s.judge(t, h, altered, r, harmed)
	require.NoError(t, r.journal.Close())
	return what
}

// named: the refusal names the damaged place: its line holds the byte.
func (s *stricken) named(t *testing.T, h harm, original []byte, damage *journal.CorruptionError) {
	require.NotEmpty(t, damage.Reason)
	require.NotZero(t, damage.Seq)
	if damage.File != h.path { // what a cut took is missed where the next segment goes on, or by a witness
		require.Equal(t, cut, h.bit, "%v: %v", h, damage)
		require.Zero(t, damage.Offset, "%v: %v", h, damage)
		return
	}
	end := len(original)
	if i := bytes.IndexByte(original[damage.Offset:], '\n'); i >= 0 {
		end = int(damage.Offset) + i + 1
	}
	require.LessOrEqual(t, damage.Offset, int64(h.at), "%v: %v", h, damage)
	require.Less(t, h.at, end+1, "%v: %v", h, damage)
}

// judge looks at a mission that has started: at every entry, and the state.
func (s *stricken) judge(t *testing.T, h harm, altered []byte, r *recovered, disk *journal.MemFS) string {
	n := int(r.found.Seq)
	require.GreaterOrEqual(t, n, s.proven, "%v: a proven entry is gone", h)
	require.LessOrEqual(t, n, len(s.lines), "%v", h)
	require.EqualValues(t, n, r.state.Seq(), "%v", h)
	seal, _ := r.state.Seal(nil)
	require.Equal(t, s.states[n], seal, "%v: another state", h)
	unread := s.read(t, h, r, n)
	torn := r.found.Torn
	switch {
	case torn != nil:
		require.Equal(t, h.path, torn.File, "%v", h)
		require.EqualValues(t, n+1, torn.Seq, "%v", h)
		tail := bytes.TrimRight(altered[torn.Offset:], "\n\x00")
		require.EqualValues(t, len(tail), torn.Bytes, "%v", h)
		require.Equal(t, tail, disk.ReadFile(torn.Kept), "%v: what was cut is kept", h)
		if n == len(s.lines) {
			return outRepaired
		}
		return outCut
	case n < len(s.lines):
		require.Equal(t, cut, h.bit, "%v: entries gone without a word", h)
		require.True(t, h.at == 0 || altered[h.at-1] == '\n', "%v: entries gone without a word", h)
		return outShorter
	case unread:
		return outUnread
	}
	return outSame
}

// read compares every entry with what it was. Where a checkpoint vouches for the
// state, a damaged entry may be met only here, and then by name.
func (s *stricken) read(t *testing.T, h harm, r *recovered, n int) (unread bool) {
	cursor := r.journal.Cursor(1)
	defer cursor.Close()
	for i := range n {
		line, err := cursor.Next(context.Background())
		if err != nil {
			var damage *journal.CorruptionError
			require.True(t, errors.As(err, &damage) || errors.Is(err, io.EOF), "%v: %v", h, err)
			require.Less(t, uint64(i), r.found.Trusted, "%v: %v", h, err)
			require.Equal(t, h.path, damage.File, "%v", h)
			return true
		}
		if !bytes.Equal(s.lines[i], line.Bytes) {
			require.Fail(t, "another entry", "%v: entry %d", h, i+1)
		}
	}
	return false
}

// critical are the bytes of a file that are always tried: headers, checksums at
// the end of a segment, the unwitnessed batch and the fill after it, witness
// files and manifests.
func (s *stricken) critical(path string, content []byte, at int) bool {
	if filepath.Ext(path) != ".jsonl" {
		return filepath.Ext(path) != ".chunk"
	}
	const ending = 20 // the checksum of the last line and its newline
	if s.proven < len(s.lines) {
		if batch := bytes.Index(content, s.lines[s.proven]); batch >= 0 && at >= batch {
			return true
		}
	}
	return at <= bytes.IndexByte(content, '\n') || at >= len(bytes.TrimRight(content, "\n"))-ending
}

// harms are what is tried. Of a critical byte that is one of its bits or the cut
// there, with all each of them; of the others one harm in so many.
func (s *stricken) harms(t *testing.T, all bool, oneIn int) (found []harm) {
	dice := rand.New(rand.NewPCG(uint64(oneIn), 1))
	files := s.files(t)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		for at := range files[path] {
			critical, chosen := s.critical(path, files[path], at), dice.IntN(cut+1)
			for bit := range cut + 1 {
				if critical && (all || bit == chosen) || !critical && dice.IntN(oneIn) == 0 {
					found = append(found, harm{path, at, bit})
				}
			}
		}
	}
	return found
}

// run tries every harm, on all processors.
func (s *stricken) run(t *testing.T, harms []harm) map[string]int {
	var mu sync.Mutex
	total, files := map[string]int{}, s.files(t)
	t.Run("harms", func(t *testing.T) {
		shards := runtime.GOMAXPROCS(0)
		for shard := range shards {
			t.Run(fmt.Sprint(shard), func(t *testing.T) {
				t.Parallel()
				seen := map[string]int{}
				for i := shard; i < len(harms); i += shards {
					h := harms[i]
					kind := "flip "
					if h.bit == cut {
						kind = "cut "
					}
					seen[kind+s.start(t, h, files[h.path])]++
				}
				mu.Lock()
				defer mu.Unlock()
				for what, n := range seen {
					total[what] += n
				}
			})
		}
	})
	return total
}

// TestEveryByteOfAMission damages the journal of a mission in every way there
// is, one at a time: it is started again and ends the same, repaired, cut with
// the cut reported, or refused with the place named. By default all bytes that
// matter most are tried and a sample of the others; OMEGA_DAMAGE=all tries all.
func TestEveryByteOfAMission(t *testing.T) {
	all := os.Getenv("OMEGA_DAMAGE") == "all"
	lines := rehearsed(t, damagedMission)
	for _, c := range []struct {
		name               string
		clean, checkpoints bool
		oneIn              int // of the harms to bytes that are not critical
		oneInAll           int
	}{
		{"killed", false, false, 2000, 1},
		{"closed", true, false, 2000, 1},
		{"killed, with checkpoints", false, true, 5000, 50}, // nearly all of them start and are read to the end
	} {
		t.Run(c.name, func(t *testing.T) {
			s := strike(t, lines, c.clean, c.checkpoints)
			if all {
				c.oneIn = c.oneInAll
			}
			harms := s.harms(t, all, c.oneIn)
			seen := s.run(t, harms)
			size := 0
			for path, content := range s.files(t) {
				if filepath.Ext(path) == ".jsonl" {
					size += len(content)
				}
			}
			t.Logf("%d bytes, %d entries, %d proven, %d harms: %v", size, len(s.lines), s.proven, len(harms), seen)
		})
	}
}
