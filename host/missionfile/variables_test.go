package missionfile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/omega-run/omega/host/core"
	"github.com/stretchr/testify/require"
)

// variables is a mission with a variable block and a job that shows its value.
func variables(block, show string) string {
	return head + "variable \"x\" {\n" + block + "\n}\n" + job("alpha", "  input = "+show)
}

func TestVariableValues(t *testing.T) {
	dir := t.TempDir()
	one, two := write(t, dir, "one.hcl", "x = \"first\"\n"), write(t, dir, "two.json", `{"x": "second ${not a template}"}`)
	for name, c := range map[string]struct {
		block string
		given Given
		want  string
	}{
		"default":               {`default = "d"`, Given{}, `"d"`},
		"environment":           {`default = "d"`, Given{Environ: []string{"PATH=x", "OMEGA_VAR_x=e=f", "OMEGA_VAR_y=z"}}, `"e=f"`},
		"file over environment": {``, Given{Environ: []string{"OMEGA_VAR_x=e"}, Files: []string{one}}, `"first"`},
		"later file":            {``, Given{Files: []string{one, two}}, `"second ${not a template}"`},
		"flag over files":       {``, Given{Files: []string{one, two}, Flags: []string{"x=f"}}, `"f"`},
		"later flag":            {``, Given{Flags: []string{"x=f", "x=g=h"}}, `"g=h"`},
		"text by default":       {``, Given{Flags: []string{"x=[1]"}}, `"[1]"`},
		"number":                {`type = number`, Given{Flags: []string{"x=2e3"}}, `2000`},
		"flag":                  {`type = bool`, Given{Flags: []string{"x=true"}}, `true`},
		"list":                  {`type = list(string)`, Given{Flags: []string{`x=["a", 1]`}}, `["a","1"]`},
		"any":                   {`type = any`, Given{Flags: []string{`x={ a = [1, "b"] }`}}, `{"a":[1,"b"]}`},
		"map":                   {`type = map(number)`, Given{Flags: []string{`x={ b = "2" }`}}, `{"b":2}`},
		"object":                {`type = object({ a = number, b = optional(string, "z") })`, Given{Flags: []string{`x={ a = 1 }`}}, `{"a":1,"b":"z"}`},
		"set":                   {`type = set(string)`, Given{Flags: []string{`x=["b", "a", "b"]`}}, `["a","b"]`},
		"null":                  {"type = string\ndefault = null", Given{}, `null`},
		"default is converted":  {"type = list(number)\ndefault = [\"1\", 2]", Given{}, `[1,2]`},
	} {
		t.Run(name, func(t *testing.T) {
			m, diags := Load(write(t, t.TempDir(), "mission.hcl", variables(c.block, "{ x = var.x }")), c.given)
			require.Empty(t, diags)
			require.Equal(t, `{"x":`+c.want+`}`, string(expandAll(t, m, 10)[0].Input))
			require.Equal(t, []core.Variable{{Name: "x", Value: []byte(c.want)}}, m.Variables())
			again, diags := Compile(m.Entry(), m.Sources(), m.Variables()...)
			require.Empty(t, diags)
			require.Equal(t, expandAll(t, m, 10), expandAll(t, again, 10))
			require.Equal(t, m.Variables(), again.Variables())
		})
	}
}

// TestVariablesEverywhere: a variable may stand wherever an expression may.
func TestVariablesEverywhere(t *testing.T) {
	m, diags := load(t, `
variable "n" {
  type    = number
  default = 2
}
variable "who" { default = "bob" }
variable "keys" {
  type    = set(string)
  default = ["k"]
}
locals { twice = var.n * 2 }
mission "m" { owner = var.who }
treasury { tokens = 1000 * var.n }
governance { slash_shares = { employer = 1, treasury = var.n - 2, burn = 0 } }
account "lab" { tokens = 10 * var.n }
worker "w" {
  count  = var.n
  skills = ["s${var.n}"]
  exec {
    command = ["echo", var.who]
  }
}
job "a" {
  for_each = var.keys
  employer = "lab"
  skills   = ["s2"]
  reward   = var.n
  accept {
    schema    = { type = "object", required = [var.who] }
    condition = result.bob == local.twice
  }
}
job "b" {
  count  = var.n
  skills = ["s2"]
  reward = 1
  needs  = var.n > 1 ? [job.a["k"]] : []
  input  = "${var.who} ${job.a["k"].result.x}"
}
`)
	require.Empty(t, diags)
	require.Equal(t, "bob", m.Spec().Mission.Owner)
	require.Equal(t, "2000", m.Spec().Treasury.Tokens.String())
	require.Equal(t, "20", m.Spec().Accounts[0].Tokens.String())
	require.Len(t, m.Spec().Workers[0].Instances, 2)
	require.Equal(t, []string{"echo", "bob"}, m.Spec().Workers[0].Exec.Command)
	jobs := expandAll(t, m, 10)
	require.Equal(t, "lab", jobs[0].Employer)
	require.Equal(t, []string{jobs[0].ID}, jobs[1].Needs)
	approve, _ := m.Judge(jobs[0].ID, []byte(`{"bob":4}`))
	require.True(t, approve)
	input, problem := m.Input("b_1", func(string) ([]byte, bool) { return []byte(`{"x":1}`), true })
	require.Nil(t, problem)
	require.Equal(t, `"bob 1"`, string(input))
}

