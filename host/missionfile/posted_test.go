package missionfile

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/omega-run/omega/host/core"
	"github.com/stretchr/testify/require"
)

func TestDecodeJob(t *testing.T) {
	var attributes map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(`{
		"name": "extra", "title": "One \"more\"", "skills": ["b", "a", "b"], "reward": "2.5", "energy_budget": 10, "work": "90s", "deadline": 60,
		"required": false, "priority": "high", "needs": ["one"], "input": {"b": 1, "a": 2}, "employer": "lab",
		"simulated": {"result": {"n": 1}, "delegate": [{"skills": ["a"], "reward": 1}]}
	}`), &attributes))
	job, err := DecodeJob(attributes)
	require.NoError(t, err)
	require.Equal(t, &core.JobSpec{
		ID: "extra", Title: `One "more"`, Skills: []string{"a", "b"}, Reward: 2_500_000, EnergyBudget: 10_000_000, Work: 90 * core.Second, Deadline: core.Minute,
		Priority: core.High, Needs: []string{"one"}, Input: []byte(`{"a":2,"b":1}`), Employer: "lab",
		Simulated: []byte(`{"n":1}`), Delegate: []byte(`[{"reward":1,"skills":["a"]}]`),
	}, job)

	job, err = DecodeJob(map[string]json.RawMessage{"reward": []byte("1"), "skills": []byte("null"), "title": []byte("null")})
	require.NoError(t, err)
	require.True(t, job.Required)
	require.Equal(t, core.Minute, job.Work)
	_, err = DecodeJob(nil)
	require.EqualError(t, err, "reward: it is needed")
}

func TestDecodeJobRefuses(t *testing.T) {
	for attributes, want := range map[string]string{
		`{"reward": "many"}`:                              "reward:",
		`{"reward": -1}`:                                  "reward: it must be between",
		`{"reward": [1]}`:                                 "reward:",
		`{"reward": 1, "rewrd": 2}`:                       `a job has no attribute "rewrd". Did you mean "reward"?`,
		`{"reward": 1, "title": 5}`:                       "title: write text",
		`{"reward": 1, "title": "` + long(1025) + `"}`:    "title: it has 1025 bytes",
		`{"reward": 1, "skills": "a"}`:                    "skills: write a list",
		`{"reward": 1, "skills": ["A"]}`:                  `skills: "A" is not a name`,
		`{"reward": 1, "priority": "urgent"}`:             "priority:",
		`{"reward": 1, "required": 3}`:                    "required:",
		`{"reward": 1, "work": "2 hours"}`:                "work:",
		`{"reward": 1, "input": "` + long(300_000) + `"}`: "input:",
		`{"reward": 1, "simulated": 1}`:                   "simulated: write { result, delegate }",
		`{"reward": 1, "simulated": {"reslt": 1}}`:        `simulated: it has no "reslt". Did you mean "result"?`,
		`{"reward": 1, "simulated": {"delegate": [{}]}}`:  "simulated: child job 1: reward: it is needed",
	} {
		var all map[string]json.RawMessage
		require.NoError(t, json.Unmarshal([]byte(attributes), &all))
		_, err := DecodeJob(all)
		require.ErrorContains(t, err, want, "%.80s", attributes)
	}
}

func long(n int) string { return strings.Repeat("x", n) }

