package host

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/missionfile"
)

// reloadMission stands for the flagship: a few blocks of each kind, work that is
// under way, and jobs that wait for it.
func reloadMission(capacity int, more ...string) string {
	return fmt.Sprintf(`
mission "reload" { seed = 1 }
treasury { tokens = 100000 }
resources {
  energy { capacity = %d }
}
worker "slow" {
  skills = ["slow"]
  exec { command = ["sleep", "600"] }
}
worker "builder" {
  skills = ["build"]
  count  = 3
  simulated {}
}
job "hold" {
  skills   = ["slow"]
  reward   = 1
  required = false
}
job "swarm" {
  count   = 17
  skills  = ["build"]
  reward  = 10
  needs   = [job.hold]
  accept { condition = result.cells >= 10 }
}
job "report" {
  skills = ["build"]
  reward = 5
  needs  = [job.hold]
  input  = { cells = 3 }
}
%s`, capacity, strings.Join(more, "\n"))
}

// watched is a mission that runs while its file is edited.
type watched struct {
	*owner
	dir   string
	file  string
	said  *journalOfWords
	look  chan struct{}
	leave context.CancelFunc
}

// journalOfWords is what a host has said so far.
type journalOfWords struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journalOfWords) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journalOfWords) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// runWatched starts a mission in a folder of its own and waits until its first
// job runs.
func runWatched(t *testing.T, write func(dir string)) *watched {
	t.Helper()
	home := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
	t.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
	w := &watched{dir: filepath.Join(home, "mission"), said: &journalOfWords{}, look: make(chan struct{})}
	w.file = filepath.Join(w.dir, "mission.hcl")
	require.NoError(t, os.MkdirAll(w.dir, 0o755))
	write(w.dir)
	w.start(t)
	w.until(func(e core.Event) bool { _, ok := e.(*core.AttemptStarted); return ok })
	return w
}

func (w *watched) start(t *testing.T) {
	t.Helper()
	ctx, leave := context.WithCancel(context.Background())
	s, err := Open(ctx, Config{Path: w.file, Data: filepath.Join(filepath.Dir(w.dir), "data"), Problem: w.said, Look: w.look})
	require.NoError(t, err)
	key, err := OwnerKey(true)
	require.NoError(t, err)
	counter := int64(0)
	if w.owner != nil {
		counter = w.counter
	}
	w.owner, w.leave = &owner{t: t, session: s, key: publicOf(key), counter: counter}, leave
	t.Cleanup(func() { leave(); _, _ = s.Wait() })
}

// stop ends the host and gives what it has recorded.
func (w *watched) stop() *Reading {
	w.t.Helper()
	w.leave()
	_, err := w.session.Wait()
	require.NoError(w.t, err)
	r, err := Read(w.session.Data())
	require.NoError(w.t, err)
	return r
}

func generation(n int64) func(core.Event) bool {
	return func(e core.Event) bool {
		g, ok := e.(*core.GenerationApplied)
		return ok && g.Number == n
	}
}

func event[E core.Event](e core.Event) bool { _, ok := e.(E); return ok }

// save puts a file there in one step, as a careful program does.
func save(t *testing.T, path, text string) {
	t.Helper()
	beside := path + ".new"
	require.NoError(t, os.WriteFile(beside, []byte(text), 0o644))
	require.NoError(t, os.Rename(beside, path))
}

func put(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}

// lastGeneration edits the file once more and says which generation that is: as
// many as there were real changes.
func (w *watched) lastGeneration(sentinel int) int64 {
	w.t.Helper()
	save(w.t, w.file, reloadMission(sentinel))
	entry := w.until(func(e core.Event) bool {
		g, ok := e.(*core.GenerationApplied)
		return ok && int64(g.Spec.Resources.Energy.Capacity) == int64(sentinel)*1_000_000
	})
	for _, e := range entry.Events {
		if g, ok := e.(*core.GenerationApplied); ok {
			return g.Number
		}
	}
	return 0
}

