package hosttest

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

var terminal = []string{"finalized", "failed", "cancelled", "expired", "skipped"}

func (j *life) ended() bool { return slices.Contains(terminal, j.state) }

func (j *life) is(states ...string) bool { return slices.Contains(states, j.state) }

// life takes an event of a job.
func (b *book) life(e *fact) {
	if e.Type == "job_posted" {
		b.postedJob(e)
		return
	}
	j := b.jobs[e.Job]
	b.law(j != nil, "%s of %s, which nobody posted", e.Type, e.Job)
	if j == nil {
		return
	}
	b.law(!j.ended(), "%s of %s, which is %s for ever", e.Type, j.id, j.state)
	switch e.Type {
	case "job_ready":
		b.ready(j)
	case "job_assigned":
		b.assigned(j, e)
	case "attempt_started":
		b.begun(j)
	case "attempt_released":
		b.law(b.rec.Input.Command == "start" && j.state == "running" && j.held == nil && j.worker.exec, "%s is released", j.id)
		j.lease = b.seq
	case "attempt_voided":
		b.voided(j, e)
	case "result_held":
		b.law(b.status == "paused", "a result is held and the mission is %s", b.status)
		b.fenced(j, e.Attempt)
		b.law(len(e.Children) == 0 || (len(b.listening("job.delegate")) > 0) == (j.said != ""), "%s asks for children, and the verdict is %q", j.id, j.said)
		j.held = e
	case "attempt_submitted":
		j.fixed = b.seq
		b.submitted(j, e)
	case "attempt_delegated":
		b.delegated(j, e)
	case "job_resumed":
		b.resumed(j)
	case "job_ending":
		b.endingJob(j, e)
	case "approval_asked":
		b.ask(j, e)
	case "approval_given":
		b.answer(j, e)
	case "attempt_failed":
		j.fixed = 0
		b.failed(j, e)
	case "attempt_rejected":
		j.fixed = 0
		b.rejectedJob(j, e)
	case "job_ended":
		j.end = b.seq
		b.ends(j, e)
	default:
		b.judged(j, e)
	}
}

func (b *book) postedJob(e *fact) {
	b.law(b.jobs[e.Job] == nil, "%s is posted twice", e.Job)
	j := &life{posted: posted{
		id: e.Job, fact: e, reward: amountOf(e.Reward), budgets: [2]micro{amountOf(e.Energy), amountOf(e.Compute)}, required: e.Required,
	}, state: "posted", begin: b.seq, index: len(b.order), expected: map[string]micro{}}
	b.jobs[j.id], b.order = j, append(b.order, j)
	b.open++
	b.sums.Posted++
	b.law(len(b.needed) == 0, "a job is posted while the journal lacks %d files of the mission", len(b.needed))
	b.law(b.status != "ended", "posted after the end")
	if in := b.rec.Input; in.Command == "advise" || in.Command == "order" && in.Order == "approve" && len(b.wanted) > 0 {
		b.came("job_posted", e.Job, e.Employer)
		b.law(e.Parent == "", "a steward posts a child")
	}
	_, known := b.accounts[e.Employer]
	b.law(known || e.Employer == "" || b.money["TOKEN account:"+e.Employer] > 0, "%s is paid for by %s, which nobody declared", e.Job, e.Employer)
	if e.Parent != "" {
		b.adopt(j, e)
	}
}

func (b *book) ready(j *life) {
	b.law(j.state == "posted" && (b.status == "running" || b.status == "stopping" && j.fact.Lazy), "%s becomes ready in state %s of a mission that is %s", j.id, j.state, b.status)
	b.law(j.funded || j.reward == 0, "%s becomes ready without escrow", j.id)
	b.law(j.parent == nil || j.parent.ending == nil, "%s becomes ready and its parent is ending", j.id)
	for _, need := range j.fact.Needs {
		n := b.jobs[need]
		b.law(n != nil && n.ended() && (n.state == "finalized" || j.fact.AnyEnd), "%s becomes ready before %s", j.id, need)
	}
	j.state, j.readyAt = "ready", b.at
}

// waits reports whether a job could be assigned, were there a worker.
func (b *book) waits(j *life) bool {
	return j.is("ready", "rejected") && j.retryAt <= b.at && !b.unmended(j)
}

