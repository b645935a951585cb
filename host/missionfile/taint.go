package missionfile

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// uses is the sensitive variable that takes part in an expression, whatever
// comes of it, or "".
func uses(e hcl.Expression, ctx *hcl.EvalContext) string {
	for _, t := range e.Variables() {
		if root := t.RootName(); root != "var" && root != "local" {
			continue
		}
		v, diags := t.TraverseAbs(ctx)
		if diags.HasErrors() && len(t) > 1 { // that it fails tells of the whole
			v, diags = t[:2].TraverseAbs(ctx)
		}
		if !diags.HasErrors() && v.ContainsMarked() && sensitiveIn(v) != "" {
			return sensitiveIn(v)
		}
	}
	return ""
}

// taint marks the value of an expression by the sensitive variable that takes
// part in it. The evaluator carries marks along, but loses some: so the whole
// value is marked, or, of an object or a list that is written out, those parts
// that the variable takes part in.
func taint(e hcl.Expression, v cty.Value, ctx *hcl.EvalContext) cty.Value {
	name := uses(e, ctx)
	if name == "" {
		return v
	}
	switch e := e.(type) {
	case *hclsyntax.ObjectConsExpr:
		if parts, ok := taintObject(e, v, ctx); ok {
			return parts
		}
	case *hclsyntax.TupleConsExpr:
		if v.IsMarked() || !v.IsKnown() {
			break
		}
		all := v.AsValueSlice()
		for i := range all {
			all[i] = taint(e.Exprs[i], all[i], ctx)
		}
		return cty.TupleVal(all)
	}
	return v.Mark(sensitive(name))
}

// taintObject is false where a key is not plain: it may tell of the variable.
func taintObject(e *hclsyntax.ObjectConsExpr, v cty.Value, ctx *hcl.EvalContext) (cty.Value, bool) {
	if v.IsMarked() || !v.IsKnown() {
		return v, false
	}
	all := v.AsValueMap()
	for _, item := range e.Items {
		key, diags := item.KeyExpr.Value(ctx)
		if diags.HasErrors() || uses(item.KeyExpr, ctx) != "" || key.Type() != cty.String || key.IsMarked() {
			return v, false
		}
		all[key.AsString()] = taint(item.ValueExpr, all[key.AsString()], ctx)
	}
	return cty.ObjectVal(all), true
}
