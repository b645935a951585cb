package core

// move queues a job that can go on.
func (s *State) move(j *Job) {
	if s.canMove(j) {
		s.movable.put(j)
	}
}

// touch notes that a job has changed and brings the indexes it is in up to
// date.
func (s *State) touch(j *Job) {
	if !j.touched {
		j.touched = true
		s.changed = append(s.changed, j)
	}
	j.group.fresh = true
	s.index(j)
	if !s.canMove(j) {
		s.movable.remove(j)
	}
	if j.unfunded() {
		j.purse.unfunded.put(j)
	} else if j.purse != nil {
		j.purse.unfunded.remove(j)
	}
	j.timer.due, j.timer.kind = s.dueOf(j)
	if j.timer.kind == noTimer {
		s.timers.remove(j)
	} else {
		s.timers.put(j)
	}
}

// index puts a job where its state says: among the ready ones of its class,
// among those that wait for their next attempt, or nowhere.
func (s *State) index(j *Job) {
	waits := (j.State == JobReadyState || j.State == JobRejected) && !j.withheld
	later := waits && j.RetryAt > s.ripe
	if later {
		s.retries.put(j)
	} else {
		s.retries.remove(j)
	}
	switch {
	case waits && !later && j.ready < 0:
		s.readyJobs++
		j.class.ready.put(j)
	case (!waits || later) && j.ready >= 0:
		s.readyJobs--
		j.class.ready.remove(j)
	}
}
