package inquiry

import (
	"encoding/hex"
	"slices"

	"github.com/omega-run/omega/host/core"
)

// steered takes what policies said of the job and stewards did to it.
func (s *Story) steered(e *core.Entry, event core.Event) {
	switch ev := event.(type) {
	case *core.VerdictGiven:
		if ev.Subject == s.spec.ID {
			s.ruled(e, &ev.Ruling)
		}
	case *core.JobExpedited:
		if ev.Job == s.spec.ID {
			s.decide(e, ev.Name(), "put before all others of its skills by "+stewardWords(ev.By), "", "")
		}
	case *core.RewardBoosted:
		if ev.Job == s.spec.ID {
			s.decide(e, ev.Name(), "its reward was raised by "+ev.Tokens.String()+", paid by account:"+ev.By, "", "")
		}
	case *core.SkillPaused:
		if slices.Contains(s.spec.Skills, ev.Skill) {
			s.decide(e, ev.Name(), "no job that needs "+ev.Skill+" starts before "+ev.Until.Clock()+", by "+stewardWords(ev.By), "", "")
		}
	case *core.SkillResumed:
		if slices.Contains(s.spec.Skills, ev.Skill) {
			s.decide(e, ev.Name(), "jobs that need "+ev.Skill+" start again", "", "")
		}
	}
}

func (s *Story) ruled(e *core.Entry, r *core.Ruling) {
	s.decide(e, (&core.VerdictGiven{}).Name(), "policies on "+r.Hook+" said "+r.Say, r.Reason, "")
	s.decisions.items[len(s.decisions.items)-1].Verdicts = verdictsOf(r.Verdicts)
}

func verdictsOf(all []core.Verdict) []VerdictOf {
	list := []VerdictOf{}
	for i := range all {
		v := &all[i]
		list = append(list, VerdictOf{v.Policy, v.Say, v.Reason, v.Shadow, hex.EncodeToString(v.Script[:]), v.Generation, v.Fault})
	}
	return list
}

// stewardWords is a steward as people read it.
func stewardWords(name string) string {
	if name == core.GuardianName {
		return "the guardian"
	}
	return "strategist " + name
}
