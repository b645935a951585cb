package missionfile

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/script"
	"github.com/zclconf/go-cty/cty"
)

// Mission is a checked mission. It is safe for use by several goroutines.
type Mission struct {
	spec   core.Spec
	src    *sourceSet
	ctx    *hcl.EvalContext // functions, variables and locals
	jobs   []*jobBlock      // in file order
	byName map[string]*jobBlock

	variables map[string]*variable
	schemas   schemas
	programs  map[string]*script.Program // by path
	queries   map[string][]script.Query  // by path
	promised  map[string]*promise        // rewards and fees by employer, "" the owner
}

// Load reads the mission at a path, a file or a folder of *.hcl and *.hcl.json,
// and checks every instance of it. The variables have the values given; all
// that is given counts as one. The mission is nil if there are errors; warnings
// come with a mission.
func Load(path string, given ...Given) (*Mission, Diagnostics) { return LoadOver(path, "", given...) }

// LoadOver is Load as if the files in the folder of an edit had been saved over
// those of the mission folder: each file is looked for there first, and keeps the
// path it has in the mission folder. The edit is a path in the mission folder, of
// a folder or of a file in it; "" is none.
func LoadOver(path, edit string, given ...Given) (*Mission, Diagnostics) {
	src, err := openSources(path, edit)
	if err != nil {
		return nil, notFound(path, err)
	}
	return loadFrom(src, given)
}

func notFound(path string, err error) Diagnostics {
	return Diagnostics{{Severity: Error, Summary: "Mission not found", Detail: sentence(plainReason(err)) + ": name a mission file, or a folder that holds one.", File: path, Line: 1, Column: 1}}
}

func loadFrom(src *sourceSet, given []Given) (*Mission, Diagnostics) {
	defer src.seal()
	all := Given{kept: map[string]kept{}}
	for _, g := range given {
		all.Flags, all.Files, all.Environ = append(all.Flags, g.Flags...), append(all.Files, g.Files...), append(all.Environ, g.Environ...)
		all.Hurried = all.Hurried || g.Hurried
		if g.Scripts != nil {
			all.Scripts = g.Scripts
		}
		maps.Copy(all.kept, g.kept)
	}
	return compile(src, all, all.Scripts)
}

// Compile is Load from recorded sources and variables. Nothing is read from
// disk, and sensitive variables have no value.
func Compile(entry string, sources []Source, variables ...core.Variable) (*Mission, Diagnostics) {
	return CompileWith(nil, entry, sources, variables...)
}

// CompileWith is Compile by an engine that is there already.
func CompileWith(engine script.Engine, entry string, sources []Source, variables ...core.Variable) (*Mission, Diagnostics) {
	src, err := recordedSources(entry, sources)
	if err != nil {
		return nil, Diagnostics{{Severity: Error, Summary: "Mission too large", Detail: sentence(err) + ".", File: entry, Line: 1, Column: 1}}
	}
	return compile(src, recordedVariables(variables), engine)
}

// Spec is what the mission says, defaults filled in. The caller may not change it.
func (m *Mission) Spec() *core.Spec { return &m.spec }

// Entry is the mission file, or "." for a folder of several.
func (m *Mission) Entry() string { return m.src.entry }

// Dir is the mission folder as given to Load; "" after Compile.
func (m *Mission) Dir() string { return m.src.dir }

// Sources is every file the evaluation read, also by file(), in path order.
func (m *Mission) Sources() []Source { return m.src.list() }

// Declared is the ids of all job instances in file order.
func (m *Mission) Declared() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, b := range m.jobs {
			for i := range b.set.len() {
				if !yield(b.set.id(b.name, i)) {
					return
				}
			}
		}
	}
}

// loader is what compiling a mission needs and the mission does not keep.
type loader struct {
	m           *Mission
	r           *report
	ctx         *hcl.EvalContext
	locals      map[string]*local
	names       *names
	inputs      inputs
	at          map[string]hcl.Range // where each setting was written, by path
	members     int64                // worker and validator instances so far
	jobSchema   *hcl.BodySchema
	jobTable    []core.Setting
	graph       *graph
	clean       bool              // workers and resources are as the author meant them
	unskilledBy map[string]string // why no worker has these skills, or ""
	postable    map[string]bool   // lists of children that have been checked
	funds       map[string]string // by account: the setting that says what it has
	scripts     scriptsOf
}

