package missionfile

import (
	"math/big"
	"slices"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// Ceiling is the most a mission can cost by what its file says, in whole units,
// as decimal text.
//
// Tokens: for each declared job its reward, its fee and, for each attempt that
// counts (delegation.max_attempts), the deposit for its budgets at the higher of
// price and autonomy.price_ceiling. The jobs of an account cost no more than the
// account is given; the guardian and each strategist cost their whole budget,
// because they may post jobs until it is spent. All together no more than
// treasury.tokens, which is all there is.
//
// Energy and Compute: the budgets of all attempts that count. Capacity bounds
// what is in use at a time, not this sum.
//
// Not in it is what nobody has declared: jobs the owner posts, actions the owner
// approves, attempts that do not count because they handed work on. Child jobs
// are paid out of the reward of their parent, but what they use is not counted.
type Ceiling struct {
	Tokens  string `json:"tokens"`
	Energy  string `json:"energy"`
	Compute string `json:"compute"`
}

// Ceiling is what the mission costs at most. It takes no time: loading has made
// the sums.
func (m *Mission) Ceiling() Ceiling {
	var energy, compute big.Int
	attempts := big.NewInt(m.spec.Delegation.MaxAttempts)
	for _, p := range m.promised {
		energy.Add(&energy, &p.energy)
		compute.Add(&compute, &p.compute)
	}
	return Ceiling{
		Tokens:  units(m.mostTokens(attempts)),
		Energy:  units(energy.Mul(&energy, attempts)),
		Compute: units(compute.Mul(&compute, attempts)),
	}
}

func (m *Mission) mostTokens(attempts *big.Int) *big.Int {
	most := m.promised[""].most(attempts)
	for _, a := range m.spec.Accounts {
		given := big.NewInt(int64(a.Tokens))
		if jobs := m.promised[a.Name].most(attempts); !m.steward(a.Name) && jobs.Cmp(given) < 0 {
			given = jobs
		}
		most.Add(most, given)
	}
	if all := big.NewInt(int64(m.spec.Treasury.Tokens)); most.Cmp(all) > 0 {
		return all
	}
	return most
}

// steward says whether an account is that of the guardian or a strategist.
func (m *Mission) steward(account string) bool {
	if m.spec.Guardian != nil && account == core.GuardianName {
		return true
	}
	return slices.ContainsFunc(m.spec.Strategists, func(s core.StrategistSpec) bool { return s.Name == account })
}

// most is what the jobs of an employer cost if every attempt is made and uses
// all it may. Nobody's jobs cost nothing.
func (p *promise) most(attempts *big.Int) *big.Int {
	if p == nil {
		return new(big.Int)
	}
	deposits := new(big.Int).Mul(&p.deposits, attempts)
	return deposits.Add(deposits, p.sum())
}

// use adds what one attempt at each of n equal jobs may use.
func (p *promise) use(n int64, job *core.JobSpec, spec *core.Spec) {
	for _, part := range []struct {
		sum      *big.Int
		budget   ledger.Amount
		resource *core.Resource
	}{{&p.energy, job.EnergyBudget, &spec.Resources.Energy}, {&p.compute, job.ComputeBudget, &spec.Resources.Compute}} {
		if part.budget == 0 {
			continue
		}
		part.sum.Add(part.sum, times(n, part.budget))
		cost, ok := ledger.Cost(part.budget, max(part.resource.Price, spec.Autonomy.PriceCeiling))
		if !ok {
			cost = spec.Treasury.Tokens // more than any amount is more than there is
		}
		p.deposits.Add(&p.deposits, times(n, cost))
	}
}
