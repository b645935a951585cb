package inquiry

import (
	"fmt"
	"strings"

	"github.com/omega-run/omega/host/core"
)

// voted takes an event of the job's rounds.
func (s *Story) voted(e *core.Entry, event core.Event) {
	switch ev := event.(type) {
	case *core.RoundOpened:
		if ev.Job == s.spec.ID {
			s.opened(e.At, ev)
		}
	case *core.VotesCommitted:
		if ev.Job == s.spec.ID {
			for _, vote := range ev.Votes {
				s.round.Seats[vote.Seat].Committed = true
			}
		}
	case *core.RevealOpened:
		if ev.Job == s.spec.ID {
			s.state(e.At, core.JobRevealing)
			s.round.Phase, s.round.DueAt = "reveal", ev.Due
		}
	case *core.VotesRevealed:
		if ev.Job == s.spec.ID {
			for _, vote := range ev.Votes {
				seat := s.round.Seats[vote.Seat]
				seat.Revealed, seat.Vote, seat.Reason = true, vote.Vote, vote.Reason
			}
		}
	case *core.VotesAbstained:
		if ev.Job == s.spec.ID {
			for _, n := range ev.Seats {
				seat := s.round.Seats[n]
				seat.Vote, seat.Reason = "abstain", "its sealed vote can no longer be opened"
			}
		}
	default:
		s.watched(e, event)
	}
}

// watched takes what is said of the seats, and how the round ended.
func (s *Story) watched(e *core.Entry, event core.Event) {
	switch ev := event.(type) {
	case *core.SeatsReminded:
		if ev.Job == s.spec.ID {
			var names []string
			for _, n := range ev.Seats {
				s.round.Seats[n].Reminded++
				names = append(names, s.round.Seats[n].Validator)
			}
			verb := "was"
			if len(names) > 1 {
				verb = "were"
			}
			s.decide(e, ev.Name(), fmt.Sprintf("round %d: %s %s reminded to %s", ev.Round, strings.Join(names, ", "), verb, ev.Phase), "", "")
		}
	case *core.SeatEquivocated:
		if ev.Job == s.spec.ID {
			s.round.Seats[ev.Seat].Equivocated = true
			s.decide(e, ev.Name(), fmt.Sprintf("round %d: %s signed two commitments", ev.Round, s.round.Seats[ev.Seat].Validator), "", "")
		}
	case *core.RoundClosed:
		if ev.Job == s.spec.ID {
			s.state(e.At, core.JobSubmitted)
			s.round.Phase, s.round.Outcome, s.round.ClosedAt = "closed", ev.Outcome, ref(e.At)
			for _, n := range ev.Absent {
				s.round.Seats[n].Absent = true
			}
		}
	}
}

func (s *Story) opened(at core.Time, ev *core.RoundOpened) {
	s.state(at, core.JobCommitting)
	s.round = &RoundOf{Round: ev.Round, OpenedAt: at, DueAt: ev.Due, Phase: "commit", Seats: []*SeatOf{}}
	if a := s.lastAttempt(); a != nil {
		s.round.Attempt = a.Attempt
	}
	for i, id := range ev.Seats {
		s.round.Seats = append(s.round.Seats, &SeatOf{Round: ev.Round, Attempt: s.round.Attempt, Seat: int64(i), Validator: id})
	}
	s.rounds.add(s.round)
}
