package ledger

import (
	"cmp"
	"fmt"
	"strings"
)

// MaxOwner is the longest owner in bytes. The longest id a mission can form, a 63-byte name with a
// 13-byte instance suffix and nine child suffixes of 9 bytes, is 157.
const MaxOwner = 255

// Kind is the role of an account.
type Kind uint8

// The kinds, in their canonical order. The zero value is no kind.
const (
	KindAccount        Kind = iota + 1 // account:<name>, an employer's or the treasury's
	KindEscrow                         // job:<id>:escrow, reward and fee set aside
	KindDeposit                        // job:<id>:deposit, for the resources of the running attempt
	KindWorker                         // worker:<id>, free
	KindWorkerStake                    // worker:<id>:stake, locked
	KindValidator                      // validator:<id>, free
	KindValidatorStake                 // validator:<id>:stake, locked
	KindCapacity                       // capacity, a resource's free part
	KindReserved                       // reserved, a resource's part held by running jobs
	KindResources                      // resources, what used resources earned
	KindFees                           // fees
	KindBurned                         // burned, for good
	KindMinted                         // minted, the one account that may be negative
)

// money and things say which units a kind exists in.
const (
	money  = 1 << Token
	things = 1<<Energy | 1<<Compute
)

// kinds holds the text form of each kind: before, owner if it has one, after.
var kinds = [...]struct {
	before, after string
	owned         bool
	units         uint8
}{
	KindAccount:        {"account:", "", true, money},
	KindEscrow:         {"job:", ":escrow", true, money},
	KindDeposit:        {"job:", ":deposit", true, money},
	KindWorker:         {"worker:", "", true, money},
	KindWorkerStake:    {"worker:", ":stake", true, money},
	KindValidator:      {"validator:", "", true, money},
	KindValidatorStake: {"validator:", ":stake", true, money},
	KindCapacity:       {"capacity", "", false, things},
	KindReserved:       {"reserved", "", false, things},
	KindResources:      {"resources", "", false, money},
	KindFees:           {"fees", "", false, money},
	KindBurned:         {"burned", "", false, money | things},
	KindMinted:         {"minted", "", false, money | things},
}

// Name identifies an account. Names compare with ==.
type Name struct {
	Kind  Kind
	Unit  Unit
	Owner string // id of the account, job, worker or validator; empty for the kinds without one
}

// String is the text form without the unit: "job:swarm_0:escrow".
func (n Name) String() string {
	if n.Kind == 0 || int(n.Kind) >= len(kinds) {
		return fmt.Sprintf("kind(%d):%s", uint8(n.Kind), n.Owner)
	}
	k := &kinds[n.Kind]
	return k.before + n.Owner + k.after
}

// ParseName is the inverse of String for an account of that unit.
func ParseName(text string, unit Unit) (Name, error) {
	for i := range kinds {
		k := &kinds[i]
		owner, before := strings.CutPrefix(text, k.before)
		owner, after := strings.CutSuffix(owner, k.after)
		if k.before == "" || !before || !after || k.owned == (owner == "") || strings.Contains(owner, ":") {
			continue
		}
		name := Name{Kind: Kind(i), Unit: unit, Owner: owner}
		return name, name.check()
	}
	return Name{}, fmt.Errorf("account %.300q: no such form", text)
}

// check says what is wrong with a name: its kind, its unit, or its owner. An owner is 1 to MaxOwner
// printable ASCII bytes without space, colon, quote or backslash, so that the text form parses back
// and needs no escaping in JSON.
func (n Name) check() error {
	if n.Kind == 0 || int(n.Kind) >= len(kinds) {
		return fmt.Errorf("account %s: no such kind", n)
	}
	k := &kinds[n.Kind]
	if n.Unit >= Units || k.units&(1<<n.Unit) == 0 {
		return fmt.Errorf("account %s: does not exist in %s", n, n.Unit)
	}
	if k.owned == (n.Owner == "") {
		return fmt.Errorf("account %s: owner missing or not wanted", n)
	}
	if len(n.Owner) > MaxOwner {
		return fmt.Errorf("account %.40s…: owner is longer than %d bytes", n, MaxOwner)
	}
	for i := range len(n.Owner) {
		if c := n.Owner[i]; c <= ' ' || c >= 0x7f || c == ':' || c == '"' || c == '\\' {
			return fmt.Errorf("account %q: owner has the byte %q", n.String(), c)
		}
	}
	return nil
}

// compare orders names canonically: unit, kind, owner by bytes.
func (n Name) compare(m Name) int {
	return cmp.Or(cmp.Compare(n.Unit, m.Unit), cmp.Compare(n.Kind, m.Kind), cmp.Compare(n.Owner, m.Owner))
}
