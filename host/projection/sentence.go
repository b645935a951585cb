package projection

import (
	"strconv"
	"strings"

	"github.com/omega-run/omega/host/core"
)

// Level says how much an event matters.
type Level string

// Levels of the structured log.
const (
	Info    Level = "info"
	Warning Level = "warning"
	Error   Level = "error"
	silent  Level = "" // not worth telling
)

// eventRefused stands in the log for an input that had no effect.
const eventRefused = "input_refused"

// sentence says in plain words what an event means; silent are those that only
// make sense together with another one that is told. The mapping is closed: a
// new event has to find its place here.
func sentence(s *core.State, e *core.Entry, event core.Event) (Level, string) {
	switch ev := event.(type) {
	case *core.SourceRecorded, *core.JobsExpanded, *core.AttemptStarted, *core.VotesCommitted, *core.RevealOpened,
		*core.PricesSet, *core.Transfer, *core.Checkpointed, *core.ClockAdvanced:
		return silent, ""
	case *core.JobPosted, *core.JobReady, *core.JobResumed, *core.JobAssigned, *core.ApprovalAsked, *core.ApprovalGiven, *core.JobEnding, *core.JobEnded:
		return jobSentence(s, event)
	case *core.AttemptReleased, *core.AttemptVoided, *core.AttemptSubmitted, *core.AttemptDelegated, *core.AttemptFailed, *core.AttemptRejected, *core.ResultHeld:
		return attemptSentence(s, event)
	case *core.RoundOpened:
		return Info, "round " + itoa(ev.Round) + " of " + name(s, ev.Job) + " opened, " + itoa(int64(len(ev.Seats))) + " validators vote"
	case *core.VotesRevealed:
		return faultyVotes(s, ev)
	case *core.VotesAbstained:
		return Warning, roundOf(s, ev.Job, ev.Round) + ": " + count(len(ev.Seats), "sealed vote", "sealed votes") + " cannot be opened any more and count as abstentions"
	case *core.SeatsReminded:
		return Info, roundOf(s, ev.Job, ev.Round) + ": " + count(len(ev.Seats), "validator was", "validators were") + " reminded of the " + ev.Phase + " phase"
	case *core.SeatEquivocated:
		return Warning, roundOf(s, ev.Job, ev.Round) + ": the validator in seat " + itoa(ev.Seat) + " signed two commitments"
	case *core.RoundClosed:
		return closedSentence(s, ev)
	case *core.OrderTaken:
		return orderSentence(s, e, ev)
	case *core.VerdictGiven, *core.ScriptSuspended, *core.PlanRecorded, *core.ActionApproved, *core.ActionDropped,
		*core.JobExpedited, *core.RewardBoosted, *core.SkillPaused, *core.SkillResumed, *core.Repriced:
		return autonomySentence(s, e, event)
	}
	return missionSentence(s, event)
}

func missionSentence(s *core.State, event core.Event) (Level, string) {
	switch ev := event.(type) {
	case *core.MissionCreated:
		return Info, "mission " + plain(ev.Title, maxName) + " begins"
	case *core.GenerationApplied:
		return Info, generationSentence(s, ev)
	case *core.EditRefused:
		return Warning, "an edit is not in force: " + because(ev.Reason, ev.Detail)
	case *core.EditHeld:
		held := HeldEdit{Removes: ev.Removes, Drains: ev.Drains, Total: int64(len(ev.Removes) + len(ev.Drains))}
		return Warning, "an edit is held: " + heldWords(&held) + "; omega apply puts it in force"
	case *core.EditApproved:
		return Info, "the held edit was approved"
	case *core.MissionPaused:
		return Info, "the mission is paused"
	case *core.MissionResumed:
		return Info, "the mission goes on"
	case *core.MissionStopping:
		return Info, "the mission is stopping, running work may end"
	case *core.MissionStopped:
		if ev.Emergency {
			return Warning, "the mission is stopped in an emergency"
		}
		return Info, "the mission is stopped"
	case *core.MissionEnded:
		return endedSentence(s, ev)
	case *core.JobsUnattended:
		return Warning, unattendedSentence(s, ev)
	case *core.HostStarted:
		if ev.HostKey != [32]byte{} {
			return Warning, "a host took the mission up with new keys: its old ones are lost"
		}
		if ev.Gap > 0 {
			return Info, "a host took the mission up, " + ev.Gap.String() + " after the last entry"
		}
		return Info, "a host took the mission up"
	case *core.HostLeft:
		return Info, "the host left: " + plain(words(ev.Reason), maxDetail)
	case *core.JournalCut:
		return Warning, "a torn tail of " + itoa(ev.Bytes) + " bytes was cut, from entry " + itoa(int64(ev.From)) + " on; it is kept as " + plain(ev.File, maxDetail)
	}
	panic("projection: no sentence for " + event.Name())
}

