package projection_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/projection"
)

// said is a record whose events are made by hand: the state is told of its time
// alone.
type said struct {
	t       *testing.T
	d       *driver
	entries []*core.Entry
	digests []core.Digest
}

// advised begins with a mission of two posted jobs, a guardian, a policy and a
// strategist.
func advised(t *testing.T) *said {
	s := spec()
	s.Autonomy.May = []string{core.ActExpedite}
	s.Guardian = &core.GuardianSpec{Script: core.ScriptSpec{Path: "omega:guardian", Digest: core.Digest{7}}}
	s.Policies = []core.PolicySpec{{Name: "spending", Script: core.ScriptSpec{Path: "scripts/spending.js", Digest: core.Digest{8}}, On: []string{"job.post"}, Mode: "enforce"}}
	d := start(t, s, job("report"), job("audit"))
	d.expand()
	told := &said{t: t, d: d}
	for _, r := range d.all {
		e, err := core.ParseEntry(r.line)
		require.NoError(t, err)
		told.entries, told.digests = append(told.entries, e), append(told.digests, r.digest)
	}
	return told
}

// say adds an entry a second after the one before.
func (a *said) say(events ...core.Event) {
	last := a.entries[len(a.entries)-1]
	a.entries = append(a.entries, &core.Entry{
		Seq: last.Seq + 1, At: last.At + core.Time(core.Second), Wall: "2000-01-01T00:00:01.000Z", By: "host", Prev: a.digests[len(a.digests)-1],
		Command: &core.Tick{}, Events: events,
	})
	a.digests = append(a.digests, core.Digest{byte(last.Seq + 1), 1})
}

// seq is the entry that comes next.
func (a *said) seq() core.Seq { return a.entries[len(a.entries)-1].Seq + 1 }

// follow applies the entries a Set has not seen, up to the first n.
func (a *said) follow(p *projection.Set, n int, after func()) *projection.Set {
	s := core.New()
	for i, e := range a.entries[:n] {
		known := *e
		if e.Seq > core.Seq(len(a.d.all)) {
			known.Events = []core.Event{&core.ClockAdvanced{}}
		}
		s.Replay(&known)
		if e.Seq > p.Seq() {
			p.Apply(s, e, a.digests[i])
			after()
		}
	}
	return p
}

func (a *said) artifacts() map[string]string {
	return contents(a.t, a.follow(projection.New(""), len(a.entries), func() {}))
}

func planned(seq core.Seq, n int, outcome string, action core.Action) core.PlannedAction {
	one := core.PlannedAction{Action: action, Outcome: outcome}
	if outcome == core.OutcomeWaiting {
		one.ID = fmt.Sprintf("%d.%d", seq, n)
	}
	return one
}

