package script

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The corpus is scripts that do what nobody should. The first line of each says
// what comes of it:
//
//	// answer: JSON                 an answer
//	// KIND LINE: WORDS             a fault of that kind, at that line (* is any or
//	//                              none), whose detail has the words; KIND may be
//	//                              several, a|b
//	// problem LINE: WORDS          it cannot be bundled
//
// A line the runtime has no place for is that of the expression before it: so it
// is with loops that do nothing. What does not end for its time is given
// plenty: a machine may be busy.
var expected = regexp.MustCompile(`^// ([a-z|]+)(?: (\d+|\*))?: ?(.*)$`)

// slack is what a fault may take beyond the timeout.
const slack = 200 * time.Millisecond

func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("testdata/corpus/*.js")
	require.NoError(t, err)
	require.Greater(t, len(files), 90)
	r := runner(t)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".js"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			first, _, _ := strings.Cut(string(text), "\n")
			want := expected.FindStringSubmatch(first)
			require.NotNil(t, want, first)
			before := held()
			best := time.Hour
			for tries := 0; tries < 3 && best > slack; tries++ {
				best = min(best, trial(t, r, string(text), want))
			}
			require.Less(t, best, slack)
			require.Less(t, held()-before, int64(32<<20), "the host has grown")
		})
	}
}

// trial runs one script and compares. It gives the time beyond the timeout.
func trial(t *testing.T, r *Runner, text string, want []string) time.Duration {
	const entry = "scripts/evil.js"
	p, problems := r.Bundle(t.Context(), entry, folder{entry: text}.read)
	if strings.Contains(want[1], "problem") && len(problems) > 0 {
		require.Contains(t, problems[0].Summary+" "+problems[0].Detail, want[3])
		require.Equal(t, entry, problems[0].File)
		requireLine(t, want[2], problems[0].Line)
		return 0
	}
	require.Empty(t, problems)
	timeout := defaultTimeout
	if !strings.Contains(want[1], "time") {
		timeout = 3 * time.Second
	}
	started := time.Now()
	a := r.Call(context.Background(), Call{Program: p, Timeout: timeout, Input: []byte(`{"list":[1,2]}`), View: []byte(`{"at":5}`), At: 1700000000000})
	took := time.Since(started) - timeout
	if want[1] == "answer" && want[2] == "" {
		require.Nil(t, a.Fault)
		require.Equal(t, want[3], string(a.Value))
		return took
	}
	require.NotNil(t, a.Fault, "%s", a.Value)
	require.Contains(t, strings.Split(want[1], "|"), string(a.Fault.Kind), "%+v", a.Fault)
	require.Contains(t, a.Fault.Detail, want[3])
	requireLine(t, want[2], a.Fault.Line)
	if a.Fault.Line > 0 {
		require.Equal(t, entry, a.Fault.File)
	}
	if testing.Verbose() {
		fmt.Printf("    %s:%d:%d: %s: %.100s (%s)\n", a.Fault.File, a.Fault.Line, a.Fault.Column, a.Fault.Kind, a.Fault.Detail, (took + timeout).Round(time.Millisecond))
	}
	return took
}

func requireLine(t *testing.T, want string, line int) {
	if want != "*" {
		require.Equal(t, want, strconv.Itoa(line))
	}
}

// held is what this process holds on its heap.
func held() int64 {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}
