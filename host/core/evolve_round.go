package core

import "github.com/omega-run/omega/host/council"

func (s *State) evolveRound(event Event) {
	switch e := event.(type) {
	case *RoundOpened:
		j := s.jobs[e.Job]
		round := &Round{Number: e.Round, Opened: s.now, From: s.now, Until: e.Due, Due: e.Due, Seats: make([]Seat, len(e.Seats))}
		for i, id := range e.Seats {
			round.Seats[i].Validator = s.seatable[id]
		}
		if s.undrawn.front(waitsForCommittee) == j { // here, not where it was decided: a replay has to keep the order too
			s.undrawn.pop()
		}
		j.State, j.Round, j.Rounds = JobCommitting, round, e.Round
		s.touch(j)
	case *VotesCommitted:
		j := s.jobs[e.Job]
		for _, vote := range e.Votes {
			seat := &j.Round.Seats[vote.Seat]
			seat.Committed, seat.Sealed = true, vote
		}
		s.touch(j)
	case *RevealOpened:
		j := s.jobs[e.Job]
		j.State, j.Round.From, j.Round.Due, j.Round.Reminded = JobRevealing, s.now, e.Due, false
		j.Round.Until = max(s.now, e.Due-Time(s.spec.Governance.ValidatorTimeout)) // without the grace
		s.touch(j)
	case *VotesRevealed:
		j := s.jobs[e.Job]
		for _, vote := range e.Votes {
			seat := &j.Round.Seats[vote.Seat]
			seat.Revealed, seat.Vote, seat.Reason = true, vote.Vote, vote.Reason
		}
		s.evolveJudged(j.Round, e.Votes)
		s.touch(j)
	case *VotesAbstained:
		j := s.jobs[e.Job]
		for _, n := range e.Seats {
			seat := &j.Round.Seats[n]
			seat.Revealed, seat.Vote = true, council.Abstain.String()
		}
		s.touch(j)
	case *SeatsReminded:
		j := s.jobs[e.Job]
		j.Round.Reminded = true
		s.touch(j)
	case *SeatEquivocated:
		j := s.jobs[e.Job]
		j.Round.Seats[e.Seat].Twice = true
		s.touch(j)
	case *RoundClosed:
		j := s.jobs[e.Job]
		j.Round.Closed = true
		j.Round.evolveAbsence(e)
		if e.Outcome == outcomeUndecided {
			j.State, j.Undecided = JobSubmitted, j.Undecided+1
			s.undrawn.push(j)
		}
		s.touch(j)
	}
}
