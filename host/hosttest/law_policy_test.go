package hosttest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// policy is one as the generation in force declares it.
type policy struct {
	Name, Mode, Fallback string
	On                   []string
	Script               string `json:"script_digest"`
}

// verdict is what one policy said.
type verdict struct {
	Policy, Say, Reason, Script, Fault string
	Shadow                             bool
	Generation                         int64
}

// heldEdit is an edit that waits for the owner.
type heldEdit struct {
	digest   string
	gone     []string
	approved bool
}

// listening are the policies that are asked at a hook.
func (b *book) listening(hook string) (all []policy) {
	for _, p := range b.policies {
		if slices.Contains(p.On, hook) {
			all = append(all, p)
		}
	}
	return all
}

// policiesInForce takes what a generation declares: a script that has changed
// has no faults.
func (b *book) policiesInForce(next []policy) {
	for _, p := range b.policies {
		if i := slices.IndexFunc(next, func(n policy) bool { return n.Name == p.Name }); i < 0 || next[i].Script != p.Script {
			b.forgive(p.Name)
		}
	}
	b.policies, b.inForce = next, b.seq
}

// policed takes an event about policies and held edits.
func (b *book) policed(e *fact) {
	switch e.Type {
	case "verdict_given":
		b.verdicts(e)
	case "script_suspended":
		b.suspended(e)
	case "edit_held":
		gone := slices.Concat(e.Removes, e.Drains)
		again := b.held != nil && b.held.digest == e.Digest && slices.Equal(b.held.gone, gone)
		b.law(b.rec.Input.Command == "generation" && len(gone) > 0 && !again, "an edit is held that removes %q", gone)
		b.held = &heldEdit{e.Digest, gone, false}
	case "edit_approved":
		b.law(b.rec.Input.Order == "apply" && b.held != nil && b.held.digest == e.Digest && !b.held.approved, "an edit is approved that does not wait")
		if b.held != nil {
			b.held.approved = true
		}
	}
}

// mayRemove checks that what an edit takes away was allowed, and lets go of the
// edit that waited.
func (b *book) mayRemove(e *fact) {
	if gone := slices.Concat(e.Removed, e.Drained); len(gone) > 0 && b.settings["reload.allow_removals"] != "true" {
		sources := slices.Clone(e.Sources)
		slices.SortFunc(sources, func(a, b source) int { return strings.Compare(a.Path, b.Path) })
		text := "omega.edit/v1\n" + e.Entry + "\n"
		for _, s := range sources {
			text += s.Digest + "  " + s.Path + "\n"
		}
		sum := sha256.Sum256([]byte(text))
		b.law(b.held != nil && b.held.approved && b.held.digest == hex.EncodeToString(sum[:]) && slices.Equal(b.held.gone, gone), "an edit takes %q away, and nobody has allowed it", gone)
	}
	b.held = nil
}

// verdicts checks a ruling: that all who have to be were asked, and what it comes
// to.
func (b *book) verdicts(e *fact) {
	in, all := b.rec.Input, b.listening(e.Hook)
	b.law(len(all) > 0 && len(all) == len(e.Verdicts) && len(e.Request) <= 64<<10, "%d policies of %d have said something about %s", len(e.Verdicts), len(all), e.Hook)
	by := map[string]string{"job.assign": "admit", "job.delegate": "delegate", "job.post": "order"}[e.Hook]
	steward := in.Command == "advise" && (e.Hook == "job.post" || e.Hook == "transfer")
	b.law(steward || in.Command == by && (by == "order" || in.Job == e.Subject), "policies are asked about %s of %s by %s", e.Hook, e.Subject, in.Command)
	if b.broken != nil {
		return
	}
	say := "allow"
	for i, v := range e.Verdicts {
		p := all[i]
		b.law(v.Policy == p.Name && v.Script == p.Script && v.Shadow == (p.Mode == "shadow"), "%s was asked, where %s is in force", v.Policy, p.Name)
		b.law(slices.Contains([]string{"allow", "ask", "deny"}, v.Say) && (v.Fault == "" || v.Say == p.Fallback), "%s says %s, its fallback is %s", v.Policy, v.Say, p.Fallback)
		if !v.Shadow && (v.Say == "deny" || v.Say == "ask" && say == "allow") {
			say = v.Say
		}
		switch {
		case b.out[p.Name]:
		case v.Fault != "":
			b.faults[p.Name]++
		default:
			delete(b.faults, p.Name)
		}
	}
	b.law(e.Say == say, "the verdicts on %s of %s come to %s, not to %s", e.Hook, e.Subject, say, e.Say)
	if say == "deny" && !slices.ContainsFunc(e.Verdicts, func(v verdict) bool { return !v.Shadow && v.Say == "deny" && v.Fault == "" }) {
		say = "fault" // no verdict on the job
	}
	b.ruled[e.Hook+" "+e.Subject] = say
	if steward {
		b.rulings = append(b.rulings, e)
	}
	if j := b.jobs[e.Subject]; e.Hook == "job.delegate" && j != nil {
		j.said = say
	}
}