// generationSentence names what an edit has changed: the state is the one after it.
func generationSentence(s *core.State, ev *core.GenerationApplied) string {
	workers, validators := 0, 0
	for _, w := range ev.Spec.Workers {
		workers += len(w.Instances)
	}
	for _, v := range ev.Spec.Validators {
		validators += len(v.Instances)
	}
	text := "generation " + itoa(ev.Number) + " is in force: "
	if ev.Number == 1 && ev.Entry != "." {
		text = plain(ev.Entry, maxDetail) + " is in force as generation 1: "
	}
	if files := s.ChangedSources(); ev.Number > 1 && ev.Number == s.Generation() && len(files) > 0 {
		text += HaveChanged(files) + "; "
	}
	text += count(int(ev.Spec.Instances), "job", "jobs") + ", " +
		count(workers, "worker", "workers") + ", " + count(validators, "validator", "validators")
	if n := len(ev.Removed); n > 0 {
		text += "; " + itoa(int64(n)) + " removed"
	}
	if n := len(ev.Kept); n > 0 {
		text += "; " + count(n, "posted job keeps its terms", "posted jobs keep their terms")
	}
	return text
}

// HaveChanged says that files have changed, "scripts/rule.js has changed".
func HaveChanged(files []string) string {
	text := ""
	for i, path := range files[:min(len(files), maxParts)] {
		if i > 0 {
			text += ", "
		}
		text += plain(path, maxDetail)
	}
	if more := len(files) - maxParts; more > 0 {
		return text + " and " + itoa(int64(more)) + " more have changed"
	}
	if len(files) > 1 {
		return text + " have changed"
	}
	return text + " has changed"
}

// faultyVotes says which script validators could not judge and why; the seats of
// one script are told the same, and so once.
func faultyVotes(s *core.State, ev *core.VotesRevealed) (Level, string) {
	text, last := "", ""
	for i := range ev.Votes {
		fault, failed := strings.CutPrefix(ev.Votes[i].Reason, core.ScriptFailed)
		if !failed || ev.Votes[i].Vote != "abstain" || fault == last {
			continue
		}
		if text += "; "; last == "" {
			text = roundOf(s, ev.Job, ev.Round) + ": "
		}
		text, last = text+judge(s, fault)+" could not judge and abstains: "+plain(fault, maxSaid), fault
	}
	if text == "" {
		return silent, ""
	}
	return Warning, text
}

// judge names the validators whose script has a fault, where its file tells.
func judge(s *core.State, fault string) string {
	spec := s.Spec()
	for i := range spec.Validators {
		if path := spec.Validators[i].Script.Path; path != "" && strings.HasPrefix(fault, path+":") {
			return "validator " + plain(spec.Validators[i].Name, maxName)
		}
	}
	return "a validator"
}

// askedSentence says what a person is asked, and what the answers do.
func askedSentence(ev *core.ApprovalAsked) string {
	if ev.Reason == "undecided" {
		return "the council came to no decision; omega approve " + ev.Job + " pays the result, omega deny " + ev.Job + " asks for another attempt"
	}
	if ev.Reason == "policy" {
		what := "lets it start"
		if n := len(ev.Children); n > 0 {
			what = "posts " + count(n, "child", "children")
		}
		return "a policy wants it seen" + colon(ev.Detail) + "; omega approve " + ev.Job + " " + what + ", omega deny " + ev.Job + " does not"
	}
	return plain(ev.Detail, maxDetail) + " ran out; omega approve " + ev.Job + " lets it wait, omega deny " + ev.Job + " ends it"
}

func unattendedSentence(s *core.State, ev *core.JobsUnattended) string {
	text := count(int(ev.Count), "ready job waits", "ready jobs wait") + " for a start since " + ev.Since.Clock()
	for i, id := range ev.Jobs[:min(len(ev.Jobs), 3)] {
		text += [...]string{": ", ", ", ", "}[i] + name(s, id)
	}
	return text
}

