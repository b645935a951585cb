package core

import "fmt"

// leastEligible is the smallest number of validators a council can be drawn
// from: below three, one of them alone decides.
const leastEligible = 3

// Problem is one rule a spec breaks: the path of the setting at fault
// ("governance.no_reveal_ratio"), what is wrong in a few words, and one
// sentence with the remedy.
type Problem struct{ Path, Summary, Detail string }

func (p Problem) String() string { return p.Path + ": " + p.Summary + ": " + p.Detail }

// Problems are the rules between settings that the spec breaks, in the order of
// the table. The bounds of a single setting are Setting.Parse's business.
func (s *Spec) Problems() []Problem {
	var all []Problem
	say := func(path, summary, detail string, args ...any) {
		all = append(all, Problem{path, summary, fmt.Sprintf(detail, args...)})
	}
	if !ValidName(s.Mission.Owner) {
		say("mission.owner", "Not a name", "The owner %q names an account: %s.", s.Mission.Owner, NameRule)
	}
	g := &s.Governance
	if g.Committee != 0 {
		s.councilProblems(say)
	}
	if g.NoRevealRatio < g.WrongVoteRatio {
		say("governance.no_reveal_ratio", "Silence would be cheaper than a wrong vote",
			"no_reveal_ratio is %s; make it at least wrong_vote_ratio, %s.", g.NoRevealRatio, g.WrongVoteRatio)
	}
	if sum := g.SlashEmployer + g.SlashTreasury + g.SlashBurn; sum != whole {
		say("governance.slash_shares", "Shares do not sum to 1",
			"employer %s + treasury %s + burn %s = %s; make the three sum to 1.", g.SlashEmployer, g.SlashTreasury, g.SlashBurn, sum)
	}
	if a := &s.Autonomy; a.PriceFloor > a.PriceCeiling {
		say("autonomy.price_floor", "Price floor above the ceiling",
			"price_floor is %s; make it at most price_ceiling, %s.", a.PriceFloor, a.PriceCeiling)
	}
	return all
}

func (s *Spec) councilProblems(say func(path, summary, detail string, args ...any)) {
	g, eligible := &s.Governance, s.Eligible()
	switch {
	case eligible < leastEligible:
		say("governance.committee", "Too few validators",
			"A council needs at least %d validators and there are %d: declare more, or set committee = 0 to let the host judge accept by itself.", leastEligible, eligible)
	case g.Committee > eligible:
		say("governance.committee", "Committee larger than the validators",
			"committee is %d and there are %d validators: declare more validators or make committee at most %d.", g.Committee, eligible, eligible)
	}
	if least := Majority(g.Committee); g.ApprovalsRequired < least {
		say("governance.approvals_required", "Approvals below the majority",
			"approvals_required is %d; the majority of a committee of %d is %d, so write at least that.", g.ApprovalsRequired, g.Committee, least)
	}
	if g.ApprovalsRequired > g.Committee {
		say("governance.approvals_required", "More approvals than seats",
			"approvals_required is %d; a committee of %d can never give more than that.", g.ApprovalsRequired, g.Committee)
	}
}

// Eligible is the number of validators a committee is drawn from.
func (s *Spec) Eligible() int64 {
	n := int64(0)
	for _, v := range s.Validators {
		n += int64(len(v.Instances))
	}
	return n
}

// Majority is the least number of a committee that outvotes the rest.
func Majority(committee int64) int64 { return committee/2 + 1 }

// maxName is the longest name: with an index or twelve hex digits it still fits
// one label of a domain name or one token of a subject.
const maxName = 63

// NameRule is what ValidName asks for, in words.
const NameRule = "a name starts with a lower-case letter and goes on with at most 62 lower-case letters, digits and hyphens"

// ValidName says whether a name matches [a-z][a-z0-9-]{0,62}.
func ValidName(name string) bool {
	if name == "" || len(name) > maxName || name[0] < 'a' || name[0] > 'z' {
		return false
	}
	for i := 1; i < len(name); i++ {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}