// eventful has every event of scripts in it.
func eventful(t *testing.T) *said {
	a := advised(t)
	a.say(&core.VerdictGiven{Ruling: core.Ruling{Hook: "job.assign", Subject: "report", Say: core.SayAllow, Verdicts: []core.Verdict{{Policy: "spending", Say: core.SayAllow}}}})
	a.say(&core.VerdictGiven{Ruling: core.Ruling{Hook: "job.delegate", Subject: "report", Say: core.SayDeny, Reason: "too dear", Verdicts: []core.Verdict{
		{Policy: "spending", Say: core.SayDeny, Reason: "too dear"}, {Policy: "trial", Say: core.SayAsk, Reason: "hm", Shadow: true}, {Policy: "torn", Say: core.SayDeny, Fault: "scripts/torn.js:3: x is not defined"},
	}}})
	first := a.seq()
	a.say(&core.PlanRecorded{
		Steward: "guardian", Script: core.Digest{7}, Generation: 1, Headline: "Two jobs are late", Recommend: []string{"Add a worker"},
		Alerts: []core.Alert{{Severity: "critical", Text: "report may be late", Job: "report"}, {Severity: "info", Text: "quiet\nhere"}},
		Actions: []core.PlannedAction{
			planned(first, 1, core.OutcomeTaken, core.Action{Do: core.ActExpedite, Job: "report", Why: "it is due"}),
			planned(first, 2, core.OutcomeWaiting, core.Action{Do: core.ActBoost, Job: "audit", Tokens: 5 * one}),
			planned(first, 3, core.OutcomeWaiting, core.Action{Do: core.ActPauseSkill, Skill: "s", For: core.Hour}),
			{Action: core.Action{Do: core.ActSteer, Target: "planet"}, Outcome: core.OutcomeRefused, Reason: "no simulation"},
		},
	}, &core.JobExpedited{Job: "report", By: "guardian"})
	a.say(&core.PlanRecorded{Steward: "guardian", Same: true})
	posted := job("extra")
	a.say(&core.PlanRecorded{Steward: "macro", Script: core.Digest{6}, Generation: 1, Headline: "More of it", Actions: []core.PlannedAction{{Action: core.Action{Do: core.ActPost, Post: &posted}, Outcome: core.OutcomeDenied, Reason: "too dear"}}})
	a.say(&core.ActionApproved{ID: fmt.Sprintf("%d.2", first)}, &core.RewardBoosted{Job: "audit", Tokens: 5 * one, By: "operator"})
	a.say(&core.ActionDropped{ID: fmt.Sprintf("%d.3", first), Reason: "withdrawn"})
	a.say(&core.SkillPaused{Skill: "s", Until: core.Time(core.Hour), By: "guardian"}, &core.Repriced{Energy: one, Compute: 2 * one, By: "guardian"})
	a.say(&core.PlanRecorded{Steward: "guardian", Script: core.Digest{7}, Generation: 1, Fault: "scripts/guardian.js:12: late is not defined"})
	a.say(&core.ScriptSuspended{Script: "policy.spending", Faults: 5, Fallback: "deny", Fault: "scripts/spending.js:4: no"})
	second := a.seq()
	a.say(&core.PlanRecorded{Steward: "guardian", Script: core.Digest{7}, Generation: 1, Headline: "Calm", Actions: []core.PlannedAction{
		planned(second, 1, core.OutcomeWaiting, core.Action{Do: core.ActReprice, Energy: 2 * one, Why: "demand"}),
	}})
	a.say(&core.EditHeld{Digest: core.Digest{9, 9}, Removes: []string{"report"}, Drains: []string{"w_0"}})
	return a
}

// A mission without scripts has the artifacts it always had, and not a word of
// stewards in them.
func TestNoScriptsNothingToShow(t *testing.T) {
	got := advised(t).artifacts()
	require.Len(t, got, 12)
	require.NotContains(t, got["telemetry.json"], "autonomy")
	require.NotContains(t, got["telemetry-ui.json"], "autonomy")
}

func TestAutonomyIsShown(t *testing.T) {
	a := eventful(t)
	got := a.artifacts()
	require.Len(t, got, 15)
	var plan projection.AutonomyPlan
	strict(t, got["autonomy-plan.json"], &plan)
	first := core.Seq(len(a.d.all)) + 3
	require.Equal(t, "Calm", plan.Guardian.Headline)
	require.Nil(t, plan.Guardian.Fault, "it has a plan again")
	require.Equal(t, []string{"expedite"}, plan.May)
	require.Len(t, plan.Strategists.Items, 1)
	require.Equal(t, "post extra for 100", plan.Strategists.Items[0].Actions[0].Text)
	require.Len(t, plan.Waiting.Items, 1)
	waits := plan.Waiting.Items[0]
	require.Equal(t, "omega approve "+waits.ID, waits.Approve)
	require.Equal(t, "price 1,000 energy 2", waits.Text)
	require.Equal(t, "s", plan.Paused[0].Skill)
	require.Equal(t, "policy.spending", plan.Suspended[0].Script)

	var lines []projection.AutonomyLine
	for text := range strings.Lines(got["autonomy-history.jsonl"]) {
		var l projection.AutonomyLine
		strict(t, text, &l)
		lines = append(lines, l)
	}
	require.Len(t, lines, 6, "three plans, a fault, an approval and a drop; what is the same is not told again")
	require.Equal(t, first, lines[0].Seq)
	require.Equal(t, "approved", lines[2].Actions[0].Outcome)
	require.Equal(t, "raise the reward of audit by 5", lines[2].Actions[0].Text)
	require.Equal(t, "withdrawn", lines[3].Actions[0].Reason)
	require.Equal(t, 3, strings.Count(got["insights.jsonl"], "\n"))

	var shown projection.Telemetry
	strict(t, got["telemetry.json"], &shown)
	require.Equal(t, "Calm", shown.Autonomy.Headline)
	require.Equal(t, []string{"report"}, shown.Autonomy.Held.Removes)
	kinds := map[projection.AlertKind]int{}
	for _, one := range shown.Alerts {
		kinds[one.Kind]++
	}
	require.Equal(t, 1, kinds[projection.AlertAction])
	require.Equal(t, 1, kinds[projection.AlertEdit])
	require.Equal(t, 1, kinds[projection.AlertScript])
	require.Contains(t, got["storyboard.json"], "The guardian says: Calm.")
	require.Equal(t, 10, strings.Count(got["mesh-history.jsonl"], `"subject":"insights"`))
	require.Contains(t, got["mesh-history.jsonl"], `"subject":"job.report.verdict_given"`)
	for text := range strings.Lines(got["mesh-history.jsonl"]) {
		require.True(t, json.Valid([]byte(text)), text)
	}
}

