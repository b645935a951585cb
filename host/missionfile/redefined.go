package missionfile

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/omega-run/omega/host/core"
)

// jobs compares the instances of job blocks, each block in turn.
func (c *Changes) jobs(before, next *Mission) {
	for _, a := range before.jobs {
		b := next.byName[a.name]
		var gone []string
		for i := range a.set.len() {
			if b == nil || !b.holds(a, i) {
				gone = append(gone, a.set.id(a.name, i))
			}
		}
		c.Removed = append(c.Removed, gone...)
		c.ids(Removed, "job", a.name, gone, core.Now)
	}
	for _, b := range next.jobs {
		a := before.byName[b.name]
		var added, redefined []string
		var words []string
		differ := comparison{before: before, next: next, a: a, b: b}
		for i := range b.set.len() {
			if a == nil || !a.holds(b, i) {
				added = append(added, b.set.id(b.name, i))
			} else if differ.instance(i) {
				if redefined == nil {
					words = differ.words(i)
				}
				redefined = append(redefined, b.set.id(b.name, i))
			}
		}
		c.Redefined = append(c.Redefined, redefined...)
		c.ids(Added, "job", b.name, added, core.Now)
		c.ids(Changed, "job", b.name, redefined, core.NewJobs, words...)
	}
}

// holds says whether a block declares instance i of another of its name.
func (b *jobBlock) holds(other *jobBlock, i int64) bool { _, ok := b.place(other, i); return ok }

// place is which instance of the block has the id of instance i of another of
// its name.
func (b *jobBlock) place(other *jobBlock, i int64) (int64, bool) {
	switch {
	case b.set.each != other.set.each || b.many() != other.many():
		return 0, false
	case b.set.each:
		at, ok := b.set.byHex[keyHex(other.set.keys[i])]
		return at, ok
	}
	return i, i < b.set.len()
}

// comparison holds the instances of one block against those of the block of the
// same name in the file before.
type comparison struct {
	before, next *Mission
	a, b         *jobBlock
	known        bool // the rest is
	untouched    bool // the block says what it said: its instances differ by each.value alone
	each         bool // an expression knows each.value
	alike        bool // expressions that wait for a result are the same
	equal        bool // and, where no instance posts anything of its own, so are the terms
}

// instance says whether instance i of b is another job than it was.
func (c *comparison) instance(i int64) bool {
	if !c.known {
		c.known, c.each, c.untouched = true, c.b.knowsEach(), c.says()
		if !c.untouched {
			c.alike, c.equal = c.expressions(), c.same(i)
		}
	}
	switch {
	case c.untouched:
		return c.each && !c.sameEach(i) && !c.same(i)
	case !c.alike:
		return true
	case !c.a.posts && !c.b.posts && !c.each:
		return !c.equal
	}
	return !c.same(i)
}

// sameEach says whether instance i has the value of for_each it had.
func (c *comparison) sameEach(i int64) bool {
	n, _ := c.a.place(c.b, i)
	return c.a.set.vars(n)["each"].RawEquals(c.b.set.vars(i)["each"])
}

// attributes are all expressions of a block by their path, but those that make
// its instances.
func (b *jobBlock) attributes() map[string]hcl.Expression {
	all := map[string]hcl.Expression{}
	for name, a := range b.body.Attributes {
		if !slices.Contains(repeat, name) {
			all[name] = a.Expr
		}
	}
	for _, inner := range b.body.Blocks {
		attributes, _ := inner.Body.JustAttributes()
		for name, a := range attributes {
			all[inner.Type+"."+name] = a.Expr
		}
	}
	return all
}

func (b *jobBlock) knowsEach() bool {
	for _, e := range b.attributes() {
		if b.set.each && refersTo(e, "each") {
			return true
		}
	}
	return false
}

// says reports that every expression of the block is written as it was and
// refers to what it referred to.
func (c *comparison) says() bool {
	was, is := c.a.attributes(), c.b.attributes()
	if len(was) != len(is) {
		return false
	}
	for name, e := range is {
		before := was[name]
		if before == nil || !bytes.Equal(c.before.meaning(before), c.next.meaning(e)) || c.before.jobsIn(before) != c.next.jobsIn(e) {
			return false
		}
	}
	return true
}

// jobsIn are the instances of the blocks an expression mentions, in file order.
func (m *Mission) jobsIn(e hcl.Expression) string {
	named, _ := mentions(e, m.byName)
	slices.SortFunc(named, func(a, b *jobBlock) int { return cmp.Compare(a.first, b.first) })
	var out strings.Builder
	for _, b := range named {
		fmt.Fprintf(&out, "%s %d %t %q\n", b.name, b.set.count, b.set.each, b.set.keys)
	}
	return out.String()
}

// same compares one instance; one that cannot be expanded any more is another.
func (c *comparison) same(i int64) (same bool) {
	defer func() {
		if recover() != nil { // a library's fault, which Expand will report
			same = false
		}
	}()
	x, y, ok := c.specs(i)
	if !ok {
		return false
	}
	if c.waitsForEach() && !c.sameEach(i) {
		return false
	}
	terms := core.Terms{ID: x.ID, Label: x.Label, Needs: x.Needs, Input: x.Input, JobSpec: &x}
	return terms.Same(&y)
}

