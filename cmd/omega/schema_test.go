package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	gofmt "go/format"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/inquiry"
	"github.com/omega-run/omega/host/missionfile"
	"github.com/omega-run/omega/host/projection"
)

var update = flag.Bool("update", false, "write generated files anew")

// checked is what `omega check --json` writes.
type checked struct {
	Diagnostics missionfile.Diagnostics `json:"diagnostics"`
}

// forms is everything Omega writes as JSON, in the order of docs/artifacts.md.
func forms() []form {
	return []form{
		{"telemetry", "telemetry.json", projection.Telemetry{}, "omega.telemetry/v1"},
		{"telemetry-ui", "telemetry-ui.json", projection.Page{}, "omega.telemetry-ui/v1"},
		{"storyboard", "storyboard.json", projection.Storyboard{}, "omega.storyboard/v1"},
		{"storyboard-history", "storyboard-history.jsonl", projection.Scene{}, ""},
		{"long-run-ledger", "long-run-ledger.jsonl", projection.LongRunLine{}, ""},
		{"state-checkpoint", "state-checkpoint.json", projection.StateCheckpoint{}, "omega.state-checkpoint/v1"},
		{"state-history", "state-history.jsonl", projection.HistoryLine{}, ""},
		{"resource-ledger", "resource-ledger.json", projection.ResourceLedger{}, "omega.resource-ledger/v1"},
		{"mesh-history", "mesh-history.jsonl", projection.MeshLine{}, ""},
		{"structured-log", "structured-log.jsonl", projection.LogLine{}, ""},
		{"control-ack", "control-ack.jsonl", projection.AckLine{}, ""},
		{"autonomy-plan", "autonomy-plan.json", projection.AutonomyPlan{}, "omega.autonomy-plan/v1"},
		{"autonomy-history", "autonomy-history.jsonl", projection.AutonomyLine{}, ""},
		{"insights", "insights.jsonl", projection.Insight{}, ""},
		{"report", "omega run --json", projection.Report{}, projection.ReportSchema},
		{"check", "omega check --json", checked{}, ""},
		{"plan", "omega plan --json", host.PlanSheet{}, host.PlanSchema},
		{"verify", "omega verify --json", host.Audit{}, ""},
		{"order", "omega owner --json", host.Acknowledgement{}, ""},
		{"explain", "omega explain --json", inquiry.Explanation{}, "omega.explain/v1"},
		{"explain-worker", "omega explain WORKER --json", inquiry.WorkerStory{}, "omega.explain.worker/v1"},
		{"explain-validator", "omega explain VALIDATOR --json", inquiry.ValidatorStory{}, "omega.explain.validator/v1"},
		{"explain-policy", "omega explain POLICY --json", inquiry.PolicyStory{}, "omega.explain.policy/v1"},
		{"explain-steward", "omega explain STEWARD --json", inquiry.StewardStory{}, "omega.explain.steward/v1"},
		{"policy-test", "omega policy test --json", Trial{}, ""},
		{"policy-diff", "omega policy diff --json", host.Rehearing{}, "omega.policy-diff/v1"},
		{"new", "omega new --json", Begun{}, ""},
		{"cost", "omega cost --json", inquiry.BillSheet{}, "omega.cost/v1"},
	}
}

// form is one of them: its schema's name, who writes it, its type, and the
// value of its member schema.
type form struct {
	name, of string
	value    any
	schema   string
}

func (f *form) line() bool { return strings.HasSuffix(f.of, ".jsonl") }

