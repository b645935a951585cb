package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/journal"
)

// killMission keeps simulated and real work, council rounds, retries and scripts
// of every kind going for as long as it is run.
const killMission = `
mission "kill" { seed = 7 }
treasury { tokens = 10000000 }
resources {
  energy { capacity = 100000 }
}
delegation {
  background_limit = 0
  retry_backoff    = "50ms"
  max_attempts     = 5
}
checkpoint { interval = "1s" }
worker "sim" {
  skills = ["sim"]
  count  = 8
  slots  = 4
  simulated {
    failure_ratio = 0.1
    wrong_ratio   = 0.1
  }
}
worker "real" {
  skills = ["real"]
  count  = 2
  exec {
    command = ["sh", "work.sh"]
  }
}
worker "script" {
  skills = ["script"]
  count  = 2
  script = "worker.js"
}
validator "jury" {
  count    = 6
  script   = "jury.js"
  fallback = "rule"
}
policy "gate" {
  script = "policy.js"
  on     = ["job.assign", "job.delegate", "job.post", "transfer"]
}
autonomy {
  guardian_interval = "1s"
  may               = ["boost", "expedite", "post", "pause_skill"]
  budget            = 100000
}
guardian {
  script = "guardian.js"
}
strategist "macro" {
  script   = "strategist.js"
  budget   = 100000
  interval = "1s"
}
job "w" {
  count    = %[2]d
  skills   = ["script"]
  reward   = 3
  required = false
}
job "s" {
  count         = %[1]d
  skills        = ["sim"]
  reward        = 1
  energy_budget = 10
  work          = "300ms"
  required      = false
}
job "r" {
  count  = %[2]d
  skills = ["real"]
  reward = 2
  accept {
    condition = result.ok
  }
}
`

// killScripts are the files of that mission.
var killScripts = map[string]string{
	"work.sh":   `echo '{"result":{"ok":true}}'`,
	"policy.js": `export default (request) => (Math.random() < 0.02 ? { allow: false, reason: "not this time" } : { allow: true });`,
	"jury.js":   `export default (input) => (input.result.wrong ? { vote: "reject", reason: "it says so" } : { vote: "approve" });`,
	"worker.js": `export default function (input) {
  if (Math.random() < 0.1) throw new Error("as the seed wants");
  if (input.children.length === 0 && Math.random() < 0.4) return { children: [{ skills: ["sim"], reward: "0.5", work: "100ms" }] };
  return { result: { ok: true, children: input.children.length } };
}`,
	"guardian.js": `export const queries = { queue: { from: "jobs", where: { state: "ready" }, limit: 20 } };
export default function (input, view) {
  const actions = [{ do: "post", job: { skills: ["sim"], reward: "0.5", work: "100ms", required: false } }];
  const rows = input.queue.rows;
  if (rows.length > 1) actions.push({ do: "boost", job: rows[0].job, tokens: "0.01" }, { do: "expedite", job: rows[1].job });
  return { headline: rows.length + " wait", actions };
}`,
	"strategist.js": `export default (input) => ({
  headline: input.events.length + " things have happened",
  posts: [{ skills: ["script"], reward: "1", required: false }],
  wake: "2s",
});`,
}

// killCycles is how often a host is killed: a few times by default, as often as
// OMEGA_KILLS says before a release.
func killCycles(t *testing.T) int {
	if n, err := strconv.Atoi(os.Getenv("OMEGA_KILLS")); err == nil {
		return n
	}
	if testing.Short() {
		t.Skip("kills a host")
	}
	return 12
}

// perMission is how many kills one mission goes through: its journal is read
// after each, so one that grew for ever would make the test slow and no better.
const perMission = 50

// smallSegment makes a journal begin a new segment every few kills.
const smallSegment = 64 << 10

// smallSegments is a program: omega run with small segments. Its arguments are
// mission and data folder.
func smallSegments() {
	ctx, cancel := notify()
	defer cancel()
	outcome, err := host.Run(ctx, host.Config{Path: os.Args[1], Data: os.Args[2], Problem: os.Stderr, Segment: smallSegment})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(host.CodeUsage)
	}
	os.Exit(outcome.Code)
}

// windows are the instants at which a host is killed, one after the other.
var windows = []string{
	"starting",     // up to a few tens of milliseconds after it was started
	"working",      // some time after it has recorded something
	"new segment",  // while the journal begins one, or copies its last at a start
	"checkpoint",   // while a chunk or a manifest is put in its place
	"artifact",     // while an artifact is put in its place
	"just leaving", // after it was asked to leave
}

