package core

import (
	"fmt"
	"slices"

	"github.com/omega-run/omega/host/ledger"
)

// Bounds of what a ruling puts on record.
const (
	maxRequest = 64 << 10 // bytes of what the policies were given
	maxSaid    = 2 << 10  // bytes of one reason, and of one fault
)

// maxAsking bounds the assignments that wait for a verdict at the same time: an
// edit asks about all of them anew, in its own entry.
const maxAsking = 256

// faultsInRow is how often in a row a script may fail before it is taken out.
const faultsInRow = 5

// Policies are those that are asked at a hook, in the order of the file, with
// those in shadow.
func (s *State) Policies(hook Hook) (all []*PolicySpec) { return s.spec.PoliciesOn(hook) }

// PoliciesOn are the policies that list a hook, in the order of the file.
func (s *Spec) PoliciesOn(hook Hook) (all []*PolicySpec) {
	for i := range s.Policies {
		if p := &s.Policies[i]; slices.Contains(p.On, string(hook)) {
			all = append(all, p)
		}
	}
	return all
}

// asks reports whether any policy is asked at a hook.
func (s *State) asks(hook Hook) bool {
	for i := range s.spec.Policies {
		if slices.Contains(s.spec.Policies[i].On, string(hook)) {
			return true
		}
	}
	return false
}

// Shadow reports whether what a policy says is only recorded.
func (p *PolicySpec) Shadow() bool { return p.Mode == "shadow" }

// strength orders what policies say: the stronger beats the weaker; below 1 is
// nothing they can say.
func strength(say string) int { return slices.Index([]string{"", SayAllow, SayAsk, SayDeny}, say) }

// Rule is what verdicts come to: deny beats ask beats allow, those in shadow do
// not count, and nobody allows. The reason is the first one's that decided.
func Rule(verdicts []Verdict) (say, reason string) {
	say = SayAllow
	for i := range verdicts {
		if v := &verdicts[i]; !v.Shadow && strength(v.Say) > strength(say) {
			say, reason = v.Say, v.Reason
		}
	}
	return say, reason
}

// UnfitRuling says in a sentence why a ruling is not that of the policies in
// force on a request, "" if it is. r is nil where none was asked. Where it is
// unfit they have to be asked, or asked again.
func (s *State) UnfitRuling(hook Hook, r *Ruling) string {
	all := s.Policies(hook)
	switch {
	case r == nil && len(all) == 0:
		return ""
	case r == nil:
		return fmt.Sprintf("%s is asked about %s", all[0].Name, hook)
	case len(r.Request) > maxRequest:
		return fmt.Sprintf("the request has %d bytes; at most %d are recorded", len(r.Request), maxRequest)
	case len(r.Verdicts) != len(all):
		return fmt.Sprintf("%d policies are asked about %s, %d have said something", len(all), hook, len(r.Verdicts))
	}
	for i, p := range all {
		if problem := p.unfitVerdict(&r.Verdicts[i]); problem != "" {
			return problem
		}
	}
	return ""
}

func (p *PolicySpec) unfitVerdict(v *Verdict) string {
	switch {
	case v.Policy != p.Name || v.Script != p.Script.Digest || v.Shadow != p.Shadow():
		return fmt.Sprintf("the policy %s in force has not been asked", p.Name)
	case strength(v.Say) < 1:
		return fmt.Sprintf("the policy %s says %q", p.Name, v.Say)
	case v.Fault != "" && v.Say != p.Script.Fallback:
		return fmt.Sprintf("the policy %s has failed, and says %s instead of its fallback %s", p.Name, v.Say, p.Script.Fallback)
	case len(v.Reason) > maxSaid || len(v.Fault) > maxSaid:
		return fmt.Sprintf("what the policy %s says is longer than %d bytes", p.Name, maxSaid)
	}
	return ""
}

// heed records a ruling before anything it leads to, and returns what it comes
// to. Without one nobody was asked.
func (s *State) heed(hook Hook, subject string, r *Ruling) (say, reason string) {
	if r == nil {
		return SayAllow, ""
	}
	say, reason = Rule(r.Verdicts)
	s.emit(&VerdictGiven{Ruling{Hook: string(hook), Subject: subject, Request: r.Request, Verdicts: r.Verdicts, Say: say, Reason: reason}})
	s.suspendFailing()
	return say, reason
}