// What a person reads of each event, in a running host's lines and in a log
// that is asked for it.
func TestAutonomyIsTold(t *testing.T) {
	a := eventful(t)
	var lines, asked []byte
	teller := projection.NewTeller()
	s := core.New()
	for _, e := range a.entries {
		known := *e
		if e.Seq > core.Seq(len(a.d.all)) {
			known.Events = []core.Event{&core.ClockAdvanced{}}
		}
		s.Replay(&known)
		told := teller.AppendLines(nil, s, e, []string{"verdict_given", "plan_recorded"})
		if e.Seq > core.Seq(len(a.d.all)) {
			lines, asked = projection.AppendLines(lines, s, e), append(asked, told...)
		}
	}
	require.Equal(t, `00:00:02  children of report: denied: too dear; policy trial, in shadow, would ask: hm; policy torn failed: scripts/torn.js:3: x is not defined
00:00:03  the guardian: report may be late; put report before all others of its skills; wants to raise the reward of audit by 5, omega approve 5.2 lets it, omega deny 5.2 does not; wants to start no job that needs s for 1h, omega approve 5.3 lets it, omega deny 5.3 does not; and 1 more
00:00:03  report goes before all others of its skills, by the guardian
00:00:05  strategist macro: cannot post extra for 100: too dear
00:00:06  action 5.2 was approved
00:00:06  the reward of audit is raised by 5, paid by account:operator
00:00:07  action 5.3 is dropped: it is not asked for any more
00:00:08  no job that needs s starts before 01:00:00, by the guardian
00:00:08  the guardian sets prices: 1 for 1,000 energy, 2 for 1,000 compute
00:00:09  the guardian has no plan: scripts/guardian.js:12: late is not defined
00:00:10  policy spending is not asked any more after 5 faults in a row: its answer is deny until its file is mended; the last was scripts/spending.js:4: no
00:00:11  the guardian: wants to price 1,000 energy 2, omega approve 13.1 lets it, omega deny 13.1 does not
00:00:12  an edit is held: it removes report, w_0; omega apply puts it in force
`, string(lines))
	require.Contains(t, string(asked), "#3  00:00:01  a worker for report: allowed (spending allow)\n")
	require.Contains(t, string(asked), "torn.js:3: x is not defined (spending deny, trial ask in shadow, torn deny)\n")
	require.Contains(t, string(asked), "#6  00:00:04  the guardian: nothing new\n")
}

