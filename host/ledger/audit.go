package ledger

import (
	"fmt"
	"math/bits"
)

// Audit counts everything again, from the accounts and the open pending transfers alone, and returns
// the first law it finds broken: each unit sums to zero, only minted is negative, what is pending adds
// up, and the tables agree with each other.
func (l *Ledger) Audit() error {
	debits := make([]Amount, len(l.accounts))
	credits := make([]Amount, len(l.accounts))
	for _, p := range l.queue {
		if p.amount <= 0 || p.state != PendingOpen || l.pendings[p.id] != p {
			return fmt.Errorf("auditing pending transfer %s: it is queued but not open", p.id)
		}
		debits[p.debit] += p.amount
		credits[p.credit] += p.amount
	}
	if known := len(l.queue) + l.resolved.len(); known != len(l.pendings) {
		return fmt.Errorf("auditing pending transfers: %d queued or resolved, %d known", known, len(l.pendings))
	}
	var sums [Units]sum128
	open, listed := 0, 0
	for i := range l.accounts {
		a := &l.accounts[i]
		if !a.open {
			if *a != (account{}) || debits[i] != 0 || credits[i] != 0 {
				return fmt.Errorf("auditing account %d: it is closed and holds something", i)
			}
			continue
		}
		open++
		if a.listed {
			listed++
		}
		if err := l.auditAccount(Account(i), debits[i], credits[i]); err != nil {
			return fmt.Errorf("auditing %s %s: %w", l.names[i].Unit, l.names[i], err)
		}
		sums[a.unit].add(a.posted)
	}
	if listed != len(l.index) || open+len(l.unused)+1 != len(l.accounts) {
		return fmt.Errorf("auditing accounts: %d open, %d listed, %d named, %d unused of %d", open, listed, len(l.index), len(l.unused), len(l.accounts))
	}
	for u := range sums {
		if sums[u] != (sum128{}) || l.sums[u] != 0 {
			return fmt.Errorf("auditing %s: balances do not sum to zero (kept sum %s)", Unit(u), l.sums[u])
		}
	}
	return nil
}

// auditAccount holds one open account against its name and the pending transfers that name it.
func (l *Ledger) auditAccount(id Account, debits, credits Amount) error {
	a, name := &l.accounts[id], l.names[id]
	switch {
	case a.listed && l.index[name] != id || a.unit != name.Unit || a.minted != (name.Kind == KindMinted):
		return fmt.Errorf("slot %d does not match its name", id)
	case a.debits != debits || a.credits != credits:
		return fmt.Errorf("pending -%s +%s, but open transfers make -%s +%s", a.debits, a.credits, debits, credits)
	case a.posted < -MaxAmount:
		return fmt.Errorf("balance %s is out of range", a.posted)
	case a.posted < debits && name.Kind != KindMinted:
		return fmt.Errorf("balance %s does not cover the pending %s", a.posted, debits)
	}
	return nil
}

// sum128 is a two's complement sum that cannot overflow over any number of accounts.
type sum128 struct{ hi, lo uint64 }

func (s *sum128) add(a Amount) {
	lo, carry := bits.Add64(s.lo, uint64(a), 0)
	hi, _ := bits.Add64(s.hi, uint64(int64(a)>>63), carry)
	s.hi, s.lo = hi, lo
}
