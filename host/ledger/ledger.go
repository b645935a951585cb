package ledger

import (
	"fmt"
	"math"
	"slices"
)

// Account is a dense id of an open account, valid until it is closed; then its slot is used again.
// The zero value is no account.
type Account int32

// Ledger holds the accounts of one mission. It is not safe for concurrent use.
type Ledger struct {
	accounts []account // by id; slot 0 is never open
	names    []Name    // by id, apart from the balances to keep those dense
	index    map[Name]Account
	unused   []Account // closed slots, the last closed is used first
	sums     [Units]Amount

	pendings map[string]*pending
	queue    expiries
	resolved fifo[*pending]

	clients  map[string]*request
	requests fifo[*request]
	clauses  int   // transfers held by requests
	horizon  int64 // ids made before this are too old

	limits limits
}

// account is what one account holds. Posted minus debits is free and, but for minted, never negative.
type account struct {
	posted  Amount
	debits  Amount // pending
	credits Amount // pending
	unit    Unit
	open    bool
	listed  bool // its name finds it
	minted  bool
}

// limits bound every table that transfers can grow.
type limits struct{ pendings, resolved, remembered int }

// New returns an empty ledger.
func New() *Ledger {
	return &Ledger{
		accounts: make([]account, 1),
		names:    make([]Name, 1),
		index:    map[Name]Account{},
		pendings: map[string]*pending{},
		clients:  map[string]*request{},
		horizon:  math.MinInt64,
		limits:   limits{pendings: MaxPendings, resolved: MaxResolved, remembered: MaxRemembered},
	}
}

// Open returns the account of that name, opening it when there is none. It panics on a name that is
// not well formed: names from outside go through ParseName.
func (l *Ledger) Open(name Name) Account {
	if a, ok := l.index[name]; ok {
		return a
	}
	a := l.OpenUnlisted(name)
	l.accounts[a].listed = true
	l.index[name] = a
	return a
}

// OpenUnlisted opens an account that no name finds: whoever opens it keeps its id and opens one of a
// name only. It is for the millions of short-lived ones, whose place in the index would cost more than they do.
func (l *Ledger) OpenUnlisted(name Name) Account {
	if err := name.check(); err != nil {
		panic("ledger: " + err.Error())
	}
	var a Account
	if last := len(l.unused) - 1; last >= 0 {
		a = l.unused[last]
		l.unused = l.unused[:last]
	} else {
		if len(l.accounts) > math.MaxInt32 {
			panic("ledger: out of account ids")
		}
		a = Account(len(l.accounts))
		l.accounts = append(l.accounts, account{})
		l.names = append(l.names, Name{})
	}
	l.accounts[a] = account{unit: name.Unit, open: true, minted: name.Kind == KindMinted}
	l.names[a] = name
	return a
}

// Find returns the open account of that name, unless it was opened unlisted.
func (l *Ledger) Find(name Name) (Account, bool) {
	a, ok := l.index[name]
	return a, ok
}

// Close ends an account and frees its slot. It panics unless the account is open and holds nothing,
// posted or pending.
func (l *Ledger) Close(a Account) {
	acc := l.at(a)
	if acc.posted != 0 || acc.debits != 0 || acc.credits != 0 {
		panic(fmt.Sprintf("ledger: closing %s, which holds %s, pending -%s +%s", l.names[a], acc.posted, acc.debits, acc.credits))
	}
	if acc.listed {
		delete(l.index, l.names[a])
	}
	l.accounts[a] = account{}
	l.names[a] = Name{}
	l.unused = append(l.unused, a)
}

// Name returns the name of an open account.
func (l *Ledger) Name(a Account) Name {
	l.at(a)
	return l.names[a]
}

// Balance is what has been posted: credits minus debits.
func (l *Ledger) Balance(a Account) Amount { return l.at(a).posted }

// Free is what can be debited now: the balance minus what is pending on the debit side.
func (l *Ledger) Free(a Account) Amount {
	acc := l.at(a)
	return acc.posted - acc.debits
}

// PendingDebits is what open pending transfers would take from the account.
func (l *Ledger) PendingDebits(a Account) Amount { return l.at(a).debits }

// PendingCredits is what open pending transfers would give to the account.
func (l *Ledger) PendingCredits(a Account) Amount { return l.at(a).credits }

// Sum is the sum of all balances of a unit, kept with every movement. It is zero.
func (l *Ledger) Sum(u Unit) Amount { return l.sums[u] }

// Accounts calls yield for every open account in canonical order: unit, kind, owner. It sorts, so it
// is for artifacts and digests, not for the hot path.
func (l *Ledger) Accounts(yield func(Account) bool) {
	open := make([]Account, 0, len(l.accounts)-len(l.unused))
	for i := range l.accounts {
		if l.accounts[i].open {
			open = append(open, Account(i))
		}
	}
	slices.SortFunc(open, func(a, b Account) int { return l.names[a].compare(l.names[b]) })
	for _, a := range open {
		if !yield(a) {
			return
		}
	}
}

func (l *Ledger) isOpen(a Account) bool {
	return uint(a) < uint(len(l.accounts)) && l.accounts[a].open
}

// at is the account behind an id the caller must have from Open or Find.
func (l *Ledger) at(a Account) *account {
	if !l.isOpen(a) {
		panic(fmt.Sprintf("ledger: account %d is not open", a))
	}
	return &l.accounts[a]
}
