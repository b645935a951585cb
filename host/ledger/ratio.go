package ledger

import (
	"fmt"
	"math"
	"math/bits"
)

// Ratio is a non-negative factor in parts per million.
type Ratio int64

// Whole is the ratio 1.
const Whole Ratio = 1_000_000

// priceUnits is what a price is quoted for: tokens per 1,000 units.
const priceUnits = 1_000

// ParseRatio reads the canonical decimal text of a ratio ("0.05"), by the rules of ParseAmount, and
// refuses negative ones. A ratio above 1 is fine: whoever needs a bound states it.
func ParseRatio(text string) (Ratio, error) {
	ppm, err := parseDecimal(text)
	if err == nil && ppm < 0 {
		err = errNegative
	}
	if err != nil {
		return 0, fmt.Errorf("ratio %.30q %w", text, err)
	}
	return Ratio(ppm), nil
}

// String is the canonical decimal text.
func (r Ratio) String() string {
	return string(appendDecimal(make([]byte, 0, maxText), int64(r)))
}

// Of is ⌊a × r⌋. It panics when a or r is negative or the product is no amount, which a ratio of at
// most 1 cannot cause; for other ratios the caller asks MulDiv.
func (r Ratio) Of(a Amount) Amount {
	n, ok := MulDiv(int64(a), int64(r), int64(Whole))
	if !ok {
		panic(fmt.Sprintf("ledger: %s of %s is no amount", r, a))
	}
	return Amount(n)
}

// MulDiv is ⌊a × b / c⌋, the product taken in 128 bits. It is false when the quotient exceeds an
// int64, and for arguments outside its domain (a or b negative, c not positive).
func MulDiv(a, b, c int64) (int64, bool) {
	if a < 0 || b < 0 || c <= 0 {
		return 0, false
	}
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	if hi >= uint64(c) {
		return 0, false
	}
	quotient, _ := bits.Div64(hi, lo, uint64(c))
	return int64(quotient), quotient <= math.MaxInt64
}

// Cost is what budget units of a resource cost in TOKEN minor units: ⌊budget × price / 1,000⌋, price
// being tokens per 1,000 units with six decimals. It is false when that is no amount.
func Cost(budget, price Amount) (Amount, bool) {
	n, ok := MulDiv(int64(budget), int64(price), int64(One)*priceUnits)
	return Amount(n), ok
}
