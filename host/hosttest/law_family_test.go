package hosttest

import (
	"fmt"
	"slices"
	"strings"
)

// adopt puts a child among those of its parent.
func (b *book) adopt(j *life, e *fact) {
	p := b.jobs[e.Parent]
	b.law(p != nil && p.state == "delegated" && p.ending == nil && b.posts[p], "%s is posted by %s, which may not", j.id, e.Parent)
	if p == nil {
		return
	}
	j.parent, j.depth, j.grant = p, p.depth+1, amountOf(e.Deposit)
	p.children = append(p.children, j)
	b.law(j.id == fmt.Sprintf("%s__%d", p.id, len(p.children)), "the child %d of %s is called %s", len(p.children), p.id, j.id)
	b.law(j.depth <= b.count("delegation.max_depth"), "%s stands %d deep", j.id, j.depth)
	b.law(!e.Required && e.Employer == "", "%s is a child and required or somebody else's", j.id)
	b.law(j.grant == cost(j.budgets[0], b.prices[0])+cost(j.budgets[1], b.prices[1]), "%s is granted %s for deposits", j.id, j.grant)
	for _, need := range e.Needs {
		n := b.jobs[need]
		b.law(n != nil && n != j && n.parent == p, "%s needs %s, which is no sibling before it", j.id, need)
	}
	if j.reward > 0 {
		b.escrowDue(j)
	}
	if j.reward+j.grant > 0 {
		b.granted[p] = true
	}
}

// spendable is what is left for children of a job's escrow: neither its fee nor
// the validators' share, nor slashes over its children, nor what its other open children may still need.
func (b *book) spendable(p, but *life) micro {
	left := p.escrow - p.slashes - p.fee - part(p.pay(), b.setting("governance.validator_reward_ratio"))
	for _, c := range p.children {
		if c != but && !c.ended() && !c.working {
			left -= c.grant
		}
	}
	return left
}

func (j *life) openChildren() (n int) {
	for _, c := range j.children {
		if !c.ended() {
			n++
		}
	}
	return n
}

// delegated ends an attempt that answered with children.
func (b *book) delegated(j *life, e *fact) {
	b.handedOn(j, e)
	b.law(j.said != "deny", "%s posts children that a policy denies", j.id)
	b.posts[j], b.lastSaid[j] = j.said != "ask", j.said
	used := b.usedOf(e)
	b.used(j, used[0], used[1])
	j.unstake(j.stake)
	j.held, j.state, j.said = nil, "delegated", ""
	j.free()
}

// handedOn checks an answer that is children: under its lease, or as it was
// held, and shown to the policies that are asked.
func (b *book) handedOn(j *life, e *fact) {
	used := b.usedOf(e)
	b.law(used[0] <= j.budgets[0] && used[1] <= j.budgets[1], "%s has used more than its budget", j.id)
	if j.held == nil {
		b.fenced(j, e.Attempt)
		b.law((len(b.listening("job.delegate")) > 0) == (j.said != ""), "%s asks for children, and the verdict is %q", j.id, j.said)
		b.law(b.status == "running" || b.status == "stopping", "%s delegates and the mission is %s", j.id, b.status)
		return
	}
	b.law(b.status == "running" && len(j.held.Children) > 0, "%s delegates otherwise than it was held", j.id)
	for i, used := range used {
		held := amountOf([...]string{j.held.EnergyUsed, j.held.ComputeUsed}[i])
		b.law(used == min(held, j.budgets[i]), "%s delegates with another usage than it was held", j.id)
	}
}

func (b *book) usedOf(e *fact) [2]micro {
	return [2]micro{amountOf(e.EnergyUsed), amountOf(e.ComputeUsed)}
}

func (b *book) resumed(j *life) {
	b.law(j.state == "delegated" && j.openChildren() == 0 && j.ending == nil && b.status == "running", "%s goes on in state %s with %d open children in a mission that is %s", j.id, j.state, j.openChildren(), b.status)
	j.state, j.retryAt, j.last = "ready", b.at, ""
}

// endingJob notes how a job will end.
func (b *book) endingJob(j *life, e *fact) {
	b.law(j.openChildren() > 0 && j.ending == nil, "%s is ending with %d open children", j.id, j.openChildren())
	b.law(b.mayEnd(j, e), "%s is to end %s (%s) after %s", j.id, e.State, e.Reason, j.state)
	j.ending = e
}

// orphaned reports whether a child may end because its parent does: the last
// posted first, and as the parent does where its time is over.
func (j *life) orphaned(e *fact) bool {
	p := j.parent
	if p == nil || p.ending == nil {
		return false
	}
	for _, c := range p.children[slices.Index(p.children, j)+1:] {
		if !c.ended() {
			return false
		}
	}
	if p.ending.Reason == "duration" || p.ending.Reason == "stalled" {
		undecided := p.ending.Reason == "stalled" && j.state == "awaiting_approval" && j.asked.Reason == "undecided"
		return e.State == p.ending.State && e.Reason == p.ending.Reason || undecided && e.State == "failed" && e.Reason == "undecided"
	}
	return e.State == "cancelled" && e.Reason == "parent_ended"
}

