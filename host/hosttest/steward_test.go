package hosttest

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// stewardPlan is the guardian or a strategist before it is in a spec.
type stewardPlan struct {
	name     string
	version  int
	interval core.Duration
	fallback string
}

// drawStewards adds those who give advice, and the accounts they spend from.
func (p *plan) drawStewards(r *rand.Rand) {
	var may []string
	if chance(r, 50) {
		p.stewards = append(p.stewards, stewardPlan{name: core.GuardianName, fallback: pick(r, "none", "default")})
		for _, kind := range kindsOfAction {
			if chance(r, 75) {
				may = append(may, fmt.Sprintf("%q", kind))
			}
		}
	}
	for i := range pick(r, 0, 0, 0, 1, 2) {
		p.stewards = append(p.stewards, stewardPlan{name: fmt.Sprintf("macro%d", i), interval: pick(r, core.Second, 10*core.Second, 5*core.Minute), fallback: "none"})
	}
	for _, s := range p.stewards {
		if chance(r, 85) {
			p.accounts = append(p.accounts, accountPlan{s.name, pick[int64](r, 0, 20, 150, 2000)})
		}
	}
	p.autonomy = append(p.autonomy, fmt.Sprintf("may = [%s]", strings.Join(may, ", ")))
}

var kindsOfAction = []string{core.ActExpedite, core.ActReprice, core.ActBoost, core.ActPauseSkill, core.ActPost}

// otherStewards is what an edit makes of them.
func otherStewards(r *rand.Rand, before []stewardPlan) []stewardPlan {
	next := slices.Clone(before)
	if len(next) == 0 {
		return []stewardPlan{{name: "macro0", interval: core.Second, fallback: "none"}}
	}
	if i := r.IntN(len(next)); chance(r, 40) {
		return slices.Delete(next, i, i+1)
	} else if next[i].version++; chance(r, 30) && next[i].interval > 0 {
		next[i].interval = core.Minute
	}
	return next
}

// advised puts the stewards into a spec.
func (p *plan) advised(spec *core.Spec) {
	spec.Guardian, spec.Strategists = nil, nil
	for _, s := range p.stewards {
		script := core.ScriptSpec{Path: s.name + ".js", Digest: sha256.Sum256(fmt.Appendf(nil, "%s %d", s.name, s.version)), Timeout: core.Second, Memory: 64 << 20, Fallback: s.fallback}
		if s.name == core.GuardianName {
			spec.Guardian = &core.GuardianSpec{Script: script}
			if s.fallback == "default" {
				spec.Guardian.Default = sha256.Sum256([]byte("omega:guardian"))
			}
			continue
		}
		spec.Strategists = append(spec.Strategists, core.StrategistSpec{Name: s.name, Script: script, Interval: s.interval})
	}
}

// advise lets the steward answer that is asked first; false where none is yet.
func (w *world) advise() bool {
	s := w.host.State()
	name, _, ok := s.StewardDue()
	switch until, _ := w.untilAdvice(); {
	case !ok:
		return false
	case until > 0 && chance(w.r, 60):
		w.wall = w.wall.Add(until)
	case until > 0 && chance(w.r, 90):
		return false
	}
	c := w.answerOf(name)
	if w.faults {
		w.advice(c)
	}
	w.host.Send(name, c)
	w.did["advice of "+name[:5]]++
	return true
}

// answerOf is a plan that says nothing.
func (w *world) answerOf(name string) *core.Advise {
	s := w.host.State()
	c := &core.Advise{Steward: name, Seen: s.Seq(), Generation: s.Generation(), Script: s.StewardAsked(name).Digest, Headline: "all is well"}
	if chance(w.r, 30) {
		c.Headline, c.Alerts = "look here", []core.Alert{{Severity: pick(w.r, "info", "warning", "critical"), Text: "as the seed wants"}}
	}
	return c
}

// advice draws what a steward wants, now and then what it said before, and
// sometimes what cannot be taken.
func (w *world) advice(c *core.Advise) {
	before := w.advised[c.Steward]
	says := (author{w.seed}).says(w.r, fmt.Sprintf("%x", c.Script), moods)
	switch roll := w.r.IntN(100); {
	case says == "fault", says == "nonsense":
		c.Fault = c.Steward + ".js:1: as the seed wants"
		return
	case roll < 40 && before != nil:
		c.Headline, c.Alerts, c.Actions = before.Headline, before.Alerts, slices.Clone(before.Actions)
	default:
		for range pick(w.r, 0, 1, 1, 2, 3, 6) {
			c.Actions = append(c.Actions, w.wish(c.Steward))
		}
	}
	w.advised[c.Steward] = c
	for i := range c.Actions {
		c.Actions[i].Ruling = nil
		switch c.Actions[i].Do {
		case core.ActPost:
			c.Actions[i].Ruling = w.ruling(core.HookPost, 2)
		case core.ActBoost:
			c.Actions[i].Ruling = w.ruling(core.HookTransfer, 2)
		}
	}
	c.Wake = pick(w.r, 0, 0, 0, core.Second, 3*core.Minute, -1)
	switch w.r.IntN(40) {
	case 0:
		c.Seen = core.Seq(w.r.IntN(int(c.Seen) + 2))
	case 1:
		c.Generation++
	case 2:
		c.Script[0] ^= 1
	case 3:
		c.Steward = "nobody"
	case 4:
		c.Actions = slices.Repeat([]core.Action{{Do: core.ActSteer}}, 101)
	case 6, 7:
		c.Script = w.host.State().Spec().StewardScript(c.Steward).Digest // though another may stand in for it
	case 5:
		c.Headline = strings.Repeat("long ", 8<<10)
	}
}

