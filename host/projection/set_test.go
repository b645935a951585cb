package projection_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
	"github.com/omega-run/omega/host/projection"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestGoldenArtifacts(t *testing.T) {
	d := scripted(t)
	require.Equal(t, core.Ended, d.state.Status())
	p := projection.New("")
	var lines []byte
	s := core.New()
	for _, r := range d.all {
		e, err := core.ParseEntry(r.line)
		require.NoError(t, err)
		s.Replay(e)
		p.Apply(s, e, r.digest)
		require.NoError(t, p.Audit(s))
		lines = projection.AppendLines(lines, s, e)
	}
	got := contents(t, p)
	got["lines.txt"] = string(lines)
	for name, text := range got {
		path := filepath.Join("testdata", "scripted", name)
		if *update {
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), text, name)
	}
}

func TestLiveIsRebuilt(t *testing.T) {
	for seed := range uint64(4) {
		d := random(t, seed, 40)
		want := contents(t, d.live)
		atOnce := projection.New("")
		follow(t, atOnce, d.all, nil)
		require.Equal(t, want, contents(t, atOnce), "from the record")

		r, dir := rand.New(rand.NewPCG(seed, 2)), t.TempDir()
		flushed := projection.New(dir)
		follow(t, flushed, d.all, func(*core.State) {
			if r.IntN(5) == 0 {
				require.NoError(t, flushed.Flush())
			}
		})
		require.Equal(t, want, contents(t, flushed), "flushed now and then")
		require.Equal(t, want, folder(t, dir))

		again := projection.New(dir) // omega rebuild, over what is there
		follow(t, again, d.all, nil)
		require.Equal(t, want, contents(t, again), "rebuilt in place")
		require.Equal(t, want, folder(t, dir))
	}
}

func folder(t *testing.T, dir string) map[string]string {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	m := map[string]string{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		m[e.Name()] = string(b)
	}
	return m
}

// A host that is gone at any moment leaves a folder the next one goes on with,
// or writes again.
func TestResumeIsRebuilt(t *testing.T) {
	d := random(t, 7, 100)
	want := contents(t, d.live)
	known := func(seq core.Seq) (core.Digest, bool) {
		if seq == 0 || int(seq) > len(d.all) {
			return core.Digest{}, false
		}
		return d.all[seq-1].digest, true
	}
	r, resumed := rand.New(rand.NewPCG(7, 3)), 0
	dir := filepath.Join(t.TempDir(), "status")
	note := filepath.Join(filepath.Dir(dir), "cache", "projection.json")
	for at := 0; at < len(d.all)-1; {
		p := projection.Open(dir, note, known)
		if p.Seq() > 0 {
			resumed++
		}
		require.LessOrEqual(t, int(p.Seq()), at)
		at = min(at+1+r.IntN(12), len(d.all)-1)
		follow(t, p, d.all[:at], func(*core.State) {
			if r.IntN(9) == 0 {
				require.NoError(t, p.Flush())
			}
		})
		switch r.IntN(6) {
		case 0: // a flush that died half way: lines without a memory of them
			spoil(t, filepath.Join(dir, "structured-log.jsonl"), "half a li")
		case 1: // content lost with the machine
			if b, err := os.ReadFile(filepath.Join(dir, "structured-log.jsonl")); err == nil && len(b) > 0 {
				require.NoError(t, os.WriteFile(filepath.Join(dir, "structured-log.jsonl"), make([]byte, len(b)), 0o644))
			}
		case 2:
			require.NoError(t, os.RemoveAll(note))
		}
	}
	require.Greater(t, resumed, 10, "otherwise this test shows nothing")
	p := projection.Open(dir, note, known)
	require.Less(t, int(p.Seq()), len(d.all), "the last entries are not flushed yet")
	follow(t, p, d.all, nil)
	require.Equal(t, want, contents(t, p))
	require.Equal(t, want, folder(t, dir))
}