func TestVariablesRefused(t *testing.T) {
	dir := t.TempDir()
	bad := write(t, dir, "bad.hcl", "x = upper(\"a\")\n")
	broken := write(t, dir, "broken.hcl", "x = \n")
	deepFile := write(t, dir, "deep.json", strings.Repeat("[", 100_000))
	unknown := write(t, dir, "unknown.hcl", "\nxname = 1\n")
	for name, c := range map[string]struct {
		source string
		given  Given
		want   string // line:column: summary … part of the remedy; the only error
	}{
		"missing":               {variables("", "1"), Given{}, `9:1: Missing value: --var x=…`},
		"undeclared flag":       {variables("default = 1", "1"), Given{Flags: []string{"y=1"}}, `0:0: Unknown variable in --var: No variable block declares "y"`},
		"no equals sign":        {variables("default = 1", "1"), Given{Flags: []string{"hunter2"}}, `0:0: No value in --var: name=value`},
		"undeclared in a file":  {variables("default = 1", "1"), Given{Files: []string{unknown}}, `2:1: Unknown variable: No variable block declares "xname"`},
		"a call in a file":      {variables("", "1"), Given{Files: []string{bad}}, `1:5: Not a constant: calls no function`},
		"a broken file":         {variables("", "1"), Given{Files: []string{broken}}, `1:5: Invalid expression`},
		"a deep file":           {variables("", "1"), Given{Files: []string{deepFile}}, `1:401: Nested too deeply`},
		"no file":               {variables("", "1"), Given{Files: []string{dir + "/nothing"}}, `1:1: File not readable: no such file`},
		"a folder":              {variables("", "1"), Given{Files: []string{dir}}, `1:1: File not readable: directory`},
		"wrong type":            {variables("type = number", "1"), Given{Flags: []string{"x=secret"}}, `9:1: Wrong type: --var x gives is not: a number is required`},
		"wrong type in a file":  {variables("type = number", "1"), Given{Files: []string{write(t, dir, "t.hcl", "x = [1]")}}, `1:5: Wrong type: this file gives`},
		"no expression":         {variables("type = list(string)", "1"), Given{Flags: []string{"x=[a"}}, `9:1: Invalid value: at column`},
		"a deep expression":     {variables("type = any", "1"), Given{Flags: []string{"x=" + strings.Repeat("[", 100_000)}}, `9:1: Invalid value: nested too deeply`},
		"a reference":           {variables("type = any", "1"), Given{Flags: []string{"x=local.a"}}, `9:1: Invalid value: no constant`},
		"wrong default":         {variables("type = number\ndefault = \"x\"", "1"), Given{}, `11:11: Invalid default: a number is required`},
		"default with a local":  {variables("default = local.x", "1"), Given{}, `10:11: No reference here: write it out`},
		"default with itself":   {variables("default = var.x", "1"), Given{}, `10:11: No reference here: write it out`},
		"unknown type":          {variables("type = text", "1"), Given{}, `10:8: Invalid type specification`},
		"wrong flag":            {variables("default = 1\nsensitive = \"x\"", "1"), Given{}, `11:13: Invalid sensitive: bool`},
		"misspelt":              {variables("defalt = 1", "1"), Given{Flags: []string{"x=1"}}, `10:1: Unsupported argument: Did you mean "default"?`},
		"misspelt reference":    {variables("default = 1", "var.y"), Given{}, `15:11: Unknown variable: No variable block declares "y"`},
		"the whole":             {variables("default = 1", "var"), Given{}, `15:11: Incomplete reference: var.name`},
		"in a local":            {head + "variable \"pay\" { default = 1 }\nlocals {\n  a = var.pey\n}\n" + job("alpha"), Given{}, `11:7: Unknown variable: Did you mean "pay"?`},
		"twice":                 {variables("default = 1", "1") + "variable \"x\" { default = 1 }\n", Given{}, `17:10: Duplicate variable: mission.hcl:9`},
		"not a name":            {head + "variable \"a b\" { default = 1 }\n" + job("alpha"), Given{}, `9:10: Not a name: letters, digits`},
		"too large":             {variables("", "1"), Given{Flags: []string{"x=" + strings.Repeat("x", maxVariable)}}, `9:1: Wrong type: bytes as JSON`},
		"a huge number":         {variables("type = number", "1"), Given{Flags: []string{"x=1e9999999"}}, `9:1: Wrong type: 400 digits`},
		"not UTF-8":             {variables("type = any", "1"), Given{Flags: []string{"x=\"\xff\""}}, `9:1: Invalid value: not UTF-8 text`},
		"text that is no UTF-8": {variables("", "1"), Given{Flags: []string{"x=\xff"}}, `9:1: Invalid value: not UTF-8 text`},
	} {
		t.Run(name, func(t *testing.T) {
			m, diags := Load(write(t, t.TempDir(), "mission.hcl", c.source), c.given)
			require.Nil(t, m)
			require.Len(t, diags, 1, "%v", diags)
			parts := strings.SplitN(c.want, ": ", 3)
			require.Equal(t, strings.Join(parts[:2], ": "), fmt.Sprintf("%d:%d: %s", diags[0].Line, diags[0].Column, diags[0].Summary))
			if len(parts) == 3 {
				require.Contains(t, diags[0].Detail, parts[2])
			}
			require.NotContains(t, diags[0].String(), "secret")
			require.NotContains(t, diags[0].String(), "hunter2")
		})
	}
}