// unmended reports whether a policy has failed over a job, and no edit has come
// since.
func (b *book) unmended(j *life) bool { return j.withheld > 0 && j.withheld >= b.inForce }

// before is the order in which jobs start.
func (j *life) before(o *life) bool {
	switch {
	case j.fact.Priority != o.fact.Priority:
		return j.fact.Priority > o.fact.Priority
	case j.expedited != 0 && o.expedited != 0 && j.expedited != o.expedited:
		return j.expedited < o.expedited
	case (j.expedited == 0) != (o.expedited == 0):
		return j.expedited != 0
	}
	return j.index < o.index
}

func (b *book) assigned(j *life, e *fact) {
	w := b.staff[e.Worker]
	b.law(w != nil && b.status == "running", "%s is assigned to %s in a mission that is %s", j.id, e.Worker, b.status)
	if w == nil {
		return
	}
	b.law(b.waits(j), "%s is assigned in state %s, not before %d", j.id, j.state, j.retryAt)
	b.law(e.Attempt == j.attempt+1, "attempt %d of %s follows %d", e.Attempt, j.id, j.attempt)
	b.law(j.failures < b.count("delegation.max_attempts"), "%s has failed %d times", j.id, j.failures)
	b.law(b.able(w, j), "%s cannot do %s", w.id, j.id)
	b.law(!b.pausedJob(j), "%s starts and a skill of it is paused: %v", j.id, b.paused)
	for _, o := range b.order {
		b.law(o == j || !b.waits(o) || !o.before(j) || !slices.Equal(o.fact.Skills, j.fact.Skills), "%s starts before %s", j.id, o.id)
	}
	for _, id := range b.pools {
		o := b.staff[id]
		better := o.id != j.last && (w.id == j.last || o.has(j) && !w.has(j) || o.speed > w.speed && o.has(j) == w.has(j))
		b.law(!better || !b.able(o, j), "%s does %s, where %s could", w.id, j.id, o.id)
	}
	if limit := b.count("delegation.background_limit"); limit > 0 {
		b.law(b.running() < limit, "%d jobs run already", b.running())
	}
	j.attempt, j.worker, j.working, j.lease, j.state, j.retryAt, j.undecided = e.Attempt, w, true, b.seq, "assigned", 0, 0
	j.prices = [2]micro{amountOf(e.EnergyPrice), amountOf(e.ComputePrice)}
	for i, price := range b.prices {
		b.law(j.budgets[i] == 0 || j.prices[i] == price, "%s is assigned at price %s, which is %s", j.id, j.prices[i], price)
	}
	w.load++
	b.locked(j)
	if j.parent != nil {
		b.law(j.deposit == 0 || b.spendable(j.parent, nil) >= 0, "%s is assigned, and %s could spend %s", j.id, j.parent.id, b.spendable(j.parent, nil))
	}
}

func (b *book) running() (n int64) {
	for _, j := range b.order {
		if j.working {
			n++
		}
	}
	return n
}

// able reports whether a worker could take a job now.
func (b *book) able(w *member, j *life) bool {
	if w.draining || w.load >= w.slots || b.money["TOKEN worker:"+w.id] < part(j.pay(), b.setting("governance.worker_stake_ratio")) {
		return false
	}
	return w.has(j) || w.hands && slices.ContainsFunc(j.fact.Skills, func(s string) bool { return slices.Contains(w.skills, s) })
}

// has reports whether a worker has all skills of a job.
func (w *member) has(j *life) bool {
	return !slices.ContainsFunc(j.fact.Skills, func(s string) bool { return !slices.Contains(w.skills, s) })
}

// free gives the worker's slot back; its stake is settled apart.
func (j *life) free() {
	if j.working {
		j.worker.load--
		j.working = false
	}
	if j.stake == 0 && j.worker != nil {
		j.last, j.worker = j.worker.id, nil
	}
}

