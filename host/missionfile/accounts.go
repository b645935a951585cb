package missionfile

import (
	"math/big"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/omega-run/omega/host/core"
)

// accounts reads the account blocks: employers besides the owner.
func (l *loader) accounts(blocks []*hcl.Block) {
	table, first := core.AccountSettings(), map[string]hcl.Range{}
	for _, b := range blocks {
		if len(first) == maxAccounts {
			l.r.fail(b.DefRange, "Too many accounts", "A mission has at most %d.", maxAccounts)
			return
		}
		name, ok := l.named(b, first)
		if ok && name == l.m.spec.Mission.Owner {
			l.r.fail(b.LabelRanges[0], "Account of the owner", "%q is the owner's account, which holds the treasury: give this one another name.", name)
		}
		account := core.AccountSpec{Name: name}
		l.block("account", "account."+name, b, table, &account, nil)
		l.funds[name] = "account." + name + ".tokens"
		l.m.spec.Accounts = append(l.m.spec.Accounts, account)
	}
}

// promise is what one employer's jobs pay, and what one attempt at each of them
// may use: its deposits, at the highest prices, and its budgets.
type promise struct{ rewards, fees, deposits, energy, compute big.Int }

// sum is rewards and fees.
func (p *promise) sum() *big.Int { return new(big.Int).Add(&p.rewards, &p.fees) }

// promisedBy is what an employer's jobs pay; "" is the owner.
func (l *loader) promisedBy(employer string) *promise {
	p := l.m.promised[employer]
	if p == nil {
		p = &promise{}
		l.m.promised[employer] = p
	}
	return p
}

// unemployable is why nobody of that name can pay, or "".
func (l *loader) unemployable(name string) string {
	if name == "" {
		return ""
	}
	known := make([]string, 0, len(l.m.spec.Accounts)+1)
	for _, a := range l.m.spec.Accounts {
		if a.Name == name {
			return ""
		}
		known = append(known, a.Name)
	}
	return `no account is called "` + name + `".` + suggest(name, append(known, l.m.spec.Mission.Owner)) + ` Declare it: account "` + name + `" { tokens = … }`
}

// budgets checks that each account can pay for the jobs it employs.
func (l *loader) budgets() {
	for _, a := range l.m.spec.Accounts {
		p := l.promisedBy(a.Name)
		if p.sum().Cmp(big.NewInt(int64(a.Tokens))) > 0 {
			path := l.funds[a.Name]
			l.r.fail(l.where(path), "Account too small", "%s has %s tokens, but the rewards %s + fees %s of its jobs are %s: raise its %s to that, or promise less.",
				a.Name, a.Tokens, units(&p.rewards), units(&p.fees), units(p.sum()), path[strings.LastIndexByte(path, '.')+1:])
		}
	}
}

// accountTokens is what all accounts are given.
func accountTokens(spec *core.Spec) *big.Int {
	sum := new(big.Int)
	for _, a := range spec.Accounts {
		sum.Add(sum, big.NewInt(int64(a.Tokens)))
	}
	return sum
}
