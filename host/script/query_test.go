package script

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// minutes reads "5m" alone.
func minutes(text string) (int64, error) {
	if text == "5m" {
		return 300_000, nil
	}
	return 0, errors.New("it is no duration")
}

func TestDecodeQueries(t *testing.T) {
	all, err := DecodeQueries([]byte(`{"b":{"from":"workers","where":{"skill":"s"},"order":"load"},"a":{"from":"jobs","limit":100,"order":"-deadline","where":{
		"state":["ready","posted","ready"],"skill":"s","employer":"e","priority":"high","parent":"p","label":{"y":"","x":"1"},"deadline_within":4500000,"waiting_over":"5m"}}}`), nil, minutes)
	require.NoError(t, err)
	require.Equal(t, []Query{
		{
			Name: "a", From: "jobs", States: []string{"posted", "ready"}, Skill: "s", Employer: "e", Priority: []string{"high"}, Parent: "p", Labels: []Label{{"x", "1"}, {"y", ""}},
			DeadlineWithin: 4_500_000, WaitingOver: 300_000, Order: "deadline", Descending: true, Limit: 100,
		},
		{Name: "b", From: "workers", Skill: "s", Order: "load", Limit: 20},
	}, all)
	for _, none := range [][]byte{nil, []byte("{}")} {
		all, err = DecodeQueries(none, nil, minutes)
		require.NoError(t, err)
		require.Empty(t, all)
	}
}

func TestDecodeQueriesRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`[]`:                                                           `queries is an object`,
		`null`:                                                         `queries is an object`,
		`{"":{"from":"jobs"}}`:                                         `query "": its name has 1 to 63 bytes`,
		`{"may":{"from":"jobs"}}`:                                      `query "may": the script is given something else by that name (may)`,
		`{"a":1}`:                                                      `query "a": write an object`,
		`{"a":null}`:                                                   `query "a": write an object`,
		`{"a":{}}`:                                                     `query "a": from: it is needed, one of accounts, jobs, skills, validators, workers`,
		`{"a":{"from":"job"}}`:                                         `query "a": from: "job" is not one of accounts, jobs`,
		`{"a":{"from":1}}`:                                             `query "a": from: write text`,
		`{"a":{"from":"jobs","was":1}}`:                                `query "a": it has no "was": there is from, where, order, limit`,
		`{"a":{"from":"jobs","limit":0}}`:                              `query "a": limit: write a whole number from 1 to 100`,
		`{"a":{"from":"jobs","limit":101}}`:                            `limit: write a whole number`,
		`{"a":{"from":"jobs","limit":1.5}}`:                            `limit: write a whole number`,
		`{"a":{"from":"jobs","limit":"5"}}`:                            `limit: write a whole number`,
		`{"a":{"from":"jobs","order":"load"}}`:                         `order: jobs can be ordered by deadline, waiting, reward, posted, not by "load"; "-deadline" turns it round`,
		`{"a":{"from":"jobs","order":"--reward"}}`:                     `order: jobs can be ordered by`,
		`{"a":{"from":"jobs","order":1}}`:                              `order: write text`,
		`{"a":{"from":"jobs","where":[]}}`:                             `where: write an object`,
		`{"a":{"from":"jobs","where":{"stat":"x"}}}`:                   `where: jobs has no "stat": there is state, skill`,
		`{"a":{"from":"accounts","where":{"skill":"x"}}}`:              `where: of accounts nothing can be asked, so leave it out`,
		`{"a":{"from":"jobs","where":{"state":"open"}}}`:               `where: state: "open" is not one of posted, ready`,
		`{"a":{"from":"jobs","where":{"state":[]}}}`:                   `where: state: write a text, or a list with at least one`,
		`{"a":{"from":"jobs","where":{"state":["ready",1]}}}`:          `where: state: write text`,
		`{"a":{"from":"jobs","where":{"priority":"urgent"}}}`:          `where: priority: "urgent" is not one of low, normal, high, critical`,
		`{"a":{"from":"jobs","where":{"skill":""}}}`:                   `where: skill: text has 1 to 1024 bytes`,
		`{"a":{"from":"jobs","where":{"label":{}}}}`:                   `where: label: write an object with 1 to 64 texts`,
		`{"a":{"from":"jobs","where":{"label":{"x":1}}}}`:              `where: label: "x": write text`,
		`{"a":{"from":"jobs","where":{"label":{"x":null}}}}`:           `where: label: "x": write text`,
		`{"a":{"from":"jobs","where":{"deadline_within":0}}}`:          `where: deadline_within: it must be between 1 ms and 100 years`,
		`{"a":{"from":"jobs","where":{"deadline_within":-1}}}`:         `where: deadline_within: it must be between`,
		`{"a":{"from":"jobs","where":{"deadline_within":1.5}}}`:        `where: deadline_within: write whole milliseconds`,
		`{"a":{"from":"jobs","where":{"deadline_within":1e300}}}`:      `where: deadline_within: write whole milliseconds`,
		`{"a":{"from":"jobs","where":{"deadline_within":true}}}`:       `where: deadline_within: write whole milliseconds`,
		`{"a":{"from":"jobs","where":{"waiting_over":"2h"}}}`:          `where: waiting_over: it is no duration`,
		`{"a":{"from":"jobs"},"b":{"a":`:                               `queries is an object`,
		`{"` + strings.Repeat("x", 64) + `":{"from":"jobs"}}`:          `its name has 1 to 63 bytes`,
		`{"x":{"from":"jobs","where":` + strings.Repeat("[", 20_000):   `queries is an object`,
		`{"a":{"from":"validators","where":{"skill":"x"},"limit":-1}}`: `limit: write a whole number`,
	} {
		_, err := DecodeQueries([]byte(text), []string{"may"}, minutes)
		require.ErrorContains(t, err, want, "%.80s", text)
	}
	many := "{"
	for i := range maxQueries + 1 {
		many += `"` + strings.Repeat("q", i+1) + `":{"from":"jobs"},`
	}
	_, err := DecodeQueries([]byte(strings.TrimSuffix(many, ",")+"}"), nil, minutes)
	require.ErrorContains(t, err, "there are 33 queries; at most 32 are answered")
}
