package worker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

const hostMode = "OMEGA_TEST_HOST" // the test binary then runs one attempt, so that it can be killed as a host

func TestMain(m *testing.M) {
	Shim()
	if dir := os.Getenv(hostMode); dir != "" {
		new(Exec).Run(context.Background(), Task{
			Job: "j", Attempt: 1, Command: []string{"sh", "-c", os.Getenv("SCRIPT"), "sh", dir},
			MissionDir: dir, AttemptDir: filepath.Join(dir, "work", "j", "1"), BlobDir: filepath.Join(dir, "blobs"),
		})
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// bench is a mission folder with the folders of one attempt beside it.
type bench struct {
	*testing.T
	dir  string
	task Task
}

func newBench(t *testing.T, command ...string) *bench {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	b := &bench{T: t, dir: dir, task: Task{
		Job: "swarm_0", Attempt: 2, Command: command, Input: []byte(`{"n":3}`),
		MissionDir: filepath.Join(dir, "mission"), AttemptDir: filepath.Join(dir, "work", "swarm_0", "2"), BlobDir: filepath.Join(dir, "blobs"),
		Timeout: time.Minute, MemoryBytes: 256 << 20,
	}}
	require.NoError(t, os.MkdirAll(b.task.MissionDir, 0o755))
	return b
}

// shell is a bench whose program is a shell script; its $1 is the bench's folder.
func shell(t *testing.T, script string) *bench {
	b := newBench(t)
	b.task.Command = []string{"sh", "-c", script, "sh", b.dir}
	return b
}

func (b *bench) mission(name, text string, mode os.FileMode) {
	b.Helper()
	path := filepath.Join(b.task.MissionDir, name)
	require.NoError(b, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(b, os.WriteFile(path, []byte(text), mode))
	require.NoError(b, os.Chmod(path, mode))
}

// run runs the task and checks what holds for every reply.
func (b *bench) run() Reply {
	b.Helper()
	return b.runIn(context.Background())
}

func (b *bench) runIn(ctx context.Context) Reply {
	b.Helper()
	r := new(Exec).Run(ctx, b.task)
	require.NoDirExists(b, b.task.AttemptDir)
	require.Empty(b, strays(b.dir), "a process is left")
	require.LessOrEqual(b, len(r.Stderr), StderrBytes)
	if r.Fault == "" {
		require.NotNil(b, r.Result)
		require.Empty(b, r.Detail)
		return r
	}
	require.Contains(b, Faults, r.Fault)
	require.Nil(b, r.Result)
	require.Nil(b, r.Files)
	require.True(b, strings.HasSuffix(r.Detail, "."), r.Detail)
	require.True(b, r.MachineLimit || !strings.Contains(r.Detail, b.dir), "a path in a recorded fault: %s", r.Detail)
	return r
}

func (b *bench) blob(f File) string {
	text, err := os.ReadFile(filepath.Join(b.task.BlobDir, f.Digest))
	require.NoError(b, err)
	sum := sha256.Sum256(text)
	require.Equal(b, f.Digest, hex.EncodeToString(sum[:]))
	require.Equal(b, f.Size, int64(len(text)))
	return string(text)
}

func TestResultAndUsage(t *testing.T) {
	t.Parallel()
	r := shell(t, `echo '{"result": {"b": 1.50, "a": "x"}, "energy_used": "12.5", "compute_used": "7"}'; echo hello >&2`).run()
	require.Equal(t, Reply{Result: []byte(`{"a":"x","b":1.50}`), EnergyUsed: "12.5", ComputeUsed: "7", Stderr: []byte("hello\n")}, r)
}

func TestInputIsDelivered(t *testing.T) {
	t.Parallel()
	b := shell(t, `printf '{"result":'; cat; printf '}'`)
	b.task.Input = []byte(`"` + strings.Repeat("x", 60_000) + `"`)
	r := b.run()
	require.Empty(t, r.Fault, r.Detail)
	require.Equal(t, string(b.task.Input), string(r.Result))
}

func TestInputNotRead(t *testing.T) {
	t.Parallel()
	for _, script := range []string{`echo '{"result":1}'`, `exec 0<&-; echo '{"result":1}'`, `head -c 10 >/dev/null; echo '{"result":1}'`} {
		b := shell(t, script)
		b.task.Input = make([]byte, 4<<20)
		r := b.run()
		require.Empty(t, r.Fault, r.Detail)
	}
}

func TestExitCode(t *testing.T) {
	t.Parallel()
	for _, code := range []int{1, 2, 127, 255} {
		r := shell(t, fmt.Sprintf(`echo '{"result":1}'; echo why >&2; exit %d`, code)).run()
		require.Equal(t, FaultExit, r.Fault)
		require.Equal(t, code, r.ExitCode)
		require.Equal(t, "why\n", string(r.Stderr))
		require.False(t, r.MachineLimit)
	}
}

func TestSignals(t *testing.T) {
	t.Parallel()
	for name, machine := range map[string]bool{"SEGV": false, "ABRT": false, "HUP": false, "KILL": true, "TERM": true} {
		r := shell(t, "kill -"+name+" $$; sleep 60").run()
		require.Equal(t, FaultSignal, r.Fault)
		require.Equal(t, "SIG"+name, r.Signal)
		require.Equal(t, -1, r.ExitCode)
		require.Equal(t, machine, r.MachineLimit, name)
	}
}

func TestBadOutput(t *testing.T) {
	t.Parallel()
	for script, fault := range map[string]Fault{
		`:`:                   FaultBadJSON,
		`echo done`:           FaultBadJSON,
		`echo '{"answer":1}'`: FaultBadJSON,
		`printf '{"result":"'; head -c 70000 /dev/zero | tr '\0' x; echo '"}'`: FaultTooLarge,
	} {
		r := shell(t, script).run()
		require.Equal(t, fault, r.Fault, script)
		require.Equal(t, 0, r.ExitCode)
		require.False(t, r.MachineLimit)
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	b := shell(t, `trap 'echo bye >&2; exit 0' TERM; echo ready >&2; while :; do sleep 0.05; done`)
	b.task.Timeout = 300 * time.Millisecond
	began := time.Now()
	r := b.run()
	require.Equal(t, FaultTimeout, r.Fault)
	require.True(t, r.MachineLimit)
	require.True(t, strings.HasPrefix(string(r.Stderr), "ready\n") && strings.HasSuffix(string(r.Stderr), "bye\n"), "SIGTERM comes first: %s", r.Stderr)
	require.Less(t, time.Since(began), b.task.Timeout+termGrace)
}

func TestTimeoutOfAProgramThatIgnoresSIGTERM(t *testing.T) {
	t.Parallel()
	b := shell(t, `trap '' TERM; while :; do sleep 60; done`)
	b.task.Timeout = 100 * time.Millisecond
	began := time.Now()
	r := b.run()
	require.Equal(t, FaultTimeout, r.Fault)
	require.Equal(t, "SIGKILL", r.Signal)
	require.GreaterOrEqual(t, time.Since(began), b.task.Timeout+termGrace)
}

func TestStdoutFlood(t *testing.T) {
	t.Parallel()
	for _, script := range []string{`yes`, `head -c 20000 /dev/zero; exit 3`, `head -c 10001 /dev/zero`} {
		b := shell(t, script)
		b.task.OutputBytes = 10_000
		r := b.run()
		require.Equal(t, FaultOutputLimit, r.Fault, script)
		require.False(t, r.MachineLimit)
		require.Contains(t, r.Detail, "10000 bytes")
	}
	b := shell(t, `printf '{"result":1}'; head -c 9988 /dev/zero | tr '\0' ' '`)
	b.task.OutputBytes = 10_000
	require.Empty(t, b.run().Fault, "exactly the limit is allowed")
}

func TestStderrFloodNeverBlocks(t *testing.T) {
	t.Parallel()
	r := shell(t, `head -c 20000000 /dev/zero >&2; printf end >&2; echo '{"result":1}'`).run()
	require.Empty(t, r.Fault, r.Detail)
	require.Len(t, r.Stderr, StderrBytes)
	require.True(t, strings.HasSuffix(string(r.Stderr), "\x00end"))
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	b := shell(t, `sleep 1000 & (trap '' TERM HUP INT; sleep 1000) & echo ready >"$1/ready"; wait`)
	ctx, cancel := context.WithCancel(context.Background())
	var at time.Time
	go func() {
		for range 2000 {
			if _, err := os.Stat(filepath.Join(b.dir, "ready")); err == nil {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		at = time.Now()
		cancel()
	}()
	r := b.runIn(ctx)
	took := time.Since(at)
	require.Equal(t, FaultKilled, r.Fault)
	require.True(t, r.MachineLimit)
	require.Less(t, took, time.Second, "100 ms on a quiet machine")
	t.Logf("cancelled to gone: %v", took)

	r = shell(t, `echo '{"result":1}'`).runIn(ctx)
	require.Equal(t, FaultKilled, r.Fault, "cancelled before it began")
}

func TestMissionFilesByTheirNames(t *testing.T) {
	t.Parallel()
	b := newBench(t, "sh", "analyse.sh", "data/in.csv", "./data/in.csv", "data", "absent.txt", "data/../analyse.sh", "--in=data/in.csv", "out/leads", "")
	b.mission("analyse.sh", `printf '{"result":["%s"' "$0"; for a; do printf ',"%s"' "$a"; done; printf ',"%s"]}' "$(ls | wc -l)"`, 0o644)
	b.mission("data/in.csv", "1,2\n", 0o644)
	require.NoError(t, os.Symlink("/etc", filepath.Join(b.task.MissionDir, "out")))
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(b.task.MissionDir, "leads")))
	r := b.run()
	require.Empty(t, r.Fault, r.Detail)
	m := b.task.MissionDir
	require.Equal(t, `["`+strings.Join([]string{m + "/analyse.sh", m + "/data/in.csv", m + "/data/in.csv", "data", "absent.txt", "data/../analyse.sh", "--in=data/in.csv", "out/leads", "", "0"}, `","`)+`"]`, string(r.Result))
}

func TestProgramInTheMission(t *testing.T) {
	t.Parallel()
	b := newBench(t, "bin/solve", "x")
	b.mission("bin/solve", "#!/bin/sh\necho '{\"result\":\"'$1'\"}'\n", 0o755)
	require.Equal(t, `"x"`, string(b.run().Result))
	b.task.Command[0] = "./bin/solve"
	require.Equal(t, `"x"`, string(b.run().Result))
}

func TestStartRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		command []string
		machine bool
		detail  string
	}{
		{nil, false, "empty"},
		{[]string{""}, false, "empty"},
		{[]string{"no-such-program-here"}, true, "not on PATH; install it"},
		{[]string{"plain.sh"}, false, `write "./plain.sh"`},
		{[]string{"./absent"}, false, "no file"},
		{[]string{"/bin/sh", "-c", "echo"}, false, "outside the mission's folder"},
		{[]string{"../escape"}, false, "outside the mission's folder"},
		{[]string{"bin/../../escape"}, false, "outside the mission's folder"},
		{[]string{"bin/../plain.sh"}, false, "outside the mission's folder"},
		{[]string{"./shell"}, false, "links may not lead out"},
		{[]string{"./usr/sh"}, false, "links may not lead out"},
		{[]string{"./plain.sh"}, false, "chmod +x"},
		{[]string{"./bin"}, false, "not a regular file"},
		{[]string{"./no-interpreter"}, false, "interpreter"},
		{[]string{"./not-a-program"}, false, "not a program"},
		{[]string{"sh", "a\x00b"}, false, "NUL"},
	} {
		b := newBench(t, c.command...)
		b.mission("plain.sh", "echo\n", 0o644)
		b.mission("bin/x", "", 0o755)
		b.mission("no-interpreter", "#!/no/such/interpreter\n", 0o755)
		b.mission("not-a-program", "hello\n", 0o755)
		require.NoError(t, os.WriteFile(filepath.Join(b.dir, "escape"), []byte("#!/bin/sh\n"), 0o755))
		require.NoError(t, os.Symlink("/bin/sh", filepath.Join(b.task.MissionDir, "shell")))
		require.NoError(t, os.Symlink("/bin", filepath.Join(b.task.MissionDir, "usr")))
		r := b.run()
		require.Equal(t, FaultStartFailed, r.Fault, "%q: %s", c.command, r.Detail)
		require.Contains(t, r.Detail, c.detail)
		require.Equal(t, c.machine, r.MachineLimit, "%q: %s", c.command, r.Detail)
		require.Equal(t, -1, r.ExitCode)
	}
}

func TestFolderMistakes(t *testing.T) {
	t.Parallel()
	b := shell(t, `echo '{"result":1}'`)
	b.mission("mission.hcl", "", 0o644)
	for _, dir := range []string{b.task.MissionDir, b.dir, ""} {
		task := b.task
		task.AttemptDir = dir
		require.Equal(t, FaultStartFailed, new(Exec).Run(context.Background(), task).Fault)
		require.FileExists(t, filepath.Join(b.task.MissionDir, "mission.hcl"), "never wiped")
	}
	r := (&Exec{Program: "/no/such/binary"}).Run(context.Background(), b.task)
	require.Equal(t, FaultStartFailed, r.Fault)
	require.True(t, r.MachineLimit)
}

func TestFolderIsFreshAndWiped(t *testing.T) {
	t.Parallel()
	b := shell(t, `ls -A >&2; mkdir -p a/b; : >a/b/c; chmod 0 a/b a; : >"$OMEGA_OUT/x"; chmod 0555 .; echo '{"result":1}'`)
	for range 2 {
		require.NoError(t, os.MkdirAll(filepath.Join(b.task.AttemptDir, cwdName, "old"), 0o755))
		r := b.run()
		require.Empty(t, r.Fault, r.Detail)
		require.Empty(t, string(r.Stderr))
	}
}

func TestFilesBecomeBlobs(t *testing.T) {
	t.Parallel()
	b := shell(t, `cd "$OMEGA_OUT"; mkdir -p plots/empty; printf b >b; printf same >plots/z.png; printf same >a.txt; printf '' >a; : >-rf; printf q >'with space "quoted" <é>'; echo '{"result":1}'`)
	for range 2 { // the second time every blob is there already
		r := b.run()
		require.Empty(t, r.Fault, r.Detail)
		var names []string
		for _, f := range r.Files {
			names = append(names, f.Name+"="+b.blob(f))
		}
		require.Equal(t, []string{"-rf=", "a=", "a.txt=same", "b=b", "plots/z.png=same", `with space "quoted" <é>=q`}, names)
		blobs, err := os.ReadDir(b.task.BlobDir)
		require.NoError(t, err)
		require.Len(t, blobs, 4, "nothing but the blobs, equal content once")
	}
}

func TestFilesRefused(t *testing.T) {
	t.Parallel()
	for script, detail := range map[string]string{
		`ln -s /etc/passwd leak`:                                     "symbolic link",
		`ln -s . loop`:                                               "symbolic link",
		`mkfifo pipe`:                                                "is a pipe",
		`: >"$(printf 'a\nb')"`:                                      "cannot be shown",
		`: >"$(printf 'a\033[2Jb')"`:                                 "cannot be shown",
		`: >"$(printf 'a\342\200\256b')"`:                            "cannot be shown", // right-to-left override
		`: >"$(printf 'a\377b')"`:                                    "not UTF-8",
		`for i in 1 2 3 4 5 6; do : >$i; done`:                       "more than 5 files",
		`mkdir 1 2 3 4 5 6`:                                          "more than 5 files",
		`mkdir -p 1/2/3/4/5/6`:                                       "more than 5 files",
		`head -c 1001 /dev/zero >big`:                                "larger than 1000 bytes",
		`truncate -s 1T sparse`:                                      "larger than 1000 bytes",
		`for i in 1 2 3; do head -c 900 /dev/zero >$i; done`:         "together",
		`n=$(head -c 200 /dev/zero | tr '\0' n); mkdir $n; : >$n/$n`: "longer than 255",
	} {
		b := shell(t, `cd "$OMEGA_OUT"; `+script+`; echo '{"result":1}'`)
		b.task.MaxFiles, b.task.FileBytes, b.task.FilesBytes = 5, 1000, 2000
		r := b.run()
		require.Equal(t, FaultFilesLimit, r.Fault, script)
		require.Contains(t, r.Detail, detail, script)
		require.False(t, r.MachineLimit)
	}
}

func TestFilesOfAFailedAttemptAreNotKept(t *testing.T) {
	t.Parallel()
	b := shell(t, `: >"$OMEGA_OUT/x"; exit 1`)
	require.Equal(t, FaultExit, b.run().Fault)
	require.NoDirExists(t, b.task.BlobDir)

	b = shell(t, `rm -rf "$OMEGA_OUT"; echo '{"result":1}'`)
	require.Empty(t, b.run().Fault, "a removed folder holds no files")

	b = shell(t, `: >"$OMEGA_OUT/x"; echo '{"result":1}'`)
	require.NoError(t, os.WriteFile(b.task.BlobDir, nil, 0o600))
	r := b.run()
	require.Equal(t, FaultStorage, r.Fault)
	require.True(t, r.MachineLimit)
}

func TestManyInParallel(t *testing.T) {
	t.Parallel()
	results := make(chan string)
	const n = 40
	for i := range n {
		b := shell(t, fmt.Sprintf(`echo %d >"$OMEGA_OUT/n"; head -c 100000 /dev/zero >&2; (sleep 100) & echo '{"result":'$(cat)'}'`, i))
		b.task.Input = fmt.Append(nil, i)
		go func() {
			r := new(Exec).Run(context.Background(), b.task)
			results <- fmt.Sprintf("%s%s %d", r.Result, r.Detail, len(r.Files))
		}()
	}
	want, got := map[string]bool{}, map[string]bool{}
	for i := range n {
		want[fmt.Sprintf("%d 1", i)] = true
		got[<-results] = true
	}
	require.Equal(t, want, got)
}
