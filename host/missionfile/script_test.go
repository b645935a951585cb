package missionfile

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/script"
)

// bundler is an engine that knows of a script what it imports and exports as
// queries, and where the word BROKEN stands in it.
type bundler struct {
	mu      sync.Mutex
	bundled []string
}

var (
	imported = regexp.MustCompile(`from "([^"]+)"`)
	exported = regexp.MustCompile(`(?m)^export const queries = (.*[^{\n])$`) // in one line
)

func (b *bundler) Bundle(_ context.Context, entry string, read func(string) ([]byte, error)) (*script.Program, []script.Problem) {
	b.mu.Lock()
	b.bundled = append(b.bundled, entry)
	b.mu.Unlock()
	p := &script.Program{Entry: entry, Exports: []string{"default"}}
	sum, left := sha256.New(), []string{entry}
	for len(left) > 0 {
		name := left[0]
		content, err := read(name)
		if err != nil {
			return nil, []script.Problem{{File: entry, Line: 1, Column: 1, Summary: "Unknown import", Detail: err.Error() + "."}}
		}
		for i, line := range strings.Split(string(content), "\n") {
			if column := strings.Index(line, "BROKEN"); column >= 0 {
				return nil, []script.Problem{{File: name, Line: i + 1, Column: column + 1, Summary: "Syntax error", Detail: "Mend it."}}
			}
		}
		left = left[1:]
		for _, m := range imported.FindAllSubmatch(content, -1) {
			if strings.HasPrefix(string(m[1]), ownPrefix) {
				continue
			}
			next := path.Join(path.Dir(name), string(m[1])) + ".ts"
			if strings.HasSuffix(string(m[1]), ".js") {
				next = strings.TrimSuffix(next, ".ts")
			} else if _, err := read(next); errors.Is(err, fs.ErrNotExist) {
				next = strings.TrimSuffix(next, ".ts") + ".js"
			}
			left = append(left, next)
		}
		if m := exported.FindSubmatch(content); m != nil && name == entry {
			p.Queries = m[1]
		}
		digest := sha256.Sum256(content)
		p.Files = append(p.Files, script.File{Path: name, Digest: digest})
		fmt.Fprintf(sum, "%x  %s\n", digest, name)
	}
	sum.Sum(p.Digest[:0])
	return p, nil
}

func (b *bundler) Call(context.Context, script.Call) script.Answer { return script.Answer{} }

// folder is a mission folder: a mission file and others.
func folder(t *testing.T, mission string, others map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range others {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755))
		write(t, dir, name, content)
	}
	return write(t, dir, "mission.hcl", mission)
}

const (
	plainScript = "export default () => ({ allow: true })\n"
	spending    = `policy "spending" {
  script = "scripts/spending.js"
  on     = ["job.post", "transfer"]
}
`
)

// scriptedMission is a mission with every kind of script.
const scriptedMission = head + `autonomy {
  may    = ["expedite", "boost"]
  budget = 500
}
locals {
  most = 10
}
policy "spending" {
  script = "./scripts/spending.js"
  on     = ["transfer", "job.assign"]
  mode   = "shadow"
  params = { most = local.most * 1.5, who = ["a", null] }
}
guardian {
  script   = "scripts/guardian.js"
  timeout  = "2s"
  fallback = "default"
}
strategist "macro" {
  script   = "scripts/strategist.ts"
  budget   = 50
  interval = "5m"
}
worker "calc" {
  for_each = { a = 1, b = 2 }
  skills   = ["calc"]
  script   = "scripts/calc.js"
  params   = { n = each.value }
}
validator "v" {
  count    = 3
  script   = "scripts/validate.js"
  memory   = 33554432
  fallback = "rule"
}
job "paid" {
  skills   = ["build"]
  reward   = 10
  employer = "macro"
}
`

