package host

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/script"
)

const delegating = `
mission "scripted" { seed = 7 }
treasury { tokens = 10000 }
worker "quick" {
  skills = ["quick"]
  count  = 2
  simulated {}
}
policy "kids" {
  script = "kids.js"
  on     = ["job.delegate"]
}
job "parent" {
  skills    = ["quick"]
  reward    = 100
  simulated = { delegate = [{ skills = ["quick"], reward = 1 }, { skills = ["quick"], reward = 2 }] }
}
`

func TestDelegationsAreHeldBack(t *testing.T) {
	dir := scripted(t, delegating, "kids.js")
	engine := &fakeEngine{}
	engine.say = func(_ context.Context, call script.Call) script.Answer {
		if len(engine.of("kids.js")) == 1 {
			return value(`{"allow":false,"reason":"too many"}`)
		}
		return value(`{"allow":true}`)
	}
	outcome, entries, err := rehearse(t, engine, dir)
	require.NoError(t, err)
	require.Equal(t, CodeOK, outcome.Code)
	require.Equal(t, "denied", eventsOf[*core.AttemptFailed](entries)[0].Reason)
	require.Len(t, eventsOf[*core.AttemptDelegated](entries), 1)
	request := string(engine.of("kids.js")[0].Input)
	canonical(t, []byte(request))
	require.Contains(t, request, `"by":"worker:quick_`)
	require.Contains(t, request, `"cost":"3.15"`)
	require.Contains(t, request, `"left":"`)
}

// session opens a live mission with an engine.
func liveSession(t *testing.T, engine script.Engine, dir string) *owner {
	t.Helper()
	s, err := Open(t.Context(), Config{Path: dir, Data: filepath.Join(dir, "data"), Scripts: func() script.Engine { return engine }})
	require.NoError(t, err)
	key, err := OwnerKey(true)
	require.NoError(t, err)
	return &owner{t: t, session: s, key: publicOf(key)}
}

// An engine that never answers holds up what waits for it, and nothing else.
func TestHungEngineDoesNotMoveTheLoop(t *testing.T) {
	dir := scripted(t, `
mission "hung" { seed = 7 }
treasury { tokens = 10000 }
autonomy { guardian_interval = "1s" }
worker "quick" {
  skills = ["quick"]
  count  = 4
  simulated {}
}
guardian {
  script  = "guardian.js"
  timeout = "1m"
}
policy "watch" {
  script  = "watch.js"
  on      = ["job.post"]
  timeout = "20ms"
}
policy "gate" {
  script  = "gate.js"
  on      = ["job.assign"]
  timeout = "1m"
}
job "one" {
  skills   = ["quick"]
  reward   = 1
  required = false
}
`, "guardian.js", "watch.js", "gate.js")
	never := make(chan struct{})
	t.Cleanup(func() { close(never) })
	engine := &fakeEngine{say: func(context.Context, script.Call) script.Answer {
		<-never
		return script.Answer{}
	}}
	o := liveSession(t, engine, dir)
	o.until(func(e core.Event) bool { _, ok := e.(*core.JobAssigned); return ok })
	require.Eventually(t, func() bool { return len(engine.of("gate.js")) == 1 && len(engine.of("guardian.js")) == 1 }, 10*time.Second, time.Millisecond)

	began := time.Now()
	_, refusal := o.say(core.Order{Say: core.PostJob, Post: &core.JobSpec{ID: "two", Skills: []string{"quick"}, Reward: 1}})
	require.Nil(t, refusal)
	require.Less(t, time.Since(began), 3*time.Second, "an order is obeyed without those who only watch")
	require.Len(t, engine.of("watch.js"), 1)
	_, refusal = o.say(core.Order{Say: core.Pause})
	require.Nil(t, refusal)
	_, refusal = o.say(core.Order{Say: core.Resume})
	require.Nil(t, refusal)
	_, refusal = o.say(core.Order{Say: core.CancelJob, Job: "two"})
	require.Nil(t, refusal)
	_, refusal = o.say(core.Order{Say: core.EmergencyStop})
	require.Nil(t, refusal)
	outcome, err := o.session.Wait()
	require.NoError(t, err)
	require.Equal(t, CodeStopped, outcome.Code)
	for _, e := range entriesOf(t, outcome.Data) {
		for _, event := range e.Events {
			require.NotEqual(t, "attempt_started", event.Name(), "nobody has let an attempt begin")
		}
	}
}