func (c *comparison) specs(i int64) (x, y core.JobSpec, ok bool) {
	n, _ := c.a.place(c.b, i)
	_, was := c.before.job(c.a.first+n, &x)
	_, is := c.next.job(c.b.first+i, &y)
	return x, y, was == nil && is == nil
}

// waitsForEach says whether an expression that waits for a result knows its
// instance.
func (c *comparison) waitsForEach() bool {
	return slices.ContainsFunc(c.b.waiting(), func(e hcl.Expression) bool { return e != nil && refersTo(e, "each") })
}

// waiting are the expressions of a block that are evaluated once there is a
// result.
func (b *jobBlock) waiting() []hcl.Expression { return []hcl.Expression{b.input, b.schema, b.accept} }

func (c *comparison) expressions() bool {
	was, is := c.a.waiting(), c.b.waiting()
	for i := range is {
		if !bytes.Equal(c.before.meaning(was[i]), c.next.meaning(is[i])) {
			return false
		}
	}
	return true
}

// meaning is an expression as it is written, with what it refers to: the values
// of locals and variables and the files it reads.
func (m *Mission) meaning(e hcl.Expression) []byte {
	if e == nil {
		return nil
	}
	out := []byte(m.text(e))
	for _, t := range e.Variables() {
		if root := t.RootName(); root != "local" && root != "var" {
			continue
		}
		if v, diags := t.TraverseAbs(m.ctx); !diags.HasErrors() {
			v, _ = v.UnmarkDeep()
			raw, err := canonical(v, maxSource)
			out = fmt.Appendf(out, "\x00%s %v", raw, err)
		}
	}
	names, all := m.filesIn(e)
	for _, f := range m.Sources() {
		if all && !isMissionFile(f.Path) || slices.Contains(names, f.Path) {
			out = fmt.Appendf(out, "\x00%s %x", f.Path, f.Digest)
		}
	}
	return out
}

// filesIn are the files that an expression reads with file(); all where that is
// not known before it is evaluated.
func (m *Mission) filesIn(e hcl.Expression) (names []string, all bool) {
	node, ok := e.(hclsyntax.Node)
	if !ok { // of JSON only the text can be seen
		return nil, strings.Contains(strings.ReplaceAll(m.text(e), " ", ""), "file(")
	}
	hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && call.Name == "file" {
			name, known := m.literal(call.Args)
			names, all = append(names, name), all || !known
		}
		return nil
	})
	return names, all
}

// literal is the path that a call of file() names, where it is one text without
// anything to be worked out.
func (m *Mission) literal(args []hclsyntax.Expression) (name string, known bool) {
	if len(args) != 1 || len(args[0].Variables()) > 0 {
		return "", false
	}
	v, diags := args[0].Value(m.ctx)
	if diags.HasErrors() || v.IsNull() || !v.IsKnown() || v.Type() != cty.String {
		return "", false
	}
	return path.Clean(v.AsString()), true
}

// words say what differs in one instance.
func (c *comparison) words(i int64) []string {
	x, y, ok := c.specs(i)
	if !ok {
		return []string{"it cannot be expanded"}
	}
	words, _ := differences(core.JobSettings(), &x, &y, "job")
	for _, part := range []struct{ name, from, to string }{
		{"priority", x.Priority.String(), y.Priority.String()},
		{"needs", strings.Join(x.Needs, " "), strings.Join(y.Needs, " ")},
		{"labels", labelText(x.Labels), labelText(y.Labels)},
		{"run_if", runIf(x.AnyEnd), runIf(y.AnyEnd)},
		{"input", string(x.Input), string(y.Input)},
		{"simulated.result", string(x.Simulated), string(y.Simulated)},
		{"simulated.delegate", string(x.Delegate), string(y.Delegate)},
	} {
		if part.from != part.to {
			words = append(words, part.name+" "+became(part.from, part.to))
		}
	}
	was, is := c.a.waiting(), c.b.waiting()
	for i, name := range []string{"input", "accept.schema", "accept.condition"} {
		from, to := c.before.text(was[i]), c.next.text(is[i])
		switch {
		case from != to:
			words = append(words, name+" "+became(from, to))
		case !bytes.Equal(c.before.meaning(was[i]), c.next.meaning(is[i])):
			words = append(words, "what "+name+" refers to")
		}
	}
	if len(words) == 0 {
		words = []string{"each.value"}
	}
	return words
}

// text is an expression as it is written.
func (m *Mission) text(e hcl.Expression) string {
	if e == nil {
		return ""
	}
	at := e.Range()
	content := m.src.files[at.Filename].Bytes
	return string(content[min(at.Start.Byte, len(content)):min(at.End.Byte, len(content))])
}

func labelText(all []core.Label) string {
	var words []string
	for _, l := range all {
		words = append(words, l.Key+"="+l.Value)
	}
	return strings.Join(words, " ")
}

func runIf(anyEnd bool) string {
	if anyEnd {
		return "any_end"
	}
	return ""
}