// refusals are the edits the record refuses.
func refusals(t *testing.T, data string) (all []string) {
	t.Helper()
	require.NoError(t, Log(context.Background(), data, LogOptions{Events: []string{"edit_refused", "edit_held"}}, func(e *LoggedEntry) error {
		all = append(all, string(e.Lines()))
		return nil
	}))
	return all
}

// Every way in which editors and deployments write a file: each real change is
// taken once, and nothing else is taken for one.
func TestEveryWayToSaveIsOneEdit(t *testing.T) {
	plain := func(dir string) { put(t, filepath.Join(dir, "mission.hcl"), reloadMission(1000)) }
	for _, style := range []struct {
		name    string
		begin   func(dir string)
		edit    func(w *watched, text string)
		nothing bool // it changes nothing
	}{
		{"truncated and written", plain, func(w *watched, text string) { put(t, w.file, text) }, false},
		{"written in pieces", plain, func(w *watched, text string) {
			f, err := os.Create(w.file)
			require.NoError(t, err)
			for len(text) > 0 {
				n := min(100, len(text))
				_, err = f.WriteString(text[:n])
				require.NoError(t, err)
				text = text[n:]
			}
			require.NoError(t, f.Close())
		}, false},
		{"renamed over", plain, func(w *watched, text string) { save(t, w.file, text) }, false},
		{"swap file beside it", plain, func(w *watched, text string) {
			swap := filepath.Join(w.dir, ".mission.hcl.swp")
			put(t, swap, "b0VIM")
			put(t, w.file, text)
			require.NoError(t, os.Remove(swap))
		}, false},
		{"backup and rename", plain, func(w *watched, text string) {
			require.NoError(t, os.Rename(w.file, w.file+"~"))
			put(t, w.file, text)
			require.NoError(t, os.Remove(w.file+"~"))
		}, false},
		{"link of a mounted volume swapped", func(dir string) {
			require.NoError(t, os.Mkdir(filepath.Join(dir, "..1"), 0o755))
			put(t, filepath.Join(dir, "..1", "mission.hcl"), reloadMission(1000))
			require.NoError(t, os.Symlink("..1", filepath.Join(dir, "..data")))
			require.NoError(t, os.Symlink("..data/mission.hcl", filepath.Join(dir, "mission.hcl")))
		}, func(w *watched, text string) {
			require.NoError(t, os.Mkdir(filepath.Join(w.dir, "..2"), 0o755))
			put(t, filepath.Join(w.dir, "..2", "mission.hcl"), text)
			require.NoError(t, os.Symlink("..2", filepath.Join(w.dir, "..data_tmp")))
			require.NoError(t, os.Rename(filepath.Join(w.dir, "..data_tmp"), filepath.Join(w.dir, "..data")))
			require.NoError(t, os.RemoveAll(filepath.Join(w.dir, "..1")))
		}, false},
		{"folder replaced", plain, func(w *watched, text string) {
			next := w.dir + ".next"
			require.NoError(t, os.Mkdir(next, 0o755))
			put(t, filepath.Join(next, "mission.hcl"), text)
			require.NoError(t, os.Rename(w.dir, w.dir+".old"))
			require.NoError(t, os.Rename(next, w.dir))
		}, false},
		{"linked file", func(dir string) {
			require.NoError(t, os.Mkdir(filepath.Join(dir, "real"), 0o755))
			put(t, filepath.Join(dir, "real", "m.hcl"), reloadMission(1000))
			require.NoError(t, os.Symlink("real/m.hcl", filepath.Join(dir, "mission.hcl")))
		}, func(w *watched, text string) { put(t, filepath.Join(w.dir, "real", "m.hcl"), text) }, false},
		{"deleted and put back", plain, func(w *watched, text string) {
			require.NoError(t, os.Remove(w.file))
			put(t, w.file, text)
		}, false},
		{"mode changed", plain, func(w *watched, _ string) { require.NoError(t, os.Chmod(w.file, 0o600)) }, true},
		{"touched", plain, func(w *watched, _ string) { require.NoError(t, os.Chtimes(w.file, time.Now(), time.Now())) }, true},
		{"saved as it was", plain, func(w *watched, _ string) { save(t, w.file, reloadMission(1000)) }, true},
	} {
		t.Run(style.name, func(t *testing.T) {
			w := runWatched(t, style.begin)
			want := int64(2)
			if style.edit(w, reloadMission(2000)); !style.nothing {
				w.until(generation(2))
				want = 3
			} else {
				w.look <- struct{}{} // looked at: whatever it has done is seen
				require.Eventually(t, func() bool { return strings.Contains(w.said.String(), "is the one in force") }, 20*time.Second, time.Millisecond)
			}
			require.Equal(t, want, w.lastGeneration(3000), w.said.String())
			r := w.stop()
			require.Empty(t, refusals(t, w.session.Data()), w.said.String())
			require.Equal(t, core.JobRunning, r.State.Job("hold").State, "and its work was not disturbed")
			require.EqualValues(t, 1, r.State.Job("hold").Attempt)
		})
	}
}

