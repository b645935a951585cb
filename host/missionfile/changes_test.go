package missionfile

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/core"
)

// edited is a mission before and after an edit of its file and the others.
func edited(t *testing.T, before, next string, others ...map[string]string) (was, is *Mission) {
	t.Helper()
	files := map[string]string{"a.js": plainScript}
	all := make([]*Mission, 2)
	for i, source := range []string{before, next} {
		if i < len(others) {
			for name, content := range others[i] {
				files[name] = content
			}
		}
		m, diags := Load(folder(t, source, files), Given{Scripts: &bundler{}, Flags: []string{}})
		require.False(t, diags.HasErrors(), "%v", diags)
		all[i] = m
	}
	return all[0], all[1]
}

// told is a list of changes as text, without that of the mission file itself.
func told(c *Changes) (lines []string) {
	for _, change := range c.List {
		if change.Kind == "source" && change.Name == "mission.hcl" {
			continue
		}
		line := fmt.Sprintf("%s %s %s (%s)", change.What, change.Kind, change.Name, change.Effect)
		if len(change.Names) > 0 {
			line += fmt.Sprintf(" %d %v", change.Count, change.Names)
		}
		lines = append(lines, strings.TrimSpace(line+" "+strings.Join(change.Detail, "; ")))
	}
	return lines
}

