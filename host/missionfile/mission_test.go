package missionfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/omega-run/omega/host/core"
	"github.com/stretchr/testify/require"
)

// expandAll is every job of a mission, made in batches of max.
func expandAll(t *testing.T, m *Mission, max int) (all []core.JobSpec) {
	t.Helper()
	for from := int64(0); from < m.Spec().Instances; {
		jobs, next, problem := m.Expand(from, max, 1<<20)
		require.Nil(t, problem)
		require.Greater(t, next, from)
		require.Len(t, jobs, int(next-from))
		all, from = append(all, jobs...), next
	}
	return all
}

func rich(t *testing.T) *Mission {
	t.Helper()
	m, diags := Load("testdata/rich.hcl")
	require.Empty(t, diags)
	return m
}

func byID(jobs []core.JobSpec, id string) core.JobSpec {
	return jobs[slices.IndexFunc(jobs, func(j core.JobSpec) bool { return j.ID == id })]
}

func TestSpec(t *testing.T) {
	s := rich(t).Spec()
	require.Equal(t, core.MissionSpec{Name: "rich", Seed: 42, Duration: 18 * core.Hour, Owner: "operator", OnExhausted: "fail"}, s.Mission)
	require.Equal(t, "1500000.5", s.Treasury.Tokens.String())
	require.Equal(t, "8200000", s.Resources.Compute.Capacity.String())
	require.Equal(t, "1", s.Resources.Compute.Price.String())
	require.Equal(t, int64(3), s.Governance.Committee)
	require.Equal(t, int64(2), s.Governance.ApprovalsRequired)
	require.Equal(t, 90*core.Second, s.Governance.CommitWindow)
	require.Equal(t, 90*core.Second, s.Governance.RevealWindow)
	require.Equal(t, "0.25", s.Governance.SlashBurn.String())
	require.Equal(t, "0.5", s.Governance.SlashRatio.String())
	require.Equal(t, "0.05", s.Governance.FeeRatio.String())
	require.Equal(t, int64(10), s.Instances)

	require.Equal(t, []string{"architect_0", "architect_1", "architect_2"}, s.Workers[0].Instances)
	require.Equal(t, []string{"build", "design"}, s.Workers[0].Skills)
	require.Equal(t, "1.4", s.Workers[0].Simulated.Speed.String())
	require.Equal(t, []string{"n2", "survey"}, s.Workers[1].Skills, "settings that vary make a pool of each instance")
	require.Equal(t, s.Workers[1].Instances[0], s.Workers[1].Name)
	exec := s.Workers[len(s.Workers)-1]
	require.Equal(t, core.Exec, exec.Kind)
	require.Equal(t, []string{"python3", "analyse.py"}, exec.Exec.Command)
	require.Equal(t, 5*core.Minute, exec.Exec.Timeout)
	require.Equal(t, core.SimulatedSpec{}, exec.Simulated, "defaults of the other kind stay out")
	require.Equal(t, []string{"v_0", "v_1", "v_2", "v_3"}, s.Validators[0].Instances)
}

func TestJobs(t *testing.T) {
	m := rich(t)
	jobs := expandAll(t, m, 1000)
	plan := byID(jobs, "plan")
	require.Equal(t, "Plan IT", plan.Title)
	require.Equal(t, "200.3", plan.Reward.String(), "2e2 + 0.1 * 3 is exact")
	require.Equal(t, []core.Label{{Key: "category", Value: "infra"}, {Key: "stage", Value: "1"}}, plan.Labels)
	require.Equal(t, `{"cells":12,"list":[1,2.5]}`, string(plan.Simulated))
	require.True(t, plan.Accept && plan.Required && !plan.Lazy)

	part := byID(jobs, "part_2")
	require.Equal(t, "part[2]", part.Label)
	require.Equal(t, []string{"part_1"}, part.Needs)
	require.Equal(t, `{"index":2,"text":"aé"}`, string(part.Input))
	require.Equal(t, 3*core.Minute, part.Work)
	require.Equal(t, core.Low, part.Priority)
	require.Equal(t, core.Critical, byID(jobs, "part_0").Priority)

	survey := jobs[7]
	require.Equal(t, `survey["eu west"]`, survey.Label)
	require.Equal(t, "survey_5caa42cc943f", survey.ID)
	require.Equal(t, []string{"part_0", "part_1", "part_2", "part_3", "part_4", "plan"}, survey.Needs, "declared first, then implied")
	require.True(t, survey.Lazy && survey.AnyEnd)
	require.Nil(t, survey.Input)

	report := byID(jobs, "report")
	require.Len(t, report.Needs, 8, "every result the input names")
	require.False(t, report.Required)
	require.Equal(t, "0.000001", report.Reward.String())

	var declared []string
	for id := range m.Declared() {
		declared = append(declared, id)
	}
	for i, j := range jobs {
		require.Equal(t, declared[i], j.ID)
	}
	for range m.Declared() {
		break // may be left early
	}
}