func scriptFiles() map[string]string {
	return map[string]string{
		"scripts/spending.js":   "import { lib } from \"./lib\"\n" + plainScript,
		"scripts/lib.js":        "export const lib = 1\n",
		"scripts/guardian.js":   "export const queries = {\"late\":{\"from\":\"jobs\",\"where\":{\"deadline_within\":\"75m\",\"state\":[\"ready\",\"posted\"]},\"order\":\"-reward\",\"limit\":5}}\n" + plainScript,
		"scripts/strategist.ts": plainScript,
		"scripts/calc.js":       plainScript,
		"scripts/validate.js":   plainScript,
	}
}

func TestScripts(t *testing.T) {
	engine := &bundler{}
	m, diags := Load(folder(t, scriptedMission, scriptFiles()), Given{Scripts: engine})
	require.Empty(t, diags)
	s := m.Spec()
	policy := s.Policies[0]
	require.Equal(t, []string{"transfer", "job.assign"}, policy.On)
	require.Equal(t, core.ScriptSpec{
		Path: "scripts/spending.js", Digest: m.Program("scripts/spending.js").Digest, Params: []byte(`{"most":15,"who":["a",null]}`),
		Timeout: 150, Memory: 64 << 20, Fallback: "deny",
	}, policy.Script)
	require.Equal(t, core.Duration(2000), s.Guardian.Script.Timeout)
	require.Equal(t, "default", s.Guardian.Script.Fallback)
	require.Equal(t, core.Duration(5*core.Minute), s.Strategists[0].Interval)
	require.Equal(t, []core.AccountSpec{{Name: "guardian", Tokens: 500_000_000}, {Name: "macro", Tokens: 50_000_000}}, s.Accounts)
	require.Equal(t, []string{"expedite", "boost"}, s.Autonomy.May)

	require.Equal(t, []string{"w", "calc_ca978112ca1b", "calc_3e23e8160039"}, []string{s.Workers[0].Name, s.Workers[1].Name, s.Workers[2].Name})
	require.Equal(t, core.ScriptWorker, s.Workers[2].Kind)
	require.Equal(t, `{"n":2}`, string(s.Workers[2].Script.Params))
	require.Equal(t, s.Workers[1].Script.Digest, s.Workers[2].Script.Digest)
	require.Zero(t, s.Workers[0].Script.Path+string(s.Workers[0].Script.Params))
	require.Equal(t, core.ScriptValidator, s.Validators[0].Kind)
	require.Equal(t, int64(32<<20), s.Validators[0].Script.Memory)
	require.Equal(t, "rule", s.Validators[0].Script.Fallback)

	require.Equal(t, []script.Query{{Name: "late", From: "jobs", States: []string{"posted", "ready"}, DeadlineWithin: 75 * 60_000, Order: "reward", Descending: true, Limit: 5}}, m.Queries("scripts/guardian.js"))
	require.Nil(t, m.Program("scripts/lib.js"))
	require.Len(t, engine.bundled, 6, "a script is bundled once")
	require.Equal(t, core.Digest(m.Program("omega:guardian").Digest), s.Guardian.Default)

	var sources []string
	for _, f := range m.Sources() {
		sources = append(sources, f.Path)
	}
	require.Equal(t, []string{"mission.hcl", "omega:guardian", "scripts/calc.js", "scripts/guardian.js", "scripts/lib.js", "scripts/spending.js", "scripts/strategist.ts", "scripts/validate.js"}, sources)
	again, diags := CompileWith(engine, m.Entry(), m.Sources(), m.Variables()...)
	require.Empty(t, diags)
	require.Equal(t, m.Spec(), again.Spec())
	require.Equal(t, m.Program("scripts/spending.js"), again.Program("scripts/spending.js"))
	require.Equal(t, m.Queries("scripts/guardian.js"), again.Queries("scripts/guardian.js"))

	formatted, diags := Format("mission.hcl", []byte(scriptedMission))
	require.Empty(t, diags)
	require.Equal(t, scriptedMission, string(formatted))
}

