package missionfile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestHostile: whatever the bytes, in either form, Load answers with a mission or
// with diagnostics, and says nothing twice of one place.
func TestHostile(t *testing.T) {
	const most, many = 1_000_000, 100_000
	inputs := map[string]string{
		"brackets":          strings.Repeat("[", most),
		"closing brackets":  strings.Repeat("]", most),
		"braces":            strings.Repeat("{", most),
		"braces in JSON":    strings.Repeat(`{"a":`, many/4),
		"quotes":            strings.Repeat(`"`, many),
		"templates":         strings.Repeat(`"${`, many/4),
		"heredocs":          strings.Repeat("a = <<E\n", many/16),
		"an open heredoc":   "a = <<E\n" + strings.Repeat("${", many/4),
		"backslashes":       `a = "` + strings.Repeat(`\`, many),
		"dots":              "a = b" + strings.Repeat(".c", many/4),
		"indices":           "a = b" + strings.Repeat("[0]", many/4),
		"splats":            "a = b" + strings.Repeat("[*]", many/4),
		"comments":          strings.Repeat("/*", many/4),
		"newlines":          strings.Repeat("\n", many),
		"a huge number":     head + job("a", "  work = "+strings.Repeat("9", many/4)),
		"a huge exponent":   head + job("a", "  work = 1e999999999999999999999"),
		"a tiny exponent":   head + job("a", "  work = 1e-999999999999999999999"),
		"invalid UTF-8":     head + job("a", "  title = \"\xc3\x28\"") + "\xff\xfe",
		"NUL":               head + "\x00",
		"a byte order mark": "\xef\xbb\xbf" + head + job("a"),
		"two of them":       "\xef\xbb\xbf\xef\xbb\xbf" + head + job("a"),
		"UTF-16":            "\xff\xfem\x00i\x00",
		"a long name":       head + job(strings.Repeat("a", many/4)),
		"a long label":      head + job("a", "  labels = { \""+strings.Repeat("k", many/4)+"\" = 1 }"),
		"JSON keys twice":   `{"mission":{"m":{}},"mission":{"n":{}},"treasury":{"tokens":1,"tokens":2}}`,
		"attributes twice":  head + job("a", "  title = 1", "  title = 2"),
		"a JSON number":     `{"treasury":{"tokens":` + strings.Repeat("9", many/4) + `}}`,
		"JSON of no object": `7`,
		"JSON null":         `{"mission":null,"job":[null,{"a":null}],"variable":{"x":{"type":{"a":[]}}}}`,
		"JSON surrogates":   `{"mission":{"\ud800":{}}}`,
		"types":             "variable \"x\" {\n  type = " + strings.Repeat("list(", many/16) + "\n}",
		"type of all kinds": "variable \"x\" {\n  type = object({ a = map(object({ b = optional(set(tuple([string, number])), [])}))})\n  default = { a = { b = 1 } }\n}\n" + head + job("a"),
		"a schema bomb":     head + job("a", "  accept {", "    schema = { \"$ref\" = \"#\" }", "  }"),
		"deep params":       head + "policy \"p\" {\n  script = \"x.js\"\n  on = [\"transfer\"]\n  params = " + strings.Repeat("{a=", many/16) + "\n}\n",
		"computed params":   head + "locals {\n  a = [1, 1]\n  b = [local.a, local.a]\n  c = [local.b, local.b]\n}\n" + "guardian {\n  script = \"x.js\"\n  params = { c = [for i in range(1000) : [for j in range(1000) : local.c]] }\n}\n" + job("a"),
		"scripts of all":    "guardian {\n  script = [\"x\"]\n  params = guardian\n}\nstrategist \"\" {\n}\npolicy {\n}\n" + head,
		"a long script":     head + "guardian {\n  script = \"" + strings.Repeat("a/", many/4) + "\"\n}\n",
		"JSON guardians":    `{"guardian":[{"script":{}},null,{"params":[]}],"policy":{"p":[{"on":{}},7]},"strategist":"x"}`,
		"secrets of all":    "variable \"k\" {\n  sensitive = true\n}\n" + head + "worker \"x\" {\n  skills = [\"x\"]\n  exec {\n    command = [\"x\"]\n    secrets = { for a in var.k : a => var.k }\n  }\n}\n",
	}
	for name, content := range inputs {
		t.Run(name, func(t *testing.T) {
			for _, file := range []string{"mission.hcl", "mission.hcl.json"} {
				m, diags := Load(write(t, t.TempDir(), file, content), Given{Flags: []string{"k=canary-1"}})
				require.Equal(t, m == nil, diags.HasErrors())
				sane(t, diags)
			}
		})
	}
}

// sane is what every list of diagnostics has to be.
func sane(t *testing.T, diags Diagnostics) {
	t.Helper()
	seen := map[string]bool{}
	for _, d := range diags {
		require.NotEqual(t, "This mission cannot be read", d.Summary, "%s", d.Detail)
		require.NotEmpty(t, d.Summary)
		if d.File == "" { // a flag stands in no file
			require.Contains(t, d.Summary, "in --var")
			require.Zero(t, d.Line+d.Column)
		} else {
			require.Positive(t, d.Line)
			require.Positive(t, d.Column)
		}
		at := fmt.Sprintf("%s %s:%d:%d", d.Severity, d.File, d.Line, d.Column)
		if d.Line == 1 && d.Column == 1 { // it stands for the whole file too
			at += d.Summary + d.Detail
		}
		require.False(t, seen[at], "twice at %s: %v", at, diags)
		seen[at] = true
	}
}

// TestForms: Windows line ends and a byte order mark change no more than columns
// do.
func TestForms(t *testing.T) {
	source := head + job("alpha", "  title = \"a\"")
	m, diags := load(t, strings.ReplaceAll(source, "\n", "\r\n"))
	require.Empty(t, diags)
	require.Equal(t, "a", expandAll(t, m, 1)[0].Title)
	_, diags = load(t, strings.ReplaceAll(head+job("alpha", "  title = local.x"), "\n", "\r\n"))
	require.Len(t, diags, 1)
	require.Equal(t, "12:11", fmt.Sprintf("%d:%d", diags[0].Line, diags[0].Column))
	require.Equal(t, "  title = local.x", diags[0].Snippet)
	m, diags = load(t, "\xef\xbb\xbf"+source)
	require.Equal(t, m == nil, diags.HasErrors())
}

func TestFormat(t *testing.T) {
	formatted, diags := Format("a.hcl", []byte("job \"a\" {\nx=1\n  longer =   [1,2]\n}\n"))
	require.Empty(t, diags)
	require.Equal(t, "job \"a\" {\n  x      = 1\n  longer = [1, 2]\n}\n", string(formatted))
	again, _ := Format("a.hcl", formatted)
	require.Equal(t, formatted, again)
	for _, broken := range []string{"a = ", "a {", strings.Repeat("[", 100_000), "a = \"\xff\"", "\x00"} {
		formatted, diags = Format("a.hcl", []byte(broken))
		require.Nil(t, formatted)
		require.True(t, diags.HasErrors())
	}
}

// FuzzLoad: whatever the bytes, there is a mission or there are diagnostics, and
// a mission is the same when it is compiled from what a record holds of it.
func FuzzLoad(f *testing.F) {
	for _, path := range []string{"testdata/rich.hcl", "testdata/whole.hcl", "../../missions/workflow/mission.hcl", "../../missions/hello/mission.hcl"} {
		content, err := os.ReadFile(filepath.FromSlash(path))
		require.NoError(f, err)
		f.Add(content, "x=1")
	}
	f.Add([]byte(head+job("a", "  count = 3", "  needs = job.a")), "x")
	f.Add([]byte(variables("type = list(number)", "var.x")), "x=[1,2]")
	f.Add([]byte(keyed("locals {\n  k = { a = var.key }\n}\n"+exec("var.key")+job("a", "  title = local.k.a"))), "key="+canary)
	f.Add([]byte(head+"autonomy {\n  may = [\"post\"]\n  budget = 2\n}\nguardian {\n  script = \"\"\n}\n"+policyWith("  params = { a = [1] }")+scriptWorker(`  script = "a.js"`)+job("a")), "")
	f.Add([]byte(head+"policy \"p\" {\n  script = \"mission.hcl\"\n  on = [\"transfer\"]\n}\n"+job("a")), "")
	f.Add([]byte(head+job("a", "  simulated = { delegate = [{ skills = [\"build\"], reward = 1 }] }")), "")
	f.Add([]byte(head+job("a", "  accept {", "    schema = { type = \"object\", required = [\"n\"] }", "  }")), "")
	f.Add([]byte(`{"mission":{"m":{}},"treasury":{"tokens":1000},"worker":{"w":{"skills":["s"],"simulated":{}}},"job":{"a":{"skills":["s"],"reward":"${1+1}"}}}`), "")
	f.Fuzz(func(t *testing.T, content []byte, flag string) {
		dir := t.TempDir()
		for _, name := range []string{"mission.hcl", "mission.hcl.json"} {
			m, diags := Load(write(t, dir, name, string(content)), Given{Flags: []string{flag}, Scripts: &bundler{}})
			require.Equal(t, m == nil, diags.HasErrors())
			sane(t, diags)
			for _, d := range diags {
				require.False(t, strings.Contains(flag, canary) && strings.Contains(d.Detail, canary), "%v", d)
			}
			if m == nil {
				continue
			}
			again, diags := CompileWith(&bundler{}, m.Entry(), m.Sources(), m.Variables()...)
			require.NotNil(t, again, "%v", diags)
			require.Equal(t, m.Spec(), again.Spec())
			require.Empty(t, Compare(m, again).List)
			m.Ceiling()
			jobs, _, problem := m.Expand(0, 100, 1<<20)
			require.Nil(t, problem)
			same, _, _ := again.Expand(0, 100, 1<<20)
			require.Equal(t, jobs, same)
			for _, j := range jobs {
				m.Judge(j.ID, []byte(`{"cells":3}`))
			}
		}
	})
}
