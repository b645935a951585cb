package hosttest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/council"
	"github.com/omega-run/omega/host/ledger"
	"github.com/omega-run/omega/host/missionfile"
	"github.com/omega-run/omega/host/worker"
)

// chaos is the faulty part of a run.
func (w *world) chaos(steps int) {
	for i := range steps {
		w.step(i)
		if w.drop.step[i] {
			continue
		}
		if w.host == nil {
			w.betweenHosts()
			w.open(true)
		}
		if w.host.Over() == "" {
			w.act()
		}
		if w.host != nil && w.failed() {
			w.die()
		}
		if w.host != nil && w.host.Over() != "" {
			ended := w.host.Over() == "ended"
			w.leave(w.host.Over())
			if ended {
				return
			}
		}
	}
}

// act is one thing that happens.
func (w *world) act() {
	if chance(w.r, 10) {
		w.take()
		return
	}
	if chance(w.r, 25) && w.outsiders() {
		return
	}
	if chance(w.r, 15) && w.askPolicies(15) {
		return
	}
	if chance(w.r, 40) && w.advise() {
		return
	}
	switch roll := w.r.IntN(100); {
	case roll < 30:
		w.turn()
	case roll < 46:
		w.pump()
	case roll < 58:
		w.pass()
	case roll < 78:
		if all := w.answerable(); len(all) > 0 {
			a := pick(w.r, all...)
			if a.does != "hang" && (a.does != "late" || chance(w.r, 20)) {
				if w.finish(a); chance(w.r, 85) {
					w.take()
				}
			}
		}
	case roll < 83:
		w.order()
	case roll < 86:
		w.speakLate()
	case roll < 89:
		w.meddle()
	case roll < 93:
		w.outsiders()
	case roll < 96:
		if chance(w.r, 25) {
			w.disk.arm(w.r, 8)
		}
		w.save()
	case roll < 97:
		w.die()
	case roll < 99:
		w.disk.arm(w.r, 12)
	default:
		w.leave("asked to leave")
	}
}

// take lets the loop take its inbox and nothing else; now and then somebody
// votes before the host does.
func (w *world) take() {
	for range 1 + w.r.IntN(3) {
		err := w.host.Take()
		w.must(w.excuse(err), "the loop ends: %v", err)
		if err != nil || w.failed() {
			w.die()
			return
		}
		switch roll := w.r.IntN(100); {
		case roll < 60:
			w.meddle()
		case roll < 75:
			w.say(w.orderTo(core.Pause))
		default:
			return
		}
	}
}

// pass lets wall time go on: to what is due next, or short of it, or beyond.
func (w *world) pass() {
	wait, ok := w.host.Next()
	if until, asked := w.untilAdvice(); asked && (!ok || until < wait) && chance(w.r, 70) {
		wait, ok = until, true
	}
	if !ok || chance(w.r, 10) {
		wait = time.Duration(w.r.IntN(90_000)) * time.Millisecond
	}
	if chance(w.r, 20) {
		wait += time.Duration(w.r.IntN(3)-1) * time.Millisecond
	}
	if chance(w.r, 4) {
		wait += time.Duration(w.r.IntN(10_000)) * time.Second // the machine slept
	}
	if chance(w.r, 4) {
		wait = -time.Duration(w.r.IntN(4000)) * time.Second // somebody has set the clock back
		w.did["clocks set back"]++
	} else {
		wait = max(0, wait)
	}
	w.wall = w.wall.Add(wait)
}

// betweenHosts is what happens while no host runs.
func (w *world) betweenHosts() {
	w.wall = w.wall.Add(time.Duration(w.r.IntN(100_000)) * time.Millisecond)
	if chance(w.r, 35) {
		next := w.plan.edited(w.r)
		if len(w.lines) == 0 {
			next.accounts, next.treasury = w.plan.accounts, "" // nothing is minted yet
		}
		var problems missionfile.Diagnostics
		if w.mission, problems = next.compile(); w.mission != nil {
			w.plan = next
			w.did["edits"]++
		} else {
			w.did["broken files: "+problems[0].Summary]++
			if len(w.lines) == 0 {
				w.mission, _ = w.plan.compile()
			}
		}
	} else if w.mission == nil {
		w.mission, _ = w.plan.compile()
	}
	if chance(w.r, 20) {
		w.control = append(w.control, w.newOrder())
	}
	if chance(w.r, 70) && w.book.held != nil {
		w.control = append(w.control, w.orderTo(core.ApplyEdit))
	}
	if chance(w.r, 50) && (w.book.status == "stopped" || w.book.status == "emergency") {
		w.control = append(w.control, w.orderTo(core.Resume))
	}
}