// TestOwnScripts: a script that comes with Omega is recorded, and a recorded one
// is used again whatever this version's says.
func TestOwnScripts(t *testing.T) {
	source := head + "guardian {}\nstrategist \"macro\" {\n  budget = 1\n}\n" + strings.Replace(spending, "scripts/spending.js", "omega:spending", 1) + job("alpha")
	var sources []Source
	for name, content := range map[string]string{"mission.hcl": source, "omega:guardian": plainScript, "omega:strategist": plainScript + "//", "omega:spending": plainScript + "// as it was"} {
		sources = append(sources, Source{Path: name, Bytes: []byte(content)})
	}
	m, diags := CompileWith(&bundler{}, "mission.hcl", sources)
	require.Empty(t, diags)
	require.Equal(t, "omega:guardian", m.Spec().Guardian.Script.Path)
	require.Zero(t, m.Spec().Guardian.Default)
	require.Equal(t, "omega:strategist", m.Spec().Strategists[0].Script.Path)
	require.Equal(t, core.Digest(sha256.Sum256([]byte(plainScript+"// as it was"))), core.Digest(m.Program("omega:spending").Files[0].Digest))
	require.Len(t, m.Sources(), 4)
	_, diags = CompileWith(&bundler{}, "mission.hcl", slices.DeleteFunc(sources, func(s Source) bool { return s.Path == "omega:spending" }))
	require.Len(t, diags, 1)
	require.Equal(t, "Unknown script", diags[0].Summary)
}

// TestGuardianStandsInForItself: the one that comes with Omega has no other to
// stand in for it.
func TestGuardianStandsInForItself(t *testing.T) {
	m, diags := Load(folder(t, head+"guardian {\n  fallback = \"default\"\n}\n"+job("alpha"), nil), Given{Scripts: &bundler{}})
	require.Len(t, diags, 1)
	require.Equal(t, "Its own fallback", diags[0].Summary)
	require.Zero(t, m.Spec().Guardian.Default)
}

func TestScriptsInJSON(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "p.js", plainScript)
	at := write(t, dir, "mission.hcl.json", `{"mission":{"m":{}},"treasury":{"tokens":1000},"worker":{"w":{"skills":["s"],"script":"p.js","params":{"a":"${1+1}"}}},
		"policy":{"p":{"script":"p.js","on":["transfer"],"params":{"k":[1]}}},"guardian":{"script":"p.js"},"strategist":{"s":{"script":"p.js","budget":1}},
		"job":{"a":{"skills":["s"],"reward":"${1+1}"}}}`)
	m, diags := Load(at, Given{Scripts: &bundler{}})
	require.Empty(t, diags)
	require.Equal(t, `{"k":[1]}`, string(m.Spec().Policies[0].Script.Params))
	require.Equal(t, `{"a":2}`, string(m.Spec().Workers[0].Script.Params))
	require.NotNil(t, m.Spec().Guardian)
	require.Equal(t, "s", m.Spec().Strategists[0].Name)
}

func policyWith(lines ...string) string {
	return "policy \"p\" {\n  script = \"a.js\"\n  on = [\"transfer\"]\n" + strings.Join(lines, "\n") + "\n}\n"
}

func scriptWorker(lines ...string) string {
	return "worker \"x\" {\n  skills = [\"x\"]\n" + strings.Join(lines, "\n") + "\n}\n"
}

