package worker

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestEnvironmentIsClean(t *testing.T) {
	t.Setenv("SECRET_OF_THE_HOST", "x")
	t.Setenv("ALLOWED", "a=b c")
	t.Setenv("LANG", "de_DE.UTF-8")
	t.Setenv("TZ", "Asia/Tokyo")
	t.Setenv("OMEGA_JOB", "forged")
	b := shell(t, `cat /proc/$$/environ >"$OMEGA_OUT/env"; echo '{"result":1}'`)
	b.task.Env = []string{"ALLOWED", "UNSET_ON_THIS_HOST", "OMEGA_JOB", "ALLOWED", "HOME"}
	attempt := b.task.AttemptDir
	want := []string{"ALLOWED=a=b c", "HOME=" + os.Getenv("HOME"), "LANG=de_DE.UTF-8", "OMEGA_ATTEMPT=2", "OMEGA_JOB=swarm_0",
		"OMEGA_MISSION=" + b.task.MissionDir, "OMEGA_OUT=" + attempt + "/out", "PATH=" + os.Getenv("PATH")}
	require.Equal(t, want, b.environ(new(Exec)))

	b.task.Env = []string{"TZ"}
	want = slices.Concat(want[1:2], []string{"LANG=C.UTF-8"}, want[3:], []string{"TZ=UTC"})
	require.Equal(t, want, b.environ(&Exec{Rehearsal: true}))

	b.task.Env = []string{"A=B"}
	require.Equal(t, FaultStartFailed, b.run().Fault)
}

func (b *bench) environ(x *Exec) []string {
	r := x.Run(context.Background(), b.task)
	require.Empty(b, r.Fault, r.Detail)
	return strings.Split(strings.TrimSuffix(b.blob(r.Files[0]), "\x00"), "\x00")
}

func TestDescriptorsAreClosed(t *testing.T) {
	// A descriptor without close-on-exec, as a careless library or the host's own parent may leave it.
	leak, err := unix.FcntlInt(0, unix.F_DUPFD, 100)
	require.NoError(t, err)
	defer syscall.Close(leak)
	// The shell keeps some of its own at 10.
	r := shell(t, fmt.Sprintf(`for i in 0 1 2 3 4 5 6 7 8 9 %d; do [ -e /proc/$$/fd/$i ] && echo $i >&2; done; echo '{"result":1}'`, leak)).run()
	require.Equal(t, "0\n1\n2\n", string(r.Stderr))
}

func TestOwnSession(t *testing.T) {
	t.Parallel()
	// pid, group, session of the program; none is the host's.
	r := shell(t, `set -- $(cat /proc/$$/stat); echo '{"result":"'$(($1 == $5)) $(($1 == $6)) $7'"}'`).run()
	require.Equal(t, `"1 1 0"`, string(r.Result), "%s", r.Detail)
}

// pids waits for the script to have written n process numbers into the file.
func (b *bench) pids(name string, n int) []int {
	b.Helper()
	for range 4000 {
		text, _ := os.ReadFile(filepath.Join(b.dir, name))
		fields := strings.Fields(string(text))
		if len(fields) >= n && strings.HasSuffix(string(text), "\n") {
			var pids []int
			for _, field := range fields {
				pid, err := strconv.Atoi(field)
				require.NoError(b, err)
				pids = append(pids, pid)
			}
			return pids
		}
		time.Sleep(5 * time.Millisecond)
	}
	require.Fail(b, "the script did not start its processes")
	return nil
}

func living(pids []int) (alive []int) {
	for _, pid := range pids {
		if identity(pid) != "" {
			alive = append(alive, pid)
		}
	}
	return alive
}

// daemons starts three processes that leave the group, the session, the environment and the signals behind, and notes them.
const daemons = `
cd /
setsid sh -c 'trap "" TERM HUP INT; echo $$ >>"$1/pids"; exec sleep 1000' sh "$1" >/dev/null 2>&1 </dev/null &
setsid env -i PATH="$PATH" sh -c 'echo $$ >>"$1/pids"; exec sleep 1000' sh "$1" &
(setsid setsid sh -c 'echo $$ >>"$1/pids"; exec sleep 1000' sh "$1" &) &
while [ $(cat "$1/pids" 2>/dev/null | wc -l) -lt 3 ]; do sleep 0.02; done
`

func TestDaemonsDoNotSurviveTheAttempt(t *testing.T) {
	t.Parallel()
	b := shell(t, daemons+`echo '{"result":1}'`)
	r := b.run()
	require.Empty(t, r.Fault, r.Detail)
	require.Empty(t, living(b.pids("pids", 3)))
}

func TestDaemonsDoNotSurviveAKilledShim(t *testing.T) {
	t.Parallel()
	// env -i is beyond reach once the shim is gone: the documented rest.
	b := shell(t, strings.ReplaceAll(daemons, "env -i", "env X=1")+`kill -KILL $PPID; sleep 1000`)
	r := b.run()
	require.Equal(t, FaultKilled, r.Fault)
	require.True(t, r.MachineLimit)
	require.Empty(t, living(b.pids("pids", 3)))
}

func TestStoppedShimIsTakenOver(t *testing.T) {
	t.Parallel()
	b := shell(t, `kill -STOP $PPID; sleep 1000`)
	b.task.Timeout = 50 * time.Millisecond
	require.Equal(t, FaultTimeout, b.run().Fault)
}

