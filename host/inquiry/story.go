package inquiry

import (
	"encoding/hex"
	"fmt"
	"path"
	"slices"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// Story follows one job and its family through the record.
type Story struct {
	family
	spec      core.JobSpec
	out       Explanation
	relatives map[string]*Relative // whose end has to be noticed
	attempts  recent[*AttemptOf]
	rounds    recent[*RoundOf]
	decisions recent[*DecisionOf]
	waits     waits
	attempt   *AttemptOf // under way
	round     *RoundOf
	tree      *member // the job itself, also after its end
	below     Tally
	returned  ledger.Amount // of the escrow
	askedIn   core.JobState // when a person was asked
}

type attemptSums struct{ stake, slashed, paid, resources, energy, compute ledger.Amount }

type seatSums struct{ stake, slashed, paid ledger.Amount }

// NewStory begins the story of the job a Finder has found.
func NewStory(spec core.JobSpec) *Story {
	s := &Story{family: newFamily(spec.ID), spec: spec, relatives: map[string]*Relative{}}
	s.moved, s.done = s.move, s.memberEnded
	s.out = Explanation{
		Schema: explainSchema, Job: spec.ID, Name: nameOf(&spec), Title: spec.Title, State: core.JobPostedState,
		Terms: Terms{
			Block: spec.Block, Skills: spec.Skills, Reward: spec.Reward.String(), EnergyBudget: spec.EnergyBudget.String(), ComputeBudget: spec.ComputeBudget.String(),
			Deadline: spec.Deadline, Priority: spec.Priority.String(), Required: spec.Required,
		},
		Needs: Relatives{Items: []*Relative{}}, NeededBy: Relatives{Items: []*Relative{}}, Children: Relatives{Items: []*Relative{}},
	}
	for _, need := range spec.Needs {
		if r := s.relate(&s.out.Needs, &core.JobSpec{ID: need}); r != nil {
			r.State = ""
		}
	}
	if spec.Parent != "" {
		s.out.Parent = &Relative{Job: spec.Parent, Name: spec.Parent}
		s.relatives[spec.Parent] = s.out.Parent
	}
	return s
}

// relate adds a job to a list of relatives. All are counted, the first are
// followed.
func (s *Story) relate(list *Relatives, spec *core.JobSpec) *Relative {
	list.Total++
	if len(list.Items) == mostRelatives {
		return nil
	}
	r := &Relative{Job: spec.ID, Name: nameOf(spec), State: core.JobPostedState}
	s.relatives[spec.ID] = r
	list.Items = append(list.Items, r)
	return r
}

// Apply takes the next entry.
func (s *Story) Apply(e *core.Entry) {
	s.order(e)
	for _, event := range e.Events {
		s.event(e.At, event)
		switch ev := event.(type) {
		case *core.JobPosted:
			s.posted(e.At, &ev.Spec)
		case *core.JobEnded:
			s.ended(e, ev)
		case *core.JobReady, *core.JobAssigned, *core.AttemptStarted, *core.AttemptReleased, *core.AttemptVoided, *core.AttemptSubmitted,
			*core.AttemptDelegated, *core.JobResumed, *core.AttemptFailed, *core.AttemptRejected, *core.ResultHeld:
			s.attempted(e, event)
		case *core.RoundOpened, *core.VotesCommitted, *core.RevealOpened, *core.VotesRevealed, *core.VotesAbstained, *core.SeatsReminded,
			*core.SeatEquivocated, *core.RoundClosed:
			s.voted(e, event)
		case *core.JobsUnattended, *core.ApprovalAsked, *core.ApprovalGiven, *core.JobEnding:
			s.decided(e, event)
		case *core.VerdictGiven, *core.JobExpedited, *core.RewardBoosted, *core.SkillPaused, *core.SkillResumed:
			s.steered(e, event)
		}
	}
	s.entryDone()
}

func (s *Story) posted(at core.Time, spec *core.JobSpec) {
	if r := s.relatives[spec.ID]; r != nil {
		r.Name, r.State = nameOf(spec), core.JobPostedState
	}
	switch {
	case spec.ID == s.spec.ID:
		s.tree, s.out.PostedAt, s.out.Since = s.open[spec.ID], at, at
		s.out.Terms.Employer = s.tree.employer
	case spec.Parent == s.spec.ID:
		s.relate(&s.out.Children, spec)
	case slices.Contains(spec.Needs, s.spec.ID):
		s.relate(&s.out.NeededBy, spec)
	}
}

func (s *Story) ended(e *core.Entry, ev *core.JobEnded) {
	if r := s.relatives[ev.Job]; r != nil {
		r.State = ev.State
		delete(s.relatives, ev.Job)
	}
	if ev.Job != s.spec.ID {
		return
	}
	s.state(e.At, ev.State)
	s.out.EndedAt, s.out.Reason, s.out.Detail = ref(e.At), ev.Reason, ev.Detail
	if a := s.attempt; a != nil {
		a.sums.energy, a.sums.compute = a.sums.energy+ev.EnergyUsed, a.sums.compute+ev.ComputeUsed
		outcome := "cut short"
		if ev.State == core.JobFinalized {
			outcome = "approved"
		}
		s.endAttempt(e.At, outcome, "", "")
	}
	s.decide(e, "job_ended", "ended as "+string(ev.State), ev.Reason, ev.Detail)
}

// memberEnded keeps what the family came to when its head has ended.
func (s *Story) memberEnded(m *member) {
	if m == s.tree {
		s.below = m.below
	}
}

func ref[T any](v T) *T { return &v }

func (s *Story) state(at core.Time, state core.JobState) {
	if s.out.State != state {
		s.out.State, s.out.Since = state, at
	}
}

// move adds a movement to what an attempt and its seats come to.
func (s *Story) move(m *movement) {
	if m.job != s.tree {
		return
	}
	if m.kind == core.StepEscrowReturn {
		s.returned += m.amount
	}
	if a := s.lastAttempt(); a != nil {
		switch m.kind {
		case core.StepStake:
			a.sums.stake += m.amount
		case core.StepUsage:
			a.sums.resources += m.amount
		}
		if gets := workerGets(m.kind, m.amount); gets < 0 {
			a.sums.slashed -= gets
		} else {
			a.sums.paid += gets
		}
	}
	if m.validator == "" || s.round == nil {
		return
	}
	seat := s.round.Seats[m.seat]
	if m.kind == core.StepSeat {
		seat.sums.stake += m.amount
	}
	if gets := seatGets(m.kind, m.amount); gets < 0 {
		seat.sums.slashed -= gets
	} else {
		seat.sums.paid += gets
	}
}

// Explain writes the story as of the last entry applied; state is the one after
// it.
func (s *Story) Explain(state *core.State) *Explanation {
	out := s.out
	out.Mission, out.Seq, out.At = state.Spec().Mission.Name, state.Seq(), state.Now()
	for id, r := range s.relatives {
		if j := state.Job(id); j != nil && r.State != "" {
			r.State = j.State
		}
	}
	own, below := s.tree.own, s.below
	if j := state.Job(s.spec.ID); j != nil && out.EndedAt == nil {
		out.State, out.Waiting = j.State, state.Waiting(j)
		if out.Reason, out.Detail = j.Reason, j.Detail; out.ReadyAt != nil && j.Spec.Deadline > 0 {
			out.DueAt = ref(*out.ReadyAt + core.Time(j.Spec.Deadline))
		}
		below = s.family.below()[s.tree]
	}
	s.lists(&out)
	out.Cost, out.Below, out.Tree = own.spell(), below.spell(), (own.Cost() + below.Cost()).String()
	out.Returned = s.returned.String()
	return &out
}

func (s *Story) lists(out *Explanation) {
	out.Attempts, out.Rounds, out.Votes, out.Decisions = []*AttemptOf{}, []*RoundOf{}, []*SeatOf{}, []*DecisionOf{}
	out.Waits = append([]*WaitOf{}, s.waits.items...)
	out.Totals = Totals{s.attempts.total, s.rounds.total, s.decisions.total, s.waits.total}
	for _, a := range s.attempts.items {
		a.spell()
		out.Attempts = append(out.Attempts, a)
	}
	for _, r := range s.rounds.items {
		out.Rounds = append(out.Rounds, r)
		for _, seat := range r.Seats {
			seat.Stake, seat.Slashed, seat.Paid = seat.sums.stake.String(), seat.sums.slashed.String(), seat.sums.paid.String()
			out.Votes = append(out.Votes, seat)
		}
	}
	out.Decisions = append(out.Decisions, s.decisions.items...)
}

func (a *AttemptOf) spell() {
	a.Stake, a.Slashed, a.Paid, a.Resources = a.sums.stake.String(), a.sums.slashed.String(), a.sums.paid.String(), a.sums.resources.String()
	a.EnergyUsed, a.ComputeUsed = a.sums.energy.String(), a.sums.compute.String()
}

// fileOf is a file of an attempt and where it lies.
func fileOf(f core.File) FileOf {
	digest := hex.EncodeToString(f.Digest[:])
	return FileOf{f.Name, digest, f.Size, path.Join("blobs", digest)}
}

// order takes what the owner said about the job, and how it was answered.
func (s *Story) order(e *core.Entry) {
	o, ok := e.Command.(*core.Order)
	if !ok || o.Job != s.spec.ID {
		return
	}
	for _, event := range e.Events {
		taken, ok := event.(*core.OrderTaken)
		if !ok {
			continue
		}
		text := fmt.Sprintf("the owner ordered %s", o.Say)
		if taken.Refusal == "" {
			s.decide(e, string(o.Say), text, "", o.Reason)
			continue
		}
		s.decide(e, string(o.Say), text+", refused", taken.Refusal, taken.Detail)
	}
}

func (s *Story) decide(e *core.Entry, what, text, reason, detail string) {
	if n := len(s.decisions.items); n > 0 && what == unattended && s.decisions.items[n-1].What == unattended {
		s.decisions.items[n-1].Text = text // it is said again and again
		return
	}
	s.decisions.add(&DecisionOf{Seq: e.Seq, At: e.At, What: what, By: e.By, Text: text, Reason: reason, Detail: detail})
}

const unattended = "jobs_unattended"

func (s *Story) decided(e *core.Entry, event core.Event) {
	switch ev := event.(type) {
	case *core.JobsUnattended:
		if slices.Contains(ev.Jobs, s.spec.ID) {
			s.decide(e, event.Name(), fmt.Sprintf("it has not started yet, one of %d ready jobs, the first since %s", ev.Count, ev.Since.Clock()), "", "")
		}
	case *core.ApprovalAsked:
		if ev.Job == s.spec.ID {
			s.askedIn = s.out.State
			s.state(e.At, core.JobAwaiting)
			text := "a person is asked"
			if n := len(ev.Children); n > 0 {
				text += fmt.Sprintf(" whether it may post %d children", n)
			}
			s.decide(e, event.Name(), text, ev.Reason, ev.Detail)
		}
	case *core.ApprovalGiven:
		if ev.Job == s.spec.ID {
			s.given(e, ev)
		}
	case *core.JobEnding:
		if ev.Job == s.spec.ID {
			s.decide(e, event.Name(), "it will end as "+string(ev.State)+" once its children have", ev.Reason, ev.Detail)
		}
	}
}

func (s *Story) given(e *core.Entry, ev *core.ApprovalGiven) {
	text := "denied"
	if ev.Approve {
		text = "approved"
	}
	s.state(e.At, s.askedIn)
	s.decide(e, ev.Name(), text, "", ev.Reason)
}
