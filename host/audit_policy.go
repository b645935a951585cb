package host

import (
	"github.com/omega-run/omega/host/core"
)

// hearings is what an audit remembers of policies and of whom they asked.
type hearings struct {
	children map[string]string // what was said of those a running attempt asks for, by job
	held     map[string]bool   // jobs whose answer came during a pause
	cleared  map[string]bool   // jobs that a person lets start whatever policies say
}

func newHearings() hearings {
	return hearings{children: map[string]string{}, held: map[string]bool{}, cleared: map[string]bool{}}
}

// policies checks that every attempt that starts, and every child that is
// posted, was let through: by the policies that are asked, or by a person.
func (a *auditor) policies(e *core.Entry) {
	spec := a.state.Spec()
	starts, posts := map[string]bool{}, map[string]bool{} // in this entry
	for _, event := range e.Events {
		switch event := event.(type) {
		case *core.GenerationApplied:
			spec = &event.Spec
			a.removed(e, event)
		case *core.EditApproved:
			if o, ok := e.Command.(*core.Order); !ok || o.Say != core.ApplyEdit || !obeyed(e) {
				a.problem(e.Seq, "nobody has ordered that an edit is let through")
			}
		case *core.VerdictGiven:
			a.verdict(e, event)
			starts[event.Subject] = event.Hook == string(core.HookAssign) && event.Say == core.SayAllow
			if event.Hook == string(core.HookDelegate) {
				a.heard.children[event.Subject] = event.Say
			}
		case *core.JobAssigned:
			a.forget(event.Job)
		case *core.AttemptStarted:
			if policed(spec, core.HookAssign) && !starts[event.Job] && !a.heard.cleared[event.Job] {
				a.problem(e.Seq, "%s starts, and the policies that are asked have not allowed it", event.Job)
			}
		case *core.ResultHeld:
			a.heard.held[event.Job] = true
			a.seen(e, spec, event.Job, len(event.Children) > 0)
		case *core.AttemptDelegated:
			a.seen(e, spec, event.Job, !a.heard.held[event.Job])
			say := a.heard.children[event.Job]
			if posts[event.Job] = say == "" || say == core.SayAllow; say == core.SayDeny {
				a.problem(e.Seq, "%s hands work on that a policy has denied", event.Job)
			}
			a.forget(event.Job)
		case *core.ApprovalGiven:
			a.personal(event, posts)
		case *core.JobPosted:
			if parent := event.Spec.Parent; parent != "" && !posts[parent] {
				a.problem(e.Seq, "%s is posted, and nobody has let %s post it", event.Spec.ID, parent)
			}
		case *core.JobEnded:
			a.forget(event.Job)
			delete(a.heard.cleared, event.Job)
		}
	}
}

func (a *auditor) forget(job string) {
	delete(a.heard.children, job)
	delete(a.heard.held, job)
}

func policed(spec *core.Spec, hook core.Hook) bool { return len(spec.PoliciesOn(hook)) > 0 }

// seen checks that policies have seen the children an attempt asks for.
func (a *auditor) seen(e *core.Entry, spec *core.Spec, job string, children bool) {
	if children && policed(spec, core.HookDelegate) && a.heard.children[job] == "" {
		a.problem(e.Seq, "%s hands work on, and the policies that are asked have said nothing", job)
	}
}

// verdict checks that those were asked who had to be, and what it comes to.
func (a *auditor) verdict(e *core.Entry, v *core.VerdictGiven) {
	if problem := a.state.UnfitRuling(core.Hook(v.Hook), &v.Ruling); problem != "" {
		a.problem(e.Seq, "the verdict on %s of %s does not hold: %s", v.Hook, v.Subject, problem)
	}
	if say, reason := core.Rule(v.Verdicts); say != v.Say || reason != v.Reason {
		a.problem(e.Seq, "the verdict on %s of %s is %s, what was said comes to %s", v.Hook, v.Subject, v.Say, say)
	}
}

// personal notes what a person has let through that a policy wanted asked.
func (a *auditor) personal(given *core.ApprovalGiven, posts map[string]bool) {
	j := a.state.Job(given.Job)
	if j == nil || !given.Approve {
		return
	}
	asked, _ := j.Asked()
	switch {
	case asked == nil || asked.Reason != "policy":
	case len(asked.Children) > 0:
		posts[given.Job] = true
	default:
		a.heard.cleared[given.Job] = true
	}
}

// removed checks that somebody has allowed what an edit takes away.
func (a *auditor) removed(e *core.Entry, g *core.GenerationApplied) {
	held := a.state.HeldEdit()
	approved := held != nil && held.Approved && held.Digest == core.EditDigest(g.Entry, g.Sources)
	if len(g.Removed)+len(g.Drained) > 0 && !g.Spec.Reload.AllowRemovals && !approved {
		a.problem(e.Seq, "generation %d takes away what nobody has allowed it to", g.Number)
	}
}