// fenced checks that an answer came under the lease that holds.
func (b *book) fenced(j *life, attempt int64) {
	in := b.rec.Input
	b.law(in.Command == "result" || in.Command == "failure" || in.Command == "delegate", "an answer for %s comes by %s", j.id, in.Command)
	b.law(in.Job == j.id && in.Attempt == j.attempt && attempt == j.attempt, "an answer of %s/%d for attempt %d of %s", in.Job, in.Attempt, j.attempt, j.id)
	b.law(in.Lease == j.lease, "an answer for %s under token %d; it is %d", j.id, in.Lease, j.lease)
	b.law(j.state == "running" && j.held == nil, "an answer for %s, which is %s", j.id, j.state)
}

func (b *book) submitted(j *life, e *fact) {
	sum := sha256.Sum256(e.Result)
	b.law(hex.EncodeToString(sum[:]) == e.Digest, "the result of %s is not what its digest says", j.id)
	used := [2]micro{amountOf(e.EnergyUsed), amountOf(e.ComputeUsed)}
	judged := b.rec.Input.Judged
	if j.held == nil {
		b.fenced(j, e.Attempt)
		b.law(b.status == "running" || b.status == "stopping", "%s is submitted and the mission is %s", j.id, b.status)
		b.law(j.fact.Deadline == 0 || b.at <= j.readyAt+j.fact.Deadline, "%s is submitted after its deadline", j.id)
	} else {
		judged = j.held.Judged
		b.law(b.status == "running" && e.Attempt == j.attempt && string(j.held.Result) == string(e.Result) && j.held.Reason == "", "%s is not submitted as it was held", j.id)
		held := [2]micro{amountOf(j.held.EnergyUsed), amountOf(j.held.ComputeUsed)}
		b.law(used[0] == min(held[0], j.budgets[0]) && used[1] == min(held[1], j.budgets[1]), "%s was held with another usage", j.id)
		b.law(e.Over == (held[0] > j.budgets[0] || held[1] > j.budgets[1]), "%s is marked over_reported %v", j.id, e.Over)
	}
	b.law(used[0] <= j.budgets[0] && used[1] <= j.budgets[1], "%s has used more than its budget", j.id)
	b.law(j.worker.has(j) || len(j.children) > 0, "%s is submitted by a worker without its skills, and nothing of it was handed on", j.id)
	b.used(j, used[0], used[1])
	j.held, j.state, j.digest, j.round, j.drawnBy = nil, "submitted", e.Digest, nil, b.rec.Prev
	j.rejected, j.result = judged != nil && !judged.Approve, string(e.Result)
	j.worker.load--
	j.working = false
}

// retry is when the next attempt may start; 0 if none is left.
func (b *book) retry(j *life) int64 {
	if j.failures+1 >= b.count("delegation.max_attempts") {
		return 0
	}
	wait := durationOf(b.settings["delegation.retry_backoff"])
	for range j.failures {
		wait = min(2*wait, 600_000)
	}
	return b.at + max(1, min(wait, 600_000))
}

func (b *book) failed(j *life, e *fact) {
	switch {
	case e.Reason == "denied":
		b.denied(j, e)
		return
	case j.state == "delegated": // what a person has let it post does not fit any more
		b.law(e.Reason == "delegation" && b.posts[j] && b.usedOf(e) == [2]micro{}, "%s fails in state delegated", j.id)
		delete(b.posts, j)
		b.lost(j, e, "ready")
		return
	}
	if j.held == nil {
		b.fenced(j, e.Attempt)
	} else {
		handed := len(j.held.Children) > 0 && e.Reason == "delegation" || e.Reason == "unskilled" && j.held.Reason == ""
		b.law(b.status == "running" && (handed || j.held.Reason == e.Reason && e.Reason != ""), "%s fails otherwise than it was held", j.id)
	}
	unskilled := e.Reason == "unskilled" && (b.rec.Input.Command == "result" || j.held != nil)
	b.law(!unskilled || len(j.children) == 0 && !j.worker.has(j), "%s is failed for skills its worker has", j.id)
	b.used(j, j.budgets[0], j.budgets[1])
	j.unstake(j.stake)
	b.lost(j, e, "ready")
}

