package core

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/omega-run/omega/host/ledger"
)

// orderBook remembers orders so that each is applied once, however often it is
// repeated.
type orderBook struct {
	taken   roll[orderTaken]
	counter map[[32]byte]int64
}

// orderTaken is an answered order. Behind its id stands the answer: nothing, or
// the code of a refusal, a space and the detail.
type orderTaken struct {
	body  [16]byte // the first half of its digest: enough to tell two bodies apart
	entry Seq
}

func newOrderBook() orderBook {
	return orderBook{counter: map[[32]byte]int64{}}
}

// take remembers an order and forgets those older than the retention, a page at
// a time.
func (b *orderBook) take(e *OrderTaken, entry Seq, now Time, keep Duration) {
	rest := ""
	if e.Refusal != "" {
		rest = e.Refusal + " " + e.Detail
	}
	b.taken.add(e.ID, rest, now, orderTaken{[16]byte(e.Body[:16]), entry})
	b.taken.forget(now - Time(keep))
	if e.Refusal != string(RefuseKeyUnknown) { // refused or not: it is not looked at again when its id is forgotten
		b.counter[e.Key] = max(b.counter[e.Key], e.Counter)
	}
}

// Acknowledged finds what was answered to an order, and in which entry: its id,
// body, refusal and detail.
func (s *State) Acknowledged(id string, body Digest) (answer OrderTaken, entry Seq, ok bool) {
	ok = s.orders.taken.find(id, func(t *orderTaken, rest []byte) bool {
		if t.body != [16]byte(body[:16]) {
			return false
		}
		entry, answer = t.entry, OrderTaken{ID: id, Body: body}
		answer.Refusal, answer.Detail, _ = strings.Cut(string(rest), " ")
		return true
	})
	return answer, entry, ok
}

// orderPage is a page of answered orders in the sealed state.
type orderPage page[orderTaken]

func (p *orderPage) fields(c *Codec) {
	var all []orderRecord
	if !c.reading {
		for i := range p.rows {
			id, rest := (*page[orderTaken])(p).text(i)
			r := &p.rows[i].record
			all = append(all, orderRecord{string(id), r.body, r.entry, string(rest)})
		}
	}
	records(c, "orders", &all)
	integer(c, "at", &p.last)
	if !c.reading {
		return
	}
	for i := range all {
		r := &all[i]
		c.state.orders.taken.add(r.id, r.refusal, p.last, orderTaken{r.body, r.entry})
	}
}

type orderRecord struct {
	id      string
	body    [16]byte
	entry   Seq
	refusal string // its code, a space and the detail
}

func (r *orderRecord) fields(c *Codec) {
	c.Text("order_id", &r.id)
	c.Base64("body", r.body[:])
	c.Seq("entry", &r.entry)
	c.Text("refusal", &r.refusal)
}

// order takes what the owner says. Whether it is obeyed or not, it is
// acknowledged by an event, so that it is never looked at twice.
func (s *State) order(o *Order) *Refusal {
	if _, _, ok := s.Acknowledged(o.ID, o.Body); ok {
		return refuse(RefuseOrderReplayed, o.ID)
	}
	answer := &OrderTaken{ID: o.ID, Key: o.Key, Counter: o.Counter, Body: o.Body}
	refusal := s.mayOrder(o)
	if refusal == nil {
		s.show(o)
		refusal = s.obey(o)
	}
	if refusal != nil {
		answer.Refusal, answer.Detail = string(refusal.Code), refusal.Detail
	}
	s.emit(answer)
	return nil
}

func (s *State) mayOrder(o *Order) *Refusal {
	if s.orders.taken.find(o.ID, func(*orderTaken, []byte) bool { return true }) {
		return refuse(RefuseOrderConflict, "this id was used for another order")
	}
	if o.Key != s.mission.OwnerKey {
		return refuse(RefuseKeyUnknown, "")
	}
	if last := s.orders.counter[o.Key]; o.Counter <= last {
		return refuse(RefuseOrderReplayed, fmt.Sprintf("counter %d is not above %d", o.Counter, last))
	}
	return nil
}

func (s *State) obey(o *Order) *Refusal {
	if s.status == Ended {
		return refuse(RefuseMissionEnded, "")
	}
	if o.Problem != "" {
		return refuse(RefuseOrderUnknown, o.Problem)
	}
	switch o.Say {
	case Pause:
		return s.pause()
	case Resume:
		return s.resume()
	case Stop:
		return s.stop()
	case EmergencyStop:
		return s.emergencyStop()
	case CancelJob:
		return s.cancel(o.Job, o.Reason)
	case Approve, Deny:
		if namesAction(o.Job) {
			return s.answerProposal(o)
		}
		return s.answer(o)
	case PostJob:
		return s.postOrdered(o.Post)
	case ApplyEdit:
		return s.approveEdit(o.Edit)
	}
	return refuse(RefuseOrderUnknown, string(o.Say))
}

// show records what policies say of a job the owner posts. It is obeyed whatever
// they say.
func (s *State) show(o *Order) {
	if o.Say != PostJob || o.Post == nil || o.Ruling == nil || s.UnfitRuling(HookPost, o.Ruling) != "" {
		return
	}
	s.heed(HookPost, s.idFor(o.Post), o.Ruling)
}

