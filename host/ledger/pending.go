package ledger

import (
	"cmp"
	"container/heap"
	"math"
)

const (
	// MaxPendings bounds the open pending transfers: at about 150 bytes each, 150 MB.
	MaxPendings = 1 << 20

	// MaxResolved is how many resolved pending transfers are remembered, the latest ones, so that a
	// second posting is refused by its exact name. Older ones are pending_not_found.
	MaxResolved = 1 << 16

	// MaxID is the longest id of a pending transfer or a client's request, in bytes: room for the
	// longest derived id, <job>/<attempt>/<step>/<seat>.
	MaxID = 255
)

// PendingState is where a pending transfer is in its life. Open is left once and for good.
type PendingState uint8

const (
	PendingOpen PendingState = iota
	PendingPosted
	PendingVoided
	PendingTimedOut
)

type pending struct {
	id            string
	debit, credit Account // meaningless once resolved: the accounts may be closed
	amount        Amount
	expires       int64
	state         PendingState
	place         int // in the queue, while open
}

// due is when the pending transfer expires, the end of time for one that never does.
func (p *pending) due() int64 {
	if p.expires == 0 {
		return math.MaxInt64
	}
	return p.expires
}

// expiries is a heap of all open pending transfers in (expiry, id) order.
type expiries []*pending

func (q expiries) Len() int { return len(q) }
func (q expiries) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(q[i].due(), q[j].due()), cmp.Compare(q[i].id, q[j].id)) < 0
}
func (q expiries) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}
func (q *expiries) Push(x any) {
	p := x.(*pending)
	p.place = len(*q)
	*q = append(*q, p)
}
func (q *expiries) Pop() any {
	last := len(*q) - 1
	p := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return p
}

// Pending returns a pending transfer that is open or was resolved lately. The accounts of a resolved
// one are zero.
func (l *Ledger) Pending(id string) (t Transfer, state PendingState, ok bool) {
	p, ok := l.pendings[id]
	if !ok {
		return Transfer{}, 0, false
	}
	t = Transfer{ID: p.id, Amount: p.amount, Kind: Pending, Expires: p.expires}
	if p.state == PendingOpen {
		t.Debit, t.Credit = p.debit, p.credit
	}
	return t, p.state, true
}

// NextExpiry is when the first open pending transfer expires; false when none ever does.
func (l *Ledger) NextExpiry() (at int64, ok bool) {
	if len(l.queue) == 0 || l.queue[0].expires == 0 {
		return 0, false
	}
	return l.queue[0].expires, true
}

// Expire voids every pending transfer whose expiry is now or earlier and returns their ids in
// (expiry, id) order. Until it is called an overdue transfer can still be posted: time is an input.
func (l *Ledger) Expire(now int64) []string {
	var ids []string
	for {
		if at, ok := l.NextExpiry(); !ok || at > now {
			break
		}
		p := l.queue[0]
		l.resolve(p, PendingTimedOut)
		ids = append(ids, p.id)
	}
	l.trim()
	return ids
}

// reserve opens a pending transfer.
func (l *Ledger) reserve(t *Transfer) Refusal {
	switch {
	case t.ID == "":
		return PendingIDRequired
	case len(t.ID) > MaxID:
		return PendingIDTooLong
	case t.Of != "":
		return PendingRefNotAllowed
	case t.Expires < 0:
		return ExpiryMustNotBeNegative
	}
	if r := l.parties(t); r != OK {
		return r
	}
	if _, ok := l.pendings[t.ID]; ok {
		return PendingExists
	}
	if len(l.queue) >= l.limits.pendings {
		return TooManyPendings
	}
	if r := l.funds(t); r != OK {
		return r
	}
	p := &pending{id: t.ID, debit: t.Debit, credit: t.Credit, amount: t.Amount, expires: t.Expires}
	l.pendings[p.id] = p
	l.hold(p)
	return OK
}

// post moves all or part of what is pending and releases the rest.
func (l *Ledger) post(t *Transfer) Refusal {
	if r := settles(t); r != OK {
		return r
	}
	if t.Amount <= 0 {
		return AmountMustBePositive
	}
	p, r := l.find(t)
	if r != OK {
		return r
	}
	if t.Amount > p.amount {
		return ExceedsPending
	}
	l.resolve(p, PendingPosted)
	l.move(p.debit, p.credit, t.Amount)
	return OK
}

// void releases what is pending.
func (l *Ledger) void(t *Transfer) Refusal {
	if r := settles(t); r != OK {
		return r
	}
	if t.Amount != 0 {
		return AmountMustBeZero
	}
	p, r := l.find(t)
	if r != OK {
		return r
	}
	l.resolve(p, PendingVoided)
	return OK
}

// settles checks the fields that posting and voiding have in common.
func settles(t *Transfer) Refusal {
	switch {
	case t.Of == "":
		return PendingRefRequired
	case t.Expires != 0:
		return ExpiryNotAllowed
	}
	return OK
}

// find returns the open pending transfer that t posts or voids.
func (l *Ledger) find(t *Transfer) (*pending, Refusal) {
	p, ok := l.pendings[t.Of]
	if !ok {
		return nil, PendingNotFound
	}
	switch p.state {
	case PendingPosted:
		return nil, PendingAlreadyPosted
	case PendingVoided:
		return nil, PendingAlreadyVoided
	case PendingTimedOut:
		return nil, PendingExpired
	}
	if t.Debit != 0 && t.Debit != p.debit || t.Credit != 0 && t.Credit != p.credit {
		return nil, PendingDifferentAccounts
	}
	return p, OK
}

// hold counts a pending transfer against its accounts and queues it.
func (l *Ledger) hold(p *pending) {
	l.accounts[p.debit].debits += p.amount
	l.accounts[p.credit].credits += p.amount
	heap.Push(&l.queue, p)
}

// release is the reverse of hold.
func (l *Ledger) release(p *pending) {
	l.accounts[p.debit].debits -= p.amount
	l.accounts[p.credit].credits -= p.amount
	heap.Remove(&l.queue, p.place)
}

// resolve ends an open pending transfer.
func (l *Ledger) resolve(p *pending, state PendingState) {
	l.release(p)
	p.state = state
	l.resolved.push(p)
}

// reopen undoes the latest resolve.
func (l *Ledger) reopen(p *pending) {
	l.resolved.unpush()
	p.state = PendingOpen
	l.hold(p)
}

// unreserve undoes reserve.
func (l *Ledger) unreserve(id string) {
	l.release(l.pendings[id])
	delete(l.pendings, id)
}

// trim forgets the oldest resolved pending transfers. It runs only when nothing can be undone.
func (l *Ledger) trim() {
	for l.resolved.len() > l.limits.resolved {
		delete(l.pendings, l.resolved.pop().id)
	}
}
