package host

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
	"github.com/omega-run/omega/host/ledger"
	"github.com/omega-run/omega/host/script"
)

const stewarded = base + `
autonomy {
  may    = ["expedite", "post"]
  budget = 500
}
guardian {
  script = "guardian.js"
  params = { least = 1 }
}
strategist "macro" {
  script = "macro.js"
  budget = 300
}
policy "spending" {
  script = "spending.js"
  on     = ["job.post", "transfer"]
}
job "two" {
  skills = ["quick"]
  reward = 10
  work   = "5m"
}
job "three" {
  needs  = [job.two]
  skills = ["quick"]
  reward = 10
}
`

func TestStewardsAreAskedAndHeeded(t *testing.T) {
	dir := scripted(t, stewarded, "macro.js", "spending.js", `guardian.js // {"open":{"from":"jobs"},"staff":{"from":"workers","limit":1}}`)
	engine := &fakeEngine{}
	engine.say = func(_ context.Context, call script.Call) script.Answer {
		canonicalJSON(t, call.Input)
		canonicalJSON(t, call.View)
		switch {
		case call.Program.Entry == "spending.js" && strings.Contains(string(call.Input), `"by":"macro"`):
			return value(`{"allow":false,"reason":"not now"}`)
		case call.Program.Entry == "spending.js":
			return value(`{"allow":true}`)
		case call.Program.Entry == "guardian.js" && len(engine.of("guardian.js")) == 1:
			return value(`{"headline":"One at work","alerts":[{"severity":"info","text":"two takes long","job":"two"}],"actions":[{"do":"post","job":{"name":"extra","skills":["quick"],"reward":5,"work":60000},"why":"more"},{"do":"boost","job":"three","tokens":"3"}]}`)
		case call.Program.Entry == "macro.js" && len(engine.of("macro.js")) == 1:
			return value(`{"headline":"More","posts":[{"name":"late","skills":["quick"],"reward":"7.5"}],"wake":"90s"}`)
		case call.Program.Entry == "macro.js":
			return script.Answer{Fault: &script.Fault{Kind: script.FaultThrown, Line: 4, Detail: "no"}}
		}
		return value(`{"headline":"One at work"}`)
	}
	outcome, entries, err := rehearse(t, engine, dir)
	require.NoError(t, err)
	require.Equal(t, CodeOK, outcome.Code)

	plans := eventsOf[*core.PlanRecorded](entries)
	byName := map[string][]*core.PlanRecorded{}
	for _, p := range plans {
		byName[p.Steward] = append(byName[p.Steward], p)
	}
	first := byName["guardian"][0]
	require.Equal(t, "One at work", first.Headline)
	require.Equal(t, core.OutcomeTaken, first.Actions[0].Outcome, "%+v", first.Actions)
	require.Equal(t, core.Minute, first.Actions[0].Action.Post.Work, "a bare number is milliseconds")
	require.Equal(t, core.OutcomeWaiting, first.Actions[1].Outcome, "boost stands not in may: %+v", first.Actions[1])
	require.Equal(t, core.OutcomeDenied, byName["macro"][0].Actions[0].Outcome)
	require.Equal(t, core.Duration(90_000), byName["macro"][0].Wake)
	require.Equal(t, "macro.js:4: no", byName["macro"][1].Fault)
	require.Len(t, eventsOf[*core.VerdictGiven](entries), 3, "post, boost, and the strategist's post")

	guardian := engine.of("guardian.js")
	var input struct {
		Open    struct{ Rows []struct{ Job string } }
		Staff   struct{ More bool }
		Waiting []struct{ ID, Do, Job string }
		May     []string
		Budget  string
	}
	require.NoError(t, json.Unmarshal(guardian[1].Input, &input))
	require.Equal(t, []string{"expedite", "post"}, input.May)
	require.Equal(t, "494.75", input.Budget)
	require.Equal(t, "boost", input.Waiting[0].Do)
	require.True(t, input.Staff.More)
	require.NotEmpty(t, input.Open.Rows)
	require.Contains(t, string(engine.of("spending.js")[0].Input), `"hook":"job.post"`)

	var told struct {
		Events []struct{ Event, Job, State, Text string }
		Plan   struct{ Headline string }
	}
	macro := engine.of("macro.js")
	require.Greater(t, len(macro), 1)
	require.NoError(t, json.Unmarshal(macro[1].Input, &told))
	require.Equal(t, "One at work", told.Plan.Headline)
	require.NotEmpty(t, told.Events)
	require.Equal(t, "job_ended", told.Events[len(told.Events)-1].Event, "%+v", told.Events)
	require.Equal(t, "finalized", told.Events[len(told.Events)-1].State)
}

// A guardian that keeps failing is stood in for by Omega's own where the mission
// says so; otherwise nobody is asked.
func TestGuardianIsStoodInFor(t *testing.T) {
	for fallback, headlines := range map[string]int{"default": 1, "none": 0} {
		mission := strings.Replace(stewarded, "  params = { least = 1 }\n", "  params = { least = 1 }\n  fallback = \""+fallback+"\"\n", 1)
		mission = strings.Replace(mission, `"5m"`, `"5h"`, 1)
		engine := &fakeEngine{say: func(_ context.Context, call script.Call) script.Answer {
			switch call.Program.Entry {
			case "guardian.js":
				return script.Answer{Fault: &script.Fault{Kind: script.FaultThrown, Line: 4, Detail: "no"}}
			case "omega:guardian":
				return value(`{"headline":"In its place"}`)
			}
			return value(`{}`)
		}}
		outcome, entries, err := rehearse(t, engine, scripted(t, mission, "macro.js", "spending.js", "guardian.js"))
		require.NoError(t, err)
		require.Equal(t, CodeOK, outcome.Code)
		require.Len(t, engine.of("guardian.js"), 5, fallback)
		stoodIn := engine.of("omega:guardian")
		said := 0
		for _, p := range eventsOf[*core.PlanRecorded](entries) {
			if p.Headline != "" {
				said++
				require.Equal(t, core.Digest(stoodIn[0].Program.Digest), p.Script)
			}
		}
		require.Equal(t, headlines, said, "%s: it is recorded once, and then says the same", fallback)
		if fallback == "none" {
			require.Empty(t, stoodIn)
			continue
		}
		require.Greater(t, len(stoodIn), 10)
		require.Contains(t, string(stoodIn[0].Input), `"may":["expedite","post"]`)
		require.NotContains(t, string(stoodIn[0].View), "least")
	}
}

