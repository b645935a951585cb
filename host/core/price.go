package core

import "github.com/omega-run/omega/host/ledger"

// pricingDue is when prices are looked at next: at multiples of the guardian's
// interval, as long as looking would move them.
func (s *State) pricingDue() (Time, bool) {
	interval := Time(s.spec.Autonomy.GuardianInterval)
	if interval <= 0 || s.moved() == s.prices {
		return 0, false
	}
	return max(s.priced/interval*interval+interval, (s.now+interval-1)/interval*interval), true
}

// setPrices moves the prices.
func (s *State) setPrices() {
	if next := s.moved(); next != s.prices {
		s.emit(&PricesSet{Energy: next[0], Compute: next[1]})
	}
}

// MovedPrices is where the rule moves the prices from here.
func (s *State) MovedPrices() (energy, compute ledger.Amount) {
	next := s.moved()
	return next[0], next[1]
}

// moved is where the prices go from here:
//
//	price ← clamp(price × (1 + smoothing × (u − target)), floor, ceiling)
//
// in fixed point, rounded down once; u = 1 − free/limit, and 1
// where the limit is 0. A resource the mission never had has no use and keeps
// its price.
func (s *State) moved() (next [2]ledger.Amount) {
	a := &s.spec.Autonomy
	for i, price := range s.prices {
		next[i] = price
		if s.ledger.Balance(s.accounts.limitMinted[i]) == 0 || a.PriceSmoothing == 0 {
			continue
		}
		const whole = int64(ledger.Whole) * int64(ledger.Whole)
		to, ok := ledger.MulDiv(int64(price), whole+int64(a.PriceSmoothing)*int64(s.useOf(i)-a.ResourceTarget), whole)
		if !ok {
			to = int64(a.PriceCeiling)
		}
		next[i] = min(max(ledger.Amount(to), a.PriceFloor), a.PriceCeiling)
	}
	return next
}

// useOf is the part of a capacity that is in use.
func (s *State) useOf(i int) ledger.Ratio {
	limit := int64(s.usage[i].limit)
	if limit == 0 {
		return ledger.Whole
	}
	used := limit - int64(s.freeOf(i))
	part, ok := ledger.MulDiv(max(0, used), int64(ledger.Whole), limit)
	if !ok {
		return ledger.Whole
	}
	return min(ledger.Ratio(part), ledger.Whole)
}