// A broken file is told with its place and remedy, and recorded once.
func TestBrokenEditChangesNothing(t *testing.T) {
	w := runWatched(t, func(dir string) { put(t, filepath.Join(dir, "mission.hcl"), reloadMission(1000)) })
	broken := strings.Replace(reloadMission(1000), "reward = 5", "reword = 5", 1)
	save(t, w.file, broken)
	w.until(event[*core.EditRefused])
	w.says(`Did you mean "reward"`, "mission.hcl:30", "the recorded generation stays in force")

	save(t, w.file, broken) // again, as another file
	w.look <- struct{}{}
	w.saysOften(2, "the recorded generation stays in force")
	save(t, w.file, reloadMission(1000))
	w.says("again the one in force, generation 1")

	require.NoError(t, os.Remove(w.file))
	w.says("Mission not found")
	save(t, w.file, reloadMission(1000))
	w.saysOften(2, "again the one in force, generation 1")
	w.look <- struct{}{}
	w.says("the mission is the one in force, generation 1")

	r := w.stop()
	require.EqualValues(t, 1, r.State.Generation())
	require.Len(t, refusals(t, w.session.Data()), 2, "the broken one and the missing one")
}

// What takes something away waits for the owner, also over a restart.
func TestHeldEditWaitsForTheOwner(t *testing.T) {
	w := runWatched(t, func(dir string) { put(t, filepath.Join(dir, "mission.hcl"), reloadMission(1000)) })
	less := strings.Replace(reloadMission(1000), "count   = 17", "count   = 16", 1)
	save(t, w.file, less)
	held := w.until(event[*core.EditHeld]).Events[0].(*core.EditHeld)
	require.Equal(t, []string{"swarm_16"}, held.Removes)
	w.says("it would remove job swarm_16", "`omega apply` puts it in force")
	_, refusal := w.say(core.Order{Say: core.ApplyEdit, Edit: core.Digest{1}})
	require.Equal(t, core.RefuseEditUnknown, refusal.Code)

	r := w.stop()
	require.EqualValues(t, 1, r.State.Generation())
	w.start(t)
	w.saysOften(2, "it would remove job swarm_16")
	_, refusal = w.say(core.Order{Say: core.ApplyEdit, Edit: held.Digest})
	require.Nil(t, refusal)
	applied := w.until(generation(2))
	w.says("generation 2 is in force")
	require.Equal(t, "swarm_16", applied.Events[len(applied.Events)-1].(*core.JobEnded).Job)

	// One that is approved while no host runs is in force at the next start.
	save(t, w.file, strings.Replace(reloadMission(1000), "count   = 17", "count   = 15", 1))
	held = w.until(func(e core.Event) bool { h, ok := e.(*core.EditHeld); return ok && h.Removes[0] == "swarm_15" }).Events[0].(*core.EditHeld)
	r = w.stop()
	key, err := OwnerKey(false)
	require.NoError(t, err)
	_, err = SendOrder(w.session.Data(), r.State.Mission().Mission, key, &Order{Name: core.ApplyEdit, Edit: fmt.Sprintf("%x", held.Digest)})
	require.NoError(t, err)
	w.start(t)
	w.until(generation(3))
	r = w.stop()
	require.Equal(t, core.JobRunning, r.State.Job("hold").State)
	require.Len(t, refusals(t, w.session.Data()), 2, "each held once")
	audit, err := Verify(w.session.Data())
	require.NoError(t, err)
	require.Empty(t, audit.Problems)
}

