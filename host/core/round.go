package core

import (
	"fmt"

	"github.com/omega-run/omega/host/council"
	"github.com/omega-run/omega/host/ledger"
)

// Outcomes of a round, beside approved and rejected.
const (
	outcomeUndecided = "undecided"
	outcomeCancelled = "cancelled" // its job was cancelled or ran out of the mission's time
)

// convene seats committees for submitted results, first come first served. A
// job whose committee cannot stake waits, and no window runs.
func (s *State) convene() {
	for s.roomInEntry() {
		if j := s.undrawn.front(waitsForCommittee); j == nil || !s.openRound(j) {
			return
		}
	}
}

func waitsForCommittee(j *Job) bool { return j.State == JobSubmitted }

// openRound draws a committee and locks its stakes, if enough validators can.
func (s *State) openRound(j *Job) bool {
	g := &s.spec.Governance
	round := j.Rounds + 1
	candidates, free := s.candidates(j)
	if int64(free) < g.Committee {
		return false
	}
	seed := council.Seed(uint64(s.spec.Mission.Seed), j.Answer.prev, j.Spec.ID, int(round))
	opened := &RoundOpened{Job: j.Spec.ID, Round: round, Seats: make([]string, 0, g.Committee), Due: s.now + Time(g.CommitWindow)}
	for _, i := range council.Draw(seed, candidates, int(g.Committee)) {
		opened.Seats = append(opened.Seats, s.validators[i].ID)
	}
	s.emit(opened)
	steps := s.steps(j)
	for i := range opened.Seats {
		steps.add(StepSeat, i, g.ValidatorStake)
	}
	steps.emit()
	return true
}

// candidates weighs every validator: its free stake, at most four seats' worth;
// 0 keeps it out. Those of the round that failed come last.
func (s *State) candidates(j *Job) (all []council.Candidate, able int) {
	stake := s.spec.Governance.ValidatorStake
	all = make([]council.Candidate, len(s.validators))
	for i, v := range s.validators {
		free := s.ledger.Free(v.account)
		if v.Draining || free < stake {
			continue
		}
		able++
		all[i] = council.Candidate{Weight: int64(max(1, min(free, 4*stake))), Last: j.seated(v) || v.Missed >= habit}
	}
	return all, able
}

func (j *Job) seated(v *Validator) bool {
	if j.Round == nil {
		return false
	}
	for i := range j.Round.Seats {
		if j.Round.Seats[i].Validator == v {
			return true
		}
	}
	return false
}

// round finds the open round an answer belongs to.
func (s *State) round(id string, number int64, state JobState) (*Job, *Refusal) {
	j := s.jobs[id]
	switch {
	case j == nil && !s.known(id):
		return nil, refuse(RefuseJobUnknown, id)
	case s.status == Paused:
		return nil, refuse(RefusePaused, "")
	case j == nil || j.State != state || j.Round.Number != number:
		return nil, refuse(RefuseVoteClosed, fmt.Sprintf("round %d of %s", number, id))
	}
	return j, nil
}

func (s *State) commit(c *Commit) *Refusal {
	phase := JobCommitting
	if j := s.jobs[c.Job]; j != nil && j.State == JobRevealing && len(c.Votes) == 1 && len(c.Votes[0].Signature) > 0 {
		phase = JobRevealing // it may prove that a seat has signed twice
	}
	j, refusal := s.round(c.Job, c.Round, phase)
	if refusal != nil {
		return refusal
	}
	for i := range c.Votes {
		if refusal := s.checkCommit(j, &c.Votes[i], c.Votes[:i]); refusal != nil {
			return refusal
		}
	}
	if twice := j.Round.equivocates(c.Votes); twice != nil {
		if len(c.Votes) > 1 {
			return refuse(RefuseVoteClosed, "a second commitment comes alone")
		}
		s.emit(&SeatEquivocated{Job: c.Job, Round: c.Round, Seat: twice.Seat, Commitment: twice.Commitment, Signature: twice.Signature})
		s.closeEarly(j)
		return nil
	}
	s.emit(&VotesCommitted{Job: c.Job, Round: c.Round, Votes: c.Votes})
	s.closeEarly(j)
	return nil
}

