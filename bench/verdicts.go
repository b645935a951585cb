package main

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dop251/goja"

	"github.com/omega-run/omega/host/script"
)

// verdictPolicy is a policy as people write them, verdictInput a request and
// verdictView a mission as it is shown one: about a kilobyte and a half together.
const (
	verdictPolicy = `
export default function decide(request, view) {
  const reward = Number(request.job.reward);
  if (reward > view.params.most) return { allow: false, reason: "a reward of " + request.job.reward + " is more than " + view.params.most };
  if (Number(request.cost) > 0.25 * Number(view.tokens.free)) return { ask: true, reason: "a quarter of what is left" };
  if (request.job.skills.some((skill) => skill.startsWith("forbidden"))) return { allow: false, reason: "forbidden" };
  return { allow: true };
}`
	verdictInput = `{"account":{"account":"planner","free":"880.25","jobs_open":3},"by":"strategist.planner","cost":"126.525","hook":"job.post","job":{"attempt":0,"compute_budget":"20","deadline":3600000,"due_at":0,"employer":"planner","energy_budget":"10","expedited":false,"failures":0,"job":"post-%d","labels":{"area":"north","team":"blue"},"name":"survey","needs":[],"parent":"","priority":"high","ready_at":0,"required":true,"reward":"120.5","skills":["survey","map"],"state":"posted","title":"Survey the northern field","waiting_since":0,"work":60000,"worker":""}}`
	verdictView  = `{"at":5400000,"compute":{"consumed":"5000","free":"90000","limit":"100000","price":"1","reserved":"5000"},"confidence":0.93,"energy":{"consumed":"5000","free":"90000","limit":"100000","price":"1","reserved":"5000"},"generation":2,"jobs":{"cancelled":0,"expired":0,"failed":1,"finalized":40,"open":12,"posted":2,"running":4,"skipped":0,"waiting":3},"mission":"bench","params":{"most":500},"phase":"ascendant","pressure":0.07,"seq":1234,"status":"running","tokens":{"burned":"3.1","fees":"15","free":"9500.25","minted":"10000","paid":"310.5","slashed":"12"}}`
	verdictSaid  = `{"allow":true}`
)

// verdictInputs are n requests, each about another job: what is the same in the
// next one need not be read again.
func verdictInputs(n int) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		all[i] = fmt.Appendf(nil, verdictInput, i)
	}
	return all
}

// verdicts measures a policy that is asked so many times at once, in its process,
// beside the same function called in this one: there JSON is parsed and written,
// and nothing is frozen, limited, or kept from the next call.
func verdicts(b *bench, t *table) error {
	runner := script.New(script.Options{})
	defer runner.Close()
	program, problems := runner.Bundle(b.ctx, "policy.js", func(path string) ([]byte, error) {
		if path == "policy.js" {
			return []byte(verdictPolicy), nil
		}
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	})
	if len(problems) > 0 {
		return fmt.Errorf("bundling the policy: %s: %s", problems[0].Summary, problems[0].Detail)
	}
	call := script.Call{Program: program, Input: verdictInputs(1)[0], View: []byte(verdictView), Timeout: 10 * time.Second}
	if a := runner.Call(b.ctx, call); string(a.Value) != verdictSaid { // its process has begun
		return fmt.Errorf("the policy says %s, %+v", a.Value, a.Fault)
	}
	for _, batch := range []struct{ size, calls int }{{1, 4000}, {64, 20000}, {1024, 20000}} {
		n := b.some(batch.calls, 2*batch.size) / batch.size * batch.size
		inputs := verdictInputs(n)
		bare, err := bareVerdicts(inputs)
		if err != nil {
			return err
		}
		began := time.Now()
		for some := range slices.Chunk(inputs, batch.size) {
			if err := together(b.ctx, runner, call, some); err != nil {
				return err
			}
		}
		name := fmt.Sprintf("verdicts of a policy, %s at a time", count(batch.size))
		t.add(name, "/s", higher, float64(n)/time.Since(began).Seconds(), against("goja, without limits", bare))
	}
	return nil
}

// together asks about all of these at once and waits for the answers.
func together(ctx context.Context, engine script.Engine, call script.Call, inputs [][]byte) error {
	answers := make([]script.Answer, len(inputs))
	var all sync.WaitGroup
	for i, input := range inputs {
		own := call
		own.Input = input
		all.Go(func() { answers[i] = engine.Call(ctx, own) })
	}
	all.Wait()
	for i := range answers {
		if string(answers[i].Value) != verdictSaid {
			return fmt.Errorf("the policy says %s, %+v", answers[i].Value, answers[i].Fault)
		}
	}
	return nil
}

// bareVerdicts is how many verdicts a second the function alone gives.
func bareVerdicts(inputs [][]byte) (float64, error) {
	vm := goja.New()
	text := strings.Replace(verdictPolicy, "export default", "", 1) + `
(request, view) => JSON.stringify(decide(JSON.parse(request), JSON.parse(view)))`
	v, err := vm.RunString(text)
	if err != nil {
		return 0, err
	}
	decide, _ := goja.AssertFunction(v)
	view := vm.ToValue(verdictView)
	began := time.Now()
	for _, input := range inputs {
		said, err := decide(goja.Undefined(), vm.ToValue(string(input)), view)
		if err != nil {
			return 0, err
		}
		if said.String() != verdictSaid {
			return 0, fmt.Errorf("the bare policy says %s", said)
		}
	}
	return float64(len(inputs)) / time.Since(began).Seconds(), nil
}