const canary = "canary-7b1e9d"

// keyed is a mission with a sensitive variable and further text.
func keyed(more string) string {
	return head + "variable \"key\" {\n  sensitive = true\n}\n" + more
}

// TestSecretsOutOfPlace: wherever a sensitive value would get out, the diagnostic
// stands there and does not hold it.
func TestSecretsOutOfPlace(t *testing.T) {
	for name, c := range map[string]struct{ more, want string }{
		"title":                    {job("a", "  title = var.key"), "15 var.key"},
		"a template":               {job("a", `  title = "x ${var.key}"`), "15 var.key"},
		"a function":               {job("a", "  work = length(var.key)"), "15 var.key"},
		"a choice":                 {job("a", `  title = var.key == "x" ? "a" : "b"`), "15 var.key"},
		"a setting":                {"delegation {\n  max_attempts = length(var.key)\n}\n" + job("a"), "13 var.key"},
		"count":                    {job("a", "  count = length(var.key)"), "15 var.key"},
		"for_each":                 {job("a", "  for_each = [var.key]"), "15 var.key"},
		"input":                    {job("a", "  input = { k = var.key }"), "15 var.key"},
		"a lazy input":             {job("a") + job("b", `  input = [for x in job.a.result : "${x}${var.key}"]`), "20 var.key"},
		"a lazy choice":            {job("a") + job("b", `  input = job.a.result.x ? 1 : var.key`), "20 var.key"},
		"a condition":              {job("a", "  accept {", "    condition = result.ok || result.k == var.key", "  }"), "16 var.key"},
		"a schema":                 {job("a", "  accept {", "    schema = { const = var.key }", "  }"), "16 var.key"},
		"an answer":                {job("a", "  simulated = { result = var.key }"), "15 var.key"},
		"needs":                    {job("a") + job("b", `  needs = var.key == "x" ? [job.a] : []`), "20 var.key"},
		"a command":                {"worker \"x\" {\n  skills = [\"x\"]\n  exec {\n    command = [\"curl\", var.key]\n  }\n}\n" + job("a"), "15 var.key"},
		"through a local":          {"locals {\n  k = { a = var.key, b = 1 }\n}\n" + job("a", "  title = local.k.a"), "18 local"},
		"through a whole local":    {"locals {\n  k = { a = var.key, b = 1 }\n}\n" + job("a", "  input = local.k"), "18 local"},
		"through all locals":       {"locals {\n  k = { a = var.key, b = 1 }\n}\n" + job("a", "  input = local"), "18 local"},
		"through two locals":       {"locals {\n  k = upper(var.key)\n  l = [for c in [local.k] : c]\n}\n" + job("a", "  title = local.l[0]"), "19 local"},
		"through jsonencode":       {"locals {\n  k = jsonencode({ a = var.key })\n}\n" + job("a", "  title = local.k"), "18 local"},
		"through jsondecode":       {"locals {\n  k = jsondecode(\"[\\\"${var.key}\\\"]\")\n}\n" + job("a", "  title = local.k[0]"), "18 local"},
		"through format":           {"locals {\n  k = format(\"%s\", var.key)\n}\n" + job("a", "  title = local.k"), "18 local"},
		"through try":              {"locals {\n  k = try(var.key.nothing, \"none\")\n}\n" + job("a", "  title = local.k"), "18 local"},
		"through can":              {"locals {\n  k = can(regex(\"^c\", var.key))\n}\n" + job("a", "  title = local.k"), "18 local"},
		"through a key":            {"locals {\n  k = { (var.key) = 1 }\n}\n" + job("a", "  input = keys(local.k)"), "18 local"},
		"through an index":         {"locals {\n  k = { \"" + canary + "\" = 1 }[var.key]\n}\n" + job("a", "  input = local.k"), "18 local"},
		"through a filter":         {"locals {\n  k = [for c in [1, 2] : c if var.key == \"x\"]\n}\n" + job("a", "  input = local.k"), "18 local"},
		"an error that quotes it":  {"locals {\n  k = parseint(var.key, 10)\n}\n" + job("a"), "13 parseint"},
		"an error after a change":  {"locals {\n  k = upper(var.key)\n  l = { a = 1 }[local.k]\n}\n" + job("a"), "14 { a = 1 }"},
		"a file of that name":      {"locals {\n  k = file(var.key)\n}\n" + job("a"), "13 file("},
		"a secret that is more":    {exec(`"x${var.key}"`) + job("a"), "15 \"x${"},
		"a secret that is a local": {"locals {\n  k = var.key\n}\n" + exec("local.k") + job("a"), "18 local.k"},
		"a secret of a call":       {exec("upper(var.key)") + job("a"), "15 upper(var.key)"},
		"a misspelt secret":        {exec("var.kye") + job("a"), "15 var.kye"},
	} {
		t.Run(name, func(t *testing.T) {
			m, diags := Load(write(t, t.TempDir(), "mission.hcl", keyed(c.more)), Given{Flags: []string{"key=" + canary}})
			require.Nil(t, m)
			require.Len(t, diags, 1, "%v", diags)
			line, token, _ := strings.Cut(c.want, " ")
			require.Equal(t, line, fmt.Sprint(diags[0].Line), "%v", diags)
			require.True(t, strings.HasPrefix(diags[0].Snippet[diags[0].Column-1:], token), "%v", diags)
			require.NotContains(t, strings.ToLower(diags[0].Summary+diags[0].Detail), canary)
		})
	}
}