func TestCompare(t *testing.T) {
	workerOf := func(lines ...string) string { return scriptWorker(append([]string{"  simulated {}"}, lines...)...) }
	policy := policyWith()
	guardian := "guardian {\n  script = \"a.js\"\n}\n"
	strategist := "strategist \"s\" {\n  script = \"a.js\"\n  budget = 10\n}\n"
	alpha := job("alpha")
	accept := func(condition string) string {
		return job("beta", "  count = 2", "  accept {", "    condition = "+condition, "  }")
	}
	for name, c := range map[string]struct {
		before, next string // after head, alpha follows
		want         []string
		removed      []string
		drained      []string
		redefined    []string
	}{
		"nothing":    {"", "", nil, nil, nil, nil},
		"a comment":  {"", "# x\n", nil, nil, nil, nil},
		"a setting":  {"", "governance {\n  fee_ratio = 0.1\n}\n", []string{"changed setting governance.fee_ratio (new jobs) 0.05 → 0.1"}, nil, nil, nil},
		"may":        {guardian, "autonomy {\n  may = [\"boost\", \"post\"]\n}\n" + guardian, []string{"changed setting autonomy.may (now) nothing → boost post"}, nil, nil, nil},
		"no council": {"", "governance {\n  committee = 0\n}\n", []string{"changed setting governance.committee (never) 3 → 0", "changed setting governance.approvals_required (now) 2 → 0"}, nil, nil, nil},
		"an account": {lab, "account \"lab\" {\n  tokens = 5\n}\naccount \"b\" {\n  tokens = 1\n}\n", []string{"changed account lab (now) tokens 21 → 5", "added account b (now)"}, nil, nil, nil},
		"no account": {lab, "", []string{"removed account lab (now)"}, nil, nil, nil},

		"a policy":         {"", policy, []string{"added policy p (now)", "added source a.js (now)"}, nil, nil, nil},
		"no policy":        {policy, "", []string{"removed policy p (now)", "removed source a.js (now)"}, nil, nil, nil},
		"a policy's words": {policy, strings.Replace(policyWith(`  mode = "shadow"`, `  params = { n = 1 }`), `"transfer"`, `"transfer", "job.post"`, 1), []string{`changed policy p (now) on transfer → transfer job.post; mode enforce → shadow; params nothing → {"n":1}`}, nil, nil, nil},
		"a guardian":       {"", "autonomy {\n  budget = 5\n}\n" + guardian, []string{"changed setting autonomy.budget (now) 0 → 5", "added guardian guardian (now)", "added source a.js (now)"}, nil, nil, nil},
		"a strategist":     {strategist, strings.Replace(strategist, "10", "12", 1), []string{"changed strategist s (now) budget 10 → 12"}, nil, nil, nil},

		"a worker":         {"", workerOf("  count = 2"), []string{"added worker x (now) 2 [x_0 x_1]"}, nil, nil, nil},
		"fewer workers":    {workerOf("  count = 3"), workerOf("  count = 1"), []string{"removed worker x (now) 2 [x_1 x_2]"}, nil, []string{"x_1", "x_2"}, nil},
		"a worker's words": {workerOf("  slots = 2"), strings.Replace(workerOf("  slots = 3"), "simulated {}", "simulated {\n    speed = 2\n  }", 1), []string{"changed worker x (new jobs) 1 [x] slots 2 → 3; speed 1 → 2"}, nil, nil, nil},
		"another kind":     {workerOf(), scriptWorker(`  script = "a.js"`), []string{"changed worker x (new jobs) 1 [x] kind simulated → script", "added source a.js (now)"}, nil, nil, nil},
		"a pool splits":    {workerOf("  count = 2"), workerOf("  count = 2", "  slots = count.index + 1"), []string{"changed worker x_1 (new jobs) 1 [x_1] slots 1 → 2"}, nil, nil, nil},
		"a script's words": {scriptWorker(`  script = "a.js"`), scriptWorker(`  script = "a.js"`, `  timeout = "2s"`), []string{"changed worker x (now) 1 [x] timeout 5s → 2s"}, nil, nil, nil},
		"validators":       {"validator \"v\" {\n  count = 4\n}\n", "validator \"v\" {\n  count = 3\n  simulated {\n    absent_ratio = 0.1\n  }\n}\n", []string{"changed setting governance.committee (now) 4 → 3", "changed setting governance.approvals_required (now) 3 → 2", "changed validator v (now) 3 [v_0 v_1 v_2] kind rule → simulated", "removed validator v (now) 1 [v_3]"}, nil, []string{"v_3"}, nil},

		"a job":                {"", job("beta", "  count = 2"), []string{"added job beta (now) 2 [beta_0 beta_1]"}, nil, nil, nil},
		"no job":               {job("beta", "  count = 2"), job("beta", "  count = 1"), []string{"removed job beta (now) 1 [beta_1]"}, []string{"beta_1"}, nil, nil},
		"a renamed job":        {job("beta"), job("gamma"), []string{"removed job beta (now) 1 [beta]", "added job gamma (now) 1 [gamma]"}, []string{"beta"}, nil, nil},
		"a job becomes many":   {job("beta"), job("beta", "  count = 1"), []string{"removed job beta (now) 1 [beta]", "added job beta (now) 1 [beta_0]"}, []string{"beta"}, nil, nil},
		"keys":                 {job("beta", `  for_each = ["a", "b"]`), job("beta", `  for_each = ["b", "c"]`), []string{"removed job beta (now) 1 [beta_ca978112ca1b]", "added job beta (now) 1 [beta_2e7d2c03a950]"}, []string{"beta_ca978112ca1b"}, nil, nil},
		"terms of a job":       {job("beta", "  count = 2"), job("beta", "  count = 2", `  title = "x"`, `  priority = "high"`, `  labels = { a = "b" }`), []string{"changed job beta (new jobs) 2 [beta_0 beta_1] title nothing → x; priority normal → high; labels nothing → a=b"}, nil, nil, []string{"beta_0", "beta_1"}},
		"terms of one":         {job("beta", "  count = 2", "  work = 60"), job("beta", "  count = 2", "  work = 60 + count.index"), []string{"changed job beta (new jobs) 1 [beta_1] work 1m → 1m1s"}, nil, nil, []string{"beta_1"}},
		"needs":                {job("beta"), job("beta", "  needs = [job.alpha]"), []string{"changed job beta (new jobs) 1 [beta] needs nothing → alpha"}, nil, nil, []string{"beta"}},
		"input":                {job("beta", "  input = { a = 1 }"), job("beta", "  input = { a = 2 }"), []string{`changed job beta (new jobs) 1 [beta] input {"a":1} → {"a":2}`}, nil, nil, []string{"beta"}},
		"input of results":     {job("beta", "  input = job.alpha.result.x"), job("beta", "  input = job.alpha.result.y"), []string{`changed job beta (new jobs) 1 [beta] input job.alpha.result.x → job.alpha.result.y`}, nil, nil, []string{"beta"}},
		"a condition":          {accept("result.n > 1"), accept("result.n > 2"), []string{"changed job beta (new jobs) 2 [beta_0 beta_1] accept.condition result.n > 1 → result.n > 2"}, nil, nil, []string{"beta_0", "beta_1"}},
		"a job that is needed": {job("gamma", `  for_each = ["a"]`) + job("beta", "  needs = [job.gamma]"), job("gamma", `  for_each = ["a", "b"]`) + job("beta", "  needs = [job.gamma]"), []string{"added job gamma (now) 1 [gamma_3e23e8160039]", "changed job beta (new jobs) 1 [beta] needs gamma_ca978112ca1b → gamma_ca978112ca1b gamma_3e23e8160039"}, nil, nil, []string{"beta"}},
		"a title of for_each":  {job("beta", "  for_each = { a = 1, b = 2 }", "  title = \"n ${each.value}\""), job("beta", "  for_each = { a = 1, b = 3 }", "  title = \"n ${each.value}\""), []string{"changed job beta (new jobs) 1 [beta_3e23e8160039] title n 2 → n 3"}, nil, nil, []string{"beta_3e23e8160039"}},
		"a local of a title":   {"locals {\n  n = 1\n}\n" + job("beta", "  count = 2", "  title = \"${count.index} ${local.n}\""), "locals {\n  n = 2\n}\n" + job("beta", "  count = 2", "  title = \"${count.index} ${local.n}\""), []string{"changed job beta (new jobs) 2 [beta_0 beta_1] title 0 1 → 0 2"}, nil, nil, []string{"beta_0", "beta_1"}},
		"a local":              {"locals {\n  n = 1\n}\n" + accept("result.n > local.n"), "locals {\n  n = 2\n}\n" + accept("result.n > local.n"), []string{"changed job beta (new jobs) 2 [beta_0 beta_1] what accept.condition refers to"}, nil, nil, []string{"beta_0", "beta_1"}},
		"an unrelated local":   {"locals {\n  n = 1\n}\n" + accept("result.n > 1"), "locals {\n  n = 2\n}\n" + accept("result.n > 1"), nil, nil, nil, nil},
		"a value of for_each":  {job("beta", "  for_each = { a = 1, b = 2 }", "  accept {", "    condition = result == each.value", "  }"), job("beta", "  for_each = { a = 1, b = 3 }", "  accept {", "    condition = result == each.value", "  }"), []string{"changed job beta (new jobs) 1 [beta_3e23e8160039] each.value"}, nil, nil, []string{"beta_3e23e8160039"}},
		"a variable":           {"variable \"x\" {\n  default = 1\n}\n", "variable \"x\" {\n  default = 2\n}\n", []string{"changed variable x (now) 1 → 2"}, nil, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			before, next := edited(t, head+c.before+alpha, head+c.next+alpha)
			got := Compare(before, next)
			require.Equal(t, c.want, told(got))
			require.Equal(t, c.removed, got.Removed)
			require.Equal(t, c.drained, got.Drained)
			require.Equal(t, c.redefined, got.Redefined)
			require.Empty(t, Compare(next, next).List, "a mission does not differ from itself")
			for _, b := range next.jobs { // where a block says what it said, no instance is another
				a := before.byName[b.name]
				differ := comparison{before: before, next: next, a: a, b: b}
				for i := range b.set.len() {
					if a == nil || !a.holds(b, i) || !differ.says() || b.knowsEach() {
						continue
					}
					require.True(t, differ.same(i) && differ.expressions(), b.set.shown(b.name, i))
				}
			}
		})
	}
}