// TestScriptsRefused: each has exactly one diagnostic, at the place given; where
// no file is named it is the mission's.
func TestScriptsRefused(t *testing.T) {
	many := func(block, rest string) string {
		var b strings.Builder
		for i := range maxScripted + 1 {
			fmt.Fprintf(&b, "%s \"p%d\" {\n  script = \"a.js\"\n  %s\n}\n", block, i, rest)
		}
		return b.String()
	}
	steward := "strategist \"s\" {\n  script = \"a.js\"\n  budget = 10\n}\n"
	guardian := "guardian {\n  script = \"a.js\"\n}\n"
	queries := func(text string) map[string]string {
		return map[string]string{"a.js": "// a guardian\nexport const queries = " + text + "\n" + plainScript}
	}
	for name, c := range map[string]struct {
		source, want string
		files        map[string]string
	}{
		"unknown hook":        {strings.Replace(policyWith(), `["transfer"]`, `["transfr"]`, 1), `11:8: Invalid on: "transfr" is not one of job.post, job.delegate, transfer, job.assign, message, simulation.act. Did you mean "transfer"?`, nil},
		"hook twice":          {strings.Replace(policyWith(), `["transfer"]`, `["transfer", "transfer"]`, 1), `11:8: Invalid on: It names "transfer" twice.`, nil},
		"no hooks":            {strings.Replace(policyWith(), `["transfer"]`, `[]`, 1), `11:8: Invalid on: It must name at least one.`, nil},
		"no on":               {"policy \"p\" {\n  script = \"a.js\"\n}\n", `9:1: Missing on: The policy block must set on`, nil},
		"hook as text":        {strings.Replace(policyWith(), `["transfer"]`, `"transfer"`, 1), `11:8: Invalid on: Write a list`, nil},
		"bad mode":            {policyWith(`  mode = "shadwo"`), `12:10: Invalid mode: "shadwo" is not one of enforce, shadow. Did you mean "shadow"?`, nil},
		"bad fallback":        {policyWith(`  fallback = "none"`), `12:14: Invalid fallback: "none" is not one of`, nil},
		"long timeout":        {policyWith(`  timeout = "2m"`), `12:13: Invalid timeout: It must be between 10ms and 1m`, nil},
		"little memory":       {policyWith(`  memory = 1`), `12:12: Invalid memory: It must be between`, nil},
		"policy twice":        {policyWith() + policyWith(), `14:8: Duplicate policy: policy "p" is already declared at mission.hcl:9`, nil},
		"bad name":            {strings.Replace(policyWith(), `"p"`, `"P"`, 1), `9:8: Not a name:`, nil},
		"no script":           {"policy \"p\" {\n  on = [\"transfer\"]\n}\n", `9:1: Missing script: The policy block must name its script`, nil},
		"misspelt":            {"policy \"p\" {\n  scrpt = \"a.js\"\n  on = [\"transfer\"]\n}\n", `10:3: Unsupported argument: `, nil},
		"too many policies":   {many("policy", `on = ["transfer"]`), `265:1: Too many policies: at most 64`, nil},
		"too many strategist": {many("strategist", `budget = 1`), `265:1: Too many strategists: at most 64`, nil},

		"params of text":   {policyWith(`  params = "x"`), `12:12: Invalid params: They are an object, like { limit = 500 }, not string`, nil},
		"params of a list": {policyWith(`  params = [1]`), `12:12: Invalid params: They are an object`, nil},
		"large params":     {policyWith(`  params = { x = join("", [for i in range(1000) : "0123456789abcdef0"]) }`), `12:12: Invalid params: It has 17008 bytes as JSON; at most 16384 are recorded`, nil},
		"deep params":      {policyWith("  params = { x = " + strings.Repeat("[", 200) + strings.Repeat("]", 200) + " }"), `12:12: Invalid params: `, nil},
		"astronomic":       {policyWith(`  params = { x = 1e999999 }`), `12:18: Number too large`, nil},
		"sensitive params": {"variable \"k\" {\n  sensitive = true\n}\n" + policyWith(`  params = { k = var.k }`), `15:18: Secret out of place: It holds the sensitive variable k`, nil},
		"sensitive try":    {"variable \"k\" {\n  sensitive = true\n}\n" + policyWith(`  params = { k = try(var.k, 1) }`), `15:22: Secret out of place`, nil},
		"sensitive local":  {"variable \"k\" {\n  sensitive = true\n}\nlocals {\n  x = \"a${var.k}\"\n}\n" + policyWith(`  params = { k = local.x }`), `18:18: Secret out of place`, nil},
		"sensitive path":   {"variable \"k\" {\n  sensitive = true\n}\n" + strings.Replace(policyWith(), `"a.js"`, `var.k`, 1), `13:12: Secret out of place`, nil},
		"sensitive worker": {"variable \"k\" {\n  sensitive = true\n}\n" + scriptWorker(`  script = "a.js"`, `  params = { k = var.k }`), `15:18: Secret out of place`, nil},
		"params of a job":  {policyWith(`  params = { x = job.alpha.result }`), `12:18: No jobs can be referred to here`, nil},
		"params of each":   {policyWith(`  params = { x = each.key }`), `12:18: No each here`, nil},
		"all params":       {scriptWorker("  count = 70", `  script = "a.js"`, `  params = { n = count.index, x = join("", [for i in range(1000) : "0123456789abcdef"]) }`), `13:12: Params too large: The params of all scripts together have at most 1024 KiB`, nil},

		"outside":         {strings.Replace(policyWith(), "a.js", "../a.js", 1), `10:12: Script outside the mission folder: `, nil},
		"absolute":        {strings.Replace(policyWith(), "a.js", "/etc/passwd", 1), `10:12: Script outside the mission folder: `, nil},
		"no file":         {strings.Replace(policyWith(), "a.js", "b.js", 1), `10:12: Script not found: There is no file b.js in the mission folder`, nil},
		"a folder":        {strings.Replace(policyWith(), "a.js", ".", 1), `10:12: Script not readable: .: It is not a regular file`, nil},
		"a test":          {strings.Replace(policyWith(), "a.js", "a.test.js", 1), `10:12: Script is a test: `, map[string]string{"a.test.js": plainScript}},
		"unknown own":     {strings.Replace(policyWith(), "a.js", "omega:nobody", 1), `10:12: Unknown script: No script called "nobody" comes with Omega.`, nil},
		"broken":          {policyWith(), `a.js:2:3: Syntax error: Mend it.`, map[string]string{"a.js": "let x\n  BROKEN"}},
		"broken import":   {policyWith(), `lib/b.ts:1:1: Syntax error: Mend it.`, map[string]string{"a.js": `import "x" from "./lib/b"`, "lib/b.ts": "BROKEN"}},
		"broken twice":    {policyWith() + guardian, `a.js:1:1: Syntax error: Mend it.`, map[string]string{"a.js": "BROKEN"}},
		"import of none":  {policyWith(), `a.js:1:1: Unknown import: there is no such file.`, map[string]string{"a.js": `import "x" from "./b"`}},
		"import outside":  {policyWith(), `a.js:1:1: Unknown import: it lies outside the mission folder.`, map[string]string{"a.js": `import "x" from "../b"`}},
		"import of much":  {policyWith(), `a.js:1:1: Unknown import: it has 17000000 bytes`, map[string]string{"a.js": `import "x" from "./b"`, "b.js": strings.Repeat("x", 17_000_000)}},
		"timeout alone":   {scriptWorker("  simulated {}", `  timeout = "1s"`), `12:3: No script: worker.x sets timeout, which is said of a script`, nil},
		"params alone":    {"validator \"v\" {\n  count = 3\n  params = {}\n}\n", `11:3: No script: validator.v sets params`, nil},
		"fallback alone":  {"validator \"v\" {\n  count = 3\n  fallback = \"rule\"\n  exec {\n    command = [\"x\"]\n  }\n}\n", `11:3: No script: validator.v sets fallback`, nil},
		"two kinds":       {scriptWorker(`  script = "a.js"`, "  simulated {}"), `12:3: Two kinds: worker.x is already a script: keep script or the simulated block.`, nil},
		"script block":    {scriptWorker("  script {", "  }"), `11:3: Unsupported block type: `, nil},
		"empty script":    {scriptWorker(`  script = ""`), `11:12: Missing script: It is empty`, nil},
		"worker fallback": {scriptWorker(`  script = "a.js"`, `  fallback = "rule"`), `12:14: Invalid fallback: `, nil},
		"no kind":         {scriptWorker(), `9:1: Missing kind of work: worker.x must say how it works: add a block simulated {}, exec { command = ["…"] } or http { url = "…" }, or script = "…".`, nil},

		"guardian twice":     {guardian + guardian, `12:1: Duplicate block: A mission has one guardian block; the other is at mission.hcl:9`, nil},
		"guardian account":   {"account \"guardian\" {\n  tokens = 1\n}\n" + guardian, `9:1: Account of the guardian: `, nil},
		"unknown action":     {"autonomy {\n  may = [\"boosst\"]\n}\n" + guardian, `10:9: Invalid may: "boosst" is not one of expedite, reprice, boost, pause_skill, post, steer. Did you mean "boost"?`, nil},
		"may without":        {"autonomy {\n  may = [\"boost\"]\n}\n", `warning 10:9: No guardian: `, nil},
		"budget without":     {"autonomy {\n  budget = 5\n}\n", `warning 10:12: No guardian: `, nil},
		"idle hooks":         {strings.Replace(policyWith(), `["transfer"]`, `["message", "simulation.act"]`, 1), `warning 11:8: Nothing asks about this yet: Nothing in this version asks about message and simulation.act.`, nil},
		"strategist account": {"account \"s\" {\n  tokens = 1\n}\n" + steward, `12:12: Duplicate account: A strategist spends out of the account of its name, and account "s" is declared at mission.hcl:9`, nil},
		"strategist twice":   {steward + steward, `13:12: Duplicate strategist: `, nil},
		"of the guardian":    {strings.Replace(steward, `"s"`, `"guardian"`, 1), `9:12: Name of the guardian: `, nil},
		"of the owner":       {strings.Replace(steward, `"s"`, `"operator"`, 1), `9:12: Account of the owner: `, nil},
		"of somebody else":   {strings.Replace(steward, `"s"`, `"owner"`, 1), `9:12: Name of somebody else: `, nil},
		"no budget":          {"strategist \"s\" {\n  script = \"a.js\"\n}\n", `9:1: Missing budget: `, nil},
		"small budget":       {steward + job("beta", "  count = 10", `  employer = "s"`), `11:12: Account too small: s has 10 tokens, but the rewards 10 + fees 0.5 of its jobs are 10.5: raise its budget to that`, nil},
		"small guardian":     {"autonomy {\n  budget = 1\n}\n" + guardian + job("beta", `  employer = "guardian"`), `10:12: Account too small: guardian has 1 tokens, but the rewards 1 + fees 0.05 of its jobs are 1.05: raise its budget to that`, nil},
		"rich strategist":    {strings.Replace(steward, "= 10", "= 1e9", 1), `3:12: Treasury too small: It has 1000000000 tokens`, nil},

		"queries of a policy": {policyWith(), `warning a.js:2:14: Nobody answers these queries: `, queries(`{}`)},
		"query of nobody":     {guardian, `a.js:2:14: Invalid queries: Query "x": from: "job" is not one of accounts, jobs, skills, validators, workers.`, queries(`{"x":{"from":"job"}}`)},
		"taken query":         {guardian, `a.js:2:14: Invalid queries: Query "may": the script is given something else by that name (waiting, memory, may, budget)`, queries(`{"may":{"from":"jobs"}}`)},
		"taken by the plan":   {steward, `a.js:2:14: Invalid queries: Query "plan": the script is given something else`, queries(`{"plan":{"from":"jobs"}}`)},
		"bad span":            {steward, `a.js:2:14: Invalid queries: Query "x": where: deadline_within: "2 hours" is not a duration`, queries(`{"x":{"from":"jobs","where":{"deadline_within":"2 hours"}}}`)},
	} {
		t.Run(name, func(t *testing.T) {
			files := c.files
			if files == nil {
				files = map[string]string{"a.js": plainScript}
			}
			m, diags := Load(folder(t, head+c.source+job("alpha"), files), Given{Scripts: &bundler{}, Flags: flagsFor(c.source)})
			require.Len(t, diags, 1, "%v", diags)
			d, want := diags[0], c.want
			if warning, is := strings.CutPrefix(want, "warning "); is {
				require.Equal(t, Warning, d.Severity)
				require.NotNil(t, m)
				want = warning
			} else {
				require.Equal(t, Error, d.Severity)
				require.Nil(t, m)
			}
			at := fmt.Sprintf("%d:%d", d.Line, d.Column)
			if d.File != "mission.hcl" {
				at = d.File + ":" + at
				require.NotEmpty(t, d.Snippet)
			}
			got := fmt.Sprintf("%s: %s: %s", at, d.Summary, d.Detail)
			parts := strings.SplitN(want, ": ", 3)
			require.True(t, strings.HasPrefix(got, parts[0]+": "+strings.TrimSuffix(parts[1], ":")), "%s\nwant %s", got, want)
			require.Contains(t, got, parts[len(parts)-1])
			require.NotContains(t, got, canary)
			sane(t, diags)
		})
	}
}

