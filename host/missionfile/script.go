package missionfile

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/script"
	"github.com/omega-run/omega/scripts"
)

// Program is the bundled script at a path as the spec names it, nil where the
// mission names none such.
func (m *Mission) Program(path string) *script.Program { return m.programs[path] }

// Queries are what the guardian or strategist at that path asks for, by name.
func (m *Mission) Queries(path string) []script.Query { return m.queries[path] }

// scriptsOf is what reading the scripts of a mission takes.
type scriptsOf struct {
	engine script.Engine // nil until one is needed
	close  func()        // of an engine that was opened here
	params int           // bytes of all params so far
}

// open is the engine that was given, or one that is closed once the mission has
// been read.
func (s *scriptsOf) open() script.Engine {
	if s.engine == nil {
		runner := script.New(script.Options{})
		s.engine, s.close = runner, runner.Close
	}
	return s.engine
}

// bundleTime is how long the scripts of a mission may take to be bundled, in wall
// time.
const bundleTime = time.Minute

// taken are the members of a steward's input that no query may be called.
func taken(kind string) []string {
	switch kind {
	case "guardian":
		return []string{"waiting", "memory", "may", "budget"}
	case "strategist":
		return []string{"events", "plan", "waiting", "memory", "account"}
	}
	return nil
}

// scriptUse is a block that names a script.
type scriptUse struct {
	kind string
	at   hcl.Range // of the name
	spec *core.ScriptSpec
	made *core.Digest // where the digest of its program goes
}

// scriptUses are all of them.
func (l *loader) scriptUses() (all []scriptUse) {
	add := func(kind, name string, s *core.ScriptSpec) {
		if s.Path != "" {
			all = append(all, scriptUse{kind, l.where(strings.TrimSuffix(kind+"."+name, ".") + ".script"), s, &s.Digest})
		}
	}
	s := &l.m.spec
	for i := range s.Policies {
		add("policy", s.Policies[i].Name, &s.Policies[i].Script)
	}
	if g := s.Guardian; g != nil {
		add("guardian", "", &g.Script)
		if g.Script.Fallback == "default" && path.Clean(g.Script.Path) != ownGuardian {
			all = append(all, scriptUse{"guardian", l.where("guardian.fallback"), &core.ScriptSpec{Path: ownGuardian}, &g.Default})
		}
	}
	for i := range s.Strategists {
		add("strategist", s.Strategists[i].Name, &s.Strategists[i].Script)
	}
	for i := range s.Workers {
		add("worker", s.Workers[i].Name, &s.Workers[i].Script)
	}
	for i := range s.Validators {
		add("validator", s.Validators[i].Name, &s.Validators[i].Script)
	}
	return all
}

// bundle makes a program of every script the mission names, each once.
func (l *loader) bundle() {
	made := map[string]*bundled{}
	var order []*bundled
	uses := l.scriptUses()
	for _, u := range uses {
		if u.spec.Path = path.Clean(u.spec.Path); made[u.spec.Path] != nil {
			continue
		}
		b := &bundled{path: u.spec.Path, at: u.at}
		made[b.path] = b
		if l.readable(b.path, u) {
			order = append(order, b)
		}
	}
	l.bundleAll(order)
	for _, b := range order {
		l.finishBundle(b)
	}
	for _, u := range uses {
		if p := l.m.programs[u.spec.Path]; p != nil {
			*u.made = p.Digest
			l.readQueries(u.kind, p)
		}
	}
}

// bundled is what came of one script.
type bundled struct {
	path     string
	at       hcl.Range // where it is first named
	program  *script.Program
	problems []script.Problem
}

// bundleAll bundles scripts side by side.
func (l *loader) bundleAll(all []*bundled) {
	if len(all) == 0 {
		return
	}
	engine := l.scripts.open()
	if l.scripts.close != nil {
		defer l.scripts.close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), bundleTime)
	defer cancel()
	read, end := l.m.src.reader()
	defer end()
	var done sync.WaitGroup
	for _, b := range all {
		done.Go(func() { b.program, b.problems = engine.Bundle(ctx, b.path, read) })
	}
	done.Wait()
}

func (l *loader) finishBundle(b *bundled) {
	for _, p := range b.problems {
		l.r.fail(l.m.src.rangeOf(p.File, p.Line, p.Column), p.Summary, "%s", p.Detail)
	}
	recorded := l.m.src.files[b.path].Digest
	switch {
	case len(b.problems) > 0:
	case b.program == nil:
		l.r.fail(b.at, "Script not usable", "%s could not be bundled.", b.path)
	case slices.ContainsFunc(b.program.Files, func(f script.File) bool { return f.Path == b.path && f.Digest != recorded }):
		l.r.fail(b.at, "Script has changed", "%s is not the file that was recorded.", b.path)
	default:
		l.m.programs[b.path] = b.program
	}
}

// readable reports a script that cannot be read, or is none.
func (l *loader) readable(name string, u scriptUse) bool {
	if strings.ContainsRune(name, 0) || !fs.ValidPath(name) {
		l.r.fail(u.at, "Script outside the mission folder", "A script is a file in the mission folder, as in scripts/%s.js, or omega:<name>.", u.kind)
		return false
	}
	_, err := l.m.src.read(name)
	own, isOwn := strings.CutPrefix(name, ownPrefix)
	switch {
	case err != nil && isOwn:
		l.r.fail(u.at, "Unknown script", "No script called %q comes with Omega.%s", own, suggest(own, scripts.Names()))
	case errors.Is(err, fs.ErrNotExist):
		l.r.fail(u.at, "Script not found", "There is no file %s in the mission folder: write it, or name one that comes with Omega, as omega:<name>.", name)
	case err != nil:
		l.r.fail(u.at, "Script not readable", "%s: %s.", name, sentence(err))
	case isTest(name):
		l.r.fail(u.at, "Script is a test", "%s is run by omega policy test: name the script that it tests.", name)
	default:
		return true
	}
	return false
}

