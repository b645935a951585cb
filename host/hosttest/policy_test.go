package hosttest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/omega-run/omega/host/core"
)

// policyPlan is a policy before it is in a spec. Its version stands for what its
// script says.
type policyPlan struct {
	name, mode, fallback string
	on                   []string
	version              int
}

func (p *plan) drawPolicies(r *rand.Rand) {
	for i := range pick(r, 0, 0, 0, 1, 2, 3) {
		p.policies = append(p.policies, drawPolicy(r, fmt.Sprintf("p%d", i)))
	}
}

func drawPolicy(r *rand.Rand, name string) policyPlan {
	p := policyPlan{name: name, mode: pick(r, "enforce", "enforce", "shadow"), fallback: pick(r, "deny", "ask", "allow")}
	for _, hook := range []core.Hook{core.HookAssign, core.HookDelegate, core.HookPost, core.HookTransfer} {
		if chance(r, 60) {
			p.on = append(p.on, string(hook))
		}
	}
	return p
}

// otherPolicies is what an edit makes of policies.
func otherPolicies(r *rand.Rand, before []policyPlan) []policyPlan {
	next := slices.Clone(before)
	if len(next) == 0 || chance(r, 20) {
		return append(next, drawPolicy(r, fmt.Sprintf("late%d", r.IntN(100))))
	}
	switch i := r.IntN(len(next)); r.IntN(3) {
	case 0:
		return slices.Delete(next, i, i+1)
	case 1:
		next[i].version++
	default:
		version := next[i].version
		next[i] = drawPolicy(r, next[i].name)
		next[i].version = version
	}
	return next
}

// specs are the policies as a mission file would declare them.
func (p *plan) specs() (all []core.PolicySpec) {
	for _, one := range p.policies {
		all = append(all, core.PolicySpec{Name: one.name, On: one.on, Mode: one.mode, Script: core.ScriptSpec{
			Path: one.name + ".js", Digest: sha256.Sum256(fmt.Appendf(nil, "%s %d", one.name, one.version)), Timeout: core.Second, Memory: 64 << 20, Fallback: one.fallback,
		}})
	}
	return all
}

// moods is how scripts of policies behave.
var moods = []string{"kind", "kind", "mixed", "mixed", "strict", "curious", "broken"}

func (w *world) moodOf(p policy) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", w.seed, p.Script))
	return moods[int(sum[0])%len(moods)]
}

// verdictOf is what one policy says.
func (w *world) verdictOf(p policy) core.Verdict {
	digest, err := hex.DecodeString(p.Script)
	w.must(err == nil, "%q is no digest", p.Script)
	v := core.Verdict{Policy: p.Name, Shadow: p.Mode == "shadow", Script: core.Digest(digest), Say: "allow"}
	mood := w.moodOf(p)
	if w.drop.ways {
		mood = "kind"
	}
	roll := w.r.IntN(100)
	switch {
	case w.book.out[p.Name]:
		v.Fault, v.Say = "suspended", p.Fallback
	case mood == "broken" && roll < 95 || mood == "mixed" && roll < 10:
		v.Fault, v.Say = "scripts/"+p.Name+".js:1: as the seed wants", p.Fallback
	case mood == "strict" && roll < 40 || mood == "mixed" && roll < 20:
		v.Say, v.Reason = "deny", "as the seed wants"
	case mood == "curious" && roll < 50 || mood == "mixed" && roll < 35:
		v.Say, v.Reason = "ask", "as the seed wants"
	}
	return v
}

// ruling is what the policies in force say of a request, now and then one that
// does not fit; nil where none is asked.
func (w *world) ruling(hook core.Hook, unfit int) *core.Ruling {
	r := &core.Ruling{Request: []byte(`{"hook":"` + string(hook) + `"}`)}
	for _, p := range w.book.listening(string(hook)) {
		r.Verdicts = append(r.Verdicts, w.verdictOf(p))
	}
	switch n := len(r.Verdicts); {
	case n == 0:
		return nil
	case !chance(w.r, unfit):
		return r
	case chance(w.r, 30):
		r.Verdicts = r.Verdicts[:n-1]
	case chance(w.r, 30):
		r.Verdicts[n-1].Script[0] ^= 1
	case chance(w.r, 30):
		r.Verdicts[0].Shadow = !r.Verdicts[0].Shadow
	default:
		r.Request = make([]byte, 64<<10+1)
	}
	return r
}

// heard learns of a delegation that came without what policies say of it.
func (w *world) heard(e *core.Entry) {
	d, ok := e.Command.(*core.Delegate)
	if ok && e.Refusal != nil && e.Refusal.Code == core.RefuseRuling {
		again := *d
		w.unruled = append(w.unruled, &again)
	}
}

// askPolicies lets policies answer one request; false where none waits.
func (w *world) askPolicies(unfit int) bool {
	if n := len(w.unruled); n > 0 {
		d := w.unruled[n-1]
		w.unruled = w.unruled[:n-1]
		d.Ruling = w.ruling(core.HookDelegate, unfit)
		w.host.Send("worker:w0", d)
		w.did["delegations shown to policies"]++
		return true
	}
	var waiting []core.Work
	for _, work := range w.host.State().Outstanding() {
		if work.Kind == core.AskPolicies {
			waiting = append(waiting, work)
		}
	}
	if len(waiting) == 0 {
		return false
	}
	work := pick(w.r, waiting...)
	admit := &core.Admit{Job: work.Job.Spec.ID, Attempt: work.Attempt, Lease: work.Lease}
	if r := w.ruling(core.HookAssign, unfit); r != nil {
		admit.Ruling = *r
	}
	w.admitted = append(w.admitted, admit)
	w.host.Send("host", admit)
	w.did["assignments shown to policies"]++
	return true
}

// admitLate says again what was said of an assignment once.
func (w *world) admitLate() {
	if len(w.admitted) > 0 {
		w.host.Send("host", pick(w.r, w.admitted...))
	}
}
