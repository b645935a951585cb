package missionfile

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/hashicorp/hcl/v2"
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
	"github.com/zclconf/go-cty/cty"
)

// jobAttributes are the attributes of a job that are no plain settings.
var jobAttributes = []string{"count", "for_each", "needs", "input", "labels", "priority", "run_if", "simulated"}

// jobBlock is the template of a job block's instances.
type jobBlock struct {
	name   string
	at     hcl.Range
	set    instances
	first  int64 // the file order of its first instance
	ranges map[string]hcl.Range

	proto   core.JobSpec // what all instances have in common
	varying []term       // what depends on the instance
	needs   hcl.Expression
	input   hcl.Expression // kept where it is lazy
	accept  hcl.Expression

	base     *hcl.EvalContext // functions and locals
	needCtx  *hcl.EvalContext // knows the jobs that needs names
	inputCtx *hcl.EvalContext // knows results to come of the jobs that input names
	reads    []*jobBlock      // the blocks whose results input names
	whole    map[*jobBlock]bool

	refs    cty.Value // itself as needs sees it
	pending cty.Value // and as input sees it, before it ended
	slab    []int64

	varies  bool // anything differs between instances
	largest ledger.Amount
	rewards big.Int
	fees    big.Int
}

// term is one attribute: how its value gets into the spec.
type term struct {
	attr   *hcl.Attribute
	apply  func(*core.JobSpec, cty.Value) error
	needed bool
}

// into applies a value; null is as good as not written.
func (t term) into(spec *core.JobSpec, v cty.Value) error {
	if !v.IsNull() {
		return t.apply(spec, v)
	}
	if t.needed {
		return errors.New("it is null, and every job must have one")
	}
	return nil
}

func (b *jobBlock) many() bool { return b.set.many() }

func (b *jobBlock) exampleLabel() string {
	if b.set.len() == 0 {
		return b.name + "[0]"
	}
	return b.set.shown(b.name, 0)
}

// rangeOf is where an attribute is written, or else the block.
func (b *jobBlock) rangeOf(name string) hcl.Range {
	if at, ok := b.ranges[name]; ok {
		return at
	}
	return b.at
}

// jobs reads the job blocks: first who there is, then what each says, then
// every instance once.
func (l *loader) jobs(blocks []*hcl.Block) {
	contents := l.declare(blocks)
	var next int64
	for _, b := range l.m.jobs {
		b.first = next
		if next += b.set.len(); next > maxInstances {
			l.r.fail(b.at, "Too many jobs", "A mission has at most %d job instances.", maxInstances)
			return
		}
	}
	l.m.spec.Instances = next
	ok := true
	for i, b := range l.m.jobs {
		if l.r.full() {
			return
		}
		before := len(l.r.list)
		if l.template(b, contents[i]); len(l.r.list) > before {
			ok = ok && !l.r.errors()
		}
	}
	if ok {
		l.checkJobs()
	}
}

// declare makes a template of each block, as yet only its name and instances.
func (l *loader) declare(blocks []*hcl.Block) (contents []jobContent) {
	first := map[string]hcl.Range{}
	for _, block := range blocks {
		if l.r.full() {
			return contents
		}
		name, ok := l.named(block, first)
		c, known := l.content("job", block.Body, l.jobSchema)
		set, sized := l.setOf("job."+name, c, maxInstances)
		if !ok {
			continue
		}
		if !sized { // others may refer to it all the same
			known = false
		}
		b := &jobBlock{name: name, at: block.DefRange, set: set, ranges: map[string]hcl.Range{}, base: l.ctx}
		for name, a := range c.Attributes {
			b.ranges[name] = a.Expr.Range()
		}
		l.m.jobs, l.m.byName[name] = append(l.m.jobs, b), b
		contents = append(contents, jobContent{c, known, sized})
	}
	return contents
}

// jobContent is a job's body; known if all of it was, sized if its instances are.
type jobContent struct {
	*hcl.BodyContent
	known, sized bool
}

// template evaluates what all instances share and keeps the rest.
func (l *loader) template(b *jobBlock, c jobContent) {
	if !c.sized {
		return
	}
	defaults(l.jobTable, &b.proto)
	b.proto.Block = b.name
	sc := &scope{where: "job." + b.name, roots: b.set.roots(), locals: l.localNames, jobs: l.m.byName}
	for _, t := range l.terms(b, c, sc) {
		if !sc.check(l.r, t.attr.Expr) {
			continue
		}
		if b.set.many() && refersTo(t.attr.Expr, "each", "count") {
			b.varying, b.varies = append(b.varying, t), true
			continue
		}
		if v, ok := l.value(sc, t.attr, l.ctx); ok {
			if err := t.into(&b.proto, v); err != nil {
				l.r.fail(t.attr.Expr.Range(), "Invalid "+t.attr.Name, "%s.", sentence(err))
			}
		}
	}
	l.references(b, c, sc)
	l.acceptBlock(b, c, sc)
}

