package core

import (
	"fmt"
	"slices"

	"github.com/omega-run/omega/host/ledger"
)

// Step takes an input: it decides, emits events and evolves by them. It refuses
// before the first event, or not at all. The events are valid until the next
// Step.
func (s *State) Step(in *Input) ([]Event, *Refusal) {
	unfinished := s.unfinished
	s.out, s.moving, s.weight, s.unfinished = nil, s.moving[:0], 0, false
	s.begin(s.seq+1, in.At, in.Prev)
	if refusal := s.decide(in.Command); refusal != nil {
		s.unfinished = unfinished
		s.finish()
		return nil, refusal
	}
	s.ripen()
	s.progress()
	s.finish()
	return s.out, nil
}

// usualEvents is what most entries have room enough with.
const usualEvents = 8

func (s *State) emit(event Event) {
	if s.out == nil {
		s.out = make([]Event, 0, usualEvents)
	}
	s.out = append(s.out, event)
	s.weight += weigh(event)
	s.evolve(event)
}

// weigh is about how many bytes an event takes in the journal, never much less.
func weigh(event Event) int {
	const plain, step, leg, seat, file = 300, 40, 160, 80, 160
	switch e := event.(type) {
	case *AttemptSubmitted:
		return plain + len(e.Result) + file*len(e.Files) + namesOf(e.Files)
	case *ResultHeld:
		return plain + len(e.Result) + file*len(e.Files) + namesOf(e.Files) + weighJobs(e.Children)
	case *ApprovalAsked:
		return plain + weighJobs(e.Children)
	case *VerdictGiven:
		return plain*(1+len(e.Verdicts)) + len(e.Request)
	case *JobPosted:
		return plain + len(e.Spec.Input) + len(e.Spec.Delegate) + len(e.Spec.Simulated) + file*len(e.Spec.Labels)
	case *Transfer:
		return plain + step*len(e.Steps) + leg*len(e.Legs)
	case *RoundOpened:
		return plain + seat*len(e.Seats)
	case *PlanRecorded:
		return plain + e.size()
	}
	return plain
}

func weighJobs(jobs []JobSpec) (n int) {
	const plain = 300
	for i := range jobs {
		n += plain + len(jobs[i].Input) + len(jobs[i].Delegate) + len(jobs[i].Simulated)
	}
	return n
}

func namesOf(files []File) (n int) {
	for i := range files {
		n += len(files[i].Name)
	}
	return n
}

func (s *State) decide(command Command) *Refusal {
	if s.generation == 0 {
		if g, ok := command.(*Genesis); ok {
			return s.genesis(g)
		}
		return refuse(RefuseNotOutstanding, "the mission has no genesis yet")
	}
	switch c := command.(type) {
	case *Genesis:
		return refuse(RefuseMissionExists, "")
	case *Generation:
		return s.applyGeneration(c)
	case *RefuseEdit:
		s.emit(&EditRefused{Reason: c.Reason, Detail: c.Detail, Digest: c.Digest})
	case *Source:
		s.emit(sourceEvent(c))
	case *Start:
		s.start(c)
	case *Leave:
		s.emit(&HostLeft{Reason: c.Reason})
	case *TailCut:
		s.emit(&JournalCut{File: c.File, Bytes: c.Bytes, From: c.From})
	case *Clock:
		s.emit(&ClockAdvanced{})
	case *Checkpoint:
		s.emit(&Checkpointed{Seq: c.Seq, Entry: c.Entry, State: c.State, Signature: c.Signature})
	case *Order:
		return s.order(c)
	default:
		return s.decideWork(command)
	}
	return nil
}

// decideWork takes what keeps the mission going; nothing of it is taken once
// the mission has ended or stopped.
func (s *State) decideWork(command Command) *Refusal {
	if s.status == Ended {
		return refuse(RefuseMissionEnded, "")
	}
	if _, tick := command.(*Tick); s.halted() && !tick {
		return refuse(RefuseMissionStopped, "")
	}
	switch c := command.(type) {
	case *Expand:
		return s.expand(c)
	case *Resolve:
		return s.resolve(c)
	case *Result:
		return s.result(c)
	case *Failure:
		return s.failure(c)
	case *Delegate:
		return s.delegate(c)
	case *Admit:
		return s.admit(c)
	case *Advise:
		return s.advise(c)
	case *Commit:
		return s.commit(c)
	case *Reveal:
		return s.reveal(c)
	case *Tick:
		return s.tick()
	case *Stall:
		if s.status == Paused { // a resume may change everything
			return refuse(RefusePaused, "")
		}
		s.endAll(reasonStalled)
	case *Halt:
		return s.halt()
	default:
		panic(fmt.Sprintf("core: no decision for %s", command.Name()))
	}
	return nil
}

// progress lets everything happen that a command has made possible.
func (s *State) progress() {
	s.endFamilies()
	switch {
	case s.halted():
		s.voidRunning()
	case s.status == Stopping:
		s.voidAssigned(string(Stopping))
		if s.running == s.heldJobs {
			s.emit(&MissionStopped{})
		}
	case s.status == Running:
		s.submitHeld()
		for again := true; again; {
			s.proceed()
			s.fund()
			s.proceed()
			s.convene()
			s.schedule()
			again = s.nextMovable() != nil && s.roomInEntry() // a job that cannot be paid for ends, and others needed it
		}
		s.complete()
	}
}

// halted reports whether nothing may run.
func (s *State) halted() bool { return s.status == Stopped || s.status == Emergency }

// maxWeight bounds one entry and the time it takes, far below the 4 MiB that no
// entry may exceed: what is left is done by the next one.
const maxWeight = 1 << 20

// roomInEntry reports whether this entry may take more; if not, it is noted
// that something is left to do.
func (s *State) roomInEntry() bool {
	s.unfinished = s.unfinished || s.weight >= maxWeight
	return s.weight < maxWeight
}

// complete ends the mission when no job is open and nobody can post one.
func (s *State) complete() {
	if s.open == 0 && s.expanded == s.spec.Instances && s.generation > 0 && !s.attended() {
		s.emit(&MissionEnded{Reason: reasonComplete})
	}
}

// stepList gathers the movements of one transfer event, behind those of any list
// that is still open: a list is emitted before the one it was begun in.
type stepList struct {
	state   *State
	job     string
	attempt int64
	from    int // its first in moving
}

func (s *State) steps(j *Job) stepList { return stepList{s, j.Spec.ID, j.Attempt, len(s.moving)} }

func (l stepList) add(kind StepKind, seat int, amount ledger.Amount) {
	if amount > 0 {
		l.state.moving = append(l.state.moving, Step{kind, int64(seat), amount})
	}
}

func (l stepList) emit() {
	steps := slices.Clone(l.state.moving[l.from:])
	l.state.moving = l.state.moving[:l.from]
	if len(steps) > 0 {
		l.state.emit(&Transfer{Job: l.job, Attempt: l.attempt, Steps: steps})
	}
}
