package inquiry

import (
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// span is how a price went in an hour.
type span struct{ last, lowest, highest ledger.Amount }

func (s *span) move(to ledger.Amount) {
	s.last, s.lowest, s.highest = to, min(s.lowest, to), max(s.highest, to)
}

// prices are the prices of 1,000 energy and of 1,000 compute, hour by hour.
type prices struct {
	hours map[string]*[2]span
	last  *[2]span
}

// Look notes the prices after the entry that was applied last; s is the state
// after it.
func (b *Bill) Look(s *core.State) {
	if b.by != ByHour || s.Seq() == 0 {
		return
	}
	key := (s.Now() / hour * hour).Clock()
	energy, compute := s.Prices()
	now := b.prices.hours[key]
	if now == nil {
		now = &[2]span{{energy, energy, energy}, {compute, compute, compute}}
		if before := b.prices.last; before != nil { // what it began with
			now[0], now[1] = span{before[0].last, before[0].last, before[0].last}, span{before[1].last, before[1].last, before[1].last}
		}
		b.prices.hours[key], b.prices.last = now, now
	}
	now[0].move(energy)
	now[1].move(compute)
	if b.only == "" {
		b.groups[ByHour].of(key)
	}
}

func priceColumns() []string {
	return []string{"energy_price", "energy_lowest", "energy_highest", "compute_price", "compute_lowest", "compute_highest"}
}

// spell adds the prices of an hour to the parts of its row.
func (p *prices) spell(key string, parts map[string]string) {
	now := p.hours[key]
	if now == nil {
		return
	}
	for i, name := range [...]string{"energy_", "compute_"} {
		parts[name+"price"], parts[name+"lowest"], parts[name+"highest"] = now[i].last.String(), now[i].lowest.String(), now[i].highest.String()
	}
}