// closed are the texts that are one of a list.
func closed() map[reflect.Type][]any {
	states := []any{}
	for _, s := range core.JobStates() {
		states = append(states, string(s))
	}
	return map[reflect.Type][]any{
		reflect.TypeFor[core.JobState]():        states,
		reflect.TypeFor[projection.Phase]():     {"ascendant", "stabilisation", "intervention"},
		reflect.TypeFor[projection.Level]():     {"info", "warning", "error"},
		reflect.TypeFor[missionfile.Severity](): {"error", "warning"},
		reflect.TypeFor[host.PlanOutcome]():     {"new", "nothing", "applies", "held", "refused", "broken", "ended"},
		reflect.TypeFor[projection.AlertKind](): {"stalled", "approval", "action", "edit", "script", "guardian", "tokens", "energy", "compute", "deadline", "unattended", "absent", "rejected"},
	}
}

// words are what the source says of types ("Telemetry") and of their members
// ("Telemetry.Seq"), by package path.
type words map[string]map[string]string

func (w words) of(t reflect.Type, member string) string {
	name, _, _ := strings.Cut(t.Name(), "[")
	if member != "" {
		name += "." + member
	}
	return w.in(t.PkgPath())[name]
}

const module = "github.com/omega-run/omega/"

func (w words) in(pkg string) map[string]string {
	if w[pkg] != nil {
		return w[pkg]
	}
	w[pkg] = map[string]string{}
	files, err := filepath.Glob("../../" + strings.TrimPrefix(pkg, module) + "/*.go")
	if err != nil || !strings.HasPrefix(pkg, module) {
		return w[pkg]
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			panic(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if d, ok := n.(*ast.GenDecl); ok && d.Tok == token.TYPE {
				for _, spec := range d.Specs {
					w.note(w[pkg], spec.(*ast.TypeSpec), d.Doc)
				}
			}
			return true
		})
	}
	return w[pkg]
}

func (w words) note(to map[string]string, t *ast.TypeSpec, doc *ast.CommentGroup) {
	to[t.Name.Name] = sentence(cmp.Or(t.Doc.Text(), doc.Text()))
	fields, ok := t.Type.(*ast.StructType)
	if !ok {
		return
	}
	for _, f := range fields.Fields.List {
		for _, name := range f.Names {
			to[t.Name.Name+"."+name.Name] = sentence(cmp.Or(f.Doc.Text(), f.Comment.Text()))
		}
	}
}

// sentence is a comment up to its first indented line, on one line.
func sentence(comment string) string {
	comment, _, _ = strings.Cut(comment, "\n\t")
	return strings.Join(strings.Fields(strings.ReplaceAll(comment, "`", "'")), " ")
}

// chart draws the schema of one form.
type chart struct {
	words  words
	closed map[reflect.Type][]any
	defs   map[string]any
	types  []reflect.Type // in the order they were met
}

func (d *chart) of(t reflect.Type) map[string]any {
	switch {
	case t == reflect.TypeFor[json.RawMessage]():
		return map[string]any{}
	case t == reflect.TypeFor[json.Number]():
		return map[string]any{"type": "number"}
	case d.closed[t] != nil:
		return map[string]any{"type": "string", "enum": d.closed[t]}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return map[string]any{"anyOf": []any{d.of(t.Elem()), map[string]any{"type": "null"}}}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": d.of(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": d.of(t.Elem())}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Uint64:
		return map[string]any{"type": "integer", "minimum": 0}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Struct:
		name := nameOf(t)
		if d.defs[name] == nil {
			d.defs[name] = map[string]any{} // for what refers to itself
			d.types = append(d.types, t)
			d.defs[name] = d.object(t)
		}
		return map[string]any{"$ref": "#/$defs/" + name}
	}
	panic("no schema for " + t.String())
}

// nameOf is a type's name: List[…/projection.JobOf] is ListOfJobOf.
func nameOf(t reflect.Type) string {
	name, of, generic := strings.Cut(strings.TrimSuffix(t.Name(), "]"), "[")
	if generic {
		name += "Of" + of[strings.LastIndex(of, ".")+1:]
	}
	if strings.HasSuffix(t.PkgPath(), "/inquiry") { // which has seats and rounds of its own
		name = "Asked" + name
	}
	return name
}