// begun checks that an attempt may start: where policies are asked, they have
// allowed it, or a person has.
func (b *book) begun(j *life) {
	in := b.rec.Input
	b.law(j.state == "assigned" && b.status == "running", "%s starts in state %s of a mission that is %s", j.id, j.state, b.status)
	if len(b.listening("job.assign")) > 0 && !j.cleared {
		b.law(in.Command == "admit" && in.Job == j.id && in.Attempt == j.attempt && in.Lease == j.lease && b.ruled["job.assign "+j.id] == "allow", "%s starts, and its verdict is %q", j.id, b.ruled["job.assign "+j.id])
	} else {
		b.law(j.lease == b.seq, "%s is assigned since entry %d, and nobody has to be asked about it", j.id, j.lease)
	}
	j.state = "running"
}

// voided ends an attempt that does not count.
func (b *book) voided(j *life, e *fact) {
	switch e.Reason {
	case "policy":
		b.law(j.state == "assigned" && b.ruled["job.assign "+j.id] == "ask", "%s is voided for a policy in state %s", j.id, j.state)
	case "edit":
		b.law(j.state == "assigned" && b.rec.Input.Command == "generation", "%s is voided for an edit in state %s by %s", j.id, j.state, b.rec.Input.Command)
	case "fault":
		b.law(j.state == "assigned" && b.ruled["job.assign "+j.id] == "fault" || j.state == "running" && j.said == "fault", "%s is voided for a script in state %s", j.id, j.state)
		j.withheld, j.held = b.seq, nil
	case "stopping":
		b.law(j.state == "assigned" && b.status == "stopping", "%s is voided in state %s of a mission that is %s", j.id, j.state, b.status)
	default:
		b.law(j.is("running", "assigned") && j.held == nil && (b.status == "stopped" || b.status == "emergency"), "%s is voided in state %s of a mission that is %s", j.id, j.state, b.status)
	}
	b.used(j, 0, 0)
	j.unstake(j.stake)
	j.free()
	j.state, j.said = "ready", ""
}

// denied ends an attempt that a policy denies, or the person it wanted asked.
func (b *book) denied(j *life, e *fact) {
	used := b.usedOf(e)
	switch j.state {
	case "assigned":
		b.law(b.rec.Input.Command == "admit" && b.ruled["job.assign "+j.id] == "deny" && used == [2]micro{}, "%s is denied, and its verdict is %q", j.id, b.ruled["job.assign "+j.id])
		b.used(j, 0, 0)
		j.unstake(j.stake)
	case "running":
		b.handedOn(j, e)
		b.law(j.said == "deny", "the children of %s are denied, and the verdict is %q", j.id, j.said)
		b.used(j, used[0], used[1])
		j.unstake(j.stake)
	default:
		b.law(j.state == "delegated" && j.answered != nil && !j.answered.Approve && used == [2]micro{}, "%s is denied in state %s", j.id, j.state)
		j.answered = nil
	}
	b.lost(j, e, "ready")
}

// wantedAsked checks that a policy wanted a person asked.
func (b *book) wantedAsked(j *life, e *fact) {
	if len(e.Children) > 0 {
		b.law(j.state == "delegated" && b.lastSaid[j] == "ask", "a person is asked about the children of %s, and the verdict is %q", j.id, b.lastSaid[j])
		return
	}
	b.law(j.state == "ready" && b.ruled["job.assign "+j.id] == "ask", "a person is asked about %s, and its verdict is %q", j.id, b.ruled["job.assign "+j.id])
}

// policiesHold checks what must hold between entries.
func (b *book) policiesHold() {
	for name, n := range b.faults {
		b.law(n < 5 || b.out[name], "%s has failed %d times in a row and is asked on", name, n)
	}
	for _, j := range b.order {
		if j.state == "assigned" {
			asked := len(b.listening("job.assign")) > 0 && !j.cleared
			b.law(asked && j.working && (b.status == "running" || b.status == "paused"), "%s is assigned in a mission that is %s, and nobody is asked", j.id, b.status)
			b.law(j.lease >= b.inForce, "%s waits since entry %d for policies that an edit has replaced", j.id, j.lease)
		}
		b.law(j.said == "" || j.held != nil, "what was said of the children of %s is left over: %s", j.id, j.said)
	}
	clear(b.ruled)
	clear(b.posts)
	clear(b.lastSaid)
}

func (p policy) String() string { return fmt.Sprint(p.Name, " ", p.Mode, " ", p.On) }
