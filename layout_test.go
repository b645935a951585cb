// Package omega_test keeps the shape of the tree: what may import what, what
// the pure packages may not know, who may touch the state. It reads the files
// itself, so that its verdict is never a cached one.
package omega_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/core"
)

// lattice is every package, its rank, and exactly the packages of this module
// that it imports. An import leads to a lower rank. Adding an edge is a decision
// about the design, and is made here.
const lattice = `
	missions          0
	scripts           0
	host/ledger       0
	host/council      0
	host/journal      0
	host/wfcommons    0
	host/script       1  scripts
	host/core         1  host/council host/ledger
	host/missionfile  2  host/core host/ledger host/script scripts
	host/inquiry      2  host/core host/ledger
	host/worker       2  host/core
	host/projection   2  host/core host/ledger
	host              5  host/core host/council host/inquiry host/journal host/ledger host/missionfile host/projection host/script host/worker
	host/hosttest     6  
	cmd/omega         6  host host/core host/inquiry host/journal host/ledger host/missionfile host/projection host/script host/wfcommons host/worker missions scripts
`

// pure are the packages whose answers depend on their arguments alone: no
// clock, dice, disk, network, goroutine, float, or order of a map.
var pure = []string{"host/core", "host/ledger", "host/council"}

// impure are the imports a pure package may not have, and all below them.
var impure = []string{
	"context", "crypto/rand", "database", "expvar", "io", "log", "maps", "math/big", "math/rand", "net", "os", "path/filepath",
	"plugin", "reflect", "runtime", "sync", "syscall", "testing", "time", "unsafe",
}

// mapRanges are the loops over maps in pure packages whose order cannot show.
var mapRanges = map[string]string{
	"host/core/head.go recordedField": "the digests are sorted before anything is made of them",
}

// stateWriters are the files of the core that assign to fields of the state.
var stateWriters = map[string]string{
	"evolve.go":            "the one writer: what each event does; its parts stand beside it",
	"evolve_attempt.go":    "attempts",
	"evolve_generation.go": "generations: accounts, limits, validators",
	"evolve_index.go":      "the indexes a job is in",
	"evolve_job.go":        "jobs",
	"evolve_policy.go":     "verdicts, faults, held edits",
	"evolve_steward.go":    "stewards, what they want and what comes of it",
	"evolve_transfer.go":   "money and prices",
	"schedule.go":          "workers: pools, classes, free slots",
	"checkpoint.go":        "puts a state back from its chunks, and remembers which chunks are sealed",
	"head.go":              "reads the first of those chunks",
}

// badNames say nothing about what a package is for.
var badNames = []string{"base", "common", "helper", "helpers", "internal", "misc", "models", "pkg", "shared", "types", "util", "utils"}

const module = "github.com/omega-run/omega"

// pkg is the Go files of one folder.
type pkg struct {
	dir   string
	files map[string]*ast.File // by name, without tests
	tests map[string]*ast.File
	fset  *token.FileSet
	info  *types.Info
}

// tree parses every package of this module. Nested modules are not part of it.
func tree(t *testing.T) []*pkg {
	byDir := map[string]*pkg{}
	walk(t, func(name string) {
		dir := path.Dir(name)
		if !strings.HasSuffix(name, ".go") || dir == "." {
			return
		}
		p := byDir[dir]
		if p == nil {
			p = &pkg{dir: dir, files: map[string]*ast.File{}, tests: map[string]*ast.File{}, fset: token.NewFileSet()}
			byDir[dir] = p
		}
		file, err := parser.ParseFile(p.fset, name, nil, parser.ParseComments)
		require.NoError(t, err)
		if strings.HasSuffix(name, "_test.go") {
			p.tests[path.Base(name)] = file
		} else {
			p.files[path.Base(name)] = file
		}
	})
	var all []*pkg
	for _, p := range byDir {
		p.check()
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *pkg) int { return strings.Compare(a.dir, b.dir) })
	require.Greater(t, len(all), 8)
	return all
}

// walk visits the files of this module that are not made by a build or a run.
func walk(t *testing.T, visit func(name string)) {
	skip := []string{".git", ".omega", "bin", "node_modules", "out"}
	require.NoError(t, filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() {
			visit(filepath.ToSlash(name))
			return nil
		}
		if _, err := os.Stat(filepath.Join(name, "go.mod")); name != "." && err == nil || slices.Contains(skip, d.Name()) {
			return fs.SkipDir
		}
		return nil
	}))
}