func canonicalJSON(t *testing.T, text []byte) {
	want, err := core.Canonical(text)
	if err != nil || string(want) != string(text) {
		t.Errorf("not canonical: %v\n%s\n%s", err, text, want)
	}
}

func TestPlansAreReadStrictly(t *testing.T) {
	for answer, want := range map[string]string{
		`[]`:                "the answer is not an object",
		`{"heading":"x"}`:   "heading has no place: there is actions, alerts, headline, memory, recommend",
		`{"headline":7}`:    "headline: write text",
		`{"alerts":{}}`:     "alerts: write a list",
		`{"recommend":[1]}`: "recommend[0]: write text",
		`{"alerts":[{"severity":"bad","text":"x"}]}`:                    `alerts[0].severity: "bad" is not one of info, warning, critical`,
		`{"alerts":[{"severity":"info"}]}`:                              "alerts[0].text: write text",
		`{"actions":[{"do":"explode"}]}`:                                "actions[0].do: write one of boost, expedite",
		`{"actions":[{"do":"expedite","jobs":"x"}]}`:                    "actions[0].jobs has no place: there is do, why, job",
		`{"actions":[{"do":"expedite"}]}`:                               "actions[0].job: write text",
		`{"actions":[{"do":"boost","job":"a","tokens":"1.2345678"}]}`:   "actions[0].tokens: amount",
		`{"actions":[{"do":"boost","job":"a","tokens":-1}]}`:            "actions[0].tokens: write an amount above 0",
		`{"actions":[{"do":"boost","job":"a","tokens":1e21}]}`:          "actions[0].tokens: amount",
		`{"actions":[{"do":"reprice"}]}`:                                "actions[0]: say a price",
		`{"actions":[{"do":"pause_skill","skill":"a","for":"soon"}]}`:   "actions[0].for: ",
		`{"actions":[{"do":"pause_skill","skill":"a","for":1.5}]}`:      "actions[0].for: write whole milliseconds",
		`{"actions":[{"do":"pause_skill","skill":"a","for":9e18}]}`:     "actions[0].for: ",
		`{"actions":[{"do":"post","job":{"skills":["a"]}}]}`:            "actions[0].job: reward: it is needed",
		`{"actions":[{"do":"post"}]}`:                                   "actions[0].job: write an object",
		`{"actions":[{"do":"steer","simulation":"s"}]}`:                 "actions[0].action: say what",
		`{"actions":[null]}`:                                            "actions[0].do",
		`{"actions":[{"do":"post","job":{"reward":1,"skillz":["a"]}}]}`: "actions[0].job: a job has no attribute",
	} {
		err := parsePlan([]byte(answer), &core.Advise{})
		require.ErrorContains(t, err, want, answer)
	}
	var plan core.Advise
	require.NoError(t, parsePlan([]byte(`{"actions":[{"do":"reprice","energy":1.5},{"do":"pause_skill","skill":"a","for":1500},{"do":"steer","simulation":"s","action":{"a":1}}],"recommend":["rest\nnow"]}`), &plan))
	require.Equal(t, ledger.Amount(1_500_000), plan.Actions[0].Energy)
	require.Equal(t, core.Duration(1500), plan.Actions[1].For)
	require.Equal(t, `{"a":1}`, string(plan.Actions[2].Steer))
	require.Equal(t, []string{"rest now"}, plan.Recommend)
	require.ErrorContains(t, parseAdvice([]byte(`{"posts":[{"reward":1,"work":"x"}]}`), &plan), "posts[0]: work: ")
	require.ErrorContains(t, parseAdvice([]byte(`{"wake":0}`), &plan), "wake: write a time above 0")
}

// What has happened before a host is told by the end of the journal, whatever
// has become of the jobs it is about.
func TestNewsAreRecalled(t *testing.T) {
	dir := scripted(t, stewarded, "macro.js", "spending.js", "guardian.js")
	engine := &fakeEngine{say: func(context.Context, script.Call) script.Answer { return value(`{}`) }}
	outcome, _, err := rehearse(t, engine, dir)
	require.NoError(t, err)
	found, err := recoverState(journal.Options{Mission: mustIdentity(t, outcome.Data)}, outcome.Data)
	require.NoError(t, err)
	var n news
	require.NoError(t, n.recall(found.state, found.journal))
	require.NoError(t, found.journal.Close())
	var p pen
	n.appendTo(&p, 0)
	canonical(t, p.b)
	require.Contains(t, string(p.b), `"event":"job_ended","job":"three"`)
	p = pen{}
	n.appendTo(&p, found.state.Seq())
	require.Equal(t, "[]", string(p.b))
}

func mustIdentity(t *testing.T, data string) string {
	created, err := Identity(data)
	require.NoError(t, err)
	return created.Mission
}