func (d *chart) object(t reflect.Type) map[string]any {
	properties, required := map[string]any{}, []string{}
	for _, f := range members(t) {
		schema := d.of(f.Type)
		if f.optional && f.Type.Kind() == reflect.Pointer {
			schema = d.of(f.Type.Elem())
		}
		if about := d.words.of(f.owner, f.Name); about != "" {
			schema["description"] = about
		}
		if f.Name == "Items" {
			schema["maxItems"] = 1000
		}
		if properties[f.key] = schema; !f.optional {
			required = append(required, f.key)
		}
	}
	object := map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
	if about := d.words.of(t, ""); about != "" {
		object["description"] = about
	}
	return object
}

// member is a field as it stands in JSON; owner is the struct it is declared in.
type member struct {
	reflect.StructField
	owner    reflect.Type
	key      string
	optional bool
}

func members(t reflect.Type) (all []member) {
	for i := range t.NumField() {
		f := t.Field(i)
		key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && key == "":
			all = append(all, members(f.Type)...)
		case f.IsExported() && key != "-":
			all = append(all, member{f, t, cmp.Or(key, f.Name), strings.Contains(options, "omit")})
		}
	}
	return all
}

func (f *form) draw(w words) (*chart, []byte) {
	d := &chart{words: w, closed: closed(), defs: map[string]any{}}
	t := reflect.TypeOf(f.value)
	root := d.object(t)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = "urn:omega:" + f.name
	root["title"] = f.of
	root["$defs"] = d.defs
	if f.schema != "" {
		root["properties"].(map[string]any)["schema"] = map[string]any{"const": f.schema}
	}
	b, err := json.Marshal(root)
	if err != nil {
		panic(err)
	}
	return d, b
}

// TestSchemas: the schemas in the program and docs/artifacts.md are what the
// types say.
func TestSchemas(t *testing.T) {
	w, code := words{}, new(bytes.Buffer)
	fmt.Fprint(code, "package main\n\n// schemaTexts is written by `go test ./cmd/omega -run Schemas -update`.\nfunc schemaTexts() []schemaText {\nreturn []schemaText{\n")
	page := pageHead
	described := map[string]string{}
	for _, f := range forms() {
		d, text := f.draw(w)
		fmt.Fprintf(code, "{%q, %q, %v, `%s`},\n", f.name, f.of, f.line(), text)
		page += f.page(d)
		for _, t := range d.types {
			described[nameOf(t)] = table(d, t)
		}
	}
	fmt.Fprint(code, "}\n}\n")
	page += "## Members of members\n"
	for _, name := range slices.Sorted(maps.Keys(described)) {
		page += "\n### " + name + "\n\n" + described[name]
	}
	source, err := gofmt.Source(code.Bytes())
	require.NoError(t, err)
	for path, want := range map[string]string{"schema_text.go": string(source), "../../docs/artifacts.md": page} {
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
		}
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, want, string(b), "%s is not what the types say; write it with -update", path)
	}
}

const pageHead = `# Artifacts

Written by ` + "`go test ./cmd/omega -run Schemas -update`" + ` from the types in the source.

A mission's folder ` + "`status/`" + ` holds what people and programs read beside the journal. Every byte in it is a function of the journal: ` + "`omega rebuild`" + ` writes it again,
` + "`omega verify`" + ` compares it. A live host brings it up to date once a second, a rehearsal writes it once, at its end.

- A ` + "`.json`" + ` file is replaced as a whole, has at most 1 MiB (` + "`telemetry-ui.json`" + ` 256 KiB), and at most 1,000 items in a list: open things first, with the ` + "`total`" + ` and whether it is ` + "`truncated`" + `.
- A ` + "`.jsonl`" + ` file has one object a line. Lines are written for entries, never by the clock; at twice its retention a file is cut to the newest lines.
- ` + "`job-graph.mmd`" + ` is a Mermaid flowchart: solid arrows lead from what is needed to what needs it, dotted ones from a job to those it has posted. At most 400 nodes, open jobs first.
- Times are milliseconds of mission time, ` + "`wall`" + ` is RFC 3339 as recorded. Amounts are decimal texts in whole units, ratios decimal texts between 0 and 1.
- Of jobs that have ended the newest 256 are kept in lists and in the graph; all are counted.

` + "`omega schema NAME`" + ` prints the JSON Schema (draft 2020-12) of each form below. ` + "`autonomy-plan.json`, `autonomy-history.jsonl` and `insights.jsonl`" + ` are there once a guardian or a strategist has said something;
` + "`continuity-*`" + ` is not written by this version: it has no replica.

`