// A host that is killed at any instant goes on: no entry that was durable is
// lost or changed, nothing is paid twice, and the record audits.
func TestKilledHostGoesOn(t *testing.T) {
	cycles := killCycles(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var mu sync.Mutex
	killed := map[string]int{}
	t.Run("missions", func(t *testing.T) {
		for n := range (cycles + perMission - 1) / perMission {
			t.Run(strconv.Itoa(n), func(t *testing.T) {
				t.Parallel()
				v := newVictim(t, min(perMission, cycles-n*perMission), rand.New(rand.NewPCG(seed, uint64(n))), n%2 == 0)
				v.run(t)
				mu.Lock()
				defer mu.Unlock()
				for window, n := range v.killed {
					killed[window] += n
				}
			})
		}
	})
	t.Logf("%d kills: %v", cycles, killed)
	for _, window := range windows {
		require.True(t, killed[window] > 0 || cycles < perMission, "never killed in the window %q", window)
	}
}

// victim is a mission whose host is killed again and again.
type victim struct {
	dir, data string
	args      []string // the program and what it is told
	env       []string
	cycles    int
	dice      *rand.Rand
	known     map[uint64]journal.Digest // of the entries that were durable
	killed    map[string]int            // by window
	children  int                       // that ran scripts for a host when it was killed
}

func newVictim(t *testing.T, cycles int, dice *rand.Rand, small bool) *victim {
	dir := t.TempDir()
	v := &victim{dir: dir, data: filepath.Join(dir, "data"), cycles: cycles, dice: dice, known: map[uint64]journal.Digest{}, killed: map[string]int{}}
	mission := fmt.Sprintf(killMission, 1000+100*cycles, 100+10*cycles)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mission.hcl"), []byte(mission), 0o600))
	for name, text := range killScripts {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	self, err := os.Executable()
	require.NoError(t, err)
	v.args = []string{filepath.Join(dir, "omega"), "run", dir, "--data", v.data, "--json"}
	if small {
		v.args = []string{filepath.Join(dir, "smallsegments"), dir, v.data}
	}
	require.NoError(t, os.Symlink(self, v.args[0]))
	v.env = append(os.Environ(), "XDG_CONFIG_HOME="+filepath.Join(dir, "config"), "XDG_STATE_HOME="+filepath.Join(dir, "state"))
	return v
}

func (v *victim) run(t *testing.T) {
	for n := range v.cycles {
		window := windows[n%len(windows)]
		if window == "new segment" && v.args[1] == "run" { // it has one of 64 MiB
			window = "working"
		}
		v.killOnce(t, window)
		keepDurable(t, v.data, v.known)
	}
	require.Greater(t, len(v.known), 10*v.cycles, "too little was recorded for this test to say anything")
	v.leave(t)
	keepDurable(t, v.data, v.known)
	audit, err := host.Verify(v.data)
	require.NoError(t, err)
	require.Empty(t, audit.Problems)
	require.Positive(t, paidOnce(t, v.data), "too little work was done for this test to say anything")
	require.Positive(t, v.children, "no host was killed while its scripts ran")
	for _, event := range []string{"verdict_given", "plan_recorded", "votes_revealed", "attempt_delegated", "reward_boosted"} {
		require.Positive(t, recorded(t, v.data, event), "scripts did too little for this test to say anything: %s", event)
	}
}

// start starts the host; what it says is given back once it has ended.
func (v *victim) start(t *testing.T) (cmd *exec.Cmd, said func() string) {
	cmd = exec.Command(v.args[0], v.args[1:]...)
	cmd.Env, cmd.Stdout = v.env, io.Discard
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	return cmd, func() string {
		b, _ := io.ReadAll(stderr)
		return string(b)
	}
}

// killOnce starts the host, waits for an instant in the window and kills it. A
// window that does not come is not counted.
func (v *victim) killOnce(t *testing.T, window string) {
	before := host.LastDurable(v.data)
	var look func() bool
	if window == "new segment" || window == "checkpoint" {
		look = v.watch(t, window)
	}
	cmd, said := v.start(t)
	pause := time.Duration(v.dice.IntN(60_000)) * time.Microsecond
	hit := true
	switch window {
	case "starting":
	case "working":
		v.recorded(before)
		pause *= 3
	case "just leaving":
		v.recorded(before)
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	case "artifact": // the folder may be made anew at a start
		v.recorded(before)
		hit, pause = v.watch(t, window)(), 0
	default:
		hit, pause = look(), 0
	}
	time.Sleep(pause)
	v.children += len(scriptProcesses(t, func(parent int) bool { return parent == cmd.Process.Pid }))
	_ = cmd.Process.Signal(syscall.SIGKILL) // one that was leaving may have left
	problems := said()
	_ = cmd.Wait()
	require.Eventually(t, func() bool { return len(scriptProcesses(t, func(parent int) bool { return !alive(parent) })) == 0 }, 2*time.Second, 20*time.Millisecond,
		"scripts go on without their host")
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case status.Signaled():
		require.Equal(t, syscall.SIGKILL, status.Signal(), problems)
		if hit {
			v.killed[window]++
		}
	default:
		require.Equal(t, "just leaving", window, problems)
		require.Less(t, status.ExitStatus(), host.CodeUsage, problems)
	}
}

// recorded waits until the host has made something durable.
func (v *victim) recorded(before uint64) {
	for i := 0; i < 20_000 && host.LastDurable(v.data) == before; i++ {
		time.Sleep(time.Millisecond)
	}
}

// leave lets the host start and leave in peace.
func (v *victim) leave(t *testing.T) {
	before := host.LastDurable(v.data)
	cmd, said := v.start(t)
	v.recorded(before)
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	problems := said()
	_ = cmd.Wait()
	require.Less(t, codeOf(cmd.ProcessState), host.CodeUsage, problems)
}

// watch returns what waits until a file of the window is on its way to its
// place, for the first time or a later one. It reports whether it came.
func (v *victim) watch(t *testing.T, window string) (wait func() bool) {
	folder, suffix, least := "", ".tmp", 0
	switch window {
	case "new segment":
		folder, suffix = "journal", ".jsonl.tmp"
		least = v.dice.IntN(2) // the first may be the copy of an unproven tail
	case "checkpoint":
		folder, least = "checkpoint", v.dice.IntN(3)
	case "artifact":
		folder, least = "status", v.dice.IntN(4)
	}
	folder = filepath.Join(v.data, folder)
	require.NoError(t, os.MkdirAll(folder, 0o700))
	watcher, err := fsnotify.NewWatcher()
	require.NoError(t, err)
	require.NoError(t, watcher.Add(folder))
	return func() bool {
		defer watcher.Close()
		const within = 5 * time.Second // checkpoints and artifacts come a second after a start
		for late := time.After(within); ; {
			select {
			case e := <-watcher.Events:
				if !e.Has(fsnotify.Create) || !strings.HasSuffix(e.Name, suffix) {
					continue
				}
				if least--; least < 0 {
					return true
				}
			case <-late:
				return false
			}
		}
	}
}

// scriptProcesses are those of this binary that run scripts for a parent. Where
// there is no /proc it finds none.
func scriptProcesses(t *testing.T, of func(parent int) bool) (found []int) {
	self, err := os.Executable()
	require.NoError(t, err)
	all, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	for _, at := range all {
		program, err1 := os.Readlink(filepath.Join(at, "exe"))
		args, err2 := os.ReadFile(filepath.Join(at, "cmdline"))
		stat, err3 := os.ReadFile(filepath.Join(at, "stat"))
		_, rest, ok := strings.Cut(string(stat), ") ")
		if errors.Join(err1, err2, err3) != nil || !ok || program != self || !strings.Contains(string(args), "\x00__script\x00") {
			continue // it has ended meanwhile, or is none
		}
		fields := strings.Fields(rest) // state, parent, …
		parent, err := strconv.Atoi(fields[1])
		require.NoError(t, err)
		if fields[0] != "Z" && of(parent) {
			pid, err := strconv.Atoi(filepath.Base(at))
			require.NoError(t, err)
			found = append(found, pid)
		}
	}
	return found
}

// alive reports whether a process is one of this binary: a child whose parent
// has ended has another.
func alive(pid int) bool {
	self, err1 := os.Executable()
	program, err2 := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	return errors.Join(err1, err2) == nil && program == self
}

// recorded counts the entries that hold an event.
func recorded(t *testing.T, data, event string) (n int) {
	err := host.Log(context.Background(), data, host.LogOptions{Events: []string{event}}, func(*host.LoggedEntry) error {
		n++
		return nil
	})
	require.NoError(t, err)
	return n
}

// keepDurable checks that every entry known to be durable is still what it was,
// and adds those that have become durable since.
func keepDurable(t *testing.T, data string, known map[uint64]journal.Digest) {
	view, err := journal.Read(journal.Options{Dir: filepath.Join(data, "journal")})
	require.NoError(t, err)
	found := view.Recovery()
	require.Nil(t, found.Damage)
	cursor := view.Cursor(1)
	defer cursor.Close()
	seen := uint64(0)
	for {
		line, err := cursor.Next(context.Background())
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		seen = line.Seq
		digest := line.Digest()
		if was, ok := known[line.Seq]; ok {
			require.Equal(t, was, digest, "entry %d has changed", line.Seq)
		} else if line.Seq <= found.Witnessed {
			known[line.Seq] = digest
		}
	}
	require.GreaterOrEqual(t, seen, uint64(len(known)), "durable entries are lost")
}

// paidOnce counts payments and checks that no transfer stands twice.
func paidOnce(t *testing.T, data string) (paid int) {
	seen := map[string]bool{}
	err := host.Log(context.Background(), data, host.LogOptions{Events: []string{"transfer"}, Spell: true}, func(e *host.LoggedEntry) error {
		var entry struct {
			Transfers []struct{ ID string }
		}
		if err := json.Unmarshal(e.JSON(), &entry); err != nil {
			return err
		}
		for _, transfer := range entry.Transfers {
			require.False(t, seen[transfer.ID], "%s moves twice", transfer.ID)
			seen[transfer.ID] = true
			if filepath.Base(transfer.ID) == "pay" {
				paid++
			}
		}
		return nil
	})
	require.NoError(t, err)
	return paid
}
