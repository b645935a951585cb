package hosttest

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// micro is an amount in millionths, a ratio in parts per million: the checkers'
// own arithmetic.
type micro int64

// amountOf reads a decimal text; "" is zero, as in the record.
func amountOf(text string) micro {
	if text == "" {
		return 0
	}
	whole, fraction, _ := strings.Cut(text, ".")
	n, ok := new(big.Int).SetString(whole+(fraction + "000000")[:6], 10)
	if !ok || len(fraction) > 6 || !n.IsInt64() {
		panic(fmt.Sprintf("%q is no amount", text))
	}
	return micro(n.Int64())
}

func (m micro) String() string {
	sign := ""
	if m < 0 {
		sign, m = "-", -m
	}
	text := strings.TrimRight(fmt.Sprintf("%d.%06d", m/1e6, m%1e6), "0")
	return sign + strings.TrimSuffix(text, ".")
}

// product is ⌊a × b / c⌋ without any limit of size.
func product(a, b, c micro) micro {
	n := new(big.Int).Mul(big.NewInt(int64(a)), big.NewInt(int64(b)))
	return micro(n.Div(n, big.NewInt(int64(c))).Int64())
}

func part(a, ratio micro) micro { return product(a, ratio, 1e6) }

// cost is what units of a resource cost: a price is for a thousand of them.
func cost(units, price micro) micro { return product(units, price, 1e9) }

// durationOf reads milliseconds from the notation of the record.
func durationOf(text string) int64 {
	var total int64
	for text != "" {
		digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
		n, err := strconv.ParseInt(text[:digits], 10, 64)
		if err != nil {
			panic("no duration: " + text)
		}
		text = text[digits:]
		switch {
		case strings.HasPrefix(text, "ms"):
			text = text[2:]
		case strings.HasPrefix(text, "s"):
			n, text = n*1000, text[1:]
		case strings.HasPrefix(text, "m"):
			n, text = n*60_000, text[1:]
		case strings.HasPrefix(text, "h"):
			n, text = n*3_600_000, text[1:]
		case text != "":
			panic("no duration: " + text)
		}
		total += n
	}
	return total
}