func compile(src *sourceSet, given inputs, engine script.Engine) (m *Mission, diags Diagnostics) {
	r := &report{src: src}
	defer func() {
		if fault := recover(); fault != nil { // a library's, never a way to go on
			why := fmt.Sprintf("with %q", fmt.Sprint(fault))
			if len(m.Secrets()) > 0 {
				why = "and may not say why, because there are sensitive variables"
			}
			r.fail(wholeFile(src.entry), "This mission cannot be read", "The evaluator failed %s: simplify the last change.", why)
			m, diags = nil, r.list
		}
	}()
	m = &Mission{
		src: src, byName: map[string]*jobBlock{}, variables: map[string]*variable{}, promised: map[string]*promise{},
		programs: map[string]*script.Program{}, queries: map[string][]script.Query{},
	}
	m.ctx = &hcl.EvalContext{Functions: functions(src), Variables: map[string]cty.Value{}}
	l := &loader{
		m: m, r: r, ctx: m.ctx, inputs: given, locals: map[string]*local{}, at: map[string]hcl.Range{},
		names:    &names{locals: map[string]bool{}, variables: m.variables, tainted: map[string]bool{}, ctx: m.ctx},
		jobTable: core.JobSettings(), unskilledBy: map[string]string{}, postable: map[string]bool{}, funds: map[string]string{},
		scripts: scriptsOf{engine: engine},
	}
	l.jobSchema = bodySchema("job", l.jobTable, attributesOf("job"), innerOf("job"))
	l.load()
	src.seal()
	if slices.SortStableFunc(r.list, inFileOrder); r.errors() {
		return nil, r.list
	}
	return m, r.list
}

func inFileOrder(a, b Diagnostic) int {
	switch {
	case a.File != b.File:
		return strings.Compare(a.File, b.File)
	case a.Line != b.Line:
		return a.Line - b.Line
	}
	return a.Column - b.Column
}

func (l *loader) load() {
	blocks, ok := l.parse()
	if !ok {
		return
	}
	known := !l.r.errors() // a block nobody knows may be one that is missing
	groups := map[string][]*hcl.Block{}
	for _, b := range blocks {
		if _, later := notYet.blocks[b.Type]; later {
			l.unsupported(b.DefRange, "The "+b.Type+" block")
			continue
		}
		if groups[b.Type] = append(groups[b.Type], b); len(groups[b.Type]) == maxBlocks+1 {
			l.r.fail(b.DefRange, "Too many blocks", "A mission has at most %d %s blocks: use count or for_each.", maxBlocks, b.Type)
			return
		}
	}
	if !l.readVariables(groups["variable"]) {
		return
	}
	for _, b := range groups["locals"] {
		l.collectLocals(b.Body)
	}
	if !l.evalLocals() {
		return
	}
	l.spec(groups)
	l.accounts(groups["account"])
	l.policies(groups["policy"])
	l.guardian(groups["guardian"])
	l.strategists(groups["strategist"])
	l.workers(groups["worker"])
	l.validators(groups["validator"])
	l.bundle()
	l.jobs(groups["job"])
	if known {
		l.required(groups)
	}
	l.finish()
}

// wholeFile is the place of what concerns a file as such: its beginning.
func wholeFile(name string) hcl.Range {
	return hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}
}

// parse reads the mission's files into their top-level blocks.
func (l *loader) parse() (hcl.Blocks, bool) {
	src := l.m.src
	names, err := src.missionFiles()
	if err != nil {
		l.r.fail(wholeFile(src.entry), "Mission not readable", "%s.", sentence(err))
		return nil, false
	}
	if len(names) == 0 {
		l.r.fail(wholeFile(src.entry), "No mission here", "The folder holds no *.hcl file: name the mission file.")
		return nil, false
	}
	var blocks hcl.Blocks
	schema, ok := rootSchema(), true
	for _, name := range names {
		body := l.parseFile(name)
		if body == nil {
			ok = false
			continue
		}
		c, diags := body.Content(schema)
		l.r.addHCL(diags)
		blocks = append(blocks, c.Blocks...)
	}
	return blocks, ok
}

// parseFile is nil where the file could not be parsed.
func (l *loader) parseFile(name string) hcl.Body {
	content, err := l.m.src.read(name)
	if err != nil {
		l.r.fail(wholeFile(name), "File not readable", "%s.", sentence(err))
		return nil
	}
	if f := inspect(name, content); f != nil {
		l.r.fail(f.at, f.summary, "%s", f.detail)
		return nil
	}
	parse := func() (*hcl.File, hcl.Diagnostics) { return hclsyntax.ParseConfig(content, name, hcl.InitialPos) }
	if isJSON(name) {
		parse = func() (*hcl.File, hcl.Diagnostics) { return hcljson.Parse(content, name) }
	}
	file, diags := parse()
	if l.r.addHCL(diags); diags.HasErrors() {
		return nil
	}
	return file.Body
}
