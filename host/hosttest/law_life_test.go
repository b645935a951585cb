package hosttest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
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
		b.law(j.state == "assigned" && b.status == "running", "%s starts in state %s of a mission that is %s", j.id, j.state, b.status)
		j.state = "running"
	case "attempt_released":
		b.law(b.rec.Input.Command == "start" && j.state == "running" && j.held == nil && j.worker.exec, "%s is released", j.id)
		j.lease = b.seq
	case "attempt_voided":
		b.law(j.state == "running" && j.held == nil && (b.status == "stopped" || b.status == "emergency"), "%s is voided in state %s of a mission that is %s", j.id, j.state, b.status)
		b.used(j, 0, 0)
		j.unstake(j.stake)
		j.free()
		j.state = "ready"
	case "result_held":
		b.law(b.status == "paused", "a result is held and the mission is %s", b.status)
		b.fenced(j, e.Attempt)
		j.held = e
	case "attempt_submitted":
		j.fixed = b.seq
		b.submitted(j, e)
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
}

func (b *book) ready(j *life) {
	b.law(j.state == "posted" && (b.status == "running" || b.status == "stopping" && j.fact.Lazy), "%s becomes ready in state %s of a mission that is %s", j.id, j.state, b.status)
	b.law(j.funded || j.reward == 0, "%s becomes ready without escrow", j.id)
	for _, need := range j.fact.Needs {
		n := b.jobs[need]
		b.law(n != nil && n.ended() && (n.state == "finalized" || j.fact.AnyEnd), "%s becomes ready before %s", j.id, need)
	}
	j.state, j.readyAt = "ready", b.at
}

// waits reports whether a job could be assigned, were there a worker.
func (b *book) waits(j *life) bool { return j.is("ready", "rejected") && j.retryAt <= b.at }

// before is the order in which jobs start.
func (j *life) before(o *life) bool {
	return j.fact.Priority > o.fact.Priority || j.fact.Priority == o.fact.Priority && j.index < o.index
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
	for _, o := range b.order {
		b.law(o == j || !b.waits(o) || !o.before(j) || !slices.Equal(o.fact.Skills, j.fact.Skills), "%s starts before %s", j.id, o.id)
	}
	for _, id := range b.pools {
		o := b.staff[id]
		better := o.id != j.last && (w.id == j.last || o.speed > w.speed)
		b.law(!better || !b.able(o, j), "%s does %s, where %s could", w.id, j.id, o.id)
	}
	if limit := b.count("delegation.background_limit"); limit > 0 {
		b.law(b.running() < limit, "%d jobs run already", b.running())
	}
	j.attempt, j.worker, j.working, j.lease, j.state, j.retryAt, j.undecided = e.Attempt, w, true, b.seq, "assigned", 0, 0
	j.prices = [2]micro{amountOf(e.EnergyPrice), amountOf(e.ComputePrice)}
	for i, name := range [...]string{"resources.energy.price", "resources.compute.price"} {
		b.law(j.budgets[i] == 0 || j.prices[i] == b.setting(name), "%s is assigned at price %s", j.id, j.prices[i])
	}
	w.load++
	b.locked(j)
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
	if w.draining || w.load >= w.slots || b.money["TOKEN worker:"+w.id] < part(j.reward, b.setting("governance.worker_stake_ratio")) {
		return false
	}
	for _, skill := range j.fact.Skills {
		if !slices.Contains(w.skills, skill) {
			return false
		}
	}
	return true
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
	b.law(in.Command == "result" || in.Command == "failure", "an answer for %s comes by %s", j.id, in.Command)
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
	b.used(j, used[0], used[1])
	j.held, j.state, j.submitted, j.digest, j.round = nil, "submitted", b.at, e.Digest, nil
	j.rejected = judged != nil && !judged.Approve
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
	if j.held == nil {
		b.fenced(j, e.Attempt)
	} else {
		b.law(b.status == "running" && j.held.Reason == e.Reason && e.Reason != "", "%s fails otherwise than it was held", j.id)
	}
	b.used(j, j.budgets[0], j.budgets[1])
	j.unstake(j.stake)
	b.lost(j, e, "ready")
}

