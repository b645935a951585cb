package missionfile

import (
	"fmt"
	"strconv"

	"github.com/omega-run/omega/host/core"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// Input resolves the Lazy input of a job whose needs have ended, as canonical
// JSON. result is asked for needs only; one that did not finalize is null. A
// problem ends the job as failed, reason input_error.
func (m *Mission) Input(job string, result func(job string) (json []byte, finalized bool)) (input []byte, problem *Problem) {
	at := wholeFile(m.src.entry)
	defer func() {
		if fault := recover(); fault != nil {
			input, problem = nil, problemAt(at, "Input cannot be resolved", "The evaluator failed with %q.", fmt.Sprint(fault))
		}
	}()
	b, i, ok := m.find(job)
	if !ok || b.input == nil {
		return nil, problemAt(at, "No such input", "The mission declares no job %q with an input that waits for results.", job)
	}
	at = b.input.Range()
	vars := b.set.vars(i)
	edges, diags := b.edgesOf(vars)
	if diags.HasErrors() {
		return nil, problemOf(diags, at)
	}
	known := make(map[int64]cty.Value, len(edges))
	for _, e := range edges {
		other, n := m.node(e)
		v, err := neededValue(result(other.set.id(other.name, n)))
		if err != nil {
			return nil, problemAt(at, "Result cannot be used", "The result of %s: %s.", other.set.shown(other.name, n), err)
		}
		known[e] = v
	}
	return b.resolve(vars, known)
}

func (b *jobBlock) resolve(vars map[string]cty.Value, known map[int64]cty.Value) ([]byte, *Problem) {
	at := b.input.Range()
	jobs := make(map[string]cty.Value, len(b.reads))
	for _, other := range b.reads {
		jobs[other.name] = other.results(known, b.whole[other])
	}
	ctx := b.base.NewChild()
	ctx.Variables = map[string]cty.Value{"job": cty.ObjectVal(jobs)}
	v, diags := b.input.Value(within(ctx, vars))
	if diags.HasErrors() {
		return nil, problemOf(diags, at)
	}
	if !v.IsWhollyKnown() {
		return nil, problemAt(at, "Input not known", "It uses the result of a job that could not be foreseen as a need: add that job to needs.")
	}
	input, err := canonical(v, maxInput)
	if err != nil {
		return nil, problemAt(at, "Invalid input", "%s.", sentence(err))
	}
	return input, nil
}

// results is the block as an input sees it once the known results are there.
// Where only single instances are picked, it holds no others.
func (b *jobBlock) results(known map[int64]cty.Value, whole bool) cty.Value {
	of := func(v cty.Value) cty.Value { return cty.ObjectVal(map[string]cty.Value{"result": v}) }
	if whole || !b.many() {
		all := make([]cty.Value, b.set.len())
		unseen := of(cty.DynamicVal)
		for i := range all {
			if all[i] = unseen; known[b.first+int64(i)] != cty.NilVal {
				all[i] = of(known[b.first+int64(i)])
			}
		}
		return b.shape(all, cty.TupleVal, cty.ObjectVal, cty.EmptyTupleVal, cty.EmptyObjectVal)
	}
	picked := map[string]cty.Value{}
	for n, v := range known {
		i := n - b.first
		if i < 0 || i >= b.set.len() {
			continue
		}
		key := strconv.FormatInt(i, 10)
		if b.set.each {
			key = b.set.keys[i]
		}
		picked[key] = of(v)
	}
	return cty.ObjectVal(picked)
}

// neededValue is the result of a need as the language sees it.
func neededValue(raw []byte, finalized bool) (cty.Value, error) {
	if !finalized {
		return cty.NullVal(cty.DynamicPseudoType), nil
	}
	text, err := core.CanonicalMax(raw, maxResult)
	if err != nil {
		return cty.NilVal, err
	}
	return resultValue(text)
}

// resultValue is canonical JSON as the language sees it.
func resultValue(text []byte) (cty.Value, error) {
	if err := checkJSON(text); err != nil {
		return cty.NilVal, err
	}
	t, err := ctyjson.ImpliedType(text)
	if err != nil {
		return cty.NilVal, err
	}
	return ctyjson.Unmarshal(text, t)
}
