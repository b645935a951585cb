package core

import "slices"

// A seat that was absent so many rounds in a row is drawn last.
const habit = 2

// attention is when somebody will be told that ready jobs find nobody: once the
// first job of a class has waited for the retry of delegation, and then as often
// as that. Where nothing else can happen, telling changes nothing.
func (s *State) attention() (Time, bool) {
	every := Time(s.spec.Delegation.Retry)
	if s.readyJobs == 0 || every == 0 {
		return 0, false
	}
	since, found := Time(0), false
	for _, c := range s.classes {
		if j, ok := c.ready.first(); ok && !c.paused && (!found || j.waitsSince() < since) {
			since, found = j.waitsSince(), true
		}
	}
	return max(since, s.reminded) + every, found
}

// waitsSince is since when a ready job could have been taken.
func (j *Job) waitsSince() Time { return max(j.ReadyAt, j.RetryAt) }

// namedUnattended bounds the names a reminder holds.
const namedUnattended = 16

// tellUnattended counts the ready jobs of all classes nobody serves, and names
// the first of each in the order in which they would start.
func (s *State) tellUnattended() {
	told := &JobsUnattended{Since: s.now}
	var firsts []*Job
	for _, c := range s.classes {
		j, ok := c.ready.first()
		if !ok || c.paused || j.waitsSince()+Time(s.spec.Delegation.Retry) > s.now {
			continue
		}
		told.Count += int64(len(c.ready.items))
		told.Since = min(told.Since, j.waitsSince())
		firsts = append(firsts, j)
	}
	slices.SortFunc(firsts, func(a, b *Job) int {
		if startsBefore(a, b) {
			return -1
		}
		return 1
	})
	for _, j := range firsts[:min(len(firsts), namedUnattended)] {
		told.Jobs = append(told.Jobs, j.Spec.ID)
	}
	if told.Count > 0 {
		s.emit(told)
	}
}

// remindAt is when those are reminded who have not answered in this phase: when
// a quarter of its window is left.
func (r *Round) remindAt() Time { return r.Until - (r.Until-r.From)/4 }

// remind names the seats that have not answered.
func (s *State) remind(j *Job) {
	told := &SeatsReminded{Job: j.Spec.ID, Round: j.Round.Number, Phase: "commit"}
	if j.State == JobRevealing {
		told.Phase = "reveal"
	}
	for i := range j.Round.Seats {
		seat := &j.Round.Seats[i]
		if !seat.Twice && (!seat.Committed && j.State == JobCommitting || seat.Committed && !seat.Revealed && j.State == JobRevealing) {
			told.Seats = append(told.Seats, int64(i))
		}
	}
	s.emit(told)
}

// evolveAbsence counts how often in a row a validator has been absent.
func (r *Round) evolveAbsence(e *RoundClosed) {
	if e.Outcome == outcomeCancelled {
		return
	}
	for i := range r.Seats {
		v := r.Seats[i].Validator
		if v.Missed++; !slices.Contains(e.Absent, int64(i)) {
			v.Missed = 0
		}
	}
}
