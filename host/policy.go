package host

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
	"github.com/omega-run/omega/host/script"
)

// hearing is a request that policies are asked about, out of copies.
type hearing struct {
	ruling core.Ruling // hook, subject and request; a verdict for each, as far as it is known
	asked  []policyCall
}

// policyCall is what one policy is asked; none where it is suspended.
type policyCall struct {
	fallback string
	fault    string // why it is not asked
	call     script.Call
}

// hear prepares a request for the policies that list its hook; nil where none
// does. Seq tells one request about a subject from another.
func (d *desk) hear(s *core.State, now core.Time, hook core.Hook, subject string, seq int64, request []byte) *hearing {
	policies := s.Policies(hook)
	if len(policies) == 0 {
		return nil
	}
	h := &hearing{ruling: core.Ruling{Hook: string(hook), Subject: subject, Request: request}}
	seen, fault := d.indexed(s).viewOf(s, now), ""
	if len(request) > maxRequest {
		fault = fmt.Sprintf("the request has %d bytes; a policy is given at most %d", len(request), maxRequest)
		h.ruling.Request = shortRequest(hook, subject)
	}
	for _, p := range policies {
		h.ruling.Verdicts = append(h.ruling.Verdicts, core.Verdict{Policy: p.Name, Shadow: p.Shadow(), Script: p.Script.Digest, Generation: s.Generation()})
		c := policyCall{fallback: p.Script.Fallback, fault: fault}
		name := "policy." + p.Name
		switch {
		case s.Suspended(name):
			c.fault = suspendedFault + ": " + s.LastFault(name)
		case fault == "":
			c.call = d.callOf(&p.Script, request, seen.with(p.Script.Params), now, seedOf(s, name, string(hook), subject, seq))
		}
		h.asked = append(h.asked, c)
	}
	return h
}

// suspendedFault begins the fault of a script that is not called any more; its
// last one follows.
const suspendedFault = "suspended"

// maxRequest bounds what policies are given, because it stands in the record.
const maxRequest = 64 << 10

// shortRequest stands in the record for a request that is too long to be shown.
func shortRequest(hook core.Hook, subject string) []byte {
	var p pen
	p.text(`{"hook":`, string(hook))
	p.text(`,"subject":`, subject)
	p.raw("}")
	return p.b
}

// decide asks all policies at once. One that cannot say is its fallback.
func (h *hearing) decide(ctx context.Context, run *scripts) *core.Ruling {
	var all sync.WaitGroup
	for i := range h.asked {
		all.Go(func() { h.asked[i].ask(ctx, run, &h.ruling.Verdicts[i]) })
	}
	all.Wait()
	h.ruling.Say, h.ruling.Reason = core.Rule(h.ruling.Verdicts)
	return &h.ruling
}

func (c *policyCall) ask(ctx context.Context, run *scripts, v *core.Verdict) {
	if v.Fault = c.fault; v.Fault == "" {
		answer := run.call(ctx, forPolicies, &c.call)
		if answer.Fault == nil {
			var err error
			if v.Say, v.Reason, err = parseVerdict(answer.Value); err != nil {
				answer.Fault = &script.Fault{Kind: script.FaultAnswer, Detail: err.Error()}
			}
		}
		if answer.Fault != nil {
			v.Fault = faultText(c.call.Program, answer.Fault)
		}
	}
	if v.Fault != "" {
		v.Say, v.Reason = c.fallback, ""
		if c.fallback != core.SayAllow {
			v.Reason = oneLine("the policy "+v.Policy+" could not say: "+v.Fault, maxReason)
		}
	}
}

// maxReason bounds the reason of a verdict, in bytes.
const maxReason = 500

// parseVerdict reads what a policy answered: {allow: true}, {allow: false,
// reason} or {ask: true, reason}, and nothing else.
func parseVerdict(answer []byte) (say, reason string, err error) {
	var said struct {
		Allow  *bool   `json:"allow"`
		Ask    *bool   `json:"ask"`
		Reason *string `json:"reason"`
	}
	dec := json.NewDecoder(bytes.NewReader(answer))
	dec.DisallowUnknownFields()
	ok := dec.Decode(&said) == nil && exact(answer, "allow", "ask", "reason")
	if reason = "it gives no reason"; said.Reason != nil {
		reason = oneLine(*said.Reason, maxReason)
	}
	switch {
	case ok && said.Allow != nil && *said.Allow && said.Ask == nil:
		if said.Reason == nil {
			reason = ""
		}
		return core.SayAllow, reason, nil
	case ok && said.Allow != nil && !*said.Allow && said.Ask == nil:
		return core.SayDeny, reason, nil
	case ok && said.Ask != nil && *said.Ask && said.Allow == nil:
		return core.SayAsk, reason, nil
	}
	return "", "", fmt.Errorf("it answered %s; a policy answers {allow: true}, {allow: false, reason: text} or {ask: true, reason: text}", oneLine(string(answer), 120))
}

