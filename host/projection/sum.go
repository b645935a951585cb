package projection

import (
	"fmt"
	"math/big"
	"math/bits"

	"github.com/omega-run/omega/host/ledger"
)

// Sum adds amounts up over a mission's life. What goes round and round, as
// energy does, can exceed any one amount, so it has 128 bits.
type Sum struct{ Hi, Lo uint64 }

const decimals = 1_000_000 // minor units of a whole one: ledger.Scale decimals

func (s *Sum) add(amount uint64) {
	lo, carry := bits.Add64(s.Lo, amount, 0)
	s.Hi, s.Lo = s.Hi+carry, lo
}

func (s *Sum) sub(amount uint64) {
	lo, borrow := bits.Sub64(s.Lo, amount, 0)
	s.Hi, s.Lo = s.Hi-borrow, lo
}

// exceeds reports whether the sum is more than n times an amount.
func (s Sum) exceeds(amount ledger.Amount, n int64) bool {
	hi, lo := bits.Mul64(uint64(max(amount, 0)), uint64(n))
	return s.Hi > hi || s.Hi == hi && s.Lo > lo
}

// amount is the sum as an amount, the largest one where it is more.
func (s Sum) amount() ledger.Amount {
	if s.Hi > 0 || s.Lo > uint64(ledger.MaxAmount) {
		return ledger.MaxAmount
	}
	return ledger.Amount(s.Lo)
}

// String is the canonical decimal text in whole units.
func (s Sum) String() string {
	n := new(big.Int).SetUint64(s.Hi)
	n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(s.Lo))
	whole, rest := n.DivMod(n, big.NewInt(decimals), new(big.Int))
	if rest.Sign() == 0 {
		return whole.String()
	}
	text := fmt.Sprintf("%s.%06d", whole, rest.Int64())
	for text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	return text
}
