package missionfile

import (
	"bytes"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/omega-run/omega/host/core"
	"github.com/zclconf/go-cty/cty"
)

// wrongResult is what a lying simulated worker answers. Nobody approves it.
var wrongResult = []byte(`{"wrong":true}`)

// Judge says whether a job's accept block approves a result, a JSON text, and
// why not. Without an accept block it approves. It never fails: a condition
// that cannot be decided is a rejection.
func (m *Mission) Judge(job string, result []byte) (approve bool, reason string) {
	defer func() {
		if fault := recover(); fault != nil {
			approve, reason = false, fmt.Sprintf("the condition could not be evaluated: %s", fault)
		}
	}()
	b, i, ok := m.find(job)
	if !ok {
		return false, fmt.Sprintf("the mission declares no job %q", job)
	}
	result, err := core.CanonicalMax(result, maxResult)
	if err != nil {
		return false, fmt.Sprintf("the result is not usable JSON: %s", err)
	}
	if bytes.Equal(result, wrongResult) {
		return false, "the result says of itself that it is wrong"
	}
	if err := checkJSON(result); err != nil {
		return false, fmt.Sprintf("the result cannot be judged: %s", err)
	}
	if approve, reason = b.judgeSchema(i, result); !approve || b.accept == nil {
		return approve, reason
	}
	return b.judgeCondition(i, result)
}

// judgeSchema holds a result against the schema, if there is one.
func (b *jobBlock) judgeSchema(i int64, result []byte) (approve bool, reason string) {
	if b.schema == nil {
		return true, ""
	}
	schema, diags := b.schemaOf(b.set.vars(i))
	if diags.HasErrors() {
		p := problemOf(diags, b.schema.Range())
		return false, fmt.Sprintf("the schema at %s:%d cannot be used: %s", p.File, p.Line, p.Detail)
	}
	reason = schema.breach(result)
	return reason == "", reason
}

// judgeCondition evaluates the condition with a result.
func (b *jobBlock) judgeCondition(i int64, result []byte) (approve bool, reason string) {
	v, err := resultValue(result)
	if err != nil {
		return false, fmt.Sprintf("the result cannot be judged: %s", err)
	}
	verdict, diags := b.condition(b.set.vars(i), v)
	if diags.HasErrors() {
		p := problemOf(diags, b.accept.Range())
		return false, fmt.Sprintf("the condition at %s:%d cannot be decided: %s", p.File, p.Line, p.Detail)
	}
	verdict, _ = verdict.Unmark()
	switch {
	case verdict.IsNull() || !verdict.IsKnown() || verdict.Type() != cty.Bool:
		return false, fmt.Sprintf("the condition at %s is neither true nor false", place(b.accept.Range()))
	case verdict.False():
		return false, fmt.Sprintf("the condition at %s is false", place(b.accept.Range()))
	}
	return true, ""
}

// condition evaluates accept for an instance with a result.
func (b *jobBlock) condition(vars map[string]cty.Value, result cty.Value) (cty.Value, hcl.Diagnostics) {
	ctx := b.base.NewChild()
	ctx.Variables = map[string]cty.Value{"result": result}
	return b.accept.Value(within(ctx, vars))
}