// checkCommit looks at one commitment. A seat held outside signs its own, which
// was verified before the loop; one that comes a second time, and differs, is
// taken as proof against it.
func (s *State) checkCommit(j *Job, vote *SealedVote, before []SealedVote) *Refusal {
	if vote.Seat < 0 || vote.Seat >= int64(len(j.Round.Seats)) {
		return refuse(RefuseVoteClosed, fmt.Sprintf("seat %d", vote.Seat))
	}
	seat := &j.Round.Seats[vote.Seat]
	outside := len(vote.Signature) > 0
	switch {
	case outside != seat.Validator.Outside || outside && len(vote.Box) > 0:
		return refuse(RefuseVoteClosed, fmt.Sprintf("seat %d is not held there", vote.Seat))
	case !seat.Committed && j.State == JobRevealing:
		return refuse(RefuseVoteClosed, fmt.Sprintf("seat %d", vote.Seat))
	case seat.Committed && (!outside || seat.Twice || seat.Revealed || seat.Sealed.Commitment == vote.Commitment):
		return refuse(RefuseVoteClosed, fmt.Sprintf("seat %d", vote.Seat))
	case j.Round.holds(vote.Commitment) || holdsVote(before, vote.Commitment):
		return refuse(RefuseCommitmentCopied, fmt.Sprintf("seat %d", vote.Seat))
	}
	return nil
}

// equivocates finds a second commitment of a seat; such a vote stands alone in
// its command.
func (r *Round) equivocates(votes []SealedVote) *SealedVote {
	for i := range votes {
		if r.Seats[votes[i].Seat].Committed {
			return &votes[i]
		}
	}
	return nil
}

// closeEarly ends a phase in which everybody has answered.
func (s *State) closeEarly(j *Job) {
	if j.State == JobCommitting && council.CommitsDone(j.Round.seats()) {
		s.closeCommit(j)
	}
	if j.State == JobRevealing && council.RevealsDone(j.Round.seats()) {
		s.closeRound(j, false)
	}
}

// holds reports whether a seat has committed to this already.
func (r *Round) holds(commitment Digest) bool {
	for i := range r.Seats {
		if seat := &r.Seats[i]; seat.Committed && seat.Sealed.Commitment == commitment {
			return true
		}
	}
	return false
}

func holdsVote(votes []SealedVote, commitment Digest) bool {
	for i := range votes {
		if votes[i].Commitment == commitment {
			return true
		}
	}
	return false
}

// closeCommit ends the commit phase. Without any commitment there is nothing to
// reveal.
func (s *State) closeCommit(j *Job) {
	for i := range j.Round.Seats {
		if seat := &j.Round.Seats[i]; seat.Committed && !seat.Revealed && !seat.Twice {
			g := &s.spec.Governance
			s.emit(&RevealOpened{Job: j.Spec.ID, Round: j.Round.Number, Due: s.now + Time(g.RevealWindow+g.ValidatorTimeout)})
			return
		}
	}
	s.closeRound(j, false)
}

func (s *State) reveal(c *Reveal) *Refusal {
	j, refusal := s.round(c.Job, c.Round, JobRevealing)
	if refusal != nil {
		return refusal
	}
	for i := range c.Votes {
		if refusal := s.checkReveal(j, &c.Votes[i]); refusal != nil {
			return refusal
		}
	}
	s.emit(&VotesRevealed{Job: c.Job, Round: c.Round, Votes: c.Votes})
	s.suspendFailing()
	s.closeEarly(j)
	return nil
}

// abstain counts every vote that is sealed under a lost secret as an abstention:
// nobody can open it any more, and nobody is to blame.
func (s *State) abstain() {
	for _, j := range s.openJobs() {
		if j.Round == nil || j.Round.Closed {
			continue
		}
		lost := &VotesAbstained{Job: j.Spec.ID, Round: j.Round.Number}
		for i := range j.Round.Seats {
			if seat := &j.Round.Seats[i]; seat.Committed && !seat.Revealed && !seat.Validator.Outside {
				lost.Seats = append(lost.Seats, int64(i))
			}
		}
		if len(lost.Seats) == 0 {
			continue
		}
		s.emit(lost)
		s.closeEarly(j)
	}
}