func (f *form) page(d *chart) string {
	what := "`" + f.of + "`"
	if f.line() {
		what += ", a line"
	}
	return "## " + f.name + ": " + what + "\n\n" + table(d, reflect.TypeOf(f.value)) + "\n"
}

// table is what a page says of a type.
func table(d *chart, t reflect.Type) string {
	text := ""
	if about := d.words.of(t, ""); about != "" {
		text += about + "\n\n"
	}
	text += "| member | is | |\n|---|---|---|\n"
	for _, m := range members(t) {
		left := ""
		if m.optional {
			left = " (may be left out)"
		}
		text += "| `" + m.key + "` | " + kindOf(m.Type) + left + " | " + strings.ReplaceAll(d.words.of(m.owner, m.Name), "|", "\\|") + " |\n"
	}
	return text
}

func kindOf(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[json.RawMessage]():
		return "any"
	case t == reflect.TypeFor[json.Number]():
		return "number"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return kindOf(t.Elem()) + " or null"
	case reflect.Slice:
		return "list of " + kindOf(t.Elem())
	case reflect.Map:
		return "object of " + kindOf(t.Elem())
	case reflect.Struct:
		return "[" + nameOf(t) + "](#" + strings.ToLower(nameOf(t)) + ")"
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "text"
	}
	return "integer"
}

// compiled are the program's own schemas, by name.
func compiled(t *testing.T) map[string]*jsonschema.Schema {
	all := map[string]*jsonschema.Schema{}
	for _, s := range schemaTexts() {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(s.text))
		require.NoError(t, err)
		c := jsonschema.NewCompiler()
		c.AssertFormat()
		require.NoError(t, c.AddResource("urn:omega:"+s.name, doc))
		schema, err := c.Compile("urn:omega:" + s.name)
		require.NoError(t, err)
		all[s.name], all[s.of] = schema, schema
	}
	return all
}

func valid(t *testing.T, schema *jsonschema.Schema, text []byte) {
	require.NotNil(t, schema)
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	require.NoError(t, schema.Validate(value), "%.2000s", text)
}