func TestBatchesDoNotMatter(t *testing.T) {
	m := rich(t)
	all := expandAll(t, m, 1000)
	require.Equal(t, all, expandAll(t, m, 1))
	require.Equal(t, all, expandAll(t, rich(t), 3))
	jobs, next, problem := m.Expand(0, 1000, 1)
	require.Nil(t, problem)
	require.Len(t, jobs, 1, "one at least, however small the space")
	require.Equal(t, int64(1), next)
	jobs, next, problem = m.Expand(10, 1000, 1<<20)
	require.Nil(t, problem)
	require.Empty(t, jobs)
	require.Equal(t, int64(10), next)
}

// answers are what the jobs of the rich mission answer; part_3 never finalized.
func answers(id string) ([]byte, bool) {
	return []byte(fmt.Sprintf(`{"region":%q,"cells":1.50}`, id)), id != "part_3"
}

func TestInput(t *testing.T) {
	m := rich(t)
	input, problem := m.Input("report", answers)
	require.Nil(t, problem)
	require.JSONEq(t, `{"all":["ap=survey_7978f506baa1","eu west=survey_5caa42cc943f","us=survey_79adb2a2fce5"],
		"lot":[{"cells":1.5,"region":"part_0"},{"cells":1.5,"region":"part_1"},{"cells":1.5,"region":"part_2"},null,{"cells":1.5,"region":"part_4"}],
		"west":{"cells":1.5,"region":"survey_5caa42cc943f"}}`, string(input))

	none := func(string) ([]byte, bool) { return nil, false }
	_, problem = m.Input("survey_5caa42cc943f", none)
	require.ErrorContains(t, problem, "rich.hcl:107:38: Attempt to get attribute from null value")
	_, problem = m.Input("plan", none)
	require.ErrorContains(t, problem, "No such input")
	_, problem = m.Input("nobody_3", none)
	require.ErrorContains(t, problem, "No such input")
	_, problem = m.Input("report", func(string) ([]byte, bool) { return []byte(`{"a":1e999999999}`), true })
	require.ErrorContains(t, problem, "Result cannot be used")
}

// TestImpliedNeeds: the needs an input implies are those it can reach.
func TestImpliedNeeds(t *testing.T) {
	for input, want := range map[string][]string{
		`count.index > 0 ? job.beta[count.index - 1].result : null`:              {"beta_1"},
		`try(job.beta[count.index - 1].result.x, null)`:                          {"beta_1"},
		`can(job.beta[count.index - 1].result.x)`:                                {"beta_1"},
		`{ a = jsonencode(job.alpha.result), b = [job.many["y"].result["k"]] }`:  {"alpha", "many_a1fce4363854"},
		`[for k, j in job.many : j.result]`:                                      {"many_2d711642b726", "many_a1fce4363854"},
		`[for x in job.alpha.result : job.alpha.result[x]]`:                      {"alpha"},
		`job.alpha.result.ok ? job.many["x"].result : null`:                      {"alpha", "many_2d711642b726"},
		`"${job.alpha.result.a} and ${upper(job.many["x"].result.b)}"`:           {"alpha", "many_2d711642b726"},
		`count.index == 2 ? [for p in ["x"] : job.many[p].result] : []`:          {"many_2d711642b726"},
		`count.index == 0 ? [for p in ["x"] : job.many[p].result] : ["nothing"]`: nil,
	} {
		m, diags := load(t, head+job("alpha")+job("many", `  for_each = ["x", "y"]`)+job("beta", "  count = 3", "  input = "+input))
		require.Empty(t, diags, input)
		last := byID(expandAll(t, m, 100), "beta_2")
		require.True(t, last.Lazy)
		if strings.Contains(input, "alpha") || want != nil {
			require.Equal(t, want, last.Needs, input)
		}
	}
}

func TestUnforeseenNeed(t *testing.T) {
	m, diags := load(t, head+job("alpha")+job("many", `  for_each = ["x"]`)+job("beta", `  input = [for x in job.alpha.result : job.many[x].result]`))
	require.Empty(t, diags)
	require.Equal(t, []string{"alpha"}, expandAll(t, m, 100)[2].Needs)
	_, problem := m.Input("beta", func(string) ([]byte, bool) { return []byte(`["x"]`), true })
	require.ErrorContains(t, problem, "mission.hcl:22:48: Invalid index")
}

