package core

import (
	"fmt"
	"slices"
)

// Replay takes a recorded entry as it stands: its events are applied, nothing
// is decided.
func (s *State) Replay(e *Entry) {
	s.begin(e.Seq, e.At, e.Prev)
	for _, event := range e.Events {
		s.evolve(event)
	}
	if e.Refusal == nil {
		s.ripen()
	}
	s.finish()
}

// begin steps to an entry. What the one before it ended, and nothing depends on,
// is put away.
func (s *State) begin(seq Seq, at Time, prev Digest) {
	s.seq, s.now, s.prev = seq, at, prev
	slices.SortFunc(s.leaving, func(a, b *Job) int { return a.index - b.index }) // as a restored state finds them
	for _, j := range s.leaving {
		if s.idleEnd(j) {
			s.putAway(j)
		}
	}
	for _, j := range s.changed {
		j.touched = false
	}
	for _, list := range [...]*[]*Job{&s.leaving, &s.changed, &s.ended} {
		clear(*list)
		*list = (*list)[:0]
	}
}

// putAway keeps of a job that has ended only where the journal tells of it.
func (s *State) putAway(j *Job) {
	end := finished{posted: j.Posted, ended: j.ended}
	if j.Answer != nil {
		end.result = j.Answer.entry
	}
	s.done.add(j.Spec.ID, letterOf(j.State), 0, end)
	s.roster.remove(j)
	delete(s.jobs, j.Spec.ID)
	if j.Parent != nil {
		j.Parent.Children = slices.DeleteFunc(j.Parent.Children, func(c *Job) bool { return c == j })
	}
	for _, child := range j.Children {
		child.Parent = nil // as a restored state has it
	}
}

// ripen brings the index of those up to date whom time alone has made eligible
// again. A refused input does not: nobody would start them, and nothing would
// say that they are due.
func (s *State) ripen() {
	s.ripe = s.now
	for {
		j, ok := s.retries.first()
		if !ok || j.RetryAt > s.now {
			return
		}
		s.retries.remove(j)
		s.index(j)
	}
}

// finish ends an entry.
func (s *State) finish() {
	if s.unsealed == 0 && s.checkpoint.Seq+1 != s.seq {
		s.unsealed = s.now + 1
	}
}

// evolve applies one event. It is the only place where the state changes.
func (s *State) evolve(event Event) {
	s.totals.Events++
	switch e := event.(type) {
	case *MissionCreated:
		s.mission = *e
	case *GenerationApplied:
		s.evolveGeneration(e)
	case *SourceRecorded:
		if e.Last {
			s.recorded[e.Digest] = true
		}
	case *JobsExpanded:
		s.expanded = e.Next
	case *Transfer:
		s.evolveTransfer(e)
	case *JobPosted, *JobReady, *JobResumed, *ApprovalAsked, *ApprovalGiven, *JobEnding, *JobEnded:
		s.evolveJob(event)
	case *JobAssigned, *AttemptStarted, *AttemptReleased, *AttemptVoided, *AttemptSubmitted, *AttemptDelegated, *AttemptFailed, *AttemptRejected, *ResultHeld:
		s.evolveAttempt(event)
	case *RoundOpened, *VotesCommitted, *RevealOpened, *VotesRevealed, *VotesAbstained, *SeatsReminded, *SeatEquivocated, *RoundClosed:
		s.evolveRound(event)
	case *PricesSet:
		s.evolvePrices(e)
	case *JobsUnattended:
		s.reminded = s.now
	case *VerdictGiven, *ScriptSuspended, *EditHeld, *EditApproved:
		s.evolvePolicy(event)
	case *OrderTaken:
		s.orders.take(e, s.seq, s.now, s.spec.Retention.IDs)
	case *MissionPaused, *MissionResumed, *MissionStopping, *MissionStopped, *MissionEnded:
		s.evolveStatus(event)
	case *Checkpointed:
		s.checkpoint, s.unsealed = *e, 0
	case *HostStarted:
		s.evolveHost(e)
	case *HostLeft:
		s.clean = true
	case *JournalCut:
		s.cuts = append(s.cuts, e.File)
	case *PlanRecorded, *ActionApproved, *ActionDropped, *JobExpedited, *RewardBoosted, *SkillPaused, *SkillResumed, *Repriced:
		s.evolveSteward(event)
	case *EditRefused, *ClockAdvanced:
	default:
		panic(fmt.Sprintf("core: no evolution for %s", event.Name()))
	}
	if len(s.stewards) > 0 {
		s.notice(event)
	}
}

func (s *State) evolveHost(e *HostStarted) {
	s.speed, s.clean = e.Speed, false
	if e.HostKey == [32]byte{} {
		return
	}
	s.mission.HostKey = e.HostKey
	for i, key := range e.Keys {
		if v := s.validators[i]; !v.Outside {
			v.Key = key
		}
	}
}

func (s *State) evolveStatus(event Event) {
	switch e := event.(type) {
	case *MissionPaused:
		s.status = Paused
	case *MissionResumed:
		s.status = Running
	case *MissionStopping:
		s.status = Stopping
	case *MissionStopped:
		s.status = Stopped
		if e.Emergency {
			s.status = Emergency
		}
	case *MissionEnded:
		s.status, s.reason = Ended, e.Reason
	}
}