// TestOutputsFollowTheirSchemas: every artifact and every machine output of a
// rich rehearsal is what its schema says, to the last member.
func TestOutputsFollowTheirSchemas(t *testing.T) {
	schemas := compiled(t)
	data := filepath.Join(t.TempDir(), "data")
	run := func(code int, args ...string) []byte {
		var out, problems bytes.Buffer
		require.Equal(t, code, Main(args, nil, &out, &problems), "%v: %s%s", args, out.String(), problems.String())
		return out.Bytes()
	}
	valid(t, schemas["report"], run(0, "run", "--ci", "--json", "--data", data, "testdata/rich"))
	artifacts, err := filepath.Glob(filepath.Join(data, "status", "*"))
	require.NoError(t, err)
	require.Len(t, artifacts, 12)
	lines := map[string]int{}
	for _, path := range artifacts {
		name := filepath.Base(path)
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		switch filepath.Ext(path) {
		case ".json":
			valid(t, schemas[name], b)
		case ".jsonl":
			for line := range bytes.Lines(b) {
				valid(t, schemas[name], line)
				lines[name]++
			}
			require.Positive(t, lines[name], name)
		}
	}
	requireRich(t, data)
	valid(t, schemas["telemetry"], run(0, "status", "--json", "--data", data))
	valid(t, schemas["check"], run(0, "check", "--json", "testdata/rich"))
	valid(t, schemas["verify"], run(0, "verify", "--json", data))
	valid(t, schemas["explain"], run(0, "explain", "--json", "--data", data, "parent"))
	valid(t, schemas["explain-worker"], run(0, "explain", "--json", "--data", data, "slow"))
	valid(t, schemas["explain-validator"], run(0, "explain", "--json", "--data", data, "keen"))
	valid(t, schemas["cost"], run(0, "cost", "--json", "--data", data))
	answer, err := json.Marshal(host.Acknowledgement{ID: "x", Refusal: "paused", Seq: 4})
	require.NoError(t, err)
	valid(t, schemas["order"], answer)
	require.Error(t, schemas["order"].Validate(map[string]any{"id": "x", "surprise": 1}), "a schema that allows anything shows nothing")
}

// TestScriptOutputsFollowTheirSchemas: the same for what only a mission with
// scripts has.
func TestScriptOutputsFollowTheirSchemas(t *testing.T) {
	schemas := compiled(t)
	data, mission := filepath.Join(t.TempDir(), "data"), "../../missions/observatory"
	run := func(code int, args ...string) []byte {
		var out, problems bytes.Buffer
		require.Equal(t, code, Main(args, nil, &out, &problems), "%v: %s%s", args, out.String(), problems.String())
		return out.Bytes()
	}
	run(0, "run", "--ci", "--data", data, mission)
	for name, least := range map[string]int{"autonomy-plan.json": 1, "autonomy-history.jsonl": 5, "insights.jsonl": 5, "telemetry.json": 1, "telemetry-ui.json": 1, "storyboard.json": 1, "mesh-history.jsonl": 100} {
		b, err := os.ReadFile(filepath.Join(data, "status", name))
		require.NoError(t, err)
		require.GreaterOrEqual(t, bytes.Count(b, []byte("\n")), least, name)
		for line := range bytes.Lines(b) {
			valid(t, schemas[name], line)
		}
	}
	valid(t, schemas["telemetry"], run(0, "status", "--json", "--data", data))
	valid(t, schemas["explain"], run(0, "explain", "--json", "--data", data, "survey"))
	valid(t, schemas["explain-policy"], run(0, "explain", "--json", "--data", data, "rules"))
	valid(t, schemas["explain-steward"], run(0, "explain", "--json", "--data", data, "guardian"))
	valid(t, schemas["explain-steward"], run(0, "explain", "--json", "--data", data, "strategist.director"))
	valid(t, schemas["policy-diff"], run(1, "policy", "diff", "--json", "--against", data, "--policy", "rules", "omega:spending"))
	valid(t, schemas["policy-test"], run(0, "policy", "test", "--json", mission))
	valid(t, schemas["new"], run(0, "new", "policy", "--json", "gate", t.TempDir()))
}

// requireRich: the rehearsal the schemas are held against has all of these in it.
func requireRich(t *testing.T, data string) {
	b, err := os.ReadFile(filepath.Join(data, "status", "mesh-history.jsonl"))
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`"type":"omega\.([a-z_]+)"`).FindAllSubmatch(b, -1) {
		seen[string(m[1])] = true
	}
	for _, event := range []string{
		"job_posted", "attempt_delegated", "job_resumed", "attempt_failed", "attempt_rejected", "round_opened", "votes_revealed", "round_closed", "seats_reminded",
		"approval_asked", "approval_given", "job_ended", "order_taken", "transfer",
	} {
		require.True(t, seen[event], "%s does not happen in testdata/rich; these do: %v", event, slices.Sorted(maps.Keys(seen)))
	}
}