func (b *book) rejectedJob(j *life, e *fact) {
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
	j.state, j.retryAt, j.held = state, e.Retry, nil
	j.free()
}

// end checks that a job has a right to its end.
func (b *book) ends(j *life, e *fact) {
	b.law(slices.Contains(terminal, e.State), "%s ends %s", j.id, e.State)
	b.law(b.status == "running" || b.status == "paused" || b.status == "stopping" || slices.Contains([]string{"order", "generation", "start"}, b.rec.Input.Command), "%s ends in a mission that is %s", j.id, b.status)
	may := false
	switch e.State + "/" + e.Reason {
	case "finalized/":
		may = j.state == "submitted" && b.count("governance.committee") == 0 && !j.rejected || j.round != nil && j.round.outcome == "approved"
		b.sums.Finalized++
	case "failed/attempts":
		may = j.is("ready", "rejected") && j.failures >= b.count("delegation.max_attempts")
	case "failed/exhausted":
		may = j.is("posted", "ready", "rejected") && b.settings["mission.on_exhausted"] == "fail"
	case "failed/undecided":
		may = j.undecided == 2
	case "failed/input_error":
		may = j.state == "posted" && j.fact.Lazy
	case "skipped/need_ended":
		for _, need := range j.fact.Needs {
			n := b.jobs[need]
			may = may || n != nil && n.ended() && n.state != "finalized"
		}
		may = may && j.state == "posted" && !j.fact.AnyEnd
	case "expired/deadline":
		may = j.is("ready", "running", "rejected") && j.fact.Deadline > 0 && b.at >= j.readyAt+j.fact.Deadline && j.held == nil
	case "expired/duration":
		may = b.at >= durationOf(b.settings["mission.duration"]) && b.settings["mission.duration"] != "0"
	case "expired/stalled":
		may = b.rec.Input.Command == "stall"
	case "cancelled/owner":
		may = b.rec.Input.Command == "order" && b.rec.Input.Order == "cancel" && b.rec.Input.Job == j.id
	case "cancelled/removed":
		may = b.rec.Input.Command == "generation"
	}
	b.law(may, "%s ends %s (%s) after %s", j.id, e.State, e.Reason, j.state)
	b.settle(j, e)
	j.state, j.held = e.State, nil
	j.free()
	b.open--
	switch e.State {
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
	}
	b.law(j.round == nil || j.round.outcome != "", "%s ends with an open round", j.id)
	j.unstake(j.stake)
	j.due("escrow_return", j.escrow)
	j.escrow = 0
}

// judged takes an event of a round.
func (b *book) judged(j *life, e *fact) {
	if e.Type != "round_opened" {
		b.law(j.round != nil && j.round.number == e.Round && j.round.outcome == "", "%s of round %d of %s, which is not open", e.Type, e.Round, j.id)
		if b.broken != nil {
			return
		}
	}
	switch e.Type {
	case "round_opened":
		b.opened(j, e)
	case "votes_committed":
		b.committed(j, e)
	case "reveal_opened":
		done, some := j.round.done()
		b.law(j.state == "committing" && some && (done || b.at >= j.round.due), "%s reveals in state %s before %d", j.id, j.state, j.round.due)
		j.state, j.round.due = "revealing", e.Due
		b.law(e.Due == b.at+durationOf(b.settings["governance.reveal_window"])+durationOf(b.settings["governance.validator_timeout"]), "round %d of %s reveals until %d", e.Round, j.id, e.Due)
	case "votes_revealed":
		b.revealed(j, e)
	case "votes_abstained":
		for _, i := range e.Silent {
			b.law(j.is("committing", "revealing") && i >= 0 && i < len(j.round.seats) && j.round.seats[i].commitment != "" && j.round.seats[i].vote == "", "seat %d of %s abstains in state %s", i, j.id, j.state)
			if b.broken == nil {
				j.round.seats[i].vote = "abstain"
			}
		}
	case "round_closed":
		b.closed(j, e)
	default:
		b.law(false, "an event of no known type: %s", e.Type)
	}
}

