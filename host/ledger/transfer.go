package ledger

import "fmt"

// Transfer moves an amount from one account to another, at once or in two phases. The fields each
// kind wants:
//
//	             Single     Pending    PostPending      VoidPending
//	ID           label      required   label            label
//	Debit        required   required   0 or the same    0 or the same
//	Credit       required   required   0 or the same    0 or the same
//	Amount       > 0        > 0        1…pending        0
//	Of           -          -          pending's ID     pending's ID
//	Expires      -          0 or time  -                -
//
// A label is kept by nobody: it is the caller's name for the transfer and costs nothing here.
type Transfer struct {
	ID            string
	Debit, Credit Account
	Amount        Amount
	Kind          TransferKind
	Of            string // the pending transfer that is posted or voided
	Expires       int64  // milliseconds of mission time at which Expire voids it; 0: never
}

// TransferKind is a transfer's phase.
type TransferKind uint8

const (
	Single      TransferKind = iota // moved at once
	Pending                         // set aside on the debit side until posted, voided or expired
	PostPending                     // moves all or part of a pending amount; the rest is released
	VoidPending                     // releases a pending amount
)

var transferKinds = [...]string{"single", "pending", "post_pending", "void_pending"}

// String is the permanent name.
func (k TransferKind) String() string {
	if int(k) < len(transferKinds) {
		return transferKinds[k]
	}
	return fmt.Sprintf("transfer_kind(%d)", uint8(k))
}

// Apply applies a batch whole, or changes nothing and says which transfer is refused and why. Later
// transfers see what earlier ones did. The index is -1 when the refusal is OK.
func (l *Ledger) Apply(batch []Transfer) (index int, r Refusal) {
	for i := range batch {
		if r := l.apply(&batch[i]); r != OK {
			l.undo(batch[:i])
			return i, r
		}
	}
	l.trim()
	return -1, OK
}

// Check says what Apply would say, and changes nothing.
func (l *Ledger) Check(batch []Transfer) (index int, r Refusal) {
	for i := range batch {
		if r := l.apply(&batch[i]); r != OK {
			l.undo(batch[:i])
			return i, r
		}
	}
	l.undo(batch)
	return -1, OK
}

func (l *Ledger) apply(t *Transfer) Refusal {
	switch t.Kind {
	case Single:
		return l.single(t)
	case Pending:
		return l.reserve(t)
	case PostPending:
		return l.post(t)
	case VoidPending:
		return l.void(t)
	}
	return KindUnknown
}

// undo takes back transfers that were applied last, latest first.
func (l *Ledger) undo(batch []Transfer) {
	for i := len(batch) - 1; i >= 0; i-- {
		t := &batch[i]
		switch t.Kind {
		case Single:
			l.move(t.Credit, t.Debit, t.Amount)
		case Pending:
			l.unreserve(t.ID)
		case PostPending:
			p := l.pendings[t.Of]
			l.move(p.credit, p.debit, t.Amount)
			l.reopen(p)
		case VoidPending:
			l.reopen(l.pendings[t.Of])
		}
	}
}

func (l *Ledger) single(t *Transfer) Refusal {
	if t.Of != "" {
		return PendingRefNotAllowed
	}
	if t.Expires != 0 {
		return ExpiryNotAllowed
	}
	if r := l.parties(t); r != OK {
		return r
	}
	if r := l.funds(t); r != OK {
		return r
	}
	l.move(t.Debit, t.Credit, t.Amount)
	return OK
}

// parties checks the amount and the two accounts of a single or pending transfer.
func (l *Ledger) parties(t *Transfer) Refusal {
	switch {
	case t.Amount <= 0:
		return AmountMustBePositive
	case t.Debit == t.Credit:
		return AccountsMustDiffer
	case !l.isOpen(t.Debit):
		return DebitNotFound
	case !l.isOpen(t.Credit):
		return CreditNotFound
	case l.accounts[t.Debit].unit != l.accounts[t.Credit].unit:
		return UnitsMustMatch
	}
	return OK
}

// funds checks that the debit side has the amount free, counting what is pending as gone, and that
// minted stays in range. The credit side needs no check: what an account has and is promised is all
// of it somebody's money, and all money together is what minted lacks, at most MaxAmount.
func (l *Ledger) funds(t *Transfer) Refusal {
	debit := &l.accounts[t.Debit]
	free := debit.posted - debit.debits
	switch {
	case free >= t.Amount:
		return OK
	case !debit.minted:
		return InsufficientFunds
	case free < t.Amount-MaxAmount:
		return Overflow
	}
	return OK
}

// move is the one place where posted balances change.
func (l *Ledger) move(from, to Account, amount Amount) {
	debit, credit := &l.accounts[from], &l.accounts[to]
	debit.posted -= amount
	l.sums[debit.unit] -= amount
	credit.posted += amount
	l.sums[credit.unit] += amount
}