// An approved edit is the one that was shown, whatever lies on the disk by then.
func TestApprovedEditIsTheOneThatWasHeld(t *testing.T) {
	w := runWatched(t, func(dir string) { put(t, filepath.Join(dir, "mission.hcl"), reloadMission(1000)) })
	save(t, w.file, strings.Replace(reloadMission(1000), "count   = 17", "count   = 16", 1))
	held := w.until(event[*core.EditHeld]).Events[0].(*core.EditHeld)
	save(t, w.file, "mission")
	w.until(event[*core.EditRefused])
	_, refusal := w.say(core.Order{Say: core.ApplyEdit, Edit: held.Digest})
	require.Nil(t, refusal)
	w.until(generation(2))
	r := w.stop()
	require.EqualValues(t, 16+2, r.State.Spec().Instances)
}

// No prefix of a mission cancels a job, stops anything or ends work, whenever it
// is saved. OMEGA_PREFIXES=all saves all of them.
func TestNoPrefixDoesHarm(t *testing.T) {
	whole := reloadMission(1000, `validator "v" {
  count = 3
}
`)
	step, hosts := max(1, len(whole)/200), 8
	if os.Getenv("OMEGA_PREFIXES") == "all" {
		step = 1
	}
	home := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
	t.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
	_, err := OwnerKey(true)
	require.NoError(t, err)
	var all sync.WaitGroup
	for host := range hosts {
		all.Go(func() { savePrefixes(t, filepath.Join(home, fmt.Sprint(host)), whole, host*step, hosts*step) })
	}
	all.Wait()
}

// savePrefixes saves every prefix from the first on, each so much longer.
func savePrefixes(t *testing.T, dir, whole string, first, step int) {
	file := filepath.Join(dir, "m", "mission.hcl")
	if !assertNoError(t, os.MkdirAll(filepath.Dir(file), 0o755)) || !assertNoError(t, os.WriteFile(file, []byte(whole), 0o644)) {
		return
	}
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	s, err := Open(ctx, Config{Path: file, Data: filepath.Join(dir, "data")})
	if !assertNoError(t, err) {
		return
	}
	cursor := s.Cursor(1)
	defer cursor.Close()
	within, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	next := func(found func(*core.Entry) bool) bool {
		for {
			line, err := cursor.Next(within)
			if !assertNoError(t, err) {
				return false
			}
			if entry, err := core.ParseEntry(line.Bytes); !assertNoError(t, err) || found(entry) {
				return err == nil
			}
		}
	}
	started := next(func(e *core.Entry) bool {
		for _, event := range e.Events {
			if _, ok := event.(*core.AttemptStarted); ok {
				return true
			}
		}
		return false
	})
	for n := first; started && n < len(whole); n += step {
		if !assertNoError(t, os.WriteFile(file, []byte(whole[:n]), 0o644)) || !next(func(e *core.Entry) bool {
			name := e.Command.Name()
			return name == "refuse_edit" || name == "generation"
		}) {
			break
		}
	}
	leave()
	_, err = s.Wait()
	assertNoError(t, err)
	r, err := Read(s.Data())
	if !assertNoError(t, err) {
		return
	}
	if t := r.State.Totals(); t.Cancelled+t.Failed+t.Expired+t.Skipped > 0 || r.State.Status() != core.Running || r.State.Job("hold").Attempt != 1 || r.State.Job("hold").State != core.JobRunning {
		panic(fmt.Sprintf("%s: a prefix did harm: %+v", dir, t))
	}
}

// assertNoError is for goroutines beside the test's.
func assertNoError(t *testing.T, err error) bool {
	if err != nil {
		t.Error(err)
	}
	return err == nil
}

