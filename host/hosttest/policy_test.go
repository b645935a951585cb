package hosttest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/script"
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
	if len(p.on) == 0 {
		p.on = []string{string(core.HookAssign)}
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

// block declares the policy.
func (p *policyPlan) block() string {
	return fmt.Sprintf("policy %q {\n script = %q\n on = [\"%s\"]\n mode = %q\n fallback = %q\n}", p.name, p.name+".js", strings.Join(p.on, `", "`), p.mode, p.fallback)
}

// author stands for the engine: what scripts say follows from the seed of the
// call and the mood of who wrote them.
type author struct{ seed uint64 }

func (author) Bundle(_ context.Context, entry string, read func(string) ([]byte, error)) (*script.Program, []script.Problem) {
	text, err := read(entry)
	if err != nil {
		return nil, []script.Problem{{File: entry, Summary: "Not there", Detail: err.Error()}}
	}
	digest := sha256.Sum256(text)
	return &script.Program{Entry: entry, Digest: sha256.Sum256(append([]byte(entry), text...)), Files: []script.File{{Path: entry, Digest: digest}}, Exports: []string{"default"}}, nil
}

func (a author) Call(_ context.Context, c script.Call) script.Answer {
	r := rand.New(rand.NewPCG(a.seed, c.Seed))
	says := a.says(r, hex.EncodeToString(c.Program.Digest[:]), moodsOf(c.Program.Entry))
	switch {
	case says == "fault":
		return script.Answer{Fault: &script.Fault{Kind: script.FaultThrown, File: c.Program.Entry, Line: 1, Detail: "as the seed wants"}}
	case c.Program.Entry == juryScript:
		return votes(says)
	case strings.HasPrefix(c.Program.Entry, "w"):
		return works(r, says, c.Input)
	}
	switch says {
	case core.SayDeny:
		return script.Answer{Value: []byte(`{"allow":false,"reason":"as the seed wants"}`)}
	case core.SayAsk:
		return script.Answer{Value: []byte(`{"ask":true,"reason":"as the seed wants"}`)}
	case "nonsense":
		return script.Answer{Value: []byte(`{"allow":"perhaps"}`)}
	}
	return script.Answer{Value: []byte(`{"allow":true}`)}
}

// moods is how scripts of policies behave, and worse ones those of validators
// and workers.
var (
	moods = []string{"kind", "kind", "mixed", "mixed", "strict", "curious", "broken"}
	worse = []string{"kind", "mixed", "mixed", "strict", "curious", "broken", "broken", "broken"}
)

func moodsOf(entry string) []string {
	if entry == juryScript || strings.HasPrefix(entry, "w") {
		return worse
	}
	return moods
}

func (a author) says(r *rand.Rand, script string, moods []string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", a.seed, script))
	roll := r.IntN(100)
	switch mood := moods[int(sum[0])%len(moods)]; {
	case mood == "broken" && roll < 50 || mood == "mixed" && roll < 5:
		return "nonsense"
	case mood == "broken" && roll < 95 || mood == "mixed" && roll < 10:
		return "fault"
	case mood == "strict" && roll < 40 || mood == "mixed" && roll < 20:
		return core.SayDeny
	case mood == "curious" && roll < 50 || mood == "mixed" && roll < 35:
		return core.SayAsk
	}
	return core.SayAllow
}

// verdictOf is what one policy says.
func (w *world) verdictOf(p policy) core.Verdict {
	digest, err := hex.DecodeString(p.Script)
	w.must(err == nil, "%q is no digest", p.Script)
	v := core.Verdict{Policy: p.Name, Shadow: p.Mode == "shadow", Script: core.Digest(digest), Say: "allow"}
	switch says := (author{w.seed}).says(w.r, p.Script, moods); {
	case w.book.out[p.Name]:
		v.Fault, v.Say = "suspended", p.Fallback
	case says == "fault", says == "nonsense":
		v.Fault, v.Say = "scripts/"+p.Name+".js:1: as the seed wants", p.Fallback
	case says != core.SayAllow:
		v.Say, v.Reason = says, "as the seed wants"
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

// askPolicies answers one request in the place of the host, which asks them too;
// false where none waits.
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