// exact reports whether an object has no other members than these, letter for
// letter.
func exact(object []byte, names ...string) bool {
	var all map[string]json.RawMessage
	if json.Unmarshal(object, &all) != nil || all == nil {
		return false
	}
	for name := range maps.Keys(all) {
		if !slices.Contains(names, name) {
			return false
		}
	}
	return true
}

// admit asks policies about an assignment. An entry that asks is followed by
// another: its seq, the lease, tells this one from any other.
func (d *desk) admit(s *core.State, w core.Work) question {
	j := w.Job
	h := d.hear(s, s.Now(), core.HookAssign, j.Spec.ID, int64(w.Lease), assignRequest(s, j))
	id, attempt, lease := j.Spec.ID, w.Attempt, w.Lease
	return question{id: j.WorkID() + "/admit", by: "policies", work: w, script: true, answer: func(ctx context.Context, _ runner) core.Command {
		if h == nil { // an edit has just taken the last of them away: nobody objects
			h = &hearing{ruling: core.Ruling{Hook: string(core.HookAssign), Subject: id}}
		}
		return &core.Admit{Job: id, Attempt: attempt, Lease: lease, Ruling: *h.decide(ctx, d.scripts)}
	}}
}

// heldBack reports whether an answer has to wait for policies: a delegation is
// held back until they have said what they think of it as it stands now.
func (d *desk) heldBack(s *core.State, a answer) bool {
	c, ok := a.command.(*core.Delegate)
	if !ok || d.scripts == nil || s.UnfitRuling(core.HookDelegate, c.Ruling) == "" {
		return false
	}
	h := d.hear(s, s.Now(), core.HookDelegate, c.Job, int64(c.Lease), delegateRequest(s, a.work.Job, c.Children))
	if h == nil { // an edit has taken the last of them away
		c.Ruling = nil
		return false
	}
	d.ask(question{id: a.id, by: a.by, work: a.work, script: true, answer: func(ctx context.Context, _ runner) core.Command {
		ruled := *c
		ruled.Ruling = h.decide(ctx, d.scripts)
		return &ruled
	}})
	return true
}

// assignRequest is what policies are given about an assignment.
func assignRequest(s *core.State, j *core.Job) []byte {
	_, deposit := s.Escrow(j)
	p := pen{make([]byte, 0, 1024)}
	p.text(`{"by":`, "mission")
	p.amount(`,"deposit":`, deposit)
	p.raw(`,"hook":"` + string(core.HookAssign) + `"`)
	p.job(`,"job":`, rowOf(s, j), s.Now())
	p.amount(`,"stake":`, j.Stake)
	w := benchOf(s, j.Worker)
	p.worker(`,"worker":`, &w)
	p.raw("}")
	return p.b
}

// delegateRequest is what policies are given about child jobs.
func delegateRequest(s *core.State, j *core.Job, children []core.JobSpec) []byte {
	cost := ledger.Amount(0)
	for i := range children {
		cost = saturate(cost, costOf(s, &children[i]))
	}
	p := pen{make([]byte, 0, 1024)}
	p.text(`{"by":`, "worker:"+j.Worker.ID)
	p.raw(`,"children":[`)
	for i := range children {
		p.comma(i)
		child := children[i]
		child.Parent = j.Spec.ID
		p.job("", newRow(s, &child), s.Now())
		if len(p.b) > maxRequest { // it will not be shown
			break
		}
	}
	p.amount(`],"cost":`, cost)
	p.raw(`,"hook":"` + string(core.HookDelegate) + `"`)
	p.amount(`,"left":`, s.Grantable(j))
	p.job(`,"parent":`, rowOf(s, j), s.Now())
	p.raw("}")
	return p.b
}

// costOf is what posting a job takes; of a reward no job may have, all there can
// be.
func costOf(s *core.State, spec *core.JobSpec) ledger.Amount {
	if spec.Reward < 0 || spec.Reward > ledger.MaxAmount/4 {
		return ledger.MaxAmount
	}
	escrow, _ := s.Price(spec)
	return escrow
}