func (b *book) rejectedJob(j *life, e *fact) {
	if j.answered != nil && !j.answered.Approve {
		j.unstake(j.stake)
		j.answered = nil
		b.lost(j, e, "rejected")
		return
	}
	if b.count("governance.committee") == 0 {
		b.law(j.state == "submitted" && j.rejected, "%s is rejected and nobody said so", j.id)
	} else {
		b.law(j.round != nil && j.round.outcome == "rejected", "%s is rejected without a council", j.id)
	}
	b.slashed(j)
	b.lost(j, e, "rejected")
}

// lost ends an attempt that counts.
func (b *book) lost(j *life, e *fact, state string) {
	b.law(e.Attempt == j.attempt && e.Retry == b.retry(j), "attempt %d of %s is lost and goes on at %d, not %d", e.Attempt, j.id, e.Retry, b.retry(j))
	j.failures++
	j.state, j.retryAt, j.held, j.said = state, e.Retry, nil, ""
	j.free()
}

// end checks that a job has a right to its end.
func (b *book) ends(j *life, e *fact) {
	b.law(slices.Contains(terminal, e.State), "%s ends %s", j.id, e.State)
	b.law(b.status == "running" || b.status == "paused" || b.status == "stopping" || b.halted || slices.Contains([]string{"order", "generation", "start"}, b.rec.Input.Command), "%s ends in a mission that is %s", j.id, b.status)
	b.law(j.openChildren() == 0, "%s ends before its children", j.id)
	if j.ending != nil {
		b.law(e.State == j.ending.State && e.Reason == j.ending.Reason, "%s ends %s (%s), and was to end %s (%s)", j.id, e.State, e.Reason, j.ending.State, j.ending.Reason)
	} else {
		b.law(b.mayEnd(j, e), "%s ends %s (%s) after %s", j.id, e.State, e.Reason, j.state)
	}
	b.settle(j, e)
	j.state, j.held, j.asked, j.said = e.State, nil, nil, ""
	j.free()
	b.open--
	switch e.State {
	case "finalized":
		b.sums.Finalized++
	case "failed":
		b.sums.Failed++
	case "cancelled":
		b.sums.Cancelled++
	case "expired":
		b.sums.Expired++
	case "skipped":
		b.sums.Skipped++
	}
}

// mayEnd reports whether the rules give a job this end now.
func (b *book) mayEnd(j *life, e *fact) bool {
	in := b.rec.Input
	if j.orphaned(e) {
		return true
	}
	approved := j.answered != nil && j.answered.Approve
	switch e.State + "/" + e.Reason {
	case "finalized/":
		return j.state == "submitted" && (approved || b.count("governance.committee") == 0 && !j.rejected) || j.round != nil && j.round.outcome == "approved"
	case "failed/attempts":
		return j.is("ready", "rejected") && j.failures >= b.count("delegation.max_attempts")
	case "failed/exhausted":
		if j.answered != nil {
			return !approved && j.is("posted", "ready", "rejected")
		}
		return b.settings["mission.on_exhausted"] == "fail" && b.lacks(j, e.Detail)
	case "failed/denied":
		return j.answered != nil && !approved && j.state == "ready"
	case "failed/undecided":
		return in.Command == "stall" && j.state == "awaiting_approval" && j.asked.Reason == "undecided"
	case "failed/input_error":
		return j.state == "posted" && j.fact.Lazy
	case "skipped/need_ended":
		lost := slices.ContainsFunc(j.fact.Needs, func(need string) bool {
			n := b.jobs[need]
			return n != nil && n.ended() && n.state != "finalized"
		})
		return lost && j.state == "posted" && !j.fact.AnyEnd
	case "expired/deadline":
		return j.is("ready", "assigned", "running", "rejected", "delegated") && j.fact.Deadline > 0 && b.at >= j.readyAt+j.fact.Deadline && j.held == nil
	case "expired/duration":
		return b.at >= durationOf(b.settings["mission.duration"]) && b.settings["mission.duration"] != "0"
	case "expired/stalled":
		return in.Command == "stall"
	case "cancelled/owner":
		return in.Command == "order" && in.Order == "cancel" && in.Job == j.id
	case "cancelled/removed":
		return in.Command == "generation"
	}
	return false
}