func flagsFor(source string) []string {
	if strings.Contains(source, `variable "k"`) {
		return []string{"k=" + canary}
	}
	return nil
}

// TestScriptsForReal: without an engine one is opened, and what it says of a
// script stands where the author wrote it.
func TestScriptsForReal(t *testing.T) {
	files := map[string]string{"a.js": "export const queries = { late: { from: \"jobs\", limit: 3 } };\nimport { b } from \"./b\";\n" + plainScript, "b.ts": "export const b: number = 1;\n"}
	mission := head + "guardian {\n  script = \"a.js\"\n}\n" + job("alpha")
	m, diags := Load(folder(t, mission, files))
	require.Empty(t, diags)
	require.Equal(t, []script.Query{{Name: "late", From: "jobs", Limit: 3}}, m.Queries("a.js"))
	again, diags := Compile(m.Entry(), m.Sources())
	require.Empty(t, diags)
	require.Equal(t, m.Spec(), again.Spec())
	require.Len(t, m.Sources(), 3)

	for name, c := range map[string]struct{ file, content, want string }{
		"syntax":            {"b.ts", "export const b = (1;\n", "b.ts:1:20: "},
		"no default":        {"a.js", "export const a = 1\n", "a.js:1:1: "},
		"queries in code":   {"a.js", "export const queries = { x: { from: \"job\" } }\n" + plainScript, "a.js:1:14: error: Invalid queries: "},
		"nested brackets":   {"b.ts", "export const b = " + strings.Repeat("[", 100_000), "b.ts:1:"},
		"throws when it is": {"b.ts", "export const b = null.x\n", "b.ts:1:"},
	} {
		files := map[string]string{"a.js": files["a.js"], "b.ts": files["b.ts"]}
		files[c.file] = c.content
		m, diags := Load(folder(t, mission, files))
		require.Nil(t, m, name)
		require.Len(t, diags, 1, name)
		require.True(t, strings.HasPrefix(diags[0].String(), c.want), "%s: %s", name, diags[0])
		require.NotEmpty(t, diags[0].Snippet)
	}
}

