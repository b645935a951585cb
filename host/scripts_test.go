package host

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
	"github.com/omega-run/omega/host/script"
)

// fakeEngine answers calls as a test wants. The first line of a file may hold
// what it exports as queries, behind "// ".
type fakeEngine struct {
	say func(ctx context.Context, call script.Call) script.Answer

	mu    sync.Mutex
	calls []script.Call
}

func (f *fakeEngine) Bundle(_ context.Context, entry string, read func(string) ([]byte, error)) (*script.Program, []script.Problem) {
	text, err := read(entry)
	if err != nil {
		return nil, []script.Problem{{File: entry, Summary: "Not found", Detail: err.Error()}}
	}
	p := &script.Program{Entry: entry, Digest: sha256.Sum256(text), Files: []script.File{{Path: entry, Digest: sha256.Sum256(text)}}, Exports: []string{"default"}}
	if line, _, _ := strings.Cut(string(text), "\n"); strings.HasPrefix(line, "// {") {
		p.Queries = []byte(strings.TrimPrefix(line, "// "))
	}
	return p, nil
}

func (f *fakeEngine) Call(ctx context.Context, call script.Call) script.Answer {
	f.mu.Lock()
	f.calls = append(f.calls, call)
	f.mu.Unlock()
	return f.say(ctx, call)
}

// of are the calls of one script so far.
func (f *fakeEngine) of(entry string) (calls []script.Call) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.calls {
		if c.Program.Entry == entry {
			calls = append(calls, c)
		}
	}
	return calls
}

func value(text string) script.Answer { return script.Answer{Value: []byte(text)} }

// scripted writes a mission with scripts; each script's text is its name.
func scripted(t *testing.T, mission string, scripts ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mission.hcl"), []byte(mission), 0o600))
	for _, text := range scripts {
		name, text, _ := strings.Cut(text, " ")
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text+"\n"+name), 0o600))
	}
	return dir
}

const base = `
mission "scripted" { seed = 7 }
treasury { tokens = 10000 }
resources {
  energy { capacity = 1000 }
}
worker "quick" {
  skills = ["quick"]
  count  = 2
  simulated {}
}
job "one" {
  skills        = ["quick"]
  reward        = 10
  energy_budget = 5
}
`

// rehearse runs a mission with an engine and gives its entries.
func rehearse(t *testing.T, engine *fakeEngine, dir string) (*Outcome, []*core.Entry, error) {
	t.Helper()
	data := filepath.Join(t.TempDir(), "data")
	outcome, err := Rehearse(t.Context(), Config{Path: dir, Data: data, Scripts: func() script.Engine { return engine }})
	if err != nil {
		return nil, nil, err
	}
	audit, err := Verify(data)
	require.NoError(t, err)
	require.Empty(t, audit.Problems)
	return outcome, entriesOf(t, data), nil
}

func entriesOf(t *testing.T, data string) (all []*core.Entry) {
	t.Helper()
	view, err := readJournal(data)
	require.NoError(t, err)
	require.NoError(t, eachEntry(view, func(e *core.Entry, _ core.Digest) error {
		all = append(all, e)
		return nil
	}))
	return all
}

// eventsOf are all events of one kind.
func eventsOf[T core.Event](entries []*core.Entry) (all []T) {
	for _, e := range entries {
		for _, event := range e.Events {
			if event, ok := event.(T); ok {
				all = append(all, event)
			}
		}
	}
	return all
}

func canonical(t *testing.T, text []byte) {
	t.Helper()
	want, err := core.Canonical(text)
	require.NoError(t, err, "%s", text)
	require.Equal(t, string(want), string(text))
}

func TestPoliciesAreAskedAboutAnAssignment(t *testing.T) {
	dir := scripted(t, base+`
policy "gate" {
  script = "gate.js"
  on     = ["job.assign"]
  params = { most = 3 }
}
policy "watch" {
  script = "watch.js"
  on     = ["job.assign"]
  mode   = "shadow"
}
`, "gate.js", "watch.js")
	engine := &fakeEngine{}
	engine.say = func(_ context.Context, call script.Call) script.Answer {
		switch {
		case call.Program.Entry == "watch.js":
			return script.Answer{Fault: &script.Fault{Kind: script.FaultThrown, File: "watch.js", Line: 12, Detail: "x is\nnot defined"}}
		case len(engine.of("gate.js")) == 1:
			return value(`{"allow":false,"reason":"not yet"}`)
		}
		return value(`{"allow":true}`)
	}
	outcome, entries, err := rehearse(t, engine, dir)
	require.NoError(t, err)
	require.Equal(t, CodeOK, outcome.Code)

	given := eventsOf[*core.VerdictGiven](entries)
	require.Len(t, given, 2)
	require.Equal(t, core.SayDeny, given[0].Say)
	require.Equal(t, "not yet", given[0].Reason)
	require.Equal(t, core.SayAllow, given[1].Say)
	require.Equal(t, "watch.js:12: x is not defined", given[1].Verdicts[1].Fault)
	require.Equal(t, core.SayDeny, given[1].Verdicts[1].Say, "a fault is the fallback")
	require.True(t, given[1].Verdicts[1].Shadow)
	require.Equal(t, "denied", eventsOf[*core.AttemptFailed](entries)[0].Reason)

	calls := engine.of("gate.js")
	require.Len(t, calls, 2)
	require.NotEqual(t, calls[0].Seed, calls[1].Seed)
	for _, call := range calls {
		canonical(t, call.Input)
		canonical(t, call.View)
		require.Contains(t, string(call.View), `"params":{"most":3}`)
		require.Contains(t, string(call.Input), `"hook":"job.assign"`)
		require.Equal(t, 150*time.Millisecond, call.Timeout)
	}
	require.JSONEq(t, string(calls[1].Input), string(given[1].Request))
}

