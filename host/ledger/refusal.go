package ledger

import "fmt"

// Refusal says why a batch was not applied. The list is closed, its names are permanent, and its
// order is the precedence: of all that is wrong with a transfer the first is reported, and of all
// refused transfers of a batch the first. What concerns a client's request as a whole comes before
// what concerns one transfer.
type Refusal uint8

// The refusals in order of precedence; names and meanings are in the table below.
const (
	OK Refusal = iota

	IDRequired
	IDTooLong
	IDTooOld
	IDInFuture
	RequestTooLarge
	ExistsWithDifferentLength
	ExistsWithDifferentKind
	ExistsWithDifferentID
	ExistsWithDifferentDebit
	ExistsWithDifferentCredit
	ExistsWithDifferentAmount
	ExistsWithDifferentPending
	ExistsWithDifferentExpiry
	TooManyIDs

	KindUnknown
	PendingIDRequired
	PendingIDTooLong
	PendingRefRequired
	PendingRefNotAllowed
	ExpiryNotAllowed
	ExpiryMustNotBeNegative
	AmountMustBePositive
	AmountMustBeZero
	AccountsMustDiffer
	DebitNotFound
	CreditNotFound
	UnitsMustMatch
	PendingExists
	TooManyPendings
	PendingNotFound
	PendingAlreadyPosted
	PendingAlreadyVoided
	PendingExpired
	PendingDifferentAccounts
	ExceedsPending
	InsufficientFunds
	Overflow

	refusalCount
)

var refusals = [refusalCount]struct{ name, doc string }{
	OK: {"ok", "Applied."},

	IDRequired:                 {"id_required", "A client's request has no id."},
	IDTooLong:                  {"id_too_long", "The request's id is longer than 255 bytes."},
	IDTooOld:                   {"id_too_old", "The id was made longer ago than ids are remembered, so a repetition could not be told."},
	IDInFuture:                 {"id_in_future", "The id was made more than a minute after the present, so it would outlive its remembering."},
	RequestTooLarge:            {"request_too_large", "The request has no transfer, or more than 1,000."},
	ExistsWithDifferentLength:  {"exists_with_different_length", "The id was used for a request with another number of transfers."},
	ExistsWithDifferentKind:    {"exists_with_different_kind", "The id was used for a request whose transfer has another kind."},
	ExistsWithDifferentID:      {"exists_with_different_id", "The id was used for a request whose transfer has another id of its own."},
	ExistsWithDifferentDebit:   {"exists_with_different_debit", "The id was used for a request whose transfer debits another account."},
	ExistsWithDifferentCredit:  {"exists_with_different_credit", "The id was used for a request whose transfer credits another account."},
	ExistsWithDifferentAmount:  {"exists_with_different_amount", "The id was used for a request whose transfer has another amount."},
	ExistsWithDifferentPending: {"exists_with_different_pending", "The id was used for a request whose transfer resolves another pending transfer."},
	ExistsWithDifferentExpiry:  {"exists_with_different_expiry", "The id was used for a request whose transfer expires at another time."},
	TooManyIDs:                 {"too_many_ids", "As many client transfers are remembered as may be; the oldest must be forgotten first."},

	KindUnknown:              {"kind_unknown", "The transfer is neither single, pending, posting nor voiding."},
	PendingIDRequired:        {"pending_id_required", "A pending transfer has no id, so it could never be posted."},
	PendingIDTooLong:         {"pending_id_too_long", "The pending transfer's id is longer than 255 bytes."},
	PendingRefRequired:       {"pending_ref_required", "A posting or voiding transfer does not say of which pending transfer."},
	PendingRefNotAllowed:     {"pending_ref_not_allowed", "A single or pending transfer names a pending transfer."},
	ExpiryNotAllowed:         {"expiry_not_allowed", "Only a pending transfer can expire."},
	ExpiryMustNotBeNegative:  {"expiry_must_not_be_negative", "A pending transfer expires before the beginning of time."},
	AmountMustBePositive:     {"amount_must_be_positive", "The amount is zero or negative."},
	AmountMustBeZero:         {"amount_must_be_zero", "A voiding transfer has an amount; it always releases the whole."},
	AccountsMustDiffer:       {"accounts_must_differ", "Debit and credit are the same account."},
	DebitNotFound:            {"debit_not_found", "The account to debit is not open."},
	CreditNotFound:           {"credit_not_found", "The account to credit is not open."},
	UnitsMustMatch:           {"units_must_match", "The accounts count different units."},
	PendingExists:            {"pending_exists", "A pending transfer of this id is open or was resolved a short while ago."},
	TooManyPendings:          {"too_many_pendings", "As many transfers are pending as may be."},
	PendingNotFound:          {"pending_not_found", "No pending transfer of this id is known."},
	PendingAlreadyPosted:     {"pending_already_posted", "The pending transfer has been posted."},
	PendingAlreadyVoided:     {"pending_already_voided", "The pending transfer has been voided."},
	PendingExpired:           {"pending_expired", "The pending transfer has expired."},
	PendingDifferentAccounts: {"pending_different_accounts", "An account is named that is not the pending transfer's."},
	ExceedsPending:           {"exceeds_pending", "More would be posted than is pending."},
	InsufficientFunds:        {"insufficient_funds", "The debited account has less than the amount free."},
	Overflow:                 {"overflow", "More would be minted than an amount can count."},
}

// String is the permanent name.
func (r Refusal) String() string {
	if r < refusalCount {
		return refusals[r].name
	}
	return fmt.Sprintf("refusal(%d)", uint8(r))
}

// Doc is one sentence that says what the refusal means.
func (r Refusal) Doc() string {
	if r < refusalCount {
		return refusals[r].doc
	}
	return ""
}

// Refusals calls yield for every refusal in order of precedence, OK left out.
func Refusals(yield func(Refusal) bool) {
	for r := OK + 1; r < refusalCount && yield(r); r++ {
	}
}
