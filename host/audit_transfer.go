package host

import (
	"slices"
	"strings"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// boosts are what accounts have added to the rewards of open jobs, by job.
type boosts map[string]map[string]ledger.Amount

// legs checks the movements that are no step of an attempt: what a generation
// mints, gives and takes back, what stewards add to a reward, and what is given
// back of that. There are no others.
func (a *auditor) legs(e *core.Entry) {
	var spec *core.Spec // of the generation this entry puts in force
	for i, event := range e.Events {
		switch event := event.(type) {
		case *core.GenerationApplied:
			spec = &event.Spec
		case *core.RewardBoosted:
			if i+1 == len(e.Events) || !addsTo(e.Events[i+1], event) {
				a.problem(e.Seq, "the reward of %s is raised by %s, and %s does not pay for it", event.Job, event.Tokens, event.By)
			}
			if a.boosted[event.Job] == nil {
				a.boosted[event.Job] = map[string]ledger.Amount{}
			}
			a.boosted[event.Job][event.By] += event.Tokens
		case *core.Transfer:
			for _, leg := range event.Legs {
				if i > 0 && addsTo(event, e.Events[i-1]) || spec != nil && gives(spec, &leg, e.Seq == 1) || a.givesBack(e, &leg) {
					continue
				}
				a.problem(e.Seq, "nothing explains that %s of %s goes from %s to %s", leg.Amount, leg.Unit, leg.Debit, leg.Credit)
			}
		case *core.JobEnded:
			delete(a.boosted, event.Job)
		}
	}
}

// addsTo reports whether a transfer is what a boost pays.
func addsTo(transfer, boost core.Event) bool {
	t, moves := transfer.(*core.Transfer)
	b, boosts := boost.(*core.RewardBoosted)
	return moves && boosts && slices.Equal(t.Legs, []core.Leg{{Unit: ledger.Token, Debit: "account:" + b.By, Credit: "job:" + b.Job + ":escrow", Amount: b.Tokens}})
}

// gives reports whether a generation may move this: capacities are minted and
// burned, tokens are minted at genesis alone, and then go from the owner to who
// joins, or come back from an account.
func gives(spec *core.Spec, leg *core.Leg, genesis bool) bool {
	owner := "account:" + spec.Mission.Owner
	switch {
	case leg.Unit != ledger.Token:
		return leg.Debit == "minted" && leg.Credit == "capacity" || leg.Debit == "capacity" && leg.Credit == "burned"
	case leg.Debit == "minted":
		return genesis && leg.Credit == owner && leg.Amount == spec.Treasury.Tokens
	case leg.Debit == owner:
		kind, _, _ := strings.Cut(leg.Credit, ":")
		return kind == "account" || kind == "worker" || kind == "validator"
	}
	return leg.Credit == owner && strings.HasPrefix(leg.Debit, "account:")
}

// givesBack reports whether a job that this entry ends gives somebody back at
// most what it has added to its reward.
func (a *auditor) givesBack(e *core.Entry, leg *core.Leg) bool {
	job, escrow := strings.CutSuffix(strings.TrimPrefix(leg.Debit, "job:"), ":escrow")
	account, ok := strings.CutPrefix(leg.Credit, "account:")
	return escrow && ok && leg.Amount <= a.boosted[job][account] && slices.ContainsFunc(e.Events, func(event core.Event) bool {
		ended, ok := event.(*core.JobEnded)
		return ok && ended.Job == job && ended.State != core.JobFinalized
	})
}