// check finds the types that the package itself declares; those of others stay
// unknown, which is enough to see a map or a variable of its own.
func (p *pkg) check() {
	p.info = &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: strangers{}, Error: func(error) {}}
	_, _ = config.Check(p.dir, p.fset, slices.Collect(func(yield func(*ast.File) bool) {
		for _, f := range p.files {
			if !yield(f) {
				return
			}
		}
	}), p.info)
}

// strangers are packages nothing is known of.
type strangers struct{}

func (strangers) Import(name string) (*types.Package, error) {
	p := types.NewPackage(name, path.Base(name))
	p.MarkComplete()
	return p, nil
}

func (p *pkg) at(n ast.Node) string {
	at := p.fset.Position(n.Pos())
	return at.Filename + ":" + strconv.Itoa(at.Line)
}

func (p *pkg) each(visit func(file string, n ast.Node)) {
	for name, file := range p.files {
		ast.Inspect(file, func(n ast.Node) bool {
			if n != nil {
				visit(name, n)
			}
			return true
		})
	}
}

func imports(files map[string]*ast.File) (all []string) {
	for _, file := range files {
		for _, spec := range file.Imports {
			name, _ := strconv.Unquote(spec.Path.Value)
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func own(all []string) (dirs []string) {
	for _, name := range all {
		if rest, ok := strings.CutPrefix(name, module+"/"); ok {
			dirs = append(dirs, rest)
		}
	}
	return dirs
}

// rules reads the lattice.
func rules(t *testing.T) (rank map[string]int, edges map[string][]string) {
	rank, edges = map[string]int{}, map[string][]string{}
	for line := range strings.Lines(lattice) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		n, err := strconv.Atoi(words[1])
		require.NoError(t, err)
		rank[words[0]], edges[words[0]] = n, words[2:]
	}
	return rank, edges
}

func TestImportsFollowTheLattice(t *testing.T) {
	rank, edges := rules(t)
	for from, all := range edges {
		for _, to := range all {
			require.Contains(t, rank, to, "the lattice does not list it")
			require.Less(t, rank[to], rank[from], "%s imports %s: an import leads to a lower rank", from, to)
		}
	}
	for _, p := range tree(t) {
		require.Contains(t, rank, p.dir, "a package that the lattice does not list")
		require.ElementsMatch(t, edges[p.dir], own(imports(p.files)), "the edges of %s", p.dir)
		for _, to := range own(imports(p.tests)) {
			require.LessOrEqual(t, rank[to], rank[p.dir], "a test of %s imports %s", p.dir, to)
		}
		delete(rank, p.dir)
	}
	require.Empty(t, rank, "listed, and not there")
}

func TestPlacesAndNames(t *testing.T) {
	for _, p := range tree(t) {
		parts := strings.Split(p.dir, "/")
		require.LessOrEqual(t, len(parts), 2, "%s: one level below host", p.dir)
		for _, part := range parts {
			require.NotContains(t, badNames, part)
		}
		for name, file := range p.files {
			want := path.Base(p.dir)
			if parts[0] == "cmd" {
				want = "main"
			}
			require.Equal(t, want, file.Name.Name, "%s/%s: a package is named for its folder", p.dir, name)
		}
	}
}

func TestPurePackages(t *testing.T) {
	for _, p := range tree(t) {
		if !slices.Contains(pure, p.dir) {
			continue
		}
		for _, name := range imports(p.files) {
			for _, banned := range impure {
				require.False(t, name == banned || strings.HasPrefix(name, banned+"/"), "%s imports %s", p.dir, name)
			}
		}
		p.each(func(_ string, n ast.Node) {
			switch n := n.(type) {
			case *ast.Ident:
				require.NotContains(t, []string{"float32", "float64", "complex64", "complex128"}, n.Name, p.at(n))
			case *ast.GoStmt, *ast.SelectStmt, *ast.ChanType, *ast.SendStmt:
				require.Fail(t, "concurrency in a pure package", p.at(n))
			case *ast.BasicLit:
				require.NotContains(t, []token.Token{token.FLOAT, token.IMAG}, n.Kind, p.at(n))
			}
		})
	}
}

func TestPurePackagesDoNotIterateMaps(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range tree(t) {
		for name, file := range p.files {
			for _, d := range file.Decls {
				f, ok := d.(*ast.FuncDecl)
				if !ok || !slices.Contains(pure, p.dir) {
					continue
				}
				ast.Inspect(f, func(n ast.Node) bool {
					r, ok := n.(*ast.RangeStmt)
					if !ok || p.info.Types[r.X].Type == nil {
						return true
					}
					if _, isMap := p.info.Types[r.X].Type.Underlying().(*types.Map); isMap {
						seen[p.dir+"/"+name+" "+f.Name.Name] = true
					}
					return true
				})
			}
		}
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(mapRanges)), slices.Collect(maps.Keys(seen)))
}

// embedded reports whether the compiler fills a variable with files.
func embedded(g *ast.GenDecl) bool {
	return g.Doc != nil && slices.ContainsFunc(g.Doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") })
}

// TestNoHiddenState: a package-level variable is a constant that the language
// cannot write. It has a value where it is declared and is never assigned.
func TestNoHiddenState(t *testing.T) {
	for _, p := range tree(t) {
		global := map[types.Object]bool{}
		for _, file := range p.files {
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok {
					require.False(t, f.Recv == nil && f.Name.Name == "init", "%s: an init function", p.at(d))
				}
				g, ok := d.(*ast.GenDecl)
				if !ok || g.Tok != token.VAR {
					continue
				}
				for _, spec := range g.Specs {
					v := spec.(*ast.ValueSpec)
					blank := v.Names[0].Name == "_" || embedded(g)
					require.True(t, blank || len(v.Values) == len(v.Names), "%s: a variable that begins empty", p.at(v))
					for _, name := range v.Names {
						global[p.info.Defs[name]] = !blank
					}
				}
			}
		}
		p.each(func(_ string, n ast.Node) {
			for _, target := range targets(n) {
				if id := root(target); id != nil && global[p.info.Uses[id]] {
					require.Fail(t, "a package-level variable is changed", "%s: %s", p.at(n), id.Name)
				}
			}
		})
	}
}

// targets are the expressions a statement writes to.
func targets(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.Ident); ok && (f.Name == "delete" || f.Name == "clear") {
			return n.Args[:1]
		}
	}
	return nil
}

