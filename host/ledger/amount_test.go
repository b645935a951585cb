package ledger

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestAmountText(t *testing.T) {
	for text, minor := range map[string]Amount{
		"0":                     0,
		"1":                     One,
		"0.000001":              1,
		"-0.000001":             -1,
		"9500.25":               9_500_250_000,
		"-10":                   -10 * One,
		"100.100001":            100_100_001,
		"9223372036854.775807":  MaxAmount,
		"-9223372036854.775807": -MaxAmount,
		"9223372036854":         9_223_372_036_854 * One,
	} {
		got, err := ParseAmount(text)
		require.NoError(t, err)
		require.Equal(t, minor, got)
		require.Equal(t, text, minor.String())
	}
	require.Equal(t, "-9223372036854.775808", Amount(math.MinInt64).String())
	require.Equal(t, "x7.5", string(Amount(7_500_000).AppendText([]byte("x"))))
}

func TestAmountRefused(t *testing.T) {
	for text, why := range map[string]error{
		"": errEmpty, "+1": errPlus, "+": errPlus,
		"-": errNotDecimal, ".": errNotDecimal, "1.": errNotDecimal, ".5": errNotDecimal, "--1": errNotDecimal,
		"-+1": errNotDecimal, "1e6": errNotDecimal, " 1": errNotDecimal, "1 ": errNotDecimal, "1.2.3": errNotDecimal,
		"0x1": errNotDecimal, "1_000": errNotDecimal, "1,5": errNotDecimal, "Inf": errNotDecimal, "1.-5": errNotDecimal,
		"١": errNotDecimal, "1\x00": errNotDecimal,
		"00": errLeadingZero, "01": errLeadingZero, "-01": errLeadingZero, "00.5": errLeadingZero,
		"0.0": errTrailing, "1.50": errTrailing, "-0.0": errTrailing, "1.0000000": errTrailing,
		"0.0000001": errDecimals, "1.1234567": errDecimals,
		"-0":                   errMinusZero,
		"9223372036854.775808": errRange, "-9223372036854.775808": errRange, "9223372036855": errRange,
		"99999999999999999999": errRange, "18446744073709.551616": errRange, "1000000000000000000000000000": errRange,
	} {
		_, err := ParseAmount(text)
		require.ErrorIs(t, err, why, "%q", text)
	}
}

func TestAmountRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Amount(rapid.Int64Min(-math.MaxInt64).Draw(t, "minor"))
		text := a.String()
		got, err := ParseAmount(text)
		require.NoError(t, err)
		require.Equal(t, a, got)
		exact, ok := new(big.Rat).SetString(text)
		require.True(t, ok)
		require.Zero(t, exact.Cmp(big.NewRat(int64(a), 1_000_000)))
	})
}

// FuzzParseAmount holds that whatever is accepted is what is printed: there is one text per amount.
func FuzzParseAmount(f *testing.F) {
	for _, seed := range []string{"0", "-1.5", "00", "1.10", "9223372036854.775807", "+1", ".1", "-"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if a, err := ParseAmount(text); err == nil {
			require.Equal(t, text, a.String())
		}
	})
}

func TestMulDiv(t *testing.T) {
	whole := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-2, 1_000_000), rapid.Int64Min(math.MaxInt64-2))
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := whole.Draw(t, "a"), whole.Draw(t, "b"), whole.Draw(t, "c")
		got, ok := MulDiv(a, b, c)
		if a < 0 || b < 0 || c <= 0 {
			require.False(t, ok)
			return
		}
		want := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
		want.Div(want, big.NewInt(c))
		require.Equal(t, want.IsInt64(), ok)
		if ok {
			require.Equal(t, want.Int64(), got)
		}
	})
	_, ok := MulDiv(1<<62, 8, 2) // the high word equals the divisor
	require.False(t, ok)
}

func TestRatio(t *testing.T) {
	for text, ppm := range map[string]Ratio{"0": 0, "0.05": 50_000, "1": Whole, "0.000001": 1, "18": 18_000_000} {
		r, err := ParseRatio(text)
		require.NoError(t, err)
		require.Equal(t, ppm, r)
		require.Equal(t, text, r.String())
	}
	for text, why := range map[string]error{"-0.05": errNegative, "0.050": errTrailing, "5%": errNotDecimal, "1.0": errTrailing} {
		_, err := ParseRatio(text)
		require.ErrorIs(t, err, why)
	}
	require.Equal(t, MaxAmount, Whole.Of(MaxAmount))
	require.Equal(t, Amount(0), Ratio(1).Of(999_999))
	require.Panics(t, func() { Ratio(2_000_000).Of(MaxAmount) })
	require.Panics(t, func() { Whole.Of(-1) })
}

func TestCost(t *testing.T) {
	cost, ok := Cost(1_000*One, One)
	require.True(t, ok)
	require.Equal(t, One, cost)
	cost, ok = Cost(1_999, 999_999) // 0.001999 units at 0.999999: less than a minor unit
	require.True(t, ok)
	require.Equal(t, Amount(1), cost)
	_, ok = Cost(MaxAmount, MaxAmount)
	require.False(t, ok)
	_, ok = Cost(-1, One)
	require.False(t, ok)
}
