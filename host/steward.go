package host

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/script"
)

// consultation is a steward that is being asked: out of copies, because it
// thinks beside the loop.
type consultation struct {
	advise  core.Advise // what is known before it answers
	fault   string      // why it cannot be asked
	queries []script.Query
	shot    *snapshot
	given   map[string][]byte // members of its input that are no query
	call    script.Call       // without its input
}

// consult prepares the asking of a steward.
func (d *desk) consult(s *core.State, now core.Time, name string) *consultation {
	spec, st := s.StewardAsked(name), s.Steward(name)
	full := stewardScript(name)
	c := &consultation{advise: core.Advise{Steward: name, Seen: s.Seq(), Script: spec.Digest, Generation: s.Generation()}}
	c.queries = d.missions.program(spec).queries
	c.shot = d.indexed(s).snapshot(s, now, c.queries)
	c.call = d.callOf(spec, nil, d.indexed(s).viewOf(s, now).with(spec.Params), now, seedOf(s, full, "plan", name, int64(s.Seq())))
	c.given = map[string][]byte{"waiting": waitingFor(s, name), "memory": []byte("null")}
	if st.Memory != nil {
		c.given["memory"] = st.Memory
	}
	if name == core.GuardianName {
		var p pen
		p.texts("", s.Spec().Autonomy.May)
		c.given["may"] = p.b
		free, _ := s.Purse(name)
		p = pen{}
		p.amount("", free)
		c.given["budget"] = p.b
		return c
	}
	var p pen
	d.news.appendTo(&p, st.Seen)
	c.given["events"] = p.b
	c.given["plan"] = planOf(s.Steward(core.GuardianName))
	p = pen{}
	p.account("", d.indexed(s).purse(s, name))
	c.given["account"] = p.b
	return c
}

// stewardScript is the name by which a steward's faults are counted.
func stewardScript(name string) string {
	if name == core.GuardianName {
		return name
	}
	return "strategist." + name
}

// waitingFor lists the actions of a steward that wait for a person.
func waitingFor(s *core.State, name string) []byte {
	var p pen
	p.raw("[")
	n := 0
	for w := range s.Proposals() {
		if w.Steward != name {
			continue
		}
		p.comma(n)
		p.text(`{"do":`, w.Action.Do)
		p.text(`,"id":`, w.ID)
		p.text(`,"job":`, targetOf(&w.Action))
		p.int(`,"since":`, int64(w.Since))
		p.text(`,"why":`, w.Action.Why)
		p.raw("}")
		n++
	}
	p.raw("]")
	return p.b
}

// targetOf is the job an action is about.
func targetOf(a *core.Action) string {
	if a.Post != nil {
		return a.Post.ID
	}
	return a.Job
}

// planOf is a steward's plan of record, as another is told of it.
func planOf(st *core.Steward) []byte {
	plan := &core.PlanRecorded{}
	if st != nil && st.Plan != nil {
		plan = st.Plan
	}
	var p pen
	p.raw(`{"alerts":[`)
	for i, a := range plan.Alerts {
		p.comma(i)
		p.text(`{"job":`, a.Job)
		p.text(`,"severity":`, a.Severity)
		p.text(`,"text":`, a.Text)
		p.raw("}")
	}
	p.text(`],"headline":`, plan.Headline)
	p.texts(`,"recommend":`, plan.Recommend)
	p.raw("}")
	return p.b
}

// ask has the steward answer. A fault leaves it without plan.
func (c *consultation) ask(ctx context.Context, run *scripts) *core.Advise {
	if c.fault == "" {
		c.call.Input = c.input()
		answer := run.call(ctx, forStewards, &c.call)
		if answer.Fault == nil {
			answer.Fault = c.read(answer.Value)
		}
		if answer.Fault != nil {
			c.fault = faultText(c.call.Program, answer.Fault)
		}
	}
	if c.fault != "" {
		known := c.advise
		c.advise = core.Advise{Steward: known.Steward, Seen: known.Seen, Script: known.Script, Generation: known.Generation, Fault: c.fault}
	}
	return &c.advise
}

func (c *consultation) read(answer []byte) *script.Fault {
	parse := parsePlan
	if c.advise.Steward != core.GuardianName {
		parse = parseAdvice
	}
	if err := parse(answer, &c.advise); err != nil {
		return &script.Fault{Kind: script.FaultAnswer, Detail: "its answer cannot be used: " + err.Error()}
	}
	return nil
}

