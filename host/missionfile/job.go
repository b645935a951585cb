package missionfile

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
	"github.com/zclconf/go-cty/cty"
)

// simulatedAttributes are what a job says of simulated work.
var simulatedAttributes = attributesOf("job.simulated")

// jobBlock is the template of a job block's instances.
type jobBlock struct {
	name   string
	at     hcl.Range
	set    instances
	first  int64 // the file order of its first instance
	body   *hcl.BodyContent
	ranges map[string]hcl.Range

	proto   core.JobSpec // what all instances have in common
	varying []term       // what depends on the instance
	needs   hcl.Expression
	input   hcl.Expression // kept where it is lazy
	accept  hcl.Expression // the condition
	schema  hcl.Expression
	schemas *schemas
	owner   string // whose name as an employer is as good as none

	base     *hcl.EvalContext // functions and locals
	needCtx  *hcl.EvalContext // knows the jobs that needs names
	inputCtx *hcl.EvalContext // knows results to come of the jobs that input names
	reads    []*jobBlock      // the blocks whose results input names
	whole    map[*jobBlock]bool

	refs    cty.Value // itself as needs sees it
	pending cty.Value // and as input sees it, before it ended
	slab    []int64

	varies bool // anything differs between instances
	posts  bool // what is posted does: varying, needs or an input that waits
	// shared is what all instances post where that does not differ, and about how
	// many bytes each takes in the record besides its names.
	shared      core.JobSpec
	sharedBytes int
	largest     ledger.Amount
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
		b := &jobBlock{name: name, at: block.DefRange, set: set, body: c, ranges: map[string]hcl.Range{}, base: l.ctx, schemas: &l.m.schemas, owner: l.m.spec.Mission.Owner}
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
	sc := l.scope("job."+b.name, b.set.roots()...)
	sc.jobs = l.m.byName
	for _, t := range l.terms(b, c, sc) {
		if !sc.check(l.r, t.attr.Expr) {
			continue
		}
		if b.set.many() && refersTo(t.attr.Expr, "each", "count") {
			b.varying, b.varies, b.posts = append(b.varying, t), true, true
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
	for _, a := range l.simulatedBlock(c) {
		b.ranges["simulated."+a.Name] = a.Expr.Range()
		apply := applyResult
		if a.Name == "delegate" {
			apply = applyDelegate
		}
		all = append(all, term{attr: a, apply: apply})
	}
	if a := c.Attributes["input"]; a != nil && !refersTo(a.Expr, "job") {
		all = append(all, term{attr: a, apply: applyInput})
	}
	return all
}

// simulatedBlock is the attributes of a simulated block.
func (l *loader) simulatedBlock(c jobContent) (all []*hcl.Attribute) {
	seen := c.Attributes["simulated"] != nil
	for _, inner := range c.Blocks {
		if inner.Type != "simulated" {
			continue
		}
		if seen {
			l.r.fail(inner.DefRange, "Duplicate block", "The job already says what a simulated worker does: keep one of the two.")
			return nil
		}
		seen = true
		content, diags := inner.Body.Content(bodySchema("job.simulated", nil, simulatedAttributes, nil))
		l.r.addHCL(diags)
		for _, name := range simulatedAttributes {
			if a := content.Attributes[name]; a != nil {
				all = append(all, a)
			}
		}
	}
	return all
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
	if !t.IsObjectType() && !t.IsMapType() {
		return errors.New("write { result = …, delegate = […] }, what a simulated worker does")
	}
	given, known := v.AsValueMap(), simulatedAttributes
	for _, name := range slices.Sorted(maps.Keys(given)) {
		switch {
		case !slices.Contains(known, name):
			return fmt.Errorf("it has no %q.%s", name, suggest(name, known))
		case given[name].IsNull():
		case name == "result":
			if err := applyResult(j, given[name]); err != nil {
				return err
			}
		default:
			if err := applyDelegate(j, given[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

// applyDelegate reads the children a simulated worker posts; what they need of
// the mission is checked where it is whole.
func applyDelegate(j *core.JobSpec, v cty.Value) error {
	raw, err := canonical(v, maxDelegate)
	if err != nil {
		return err
	}
	if _, err = DecodeChildren(raw); err == nil {
		j.Delegate = raw
	}
	return err
}

func applyResult(j *core.JobSpec, v cty.Value) (err error) {
	j.Simulated, err = canonical(v, maxResult)
	return err
}

func applyInput(j *core.JobSpec, v cty.Value) (err error) {
	j.Input, err = canonical(v, maxInput)
	return err
}

// acceptBlock reads accept { schema = …, condition = … }.
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
		content, diags := inner.Body.Content(bodySchema("job.accept", nil, attributesOf("job.accept"), nil))
		l.r.addHCL(diags)
		if len(content.Attributes) == 0 && !diags.HasErrors() {
			l.r.fail(inner.DefRange, "Nothing to accept by", "The accept block must set condition, as in condition = result.cells >= 10, or schema.")
		}
		with := *sc
		with.jobs = nil
		b.schema = l.acceptPart(b, content.Attributes["schema"], &with)
		with.roots = append([]string{"result"}, sc.roots...)
		b.accept = l.acceptPart(b, content.Attributes["condition"], &with)
	}
}

// acceptPart is the expression of an attribute of accept, nil if there is none
// or it may not be evaluated.
func (l *loader) acceptPart(b *jobBlock, a *hcl.Attribute, sc *scope) hcl.Expression {
	if a == nil || !sc.check(l.r, a.Expr) {
		return nil
	}
	b.proto.Accept = true
	b.ranges["accept"] = a.Expr.Range()
	b.varies = b.varies || refersTo(a.Expr, "each", "count")
	return a.Expr
}