func TestCompareFiles(t *testing.T) {
	mission := head + policyWith() + job("beta", `  title = file("t.txt")`, "  accept {", `    condition = result == file("t.txt")`, "  }") + job("alpha")
	before, next := edited(t, mission, mission,
		map[string]string{"t.txt": "one"}, map[string]string{"t.txt": "two!", "a.js": plainScript + "//"})
	require.Equal(t, []string{
		"changed policy p (now) what a.js says",
		`changed job beta (new jobs) 1 [beta] title one → two!; what accept.condition refers to`,
		"changed source a.js (now) 39 → 41 bytes", "changed source t.txt (now) 3 → 4 bytes",
	}, told(Compare(before, next)))
}

// TestCompareFilesRead: a job is another one where a file has changed that it
// reads, and not because some file has or an attribute is called file.
func TestCompareFilesRead(t *testing.T) {
	was, is := map[string]string{"t.txt": "one", "u.txt": "one"}, map[string]string{"t.txt": "two", "u.txt": "one"}
	reads := "locals {\n  t = file(\"t.txt\")\n  u = file(\"u.txt\")\n}\n"
	for condition, redefined := range map[string][]string{
		`result.file == "t.txt"`:                       nil,
		`result == "file(t.txt)"`:                      nil,
		`result == file("u.txt")`:                      nil,
		`result == file("./t.txt")`:                    {"beta"},
		`result == "${file("t.txt")}!"`:                {"beta"},
		`result == file(result.file)`:                  {"beta"}, // it may be any
		`contains([file("u.txt"), local.u], result.x)`: nil,
		`contains([file("u.txt"), local.t], result.x)`: {"beta"},
	} {
		mission := head + policyWith() + reads + job("beta", "  accept {", "    condition = "+condition, "  }") + job("alpha")
		before, next := edited(t, mission, mission, was, is)
		require.Equal(t, redefined, Compare(before, next).Redefined, condition)
	}
}