// input is what the steward is given: the rows of its queries and the rest.
func (c *consultation) input() []byte {
	all := c.given
	for i := range c.queries {
		all[c.queries[i].Name] = c.shot.answer(&c.queries[i])
	}
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.SortFunc(names, strings.Compare)
	var p pen
	p.raw("{")
	for i, name := range names {
		p.comma(i)
		p.text("", name)
		p.raw(":")
		p.b = append(p.b, all[name]...)
	}
	p.raw("}")
	return p.b
}

// hearings are what policies are asked about a plan, an action each; nil where
// none is asked about any. What it wants is judged as the mission is now.
func (d *desk) hearings(s *core.State, now core.Time, a *core.Advise) (all []*hearing) {
	for i := range a.Actions {
		action := &a.Actions[i]
		var h *hearing
		switch seq := int64(a.Seen)<<16 + int64(i); action.Do {
		case core.ActPost:
			if len(s.Policies(core.HookPost)) > 0 {
				h = d.hear(s, now, core.HookPost, targetOf(action), seq, d.postRequest(s, now, a.Steward, a.Steward, action.Post))
			}
		case core.ActBoost:
			if len(s.Policies(core.HookTransfer)) > 0 {
				h = d.hear(s, now, core.HookTransfer, action.Job, seq, d.transferRequest(s, now, a.Steward, action))
			}
		}
		if h != nil && all == nil {
			all = make([]*hearing, len(a.Actions))
		}
		if h != nil {
			all[i] = h
		}
	}
	return all
}

// decideAll asks policies about a plan.
func decideAll(ctx context.Context, run *scripts, a *core.Advise, hearings []*hearing) {
	for i, h := range hearings {
		if h != nil {
			a.Actions[i].Ruling = h.decide(ctx, run)
		}
	}
}

// stewardDue is the steward to be asked first, and when.
func (l *loop) stewardDue() (name string, at core.Time, ok bool) {
	if l.desk.consults || l.desk.scripts == nil {
		return "", 0, false
	}
	return l.state.StewardDue()
}

func (l *loop) nextSteward() (core.Time, bool) {
	_, at, ok := l.stewardDue()
	return at, ok
}

// adviseNow asks the steward that is due now and waits for it, where the loop is
// on no clock. It reports whether there was one.
func (l *loop) adviseNow(ctx context.Context, now core.Time) (bool, error) {
	name, at, ok := l.stewardDue()
	if !ok || at > now {
		return false, nil
	}
	advise := l.desk.consult(l.state, now, name).ask(ctx, l.desk.scripts)
	decideAll(ctx, l.desk.scripts, advise, l.desk.hearings(l.state, now, advise))
	if err := ctx.Err(); err != nil {
		return true, err
	}
	if err := l.desk.scripts.broken(); err != nil {
		return true, err
	}
	entry, err := l.apply(now, name, advise)
	if err == nil && entry.Refusal != nil { // it would be due for ever
		err = fmt.Errorf("the plan of %s is refused: %w", name, entry.Refusal)
	}
	return true, err
}

// counsel is what a steward has answered, and whether policies have said what
// they think of it. Without advice the asking was cut short.
type counsel struct {
	advise *core.Advise
	ruled  bool
}

// consult has the steward asked that is due, beside the loop.
func (l *live) consult() {
	now := l.standing(l.clock.now())
	name, at, ok := l.stewardDue()
	if !ok || at > now {
		return
	}
	c := l.desk.consult(l.state, now, name)
	l.counselled(false, func(ctx context.Context) *core.Advise { return c.ask(ctx, l.desk.scripts) })
}

// counselWork is under what name the asking of a steward is held: no job has it.
const counselWork = "/steward"

func (l *live) counselled(ruled bool, think func(context.Context) *core.Advise) {
	l.desk.consults = true
	ctx, done := l.holdAs(counselWork)
	l.beside(func() {
		defer done()
		c := &counsel{think(ctx), ruled}
		if ctx.Err() != nil {
			c.advise = nil
		}
		l.send(input{counsel: c})
	})
}

// takeCounsel steps a plan, once policies were asked about it. One for a mission
// that has changed meanwhile is dropped: the steward is asked again.
func (l *live) takeCounsel(c *counsel) error {
	l.desk.consults = false
	a := c.advise
	if a == nil {
		return nil
	}
	if err := l.catchUp(l.clock.now()); err != nil {
		return err
	}
	if l.state.Status() != core.Running || l.state.Generation() != a.Generation {
		return nil
	}
	now := l.standing(l.clock.now())
	if hearings := l.desk.hearings(l.state, now, a); hearings != nil && !c.ruled {
		l.counselled(true, func(ctx context.Context) *core.Advise {
			decideAll(ctx, l.desk.scripts, a, hearings)
			return a
		})
		return nil
	}
	_, err := l.apply(now, a.Steward, a)
	return err
}
