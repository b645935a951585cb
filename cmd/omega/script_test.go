package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/omega-run/omega/host/script"
	"github.com/omega-run/omega/host/worker"
)

// TestMain makes this test binary the program of the stories, and the shim of
// the attempts the program runs.
func TestMain(m *testing.M) {
	worker.Shim()
	script.Child()
	testscript.Main(m, map[string]func(){"omega": main, "smallsegments": smallSegments})
}

// TestStories runs the command stories in testdata/script. Each works in a
// folder of its own with a home of its own; ./hello and ./workflow there are
// copies of the missions in the tree. Besides the commands of testscript they
// have:
//
//	code N PROGRAM ARG…     the program ends with exit code N
//	until REGEXP PROGRAM …  run it until what it prints matches
//	refused FILE LINE TEXT  check and run refuse the mission: exit 4, a
//	                        diagnostic with that line and remedy, nothing written
//	flip FILE OFFSET        flip one bit of a byte
//	format FILE FORMAT      name another format in the header of a segment
//	server                  start a server, $SERVER
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup:               setup,
		Condition: func(name string) (bool, error) {
			if name == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %q", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": code, "until": until, "refused": refused, "flip": flip, "format": format, "server": server,
		},
	})
}

func setup(e *testscript.Env) error {
	home := filepath.Join(e.WorkDir, "home")
	e.Defer(func() { endAll("HOME=" + home) })
	e.Setenv("HOME", home)
	e.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
	e.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
	for _, name := range [...]string{"hello", "workflow"} {
		if err := copyMission(filepath.Join("..", "..", "missions", name), filepath.Join(e.WorkDir, name)); err != nil {
			return err
		}
	}
	return nil
}

// endAll kills every process with the given variable in its environment: what a
// story that failed has left running would be waited for. Each story has a home
// of its own. Without /proc it does nothing.
func endAll(variable string) {
	all, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		return
	}
	for _, path := range all {
		environ, err := os.ReadFile(path)
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err == nil && pid > 1 && bytes.Contains(append([]byte{0}, environ...), []byte("\x00"+variable+"\x00")) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// copyMission copies a mission folder without the data of runs in it.
func copyMission(from, to string) error {
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return fmt.Errorf("copying %s: %w", from, err)
	}
	return os.RemoveAll(filepath.Join(to, ".omega"))
}

func exitCode(ts *testscript.TestScript, args []string) int {
	err := ts.Exec(args[0], args[1:]...)
	var ended *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &ended):
		return ended.ExitCode()
	}
	ts.Fatalf("%v", err)
	return -1
}

func code(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if err != nil || neg || len(args) < 2 {
		ts.Fatalf("usage: code N PROGRAM ARG…")
	}
	if got := exitCode(ts, args[1:]); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// untilWithin bounds what a story waits for; on a free machine it is instants.
const untilWithin = 20 * time.Second

func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until REGEXP PROGRAM ARG…")
	}
	pattern, err := regexp.Compile(args[0])
	ts.Check(err)
	for end := time.Now().Add(untilWithin); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		exitCode(ts, args[1:])
		if pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
	}
	ts.Fatalf("nothing matched %s in %v", args[0], untilWithin)
}

func refused(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: refused FILE LINE TEXT")
	}
	if got := exitCode(ts, []string{"omega", "check", args[0], "--json"}); got != 4 {
		ts.Fatalf("check: exit code %d, want 4", got)
	}
	var said struct {
		Diagnostics []struct {
			Line            int
			Summary, Detail string
		}
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &said))
	text, err := regexp.Compile(args[2])
	ts.Check(err)
	found := false
	for _, d := range said.Diagnostics {
		found = found || strconv.Itoa(d.Line) == args[1] && text.MatchString(d.Summary+": "+d.Detail)
	}
	if !found {
		ts.Fatalf("no diagnostic in line %s says %s", args[1], args[2])
	}
	data := ts.MkAbs("refused-data")
	for _, run := range [][]string{{"omega", "run", args[0]}, {"omega", "run", args[0], "--data", data}, {"omega", "run", "--ci", args[0], "--data", data}} {
		if got := exitCode(ts, run); got != 4 {
			ts.Fatalf("%v: exit code %d, want 4", run, got)
		}
	}
	for _, path := range []string{data, filepath.Join(filepath.Dir(ts.MkAbs(args[0])), ".omega"), ts.Getenv("HOME")} {
		if _, err := os.Lstat(path); err == nil {
			ts.Fatalf("%s was written", path)
		}
	}
}

func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: flip FILE OFFSET")
	}
	offset, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_RDWR, 0)
	ts.Check(err)
	defer f.Close()
	var b [1]byte
	_, err = f.ReadAt(b[:], offset)
	ts.Check(err)
	b[0] ^= 1
	_, err = f.WriteAt(b[:], offset)
	ts.Check(err)
}

// format writes a header as the program of that format would: whole, with its
// checksum.
func format(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: format FILE FORMAT")
	}
	path := ts.MkAbs(args[0])
	content, err := os.ReadFile(path)
	ts.Check(err)
	header, rest, ok := bytes.Cut(content, []byte("\n"))
	at := bytes.LastIndex(header, []byte(`,"crc":"`))
	if !ok || at < 0 {
		ts.Fatalf("%s has no header", args[0])
	}
	header = regexp.MustCompile(`^{"format":"[^"]*"`).ReplaceAllLiteral(header[:at], fmt.Appendf(nil, `{"format":%q`, args[1]))
	sum := crc32.Checksum(header, crc32.MakeTable(crc32.Castagnoli))
	ts.Check(os.WriteFile(path, fmt.Appendf(header, ",\"crc\":\"%08x\"}\n%s", sum, rest), 0o600))
}