// ask puts a job before a person.
func (b *book) ask(j *life, e *fact) {
	b.law(!j.working && j.asked == nil, "a person is asked about %s, which is %s", j.id, j.state)
	switch e.Reason {
	case "undecided":
		b.law(j.state == "submitted" && j.undecided == 2, "a person is asked about %s after %d undecided rounds", j.id, j.undecided)
	case "exhausted":
		b.law(b.settings["mission.on_exhausted"] == "ask" && !j.patient && b.lacks(j, e.Detail), "a person is asked about %s, which lacks %q", j.id, e.Detail)
	case "policy":
		b.wantedAsked(j, e)
	default:
		b.law(false, "a person is asked about %s for %q", j.id, e.Reason)
	}
	j.askedIn, j.state, j.asked, j.askedAt = j.state, "awaiting_approval", e, b.at
}

// lacks reports whether a job cannot have what it needs.
func (b *book) lacks(j *life, what string) bool {
	switch {
	case j.state == "posted":
		return what == "tokens" && !j.funded && j.reward+part(j.reward, b.setting("governance.fee_ratio")) > b.money["TOKEN "+b.employer(j)]
	case !j.is("ready", "rejected"):
		return false
	case what == "energy":
		return j.budgets[0] > b.limit["ENERGY"]
	case what == "compute":
		return j.budgets[1] > b.limit["COMPUTE"]
	}
	if j.parent == nil && j.escrow > 0 && b.money["TOKEN job:"+j.id+":escrow"] == 0 {
		return what == "tokens" && b.price(j) > b.affords(j)-j.escrow // it has just been returned
	}
	return what == "tokens" && b.price(j) > b.affords(j)
}

// price is what a job's whole budget costs now.
func (b *book) price(j *life) micro {
	return cost(j.budgets[0], b.prices[0]) + cost(j.budgets[1], b.prices[1])
}

// affords is what a job's employer can pay for a deposit.
func (b *book) affords(j *life) micro {
	if j.parent != nil {
		return b.spendable(j.parent, j)
	}
	return b.money["TOKEN "+b.employer(j)]
}

// employer is the account that pays for a job.
func (b *book) employer(j *life) string {
	switch {
	case j.parent != nil:
		return "job:" + j.parent.id + ":escrow"
	case j.fact.Employer != "":
		return "account:" + j.fact.Employer
	}
	return b.owner()
}

func (b *book) answer(j *life, e *fact) {
	in := b.rec.Input
	b.law(j.state == "awaiting_approval" && in.Command == "order" && in.Job == j.id && in.Order == map[bool]string{true: "approve", false: "deny"}[e.Approve], "%s is answered by %s %s in state %s", j.id, in.Command, in.Order, j.state)
	if b.broken != nil {
		return
	}
	b.law(!b.halted, "%s is answered in a mission that is %s", j.id, b.status)
	j.state, j.answered = j.askedIn, e
	j.readyAt += b.at - j.askedAt
	if j.asked.Reason == "exhausted" {
		j.patient = j.patient || e.Approve
		if e.Approve {
			j.answered = nil
		}
	}
	if j.asked.Reason == "policy" && e.Approve {
		j.answered = nil
		if len(j.asked.Children) > 0 {
			b.posts[j] = true
		} else {
			j.cleared = true
		}
	}
	j.asked = nil
}

// families checks between entries that parents can pay.
func (b *book) families() {
	for p := range b.granted {
		b.law(p.ended() || b.spendable(p, nil) >= 0, "%s has given its children more than is left: %s", p.id, b.spendable(p, nil))
	}
	clear(b.granted)
}

// idle checks that a stopped mission moves nothing.
func (b *book) idle(e *fact) {
	in := b.rec.Input
	if !b.halted || b.status != "stopped" && b.status != "emergency" {
		return
	}
	allowed := in.Command == "generation" || in.Command == "order" && in.Order == "cancel"
	for _, o := range b.rec.Events {
		allowed = allowed || o.Type == "attempt_voided" || o.Type == "votes_abstained" || o.Type == "job_ended" && b.jobs[o.Job] != nil && (b.jobs[o.Job].ending != nil || b.jobs[o.Job].parent != nil)
	}
	b.law(allowed, "%s moves amounts of %s in a mission that is %s", in.Command, e.Job, b.status)
}

// class is the set of skills a job asks for.
func (j *life) class() string { return strings.Join(j.fact.Skills, " ") }
