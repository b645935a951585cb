package ledger

import (
	"math/big"
	"slices"

	"github.com/stretchr/testify/require"
)

// model is a second ledger that shares nothing with the first: it keeps every fact, adds up a balance
// with math/big when asked, copies itself for a batch, and lists all that is wrong with a transfer
// before it picks the first by precedence.
type model struct {
	names    map[Account]Name
	facts    []fact
	promises []promise
}

type fact struct {
	from, to Name
	amount   Amount
}

type promise struct {
	fact
	id      string
	expires int64
	state   PendingState
}

func (m model) clone() model {
	m.facts, m.promises = slices.Clone(m.facts), slices.Clone(m.promises)
	return m
}

func (m model) posted(n Name) *big.Int {
	sum := new(big.Int)
	for _, f := range m.facts {
		if f.from == n {
			sum.Sub(sum, big.NewInt(int64(f.amount)))
		}
		if f.to == n {
			sum.Add(sum, big.NewInt(int64(f.amount)))
		}
	}
	return sum
}

func (m model) promised(n Name) (debits, credits *big.Int) {
	debits, credits = new(big.Int), new(big.Int)
	for _, p := range m.promises {
		if p.state == PendingOpen && p.from == n {
			debits.Add(debits, big.NewInt(int64(p.amount)))
		}
		if p.state == PendingOpen && p.to == n {
			credits.Add(credits, big.NewInt(int64(p.amount)))
		}
	}
	return debits, credits
}

func (m model) promise(id string) int {
	return slices.IndexFunc(m.promises, func(p promise) bool { return p.id == id })
}

// wrong lists every refusal that holds of t, in no particular order.
func (m model) wrong(t Transfer) []Refusal {
	var all []Refusal
	say := func(r Refusal, holds bool) {
		if holds {
			all = append(all, r)
		}
	}
	moves := t.Kind == Single || t.Kind == Pending
	ends := t.Kind == PostPending || t.Kind == VoidPending
	say(KindUnknown, !moves && !ends)
	say(PendingIDRequired, t.Kind == Pending && t.ID == "")
	say(PendingIDTooLong, t.Kind == Pending && len(t.ID) > 255)
	say(PendingRefNotAllowed, moves && t.Of != "")
	say(PendingRefRequired, ends && t.Of == "")
	say(ExpiryNotAllowed, (ends || t.Kind == Single) && t.Expires != 0)
	say(ExpiryMustNotBeNegative, t.Kind == Pending && t.Expires < 0)
	say(AmountMustBePositive, t.Kind != VoidPending && (moves || ends) && t.Amount < 1)
	say(AmountMustBeZero, t.Kind == VoidPending && t.Amount != 0)
	if moves {
		m.wrongMove(t, say)
	}
	if ends {
		m.wrongEnd(t, say)
	}
	return all
}

func (m model) wrongMove(t Transfer, say func(Refusal, bool)) {
	from, hasFrom := m.names[t.Debit]
	to, hasTo := m.names[t.Credit]
	say(AccountsMustDiffer, t.Debit == t.Credit)
	say(DebitNotFound, !hasFrom)
	say(CreditNotFound, !hasTo)
	say(UnitsMustMatch, hasFrom && hasTo && from.Unit != to.Unit)
	say(PendingExists, t.Kind == Pending && m.promise(t.ID) >= 0)
	limit, amount := big.NewInt(int64(MaxAmount)), big.NewInt(int64(t.Amount))
	if hasFrom {
		debits, _ := m.promised(from)
		left := m.posted(from)
		left.Sub(left, debits).Sub(left, amount)
		say(InsufficientFunds, from.Kind != KindMinted && left.Sign() < 0)
		say(Overflow, from.Kind == KindMinted && left.CmpAbs(limit) > 0)
	}
	if hasTo {
		_, credits := m.promised(to)
		would := m.posted(to)
		would.Add(would, credits).Add(would, amount)
		say(Overflow, would.Cmp(limit) > 0)
	}
}

func (m model) wrongEnd(t Transfer, say func(Refusal, bool)) {
	i := m.promise(t.Of)
	if i < 0 {
		say(PendingNotFound, true)
		return
	}
	p := m.promises[i]
	say(PendingAlreadyPosted, p.state == PendingPosted)
	say(PendingAlreadyVoided, p.state == PendingVoided)
	say(PendingExpired, p.state == PendingTimedOut)
	say(PendingDifferentAccounts, t.Debit != 0 && m.names[t.Debit] != p.from || t.Credit != 0 && m.names[t.Credit] != p.to)
	say(ExceedsPending, t.Kind == PostPending && t.Amount > p.amount)
}

// apply returns the model after the batch, or the same model and the refusal.
func (m model) apply(batch []Transfer) (model, int, Refusal) {
	next := m.clone()
	for i, t := range batch {
		if all := next.wrong(t); len(all) > 0 {
			return m, i, slices.Min(all)
		}
		switch t.Kind {
		case Single:
			next.facts = append(next.facts, fact{m.names[t.Debit], m.names[t.Credit], t.Amount})
		case Pending:
			f := fact{m.names[t.Debit], m.names[t.Credit], t.Amount}
			next.promises = append(next.promises, promise{fact: f, id: t.ID, expires: t.Expires})
		case PostPending:
			p := &next.promises[next.promise(t.Of)]
			p.state = PendingPosted
			next.facts = append(next.facts, fact{p.from, p.to, t.Amount})
		case VoidPending:
			next.promises[next.promise(t.Of)].state = PendingVoided
		}
	}
	return next, -1, OK
}

// expire returns the model after now and the ids that ran out, in order.
func (m model) expire(now int64) (model, []string) {
	next := m.clone()
	var due []promise
	for i := range next.promises {
		if p := &next.promises[i]; p.state == PendingOpen && p.expires != 0 && p.expires <= now {
			p.state = PendingTimedOut
			due = append(due, *p)
		}
	}
	slices.SortFunc(due, func(a, b promise) int {
		if a.expires != b.expires {
			return int(a.expires - b.expires)
		}
		return slices.Compare([]byte(a.id), []byte(b.id))
	})
	var ids []string
	for _, p := range due {
		ids = append(ids, p.id)
	}
	return next, ids
}

// same requires that the ledger shows what the model says, and that its books are in order.
func (m model) same(t require.TestingT, l *Ledger) {
	require.NoError(t, l.Audit())
	for a, name := range m.names {
		debits, credits := m.promised(name)
		free := m.posted(name)
		free.Sub(free, debits)
		if l.Name(a) != name || m.posted(name).Int64() != int64(l.Balance(a)) || free.Int64() != int64(l.Free(a)) ||
			debits.Int64() != int64(l.PendingDebits(a)) || credits.Int64() != int64(l.PendingCredits(a)) {
			require.Failf(t, "account differs", "%s: balance %s, model %s", name, l.Balance(a), m.posted(name))
		}
	}
	require.Len(t, l.pendings, len(m.promises))
	first := int64(0)
	for _, p := range m.promises {
		got, state, ok := l.Pending(p.id)
		if !ok || state != p.state || got.Amount != p.amount || got.Expires != p.expires {
			require.Failf(t, "pending transfer differs", "%s: %v, model %v", p.id, got, p)
		}
		if p.state == PendingOpen && p.expires != 0 && (first == 0 || p.expires < first) {
			first = p.expires
		}
	}
	if next, ok := l.NextExpiry(); next != first || ok != (first != 0) {
		require.Failf(t, "next expiry differs", "%d, model %d", next, first)
	}
}