// orderTo is a new order of the owner.
func (w *world) orderTo(say core.OrderKind) *core.Order {
	w.sent++
	o := &core.Order{ID: fmt.Sprintf("order-%d", w.sent), Key: [32]byte(w.owner.Public().(ed25519.PublicKey)), Counter: int64(w.sent), Say: say}
	if jobs := w.book.order; len(jobs) > 0 && say == core.CancelJob {
		if families := w.delegated(); len(families) > 0 && chance(w.r, 50) {
			jobs = families
		}
		o.Job, o.Reason = pick(w.r, jobs...).id, "as the seed wants"
	}
	if say == core.PostJob {
		o.Post = w.newJob()
		if chance(w.r, 60) {
			o.Ruling = w.ruling(core.HookPost, 5)
		}
	}
	if held := w.book.held; say == core.ApplyEdit && held != nil && chance(w.r, 85) {
		raw, err := hex.DecodeString(held.digest)
		w.must(err == nil, "%q is no digest", held.digest)
		o.Edit = core.Digest(raw)
	}
	if waiting := w.awaiting(); len(waiting) > 0 && (say == core.Approve || say == core.Deny) {
		o.Job = pick(w.r, waiting...).id
	} else if len(w.book.order) > 0 && (say == core.Approve || say == core.Deny) {
		o.Job = pick(w.r, w.book.order...).id
	}
	if id := w.proposal(); id != "" && chance(w.r, 70) && (say == core.Approve || say == core.Deny) {
		o.Job = id
	}
	o.Body = sha256.Sum256(fmt.Appendf(nil, "%d %s %s", w.sent, say, o.Job))
	return o
}

func (w *world) newOrder() *core.Order {
	return w.orderTo(pick(w.r, core.Pause, core.Pause, core.Resume, core.Resume, core.Resume, core.Stop, core.EmergencyStop, core.CancelJob, core.PostJob, core.PostJob, core.Approve, core.Deny, core.ApplyEdit, "dance"))
}

// newJob is a job the owner posts, now and then one that cannot be.
func (w *world) newJob() *core.JobSpec {
	j := &core.JobSpec{Skills: []string{pick(w.r, "a", "b", "nobody")}, Reward: pick[ledger.Amount](w.r, 0, 1, 10_000_001, 50_000_000, 5_000_000_000, -1), Work: pick(w.r, 0, core.Minute)}
	if chance(w.r, 30) {
		j.ID = pick(w.r, "j0", "extra", "Wrong")
	}
	if chance(w.r, 30) {
		j.EnergyBudget = pick[ledger.Amount](w.r, 1, 333_333_333, 1_000_000_000, 20_000_000_000)
	}
	if jobs := w.book.order; len(jobs) > 0 && chance(w.r, 30) {
		j.Needs = []string{pick(w.r, jobs...).id}
		j.AnyEnd = chance(w.r, 50)
	}
	j.Required = chance(w.r, 50)
	if chance(w.r, 30) {
		j.Employer = pick(w.r, "acme0", "acme1", "nobody")
	}
	if chance(w.r, 40) {
		j.Delegate = w.plan.kids(w.r, j.Reward/3, 2, true)
	}
	return j
}

// order sends an order: a new one, one that was sent before, or one that goes
// under a name that was used.
func (w *world) order() {
	o := w.newOrder()
	if n := len(w.control); n > 0 && chance(w.r, 25) {
		before := *pick(w.r, w.control...)
		switch w.r.IntN(3) {
		case 1:
			w.sent++
			before.Body[0], before.Counter = before.Body[0]^1, int64(w.sent)
		case 2:
			before.ID += "-again" // and an old counter
		}
		o = &before
	}
	if chance(w.r, 5) {
		o.Key[0] ^= 1
	}
	w.say(o)
	if chance(w.r, 20) {
		w.host.Order(o)
	}
}