// TestCompareRecorded: a mission and what is compiled from its record do not
// differ; without a mission before, everything is added.
func TestCompareRecorded(t *testing.T) {
	for _, at := range []string{"testdata/rich.hcl", "testdata/whole.hcl"} {
		m, diags := Load(filepath.FromSlash(at))
		require.False(t, diags.HasErrors())
		again, diags := Compile(m.Entry(), m.Sources(), m.Variables()...)
		require.False(t, diags.HasErrors())
		require.Equal(t, &Changes{}, Compare(again, m), at)
	}
	_, m := edited(t, scriptedMission, scriptedMission, scriptFiles())
	c := Compare(nil, m)
	require.Equal(t, "added policy spending (now)", told(c)[0])
	require.Contains(t, told(c), "added job paid (now) 1 [paid]")
	require.Empty(t, c.Removed)
}

// TestCompareMany: ten thousand jobs of their own take no time, a million equal
// ones little.
func TestCompareMany(t *testing.T) {
	of := func(n int, lines ...string) string {
		return head + job("beta", append(lines, fmt.Sprintf("  count = %d", n))...)
	}
	before, next := edited(t, of(10_000, `  title = "a ${count.index}"`), of(10_001, `  title = "b ${count.index}"`))
	began := time.Now()
	c := Compare(before, next)
	t.Logf("10,000 jobs: %s", time.Since(began))
	require.Less(t, time.Since(began), 2*time.Second)
	require.Len(t, c.Redefined, 10_000)
	require.Len(t, c.List[1].Names, maxNamed)
	require.Equal(t, 10_000, c.List[1].Count)
	require.Equal(t, core.NewJobs, c.List[1].Effect)

	before, next = edited(t, of(10_000, `  title = "a ${count.index}"`), "# x\n"+of(10_000, `  title = "a ${count.index}"`))
	began = time.Now()
	c = Compare(before, next)
	t.Logf("10,000 jobs, none of them touched: %s", time.Since(began))
	require.Empty(t, c.Redefined)

	before, next = edited(t, of(1_000_000), of(999_999))
	began = time.Now()
	c = Compare(before, next)
	t.Logf("1,000,000 equal jobs: %s", time.Since(began))
	require.Equal(t, []string{"beta_999999"}, c.Removed)
	require.Empty(t, c.Redefined)
}