// exec is a worker with a secret.
func exec(secret string) string {
	return "worker \"x\" {\n  skills = [\"x\"]\n  exec {\n    secrets = { API_KEY = " + secret + " }\n    command = [\"curl\"]\n  }\n}\n"
}

func TestSecrets(t *testing.T) {
	source := keyed("variable \"cfg\" {\n  type = object({ a = number })\n  sensitive = true\n}\nlocals {\n  k = { a = var.key, b = \"open\" }\n}\n" +
		strings.Replace(exec("var.key"), "= var.key", "= var.key, CFG = \"${var.cfg}\"", 1) +
		"validator \"v\" {\n  count = 3\n  exec {\n    command = [\"check\"]\n    secrets = { KEY = var.key }\n  }\n}\n" + job("a", "  title = local.k.b"))
	m, diags := Load(write(t, t.TempDir(), "mission.hcl", source), Given{Environ: []string{"OMEGA_VAR_key=" + canary, "OMEGA_VAR_cfg={a=7}"}})
	require.Empty(t, diags)
	require.Equal(t, []core.Secret{{Name: "API_KEY", Variable: "key"}, {Name: "CFG", Variable: "cfg"}}, m.Spec().Workers[1].Exec.Secrets)
	require.Equal(t, []core.Secret{{Name: "KEY", Variable: "key"}}, m.Spec().Validators[0].Exec.Secrets)
	require.Equal(t, "open", expandAll(t, m, 1)[0].Title, "what is beside a secret is none")
	require.Equal(t, []core.Variable{{Name: "cfg", Sensitive: true}, {Name: "key", Sensitive: true}}, m.Variables())
	value, ok := m.Secret("key")
	require.True(t, ok)
	require.Equal(t, canary, value)
	value, _ = m.Secret("cfg")
	require.Equal(t, `{"a":7}`, value)
	_, ok = m.Secret("other")
	require.False(t, ok)

	again, diags := Compile(m.Entry(), m.Sources(), m.Variables()...)
	require.Empty(t, diags)
	require.Equal(t, m.Spec(), again.Spec())
	require.Equal(t, expandAll(t, m, 10), expandAll(t, again, 10))
	_, ok = again.Secret("key")
	require.False(t, ok, "no record holds it")
	require.Equal(t, m.Variables(), again.Variables())
}