func TestForkBomb(t *testing.T) {
	t.Parallel()
	// A tree of 127 shells, every other one in a session of its own, each starting more for as long as it lives.
	bomb := `n=$2; echo $$ >>"$1/pids"; trap '' TERM
if [ $n -gt 0 ]; then
	setsid sh "$0" "$1" $((n-1)) & sh "$0" "$1" $((n-1)) &
fi
while :; do sleep 0.5 & sleep 0.2; done`
	b := newBench(t)
	b.task.Command = []string{"sh", "bomb.sh", b.dir, "6"}
	b.task.MemoryBytes = 4 << 30
	b.mission("bomb.sh", bomb, 0o644)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		b.pids("pids", 127)
		cancel()
	}()
	require.Equal(t, FaultKilled, b.runIn(ctx).Fault)
	require.Empty(t, living(b.pids("pids", 127)))
}

func TestMemory(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"one process": `tail /dev/zero`,
		"a tree":      `for i in 1 2 3 4; do (head -c 30000000 /dev/zero; sleep 1000) | tail -c 30000000 >/dev/null & done; wait`,
		"fast":        `tail /dev/zero || exit 1`,
	} {
		b := shell(t, script)
		b.task.MemoryBytes = 80 << 20
		r := b.run()
		require.Equal(t, FaultMemory, r.Fault, "%s: %s", name, r.Detail)
		require.True(t, r.MachineLimit)
	}
	b := shell(t, `head -c 30000000 /dev/zero | tail -c 30000000 >/dev/null; echo '{"result":1}'`)
	b.task.MemoryBytes = 80 << 20
	require.Empty(t, b.run().Fault)
}

func TestMemoryFasterThanMeasured(t *testing.T) {
	t.Parallel()
	s := shim{memory: 1 << 40}
	var last report
	s.describe(&last, ended{status: 1 << 8, largest: 1<<40 + 1})
	require.Equal(t, report{Ended: true, Exit: 1}, last)
	require.True(t, s.grown)
	s.grown = false
	s.describe(&last, ended{status: 0, largest: 1<<40 + 1})
	require.False(t, s.grown, "one that succeeded did not fail for memory")
	s.memory = 1
	s.describe(&last, ended{status: 1 << 8, largest: 2})
	require.False(t, s.grown, "the shim's own memory is not the program's")
}

// startHost runs the attempt in another process, a host to be killed.
func startHost(b *bench, script string) *exec.Cmd {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), hostMode+"="+b.dir, "SCRIPT="+script)
	require.NoError(b, cmd.Start())
	b.Cleanup(func() { // also when the test failed before
		killHost(cmd)
		_ = Sweep(filepath.Join(b.dir, "work"))
	})
	return cmd
}

func killHost(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

func TestKilledHostLeavesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	host := startHost(b, daemons+`echo $$ >>"$1/pids"; sleep 1000`)
	pids := b.pids("pids", 4)
	require.Len(t, living(pids), 4)
	killHost(host)
	require.Eventually(t, func() bool { return len(living(pids)) == 0 }, 2*time.Second, 5*time.Millisecond)
	require.NoError(t, Sweep(filepath.Join(b.dir, "work")))
	require.NoDirExists(t, filepath.Join(b.dir, "work", "j"))
}

func TestSweepEndsWhatAFormerHostLeft(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	host := startHost(b, daemons+`kill -STOP $PPID; echo $$ >>"$1/pids"; sleep 1000`)
	pids := b.pids("pids", 4)
	killHost(host)
	require.Len(t, living(pids), 4, "a stopped shim cannot clean up")
	require.NoError(t, os.MkdirAll(filepath.Join(b.dir, "work", "k", "1", "cwd", "deep"), 0o700))
	require.NoError(t, Sweep(filepath.Join(b.dir, "work")))
	require.Empty(t, living(pids))
	left, err := os.ReadDir(filepath.Join(b.dir, "work"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestSweepTouchesNobodyElse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, Sweep(filepath.Join(dir, "absent")))
	bystander := exec.Command("sleep", "1000")
	bystander.Env = []string{"OMEGA_OUT=" + dir + "-other/j/1/out"}
	require.NoError(t, bystander.Start())
	defer func() { _ = bystander.Process.Kill(); _ = bystander.Wait() }()
	who := identity(bystander.Process.Pid)
	fields := strings.Fields(who)
	for i, record := range []string{
		fields[0] + " " + fields[1] + " 1",                                    // the number was used again
		"11111111-2222-3333-4444-555555555555 " + fields[1] + " " + fields[2], // the machine was started again
		"", "x", "x y z", fields[0] + " -1 5", fields[0] + " 1 5", strings.Repeat("9", 100_000),
	} {
		attempt := filepath.Join(dir, "j", strconv.Itoa(i))
		require.NoError(t, os.MkdirAll(attempt, 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(attempt, recordName), []byte(record+"\n"), 0o600))
	}
	require.NoError(t, Sweep(dir))
	require.Equal(t, who, identity(bystander.Process.Pid))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestNoDescriptorLeaks(t *testing.T) {
	count := func() int {
		fds, err := os.ReadDir("/proc/self/fd")
		require.NoError(t, err)
		return len(fds)
	}
	shell(t, `echo '{"result":1}'`).run()
	before := count()
	for i := range 10 {
		b := shell(t, []string{`echo '{"result":1}'`, `exit 1`, `yes`, `kill -9 $PPID`, `: >"$OMEGA_OUT/x"; echo '{"result":1}'`}[i%5])
		b.task.OutputBytes = 1000
		b.run()
	}
	require.LessOrEqual(t, count(), before)
}

func BenchmarkExec(b *testing.B) {
	dir := b.TempDir()
	task := Task{Job: "j", Attempt: 1, Command: []string{"sh", "-c", `echo '{"result":1}'`}, MissionDir: dir, AttemptDir: filepath.Join(dir, "w"), BlobDir: filepath.Join(dir, "b")}
	for b.Loop() {
		if r := new(Exec).Run(context.Background(), task); r.Fault != "" {
			b.Fatal(fmt.Sprint(r.Fault, r.Detail))
		}
	}
}
