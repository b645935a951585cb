package missionfile

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/omega-run/omega/host/core"
	"github.com/zclconf/go-cty/cty"
)

// jobRef is how needs sees another job: its place in file order, and nothing else.
var jobRef = cty.Capsule("job", reflect.TypeFor[int64]())

// awaited marks a result that is not there yet by the place of its job. The
// marks left on an input are the jobs it needs.
type awaited int64

// references reads needs and an input that waits for results.
func (l *loader) references(b *jobBlock, c jobContent, sc *scope) {
	with := *sc
	with.roots = append([]string{"job"}, sc.roots...)
	if a := c.Attributes["needs"]; a != nil {
		with.asked = edges
		if with.check(l.r, a.Expr) {
			l.needs(b, a.Expr)
		}
	}
	if a := c.Attributes["input"]; a != nil && refersTo(a.Expr, "job") {
		with.asked = results
		if with.check(l.r, a.Expr) {
			l.lazyInput(b, a.Expr)
		}
	}
}

func (l *loader) needs(b *jobBlock, e hcl.Expression) {
	b.needs, b.needCtx = e, l.ctx.NewChild()
	named, _ := mentions(e, l.m.byName)
	jobs := make(map[string]cty.Value, len(named))
	for _, other := range named {
		jobs[other.name] = other.ref()
	}
	b.needCtx.Variables = map[string]cty.Value{"job": cty.ObjectVal(jobs)}
	if b.many() && refersTo(e, "each", "count") {
		b.varies, b.posts = true, true
	}
}

func (l *loader) lazyInput(b *jobBlock, e hcl.Expression) {
	b.input, b.inputCtx, b.proto.Lazy = e, l.ctx.NewChild(), true
	b.reads, b.whole = mentions(e, l.m.byName)
	jobs := make(map[string]cty.Value, len(b.reads))
	for _, other := range b.reads {
		if other.set.len() > maxWhole {
			l.r.fail(e.Range(), "Too many results", "job.%s has more than %d instances, too many for an input to look at.", other.name, maxWhole)
			b.input = nil
			return
		}
		jobs[other.name] = other.unknown()
	}
	b.inputCtx.Variables = map[string]cty.Value{"job": cty.ObjectVal(jobs)}
	if b.many() && refersTo(e, "each", "count") {
		b.varies, b.posts = true, true
	}
}

// ref is the block as needs sees it: a job, a list or a map of them.
func (b *jobBlock) ref() cty.Value {
	if b.refs != cty.NilVal {
		return b.refs
	}
	b.slab = make([]int64, b.set.len())
	all := make([]cty.Value, len(b.slab))
	for i := range b.slab {
		b.slab[i] = b.first + int64(i)
		all[i] = cty.CapsuleVal(jobRef, &b.slab[i])
	}
	b.refs = b.shape(all, cty.ListVal, cty.MapVal, cty.ListValEmpty(jobRef), cty.MapValEmpty(jobRef))
	return b.refs
}

// unknown is the block as an input sees it before results exist.
func (b *jobBlock) unknown() cty.Value {
	if b.pending != cty.NilVal {
		return b.pending
	}
	all := make([]cty.Value, b.set.len())
	for i := range all {
		result := cty.DynamicVal.Mark(awaited(b.first + int64(i)))
		all[i] = cty.ObjectVal(map[string]cty.Value{"result": result})
	}
	b.pending = b.shape(all, cty.TupleVal, cty.ObjectVal, cty.EmptyTupleVal, cty.EmptyObjectVal)
	return b.pending
}

// shape is one value per instance as the block's expressions index them.
func (b *jobBlock) shape(all []cty.Value, list func([]cty.Value) cty.Value, object func(map[string]cty.Value) cty.Value, noList, noObject cty.Value) cty.Value {
	switch {
	case !b.many():
		return all[0]
	case !b.set.each && len(all) == 0:
		return noList
	case !b.set.each:
		return list(all)
	case len(all) == 0:
		return noObject
	}
	byKey := make(map[string]cty.Value, len(all))
	for i, key := range b.set.keys {
		byKey[key] = all[i]
	}
	return object(byKey)
}

// edgesOf are the jobs an instance needs: those declared, in their order, then
// those its input waits for, in file order.
func (b *jobBlock) edgesOf(vars map[string]cty.Value) ([]int64, hcl.Diagnostics) {
	var all []int64
	if b.needs != nil {
		v, diags := b.needs.Value(within(b.needCtx, vars))
		if diags.HasErrors() {
			return nil, diags
		}
		if err := collectRefs(v, true, &all); err != nil {
			return nil, diagnosed(b.needs.Range(), "Invalid needs", err)
		}
	}
	if b.input != nil {
		v, diags := b.input.Value(within(b.inputCtx, vars))
		if diags.HasErrors() {
			return nil, diags
		}
		all = append(all, b.implied(v)...)
	}
	all = distinct(all)
	if len(all) > maxNeeds {
		return nil, diagnosed(b.at, "Too many needs", fmt.Errorf("it needs %d jobs; at most %d are possible", len(all), maxNeeds))
	}
	return all, nil
}

// implied are the jobs whose results a value waits for. A block of one instance
// that is named counts even where the evaluator lost its mark.
func (b *jobBlock) implied(v cty.Value) []int64 {
	_, marks := v.UnmarkDeep()
	var all []int64
	for mark := range marks {
		if at, ok := mark.(awaited); ok {
			all = append(all, int64(at))
		}
	}
	for _, other := range b.reads {
		if !other.many() {
			all = append(all, other.first)
		}
	}
	slices.Sort(all)
	return all
}

var errNotList = errors.New("write a list of jobs, like [job.a, job.b]")

// collectRefs flattens what needs evaluated to: a list of jobs, or of lists or
// maps of them.
func collectRefs(v cty.Value, top bool, all *[]int64) error {
	v, _ = v.Unmark()
	t := v.Type()
	switch {
	case v.IsNull() && top:
		return nil
	case v.IsNull() || !v.IsKnown():
		return errNotList
	case t.Equals(jobRef) && !top:
		*all = append(*all, *v.EncapsulatedValue().(*int64))
		return nil
	case t == cty.String:
		return fmt.Errorf("write job.%s, not the text %q", v.AsString(), v.AsString())
	case !v.CanIterateElements() || (top && (t.IsMapType() || t.IsObjectType())):
		return errNotList
	}
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		if err := collectRefs(e, false, all); err != nil {
			return err
		}
	}
	return nil
}

// distinct drops what came before, and keeps the order.
func distinct(all []int64) []int64 {
	if len(all) < 2 {
		return all
	}
	seen := make(map[int64]bool, len(all))
	return slices.DeleteFunc(all, func(n int64) bool {
		again := seen[n]
		seen[n] = true
		return again
	})
}

func diagnosed(at hcl.Range, summary string, err error) hcl.Diagnostics {
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary, Detail: closed(sentence(err)), Subject: &at}}
}

// values adds to a spec what depends on the instance; needs and names aside.
func (b *jobBlock) values(vars map[string]cty.Value, spec *core.JobSpec) hcl.Diagnostics {
	if len(b.varying) > 0 {
		ctx := within(b.base, vars)
		for _, t := range b.varying {
			v, diags := t.attr.Expr.Value(ctx)
			if diags.HasErrors() {
				return diags
			}
			if err := t.into(spec, v); err != nil {
				return diagnosed(t.attr.Expr.Range(), "Invalid "+t.attr.Name, err)
			}
		}
	}
	if spec.Employer == b.owner {
		spec.Employer = ""
	}
	return nil
}