// root is the variable an expression begins with: s of s.jobs[id].
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// TestOneLoop: in package host only loop.go steps the core and appends to the
// journal.
func TestOneLoop(t *testing.T) {
	calls := map[string]int{}
	for _, p := range tree(t) {
		if p.dir != "host" {
			continue
		}
		p.each(func(file string, n ast.Node) {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return
			}
			if f, ok := call.Fun.(*ast.SelectorExpr); ok && (f.Sel.Name == "Step" || f.Sel.Name == "Append") {
				require.Equal(t, "loop.go", file, "%s calls %s", p.at(n), f.Sel.Name)
				calls[f.Sel.Name]++
			}
		})
	}
	require.Equal(t, map[string]int{"Step": 1, "Append": 1}, calls)
}

// TestOneWriter: fields of the state are assigned in the files listed, and
// evolve is called where an event is emitted or replayed, nowhere else.
func TestOneWriter(t *testing.T) {
	writers, evolves := map[string][]string{}, []string{}
	for _, p := range tree(t) {
		if p.dir != "host/core" {
			continue
		}
		for name, file := range p.files {
			for _, d := range file.Decls {
				f, ok := d.(*ast.FuncDecl)
				if !ok {
					continue
				}
				ast.Inspect(f, func(n ast.Node) bool {
					if call, ok := n.(*ast.CallExpr); ok {
						if to, ok := call.Fun.(*ast.SelectorExpr); ok && to.Sel.Name == "evolve" {
							evolves = append(evolves, f.Name.Name)
						}
					}
					for _, target := range targets(n) {
						if field := stateField(p, target); field != "" && !slices.Contains(scratch, field) {
							writers[name] = append(writers[name], f.Name.Name+" "+field)
						}
					}
					return true
				})
			}
		}
	}
	require.ElementsMatch(t, []string{"Replay", "emit"}, evolves)
	require.ElementsMatch(t, slices.Collect(maps.Keys(stateWriters)), slices.Collect(maps.Keys(writers)), "%v", writers)
}

