package inquiry_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/inquiry"
	"github.com/omega-run/omega/host/ledger"
)

// entry is one made by hand.
func entry(seq core.Seq, events ...core.Event) *core.Entry {
	return &core.Entry{Seq: seq, At: core.Time(seq) * core.Time(core.Second), By: "host", Command: &core.Tick{}, Events: events}
}

func scripts(digest byte) core.Spec {
	var s core.Spec
	s.Mission.Owner = "operator"
	s.Policies = []core.PolicySpec{{Name: "spending", On: []string{"job.post"}, Mode: "enforce", Script: core.ScriptSpec{Path: "scripts/spending.js", Digest: core.Digest{digest}, Fallback: "deny"}}}
	s.Guardian = &core.GuardianSpec{Script: core.ScriptSpec{Path: "omega:guardian", Digest: core.Digest{7}}}
	return s
}

func ruling(say, fault string, version byte, generation int64) *core.VerdictGiven {
	return &core.VerdictGiven{Ruling: core.Ruling{Hook: "job.post", Subject: "a", Say: say, Reason: "why", Verdicts: []core.Verdict{
		{Policy: "other", Say: core.SayAllow},
		{Policy: "spending", Say: say, Reason: "why", Script: core.Digest{version}, Generation: generation, Fault: fault},
	}}}
}

func TestPolicyStory(t *testing.T) {
	s := inquiry.NewSayings("policy.spending")
	for _, e := range []*core.Entry{
		entry(1, &core.GenerationApplied{Number: 1, Spec: scripts(1)}),
		entry(2, ruling(core.SayAllow, "", 1, 1)),
		entry(3, ruling(core.SayDeny, "scripts/spending.js:4: x", 1, 1), &core.ScriptSuspended{Script: "policy.spending", Faults: 5, Fault: "x"}),
	} {
		s.Apply(e)
	}
	told := s.Story(core.New())
	require.Equal(t, &inquiry.SuspendedOf{At: 3_000, Faults: 5, Fault: "x"}, told.Suspended)
	s.Apply(entry(4, &core.GenerationApplied{Number: 2, Spec: scripts(2)}))
	s.Apply(entry(5, ruling(core.SayAsk, "", 2, 2)))
	told = s.Story(core.New())
	require.Nil(t, told.Suspended, "another version is asked again")
	require.Equal(t, inquiry.VerdictCount{Asked: 3, Allow: 1, Ask: 1, Deny: 1, Faults: 1}, told.Counts)
	require.Len(t, told.ByVersion, 2)
	require.Equal(t, int64(2), told.Script.Generation)
	require.Equal(t, "scripts/spending.js:4: x", told.LastFaults[0].Text)
	require.Len(t, told.Verdicts, 3)
	require.Equal(t, "ask", told.Verdicts[2].Together)
	require.Nil(t, inquiry.NewSayings("nobody").Story(core.New()))
}

func TestStewardStory(t *testing.T) {
	s := inquiry.NewStewardship("guardian")
	post := core.JobSpec{ID: "extra", Employer: "guardian", Skills: []string{"s"}}
	other := core.JobSpec{ID: "report", Skills: []string{"s"}}
	boosts := func(debit, credit string, tokens ledger.Amount) *core.Transfer {
		return &core.Transfer{Legs: []core.Leg{{Unit: ledger.Token, Debit: debit, Credit: credit, Amount: tokens * ledger.One}}}
	}
	wait := core.PlannedAction{ID: "3.1", Outcome: core.OutcomeWaiting, Action: core.Action{Do: core.ActExpedite, Job: "report"}}
	gone := core.PlannedAction{ID: "3.2", Outcome: core.OutcomeWaiting, Action: core.Action{Do: core.ActExpedite, Job: "extra"}}
	for _, e := range []*core.Entry{
		entry(1, &core.GenerationApplied{Number: 1, Spec: scripts(1)}, boosts("minted", "account:guardian", 100)),
		entry(2, &core.JobPosted{Spec: other}, &core.JobPosted{Spec: post}, &core.Transfer{Job: "extra", Steps: []core.Step{{Kind: core.StepEscrow, Amount: 20 * ledger.One}}}),
		entry(3, &core.PlanRecorded{Steward: "guardian", Headline: "late", Actions: []core.PlannedAction{wait, gone}}),
		entry(4, &core.PlanRecorded{Steward: "guardian", Same: true}),
		entry(5, &core.PlanRecorded{Steward: "guardian", Headline: "later", Actions: []core.PlannedAction{wait}}, &core.ActionDropped{ID: "3.2", Reason: "withdrawn"}),
		entry(6, &core.RewardBoosted{Job: "report", Tokens: 5 * ledger.One, By: "guardian"}, boosts("account:guardian", "job:report:escrow", 5)),
		entry(7, boosts("job:report:escrow", "account:guardian", 3), &core.JobEnded{Job: "report", State: core.JobFailed}),
		entry(8, &core.PlanRecorded{Steward: "guardian", Fault: "omega:guardian:9: y"}),
		entry(9, &core.PlanRecorded{Steward: "macro", Headline: "not his"}),
	} {
		s.Apply(e)
	}
	told := s.Story(core.New())
	require.Equal(t, inquiry.PlanCount{Asked: 4, New: 2, Faults: 1, Waited: 2, Withdrawn: 1}, told.Counts)
	require.Equal(t, inquiry.SpendingOf{Account: "account:guardian", Given: "100", Jobs: "20", Boosts: "5", Back: "3", Free: "0", Posted: 1}, told.Spending)
	require.Len(t, told.Waiting, 1)
	require.Equal(t, "put report before all others of its skills", told.Waiting[0].Text)
	require.Equal(t, core.Time(3_000), told.Plans[1].Actions[0].Since)
	s.Apply(entry(10, &core.ActionApproved{ID: "3.1"}))
	told = s.Story(core.New())
	require.Empty(t, told.Waiting)
	require.Equal(t, "approved", told.Plans[0].Actions[0].Outcome)
	require.Nil(t, inquiry.NewStewardship("nobody").Story(core.New()))
}

// A job's story tells what policies said of it and stewards did to it.
func TestStoryOfASteeredJob(t *testing.T) {
	spec := core.JobSpec{ID: "a", Skills: []string{"s"}}
	s := inquiry.NewStory(spec)
	s.Apply(entry(1, &core.GenerationApplied{Number: 1, Spec: scripts(1)}))
	s.Apply(entry(2, ruling(core.SayDeny, "", 1, 1), &core.JobPosted{Spec: spec}))
	s.Apply(entry(3, &core.JobExpedited{Job: "a", By: "guardian"}, &core.RewardBoosted{Job: "a", Tokens: 5 * ledger.One, By: "guardian"}, &core.SkillPaused{Skill: "s", Until: 60_000, By: "guardian"}))
	s.Apply(entry(4, &core.SkillPaused{Skill: "other", Until: 60_000, By: "guardian"}, &core.SkillResumed{Skill: "s"}, &core.JobExpedited{Job: "b", By: "guardian"}))
	told := s.Explain(core.New())
	require.Len(t, told.Decisions, 5)
	require.Equal(t, "policies on job.post said deny", told.Decisions[0].Text)
	require.Equal(t, "why", told.Decisions[0].Reason)
	require.Len(t, told.Decisions[0].Verdicts, 2)
	require.Equal(t, "put before all others of its skills by the guardian", told.Decisions[1].Text)
	require.Equal(t, "its reward was raised by 5, paid by account:guardian", told.Decisions[2].Text)
}
