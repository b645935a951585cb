package ledger

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Scale is the number of decimals of every unit, and of a price.
const Scale = 6

const (
	// One is one whole unit in minor units.
	One Amount = 1_000_000

	// MaxAmount is the largest amount. The smallest is -MaxAmount: the range is symmetric so that
	// every amount can be negated, which leaves math.MinInt64 outside it.
	MaxAmount Amount = math.MaxInt64

	// maxText is the length of "-9223372036854.775807", the longest text of an amount.
	maxText = 21
)

// The rules of canonical decimal text, one error each, so that a diagnostic can say which one broke.
var (
	errEmpty       = errors.New("is empty")
	errPlus        = errors.New("has a plus sign")
	errNotDecimal  = errors.New("is not a decimal number (digits, at most one point, a digit on both its sides)")
	errLeadingZero = errors.New("has a leading zero")
	errTrailing    = errors.New("has a trailing zero after the point")
	errDecimals    = errors.New("has more than 6 decimals")
	errMinusZero   = errors.New("is a negative zero")
	errRange       = errors.New("is out of range (at most 9223372036854.775807 either way)")
	errNegative    = errors.New("is negative")
)

// Amount is a quantity of one unit in minor units (10^-6 of a whole unit).
type Amount int64

// ParseAmount reads canonical decimal text in whole units: no plus sign, no leading zeros, no
// trailing zeros after the point, no point without decimals, at most six decimals, zero only as "0".
// The error says which rule broke. math.MinInt64 minor units are out of range.
func ParseAmount(text string) (Amount, error) {
	minor, err := parseDecimal(text)
	if err != nil {
		return 0, fmt.Errorf("amount %.30q %w", strings.Clone(text), err) // so that text itself never escapes
	}
	return Amount(minor), nil
}

// String is the canonical decimal text in whole units.
func (a Amount) String() string {
	return string(a.AppendText(make([]byte, 0, maxText+1)))
}

// AppendText appends the canonical decimal text to b and returns the longer slice. It prints every
// int64 truthfully, math.MinInt64 too, although ParseAmount does not take that one back.
func (a Amount) AppendText(b []byte) []byte {
	return appendDecimal(b, int64(a))
}

// appendDecimal writes n millionths in canonical form.
func appendDecimal(b []byte, n int64) []byte {
	u := uint64(n)
	if n < 0 {
		b = append(b, '-')
		u = -u // right for math.MinInt64 as well: two's complement
	}
	b = strconv.AppendUint(b, u/uint64(One), 10)
	fraction := u % uint64(One)
	if fraction == 0 {
		return b
	}
	var digits [Scale + 1]byte
	digits[0] = '.'
	for i := Scale; i >= 1; i-- {
		digits[i] = byte('0' + fraction%10)
		fraction /= 10
	}
	end := len(digits)
	for digits[end-1] == '0' {
		end--
	}
	return append(b, digits[:end]...)
}

// parseDecimal reads canonical decimal text into millionths.
func parseDecimal(text string) (int64, error) {
	if text == "" {
		return 0, errEmpty
	}
	if text[0] == '+' {
		return 0, errPlus
	}
	digits, negative := strings.CutPrefix(text, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	if !isDigits(whole) || point && !isDigits(fraction) {
		return 0, errNotDecimal
	}
	switch {
	case len(whole) > 1 && whole[0] == '0':
		return 0, errLeadingZero
	case point && fraction[len(fraction)-1] == '0':
		return 0, errTrailing
	case len(fraction) > Scale:
		return 0, errDecimals
	case negative && digits == "0":
		return 0, errMinusZero
	}
	// Accumulate and stop at the first digit too many.
	var n uint64
	for i := range len(whole) + Scale {
		var d uint64
		switch {
		case i < len(whole):
			d = uint64(whole[i] - '0')
		case i-len(whole) < len(fraction):
			d = uint64(fraction[i-len(whole)] - '0')
		}
		if n > (math.MaxInt64-d)/10 {
			return 0, errRange
		}
		n = n*10 + d
	}
	if negative {
		return -int64(n), nil
	}
	return int64(n), nil
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