// idFor is the id of a job that the owner posts.
func (s *State) idFor(spec *JobSpec) string {
	if spec.ID == "" {
		return fmt.Sprintf("post-%d", s.seq)
	}
	return spec.ID
}

func (s *State) pause() *Refusal {
	switch s.status {
	case Running:
		s.emit(&MissionPaused{})
		return nil
	case Paused:
		return refuse(RefusePaused, "")
	}
	return refuse(RefuseMissionStopped, string(s.status))
}

// resume lets everything go on; results that came meanwhile are taken in the
// order of their work ids.
func (s *State) resume() *Refusal {
	switch {
	case s.status == Running:
		return refuse(RefuseNotPaused, "")
	case s.halted() && s.running > s.heldJobs:
		return refuse(RefuseMissionStopped, "running work is still being ended")
	}
	s.emit(&MissionResumed{})
	return nil
}

func (s *State) submitHeld() {
	if s.heldJobs == 0 {
		return
	}
	var held []*Job
	for _, j := range s.openJobs() {
		if j.held != nil {
			held = append(held, j)
		}
	}
	slices.SortFunc(held, func(a, b *Job) int { return strings.Compare(a.WorkID(), b.WorkID()) })
	for _, j := range held {
		if !s.roomInEntry() {
			return
		}
		switch r := j.held; {
		case r.Reason != "":
			s.fail(j, r.Reason, r.Detail)
		case len(r.Children) > 0:
			s.hand(j, r)
		default:
			s.submit(j, r)
		}
	}
}

// stop lets running work end.
func (s *State) stop() *Refusal {
	switch s.status {
	case Paused, Running:
	default:
		return refuse(RefuseMissionStopped, string(s.status))
	}
	s.emit(&MissionStopping{})
	return nil
}

// halt ends the grace of a stop.
func (s *State) halt() *Refusal {
	if s.status != Stopping {
		return refuse(RefuseNotOutstanding, "")
	}
	s.emit(&MissionStopped{})
	return nil
}

func (s *State) emergencyStop() *Refusal {
	if s.status == Emergency {
		return refuse(RefuseMissionStopped, string(s.status))
	}
	s.emit(&MissionStopped{Emergency: true})
	return nil
}

// voidRunning ends running attempts that nobody is to blame for: they pay
// nothing and do not count. Work that is done and held stays.
func (s *State) voidRunning() {
	if s.running == s.heldJobs {
		return
	}
	for _, j := range s.openJobs() {
		if !j.working || j.held != nil {
			continue
		}
		if !s.roomInEntry() {
			return
		}
		s.void(j, string(s.status))
	}
}

// start takes the mission up again. What ran in the former host's processes
// runs again under a new token; simulated work keeps its end.
func (s *State) start(c *Start) {
	s.emit(&HostStarted{Gap: c.Gap, Speed: c.Speed, Version: c.Version, HostKey: c.HostKey, Keys: c.Keys})
	if c.HostKey != [32]byte{} {
		s.abstain()
	}
	if s.status == Stopping {
		s.halt()
		return
	}
	for _, j := range s.openJobs() {
		if j.State == JobRunning && j.held == nil && j.Worker.Spec().Kind != Simulated {
			s.emit(&AttemptReleased{Job: j.Spec.ID, Attempt: j.Attempt})
		}
	}
}

var jobName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// maxReward keeps every sum over a mission within an int64.
const maxReward = ledger.Amount(1_000_000_000 * unitOne)

// postOrdered posts a job the owner asks for.
func (s *State) postOrdered(spec *JobSpec) *Refusal {
	if spec == nil {
		return refuse(RefuseInvalidJob, "the order carries no job")
	}
	job := *spec
	job.Generation, job.Block, job.Parent = s.generation, "", ""
	job.ID = s.idFor(spec)
	if refusal := s.mayPost(&job, nil); refusal != nil {
		return refusal
	}
	s.post(&job)
	return nil
}

// unfitFor says in a sentence why a job can never run, "" if it can. It may need
// those named.
func (s *State) unfitFor(j *JobSpec, named map[string]bool) string {
	switch {
	case len(j.Skills) == 0:
		return "a job needs at least one skill"
	case !slices.IsSorted(j.Skills):
		return "skills are not sorted"
	case !slices.ContainsFunc(s.pools, func(p *pool) bool { return p.staffed() && p.spec.Takes(j.Skills) }):
		return "no worker has the skills " + strings.Join(j.Skills, ", ")
	case j.Reward < 0 || j.Reward > maxReward:
		return "the reward is not between 0 and " + maxReward.String()
	case j.EnergyBudget < 0 || j.EnergyBudget > s.usage[0].limit:
		return "the energy budget is above the capacity of " + s.usage[0].limit.String()
	case j.ComputeBudget < 0 || j.ComputeBudget > s.usage[1].limit:
		return "the compute budget is above the capacity of " + s.usage[1].limit.String()
	case j.Work < 0 || j.Deadline < 0 || j.ValidationWindow < 0 || j.Timeout < 0 || int64(j.Work) > maxDuration:
		return "a duration is out of range"
	case j.Lazy || j.Accept:
		return "input and accept expressions belong in the mission file"
	}
	for _, need := range j.Needs {
		if !named[need] {
			return "it needs " + need + ", which is not posted"
		}
	}
	return ""
}