// scratch are the fields of the state that are no part of it: what a step has
// emitted so far, and what the loop has not looked at yet.
var scratch = []string{"out", "moving", "weight", "unfinished", "held", "changed", "waiting", "restored", "shared", "needs", "spelled"}

// stateField is the field of a *State that an expression writes to, "" for none.
func stateField(p *pkg, e ast.Expr) string {
	for {
		switch x := e.(type) {
		case *ast.SelectorExpr:
			if id, ok := x.X.(*ast.Ident); ok {
				v := p.info.Uses[id]
				if v != nil && strings.TrimPrefix(v.Type().String(), "*") == "host/core.State" {
					return x.Sel.Name
				}
			}
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return ""
		}
	}
}

// TestJournalPageNamesEverything: the closed lists of docs/journal.md are those
// of the core, and each step stands in its table.
func TestJournalPageNamesEverything(t *testing.T) {
	b, err := os.ReadFile("docs/journal.md")
	require.NoError(t, err)
	page := string(b)
	var events []string
	for _, e := range core.Events() {
		events = append(events, e.Name())
	}
	require.ElementsMatch(t, events, list(page, "Events:"))
	commands, refusals := namesOfCore(t, events)
	require.ElementsMatch(t, commands, list(page, "Commands:"))
	require.ElementsMatch(t, refusals, list(page, "Refusals:"))

	_, table, found := strings.Cut(page, "<!-- steps -->")
	require.True(t, found)
	table, _, _ = strings.Cut(table, "\n\n")
	for _, step := range core.Steps() {
		require.Contains(t, table, "`"+step.Name+"`")
	}
	for _, name := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(table, -1) {
		require.True(t, slices.ContainsFunc(core.Steps(), func(s core.StepRule) bool { return s.Name == name[1] }), name[1])
	}
}

// list is the names in the paragraph that begins with a word.
func list(page, begins string) (names []string) {
	_, rest, _ := strings.Cut(page, "\n"+begins)
	paragraph, _, _ := strings.Cut(rest, "\n\n")
	for _, name := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(paragraph, -1) {
		names = append(names, name[1])
	}
	return names
}

// namesOfCore reads the names of commands and refusals: a Name method that
// returns a literal and is no event's, and the constants of type RefusalCode.
func namesOfCore(t *testing.T, events []string) (commands, refusals []string) {
	for _, p := range tree(t) {
		if p.dir != "host/core" {
			continue
		}
		for _, file := range p.files {
			for _, d := range file.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && f.Name.Name == "Name" {
					if name := returned(f); name != "" && !slices.Contains(events, name) {
						commands = append(commands, name)
					}
				}
			}
		}
		p.each(func(_ string, n ast.Node) {
			v, ok := n.(*ast.ValueSpec)
			if !ok {
				return
			}
			if id, ok := v.Type.(*ast.Ident); ok && id.Name == "RefusalCode" {
				code, _ := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				refusals = append(refusals, code)
			}
		})
	}
	return commands, refusals
}

// returned is the text a function does nothing but return.
func returned(f *ast.FuncDecl) string {
	if len(f.Body.List) != 1 {
		return ""
	}
	r, ok := f.Body.List[0].(*ast.ReturnStmt)
	if !ok || len(r.Results) != 1 {
		return ""
	}
	lit, ok := r.Results[0].(*ast.BasicLit)
	if !ok {
		return ""
	}
	text, _ := strconv.Unquote(lit.Value)
	return text
}

// TestNoPlaces: no file names a path of the machine it was written on, or a host
// that packages come from.
func TestNoPlaces(t *testing.T) {
	places := regexp.MustCompile(`(^|[\s'(=:]|[^+] ")/(work|root|home/[a-z]+|Users/[A-Za-z]+)/|(proxy|sum)\.golang\.org|registry\.npmjs\.org|GOPROXY|files\.pythonhosted`)
	walk(t, func(name string) {
		if name == "layout_test.go" {
			return
		}
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		for i, line := range strings.Split(string(b), "\n") {
			require.False(t, places.MatchString(line), "%s:%d: %s", name, i+1, strings.TrimSpace(line[:min(len(line), 200)]))
		}
	})
}
