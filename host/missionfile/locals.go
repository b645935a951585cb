package missionfile

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// local is one named value; locals may refer to each other in any order.
type local struct {
	attr *hcl.Attribute
	uses []string
	left int // uses without a value yet
	used []string
	// secret says that it uses what is sensitive at least in part.
	secret bool
}

// collectLocals adds the attributes of a locals block.
func (l *loader) collectLocals(body hcl.Body) {
	attrs, diags := body.JustAttributes()
	l.r.addHCL(diags)
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		a := attrs[name]
		if first := l.locals[name]; first != nil {
			l.r.fail(a.NameRange, "Duplicate local", "%s is already defined at %s.", name, place(first.attr.NameRange))
			continue
		}
		if len(l.locals) == maxBlocks {
			l.r.fail(a.NameRange, "Too many locals", "A mission has at most %d.", maxBlocks)
			return
		}
		l.locals[name] = &local{attr: a}
	}
}

// evalLocals computes them, each after those it uses, and gives every later
// expression the object `local`. It is false if one has no value: whatever uses
// it would be reported too, and misleadingly.
func (l *loader) evalLocals() bool {
	values := map[string]cty.Value{}
	names := l.orderLocals()
	for ready := l.readyLocals(names); len(ready) > 0; ready = ready[1:] {
		name := ready[0]
		value, ok := l.evalLocal(l.locals[name], values)
		if !ok {
			continue
		}
		values[name] = value
		if l.locals[name].secret {
			l.names.tainted[name] = true
		}
		for _, user := range l.locals[name].used {
			if l.locals[user].left--; l.locals[user].left == 0 {
				ready = append(ready, user)
			}
		}
	}
	l.localCycle(names, values)
	l.ctx.Variables["local"] = cty.ObjectVal(values)
	return len(values) == len(names)
}

// orderLocals finds what each local uses, and is their names, sorted.
func (l *loader) orderLocals() []string {
	names := slices.Sorted(maps.Keys(l.locals))
	for _, name := range names {
		l.names.locals[name] = true
	}
	sc := l.scope("a local")
	sc.open = true
	for _, name := range names {
		v := l.locals[name]
		if !sc.check(l.r, v.attr.Expr) {
			v.left = -1 // already reported, never ready
			continue
		}
		for _, t := range v.attr.Expr.Variables() {
			use, named := attrName(t, 1)
			if t.RootName() == "var" {
				v.secret = v.secret || l.m.variables[use].sensitive
				continue
			}
			if !named {
				l.r.fail(t.SourceRange(), "Incomplete reference", "Inside locals name the one you mean: local.name.")
				v.left = -1
				break
			}
			if !slices.Contains(v.uses, use) {
				v.uses = append(v.uses, use)
			}
		}
	}
	return names
}

// readyLocals are those that use no other.
func (l *loader) readyLocals(names []string) []string {
	var ready []string
	for _, name := range names {
		v := l.locals[name]
		if v.left < 0 {
			continue
		}
		if v.left = len(v.uses); v.left == 0 {
			ready = append(ready, name)
		}
		for _, use := range v.uses {
			l.locals[use].used = append(l.locals[use].used, name)
		}
	}
	return ready
}

func (l *loader) evalLocal(v *local, values map[string]cty.Value) (cty.Value, bool) {
	given := make(map[string]cty.Value, len(v.uses))
	for _, use := range v.uses {
		given[use] = values[use]
		v.secret = v.secret || l.names.tainted[use]
	}
	ctx := l.ctx.NewChild()
	ctx.Variables = map[string]cty.Value{"local": cty.ObjectVal(given)}
	value, diags := v.attr.Expr.Value(ctx)
	if diags.HasErrors() && v.secret {
		l.r.fail(v.attr.Expr.Range(), "Local cannot be evaluated", "A sensitive variable takes part, so what the evaluator says is not shown.")
		return value, false
	}
	if l.r.addHCL(diags); diags.HasErrors() {
		return value, false
	}
	if v.secret {
		value = taint(v.attr.Expr, value, ctx)
		v.secret = sensitiveIn(value) != ""
	}
	if err := checkValue(value); err != nil {
		l.r.fail(v.attr.Expr.Range(), "Local out of bounds", "This value cannot be used: %s.", err)
		return value, false
	}
	return value, true
}

// localCycle reports the first circle among locals that never became ready.
func (l *loader) localCycle(names []string, values map[string]cty.Value) {
	if l.r.errors() {
		return
	}
	at := slices.IndexFunc(names, func(n string) bool { _, ok := values[n]; return !ok })
	if at < 0 {
		return
	}
	var path []string
	for name := names[at]; ; {
		if i := slices.Index(path, name); i >= 0 {
			path = append(path[i:], name)
			break
		}
		path = append(path, name)
		uses := l.locals[name].uses
		name = uses[slices.IndexFunc(uses, func(n string) bool { _, ok := values[n]; return !ok })]
	}
	l.r.fail(l.locals[path[0]].attr.NameRange, "Locals in a circle", "%s: each waits for the next; break the circle.", shorten(path))
}

// shorten shows a path, the middle of a long one left out.
func shorten(path []string) string {
	if len(path) > maxPath {
		path = slices.Concat(path[:maxPath/2], []string{"…"}, path[len(path)-maxPath/2:])
	}
	return strings.Join(path, " → ")
}

// maxPath is how many steps of a circle are shown.
const maxPath = 12