// isTest says whether a file is one of those that hold tests of scripts.
func isTest(name string) bool {
	name = strings.TrimSuffix(name, path.Ext(name))
	return strings.HasSuffix(name, ".test")
}

// reader is read for a bundler, which may call it from anywhere until end. A
// file that is not recorded is one that is not there: bundlers try names.
func (s *sourceSet) reader() (read func(string) ([]byte, error), end func()) {
	var mu sync.Mutex
	ended := false
	read = func(name string) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		if ended {
			return nil, errSealed
		}
		content, err := s.read(name)
		if errors.Is(err, errSealed) {
			err = missing{}
		}
		return content, err
	}
	end = func() {
		mu.Lock()
		defer mu.Unlock()
		ended = true
	}
	return read, end
}

// rangeOf is a place in a source; line 0 is the whole file.
func (s *sourceSet) rangeOf(name string, line, column int) hcl.Range {
	at, content := wholeFile(name), s.files[name].Bytes
	if line < 1 {
		return at
	}
	start := 0
	for range line - 1 {
		next := bytes.IndexByte(content[start:], '\n')
		if next < 0 {
			return at
		}
		start += next + 1
	}
	at.Start = hcl.Pos{Line: line, Column: max(column, 1), Byte: min(start+max(column, 1)-1, len(content))}
	at.End = at.Start
	return at
}

// readQueries checks what a script exports as queries: a steward's are answered,
// nobody else's.
func (l *loader) readQueries(kind string, p *script.Program) {
	if len(p.Queries) == 0 || string(p.Queries) == "null" {
		return
	}
	at := l.m.src.queriesIn(p.Entry)
	if kind != "guardian" && kind != "strategist" {
		l.r.warn(at, "Nobody answers these queries", "Only a guardian and strategists are given the answers to queries; a %s is not.", kind)
		return
	}
	all, err := script.DecodeQueries(p.Queries, taken(kind), func(text string) (int64, error) {
		d, err := core.ParseDuration(text)
		return int64(d), err
	})
	if err != nil {
		l.r.fail(at, "Invalid queries", "%s.", sentence(err))
		return
	}
	l.m.queries[p.Entry] = all
}

// queriesIn is where a script first names its queries.
func (s *sourceSet) queriesIn(name string) hcl.Range {
	content := s.files[name].Bytes
	i := bytes.Index(content, []byte("queries"))
	if i < 0 {
		return wholeFile(name)
	}
	at := rangeAt(name, content, i)
	at.End = at.Start
	return at
}

// params reads the object a script finds as view.params.
func (l *loader) params(sc *scope, a *hcl.Attribute, ctx *hcl.EvalContext) []byte {
	if a == nil {
		return nil
	}
	v, ok := l.value(sc, a, ctx)
	if !ok || v.IsNull() {
		return nil
	}
	if t := v.Type(); !t.IsObjectType() && !t.IsMapType() {
		l.r.fail(a.Expr.Range(), "Invalid params", "They are an object, like { limit = 500 }, not %s.", t.FriendlyName())
		return nil
	}
	raw, err := canonical(v, maxParams)
	if err != nil {
		l.r.fail(a.Expr.Range(), "Invalid params", "%s.", sentence(err))
		return nil
	}
	if l.scripts.params += len(raw); l.scripts.params > maxAllParams {
		l.r.fail(a.Expr.Range(), "Params too large", "The params of all scripts together have at most %d KiB: the record holds them.", maxAllParams>>10)
	}
	return raw
}

// scripted reads a block whose settings are those of a script and a few of its
// own. Own is the script it has where it names none; "" where it has to.
func (l *loader) scripted(b *hcl.Block, path string, table []core.Setting, target any, s *core.ScriptSpec, own string) {
	before := len(l.r.list)
	defaults(table, target)
	c, _ := l.block(b.Type, path, b, table, target, nil)
	s.Params = l.params(l.scope("the "+b.Type+" block"), c.Attributes["params"], l.ctx)
	if s.Path == "" {
		s.Path = own
	}
	if s.Path == "" && len(l.r.list) == before {
		l.r.fail(b.DefRange, "Missing script", "The %s block must name its script: script = \"scripts/%s.js\".", b.Type, b.Type)
	}
}

// ofScript are the attributes that stand beside script in a worker or validator
// block.
func ofScript(block string, table []core.Setting) (names []string) {
	for _, s := range table {
		if s.Block == block+".script" {
			names = append(names, s.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return append(names, attributesOf(block+".script")...)
}

// scriptOf reads what a worker or validator block says of a script; false where
// it names none.
func (l *loader) scriptOf(b *hcl.Block, outer part, table []core.Setting) (part, bool) {
	if outer.c.Attributes["script"] != nil {
		return part{b.Type + ".script", b.DefRange, outer.c, outer.known}, true
	}
	for _, name := range ofScript(b.Type, table) {
		if a := outer.c.Attributes[name]; a != nil {
			l.r.fail(a.NameRange, "No script", "%s.%s sets %s, which is said of a script: name it with script, or put %s into the block that says how it works.", b.Type, b.Labels[0], name, name)
		}
	}
	return part{}, false
}