// A posted job is judged by the generation that posted it; a generation nobody
// asks for any more is dropped.
func TestGenerationsAreDroppedWhenNobodyAsks(t *testing.T) {
	file := func(n int) string {
		return fmt.Sprintf(`
mission "m" {}
treasury { tokens = 1000 }
worker "slow" {
  skills = ["slow"]
  exec { command = ["sh", "-c", "until [ -e $OMEGA_MISSION/go ]; do sleep 0.05; done; echo '{\"result\":{\"n\":1}}'"] }
}
worker "w" {
  skills = ["s"]
  simulated {}
}
job "a" {
  skills = ["slow"]
  reward = 1
  accept { condition = result.n == %d }
}
job "z" {
  count = %d
  skills = ["none"]
  reward = 1
  required = false
}
worker "none" {
  skills = ["none"]
  exec { command = ["sleep", "600"] }
}
`, n, n)
	}
	w := runWatched(t, func(dir string) { put(t, filepath.Join(dir, "mission.hcl"), file(1)) })
	for n := 2; n < 5; n++ {
		save(t, w.file, file(n))
		w.until(generation(int64(n)))
	}
	kept := func() []int64 {
		m := w.session.host.desk.missions
		m.mu.Lock()
		defer m.mu.Unlock()
		return slices.Sorted(maps.Keys(m.compiled))
	}
	require.Eventually(t, func() bool { return slices.Equal(kept(), []int64{1, 4}) }, 10*time.Second, time.Millisecond, "a was posted by the first")
	put(t, filepath.Join(w.dir, "go"), "")
	w.until(ended("a"))
	save(t, w.file, file(5))
	w.until(generation(5))
	require.Eventually(t, func() bool { return slices.Equal(kept(), []int64{5}) }, 10*time.Second, time.Millisecond)
	r := w.stop()
	require.EqualValues(t, 1, r.State.Totals().Finalized, "by the condition it was posted with")
	require.EqualValues(t, 6, r.State.Totals().Posted, "of each edit only what it adds")
}

// says waits until the host has said all that.
func (w *watched) says(parts ...string) {
	w.t.Helper()
	for _, part := range parts {
		w.saysOften(1, part)
	}
}

func (w *watched) saysOften(times int, part string) {
	w.t.Helper()
	require.Eventually(w.t, func() bool { return strings.Count(w.said.String(), part) >= times }, 20*time.Second, 5*time.Millisecond, "%s\nin\n%s", part, w.said)
}

// Files of values are watched too. A secret's value stands in no record, so a new
// one is no new generation; it is what programs are given from then on.
func TestValuesAreReadAgain(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
	t.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
	dir, values := filepath.Join(home, "m"), filepath.Join(home, "elsewhere", "values.hcl")
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, os.Mkdir(filepath.Dir(values), 0o755))
	put(t, filepath.Join(dir, "mission.hcl"), `
variable "energy" { type = number }
variable "token" {
  type      = string
  sensitive = true
}
mission "m" {}
treasury { tokens = 1000 }
resources {
  energy { capacity = var.energy }
}
worker "w" {
  skills = ["s"]
  exec {
    command = ["sleep", "600"]
    secrets = { TOKEN = var.token }
  }
}
job "a" {
  skills = ["s"]
  reward = 1
}
`)
	put(t, values, "energy = 1000\ntoken = \"first one\"\n")
	said := &journalOfWords{}
	ctx, leave := context.WithCancel(context.Background())
	s, err := Open(ctx, Config{Path: dir, Data: filepath.Join(home, "data"), Given: missionfile.Given{Files: []string{values}}, Problem: said})
	require.NoError(t, err)
	w := &watched{owner: &owner{t: t, session: s}, said: said}
	t.Cleanup(func() { leave(); _, _ = s.Wait() })
	w.until(event[*core.AttemptStarted])

	put(t, values, "energy = 1000\ntoken = \"second one\"\n")
	w.says("the values of sensitive variables have been read again")
	spec := core.ExecSpec{Secrets: []core.Secret{{Name: "TOKEN", Variable: "token"}}}
	require.Equal(t, "second one", s.host.desk.missions.secretsOf(spec.Secrets)[0].Value)
	put(t, values, "energy = 2000\ntoken = \"second one\"\n")
	w.until(generation(2))
	leave()
	_, err = s.Wait()
	require.NoError(t, err)
	r, err := Read(s.Data())
	require.NoError(t, err)
	require.EqualValues(t, 2, r.State.Generation())
	require.EqualValues(t, 2000_000_000, r.State.Spec().Resources.Energy.Capacity)
}

