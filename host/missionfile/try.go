package missionfile

import (
	"errors"
	"maps"

	"github.com/hashicorp/hcl/v2/ext/customdecode"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// tryFunc is the first of its arguments that evaluates without an error. Unlike
// the one that comes with the library, it says which results it waits for: an
// input would not know its needs otherwise.
var tryFunc = function.New(&function.Spec{
	Description: "Returns the first of its arguments that evaluates without an error.",
	VarParam:    &function.Parameter{Name: "expressions", Type: customdecode.ExpressionClosureType},
	Type: func(args []cty.Value) (cty.Type, error) {
		v, err := try(args)
		if err != nil {
			return cty.NilType, err
		}
		return v.Type(), nil
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return try(args) },
})

func try(args []cty.Value) (cty.Value, error) {
	secret := cty.ValueMarks{}
	for _, arg := range args {
		closure := customdecode.ExpressionClosureFromVal(arg)
		maps.Copy(secret, secretsOf(closure)) // whether an expression fails tells of them
		v, diags := closure.Value()
		if diags.HasErrors() {
			continue
		}
		v = v.WithMarks(secret)
		if !v.IsWhollyKnown() { // it may fail once it is known
			_, marks := v.UnmarkDeep()
			return cty.DynamicVal.WithMarks(marks), nil
		}
		return v, nil
	}
	return cty.NilVal, errors.New("none of the expressions has a value: end with one that always has, like null")
}

// canFunc says whether an expression evaluates without an error.
var canFunc = function.New(&function.Spec{
	Description: "Returns whether an expression evaluates without an error.",
	Params:      []function.Parameter{{Name: "expression", Type: customdecode.ExpressionClosureType}},
	Type:        function.StaticReturnType(cty.Bool),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		closure := customdecode.ExpressionClosureFromVal(args[0])
		secret := secretsOf(closure)
		v, diags := closure.Value()
		if diags.HasErrors() {
			return cty.False.WithMarks(secret), nil
		}
		if !v.IsWhollyKnown() {
			_, marks := v.UnmarkDeep()
			return cty.UnknownVal(cty.Bool).WithMarks(marks, secret), nil
		}
		return cty.True.WithMarks(secret), nil
	},
})

// secretsOf are the marks of the sensitive values an expression may use.
func secretsOf(closure *customdecode.ExpressionClosure) cty.ValueMarks {
	secret := cty.ValueMarks{}
	if name := uses(closure.Expression, closure.EvalContext); name != "" {
		secret[sensitive(name)] = struct{}{}
	}
	return secret
}