// say gives an order to the host that runs.
func (w *world) say(o *core.Order) {
	w.control = append(w.control, o)
	if o.Say == core.EmergencyStop {
		w.attempts = nil // killed ahead of the record
	}
	w.host.Order(o)
}

// speakLate says what nobody asked for, or asked for once: an answer under an
// old token, of an attempt that is over, of a job there never was.
func (w *world) speakLate() {
	if len(w.old) == 0 {
		return
	}
	a := pick(w.r, w.old...)
	if w.r.IntN(4) == 0 {
		a = w.old[len(w.old)-1]
	}
	switch w.r.IntN(10) {
	case 0:
		a.number++
	case 1:
		a.lease--
	case 2:
		a.job = "nobody"
	}
	if a.cause > w.acked {
		return
	}
	w.did["answers nobody asked for"]++
	if chance(w.r, 15) {
		w.admitLate()
		return
	}
	if chance(w.r, 15) {
		w.host.Send("worker:w0", &core.Delegate{Job: a.job, Attempt: a.number, Lease: a.lease, EnergyUsed: core.Unreported, Children: []core.JobSpec{
			{ID: core.ChildID(a.job, 1+w.r.IntN(3)), Skills: []string{"a"}, Reward: pick[ledger.Amount](w.r, 0, 1, 5_000_000, -1)},
		}})
		return
	}
	if chance(w.r, 30) {
		w.host.Send("worker:w0", &core.Failure{Job: a.job, Attempt: a.number, Lease: a.lease, Reason: string(worker.FaultExit)})
		return
	}
	result := &core.Result{Job: a.job, Attempt: a.number, Lease: a.lease, Result: w.result(), EnergyUsed: core.Unreported, ComputeUsed: pick[ledger.Amount](w.r, core.Unreported, 5, 1<<50)}
	if w.plan.committee == 0 {
		result.Judged = &core.Judgement{Approve: chance(w.r, 60)}
	}
	w.host.Send("worker:w0", result)
}

// meddle votes before the host does: against it, or for some seats only, or
// with a vote that can never be revealed.
func (w *world) meddle() {
	for _, j := range w.book.order {
		if j.round == nil || j.round.outcome != "" || j.is("finalized", "failed") || !chance(w.r, 70) {
			continue
		}
		w.meddled[j.id] = true
		w.did["meddled with a round "+j.state]++
		switch {
		case j.state == "committing":
			w.vote(j)
		case j.state == "revealing":
			w.reveal(j)
		default:
			continue
		}
		return
	}
}

func (w *world) vote(j *life) {
	command := &core.Commit{Job: j.id, Round: j.round.number}
	all, most := chance(w.r, 70), pick(w.r, council.Approve, council.Reject)
	for i := range j.round.seats {
		if s := &j.round.seats[i]; s.commitment == "" && s.validator.kind != "outside" && (all || chance(w.r, 65)) {
			command.Votes = append(command.Votes, w.ballot(j, i, most, all))
		}
	}
	if n := len(command.Votes); n > 1 && chance(w.r, 5) {
		command.Votes[0].Commitment = command.Votes[n-1].Commitment
	}
	if len(command.Votes) > 0 {
		w.host.Send("council", command)
	}
}

// reveal says what some seats have sealed, and now and then something else.
func (w *world) reveal(j *life) {
	command := &core.Reveal{Job: j.id, Round: j.round.number}
	for i := range j.round.seats {
		s := &j.round.seats[i]
		open, known := w.votes[s.commitment]
		if !known || s.vote != "" || s.validator.kind == "outside" || chance(w.r, 8) {
			continue
		}
		open.Seat = int64(i)
		if chance(w.r, 4) {
			open.Vote = "approve"
		}
		command.Votes = append(command.Votes, open)
	}
	if len(command.Votes) == 0 && chance(w.r, 20) {
		command.Votes = []core.OpenVote{{Seat: int64(w.r.IntN(9)), Vote: "approve", Salt: [32]byte{1}}}
	}
	w.host.Send("council", command)
}