func (b *book) opened(j *life, e *fact) {
	b.law(j.state == "submitted" && b.status == "running" && e.Round == j.rounds+1, "round %d of %s opens in state %s after %d", e.Round, j.id, j.state, j.rounds)
	b.law(int64(len(e.Seats)) == b.count("governance.committee"), "round %d of %s has %d seats", e.Round, j.id, len(e.Seats))
	b.law(e.Due == b.at+durationOf(b.settings["governance.commit_window"]), "round %d of %s commits until %d", e.Round, j.id, e.Due)
	stake, sat := b.setting("governance.validator_stake"), map[string]bool{}
	j.rounds, j.state, j.round = e.Round, "committing", &round{number: e.Round, due: e.Due}
	for i, id := range e.Seats {
		v := b.validators[id]
		b.law(v != nil && !v.draining && !sat[id], "seat %d of %s is %s", i, j.id, id)
		sat[id] = true
		j.round.seats = append(j.round.seats, seat{validator: v, stake: stake})
		j.due(fmt.Sprintf("seat/%d", i), stake)
	}
}

// done reports whether every seat has done what its phase asks for, and whether
// any has committed.
func (r *round) done() (all, committed bool) {
	all = true
	for i := range r.seats {
		all = all && r.seats[i].commitment != ""
		committed = committed || r.seats[i].commitment != ""
	}
	return all, committed
}

func (b *book) committed(j *life, e *fact) {
	b.law(j.state == "committing" && b.status != "paused", "votes on %s in state %s", j.id, j.state)
	for _, v := range e.Votes {
		b.law(v.Seat < len(j.round.seats) && j.round.seats[v.Seat].commitment == "" && v.Commitment != "", "seat %d of %s commits again", v.Seat, j.id)
		for i := range j.round.seats {
			b.law(j.round.seats[i].commitment != v.Commitment, "seat %d of %s copies a commitment", v.Seat, j.id)
		}
		if b.broken == nil {
			j.round.seats[v.Seat].commitment = v.Commitment
		}
	}
}

func (b *book) revealed(j *life, e *fact) {
	b.law(j.state == "revealing" && b.status != "paused", "reveals of %s in state %s", j.id, j.state)
	for _, v := range e.Votes {
		b.law(v.Seat < len(j.round.seats) && j.round.seats[v.Seat].vote == "", "seat %d of %s reveals again", v.Seat, j.id)
		if b.broken != nil {
			return
		}
		s := &j.round.seats[v.Seat]
		b.law(b.commitment(j, s, v.Vote, v.Reason, v.Salt) == s.commitment, "seat %d of %s reveals what it did not commit to", v.Seat, j.id)
		s.vote = v.Vote
	}
}