// A host that is gone after any entry leaves a folder the next one goes on
// with: the bytes are those of one that saw everything.
func TestAutonomyIsRebuilt(t *testing.T) {
	a := eventful(t)
	want := a.artifacts()
	dir := filepath.Join(t.TempDir(), "status")
	note := filepath.Join(filepath.Dir(dir), "cache", "projection.json")
	known := func(seq core.Seq) (core.Digest, bool) {
		if seq == 0 || int(seq) > len(a.digests) {
			return core.Digest{}, false
		}
		return a.digests[seq-1], true
	}
	for n := 1; n <= len(a.entries); n++ {
		p := projection.Open(dir, note, known)
		require.Equal(t, core.Seq(n-1), p.Seq(), "it goes on, and does not begin again")
		a.follow(p, n, func() { require.NoError(t, p.Flush()) })
	}
	require.Equal(t, want, folder(t, dir))
	over := projection.New(dir)
	a.follow(over, len(a.entries), func() { require.NoError(t, over.Flush()) })
	require.Equal(t, want, folder(t, dir), "rebuilt in place")
}

// An edit lets a mended script be asked again, and ends an edit's waiting.
func TestAnEditEndsWhatItMends(t *testing.T) {
	a := eventful(t)
	mended := *a.entries[0].Events[1].(*core.GenerationApplied)
	mended.Spec.Policies = []core.PolicySpec{{Name: "spending", Script: core.ScriptSpec{Path: "scripts/spending.js", Digest: core.Digest{88}}}}
	a.say(&core.EditApproved{Digest: core.Digest{9, 9}})
	var before, after projection.Telemetry
	strict(t, a.artifacts()["telemetry.json"], &before)
	require.True(t, before.Autonomy.Held.Approved)
	require.Len(t, before.Autonomy.Suspended, 1)
	a.say(&mended)
	strict(t, a.artifacts()["telemetry.json"], &after)
	require.Nil(t, after.Autonomy.Held)
	require.Empty(t, after.Autonomy.Suspended)
}

// A real guardian boosts a job that waits: the books agree with the ledger at
// every entry, and say why the tokens moved.
func TestBoostsAreBooked(t *testing.T) {
	s := spec()
	s.Guardian = &core.GuardianSpec{Script: core.ScriptSpec{Path: "omega:guardian", Fallback: "none"}}
	s.Autonomy.May, s.Autonomy.GuardianInterval = []string{core.ActBoost, core.ActExpedite}, core.Second
	s.Accounts = []core.AccountSpec{{Name: core.GuardianName, Tokens: 100 * one}}
	d := start(t, s, job("a"), job("b"), job("c"), job("d"))
	d.plan["d"] = []string{"fail", "fail", "fail"}
	d.expand()
	d.at += core.Time(2 * core.Second)
	d.do(&core.Advise{Steward: core.GuardianName, Seen: d.state.Seq(), Generation: 1, Headline: "two wait", Actions: []core.Action{
		{Do: core.ActBoost, Job: "c", Tokens: 5 * one}, {Do: core.ActBoost, Job: "d", Tokens: 7 * one}, {Do: core.ActExpedite, Job: "d"},
		{Do: core.ActReprice, Energy: 2 * one},
	}})
	d.run(400)
	require.Equal(t, core.JobFinalized, d.ended("c"))
	require.Equal(t, core.JobFailed, d.ended("d"))
	got := contents(t, d.live)
	var books projection.ResourceLedger
	strict(t, got["resource-ledger.json"], &books)
	require.Contains(t, books.Totals, projection.CauseTotal{Unit: "TOKEN", Cause: "boost", Amount: "19", Count: 3}, "12 given, 7 come back")
	require.Contains(t, got["structured-log.jsonl"]+got["mesh-history.jsonl"], "reward_boosted")
	var plan projection.AutonomyPlan
	strict(t, got["autonomy-plan.json"], &plan)
	require.Equal(t, "95", plan.Budget)
	require.Len(t, plan.Waiting.Items, 1)
	atOnce := projection.New("")
	follow(t, atOnce, d.all, nil)
	require.Equal(t, got, contents(t, atOnce), "from the record")
}

// ended is how a job has ended.
func (d *driver) ended(id string) core.JobState {
	for _, r := range d.all {
		e, err := core.ParseEntry(r.line)
		require.NoError(d.t, err)
		for _, event := range e.Events {
			if ended, ok := event.(*core.JobEnded); ok && ended.Job == id {
				return ended.State
			}
		}
	}
	return ""
}