// ballot seals a seat's vote: the one most seats give, or where they may differ
// now and then another.
func (w *world) ballot(j *life, i int, vote council.Vote, differ bool) core.SealedVote {
	s, reason := &j.round.seats[i], pick(w.r, "", "as the seed wants")
	if differ && chance(w.r, 50) {
		vote = pick(w.r, council.Approve, council.Reject, council.Abstain)
	}
	sealer := council.NewSealer(council.Secret(w.secret, s.validator.id))
	salt := sealer.Salt(missionID, j.id, int(j.round.number))
	plain, err := council.Plaintext(vote, reason)
	w.must(err == nil, "%v", err)
	v := core.SealedVote{Seat: int64(i)}
	v.Nonce, v.Box = sealer.Seal(missionID, j.id, int(j.round.number), plain[:])
	commitment := w.book.commitment(j, s, vote.String(), reason, base64.StdEncoding.EncodeToString(salt[:]))
	raw, err := base64.StdEncoding.DecodeString(commitment)
	w.must(err == nil && len(raw) == 32, "%v", err)
	v.Commitment = core.Digest(raw)
	w.votes[commitment] = core.OpenVote{Vote: vote.String(), Reason: reason, Salt: salt}
	if chance(w.r, 8) {
		v.Box = []byte("nobody can open this")
	}
	return v
}

// maxCalm bounds how long a mission may take to come to its end when nothing is
// in its way: far more than any of these needs.
const maxCalm = 20_000

// calm stops all faults and waits for the end.
func (w *world) calm() {
	if w.disk != nil {
		w.disk.gate(false)
	}
	if w.host != nil {
		w.settleWriter()
	}
	for range maxCalm {
		if w.host == nil {
			if s := w.book.status; s == "stopped" || s == "emergency" {
				w.control = append(w.control, w.orderTo(core.Resume))
			}
			w.open(false)
			w.disk.gate(false)
			w.settleWriter()
		}
		w.disk.disarm()
		w.acked = max(w.acked, w.host.Journal().Durable())
		if w.host.Over() == "" {
			w.turn()
		}
		if w.host == nil {
			continue
		}
		if over := w.host.Over(); over != "" {
			w.leave(over)
			if over == "ended" {
				return
			}
			continue
		}
		w.goOn()
	}
	w.fail("the mission does not end: it is %s with %d open jobs", w.book.status, w.book.open)
}

// goOn does the next thing that a world without faults does.
func (w *world) goOn() {
	wait, waits := w.host.Next()
	until, asked := w.untilAdvice()
	for _, work := range w.host.State().Outstanding() {
		w.must(work.Kind != core.AskPolicies, "the host rests, and %s waits for a verdict", work.Job.Spec.ID)
	}
	switch {
	case w.book.status == "paused":
		w.say(w.orderTo(core.Resume))
	case w.outsiders():
	case len(w.unruled) > 0:
		w.askPolicies(0)
	case len(w.awaiting()) > 0 && w.book.status == "running":
		w.say(w.orderTo(pick(w.r, core.Approve, core.Deny)))
		w.did["answered in the calm"]++
	case len(w.attempts) > 0:
		if w.attempts[0].does == "delegate" {
			w.attempts[0].does = pick(w.r, "delegate", "delegate", "ok")
		} else if w.attempts[0].does = "ok"; chance(w.r, 10) {
			w.attempts[0].does = "fail"
		}
		w.finish(w.attempts[0])
	case w.book.status == "stopping":
		w.host.Send("host", &core.Halt{})
	case asked && until == 0:
		w.host.Send("host", w.answerOf(w.firstAsked()))
	case asked && (!waits || until < wait):
		w.wall = w.wall.Add(until)
		w.host.Send("host", w.answerOf(w.firstAsked()))
	case waits:
		w.wall = w.wall.Add(wait)
	default:
		w.did["stalls"]++
		w.host.Send("mission", &core.Stall{})
	}
}

// atRest checks what must hold when everything is over.
func (w *world) atRest() {
	b := w.book
	w.must(b.status == "ended" && b.open == 0, "it ends %s with %d open jobs", b.status, b.open)
	for _, j := range b.order {
		w.must(j.ended(), "%s has no end: %s", j.id, j.state)
	}
	for name, amount := range b.money {
		if name == "ENERGY reserved" || name == "COMPUTE reserved" {
			w.must(amount == 0, "%s of %s is left over", amount, name)
		}
	}
	w.recover()
	w.open(false)
	w.must(w.host.State().Status() == core.Ended && w.host.Over() == "ended", "an ended mission goes on")
	w.sameState()
	w.audited()
	w.disk.gate(false)
	w.must(w.host.Close() == nil, "the journal of an ended mission cannot be closed")
}