// commitment is the layout of docs/journal.md, written out once more.
func (b *book) commitment(j *life, s *seat, vote, reason, salt string) string {
	h := sha256.New()
	field := func(bytes []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(bytes)))
		h.Write(n[:])
		h.Write(bytes)
	}
	unhex := func(text string) []byte {
		raw, err := hex.DecodeString(text)
		b.law(err == nil && len(raw) == 32, "%q is no hex", text)
		return raw
	}
	grain, err := base64.StdEncoding.DecodeString(salt)
	b.law(err == nil && (len(grain) == 32 || salt == ""), "%q is no salt", salt)
	grain = append(grain, make([]byte, 32-len(grain))...) // zeros are left out
	said := sha256.Sum256([]byte(reason))
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], uint64(j.round.number))
	for _, bytes := range [][]byte{
		[]byte("omega.commit/v1"), []byte(b.mission), []byte(j.id), number[:], unhex(s.validator.key), unhex(j.digest), []byte(vote), said[:], grain,
	} {
		field(bytes)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (b *book) closed(j *life, e *fact) {
	var absent []int
	waiting := false
	for i := range j.round.seats {
		s := &j.round.seats[i]
		if s.vote == "" {
			absent = append(absent, i)
			waiting = waiting || s.commitment != ""
		}
	}
	late := j.fact.Window > 0 && b.at >= j.submitted+j.fact.Window
	_, some := j.round.done()
	switch {
	case e.Outcome == "cancelled":
	case e.Outcome == "undecided" && late:
	default:
		b.law(e.Outcome == b.tally(j), "round %d of %s is %s; the votes say %s", e.Round, j.id, e.Outcome, b.tally(j))
		b.law(!waiting && j.state == "revealing" || !some && b.at >= j.round.due || j.state == "revealing" && b.at >= j.round.due, "round %d of %s closes early", e.Round, j.id)
	}
	if e.Outcome != "cancelled" {
		b.law(slices.Equal(absent, e.Absent), "round %d of %s lacks %v, it says %v", e.Round, j.id, absent, e.Absent)
	}
	j.round.outcome = e.Outcome
	b.settledSeats(j)
	if e.Outcome == "undecided" {
		j.state, j.undecided = "submitted", j.undecided+1
	}
}

// tally counts a round by the rules of quorum.
func (b *book) tally(j *life) string {
	count, stake := map[string]int{}, map[string]micro{}
	revealed, weight := 0, micro(0)
	for _, s := range j.round.seats {
		if s.vote != "" {
			revealed++
			count[s.vote]++
			stake[s.vote] += s.stake
			weight += s.stake
		}
	}
	seats := len(j.round.seats)
	switch {
	case revealed*3 < seats*2:
	case int64(count["approve"]) >= b.count("governance.approvals_required") && stake["approve"]*3 >= weight*2:
		return "approved"
	case count["reject"] >= seats/2+1 && stake["reject"]*3 >= weight*2:
		return "rejected"
	}
	return "undecided"
}

// after checks what must hold between entries.
func (b *book) after() {
	b.law(len(b.pending) == 0, "not moved: %q", b.pending)
	for _, j := range b.order {
		b.law(b.full() || b.rec.Refused != nil || b.status != "running" || !b.stuck(j), "%s is %s, and nothing it waits for is missing", j.id, j.state)
		b.law(len(j.expected) == 0, "the movements of %s differ from the rules by %v", j.id, j.expected)
		b.law(!j.is("assigned") && (j.state == "running") == j.working, "%s is %s after an entry", j.id, j.state)
		if b.rec.Input.Command == "start" && j.state == "running" && j.held == nil && j.worker.exec {
			b.law(j.lease == b.seq, "%s is not released by the new host", j.id)
		}
		b.law(j.state != "running" || j.held != nil || b.status != "stopped" && b.status != "emergency", "%s runs in a mission that is %s", j.id, b.status)
	}
	b.balanced()
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
	return j.state == "posted" && (lost || open == 0 && (j.funded || j.reward == 0) && !j.fact.Lazy)
}

// startable finds the job that comes first, if nothing keeps it from starting.
func (b *book) startable() *life {
	var first *life
	for _, j := range b.order {
		if b.waits(j) && (first == nil || j.before(first)) {
			first = j
		}
	}
	limit := b.count("delegation.background_limit")
	if first == nil || b.status != "running" || limit > 0 && b.running() >= limit {
		return nil
	}
	price := cost(first.budgets[0], b.setting("resources.energy.price")) + cost(first.budgets[1], b.setting("resources.compute.price"))
	if first.budgets[0] > b.money["ENERGY capacity"] || first.budgets[1] > b.money["COMPUTE capacity"] || price > b.money["TOKEN "+b.owner()] {
		return nil
	}
	for _, id := range b.pools {
		if b.able(b.staff[id], first) {
			return first
		}
	}
	return nil
}
