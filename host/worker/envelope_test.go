package worker

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEnvelopeAccepted(t *testing.T) {
	for _, c := range []struct{ in, result, energy, compute string }{
		{`{"result":1}`, `1`, "", ""},
		{` {"result" : null }` + "\n", `null`, "", ""},
		{`{"result":{"b":1,"a":[2, 3]},"energy_used":"0"}`, `{"a":[2,3],"b":1}`, "0", ""},
		{`{"energy_used":"12.5","compute_used":"260000","result":"\u00e9"}`, `"é"`, "12.5", "260000"},
		{`{"result":1e400,"compute_used":"0.000001"}`, `1e400`, "", "0.000001"},
		{`{"\u0072esult":{}}`, `{}`, "", ""},
		{`{"result":"` + strings.Repeat("x", MaxResultBytes-2) + `"}`, `"` + strings.Repeat("x", MaxResultBytes-2) + `"`, "", ""},
		{`{"result":` + strings.Repeat(" ", MaxResultBytes) + `[ ]}`, `[]`, "", ""},
	} {
		r := parsed(c.in)
		result, energy, compute, fault, detail := r.Result, r.EnergyUsed, r.ComputeUsed, r.Fault, r.Detail
		require.Equal(t, Fault(""), fault, "%.80s: %s", c.in, detail)
		require.Equal(t, []string{c.result, c.energy, c.compute}, []string{string(result), energy, compute})
	}
}

func TestEnvelopeRefused(t *testing.T) {
	for in, detail := range map[string]string{
		"":                                      "is empty",
		" \n":                                   "is empty",
		"loading…\n{\"result\":1}":              "byte 0, expected a value, found 'l'",
		`{"result":1} done`:                     "byte 13, unexpected 'd'",
		`{"result":1}{"result":2}`:              "byte 12",
		`{"result":1`:                           "end of text",
		"{\"result\":\"\xff\"}":                 "byte 11, invalid UTF-8",
		`{"result":NaN}`:                        "byte 10",
		`{"result":1,"result":2}`:               `duplicate key "result"`,
		`[1]`:                                   "not an object",
		`"result"`:                              "not an object",
		`null`:                                  "not an object",
		`{}`:                                    `no member "result"`,
		`{"Result":1}`:                          `unknown member "Result"`,
		`{"z":1,"a":2,"result":1}`:              `unknown member "a"; data belongs inside "result"; beside it, or beside "children" instead of it`,
		`{"delegate":[]}`:                       `unknown member "delegate"; child jobs are given as "children"`,
		`{"result":1,"energy_used":5}`:          `"energy_used" = 5`,
		`{"result":1,"energy_used":null}`:       "must be a string",
		`{"result":1,"compute_used":""}`:        "must be a string",
		`{"result":` + strings.Repeat("[", 200): "nested too deeply",
		`{"result":1,"compute_used":"-1"}`:      "not below 0",
		`{"result":1,"compute_used":"+1"}`:      "decimal",
		`{"result":1,"compute_used":"1e3"}`:     "decimal",
		`{"result":1,"compute_used":"01"}`:      "decimal",
		`{"result":1,"compute_used":"1.0"}`:     "decimal",
		`{"result":1,"compute_used":"1."}`:      "decimal",
		`{"result":1,"compute_used":".5"}`:      "decimal",
		`{"result":1,"compute_used":" 1"}`:      "decimal",
		`{"result":1,"compute_used":"1,5"}`:     "decimal",
		`{"result":1,"compute_used":"-0"}`:      "decimal",
		`{"result":1,"compute_used":"٣"}`:       "decimal",
		`{"result":1,"energy_used":"1.2.3"}`:    "decimal",
		`{"result":1,"energy_used":"0.0"}`:      "decimal",
		`{"result":1,"energy_used":"00"}`:       "decimal",
		`{"result":1,"energy_used":"1` + strings.Repeat("0", 40):        "byte",
		`{"result":1,"energy_used":"1` + strings.Repeat("0", 40) + `"}`: "decimal",
	} {
		r := parsed(in)
		fault, got := r.Fault, r.Detail
		require.Equal(t, FaultBadJSON, fault, in)
		require.Contains(t, got, detail, in)
	}
	r := parsed(`{"result":"` + strings.Repeat("x", MaxResultBytes-1) + `"}`)
	fault, detail := r.Fault, r.Detail
	require.Equal(t, FaultTooLarge, fault)
	require.Contains(t, detail, "65537 bytes")
}

func parsed(stdout string) (r Reply) {
	r.parse([]byte(stdout), printed())
	return r
}

func TestChildrenInsteadOfAResult(t *testing.T) {
	r := parsed(`{"children":[{"skills":["s"]}],"energy_used":"1"}`)
	require.Empty(t, r.Detail)
	require.Equal(t, `[{"skills":["s"]}]`, string(r.Children))
	require.Nil(t, r.Result)
	for in, says := range map[string]string{
		`{"children":[],"result":1}`: "has both",
		`{"children":{}}`:            "not a list",
	} {
		r := parsed(in)
		require.Equal(t, FaultBadJSON, r.Fault)
		require.Contains(t, r.Detail, says)
	}
}

func TestVerdict(t *testing.T) {
	vote, reason, err := Verdict([]byte(`{"vote":"reject","reason":"too short"}`))
	require.NoError(t, err)
	require.Equal(t, "reject too short", vote+" "+reason)
	for in, says := range map[string]string{
		``:                            "is empty",
		`[]`:                          "is not an object",
		`{"vote":"yes"}`:              `the vote "yes"`,
		`{"vote":1}`:                  "a vote that is not text",
		`{"vote":"approve","x":1}`:    "unknown member",
		`{"reason":"no vote at all"}`: `the vote ""`,
	} {
		_, _, err := Verdict([]byte(in))
		require.ErrorContains(t, err, says)
	}
}
