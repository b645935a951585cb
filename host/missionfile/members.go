package missionfile

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/omega-run/omega/host/core"
)

// repeat are the attributes that make instances of a block.
var repeat = []string{"count", "for_each"}

// setOf reads count and for_each of a block.
func (l *loader) setOf(where string, c *hcl.BodyContent, limit int64) (instances, bool) {
	sc := l.scope(where)
	count, each := c.Attributes["count"], c.Attributes["for_each"]
	a, makeSet := count, countOf
	switch {
	case count != nil && each != nil:
		l.r.fail(each.NameRange, "Two ways to repeat", "%s sets count and for_each: keep one.", where)
		return instances{}, false
	case each != nil:
		a, makeSet = each, eachOf
	case count == nil:
		return instances{count: single}, true
	}
	v, ok := l.value(sc, a, l.ctx)
	if !ok {
		return instances{}, false
	}
	if v.IsNull() {
		l.r.fail(a.Expr.Range(), "Invalid "+a.Name, "It is null: leave %s out, or give it a value.", a.Name)
		return instances{}, false
	}
	set, err := makeSet(v, limit)
	if err != nil {
		l.r.fail(a.Expr.Range(), "Invalid "+a.Name, "%s.", sentence(err))
	}
	return set, err == nil
}

// named checks a block's name and that it is the first of that name.
func (l *loader) named(b *hcl.Block, first map[string]hcl.Range) (string, bool) {
	name := b.Labels[0]
	if !core.ValidName(name) {
		l.notName(b.LabelRanges[0], name)
		return name, false
	}
	if at, taken := first[name]; taken {
		l.r.fail(b.LabelRanges[0], "Duplicate "+b.Type, "%s %q is already declared at %s: give this one another name.", b.Type, name, place(at))
		return name, false
	}
	first[name] = b.LabelRanges[0]
	return name, true
}

// memberSet is setOf for workers and validators, who are bounded together.
func (l *loader) memberSet(b *hcl.Block, c *hcl.BodyContent) (instances, bool) {
	set, ok := l.setOf(b.Type+"."+b.Labels[0], c, maxMembers)
	if !ok {
		return set, false
	}
	if l.members += set.len(); l.members > maxMembers {
		l.r.fail(b.DefRange, "Too many workers and validators", "A mission has at most %d of them together.", maxMembers)
		return set, false
	}
	return set, true
}

// member is one worker or validator block being read.
type member struct {
	name    string
	at      hcl.Range
	set     instances
	kind    string // of the block inside, "" for none
	parts   []part
	secrets []core.Secret
}

// part is a body of settings and the block of the table it holds; known if
// nothing in it was unknown.
type part struct {
	block string
	at    hcl.Range
	c     *hcl.BodyContent
	known bool
}

// member reads what a block is made of. It is nil where that failed.
func (l *loader) member(b *hcl.Block, first map[string]hcl.Range, table []core.Setting) *member {
	before := len(l.r.list)
	name, ok := l.named(b, first)
	outer := l.part(b.Type, b, table)
	set, sized := l.memberSet(b, outer.c)
	m := &member{name: name, at: b.DefRange, set: set, parts: []part{outer}}
	said, scripted := l.scriptOf(b, outer, table)
	switch inner := outer.c.Blocks; {
	case scripted && len(inner) > 0:
		l.r.fail(inner[0].DefRange, "Two kinds", "%s.%s is already a script: keep script or the %s block.", b.Type, b.Labels[0], inner[0].Type)
		return nil
	case scripted:
		m.kind, m.parts = string(core.ScriptWorker), append(m.parts, said)
	case len(inner) > 1:
		l.r.fail(inner[1].DefRange, "Two kinds", "%s.%s is already %s: keep one of the blocks.", b.Type, b.Labels[0], inner[0].Type)
		return nil
	case len(inner) == 1:
		m.kind = inner[0].Type
		part := l.part(b.Type+"."+m.kind, inner[0], table)
		m.parts, m.secrets = append(m.parts, part), l.secrets(part)
	case b.Type == "worker" && outer.known:
		l.r.fail(b.DefRange, "Missing kind of work", "worker.%s must say how it works: add a block simulated {}, exec { command = [\"…\"] } or http { url = \"…\" }, or script = \"…\".", name)
	}
	if !ok || !sized || l.r.full() || len(l.r.list) > before && m.kind == "" && b.Type == "worker" {
		return nil
	}
	return m
}

func (l *loader) part(block string, b *hcl.Block, table []core.Setting) part {
	c, known := l.content(block, b.Body, bodySchema(block, table, attributesOf(block), innerOf(block)))
	return part{block, b.DefRange, c, known}
}

