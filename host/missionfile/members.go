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
	sc := &scope{where: where, roots: []string{"local"}, locals: l.localNames}
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

// workers reads the worker blocks. A block whose settings are the same for all
// its instances is one pool; otherwise each instance is one.
func (l *loader) workers(blocks []*hcl.Block) {
	table, first := core.WorkerSettings(), map[string]hcl.Range{}
	schema := bodySchema("worker", table, repeat, []string{"simulated", "exec"})
	for _, b := range blocks {
		name, ok := l.named(b, first)
		c, known := l.content("worker", b.Body, schema)
		set, sized := l.memberSet(b, c)
		kind, inner := l.workerKind(b, c, known)
		if !ok || !sized || inner == nil || l.r.full() {
			continue
		}
		w := &workerBlock{name: name, at: b.DefRange, set: set, kind: kind, parts: []part{
			{"worker", b.DefRange, c, known}, l.kindPart(kind, inner, table)}}
		l.pools(w, table)
	}
}

// workerBlock is one worker block being read.
type workerBlock struct {
	name  string
	at    hcl.Range
	set   instances
	kind  core.WorkerKind
	parts []part
}

// part is a body of settings and the block of the table it holds; known if
// nothing in it was unknown.
type part struct {
	block string
	at    hcl.Range
	c     *hcl.BodyContent
	known bool
}

func (l *loader) kindPart(kind core.WorkerKind, inner *hcl.Block, table []core.Setting) part {
	block := "worker." + string(kind)
	c, known := l.content(block, inner.Body, bodySchema(block, table, nil, nil))
	return part{block, inner.DefRange, c, known}
}

func (l *loader) workerKind(b *hcl.Block, c *hcl.BodyContent, known bool) (core.WorkerKind, *hcl.Block) {
	switch {
	case len(c.Blocks) == 1:
		return core.WorkerKind(c.Blocks[0].Type), c.Blocks[0]
	case len(c.Blocks) > 1:
		l.r.fail(c.Blocks[1].DefRange, "Two kinds of work", "worker.%s is already %s: keep one of the blocks.", b.Labels[0], c.Blocks[0].Type)
	case known:
		l.r.fail(b.DefRange, "Missing kind of work", "worker.%s must say how it works: add a block simulated {} or exec { command = [\"…\"] }.", b.Labels[0])
	}
	return "", nil
}

// pools evaluates a worker block: once, or for each instance where its
// settings depend on it.
func (l *loader) pools(w *workerBlock, table []core.Setting) {
	var ids []string
	for i := range w.set.len() {
		ids = append(ids, w.set.id(w.name, i))
	}
	if !w.varies() {
		if spec, ok := l.pool(w, table, 0); ok {
			spec.Name, spec.Instances = w.name, ids
			l.m.spec.Workers = append(l.m.spec.Workers, spec)
		}
		return
	}
	for i, id := range ids {
		spec, ok := l.pool(w, table, int64(i))
		if !ok {
			return
		}
		spec.Name, spec.Instances = id, []string{id}
		l.m.spec.Workers = append(l.m.spec.Workers, spec)
	}
}

func (w *workerBlock) varies() bool {
	for _, p := range w.parts {
		for name, a := range p.c.Attributes {
			if !slices.Contains(repeat, name) && refersTo(a.Expr, "each", "count") {
				return true
			}
		}
	}
	return false
}

// pool is the spec of instance i, without its name.
func (l *loader) pool(w *workerBlock, table []core.Setting, i int64) (core.WorkerSpec, bool) {
	before := len(l.r.list)
	spec := core.WorkerSpec{Kind: w.kind}
	defaults(table, &spec, "worker", "worker."+string(w.kind))
	ctx := l.ctx
	if w.set.len() > 0 {
		ctx = within(l.ctx, w.set.vars(i))
	}
	sc := &scope{where: "worker." + w.name, roots: w.set.roots(), locals: l.localNames}
	for _, p := range w.parts {
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
			l.assign(sc, a, s, &spec, ctx)
		}
	}
	return spec, len(l.r.list) == before
}

// builtIn are the rule validators of a mission that declares none.
const (
	builtInName  = "rule"
	builtInCount = 3
)

// validators reads the validator blocks.
func (l *loader) validators(blocks []*hcl.Block) {
	if len(blocks) == 0 {
		l.addValidators(builtInName, &instances{count: builtInCount})
		return
	}
	first := map[string]hcl.Range{}
	schema := bodySchema("validator", nil, repeat, nil)
	for _, b := range blocks {
		name, ok := l.named(b, first)
		c, _ := l.content("validator", b.Body, schema)
		set, sized := l.memberSet(b, c)
		if ok && sized {
			l.addValidators(name, &set)
		}
		l.at["validator"] = b.DefRange
	}
}

func (l *loader) addValidators(name string, set *instances) {
	v := core.ValidatorSpec{Name: name}
	for i := range set.len() {
		v.Instances = append(v.Instances, set.id(name, i))
	}
	l.m.spec.Validators = append(l.m.spec.Validators, v)
}