func endedSentence(s *core.State, ev *core.MissionEnded) (Level, string) {
	text := "the mission has ended: " + words(ev.Reason)
	if lost := s.Totals().RequiredLost; lost > 0 {
		return Error, text + "; " + count(int(lost), "required job was", "required jobs were") + " not finalized"
	}
	return Info, text
}

func jobSentence(s *core.State, event core.Event) (Level, string) {
	switch ev := event.(type) {
	case *core.JobPosted:
		text := name(s, ev.Spec.ID) + " posted, reward " + ev.Spec.Reward.String()
		if ev.Spec.Title != "" {
			text += ": " + plain(ev.Spec.Title, maxTitle)
		}
		return Info, text
	case *core.JobReady:
		return Info, name(s, ev.Job) + " is ready"
	case *core.JobResumed:
		return Info, name(s, ev.Job) + " goes on: its children have ended"
	case *core.JobAssigned:
		return Info, name(s, ev.Job) + " assigned to " + ev.Worker + ", attempt " + itoa(ev.Attempt)
	case *core.ApprovalAsked:
		return Warning, name(s, ev.Job) + " waits for a person: " + askedSentence(ev)
	case *core.ApprovalGiven:
		if ev.Approve {
			return Info, name(s, ev.Job) + " was approved" + colon(ev.Reason)
		}
		return Info, name(s, ev.Job) + " was denied" + colon(ev.Reason)
	case *core.JobEnding:
		return Info, name(s, ev.Job) + " will be " + string(ev.State) + " when the jobs it has posted have ended"
	case *core.JobEnded:
		return jobEndedSentence(s, ev)
	}
	panic("projection: no sentence for " + event.Name())
}

func jobEndedSentence(s *core.State, ev *core.JobEnded) (Level, string) {
	text := name(s, ev.Job) + " " + string(ev.State)
	if ev.State == core.JobFinalized {
		return Info, text
	}
	if ev.Reason != "" {
		text += ": " + because(ev.Reason, ev.Detail)
	}
	if j := find(s, ev.Job); j != nil && j.Spec.Required && (ev.State == core.JobFailed || ev.State == core.JobExpired) {
		return Error, text
	}
	return Warning, text
}

func attemptSentence(s *core.State, event core.Event) (Level, string) {
	switch ev := event.(type) {
	case *core.AttemptReleased:
		return Info, attemptOf(s, ev.Job, ev.Attempt) + " runs again, its host was gone"
	case *core.AttemptVoided:
		return Info, attemptOf(s, ev.Job, ev.Attempt) + " is void: " + words(ev.Reason)
	case *core.AttemptSubmitted:
		text := name(s, ev.Job) + " delivered a result"
		if ev.OverReported {
			return Warning, text + ", and reported more usage than its budget"
		}
		return Info, text
	case *core.AttemptDelegated:
		text := attemptOf(s, ev.Job, ev.Attempt) + " handed work out to other jobs"
		if ev.OverReported {
			return Warning, text + ", and reported more usage than its budget"
		}
		return Info, text
	case *core.AttemptFailed:
		return Warning, attemptOf(s, ev.Job, ev.Attempt) + " failed: " + because(ev.Reason, ev.Detail) + nextTry(ev.RetryAt)
	case *core.AttemptRejected:
		return Warning, attemptOf(s, ev.Job, ev.Attempt) + " was rejected" + colon(ev.Reason) + nextTry(ev.RetryAt)
	case *core.ResultHeld:
		return Info, "the result of " + name(s, ev.Job) + " is held until the mission resumes"
	}
	panic("projection: no sentence for " + event.Name())
}

func closedSentence(s *core.State, ev *core.RoundClosed) (Level, string) {
	text, level := "round "+itoa(ev.Round)+" of "+name(s, ev.Job)+" closed: "+words(ev.Outcome), Info
	if n := len(ev.Absent); n > 0 {
		text, level = text+", "+count(n, "validator was absent", "validators were absent"), Warning
	}
	return level, text
}

func orderSentence(s *core.State, e *core.Entry, ev *core.OrderTaken) (Level, string) {
	text := "order"
	if o, ok := e.Command.(*core.Order); ok {
		text += " " + plain(string(o.Say), maxName)
		if o.Job != "" {
			text += " " + name(s, o.Job)
		}
	}
	if ev.Refusal != "" {
		return Warning, text + " refused: " + because(ev.Refusal, ev.Detail)
	}
	return Info, text + " accepted"
}