// placeScript remembers where the script of a worker or validator is named.
func (l *loader) placeScript(m *member, path string) {
	if a := m.parts[0].c.Attributes["script"]; a != nil {
		l.at[path+".script"] = a.Expr.Range()
	}
}

// each calls fill for the block as a whole or, where its settings depend on the
// instance, for each one.
func (m *member) each(fill func(name string, ids []string, i int64) bool) {
	var ids []string
	for i := range m.set.len() {
		ids = append(ids, m.set.id(m.name, i))
	}
	if !m.varies() {
		fill(m.name, ids, 0)
		return
	}
	for i, id := range ids {
		if !fill(id, []string{id}, int64(i)) {
			return
		}
	}
}

func (m *member) varies() bool {
	for _, p := range m.parts {
		for name, a := range p.c.Attributes {
			if !slices.Contains(repeat, name) && refersTo(a.Expr, "each", "count") {
				return true
			}
		}
	}
	return false
}

// fill evaluates the settings of instance i into a target. It is false where
// that failed.
func (l *loader) fill(m *member, table []core.Setting, target any, s *core.ScriptSpec, i int64) bool {
	before := len(l.r.list)
	ctx := l.ctx
	if m.set.len() > 0 {
		ctx = within(l.ctx, m.set.vars(i))
	}
	sc := l.scope(m.parts[0].block+"."+m.name, m.set.roots()...)
	for _, p := range m.parts {
		defaults(table, target, p.block)
		for _, s := range table {
			if s.Block != p.block {
				continue
			}
			a := p.c.Attributes[s.Name]
			if a == nil {
				if s.Needed && p.known {
					l.missing(p.at, p.block, s)
				}
				continue
			}
			l.assign(sc, a, s, target, ctx)
		}
	}
	if m.kind == string(core.ScriptWorker) {
		l.fillScript(m, s, sc, ctx)
	}
	if w, ok := target.(*core.WorkerSpec); ok && w.Kind == core.HTTP {
		l.fillHTTP(m, w, sc, ctx)
	}
	return len(l.r.list) == before
}

// fillScript is fill for what the table does not say of a script.
func (l *loader) fillScript(m *member, s *core.ScriptSpec, sc *scope, ctx *hcl.EvalContext) {
	c := m.parts[0].c
	if a := c.Attributes["script"]; s.Path == "" {
		l.r.fail(a.Expr.Range(), "Missing script", "It is empty: name a file in the mission folder, or omega:<name>.")
	}
	s.Params = l.params(sc, c.Attributes["params"], ctx)
}

// workers reads the worker blocks. A block whose settings are the same for all
// its instances is one pool; otherwise each instance is one.
func (l *loader) workers(blocks []*hcl.Block) {
	table, first := core.WorkerSettings(), map[string]hcl.Range{}
	for _, b := range blocks {
		m := l.member(b, first, table)
		if m == nil {
			continue
		}
		m.each(func(name string, ids []string, i int64) bool {
			spec := core.WorkerSpec{Name: name, Instances: ids, Kind: core.WorkerKind(m.kind)}
			if !l.fill(m, table, &spec, &spec.Script, i) {
				return false
			}
			l.placeScript(m, "worker."+name)
			*spec.Secrets() = m.secrets
			l.m.spec.Workers = append(l.m.spec.Workers, spec)
			return true
		})
	}
}

// builtIn are the rule validators of a mission that declares none.
const (
	builtInName  = "rule"
	builtInCount = 3
)

// validators reads the validator blocks. One without a block inside is a rule.
func (l *loader) validators(blocks []*hcl.Block) {
	spec := &l.m.spec
	if len(blocks) == 0 {
		rule := core.ValidatorSpec{Name: builtInName, Kind: core.RuleValidator}
		for i := range int64(builtInCount) {
			rule.Instances = append(rule.Instances, (&instances{count: builtInCount}).id(builtInName, i))
		}
		spec.Validators = append(spec.Validators, rule)
		return
	}
	table, first := core.ValidatorSettings(), map[string]hcl.Range{}
	for _, b := range blocks {
		l.at["validator"] = b.DefRange
		m := l.member(b, first, table)
		if m == nil {
			continue
		}
		if m.kind == "" {
			m.kind = string(core.RuleValidator)
		}
		m.each(func(name string, ids []string, i int64) bool {
			v := core.ValidatorSpec{Name: name, Instances: ids, Kind: core.ValidatorKind(m.kind)}
			if !l.fill(m, table, &v, &v.Script, i) {
				return false
			}
			l.placeScript(m, "validator."+name)
			v.Exec.Secrets = m.secrets
			spec.Validators = append(spec.Validators, v)
			return true
		})
	}
}
