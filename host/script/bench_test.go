package script

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/dop251/goja"
	"github.com/stretchr/testify/require"
)

// benchPolicy is a policy as people write them; benchInput and benchView are a
// request and a view of about a kilobyte together.
const (
	benchPolicy = `
const params = { most: 500, share: 0.25 };
export default function (request, view) {
  const reward = Number(request.job.reward);
  if (reward > params.most) return { allow: false, reason: "a reward of " + request.job.reward + " is more than " + params.most };
  if (Number(request.cost) > params.share * Number(view.tokens.free)) return { ask: true, reason: "a quarter of what is left" };
  if (request.job.skills.some((skill) => skill.startsWith("forbidden"))) return { allow: false, reason: "forbidden" };
  return { allow: true };
}`
	benchInput = `{"hook":"job.post","by":"strategist.planner","job":{"job":"post-17","name":"survey","title":"Survey the northern field","state":"posted","skills":["survey","map"],"needs":[],"parent":"","employer":"planner","reward":"120.5","energy_budget":"10","compute_budget":"20","work":60000,"deadline":3600000,"priority":"high","labels":{"area":"north","team":"blue"},"required":true,"attempt":0,"failures":0,"worker":"","ready_at":0,"due_at":0,"waiting_since":0,"expedited":false},"cost":"126.525","account":{"account":"planner","free":"880.25","jobs_open":3}}`
	benchView  = `{"at":5400000,"seq":1234,"generation":2,"mission":"bench","status":"running","params":{},"tokens":{"free":"9500.25","minted":"10000","paid":"310.5","slashed":"12","burned":"3.1","fees":"15"},"energy":{"limit":"100000","free":"90000","reserved":"5000","consumed":"5000","price":"1"},"compute":{"limit":"100000","free":"90000","reserved":"5000","consumed":"5000","price":"1"},"jobs":{"open":12,"posted":2,"finalized":40,"failed":1,"cancelled":0,"expired":0,"skipped":0,"running":4,"waiting":3},"confidence":0.93,"pressure":0.2,"phase":"ascendant"}`
)

// BenchmarkVerdicts is verdicts through a child, so many asked at a time.
func BenchmarkVerdicts(b *testing.B) {
	for _, n := range []int{1, 64, 1024} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			r := runner(b)
			p := bundle(b, r, folder{"policy.js": benchPolicy}, "policy.js")
			call := Call{Program: p, Input: []byte(benchInput), View: []byte(benchView)}
			require.Equal(b, `{"allow":true}`, string(r.Call(context.Background(), call).Value))
			verdicts := 0
			for b.Loop() {
				var all sync.WaitGroup
				for range n {
					all.Go(func() {
						if a := r.Call(context.Background(), call); a.Fault != nil {
							b.Error(a.Fault)
						}
					})
				}
				all.Wait()
				verdicts += n
			}
			b.ReportMetric(float64(verdicts)/b.Elapsed().Seconds(), "verdicts/s")
		})
	}
}

// BenchmarkBare is the same script called in this process: JSON is parsed, and
// nothing is frozen, limited or kept apart.
func BenchmarkBare(b *testing.B) {
	vm := goja.New()
	_, err := vm.RunString(strings.Replace(benchPolicy, "export default function", "function decide", 1) +
		`; function verdict(request, view) { return JSON.stringify(decide(JSON.parse(request), JSON.parse(view))); }`)
	require.NoError(b, err)
	verdict, _ := goja.AssertFunction(vm.Get("verdict"))
	request, view := vm.ToValue(benchInput), vm.ToValue(benchView)
	for b.Loop() {
		if _, err := verdict(nil, request, view); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "verdicts/s")
}

// BenchmarkRealm is what the child does for one verdict, without the child.
func BenchmarkRealm(b *testing.B) {
	r := runner(b)
	p := bundle(b, r, folder{"policy.js": benchPolicy}, "policy.js")
	u, err := compile(p.Entry, p.code, p.paths)
	require.NoError(b, err)
	realm, err := newRealm(goja.MustCompile(realmName, realmText, true), u)
	require.NoError(b, err)
	for b.Loop() {
		_, fault := realm.call(&Call{Input: []byte(benchInput), View: []byte(benchView)})
		require.Nil(b, fault)
	}
}

// BenchmarkPrepare is the making of a runtime.
func BenchmarkPrepare(b *testing.B) {
	r := runner(b)
	p := bundle(b, r, folder{"policy.js": benchPolicy}, "policy.js")
	u, err := compile(p.Entry, p.code, p.paths)
	require.NoError(b, err)
	prepare := goja.MustCompile(realmName, realmText, true)
	for b.Loop() {
		_, err := newRealm(prepare, u)
		require.NoError(b, err)
	}
}

// BenchmarkBundle is the making of a program, in a child of its own.
func BenchmarkBundle(b *testing.B) {
	r := runner(b)
	for n := 0; b.Loop(); n++ {
		bundle(b, r, folder{"policy.js": benchPolicy + "// " + strconv.Itoa(n)}, "policy.js")
	}
}
