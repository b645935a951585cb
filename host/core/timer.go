package core

// timer is the one thing of a job that happens by itself next.
type timer struct {
	due  Time
	at   int32 // position in the heap, -1 outside
	kind timerKind
}

// timerKind is what happens. Of what is due at one instant the smaller comes
// first.
type timerKind uint8

const (
	noTimer timerKind = iota
	commitTimer
	deadlineTimer
	remindTimer
	revealTimer
	validationTimer
)

// before orders timers by (due, kind, id).
func (t timer) before(o timer, a, b *Job) bool {
	if t.due != o.due {
		return t.due < o.due
	}
	if t.kind != o.kind {
		return t.kind < o.kind
	}
	return a.Spec.ID < b.Spec.ID
}

// dueOf is the next thing that happens to a job by itself, from its state.
func (s *State) dueOf(j *Job) (due Time, kind timerKind) {
	switch j.State {
	case JobReadyState, JobAssignedState, JobRunning, JobRejected, JobDelegated:
		if j.Spec.Deadline > 0 && j.held == nil && j.ending == nil {
			return j.ReadyAt + Time(j.Spec.Deadline), deadlineTimer
		}
	case JobCommitting, JobRevealing:
		if j.Round.Closed {
			return 0, noTimer
		}
		due, kind = j.Round.Due, commitTimer
		if j.State == JobRevealing {
			kind = revealTimer
		}
		if at := j.Round.remindAt(); !j.Round.Reminded && at < due {
			due, kind = at, remindTimer
		}
		if window := j.Spec.ValidationWindow; window > 0 && j.Round.Opened+Time(window) < due {
			return j.Round.Opened + Time(window), validationTimer
		}
		return due, kind
	}
	return 0, noTimer
}

// NextDeadline is the mission time at which something happens by itself; false
// when nothing will, or while mission time stands still.
func (s *State) NextDeadline() (Time, bool) {
	if s.unfinished && s.halted() {
		return s.now, true
	}
	if s.status != Running && s.status != Stopping || s.generation == 0 {
		return 0, false
	}
	var due Time
	found := false
	least := func(t Time) {
		if !found || t < due {
			due, found = t, true
		}
	}
	if s.unfinished {
		least(s.now)
	}
	if j, ok := s.timers.first(); ok {
		least(j.timer.due)
	}
	if j, ok := s.retries.first(); ok {
		least(j.RetryAt)
	}
	if at, ok := s.pricingDue(); ok {
		least(at)
	}
	if p := s.skillDue(); p != nil {
		least(p.Until)
	}
	if d := s.spec.Mission.Duration; d > 0 {
		least(Time(d))
	}
	if at, ok := s.attention(); ok && (found || s.running > 0) {
		least(at)
	}
	return due, found
}

// DueJob is the job whose timer fires first, and when; nil where none is set.
func (s *State) DueJob() (*Job, Time) {
	j, ok := s.timers.first()
	if !ok {
		return nil, 0
	}
	return j, j.timer.due
}

// CheckpointDue is when the state is to be sealed; false while nothing has
// happened since the last seal.
func (s *State) CheckpointDue() (Time, bool) {
	if s.unsealed == 0 || s.generation == 0 {
		return 0, false
	}
	return s.unsealed - 1 + Time(s.spec.Checkpoint.Interval), true
}

// tick takes the passing of time. After a stop it only goes on ending work.
func (s *State) tick() *Refusal {
	if s.status == Paused {
		return refuse(RefusePaused, "")
	}
	if !s.halted() {
		s.fire()
	}
	return nil
}

// fire lets everything happen that is due.
func (s *State) fire() {
	if d := s.spec.Mission.Duration; d > 0 && s.now >= Time(d) {
		s.endAll(reasonDuration)
		return
	}
	if at, ok := s.pricingDue(); ok && at <= s.now {
		s.setPrices()
	}
	if at, ok := s.attention(); ok && at <= s.now {
		s.tellUnattended()
	}
	s.resumeSkills()
	for s.roomInEntry() {
		j, ok := s.timers.first()
		if !ok || j.timer.due > s.now {
			return
		}
		switch j.timer.kind {
		case deadlineTimer:
			s.expire(j, reasonDeadline, "")
		case commitTimer:
			s.closeCommit(j)
		case remindTimer:
			s.remind(j)
		default:
			s.closeRound(j, j.timer.kind == validationTimer)
		}
	}
}