// A mission in which everything happens is folded once straight, and once by
// hosts that come and go every fifty entries: not a byte differs.
func TestRichMissionIsFoldedAlike(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(3) {
		d := rich(t, seed, 60)
		want := contents(t, d.live)
		straight := projection.New("")
		follow(t, straight, d.all, nil)
		require.Equal(t, want, contents(t, straight))

		dir := filepath.Join(t.TempDir(), "status")
		note := filepath.Join(filepath.Dir(dir), "note.json")
		known := func(seq core.Seq) (core.Digest, bool) { return d.all[seq-1].digest, true }
		for at := 50; ; at += 50 {
			p := projection.Open(dir, note, known)
			require.EqualValues(t, at-50, p.Seq(), "the host goes on where the last one was")
			follow(t, p, d.all[:min(at, len(d.all))], nil)
			require.NoError(t, p.Flush())
			require.NoError(t, p.Audit(d.stateAt(t, min(at, len(d.all)))))
			if at >= len(d.all) {
				require.Equal(t, want, contents(t, p))
				break
			}
		}
		require.Equal(t, want, folder(t, dir))
		for _, word := range regexp.MustCompile(`"(?:type|kind)":"(?:omega\.)?([a-z_]+)"`).FindAllStringSubmatch(want["mesh-history.jsonl"]+want["storyboard-history.jsonl"], -1) {
			seen[word[1]] = true
		}
	}
	for _, word := range []string{
		"attempt_delegated", "job_resumed", "approval_asked", "approval_given", "seats_reminded", "jobs_unattended", "job_ended",
		"approval", "tokens", "energy", "deadline", "absent", "unattended",
	} {
		require.True(t, seen[word], "%s does not happen", word)
	}
}

// stateAt is the state at an entry.
func (d *driver) stateAt(t *testing.T, seq int) *core.State {
	s := core.New()
	for _, r := range d.all[:seq] {
		e, err := core.ParseEntry(r.line)
		require.NoError(t, err)
		s.Replay(e)
	}
	return s
}

func spoil(t *testing.T, path, text string) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		return // there is no folder yet
	}
	_, err = f.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

func TestOpenMistrustsAnotherJournal(t *testing.T) {
	d := scripted(t)
	dir := filepath.Join(t.TempDir(), "status")
	note := dir + ".json"
	p := projection.Open(dir, note, nil)
	follow(t, p, d.all, nil)
	require.NoError(t, p.Flush())
	last := core.Seq(len(d.all))
	right := func(core.Seq) (core.Digest, bool) { return d.prev, true }
	require.Equal(t, last, projection.Open(dir, note, right).Seq())
	require.Zero(t, projection.Open(dir, note, func(core.Seq) (core.Digest, bool) { return core.Digest{1}, true }).Seq())
	require.Zero(t, projection.Open(dir, note, func(core.Seq) (core.Digest, bool) { return d.prev, false }).Seq())
	require.NoError(t, os.WriteFile(note, []byte(`{"Format":"omega.projection/v0"}`), 0o644))
	require.Zero(t, projection.Open(dir, note, right).Seq())
}

// The transfers that are spelled out move every account to where the ledger has
// it.
func TestSpelledTransfersAreTheLedgers(t *testing.T) {
	d := random(t, 3, 30)
	held := map[string]ledger.Amount{}
	seen := int64(0)
	p := projection.New("")
	follow(t, p, d.all, func(s *core.State) {
		var books projection.ResourceLedger
		require.NoError(t, json.Unmarshal([]byte(contents(t, p)["resource-ledger.json"]), &books))
		fresh := books.Transfers.Total - seen
		require.LessOrEqual(t, fresh, int64(len(books.Transfers.Items)), "an entry with more transfers than are kept shows nothing here")
		for _, m := range books.Transfers.Items[int64(len(books.Transfers.Items))-fresh:] {
			amount, err := ledger.ParseAmount(m.Amount)
			require.NoError(t, err)
			require.Equal(t, s.Seq(), m.Seq)
			held[m.Unit+" "+m.Debit] -= amount
			held[m.Unit+" "+m.Credit] += amount
		}
		seen = books.Transfers.Total
		want := map[string]string{}
		for name, amount := range held {
			if amount != 0 {
				want[name] = amount.String()
			}
		}
		got := map[string]string{}
		for _, b := range books.Balances.Items {
			got[b.Unit+" "+b.Account] = b.Amount
		}
		jobs := map[string]ledger.Amount{} // their accounts are told together
		for name, amount := range held {
			if rest, ok := strings.CutPrefix(name, "TOKEN job:"); ok {
				jobs[rest[strings.LastIndex(rest, ":"):]] += amount
				delete(want, name)
			}
		}
		require.Equal(t, books.Jobs.Escrow, jobs[":escrow"].String())
		require.Equal(t, books.Jobs.Deposits, jobs[":deposit"].String())
		require.Equal(t, want, got)
	})
	require.Greater(t, seen, int64(300))
}

