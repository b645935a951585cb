package missionfile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/omega-run/omega/host/core"
	"github.com/zclconf/go-cty/cty"
)

// defaults writes the table's defaults of the named blocks to a target. One
// that does not parse is a broken table.
func defaults(settings []core.Setting, target any, blocks ...string) {
	for _, s := range settings {
		if s.Default == "" || (len(blocks) > 0 && !slices.Contains(blocks, s.Block)) {
			continue
		}
		if err := s.Parse(target, s.Default); err != nil {
			panic(fmt.Sprintf("default of %s.%s: %v", s.Block, s.Name, err))
		}
	}
}

// block reads one block of settings into a target. It remembers where each was
// written, by the path of the block, warns about those nothing acts on, and
// reports those missing. It is false where something unknown was found.
func (l *loader) block(name, path string, b *hcl.Block, settings []core.Setting, target any, inner []string) (*hcl.BodyContent, bool) {
	l.at[path] = b.DefRange
	schema := bodySchema(name, settings, attributesOf(name), inner)
	c, ok := l.content(name, b.Body, schema)
	sc := l.scope("the " + name + " block")
	var idle []string
	for _, s := range settings {
		a := c.Attributes[s.Name]
		if s.Block != name {
			continue
		}
		if a == nil {
			if s.Needed && ok {
				l.missing(b.DefRange, name, s)
			}
			continue
		}
		l.at[path+"."+s.Name] = a.Expr.Range()
		if s.Idle {
			idle = append(idle, s.Name)
		}
		l.assign(sc, a, s, target, l.ctx)
	}
	l.objects(name, c, settings, target, sc)
	if len(idle) > 0 {
		l.r.warn(b.DefRange, "Nothing acts on this yet", "This version accepts %s and does nothing with it.", strings.Join(idle, ", "))
	}
	l.inner(name, c, settings, target, inner)
	return c, ok
}

func (l *loader) inner(name string, c *hcl.BodyContent, settings []core.Setting, target any, inner []string) {
	seen := map[string]hcl.Range{}
	for _, b := range c.Blocks {
		if first, twice := seen[b.Type]; twice {
			l.r.fail(b.DefRange, "Duplicate block", "%s is already given at %s.", b.Type, place(first))
			continue
		}
		seen[b.Type] = b.DefRange
		if slices.Contains(inner, b.Type) {
			l.block(name+"."+b.Type, name+"."+b.Type, b, settings, target, nil)
		}
	}
}

// objects reads the settings that are written as one object: slash_shares.
func (l *loader) objects(name string, c *hcl.BodyContent, settings []core.Setting, target any, sc *scope) {
	for _, part := range schemaObjects(name, c, settings) {
		a := c.Attributes[part]
		l.at[name+"."+part] = a.Expr.Range()
		v, ok := l.value(sc, a, l.ctx)
		if !ok || v.IsNull() {
			continue
		}
		if t := v.Type(); !t.IsObjectType() && !t.IsMapType() {
			l.r.fail(a.Expr.Range(), "Wrong type", "%s is an object, like { employer = 0.5, treasury = 0.5, burn = 0 }.", part)
			continue
		}
		l.object(name+"."+part, a, v.AsValueMap(), settings, target)
	}
}

func (l *loader) object(path string, a *hcl.Attribute, values map[string]cty.Value, settings []core.Setting, target any) {
	var names []string
	for _, s := range settings {
		if s.Block != path {
			continue
		}
		names = append(names, s.Name)
		v, given := values[s.Name]
		if !given || v.IsNull() {
			v = cty.Zero // the object replaces the default whole
		}
		l.put(a, s, target, v)
		delete(values, s.Name)
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(names, key) {
			l.r.fail(a.Expr.Range(), "Unsupported argument", "%s has no %q.%s", path, key, suggest(key, names))
		}
	}
}

func schemaObjects(name string, c *hcl.BodyContent, settings []core.Setting) []string {
	var parts []string
	for _, s := range settings {
		part, ok := strings.CutPrefix(s.Block, name+".")
		if ok && c.Attributes[part] != nil && !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return parts
}

// value evaluates an attribute. It is false when that failed, which has been
// reported. A value that is null is as good as not written.
func (l *loader) value(sc *scope, a *hcl.Attribute, ctx *hcl.EvalContext) (cty.Value, bool) {
	if !sc.check(l.r, a.Expr) {
		return cty.NilVal, false
	}
	v, diags := a.Expr.Value(ctx)
	l.r.addHCL(diags)
	return v, !diags.HasErrors() && v.IsWhollyKnown()
}

// assign evaluates an attribute into a setting of the target.
func (l *loader) assign(sc *scope, a *hcl.Attribute, s core.Setting, target any, ctx *hcl.EvalContext) {
	v, ok := l.value(sc, a, ctx)
	switch {
	case !ok:
	case !v.IsNull():
		l.put(a, s, target, v)
	case s.Needed:
		l.missing(a.Expr.Range(), s.Block, s)
	}
}

func (l *loader) put(a *hcl.Attribute, s core.Setting, target any, v cty.Value) {
	if err := assign(s, target, v); err != nil {
		l.r.fail(a.Expr.Range(), "Invalid "+s.Name, "%s", closed(sentence(err)))
	}
}

func (l *loader) missing(at hcl.Range, block string, s core.Setting) {
	choices := ""
	if len(s.Choices) > 0 {
		choices = " It takes " + strings.Join(s.Choices, ", ") + "."
	}
	l.r.fail(at, "Missing "+s.Name, "The %s block must set %s: %s%s", block, s.Name, s.Doc, choices)
}

// closed is a text that ends with a full stop, or with what it has in its place.
func closed(text string) string {
	if strings.HasSuffix(text, "?") {
		return text
	}
	return text + "."
}

// sentence is an error with a capital letter and without a full stop.
func sentence(err error) string {
	text := strings.TrimSuffix(err.Error(), ".")
	if text == "" {
		return "It cannot be used"
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