func TestSecretNames(t *testing.T) {
	for key, want := range map[string]string{
		`"A-B"`: "begins with no digit", `"1A"`: "begins with no digit", `""`: "begins with no digit", "OMEGA_OUT": "to every program", "PATH": "to every program", "(upper(\"a\"))": "as it is", "1": "as it is",
	} {
		source := keyed(strings.Replace(exec("var.key"), "API_KEY", key, 1) + job("a"))
		_, diags := Load(write(t, t.TempDir(), "mission.hcl", source), Given{Flags: []string{"key=" + canary}})
		require.Len(t, diags, 1, "%s %v", key, diags)
		require.Equal(t, "Invalid secrets", diags[0].Summary)
		require.Contains(t, diags[0].Detail, want, key)
	}
	_, diags := Load(write(t, t.TempDir(), "mission.hcl", keyed(strings.Replace(exec("var.key"), "= var.key", "= var.key, API_KEY = var.key", 1)+job("a"))), Given{Flags: []string{"key=" + canary}})
	require.Contains(t, diags[0].Detail, "twice")
	_, diags = Load(write(t, t.TempDir(), "mission.hcl", strings.Replace(keyed(job("a")), "sensitive = true", "sensitive = true\n  default = \"hunter22\"", 1)))
	require.Equal(t, "mission.hcl:11:13: error: Secret in the mission file: The journal records this file: give key by OMEGA_VAR_key or --var-file, and leave the default out.", diags[0].String())
	m, diags := Load(write(t, t.TempDir(), "mission.hcl", keyed(exec("var.key")+job("a"))), Given{Flags: []string{"key=abc"}})
	require.NotNil(t, m)
	require.Equal(t, "Short secret", diags[0].Summary)
	require.Equal(t, Warning, diags[0].Severity)
}

// TestVariablesInJSON: the JSON form has all of it.
func TestVariablesInJSON(t *testing.T) {
	const source = `{
  "variable": {"sites": {"type": "set(string)", "default": ["a", "b"]}, "key": {"sensitive": true}},
  "locals": {"access": {"token": "${var.key}"}},
  "mission": {"m": {}}, "treasury": {"tokens": 1000}, "account": {"lab": {"tokens": 10}},
  "worker": {"w": {"skills": ["s"], "exec": {"command": ["sh"], "secrets": {"KEY": "${var.key}"}}}},
  "validator": {"v": {"count": 3, "simulated": {"absent_ratio": 0.5}}},
  "job": {"a": {"for_each": "${var.sites}", "employer": "lab", "skills": ["s"], "reward": 1, "title": "at ${each.key}",
    "simulated": {"result": {"n": 1}, "delegate": [{"skills": ["s"], "reward": 0.5}]},
    "accept": {"schema": {"type": "object"}}}}
}`
	given := Given{Flags: []string{"key=" + canary}}
	m, diags := Load(write(t, t.TempDir(), "mission.hcl.json", source), given)
	require.Empty(t, diags)
	require.Equal(t, []core.Secret{{Name: "KEY", Variable: "key"}}, m.Spec().Workers[0].Exec.Secrets)
	jobs := expandAll(t, m, 10)
	require.Len(t, jobs, 2)
	require.Equal(t, "at b", jobs[1].Title)
	require.Equal(t, `[{"reward":0.5,"skills":["s"]}]`, string(jobs[0].Delegate))
	require.Equal(t, core.SimulatedValidator, m.Spec().Validators[0].Kind)
	approve, reason := m.Judge(jobs[0].ID, []byte(`[]`))
	require.False(t, approve)
	require.Equal(t, "/: got array, want object", reason)

	for from, to := range map[string]string{
		`"title": "at ${each.key}"`:    `"title": "at ${local.access.token}"`,
		`"command": ["sh"]`:            `"command": ["${var.key}"]`,
		`{"KEY": "${var.key}"}`:        `{"KEY": "x${var.key}"}`,
		`"reward": 1, `:                `"reward": "${length(var.key)}", `,
		`"schema": {"type": "object"}`: `"schema": {"const": "${var.key}"}`,
	} {
		m, diags := Load(write(t, t.TempDir(), "mission.hcl.json", strings.Replace(source, from, to, 1)), given)
		require.Nil(t, m, to)
		require.Len(t, diags, 1, "%v", diags)
		require.NotContains(t, diags[0].String(), canary)
	}
}