// A trace tells a change from what only looks like one.
func TestTraceSeesWhatHasChanged(t *testing.T) {
	dir := t.TempDir()
	mission, part := filepath.Join(dir, "a.hcl"), filepath.Join(dir, "part.txt")
	put(t, mission, reloadMission(1000, `locals { part = file("part.txt") }`))
	put(t, part, "one")
	seen := see(dir, missionfile.Given{})
	require.NotNil(t, seen.Mission, seen.Problems)
	require.False(t, seen.trace.changed())

	require.NoError(t, os.Chtimes(part, time.Now(), time.Now()))
	put(t, filepath.Join(dir, "notes.txt"), "of no concern")
	require.False(t, seen.trace.changed())
	put(t, part, "two") // as long, and as old as a clock can tell
	require.True(t, seen.trace.changed())
	put(t, part, "one")
	require.False(t, seen.trace.changed())
	put(t, filepath.Join(dir, "b.hcl"), "")
	require.True(t, seen.trace.changed(), "a file more is part of the mission")
	require.NoError(t, os.Remove(filepath.Join(dir, "b.hcl")))
	require.False(t, seen.trace.changed())

	// What is written between the reading and the look at the disk is a change.
	late := &trace{path: dir, files: map[string]stamp{}}
	put(t, part, "three")
	late.follow(seen.Reading)
	require.True(t, late.changed())

	// A file that is missing is waited for, and one that lies there and cannot be
	// used is not read again and again.
	put(t, part, "one")
	require.NoError(t, os.Remove(part))
	seen = see(dir, missionfile.Given{})
	require.Nil(t, seen.Mission)
	require.False(t, seen.trace.changed())
	put(t, part, "one")
	require.True(t, seen.trace.changed())
	seen.trace.acceptUnread()
	require.False(t, seen.trace.changed())
}

// Only folders in which a change can show are watched, and never the data
// folder, dot folders or node_modules.
func TestWatchedFolders(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "m")
	for _, part := range []string{"parts/deep", "other", "data/journal", ".git", "node_modules/x"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, part), 0o755))
	}
	file := filepath.Join(dir, "mission.hcl")
	put(t, file, "")
	tr := &trace{path: file, files: map[string]stamp{file: {}}}
	for _, name := range []string{"parts/deep/a.txt", "data/x", ".git/x", "node_modules/x/y.js"} {
		tr.files[filepath.Join(dir, name)] = stamp{}
	}
	require.Equal(t, []string{root, dir, filepath.Join(dir, "parts"), filepath.Join(dir, "parts", "deep")}, tr.folders(filepath.Join(dir, "data")))
}

// A script is part of the mission: an edit of it is one of the mission, and a
// broken one is told with its own place.
func TestScriptIsEdited(t *testing.T) {
	file := reloadMission(1000, `policy "spending" {
  script = "scripts/spending.js"
  on     = ["job.post"]
}
`)
	script := func(w *watched) string { return filepath.Join(w.dir, "scripts", "spending.js") }
	w := runWatched(t, func(dir string) {
		put(t, filepath.Join(dir, "mission.hcl"), file)
		require.NoError(t, os.Mkdir(filepath.Join(dir, "scripts"), 0o755))
		put(t, filepath.Join(dir, "scripts", "spending.js"), "export default () => ({allow: true});\n")
	})
	save(t, script(w), "export default () => ({allow: tr ue});\n")
	w.until(event[*core.EditRefused])
	w.says("scripts/spending.js:1:", "the recorded generation stays in force")
	save(t, script(w), "export default () => ({allow: false, reason: 'no'});\n")
	applied := w.until(generation(2))
	r := w.stop()
	before := core.Digest{}
	for _, e := range applied.Events {
		if g, ok := e.(*core.GenerationApplied); ok {
			before = g.Spec.Policies[0].Script.Digest
			require.Empty(t, g.Kept)
		}
	}
	require.Equal(t, before, r.State.Spec().Policies[0].Script.Digest)
	require.Len(t, r.State.Sources(), 2)
}