func TestJudge(t *testing.T) {
	m := rich(t)
	for _, c := range []struct {
		job, result string
		approve     bool
		reason      string
	}{
		{"plan", `{"cells":12,"list":[1,2]}`, true, ""},
		{"plan", `{"cells":"12","list":[1,2]}`, true, ""},
		{"plan", `{"cells":9,"list":[1,2]}`, false, "is false"},
		{"plan", `{"cells":12}`, false, `does not have an attribute named "list"`},
		{"plan", `{"cells":null,"list":[1,2]}`, false, "cannot be decided"},
		{"plan", `{"cells":[],"list":{}}`, false, "cannot be decided"},
		{"plan", `null`, false, "cannot be decided"},
		{"plan", ``, false, "not usable JSON"},
		{"plan", `{"cells":12,"cells":12,"list":[1,2]}`, false, "duplicate key"},
		{"plan", `{"cells":1e999999999,"list":[1,2]}`, false, "400 digits"},
		{"plan", strings.Repeat("[", 30000), false, "not usable JSON"},
		{"plan", strings.Repeat(`{"cells":`, 100) + "1" + strings.Repeat("}", 100), false, "cannot be decided"},
		{"plan", `"` + strings.Repeat("x", maxResult) + `"`, false, "not usable JSON"},
		{"plan", "\"\xff\"", false, "invalid UTF-8"},
		{"part_0", `{ "wrong" : true }`, false, "of itself"},
		{"part_0", `{"wrong":false}`, true, ""},
		{"part_0", `[`, false, "not usable JSON"},
		{"part_7", `{}`, false, "declares no job"},
		{"part_00", `{}`, false, "declares no job"},
		{"part", `{}`, false, "declares no job"},
		{"plan_0", `{}`, false, "declares no job"},
		{"", `{}`, false, "declares no job"},
	} {
		approve, reason := m.Judge(c.job, []byte(c.result))
		require.Equal(t, c.approve, approve, "%s %.60s: %s", c.job, c.result, reason)
		require.Contains(t, reason, c.reason, "%s %.60s", c.job, c.result)
	}
}

func TestJudgeEachInstance(t *testing.T) {
	m, diags := load(t, head+job("alpha", "  count = 3", "  accept {", "    condition = result.n == count.index", "  }")+
		job("beta", "  accept {", "    condition = result.verdict", "  }"))
	require.Empty(t, diags)
	for i := range 3 {
		approve, _ := m.Judge(fmt.Sprintf("alpha_%d", i), []byte(`{"n":1}`))
		require.Equal(t, i == 1, approve)
	}
	for result, want := range map[string]bool{`{"verdict":true}`: true, `{"verdict":"true"}`: false, `{"verdict":1}`: false, `{"verdict":null}`: false, `{"verdict":{}}`: false} {
		approve, _ := m.Judge("beta", []byte(result))
		require.Equal(t, want, approve, result)
	}
}

// TestGoroutines is for the race detector.
func TestGoroutines(t *testing.T) {
	m := rich(t)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 20 {
				jobs, _, _ := m.Expand(0, 100, 1<<20)
				m.Input("report", answers)
				for _, j := range jobs {
					m.Judge(j.ID, []byte(`{"cells":12,"list":[1,2]}`))
				}
			}
		})
	}
	all.Wait()
}

// TestCompileIsLoad: recorded sources are all there is to a mission.
func TestCompileIsLoad(t *testing.T) {
	for _, path := range []string{"testdata/rich.hcl", "testdata/whole.hcl", "../../missions/workflow", workflow(t)} {
		m, diags := Load(path)
		require.Empty(t, diags)
		again, diags := Compile(m.Entry(), m.Sources(), m.Variables()...)
		require.Empty(t, diags)
		require.Equal(t, m.Spec(), again.Spec())
		require.Equal(t, expandAll(t, m, 1000), expandAll(t, again, 7))
		require.Equal(t, m.Sources(), again.Sources())
		if path == "testdata/rich.hcl" {
			a, _ := m.Input("report", answers)
			b, _ := again.Input("report", answers)
			require.Equal(t, a, b)
			_, why := m.Judge("plan", []byte(`{"cells":1,"list":[1,2]}`))
			_, whyAgain := again.Judge("plan", []byte(`{"cells":1,"list":[1,2]}`))
			require.Equal(t, why, whyAgain)
		}
	}
	_, diags := Compile("mission.hcl", []Source{{Path: "mission.hcl", Bytes: []byte(head + job("a", `  title = file("mission_test.go")`))}})
	require.True(t, diags.HasErrors(), "nothing comes from disk")
}