// wish is something a steward wants to do.
func (w *world) wish(by string) core.Action {
	a := core.Action{Do: pick(w.r, append([]string{core.ActBoost, core.ActBoost, core.ActExpedite}, kindsOfAction...)...)}
	if by != core.GuardianName && chance(w.r, 80) {
		a.Do = core.ActPost
	} else if chance(w.r, 8) {
		a.Do = pick(w.r, core.ActSteer, "dance")
	}
	if jobs := w.book.order; len(jobs) > 0 {
		a.Job = pick(w.r, jobs...).id
		waits := slices.DeleteFunc(slices.Clone(jobs), func(j *life) bool { return !j.is("posted", "ready", "rejected") })
		if len(waits) > 0 && chance(w.r, 90) {
			a.Job = pick(w.r, waits...).id
		}
	}
	if chance(w.r, 5) {
		a.Job = "nobody"
	}
	switch a.Do {
	case core.ActBoost:
		a.Tokens = pick[ledger.Amount](w.r, 1, 3_333_333, 10_000_000, 10_000_000, 40_000_000, 1<<60, 0, -1)
	case core.ActReprice:
		a.Energy, a.Compute = pick[ledger.Amount](w.r, 0, 1_000_000, 2_500_000, 10_000_000, 1, -1), pick[ledger.Amount](w.r, 0, 0, 500_000, 14_000_000)
	case core.ActPauseSkill:
		a.Skill, a.For = pick(w.r, "a", "b", "c", "nobody"), pick(w.r, core.Second, core.Minute, 7*core.Minute, 24*core.Hour, 25*core.Hour, 0)
		if a.For == 24*core.Hour && chance(w.r, 80) {
			a.For = 2 * core.Minute
		}
		a.Job = ""
	case core.ActPost:
		a.Post, a.Job = w.newJob(), ""
		if chance(w.r, 60) {
			a.Post.Reward = pick[ledger.Amount](w.r, 1_000_000, 10_000_001)
			a.Post.Skills = []string{"a"}
		}
		if chance(w.r, 5) {
			a.Post = nil
		}
	}
	return a
}

// untilAdvice is how long it takes until a steward is to be asked.
func (w *world) untilAdvice() (time.Duration, bool) {
	s := w.host.State()
	_, at, ok := s.StewardDue()
	return time.Duration(max(0, at-s.Now())) * time.Millisecond, ok
}

func (w *world) firstAsked() string {
	name, _, _ := w.host.State().StewardDue()
	return name
}

// proposal is an action that waits for a person, "" where none does.
func (w *world) proposal() string {
	if len(w.book.offers) == 0 {
		return ""
	}
	return pick(w.r, w.book.offers...).ID
}

// agreeOnStewards holds what the state says of stewards against the record.
func (w *world) agreeOnStewards(s *core.State) {
	b := w.book
	i := 0
	for p := range s.Proposals() {
		w.must(i < len(b.offers) && b.offers[i].ID == p.ID && b.offers[i].by == p.Steward, "entry %d: %s waits, the record says %v", b.seq, p.ID, b.offers)
		i++
	}
	w.must(i == len(b.offers), "entry %d: %d actions wait, the record says %d", b.seq, i, len(b.offers))
	for _, p := range s.Paused() {
		w.must(b.paused[p.Skill] == int64(p.Until), "entry %d: %s is paused until %d, the record says %d", b.seq, p.Skill, p.Until, b.paused[p.Skill])
	}
	w.must(len(s.Paused()) == len(b.paused), "entry %d: %v are paused, the record says %v", b.seq, s.Paused(), b.paused)
	name, at, ok := s.StewardDue()
	want, due, found := "", int64(0), false
	for _, a := range b.advisers {
		if t, asks := b.dueFor(a); asks && b.status == "running" && b.expanded == b.declared && (!found || t < due) {
			want, due, found = a.name, t, true
		}
	}
	if b.rec.Refused == nil { // a refused input lets time pass by retries that the state looks at with the next
		w.must(name == want && int64(at) == due && ok == found, "entry %d: %s is asked at %d (%v), the record says %s at %d (%v)", b.seq, name, at, ok, want, due, found)
	}
	for _, other := range []*core.State{w.mirror, w.twin} {
		if other != nil {
			again, t, same := other.StewardDue()
			w.must(again == name && t == at && same == ok, "entry %d: %s is asked at %d (%v), another state says %s at %d (%v)", b.seq, name, at, ok, again, t, same)
		}
	}
}
