package projection

import (
	"strings"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// PlanOf is the last plan of a steward.
type PlanOf struct {
	Steward    string     `json:"steward"` // guardian, or the strategist's name
	Seq        core.Seq   `json:"seq"`     // of the entry that holds it
	At         core.Time  `json:"at"`
	Confirmed  core.Time  `json:"confirmed"` // when it was last said, in the same words
	Script     string     `json:"script"`    // digest of the version that made it, hex
	Generation int64      `json:"generation"`
	Headline   string     `json:"headline"`
	Alerts     []Concern  `json:"alerts"`
	Recommend  []string   `json:"recommend"`
	Actions    []ActionOf `json:"actions"`
	Fault      *FaultOf   `json:"fault"` // why there is no newer one; null where there is no reason
}

// Concern is something a steward wants seen.
type Concern struct {
	Severity string `json:"severity"` // info, warning, critical
	Text     string `json:"text"`
	Job      string `json:"job,omitempty"`
}

// ActionOf is something a steward wants to do, and what came of it.
type ActionOf struct {
	ID      string `json:"id,omitempty"` // of one that waits or has waited
	Do      string `json:"do"`           // expedite, reprice, boost, pause_skill, post, steer
	About   string `json:"about,omitempty"`
	Text    string `json:"text"` // in plain words
	Why     string `json:"why,omitempty"`
	Outcome string `json:"outcome"` // taken, waiting, refused, denied; approved, withdrawn once it has waited
	Reason  string `json:"reason,omitempty"`
}

// FaultOf is why a script gave no answer, with the author's file and line.
type FaultOf struct {
	Seq  core.Seq  `json:"seq"`
	At   core.Time `json:"at"`
	Text string    `json:"text"`
}

// AutonomyLine is a line of autonomy-history.jsonl: a plan that differs from the
// steward's last one, or what a person said of an action.
type AutonomyLine struct {
	Seq        core.Seq   `json:"seq"`
	At         core.Time  `json:"at"`
	Event      string     `json:"event"`   // plan_recorded, action_approved, action_dropped
	Steward    string     `json:"steward"` // guardian, or the strategist's name
	Script     string     `json:"script,omitempty"`
	Generation int64      `json:"generation,omitempty"`
	Headline   string     `json:"headline,omitempty"`
	Alerts     []Concern  `json:"alerts,omitempty"`
	Recommend  []string   `json:"recommend,omitempty"`
	Actions    []ActionOf `json:"actions,omitempty"` // of a plan all, else the one that is meant
	Fault      string     `json:"fault,omitempty"`
}

// Insight is a line of insights.jsonl: what a steward sees. There is one for
// each plan that has alerts or actions or changes the headline.
type Insight struct {
	Seq        core.Seq   `json:"seq"`
	At         core.Time  `json:"at"`
	Steward    string     `json:"steward"`
	Confidence string     `json:"confidence"` // of the mission
	Phase      Phase      `json:"phase"`
	Headline   string     `json:"headline"`
	Alerts     []Concern  `json:"alerts"`
	Actions    []ActionOf `json:"actions"`
	Recommend  []string   `json:"recommend"`
}

// maxSaid is the longest text of a steward that is shown, in bytes.
const maxSaid = 480

func concerns(all []core.Alert) []Concern {
	list := []Concern{}
	for _, a := range all {
		list = append(list, Concern{plain(a.Severity, maxName), plain(a.Text, maxSaid), plain(a.Job, maxName)})
	}
	return list
}

func actionsOf(all []core.PlannedAction) []ActionOf {
	list := []ActionOf{}
	for i := range all {
		a := &all[i]
		list = append(list, ActionOf{
			ID: a.ID, Do: plain(a.Action.Do, maxName), About: plain(a.Action.About(), maxName), Text: plain(a.Action.Text(), maxSaid),
			Why: plain(a.Action.Why, maxSaid), Outcome: a.Outcome, Reason: plain(a.Reason, maxSaid),
		})
	}
	return list
}

func saidOf(all []string) []string {
	list := []string{}
	for _, text := range all {
		list = append(list, plain(text, maxSaid))
	}
	return list
}

// planSentence tells of a plan that does something, fails or is critical. What
// goes on waiting has been told before.
func planSentence(e *core.Entry, ev *core.PlanRecorded) (Level, string) {
	who := steward(ev.Steward)
	if ev.Fault != "" {
		return Warning, who + " has no plan: " + plain(ev.Fault, maxSaid)
	}
	if ev.Same {
		return silent, ""
	}
	level, parts := Info, []string{}
	for _, a := range ev.Alerts {
		if a.Severity == "critical" {
			level, parts = Warning, append(parts, plain(a.Text, maxDetail))
		}
	}
	for i := range ev.Actions {
		if text := plannedSentence(e.Seq, &ev.Actions[i]); text != "" {
			parts = append(parts, text)
		}
	}
	if len(parts) == 0 {
		return silent, ""
	}
	return level, firstOf(who, parts)
}

// maxParts is how many parts of a plan a line has room for.
const maxParts = 4

func firstOf(who string, parts []string) string {
	text := who + ": " + strings.Join(parts[:min(len(parts), maxParts)], "; ")
	if more := len(parts) - maxParts; more > 0 {
		text += "; and " + itoa(int64(more)) + " more"
	}
	return text
}

func plannedSentence(seq core.Seq, a *core.PlannedAction) string {
	text := plain(a.Action.Text(), maxDetail)
	switch a.Outcome {
	case core.OutcomeTaken:
		return text
	case core.OutcomeWaiting:
		if !strings.HasPrefix(a.ID, itoa(int64(seq))+".") {
			return ""
		}
		return "wants to " + text + ", omega approve " + a.ID + " lets it, omega deny " + a.ID + " does not"
	}
	return "cannot " + text + colon(a.Reason)
}

// steward is one as people read it.
func steward(name string) string {
	if name == core.GuardianName {
		return "the guardian"
	}
	return "strategist " + plain(name, maxName)
}

// scriptWords is the name of a script as people read it: policy.spending is
// policy spending.
func scriptWords(name string) string {
	if name == core.GuardianName {
		return "the guardian"
	}
	return plain(strings.Replace(name, ".", " ", 1), maxName)
}

func autonomySentence(s *core.State, e *core.Entry, event core.Event) (Level, string) {
	switch ev := event.(type) {
	case *core.VerdictGiven:
		return verdictSentence(s, ev)
	case *core.ScriptSuspended:
		return Error, scriptWords(ev.Script) + " is not asked any more after " + count(int(ev.Faults), "fault", "faults in a row") + ": " + fallbackWords(ev.Fallback) +
			" until its file is mended; the last was " + plain(ev.Fault, maxSaid)
	case *core.PlanRecorded:
		return planSentence(e, ev)
	case *core.ActionApproved:
		return Info, "action " + plain(ev.ID, maxName) + " was approved"
	case *core.ActionDropped:
		return Info, "action " + plain(ev.ID, maxName) + " is dropped: " + words(ev.Reason)
	case *core.JobExpedited:
		return Info, name(s, ev.Job) + " goes before all others of its skills, by " + steward(ev.By)
	case *core.RewardBoosted:
		return Info, "the reward of " + name(s, ev.Job) + " is raised by " + ev.Tokens.String() + ", paid by account:" + plain(ev.By, maxName)
	case *core.SkillPaused:
		return Warning, "no job that needs " + plain(ev.Skill, maxName) + " starts before " + ev.Until.Clock() + ", by " + steward(ev.By)
	case *core.SkillResumed:
		return Info, "jobs that need " + plain(ev.Skill, maxName) + " start again"
	case *core.Repriced:
		return Info, steward(ev.By) + " sets prices: " + priceList(ev.Energy, ev.Compute)
	}
	panic("projection: no sentence for " + event.Name())
}

func priceList(energy, compute ledger.Amount) string {
	return energy.String() + " for 1,000 energy, " + compute.String() + " for 1,000 compute"
}

func fallbackWords(fallback string) string {
	switch fallback {
	case core.SayAllow, core.SayAsk, core.SayDeny:
		return "its answer is " + fallback
	case "rule":
		return "its seat judges by the rule"
	case "default":
		return "the one that comes with Omega is asked"
	}
	return "it says nothing"
}

// verdictSentence tells of a ruling that stands in somebody's way, of faults,
// and of one in shadow that would have said otherwise.
func verdictSentence(s *core.State, ev *core.VerdictGiven) (Level, string) {
	parts := []string{}
	level := Info
	if ev.Say != core.SayAllow {
		level, parts = Warning, append(parts, rulingWords(ev.Say)+colon(ev.Reason))
	}
	for i := range ev.Verdicts {
		v := &ev.Verdicts[i]
		switch {
		case v.Fault != "":
			level, parts = Warning, append(parts, "policy "+plain(v.Policy, maxName)+" failed: "+plain(v.Fault, maxDetail))
		case v.Shadow && v.Say != ev.Say:
			parts = append(parts, "policy "+plain(v.Policy, maxName)+", in shadow, would "+v.Say+colon(v.Reason))
		}
	}
	if len(parts) == 0 {
		return silent, ""
	}
	return level, firstOf(hookWords(s, &ev.Ruling), parts)
}

func rulingWords(say string) string {
	switch say {
	case core.SayAsk:
		return "a person is to be asked"
	case core.SayDeny:
		return "denied"
	}
	return "allowed"
}

// hookWords says what policies were asked about.
func hookWords(s *core.State, r *core.Ruling) string {
	about := name(s, r.Subject)
	switch core.Hook(r.Hook) {
	case core.HookPost:
		return "posting " + about
	case core.HookDelegate:
		return "children of " + about
	case core.HookTransfer:
		return "tokens for " + about
	case core.HookAssign:
		return "a worker for " + about
	}
	return plain(r.Hook, maxName) + " of " + about
}