// TestOwnScriptsForReal: those that come with Omega can be used.
func TestOwnScriptsForReal(t *testing.T) {
	own := strings.Replace(spending, "scripts/spending.js", "omega:spending", 1)
	m, diags := Load(folder(t, head+"guardian {}\nstrategist \"macro\" {\n  budget = 1\n}\n"+own+"validator \"v\" {\n  count = 3\n  script = \"omega:validate\"\n}\n"+job("alpha"), nil))
	require.Empty(t, diags)
	require.NotEmpty(t, m.Queries("omega:guardian"))
	var paths []string
	for _, f := range m.Sources() {
		paths = append(paths, f.Path)
	}
	require.Equal(t, []string{"mission.hcl", "omega:guardian", "omega:spending", "omega:strategist", "omega:validate"}, paths)
}

// TestQueryStates: a query may name every state of a job, and no other.
func TestQueryStates(t *testing.T) {
	var all []string
	for _, s := range core.JobStates() {
		all = append(all, string(s))
	}
	require.ElementsMatch(t, all, script.States())
	for _, p := range script.Priorities() {
		_, ok := core.ParsePriority(p)
		require.True(t, ok)
	}
}

// TestScriptedPrefixes: whatever part of a mission is saved, Load answers, and
// only the whole has no errors.
func TestScriptedPrefixes(t *testing.T) {
	at := folder(t, "", scriptFiles())
	for n := 0; n < len(scriptedMission); n += 7 {
		require.NoError(t, os.WriteFile(at, []byte(scriptedMission[:n]), 0o600))
		m, diags := Load(at, Given{Scripts: &bundler{}})
		sane(t, diags)
		require.Equal(t, m == nil, diags.HasErrors())
		require.Nil(t, m, "%q", scriptedMission[:n])
	}
}
