package script

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

func ofOne() map[string][2]func(float64) float64 {
	return map[string][2]func(float64) float64{
		"exp": {exp, math.Exp}, "expm1": {expm1, math.Expm1}, "log": {log, math.Log}, "log1p": {log1p, math.Log1p}, "log2": {log2, math.Log2}, "log10": {log10, math.Log10},
		"cbrt": {cbrt, math.Cbrt}, "sin": {sin, math.Sin}, "cos": {cos, math.Cos}, "tan": {tan, math.Tan}, "asin": {asin, math.Asin}, "acos": {acos, func(x float64) float64 { return 2 * math.Atan(math.Sqrt((1-x)/(1+x))) }}, "atan": {atan, math.Atan},
		"sinh": {sinh, math.Sinh}, "cosh": {cosh, math.Cosh}, "tanh": {tanh, math.Tanh}, "asinh": {asinh, math.Asinh}, "acosh": {acosh, math.Acosh}, "atanh": {atanh, math.Atanh},
	}
}

func ofTwo() map[string][2]func(a, b float64) float64 {
	return map[string][2]func(a, b float64) float64{
		"pow": {pow, math.Pow}, "atan2": {atan2, math.Atan2}, "hypot": {func(a, b float64) float64 { return hypot([]float64{a, b}) }, math.Hypot},
	}
}

// numbers are those that functions are tried with.
func numbers() []float64 {
	all := []float64{0, 1, 0.5, 2, 3, 10, 27, 100, 1000, 1e-5, 1e-10, 1e-300, 1e10, 1e22, 1e300, math.MaxFloat64, math.Inf(1), math.Pi, math.Pi / 2, math.Ln2, 700, 745, 746}
	for i := range 300 {
		all = append(all, float64(i)*0.0123, math.Ldexp(1+float64(i)*0.00321, i-150))
	}
	for _, x := range all {
		all = append(all, -x)
	}
	return append(all, math.NaN())
}

// TestMath compares with a library whose last digits differ.
func TestMath(t *testing.T) {
	near := func(name string, want, got float64, of ...float64) {
		t.Helper()
		if math.IsNaN(want) || math.IsInf(want, 0) || want == 0 {
			require.Equal(t, math.Float64bits(want)|boolBit(math.IsNaN(want)), math.Float64bits(got)|boolBit(math.IsNaN(got)), "%s %v: %v", name, of, got)
			return
		}
		require.InDelta(t, want, got, math.Abs(want)*1e-10+5e-324, "%s %v", name, of)
	}
	for name, f := range ofOne() {
		for _, x := range numbers() {
			near(name, f[1](x), f[0](x), x)
		}
	}
	for name, f := range ofTwo() {
		for _, x := range numbers() {
			for i, y := range numbers() {
				if i > 60 && i%17 != 0 {
					continue
				}
				if name == "pow" && math.Abs(x) == 1 && (math.IsInf(y, 0) || math.IsNaN(y)) {
					require.True(t, math.IsNaN(pow(x, y)))
					continue
				}
				if name == "atan2" && x/y == 0 && x != 0 && !math.IsInf(y, 0) {
					continue // the library loses the sign of what is too small
				}
				near(name, f[1](x, y), f[0](x, y), x, y)
			}
		}
	}
}

// boolBit makes all that is no number the same.
func boolBit(yes bool) uint64 {
	if yes {
		return math.MaxUint64
	}
	return 0
}

func mathDigest() string {
	h := sha256.New()
	add := func(x float64) {
		h.Write(binary.BigEndian.AppendUint64(nil, math.Float64bits(x)|boolBit(math.IsNaN(x))))
	}
	for _, name := range []string{"exp", "expm1", "log", "log1p", "log2", "log10", "cbrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"} {
		for _, x := range numbers() {
			add(ofOne()[name][0](x))
		}
	}
	for _, name := range []string{"pow", "atan2", "hypot"} {
		for _, x := range numbers() {
			add(ofTwo()[name][0](x, 1.37))
			add(ofTwo()[name][0](2.46, x))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// TestMathIsFixed: to the last bit, also where the processor has fewer
// instructions.
func TestMathIsFixed(t *testing.T) {
	require.Equal(t, "2584712b3dd2a048555cf735ae8a05b1a560fe504839c91ae95a632993783850", mathDigest())
	if os.Getenv("GODEBUG") == "" {
		again := exec.Command(os.Args[0], "-test.run=^TestMathIsFixed$")
		again.Env = append(os.Environ(), "GODEBUG=cpu.fma=off,cpu.avx=off")
		out, err := again.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	require.Equal(t, `[1024,1.2676506002282294e+30,"8","0.1111111111111111",3,5,2,3]`,
		answer(t, runner(t), "export default () => [2 ** 10, 2 ** 100, String(2n ** 3n), String(3 ** -2), Math.cbrt(27), Math.hypot(3, 4), Math.log2(4), Math.log10(1000)];", "null"))
}