// What the owner posts is obeyed whatever a policy says, which is recorded with
// it; another order does not wait.
func TestPostedJobsAreShown(t *testing.T) {
	dir := scripted(t, base+`
policy "watch" {
  script  = "watch.js"
  on      = ["job.post"]
  timeout = "10s"
}
job "hold" {
  skills   = ["quick"]
  reward   = 1
  work     = "10h"
  required = false
}
`, "watch.js")
	let := make(chan struct{})
	engine := &fakeEngine{say: func(_ context.Context, call script.Call) script.Answer {
		if strings.Contains(string(call.Input), `"job":"slow"`) {
			<-let
		}
		return value(`{"allow":false,"reason":"too dear"}`)
	}}
	o := liveSession(t, engine, dir)
	seq, refusal := o.say(core.Order{Say: core.PostJob, Post: &core.JobSpec{ID: "extra", Skills: []string{"quick"}, Reward: 1_000_000}})
	require.Nil(t, refusal)
	entry := o.until(func(e core.Event) bool { v, ok := e.(*core.VerdictGiven); return ok && v.Subject == "extra" })
	require.Equal(t, seq, entry.Seq)
	require.Equal(t, "verdict_given", entry.Events[0].Name())
	require.Equal(t, core.SayDeny, entry.Events[0].(*core.VerdictGiven).Say)
	require.Len(t, eventsOf[*core.JobPosted]([]*core.Entry{entry}), 1)

	slow := core.Order{ID: "slow", Key: o.key, Counter: 50, Body: core.Digest{50}, Say: core.PostJob, Post: &core.JobSpec{ID: "slow", Skills: []string{"quick"}}}
	receipt, err := o.session.Submit(t.Context(), "owner", &slow)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(engine.of("watch.js")) == 2 }, 10*time.Second, time.Millisecond)
	o.counter = 50
	pause, refusal := o.say(core.Order{Say: core.Pause})
	require.Nil(t, refusal)
	posted, refusal, err := receipt.Wait(t.Context())
	require.NoError(t, err)
	require.Nil(t, refusal)
	require.Less(t, posted, pause, "in the order in which they were given")
	close(let)
	_, refusal = o.say(core.Order{Say: core.EmergencyStop})
	require.Nil(t, refusal)
	_, err = o.session.Wait()
	require.NoError(t, err)
}

const worked = `
mission "worked" { seed = 7 }
treasury { tokens = 10000 }
governance { committee = 3 }
delegation { retry_backoff = "1s" }
worker "calc" {
  skills = ["calc"]
  script  = "calc.js"
  params  = { base = 2 }
  timeout = "2s"
}
validator "judge" {
  count  = 3
  script = "judge.js"
}
job "sum" {
  skills = ["calc"]
  reward = 100
  work   = "3m"
  input  = { n = 4 }
}
`

func TestScriptsWorkAndJudge(t *testing.T) {
	dir := scripted(t, worked, "calc.js", "judge.js")
	engine := &fakeEngine{}
	engine.say = func(_ context.Context, call script.Call) script.Answer {
		canonicalJSON(t, call.Input)
		canonicalJSON(t, call.View)
		switch n := len(engine.of(call.Program.Entry)); {
		case call.Program.Entry == "judge.js" && n == 1:
			return script.Answer{Fault: &script.Fault{Kind: script.FaultThrown, File: "judge.js", Line: 2, Detail: "oh"}}
		case call.Program.Entry == "judge.js":
			return value(`{"vote":"approve","reason":"good"}`)
		case n == 1:
			return script.Answer{Fault: &script.Fault{Kind: script.FaultThrown, File: "calc.js", Line: 9, Detail: "TypeError: x"}, Log: []string{"hello"}}
		case n == 2:
			return value(`{"children":[{"name":"part","skills":["calc"],"reward":1,"work":1000}]}`)
		}
		return value(`{"energy_used":"0","result":{"sum":8}}`)
	}
	outcome, entries, err := rehearse(t, engine, dir)
	require.NoError(t, err)
	require.Equal(t, CodeOK, outcome.Code)
	failed := eventsOf[*core.AttemptFailed](entries)[0]
	require.Equal(t, "script", failed.Reason)
	require.Equal(t, "calc.js:9: TypeError: x", failed.Detail)
	var child *core.JobPosted
	for _, p := range eventsOf[*core.JobPosted](entries) {
		if p.Spec.Parent != "" {
			child = p
		}
	}
	require.Equal(t, core.Duration(1000), child.Spec.Work, "a bare number is milliseconds")
	require.Equal(t, `{"sum":8}`, string(eventsOf[*core.AttemptSubmitted](entries)[0].Result))
	votes := eventsOf[*core.VotesRevealed](entries)
	require.Equal(t, "abstain", votes[0].Votes[0].Vote)
	require.Equal(t, "script: judge.js:2: oh", votes[0].Votes[0].Reason)
	require.Equal(t, "approve", votes[1].Votes[0].Vote)
	require.Len(t, engine.of("judge.js"), len(votes), "a block is asked once a round")

	calc := engine.of("calc.js")
	require.JSONEq(t, `{"attempt":1,"job":"sum","mission":"worked","params":{"base":2}}`, string(calc[0].View))
	require.JSONEq(t, `{"children":[],"input":{"n":4},"job":"sum","left":"92","skills":["calc"],"title":""}`, string(calc[0].Input))
	require.Equal(t, 2*time.Second, calc[0].Timeout)
	require.NotEqual(t, calc[0].Seed, calc[1].Seed)
}