// terms are the attributes of a job that become values of its spec.
func (l *loader) terms(b *jobBlock, c jobContent, sc *scope) []term {
	var all []term
	for _, s := range l.jobTable {
		if a := c.Attributes[s.Name]; a != nil {
			all = append(all, term{a, func(j *core.JobSpec, v cty.Value) error { return assign(s, j, v) }, s.Needed})
		} else if s.Needed && c.known {
			l.missing(b.at, "job", s)
		}
	}
	for _, rule := range []struct {
		name  string
		apply func(*core.JobSpec, cty.Value) error
	}{{"priority", applyPriority}, {"run_if", applyRunIf}, {"labels", applyLabels}, {"simulated", applySimulated}} {
		if a := c.Attributes[rule.name]; a != nil {
			all = append(all, term{attr: a, apply: rule.apply})
		}
	}
	if a := l.simulatedResult(c); a != nil {
		b.ranges["simulated"] = a.Expr.Range()
		all = append(all, term{attr: a, apply: applyResult})
	}
	if a := c.Attributes["input"]; a != nil && !refersTo(a.Expr, "job") {
		all = append(all, term{attr: a, apply: applyInput})
	}
	return all
}

// simulatedResult is the result of a simulated block.
func (l *loader) simulatedResult(c jobContent) *hcl.Attribute {
	for _, inner := range c.Blocks {
		if inner.Type != "simulated" || c.Attributes["simulated"] != nil {
			continue
		}
		content, diags := inner.Body.Content(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "result"}}})
		l.r.addHCL(diags)
		return content.Attributes["result"]
	}
	return nil
}

func applyPriority(j *core.JobSpec, v cty.Value) error {
	text, err := plainText(v)
	if err != nil {
		return err
	}
	p, ok := core.ParsePriority(text)
	if !ok {
		return fmt.Errorf("a priority is low, normal, high or critical, not %q", text)
	}
	j.Priority = p
	return nil
}

func applyRunIf(j *core.JobSpec, v cty.Value) error {
	if text, err := plainText(v); err != nil || text != "any_end" {
		return errors.New(`run_if can only be "any_end": the job runs however its needs ended`)
	}
	j.AnyEnd = true
	return nil
}

func applyLabels(j *core.JobSpec, v cty.Value) (err error) {
	j.Labels, err = labels(v)
	return err
}

func applySimulated(j *core.JobSpec, v cty.Value) error {
	t := v.Type()
	if !(t.IsObjectType() || t.IsMapType()) || v.LengthInt() != 1 || v.AsValueMap()["result"] == cty.NilVal {
		return errors.New("write { result = … }, what a simulated worker answers")
	}
	return applyResult(j, v.AsValueMap()["result"])
}

func applyResult(j *core.JobSpec, v cty.Value) (err error) {
	j.Simulated, err = canonical(v, maxResult)
	return err
}

func applyInput(j *core.JobSpec, v cty.Value) (err error) {
	j.Input, err = canonical(v, maxInput)
	return err
}

// acceptBlock reads accept { condition = … }.
func (l *loader) acceptBlock(b *jobBlock, c jobContent, sc *scope) {
	var first *hcl.Block
	for _, inner := range c.Blocks {
		if inner.Type != "accept" {
			continue
		}
		if first != nil {
			l.r.fail(inner.DefRange, "Duplicate block", "job.%s already has an accept block.", b.name)
			return
		}
		first = inner
		content, diags := inner.Body.Content(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "condition"}, {Name: "schema"}}})
		l.r.addHCL(diags)
		if a := content.Attributes["schema"]; a != nil {
			l.unsupported(a.NameRange, "job.accept.schema")
			return
		}
		a := content.Attributes["condition"]
		if a == nil {
			if !diags.HasErrors() {
				l.r.fail(inner.DefRange, "Missing condition", "The accept block must set condition, as in condition = result.cells >= 10.")
			}
			return
		}
		with := *sc
		with.roots = append([]string{"result"}, sc.roots...)
		with.jobs = nil
		if !with.check(l.r, a.Expr) {
			return
		}
		b.accept, b.proto.Accept = a.Expr, true
		b.ranges["accept"] = a.Expr.Range()
		b.varies = b.varies || refersTo(a.Expr, "each", "count")
	}
}