func (s *State) checkReveal(j *Job, vote *OpenVote) *Refusal {
	if vote.Seat < 0 || vote.Seat >= int64(len(j.Round.Seats)) {
		return refuse(RefuseVoteClosed, fmt.Sprintf("seat %d", vote.Seat))
	}
	seat := &j.Round.Seats[vote.Seat]
	if !seat.Committed || seat.Revealed || seat.Twice {
		return refuse(RefuseVoteClosed, fmt.Sprintf("seat %d", vote.Seat))
	}
	if commitment, err := s.CommitmentOf(j, vote); err != nil || commitment != seat.Sealed.Commitment {
		return refuse(RefuseRevealMismatch, fmt.Sprintf("seat %d", vote.Seat))
	}
	return nil
}

// CommitmentOf is the commitment a revealed vote must have made.
func (s *State) CommitmentOf(j *Job, vote *OpenVote) (Digest, error) {
	v, err := council.ParseVote(vote.Vote)
	if err != nil {
		return Digest{}, err
	}
	return council.Commitment(council.Ballot{
		Mission: s.mission.Mission, Job: j.Spec.ID, Round: int(j.Round.Number), Validator: j.Round.Seats[vote.Seat].Validator.Key[:],
		Result: j.Answer.Digest, Vote: v, Reason: council.ReasonDigest(vote.Reason), Salt: vote.Salt,
	}), nil
}

// seats is the round as the council counts it.
func (r *Round) seats() []council.Seat {
	seats := make([]council.Seat, len(r.Seats))
	for i := range r.Seats {
		seat := &r.Seats[i]
		seats[i].Stake = int64(seat.Stake)
		switch {
		case seat.Twice:
			seats[i].State = council.Equivocated
			continue
		case seat.Committed:
			seats[i].State = council.Committed
		}
		if !seat.Revealed {
			continue
		}
		if vote, err := council.ParseVote(seat.Vote); err == nil {
			seats[i].State = vote.State()
		}
	}
	return seats
}

// closeRound counts the votes and settles. When the validation window is over
// there is no outcome, whatever has been revealed.
func (s *State) closeRound(j *Job, late bool) {
	seats := j.Round.seats()
	outcome := council.Undecided
	if !late {
		required := s.spec.Governance.ApprovalsRequired
		outcome = council.Tally(council.Rules{Seats: len(seats), ApprovalsRequired: int(required)}, seats)
	}
	if j.State == JobCommitting { // nobody could reveal: who has committed has done what there was to do
		for i := range seats {
			if seats[i].State == council.Committed {
				seats[i].State = council.Abstained
			}
		}
	}
	closed := &RoundClosed{Job: j.Spec.ID, Round: j.Round.Number, Outcome: outcome.String()}
	for i, seat := range seats {
		if seat.State == council.Absent || seat.State == council.Committed {
			closed.Absent = append(closed.Absent, int64(i))
		}
	}
	s.emit(closed)
	steps := s.steps(j)
	s.addSeats(steps, seats, outcome)
	switch outcome {
	case council.Approval:
		s.approve(j, seats, &steps)
	case council.Rejection:
		s.reject(j, seats, &steps, j.Round.reason(seats))
	default:
		steps.emit()
		if j.Undecided >= 2 {
			s.emit(&ApprovalAsked{Job: j.Spec.ID, Reason: reasonUndecided})
		}
	}
}

// reason is what the first rejecting seat said.
func (r *Round) reason(seats []council.Seat) string {
	for i := range seats {
		if seats[i].State == council.Rejected {
			return r.Seats[i].Reason
		}
	}
	return ""
}

// StakeOf is what a validator has free and locked.
func (s *State) StakeOf(v *Validator) (free, locked ledger.Amount) {
	return s.ledger.Free(v.account), s.ledger.Balance(v.stake)
}
