package missionfile

import (
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// Scripts of Omega's own that a guardian or a strategist has where it names
// none.
const (
	ownGuardian   = ownPrefix + "guardian"
	ownStrategist = ownPrefix + "strategist"
)

// policies reads the policy blocks.
func (l *loader) policies(blocks []*hcl.Block) {
	table, first := core.PolicySettings(), map[string]hcl.Range{}
	for i, b := range blocks {
		if i == maxScripted {
			l.r.fail(b.DefRange, "Too many policies", "A mission has at most %d: all of them are asked.", maxScripted)
			return
		}
		name, _ := l.named(b, first)
		p, path := core.PolicySpec{Name: name}, "policy."+name
		l.scripted(b, path, table, &p, &p.Script, "")
		if idle := idleHooks(p.On); len(idle) > 0 {
			l.r.warn(l.where(path+".on"), "Nothing asks about this yet", "Nothing in this version asks about %s.", strings.Join(idle, " and "))
		}
		l.m.spec.Policies = append(l.m.spec.Policies, p)
	}
}

// idleHooks are those of the hooks that nothing in this version asks about.
func idleHooks(on []string) (idle []string) {
	for _, hook := range on {
		if hook == string(core.HookMessage) || hook == string(core.HookSteer) {
			idle = append(idle, hook)
		}
	}
	return idle
}

// guardian reads the guardian block, and what autonomy says of one.
func (l *loader) guardian(blocks []*hcl.Block) {
	a := &l.m.spec.Autonomy
	if l.m.spec.Mission.Owner == core.GuardianName {
		l.r.fail(l.where("mission.owner"), "Name of the guardian", "A guardian spends out of the account of that name, and would spend the whole treasury: give the owner another one.")
	}
	if len(blocks) == 0 {
		if at, said := l.at["autonomy.may"]; said && len(a.May) > 0 {
			l.r.warn(at, "No guardian", "may is what the guardian does by itself, and this mission has none: add guardian {}.")
		}
		if at, said := l.at["autonomy.budget"]; said && a.Budget > 0 {
			l.r.warn(at, "No guardian", "budget is what the guardian spends by itself, and this mission has none: add guardian {}.")
		}
		return
	}
	if len(blocks) > 1 {
		l.r.fail(blocks[1].DefRange, "Duplicate block", "A mission has one guardian block; the other is at %s.", place(blocks[0].DefRange))
	}
	g := &core.GuardianSpec{}
	l.scripted(blocks[0], "guardian", core.GuardianSettings(), g, &g.Script, ownGuardian)
	l.m.spec.Guardian = g
	if g.Script.Fallback == "default" && path.Clean(g.Script.Path) == ownGuardian {
		l.r.warn(l.where("guardian.fallback"), "Its own fallback", "default asks omega:guardian once this guardian keeps failing, and it is omega:guardian.")
	}
	if at, taken := l.at["account."+core.GuardianName]; taken {
		l.r.fail(at, "Account of the guardian", "The guardian spends out of an account of that name, which holds autonomy.budget: give this one another name.")
	} else if a.Budget > 0 {
		l.fund(core.GuardianName, a.Budget, "autonomy.budget")
	}
}

// speakers are those the record names that no block declares.
var speakers = []string{"owner", "mission", "host", "council", "policies"}

// strategists reads the strategist blocks.
func (l *loader) strategists(blocks []*hcl.Block) {
	table, first := core.StrategistSettings(), map[string]hcl.Range{}
	for i, b := range blocks {
		if i == maxScripted {
			l.r.fail(b.DefRange, "Too many strategists", "A mission has at most %d.", maxScripted)
			return
		}
		name, ok := l.named(b, first)
		at, taken := l.at["account."+name]
		switch {
		case !ok:
		case name == core.GuardianName:
			l.r.fail(b.LabelRanges[0], "Name of the guardian", "A strategist spends out of the account of its name, and %q is the guardian's: give it another name.", name)
		case slices.Contains(speakers, name):
			l.r.fail(b.LabelRanges[0], "Name of somebody else", "Policies and the record are told who asks by name, and %q is not a strategist: give it another name.", name)
		case name == l.m.spec.Mission.Owner:
			l.r.fail(b.LabelRanges[0], "Account of the owner", "A strategist spends out of the account of its name, and %q is the owner's: give it another name.", name)
		case taken:
			l.r.fail(b.LabelRanges[0], "Duplicate account", "A strategist spends out of the account of its name, and account %q is declared at %s: remove that block, the budget stands here.", name, place(at))
		}
		s, path := core.StrategistSpec{Name: name}, "strategist."+name
		l.scripted(b, path, table, &s, &s.Script, ownStrategist)
		l.m.spec.Strategists = append(l.m.spec.Strategists, s)
		if ok && !taken {
			l.fund(name, s.Budget, path+".budget")
		}
	}
}

// fund adds the account a steward spends out of; path is the setting that says
// how much.
func (l *loader) fund(name string, tokens ledger.Amount, path string) {
	l.m.spec.Accounts = append(l.m.spec.Accounts, core.AccountSpec{Name: name, Tokens: tokens})
	l.funds[name] = path
}
