package missionfile

import (
	"math/big"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// spec reads the blocks whose settings belong to the whole mission.
func (l *loader) spec(groups map[string][]*hcl.Block) {
	spec, table := &l.m.spec, core.Settings()
	defaults(table, spec)
	for _, kind := range topBlocks {
		if !kind.ofSpec {
			continue
		}
		for i, b := range groups[kind.name] {
			if i > 0 {
				l.r.fail(b.DefRange, "Duplicate block", "A mission has one %s block; the other is at %s.", kind.name, place(groups[kind.name][0].DefRange))
				break
			}
			l.block(kind.name, kind.name, b, table, spec, kind.inner)
		}
	}
	for _, b := range groups["mission"] {
		if spec.Mission.Name = b.Labels[0]; !core.ValidName(spec.Mission.Name) {
			l.notName(b.LabelRanges[0], b.Labels[0])
		}
		return
	}
}

func (l *loader) notName(at hcl.Range, name string) {
	l.r.fail(at, "Not a name", "%q cannot be used: %s.", name, core.NameRule)
}

// required reports missing blocks.
func (l *loader) required(groups map[string][]*hcl.Block) {
	for _, b := range topBlocks {
		if b.why != "" && len(groups[b.name]) == 0 {
			l.r.add(Error, wholeFile(l.m.src.entry), "Missing "+b.name+" block", "A mission needs one: "+b.why+".")
		}
	}
}

// finish computes the defaults that depend on the rest, and checks the rules
// between settings and the sum of all jobs.
func (l *loader) finish() {
	if l.r.errors() {
		return
	}
	l.councilDefaults()
	if !l.endowments() {
		return
	}
	for _, p := range l.m.spec.Problems() {
		l.r.fail(l.where(p.Path), p.Summary, "%s", p.Detail)
	}
	l.treasury()
	l.budgets()
	l.cycles()
}

// where is the range of a setting, or of the block it would stand in. A
// committee nobody wrote is as large as the validators make it.
func (l *loader) where(path string) hcl.Range {
	if at, ok := l.at["validator"]; ok && path == "governance.committee" && !l.written(path) {
		return at
	}
	for {
		if at, ok := l.at[path]; ok {
			return at
		}
		i := strings.LastIndexByte(path, '.')
		if i < 0 {
			return l.at["mission"]
		}
		path = path[:i]
	}
}

func (l *loader) written(path string) bool { _, ok := l.at[path]; return ok }

// defaultCommittee is how many validators judge a result where there are enough.
const defaultCommittee = 5

func (l *loader) councilDefaults() {
	g := &l.m.spec.Governance
	if !l.written("governance.committee") {
		// Never 0 by default: that turns the council off.
		g.Committee = max(1, min(defaultCommittee, l.m.spec.Eligible()))
	}
	if !l.written("governance.approvals_required") && g.Committee > 0 {
		g.ApprovalsRequired = core.Majority(g.Committee)
	}
}

// endowments are by default enough to stake: a worker for every slot and
// attempt at the largest reward, a validator for the seats of all slots.
func (l *loader) endowments() bool {
	spec := &l.m.spec
	slots, most := int64(0), int64(0)
	for _, w := range spec.Workers {
		slots += w.Slots * int64(len(w.Instances))
		most = max(most, w.Slots)
	}
	largest := int64(0)
	for _, b := range l.m.jobs {
		largest = max(largest, int64(b.largest))
	}
	ok := true
	if !l.written("treasury.worker_endowment") {
		times := most * (1 + spec.Delegation.MaxAttempts)
		stakes, fits := ledger.MulDiv(largest, times*int64(spec.Governance.WorkerStakeRatio), int64(ledger.Whole))
		ok = fits && l.endow("worker_endowment", stakes)
	}
	if !l.written("treasury.validator_endowment") {
		stakes, fits := ledger.MulDiv(int64(spec.Governance.ValidatorStake), max(4, 2*slots), 1)
		ok = ok && fits && l.endow("validator_endowment", stakes)
	}
	if !ok {
		l.r.fail(l.where("treasury"), "Endowments out of range", "The default endowments for %d worker slots exceed the largest amount: set worker_endowment and validator_endowment.", slots)
		return false
	}
	l.stakes(largest)
	return true
}

// endow sets an endowment within the bounds of the table.
func (l *loader) endow(name string, minor int64) bool {
	for _, s := range core.Settings() {
		if s.Block == "treasury" && s.Name == name {
			return s.Parse(&l.m.spec, ledger.Amount(minor).String()) == nil
		}
	}
	return false
}

// stakes warns or refuses where nobody could lock the stake that is asked for.
func (l *loader) stakes(largest int64) {
	spec := &l.m.spec
	if g := &spec.Governance; g.Committee > 0 && spec.Treasury.ValidatorEndowment < g.ValidatorStake {
		l.r.fail(l.where("treasury.validator_endowment"), "Validators could not stake",
			"A seat locks %s and each validator starts with %s: raise validator_endowment or lower governance.validator_stake.", g.ValidatorStake, spec.Treasury.ValidatorEndowment)
	}
	if stake := spec.Governance.WorkerStakeRatio.Of(ledger.Amount(largest)); spec.Treasury.WorkerEndowment < stake {
		l.r.warn(l.where("treasury.worker_endowment"), "Workers may be unable to stake",
			"The largest reward asks for a stake of %s and each worker starts with %s: raise worker_endowment.", stake, spec.Treasury.WorkerEndowment)
	}
}

// treasury checks that the tokens cover what the file promises.
func (l *loader) treasury() {
	spec := &l.m.spec
	workers := int64(0)
	for _, w := range spec.Workers {
		workers += int64(len(w.Instances))
	}
	t, validators := &spec.Treasury, spec.Eligible()
	owner, given := l.promisedBy(""), accountTokens(spec)
	sum := owner.sum()
	sum.Add(sum, given)
	sum.Add(sum, times(workers, t.WorkerEndowment))
	sum.Add(sum, times(validators, t.ValidatorEndowment))
	if sum.Cmp(big.NewInt(int64(t.Tokens))) <= 0 {
		return
	}
	accounts := ""
	if given.Sign() > 0 {
		accounts = " + accounts " + units(given)
	}
	l.r.fail(l.where("treasury.tokens"), "Treasury too small",
		"It has %s tokens, but %d workers × %s + %d validators × %s + rewards %s + fees %s%s = %s: raise tokens to at least %s, or promise less.",
		t.Tokens, workers, t.WorkerEndowment, validators, t.ValidatorEndowment, units(&owner.rewards), units(&owner.fees), accounts, units(sum), units(sum))
}

func times(n int64, a ledger.Amount) *big.Int {
	return new(big.Int).Mul(big.NewInt(n), big.NewInt(int64(a)))
}

// units is minor units in whole ones, also beyond the range of an Amount.
func units(minor *big.Int) string {
	text := new(big.Rat).SetFrac(minor, big.NewInt(int64(ledger.Whole))).FloatString(ledger.Scale)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}