// TestSealed: what was not read at load is never read later.
func TestSealed(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "x.txt", "true")
	m, diags := Load(write(t, dir, "mission.hcl", head+job("a", "  accept {", `    condition = file("${result.name}.txt") == "true"`, "  }")))
	require.Empty(t, diags)
	approve, reason := m.Judge("a", []byte(`{"name":"x"}`))
	require.False(t, approve)
	require.Contains(t, reason, "was not read when the mission was loaded")
}

// workflow is the path of a mission over the small recorded workflow.
func workflow(t *testing.T) string {
	t.Helper()
	const name = "montage-chameleon-2mass-01d-001.json"
	dir := t.TempDir()
	recorded, err := os.ReadFile("testdata/helloworld-forkjoin-10-chameleon.json")
	require.NoError(t, err)
	mission, err := os.ReadFile("../../missions/workflow/mission.hcl")
	require.NoError(t, err)
	write(t, dir, name, string(recorded))
	return write(t, dir, "mission.hcl", string(mission))
}

func TestWorkflow(t *testing.T) {
	for path, want := range map[string]int64{workflow(t): 10, "../../missions/workflow": 103} {
		m, diags := Load(path)
		require.Empty(t, diags)
		require.Equal(t, want, m.Spec().Instances)
		require.Len(t, m.Sources(), 2)
		jobs := expandAll(t, m, 1000)
		needs := 0
		for _, j := range jobs {
			needs += len(j.Needs)
			require.GreaterOrEqual(t, j.Work, core.Millisecond)
		}
		require.Greater(t, needs, len(jobs)/2)
		require.True(t, slices.IsSortedFunc(jobs, func(a, b core.JobSpec) int { return strings.Compare(a.Title, b.Title) }), "in the order of the keys")
	}
}

// TestFolder: the files of a folder are one mission, in name order, and the
// JSON form says the same.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "b.hcl", job("beta", "  needs = [job.alpha]"))
	write(t, dir, "a.hcl", head)
	write(t, dir, "c.hcl.json", `{"job":{"alpha":{"skills":["build"],"reward":"${1 + 1}","work":"90s","count":2,"title":"n ${count.index}","accept":{"condition":"${result.n > 0}"}},
		"gamma":{"skills":["build"],"reward":1,"needs":["${job.alpha[1]}"],"input":{"x":"${job.beta.result.y}"},"simulated":{"result":{"a":1}}}}}`)
	write(t, dir, "rehearsal.hcl", "at \"2h\" {}")
	write(t, dir, "omega.lock.hcl", "x = 1")
	write(t, dir, ".hidden.hcl", "x = 1")
	write(t, dir, "notes.txt", "x")
	m, diags := Load(dir)
	require.Empty(t, diags)
	require.Equal(t, ".", m.Entry())
	require.Equal(t, dir, m.Dir())
	jobs := expandAll(t, m, 10)
	require.Len(t, jobs, 4)
	require.Equal(t, []string{"alpha_0", "alpha_1"}, jobs[0].Needs)
	require.Equal(t, "n 1", jobs[2].Title)
	require.Equal(t, "2", jobs[2].Reward.String())
	require.Equal(t, []string{"alpha_1", "beta"}, jobs[3].Needs)
	require.Equal(t, `{"a":1}`, string(jobs[3].Simulated))
	approve, _ := m.Judge("alpha_1", []byte(`{"n":1}`))
	require.True(t, approve)

	write(t, dir, "c.hcl.json", `{"job":{"alpha":{"skills":["build"],"reward":`+strings.Repeat("[", 100_000)+`}}}`)
	_, diags = Load(dir)
	require.Equal(t, "Nested too deeply", diags[0].Summary)
	write(t, dir, "c.hcl.json", `{"job":{"alpha":{"skills":["build"],"reward":"${`+strings.Repeat(`\u0028`, 100_000)+`}"}}}`)
	_, diags = Load(dir)
	require.Equal(t, "Nested too deeply", diags[0].Summary)
	require.Equal(t, "c.hcl.json", diags[0].File)
}

