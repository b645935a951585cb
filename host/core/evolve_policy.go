package core

import (
	"slices"
	"strings"

	"github.com/omega-run/omega/host/council"
)

func (s *State) evolvePolicy(event Event) {
	switch e := event.(type) {
	case *VerdictGiven:
		s.evolveVerdict(e)
	case *ScriptSuspended:
		if f := s.failing(e.Script); f != nil {
			f.Suspended = true
		}
	case *EditHeld:
		s.edit = &HeldEdit{EditHeld: *e, Since: s.now}
	case *EditApproved:
		s.edit.Approved = true
	}
}

// evolveVerdict counts faults, and keeps what was said of a delegation until its
// attempt ends: during a pause that is later.
func (s *State) evolveVerdict(e *VerdictGiven) {
	for i := range e.Verdicts {
		v := &e.Verdicts[i]
		name := "policy." + v.Policy
		if script := s.spec.Script(name); script != nil && script.Digest == v.Script {
			s.evolveFault(name, v.Fault)
		}
	}
	if j := s.jobs[e.Subject]; j != nil && e.Hook == string(HookDelegate) && j.State == JobRunning {
		j.said = &said{e.Say, e.Reason, e.failed()}
		s.touch(j)
	}
}

// evolveFault notes how a call of a script has ended: with a fault, or with an
// answer, "". One that has been taken out stays out.
func (s *State) evolveFault(script, fault string) {
	f := s.failing(script)
	switch {
	case f == nil && fault != "":
		s.faults = append(s.faults, scriptFaults{Script: script, InRow: 1, Fault: fault})
	case f == nil || f.Suspended:
	case fault == "":
		s.faults = slices.DeleteFunc(s.faults, func(f scriptFaults) bool { return f.Script == script })
	default:
		f.InRow++
		f.Fault = fault
	}
}

// ScriptFailed begins the reason of a validator whose script has failed; a place
// in the author's file and what is wrong there follow.
const ScriptFailed = "script: "

// evolveJudged notes how the scripts of validators did in a round: one whose
// seats all abstain over a fault has failed once. In a round from before an edit
// it may be the script from before that has failed.
func (s *State) evolveJudged(r *Round, votes []OpenVote) {
	if r.Excused {
		return
	}
	for i := range s.spec.Validators {
		if block := &s.spec.Validators[i]; block.Kind == ScriptValidator {
			if fault, asked := r.faultOf(block, votes); asked {
				s.evolveFault("validator."+block.Name, fault)
			}
		}
	}
}

// faultOf is why the seats of a block all abstain, "" where one has an answer.
func (r *Round) faultOf(block *ValidatorSpec, votes []OpenVote) (fault string, asked bool) {
	for _, vote := range votes {
		if r.Seats[vote.Seat].Validator.block != block {
			continue
		}
		if vote.Vote != council.Abstain.String() || !strings.HasPrefix(vote.Reason, ScriptFailed) {
			return "", true
		}
		if !asked {
			fault, asked = vote.Reason, true
		}
	}
	return fault, asked
}

// excuseRounds marks the open rounds when an edit changes the script of a
// validator: those who have committed in them may have asked the one before.
func (s *State) excuseRounds(before, next *Spec) {
	changed := slices.ContainsFunc(before.Validators, func(v ValidatorSpec) bool {
		is := next.Script("validator." + v.Name)
		return v.Kind == ScriptValidator && is != nil && is.Digest != v.Script.Digest
	})
	if !changed {
		return
	}
	for _, j := range s.openJobs() {
		if j.Round != nil && !j.Round.Closed {
			j.Round.Excused = true
			s.touch(j)
		}
	}
}

// forgiveFaults forgets the faults of scripts that an edit has changed or taken
// away.
func (s *State) forgiveFaults(before, next *Spec) {
	s.faults = slices.DeleteFunc(s.faults, func(f scriptFaults) bool {
		was, is := before.Script(f.Script), next.Script(f.Script)
		return was == nil || is == nil || was.Digest != is.Digest
	})
}

// withhold keeps a job from starting, or lets it.
func (s *State) withhold(j *Job, on bool) {
	switch {
	case on == j.withheld:
		return
	case on:
		s.withheld++
	default:
		s.withheld--
	}
	j.withheld = on
	s.touch(j)
}