func saturate(a, b ledger.Amount) ledger.Amount {
	if a > ledger.MaxAmount-b {
		return ledger.MaxAmount
	}
	return a + b
}

// postRequest is what policies are given about a job that somebody posts.
func (d *desk) postRequest(s *core.State, now core.Time, by, account string, job *core.JobSpec) []byte {
	spec := *job
	spec.Employer = account
	p := pen{make([]byte, 0, 1024)}
	p.account(`{"account":`, d.indexed(s).purse(s, account))
	p.text(`,"by":`, by)
	p.amount(`,"cost":`, costOf(s, &spec))
	p.raw(`,"hook":"` + string(core.HookPost) + `"`)
	p.job(`,"job":`, newRow(s, &spec), now)
	p.raw("}")
	return p.b
}

// transferRequest is what policies are given about tokens that a steward moves
// into a job's escrow.
func (d *desk) transferRequest(s *core.State, now core.Time, by string, a *core.Action) []byte {
	p := pen{make([]byte, 0, 1024)}
	p.text(`{"by":`, by)
	p.account(`,"from":`, d.indexed(s).purse(s, by))
	p.raw(`,"hook":"` + string(core.HookTransfer) + `"`)
	if j := s.Job(a.Job); j != nil {
		p.job(`,"job":`, rowOf(s, j), now)
	} else {
		p.raw(`,"job":null`)
	}
	p.text(`,"to":`, "job:"+a.Job+":escrow")
	p.amount(`,"tokens":`, a.Tokens)
	p.text(`,"why":`, a.Why)
	p.raw("}")
	return p.b
}

// heldBack reports whether what has come has to wait for policies.
func (l *live) heldBack(in input) bool {
	c, ok := in.command.(*core.Delegate)
	if !ok {
		return false
	}
	w := l.desk.doing[c.Job]
	if w.Kind != core.RunAttempt || w.Attempt != c.Attempt || w.Lease != c.Lease {
		return false // it is late, and refused
	}
	return l.desk.heldBack(l.state, answer{id: w.Job.WorkID(), by: in.by, work: w, command: c})
}

// shownOrder is a job the owner posts that policies are shown. None can keep it
// from being obeyed, and no other order waits for it.
type shownOrder struct {
	in   input
	back bool // they have said what they think of it, or had the time to
}

// shownGrace is the wall time beyond the timeout of policies after which an order
// is obeyed without them.
const shownGrace = 250 * time.Millisecond

// showFirst reports whether an order is shown to policies before it is obeyed.
func (l *live) showFirst(in input, o *core.Order) bool {
	if l.desk.scripts == nil || o.Say != core.PostJob || o.Post == nil || o.Problem != "" || l.state.Status() == core.Ended || len(l.state.Policies(core.HookPost)) == 0 {
		return false
	}
	now, account := l.standing(l.clock.now()), o.Post.Employer
	if account == "" {
		account = l.state.Spec().Mission.Owner
	}
	h := l.desk.hear(l.state, now, core.HookPost, o.Post.ID, 0, l.desk.postRequest(l.state, now, "owner", account, o.Post))
	wait := time.Duration(0)
	for i := range h.asked {
		wait = max(wait, h.asked[i].call.Timeout)
	}
	shown := &shownOrder{in: in}
	l.shown = append(l.shown, shown)
	l.beside(func() {
		ctx, done := context.WithTimeout(l.work, wait+shownGrace)
		defer done()
		back := input{shown: shown}
		if ruling := h.decide(ctx, l.desk.scripts); ctx.Err() == nil {
			ruled := *o
			ruled.Ruling = ruling
			back.command = &ruled
		}
		l.send(back)
	})
	return true
}

// takeShown obeys an order with what policies said of it, unless it has been
// obeyed without.
func (l *live) takeShown(in input) error {
	if !slices.Contains(l.shown, in.shown) {
		return nil
	}
	if in.shown.back = true; in.command != nil {
		in.shown.in.command = in.command
	}
	for len(l.shown) > 0 && l.shown[0].back {
		if err := l.obeyFirst(); err != nil {
			return err
		}
	}
	return nil
}

// obeyShown obeys all orders that are being shown, without waiting for what
// policies say: another comes after them.
func (l *live) obeyShown(now bool) error {
	for now && len(l.shown) > 0 {
		if err := l.obeyFirst(); err != nil {
			return err
		}
	}
	return nil
}

func (l *live) obeyFirst() error {
	in := l.shown[0].in
	in.seen, l.shown = true, l.shown[1:]
	return l.take(in)
}