func TestDecodeChildren(t *testing.T) {
	children, err := DecodeChildren([]byte(`[
		{"name": "b", "skills": ["s"], "reward": 1, "needs": ["a"]},
		{"name": "a", "skills": ["s"], "reward": 2, "simulated": {"result": 1, "delegate": [{"skills": ["s"], "reward": "0.5"}]}},
		{"skills": ["s"], "reward": 3, "needs": ["a", "b"], "priority": "low"},
		{"skills": ["s"], "reward": 4}
	]`))
	require.NoError(t, err)
	require.Len(t, children, 4)
	require.Equal(t, []string{"a"}, children[0].Needs)
	require.Equal(t, `[{"reward":"0.5","skills":["s"]}]`, string(children[1].Delegate))
	require.Equal(t, "", children[2].ID)
	require.Equal(t, core.Low, children[2].Priority)
	for _, c := range children {
		require.False(t, c.Required)
	}
	none, err := DecodeChildren([]byte(`[]`))
	require.NoError(t, err)
	require.Empty(t, none)

	child := `{"skills":["s"],"reward":1}`
	most := "[" + strings.Repeat(child+",", maxChildren-1) + child + "]"
	children, err = DecodeChildren([]byte(most))
	require.NoError(t, err)
	require.Len(t, children, maxChildren)
	nested := child
	for range 30 {
		nested = `{"skills":["s"],"reward":1,"simulated":{"delegate":[` + nested + `]}}`
	}
	_, err = DecodeChildren([]byte("[" + nested + "]"))
	require.NoError(t, err)
	for raw, want := range map[string]string{
		``:                             "end of text",
		`{}`:                           "a list of objects",
		`[1]`:                          "a list of objects",
		`[null]`:                       "child job 1: write an object",
		`[{"skills":["s"]}]`:           "child job 1: reward: it is needed",
		`[{"reward":1}]`:               "child job 1: skills: it must name at least one",
		`[{"reward":1,"skills":[]}]`:   "child job 1: skills: it must name at least one",
		`[` + child + `,{"reword":1}]`: `child job 2: a child job has no attribute "reword". Did you mean "reward"?`,
		`[{"skills":["s"],"reward":1,"required":true}]`:                                                                           `no attribute "required"`,
		`[{"skills":["s"],"reward":1,"employer":"x"}]`:                                                                            `no attribute "employer"`,
		`[{"skills":["s"],"reward":1,"name":"A_b"}]`:                                                                              `name: "A_b" cannot be used`,
		`[{"name":"a","skills":["s"],"reward":1},{"name":"a","skills":["s"],"reward":1}]`:                                         `two child jobs are called "a"`,
		`[{"name":"alpha","skills":["s"],"reward":1},{"skills":["s"],"reward":1,"needs":["alpah"]}]`:                              `child job 2: needs: no sibling is called "alpah". Did you mean "alpha"?`,
		`[{"skills":["s"],"reward":1,"needs":[""]}]`:                                                                              "no sibling is called",
		`[{"name":"a","skills":["s"],"reward":1,"needs":["a"]}]`:                                                                  "in a circle: a → a",
		`[{"name":"a","skills":["s"],"reward":1,"needs":["b"]},{"name":"b","skills":["s"],"reward":1,"needs":["a"]}]`:             "in a circle: a → b → a",
		`[{"skills":["s"],"reward":1,"reward":1}]`:                                                                                "duplicate key",
		"[" + strings.Repeat(child+",", maxChildren) + child + "]":                                                                "there are 1001 child jobs",
		`["` + long(maxDelegate) + `"]`:                                                                                           "larger than the limit",
		strings.Repeat("[", 100_000):                                                                                              "nested too deeply",
		`[{"skills":["s"],"reward":1,"simulated":{"delegate":[{"skills":["s"],"reward":1,"simulated":{"delegate":[{"x":1}]}}]}}]`: `child job 1: simulated: child job 1: simulated: child job 1: a child job has no attribute "x"`,
	} {
		_, err := DecodeChildren([]byte(raw))
		require.ErrorContains(t, err, want, "%.80s", raw)
	}
}

func TestDelegate(t *testing.T) {
	lists := []string{
		`  simulated = { result = 1, delegate = [{ name = "p", skills = ["build"], reward = 0.5 }, { skills = ["build"], reward = "1.25", needs = ["p"], input = [1] }] }`,
		"  simulated {\n    result = 1\n    delegate = [for c in [{ name = \"p\", reward = 0.5 }, { needs = [\"p\"], input = [1], reward = \"1.25\" }] : merge(c, { skills = [\"build\"] })]\n  }",
	}
	for _, list := range lists {
		m, diags := load(t, head+job("alpha", list))
		require.Empty(t, diags)
		j := expandAll(t, m, 1)[0]
		require.Equal(t, "1", string(j.Simulated))
		require.Equal(t, `[{"name":"p","reward":0.5,"skills":["build"]},{"input":[1],"needs":["p"],"reward":"1.25","skills":["build"]}]`, string(j.Delegate))
	}
	m, diags := load(t, head+job("alpha", "  count = 2", "  simulated = { delegate = [for i in range(count.index) : { skills = [\"build\"], reward = i }] }"))
	require.Empty(t, diags)
	require.Equal(t, `[{"reward":0,"skills":["build"]}]`, string(expandAll(t, m, 2)[1].Delegate))

	for list, want := range map[string]string{
		`{ delegate = [{ skills = ["build"] }] }`:                                                                                      "12:15: Invalid simulated: Child job 1: reward: it is needed",
		`{ delegate = [{ skills = ["build"], reward = 1, rewrd = 1 }] }`:                                                               `12:15: Invalid simulated: Child job 1: a child job has no attribute "rewrd". Did you mean "reward"?`,
		`{ delegate = [{ skills = ["bild"], reward = 1 }] }`:                                                                           `12:15: Nobody could do a child job: Child job 1: no worker has the skill "bild". Did you mean "build"?`,
		`{ delegate = [{ skills = ["build"], reward = 1, simulated = { delegate = [{ name = "x", skills = ["a"], reward = 1 }] } }] }`: `12:15: Nobody could do a child job: Child job 1: child job "x": no worker has the skill "a"`,
		`{ delegate = {} }`:  "12:15: Invalid simulated: Child jobs are a list",
		`{ delegates = [] }`: `12:15: Invalid simulated: It has no "delegates". Did you mean "delegate"?`,
		`[1]`:                "12:15: Invalid simulated: Write { result",
	} {
		_, diags := load(t, head+job("alpha", "  simulated = "+list))
		require.Len(t, diags, 1, list)
		require.Contains(t, fmt.Sprintf("%d:%d: %s: %s", diags[0].Line, diags[0].Column, diags[0].Summary, diags[0].Detail), want)
	}
	_, diags = load(t, head+job("alpha", "  simulated = { result = 1 }", "  simulated {", "    result = 2", "  }"))
	require.Len(t, diags, 1)
	require.Equal(t, "Duplicate block", diags[0].Summary)
}
