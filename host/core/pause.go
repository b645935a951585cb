package core

// SkillPause is a skill whose jobs do not start.
type SkillPause struct {
	Skill string
	Until Time
	By    string
}

// Paused are the skills that are paused, in the order in which they were.
func (s *State) Paused() []SkillPause { return s.pauses }

// pausedUntil is until when a skill is paused, 0 if it is not.
func (s *State) pausedUntil(skill string) Time {
	for i := range s.pauses {
		if s.pauses[i].Skill == skill {
			return s.pauses[i].Until
		}
	}
	return 0
}

// PausedSkill is the skill of a job that keeps it from starting longest, and
// until when; "" if none does.
func (s *State) PausedSkill(j *Job) (skill string, until Time) {
	for _, name := range j.Spec.Skills {
		if at := s.pausedUntil(name); at > until {
			skill, until = name, at
		}
	}
	return skill, until
}

// skillDue is the paused skill that goes on first.
func (s *State) skillDue() (first *SkillPause) {
	for i := range s.pauses {
		if p := &s.pauses[i]; first == nil || p.Until < first.Until {
			first = p
		}
	}
	return first
}

// resumeSkills lets jobs start again whose skill has been paused for long enough.
func (s *State) resumeSkills() {
	for {
		p := s.skillDue()
		if p == nil || p.Until > s.now {
			return
		}
		s.emit(&SkillResumed{Skill: p.Skill})
	}
}