// refusedSentence says that an input had no effect, and whose it was.
func refusedSentence(s *core.State, e *core.Entry) (job, text string) {
	text = words(e.Command.Name())
	if job = jobNamedBy(e.Command); job != "" {
		text += " for " + name(s, job)
	}
	return job, text + " refused: " + because(string(e.Refusal.Code), e.Refusal.Detail)
}

// jobNamedBy is the job a recorded command names, "" where it names none.
func jobNamedBy(command core.Command) string {
	switch c := command.(type) {
	case *core.Resolve:
		return c.Job
	case *core.Result:
		return c.Job
	case *core.Failure:
		return c.Job
	case *core.Delegate:
		return c.Job
	case *core.Commit:
		return c.Job
	case *core.Reveal:
		return c.Job
	case *core.Order:
		return c.Job
	case *core.Admit:
		return c.Job
	}
	return ""
}

// jobOf is the job an event concerns, "" where it concerns none.
func jobOf(event core.Event) string {
	switch e := event.(type) {
	case *core.JobPosted:
		return e.Spec.ID
	case *core.JobReady:
		return e.Job
	case *core.JobResumed:
		return e.Job
	case *core.JobAssigned:
		return e.Job
	case *core.AttemptStarted:
		return e.Job
	case *core.AttemptReleased:
		return e.Job
	case *core.AttemptVoided:
		return e.Job
	case *core.AttemptSubmitted:
		return e.Job
	case *core.AttemptDelegated:
		return e.Job
	case *core.AttemptFailed:
		return e.Job
	case *core.AttemptRejected:
		return e.Job
	case *core.ResultHeld:
		return e.Job
	case *core.RoundOpened:
		return e.Job
	case *core.VotesCommitted:
		return e.Job
	case *core.RevealOpened:
		return e.Job
	case *core.VotesRevealed:
		return e.Job
	case *core.VotesAbstained:
		return e.Job
	case *core.SeatsReminded:
		return e.Job
	case *core.SeatEquivocated:
		return e.Job
	case *core.RoundClosed:
		return e.Job
	case *core.ApprovalAsked:
		return e.Job
	case *core.ApprovalGiven:
		return e.Job
	case *core.JobEnding:
		return e.Job
	case *core.JobEnded:
		return e.Job
	case *core.Transfer:
		return e.Job
	case *core.VerdictGiven:
		return e.Subject
	case *core.JobExpedited:
		return e.Job
	case *core.RewardBoosted:
		return e.Job
	}
	return ""
}

// name is a job as people know it.
func name(s *core.State, id string) string {
	if j := find(s, id); j != nil {
		id = j.Name()
	}
	return plain(id, maxName)
}

func attemptOf(s *core.State, id string, attempt int64) string {
	return "attempt " + itoa(attempt) + " of " + name(s, id)
}

func roundOf(s *core.State, id string, round int64) string {
	return "round " + itoa(round) + " of " + name(s, id)
}

func nextTry(at core.Time) string {
	if at == 0 {
		return "; no attempt is left"
	}
	return "; next at " + at.Clock()
}

func because(reason, detail string) string { return words(reason) + colon(detail) }

func colon(detail string) string {
	if detail == "" {
		return ""
	}
	return ": " + plain(detail, maxDetail)
}

// Words is a reason or code in plain words.
func Words(code string) string { return words(code) }

// words is a reason or code in plain words.
func words(code string) string {
	switch code {
	case "complete":
		return "no open job is left"
	case "duration":
		return "its time is over"
	case "stalled":
		return "nothing can happen any more"
	case "exhausted":
		return "tokens, energy or compute ran out"
	case "deadline":
		return "not submitted in time"
	case "need_ended":
		return "a job it needs was not finalized"
	case "input_error":
		return "its input could not be worked out"
	case "undecided":
		return "no outcome"
	case "attempts":
		return "no attempt is left"
	case "owner":
		return "by the owner"
	case "removed":
		return "removed from the mission file"
	case "policy":
		return "a policy wants it seen"
	case "denied":
		return "a policy or a person said no"
	case "withdrawn":
		return "it is not asked for any more"
	}
	return plain(strings.ReplaceAll(code, "_", " "), maxName)
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