// settle says what the end of a job has to move.
func (b *book) settle(j *life, e *fact) {
	if e.State == "finalized" {
		b.approved(j)
		return
	}
	if j.state == "running" {
		used := j.budgets
		if j.held != nil && j.held.Reason == "" {
			used = [2]micro{min(used[0], amountOf(j.held.EnergyUsed)), min(used[1], amountOf(j.held.ComputeUsed))}
		}
		b.used(j, used[0], used[1])
		b.law(used == b.usedOf(e), "%s has used %v, its end says %v", j.id, used, b.usedOf(e))
	} else {
		if j.state == "assigned" {
			b.used(j, 0, 0)
		}
		b.law(b.usedOf(e) == [2]micro{}, "%s ends %s with usage", j.id, e.State)
	}
	b.law(j.round == nil || j.round.outcome != "", "%s ends with an open round", j.id)
	j.unstake(j.stake)
	b.unboosted(j)
	j.due("escrow_return", j.escrow)
	j.escrow = 0
}

// after checks what must hold between entries.
func (b *book) after() {
	b.law(len(b.pending) == 0, "not moved: %q", b.pending)
	b.families()
	b.policiesHold()
	for _, j := range b.order {
		b.law(b.full() || b.rec.Refused != nil || b.status != "running" || !b.stuck(j), "%s is %s, and nothing it waits for is missing", j.id, j.state)
		b.law(len(j.expected) == 0, "the movements of %s differ from the rules by %v", j.id, j.expected)
		b.law(j.is("running", "assigned") == j.working, "%s is %s after an entry", j.id, j.state)
		if b.rec.Input.Command == "start" && j.state == "running" && j.held == nil && j.worker.exec {
			b.law(j.lease == b.seq, "%s is not released by the new host", j.id)
		}
		b.law(j.state != "running" || j.held != nil || b.status != "stopped" && b.status != "emergency", "%s runs in a mission that is %s", j.id, b.status)
	}
	b.balanced()
}

// overdue checks, before an entry, that nothing is late by then: a pause and a
// stop move no deadline and no window, for mission time stands still.
func (b *book) overdue(at int64) {
	if b.full() || b.status == "ended" {
		return
	}
	for _, j := range b.order {
		switch {
		case j.ended() || j.ending != nil:
		case j.is("ready", "assigned", "running", "rejected", "delegated") && j.held == nil && j.fact.Deadline > 0:
			due := j.readyAt + j.fact.Deadline // it may have passed while a council sat
			b.law(at <= max(due, b.at), "%s, which had to be done by %d, is %s at %d", j.id, j.readyAt+j.fact.Deadline, j.state, at)
		case j.is("committing", "revealing"):
			b.law(at <= j.round.due && (j.fact.Window == 0 || at <= j.round.opened+j.fact.Window), "the round of %s, due by %d, is %s at %d", j.id, j.round.due, j.state, at)
		}
	}
}

// full reports whether the last entry may have had no room for more: then the
// next one goes on.
func (b *book) full() bool { return b.size >= 128<<10 }

// stuck reports whether a posted job should have gone on or have been skipped.
func (b *book) stuck(j *life) bool {
	open, lost := 0, false
	for _, need := range j.fact.Needs {
		switch n := b.jobs[need]; {
		case n == nil || !n.ended():
			open++
		case n.state != "finalized":
			lost = !j.fact.AnyEnd
		}
	}
	if j.state == "delegated" {
		return j.openChildren() == 0 && j.ending == nil
	}
	return j.state == "posted" && (lost || open == 0 && (j.funded || j.reward == 0) && !j.fact.Lazy)
}

// startable finds the job that comes first, if nothing keeps it from starting.
func (b *book) startable() *life {
	var first *life
	for _, j := range b.order {
		if b.waits(j) && !b.pausedJob(j) && (first == nil || j.before(first)) {
			first = j
		}
	}
	limit := b.count("delegation.background_limit")
	if first == nil || b.status != "running" || limit > 0 && b.running() >= limit {
		return nil
	}
	if first.budgets[0] > b.money["ENERGY capacity"] || first.budgets[1] > b.money["COMPUTE capacity"] || b.price(first) > b.affords(first) {
		return nil
	}
	for _, id := range b.pools {
		if b.able(b.staff[id], first) {
			return first
		}
	}
	return nil
}