// admit takes what policies say of an assignment.
func (s *State) admit(c *Admit) *Refusal {
	j, refusal := s.goesOn(c.Job)
	switch {
	case refusal != nil:
		return refusal
	case s.status == Paused:
		return refuse(RefusePaused, "")
	case j.State != JobAssignedState || j.Attempt != c.Attempt || j.Lease != c.Lease:
		return refuse(RefuseNotOutstanding, fmt.Sprintf("attempt %d of %s", c.Attempt, c.Job))
	}
	if problem := s.UnfitRuling(HookAssign, &c.Ruling); problem != "" {
		return refuse(RefuseRuling, problem)
	}
	switch say, reason := s.heed(HookAssign, c.Job, &c.Ruling); say {
	case SayAllow:
		s.emit(&AttemptStarted{Job: c.Job, Attempt: j.Attempt})
	case SayAsk:
		s.void(j, reasonPolicy)
		s.emit(&ApprovalAsked{Job: c.Job, Reason: reasonPolicy, Detail: reason})
	default:
		s.denied(j, c.Ruling.failed(), reason, 0, 0)
	}
	return nil
}

// denied ends an attempt that policies deny. It counts, unless those that deny
// have all failed: a broken script is no verdict on the job, which waits until an
// edit mends it.
func (s *State) denied(j *Job, failed bool, reason string, energy, compute ledger.Amount) {
	if failed {
		s.void(j, reasonFault)
		return
	}
	s.failUsing(j, reasonDenied, reason, energy, compute)
}

// failed reports whether all policies that deny could not say.
func (r *Ruling) failed() bool {
	for i := range r.Verdicts {
		if v := &r.Verdicts[i]; !v.Shadow && v.Say == SayDeny && v.Fault == "" {
			return false
		}
	}
	return true
}

// release puts those forward again that wait for an edit to mend a policy.
func (s *State) release() {
	if s.withheld == 0 {
		return
	}
	for _, j := range s.openJobs() {
		s.withhold(j, false)
	}
}

// asksAbout reports whether an assignment waits for a verdict.
func (s *State) asksAbout(j *Job) bool { return !j.cleared && s.asks(HookAssign) }

// void ends an attempt that nobody is to blame for: it pays nothing and does not
// count.
func (s *State) void(j *Job, reason string) {
	steps := s.steps(j)
	s.addUnused(steps, j)
	steps.add(StepStakeReturn, 0, j.Stake)
	steps.emit()
	s.emit(&AttemptVoided{Job: j.Spec.ID, Attempt: j.Attempt, Reason: reason})
}

// voidAssigned ends all attempts that wait for a verdict: nothing of them has
// begun.
func (s *State) voidAssigned(reason string) {
	if s.asking == 0 {
		return
	}
	for _, j := range s.openJobs() {
		if j.State == JobAssignedState {
			s.void(j, reason)
		}
	}
}

// Suspended reports whether a script has failed so often that its fallback is
// said in its place: policy.<name>, guardian, strategist.<name>,
// validator.<name>.
func (s *State) Suspended(script string) bool {
	f := s.failing(script)
	return f != nil && f.Suspended
}

// LastFault is why a script's last call has failed, "" where it has an answer.
func (s *State) LastFault(script string) string {
	if f := s.failing(script); f != nil {
		return f.Fault
	}
	return ""
}

// scriptFaults is a script whose last calls have failed.
type scriptFaults struct {
	Script    string
	InRow     int64
	Fault     string // the last
	Suspended bool
}

func (f *scriptFaults) fields(c *Codec) {
	c.Text("script", &f.Script)
	integer(c, "faults", &f.InRow)
	c.Text("fault", &f.Fault)
	c.Flag("suspended", &f.Suspended)
}

func (s *State) failing(script string) *scriptFaults {
	for i := range s.faults {
		if s.faults[i].Script == script {
			return &s.faults[i]
		}
	}
	return nil
}

// suspendFailing takes out the scripts that have failed too often. It is called
// after every event that tells of faults.
func (s *State) suspendFailing() {
	for i := range s.faults {
		if f := &s.faults[i]; f.InRow >= faultsInRow && !f.Suspended {
			said := &ScriptSuspended{Script: f.Script, Faults: f.InRow, Fault: f.Fault}
			if script := s.spec.Script(f.Script); script != nil {
				said.Fallback = script.Fallback
			}
			s.emit(said)
		}
	}
}