func TestRetentionCutsExactly(t *testing.T) {
	s := spec()
	s.Retention.StructuredLog = 16
	d := start(t, s, job("a"))
	p := projection.New(t.TempDir())
	var all []string
	lines := func() []string {
		return strings.SplitAfter(strings.TrimSuffix(contents(t, p)["control-ack.jsonl"], "\n"), "\n")
	}
	d.expand()
	for n := 1; n <= 100; n++ {
		d.do(&core.Order{ID: fmt.Sprintf("o-%d", n), Key: [32]byte{9}, Counter: int64(n), Body: core.Digest{byte(n)}, Say: "dance"})
		all = append(all, fmt.Sprintf(`{"id":"o-%d","accepted":false,"refusal":"order_unknown","detail":"dance","seq":%d,"at":0}`, n, d.state.Seq()))
		follow(t, p, d.all, nil)
		if n%7 == 0 || n%16 < 2 {
			kept := n
			for kept >= 32 {
				kept -= 16
			}
			require.Equal(t, strings.Join(all[n-kept:], "\n"), strings.Join(lines(), ""), "after %d", n)
		}
	}
}

func TestBoundsHold(t *testing.T) {
	s := spec()
	s.Treasury.Tokens = 10_000_000 * one
	s.Workers[0].Instances = nil
	for i := range 1_500 {
		s.Workers[0].Instances = append(s.Workers[0].Instances, fmt.Sprintf("w_%d", i))
	}
	var jobs []core.JobSpec
	for i := range 10_000 {
		jobs = append(jobs, job(fmt.Sprintf("%s_%d", strings.Repeat("j", 60), i), func(j *core.JobSpec) {
			j.Title, j.Label = strings.Repeat(`"\`, 5_000), strings.Repeat(`"`, 200)
			if i > 1 {
				j.Needs = []string{fmt.Sprintf("%s_%d", strings.Repeat("j", 60), i/2), fmt.Sprintf("%s_%d", strings.Repeat("j", 60), i/3)}
			}
		}))
	}
	d := start(t, s, jobs...)
	d.expand()
	got := contents(t, d.live)
	for name, text := range got {
		if !strings.HasSuffix(name, ".jsonl") {
			require.LessOrEqual(t, len(text), 1<<20, name)
		}
	}
	var seen projection.Telemetry
	require.NoError(t, json.Unmarshal([]byte(got["telemetry.json"]), &seen))
	require.EqualValues(t, 10_000, seen.JobsList.Total)
	require.True(t, seen.JobsList.Truncated)
	require.Greater(t, len(seen.JobsList.Items), 400)
	require.True(t, seen.Workers.Truncated)
	require.EqualValues(t, 10_000, seen.Jobs.Open)
	var books projection.ResourceLedger
	require.NoError(t, json.Unmarshal([]byte(got["resource-ledger.json"]), &books))
	require.Len(t, books.Balances.Items, 1_000)
	require.Greater(t, books.Balances.Total, int64(1_500))
	require.True(t, books.Balances.Truncated)
	requireMermaid(t, got["job-graph.mmd"])
}

// A flush that fails loses nothing: the next one catches up.
func TestFailedFlushIsMadeGood(t *testing.T) {
	d := random(t, 5, 60)
	dir := filepath.Join(t.TempDir(), "status")
	p, failed := projection.New(dir), 0
	follow(t, p, d.all, func(s *core.State) {
		if s.Seq()%5 != 0 {
			return
		}
		obstacle := []string{"structured-log.jsonl", "structured-log.jsonl.tmp", "state-history.jsonl", "telemetry.json.tmp", "job-graph.mmd"}[s.Seq()/5%5]
		path := filepath.Join(dir, obstacle)
		aside := path + ".aside"
		moved := os.Rename(path, aside) == nil
		require.NoError(t, os.MkdirAll(filepath.Join(path, "in the way"), 0o755))
		if p.Flush() != nil {
			failed++
		}
		require.NoError(t, os.RemoveAll(path))
		if moved {
			require.NoError(t, os.Rename(aside, path))
		}
		if s.Seq()%2 == 0 {
			require.NoError(t, p.Flush())
		}
	})
	require.Greater(t, failed, 10)
	require.Equal(t, contents(t, d.live), contents(t, p))
	require.Equal(t, contents(t, d.live), folder(t, dir))
}
