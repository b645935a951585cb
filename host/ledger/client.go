package ledger

const (
	// MaxRequest is the most transfers of one client's request: what is remembered of it must be small.
	MaxRequest = 1_000

	// MaxRemembered bounds the client transfers remembered: at about 250 bytes each, 1 GB.
	MaxRemembered = 1 << 22

	// MaxSkew is how far ahead of the host, in milliseconds, the clock of a client may be.
	MaxSkew = 60_000
)

// Request is a batch somebody outside made, under an id that makes it happen at most once however
// often it is sent. All times are milliseconds on one clock of the caller's choice.
type Request struct {
	ID        string
	Transfers []Transfer
	Made      int64 // when the client made the id: a ULID's time
	At        int64 // when the request came in
	Retention int64 // how long ids are remembered
}

// request is what is remembered of one: its body by account names, since account ids are used again,
// and its outcome.
type request struct {
	id      string
	at      int64
	index   int
	refusal Refusal
	body    []clause
}

type clause struct {
	id            string
	debit, credit Name
	amount        Amount
	of            string
	expires       int64
	kind          TransferKind
}

// ApplyClient applies a request once. Sent again with the same body it changes nothing and returns
// the first outcome, refused or not, with again set. With another body it is refused by the name of
// the first field that differs. The index is -1 when no single transfer is to blame.
func (l *Ledger) ApplyClient(q Request) (index int, r Refusal, again bool) {
	index, r, again = l.Recall(q)
	if again || r != OK {
		return index, r, again
	}
	index, r = l.Apply(q.Transfers)
	l.Remember(q, index, r)
	return index, r, false
}

// Recall says what is known of a request's id, and changes nothing: its first outcome with again set,
// or why the id cannot be used, or OK when the request is new.
func (l *Ledger) Recall(q Request) (index int, r Refusal, again bool) {
	horizon := max(l.horizon, q.At-q.Retention)
	switch {
	case q.ID == "":
		return -1, IDRequired, false
	case len(q.ID) > MaxID:
		return -1, IDTooLong, false
	case q.Made < horizon:
		return -1, IDTooOld, false
	case q.Made > q.At+MaxSkew:
		return -1, IDInFuture, false
	case len(q.Transfers) == 0 || len(q.Transfers) > MaxRequest:
		return -1, RequestTooLarge, false
	}
	if first, ok := l.clients[q.ID]; ok {
		if i, r := l.differs(first, q.Transfers); r != OK {
			return i, r, false
		}
		return first.index, first.refusal, true
	}
	if l.clauses-l.forgettable(horizon)+len(q.Transfers) > l.limits.remembered {
		return -1, TooManyIDs, false
	}
	return -1, OK, false
}

// Remember keeps a new request and its outcome, and forgets those whose ids have become too old.
// Replay calls it with the recorded outcome.
func (l *Ledger) Remember(q Request, index int, r Refusal) {
	l.horizon = max(l.horizon, q.At-q.Retention)
	for l.requests.len() > 0 && l.requests.at(0).stale(l.horizon) {
		old := l.requests.pop()
		l.clauses -= len(old.body)
		delete(l.clients, old.id)
	}
	kept := &request{id: q.ID, at: q.At, index: index, refusal: r, body: make([]clause, len(q.Transfers))}
	for i := range q.Transfers {
		kept.body[i] = l.clause(&q.Transfers[i])
	}
	l.clients[q.ID] = kept
	l.requests.push(kept)
	l.clauses += len(kept.body)
}

// stale is true when the request's id, made at most MaxSkew after it came in, is certainly too old.
// The horizon only ever advances, so a forgotten id stays refused even if the retention is raised or
// the caller's clock falls back.
func (q *request) stale(horizon int64) bool { return q.at+MaxSkew < horizon }

// forgettable counts the transfers of requests that the next Remember will forget.
func (l *Ledger) forgettable(horizon int64) int {
	if horizon == l.horizon {
		return 0
	}
	n := 0
	for i := 0; i < l.requests.len() && l.requests.at(i).stale(horizon); i++ {
		n += len(l.requests.at(i).body)
	}
	return n
}

// clause is a transfer with its accounts by name; an account that is not open has the empty name.
func (l *Ledger) clause(t *Transfer) clause {
	c := clause{id: t.ID, amount: t.Amount, of: t.Of, expires: t.Expires, kind: t.Kind}
	if l.isOpen(t.Debit) {
		c.debit = l.names[t.Debit]
	}
	if l.isOpen(t.Credit) {
		c.credit = l.names[t.Credit]
	}
	return c
}

// differs names the first difference between a remembered request and a body.
func (l *Ledger) differs(first *request, body []Transfer) (int, Refusal) {
	if len(first.body) != len(body) {
		return -1, ExistsWithDifferentLength
	}
	for i := range body {
		was, is := &first.body[i], l.clause(&body[i])
		switch {
		case was.kind != is.kind:
			return i, ExistsWithDifferentKind
		case was.id != is.id:
			return i, ExistsWithDifferentID
		case was.debit != is.debit:
			return i, ExistsWithDifferentDebit
		case was.credit != is.credit:
			return i, ExistsWithDifferentCredit
		case was.amount != is.amount:
			return i, ExistsWithDifferentAmount
		case was.of != is.of:
			return i, ExistsWithDifferentPending
		case was.expires != is.expires:
			return i, ExistsWithDifferentExpiry
		}
	}
	return -1, OK
}