func TestDefaults(t *testing.T) {
	m, diags := load(t, strings.Replace(head, "simulated {}", "simulated {}\n  count = 3\n  slots = 2", 1)+strings.Replace(job("alpha"), "= 1", "= 100", 1))
	require.Empty(t, diags)
	s := m.Spec()
	require.Equal(t, "160", s.Treasury.WorkerEndowment.String(), "2 slots × 0.2 × 100 × (1 + 3)")
	require.Equal(t, "120", s.Treasury.ValidatorEndowment.String(), "10 × max(4, 2 × 6)")
	require.Equal(t, []core.ValidatorSpec{{Name: "rule", Instances: []string{"rule_0", "rule_1", "rule_2"}, Kind: core.RuleValidator}}, s.Validators)
	require.Equal(t, int64(3), s.Governance.Committee)
	require.Equal(t, int64(2), s.Governance.ApprovalsRequired)
	m, diags = load(t, head+"validator \"v\" {\n  count = 9\n}\n"+job("alpha"))
	require.Empty(t, diags)
	require.Equal(t, int64(5), m.Spec().Governance.Committee)
	require.Equal(t, int64(3), m.Spec().Governance.ApprovalsRequired)
	m, diags = load(t, head+"governance {\n  committee = 0\n}\n"+job("alpha"))
	require.Empty(t, diags)
	require.Zero(t, m.Spec().Governance.Committee)
}

func TestIdleSettingsWarnOnce(t *testing.T) {
	m, diags := load(t, head+"delegation {\n  lease = 5\n}\n"+job("alpha"))
	require.NotNil(t, m)
	require.Len(t, diags, 1)
	require.Equal(t, Warning, diags[0].Severity)
	require.Equal(t, "mission.hcl:9:1: warning: Nothing acts on this yet: This version accepts lease and does nothing with it.", diags[0].String())
}

// TestEveryPrefix: a mission cut anywhere is refused in words or is a mission.
func TestEveryPrefix(t *testing.T) {
	whole, err := os.ReadFile("testdata/rich.hcl")
	require.NoError(t, err)
	valid := 0
	for n := range len(whole) + 1 {
		m, diags := Compile("mission.hcl", []Source{{Path: "mission.hcl", Bytes: whole[:n]}})
		require.Equal(t, m == nil, diags.HasErrors(), "prefix of %d bytes", n)
		for _, d := range diags {
			require.NotEqual(t, "This mission cannot be read", d.Summary, "prefix of %d bytes", n)
			require.Positive(t, d.Line)
			require.NotEmpty(t, d.Detail)
		}
		if m != nil {
			valid++
			expandAll(t, m, 100)
		}
	}
	require.Positive(t, valid)
	require.Less(t, valid, len(whole)/4)
}

func TestPrintAndJSON(t *testing.T) {
	_, diags := load(t, head+job("alpha", "  titel = \"x\x1b[31m\""))
	var out bytes.Buffer
	require.NoError(t, diags.Print(&out, false))
	require.Equal(t, "mission.hcl:12:3: error: Unsupported argument\n    12 |   titel = \"x [31m\"\n       |   ^^^^^\n"+
		"  An argument named \"titel\" is not expected here. Did you mean \"title\"?\n", out.String())
	out.Reset()
	require.NoError(t, diags.Print(&out, true))
	require.Contains(t, out.String(), "\x1b[1;31merror\x1b[0m")
	text, err := json.Marshal(diags)
	require.NoError(t, err)
	require.Equal(t, `[{"severity":"error","summary":"Unsupported argument","detail":"An argument named \"titel\" is not expected here. Did you mean \"title\"?","file":"mission.hcl","line":12,"column":3}]`, string(text))
}

// TestMany: size costs what it should. The bounds are ten times what it took.
func TestMany(t *testing.T) {
	var blocks strings.Builder
	for i := range maxBlocks {
		blocks.WriteString(job(fmt.Sprintf("j%d", i), fmt.Sprintf("  needs = [job.j%d]", max(i, 1)-1)))
	}
	source := strings.Replace(blocks.String(), "  needs = [job.j0]\n", "\n", 1)
	for _, c := range []struct {
		name, source string
		want         int64
		limit        time.Duration
	}{
		{"10,000 blocks", source, maxBlocks, 20 * time.Second},
		{"1,000,000 instances", job("j", "  count = 1000000"), maxInstances, 2 * time.Second},
		{"20,000 in a chain", job("j", "  count = 20000", "  needs = count.index < 19999 ? [job.j[count.index + 1]] : []"), 20_000, 10 * time.Second},
	} {
		start := time.Now()
		m, diags := load(t, head+c.source)
		require.Empty(t, diags, c.name)
		require.Less(t, time.Since(start), c.limit, c.name)
		require.Equal(t, c.want, m.Spec().Instances)
	}
	_, diags := load(t, head+source+job("more"))
	require.Equal(t, "Too many blocks", diags[0].Summary)
}