// A script that meets a limit of the machine is given ten times the allowance,
// and then the rehearsal is of no use.
func TestMachineFaultsEndARehearsal(t *testing.T) {
	dir := scripted(t, base+`
policy "gate" {
  script = "gate.js"
  on     = ["job.assign"]
}
`, "gate.js")
	engine := &fakeEngine{}
	engine.say = func(_ context.Context, call script.Call) script.Answer {
		return script.Answer{Fault: &script.Fault{Kind: script.FaultTime, File: "gate.js", Line: 3, Detail: "it ran longer than its timeout"}}
	}
	_, _, err := rehearse(t, engine, dir)
	require.ErrorIs(t, err, ErrMachine)
	require.ErrorContains(t, err, "gate.js:3: it ran longer")
	calls := engine.of("gate.js")
	require.Len(t, calls, 2)
	require.Equal(t, 10*calls[0].Timeout, calls[1].Timeout)
	require.Equal(t, 10*calls[0].Memory, calls[1].Memory)
}

func TestVerdictsAreReadStrictly(t *testing.T) {
	for answer, want := range map[string]string{
		`{"allow":true}`: core.SayAllow, `{"allow":false,"reason":"no"}`: core.SayDeny, `{"ask":true,"reason":"hm"}`: core.SayAsk,
		`{"allow":true,"reason":"x"}`: core.SayAllow, `{"allow":false}`: core.SayDeny, `{"ask":true}`: core.SayAsk,
		`{}`: "", `null`: "", `true`: "", `[]`: "", `{"allow":1}`: "", `{"ask":false,"reason":""}`: "", `{"Allow":true}`: "",
		`{"allow":true,"ask":true,"reason":"x"}`: "", `{"allow":true,"why":"x"}`: "", `{"allow":false,"reason":7}`: "",
	} {
		say, _, err := parseVerdict([]byte(answer))
		require.Equal(t, want, say, answer)
		require.Equal(t, want == "", err != nil, answer)
	}
	_, reason, err := parseVerdict([]byte(`{"allow":false,"reason":"a\n` + strings.Repeat("é", 1000) + `"}`))
	require.NoError(t, err)
	require.LessOrEqual(t, len(reason), maxReason)
	require.NotContains(t, reason, "\n")
}

func TestEngineThatDoesNotAnswerIsLeft(t *testing.T) {
	run := &scripts{make: func() script.Engine {
		return &fakeEngine{say: func(context.Context, script.Call) script.Answer { select {} }}
	}}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	answer := run.call(ctx, forPolicies, &script.Call{Program: &script.Program{Entry: "a.js"}, Timeout: time.Hour})
	require.Equal(t, script.FaultProcess, answer.Fault.Kind)
}

func readJournal(data string) (*journal.View, error) {
	return journal.Read(journal.Options{Dir: journalDir(data)})
}

// A validator whose script keeps failing is not asked any more: its fallback is
// said.
func TestSuspendedValidatorSaysItsFallback(t *testing.T) {
	for fallback, finalized := range map[string]bool{"rule": true, "abstain": false} {
		mission := base + `
validator "v" {
  count    = 3
  script   = "v.js"
  fallback = "` + fallback + `"
}
job "many" {
  count  = 12
  skills = ["quick"]
  reward = 10
  work   = "1m"
}
`
		engine := &fakeEngine{say: func(context.Context, script.Call) script.Answer {
			return script.Answer{Fault: &script.Fault{Kind: script.FaultThrown, Line: 4, Detail: "no"}}
		}}
		_, entries, err := rehearse(t, engine, scripted(t, mission, "v.js"))
		require.NoError(t, err)
		require.Len(t, eventsOf[*core.ScriptSuspended](entries), 1)
		asked := len(engine.of("v.js"))
		require.True(t, asked >= 5 && asked < 10, "%d times", asked)
		said, ended := 0, 0
		for _, e := range eventsOf[*core.VotesRevealed](entries) {
			if strings.HasPrefix(e.Votes[0].Reason, "script: v.js: suspended: ") {
				said++
			}
		}
		for _, e := range eventsOf[*core.JobEnded](entries) {
			if e.State == core.JobFinalized {
				ended++
			}
		}
		require.Equal(t, finalized, ended > 0, "%s: %d finalized", fallback, ended)
		require.Equal(t, finalized, said == 0, "%s: %d said so", fallback, said)
	}
}
