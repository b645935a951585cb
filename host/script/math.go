package script

import (
	"math"
	"math/big"

	"github.com/dop251/goja"
)

// The functions of Math that are no exact arithmetic come out differently from
// one processor to the next: their last bit depends on its instructions. So they
// are computed here, with twice the digits, of operations that are the same
// everywhere.

// setMath puts them in the place of those of the runtime.
func (r *realm) setMath() error {
	of := r.Get("Math").ToObject(r.Runtime)
	for name, f := range map[string]func(float64) float64{
		"exp": exp, "expm1": expm1, "log": log, "log1p": log1p, "log2": log2, "log10": log10, "cbrt": cbrt,
		"sin": sin, "cos": cos, "tan": tan, "asin": asin, "acos": acos, "atan": atan,
		"sinh": sinh, "cosh": cosh, "tanh": tanh, "asinh": asinh, "acosh": acosh, "atanh": atanh,
	} {
		err := of.DefineDataProperty(name, r.ToValue(func(call goja.FunctionCall) goja.Value {
			return r.ToValue(f(call.Argument(0).ToFloat()))
		}), goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
		if err != nil {
			return err
		}
	}
	for name, f := range map[string]func(a, b float64) float64{"pow": pow, "atan2": atan2} {
		err := of.DefineDataProperty(name, r.ToValue(func(call goja.FunctionCall) goja.Value {
			a := call.Argument(0).ToFloat()
			return r.ToValue(f(a, call.Argument(1).ToFloat()))
		}), goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
		if err != nil {
			return err
		}
	}
	return of.DefineDataProperty("hypot", r.ToValue(func(call goja.FunctionCall) goja.Value {
		all := make([]float64, len(call.Arguments))
		for i, v := range call.Arguments {
			all[i] = v.ToFloat()
		}
		return r.ToValue(hypot(all))
	}), goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_FALSE)
}

// wide is the sum of two numbers, the second at most half a unit of the first. A
// product is never added to in the same expression: a compiler may round once
// where there are two operations.
type wide struct{ hi, lo float64 }

func sumOf(a, b float64) wide {
	s := a + b
	c := s - a
	return wide{s, (a - (s - c)) + (b - c)}
}

func productOf(a, b float64) wide {
	p := float64(a * b)
	return wide{p, math.FMA(a, b, -p)}
}

func (a wide) float() float64 { return a.hi + a.lo }

func (a wide) neg() wide { return wide{-a.hi, -a.lo} }

func (a wide) plus(b wide) wide {
	s, t := sumOf(a.hi, b.hi), sumOf(a.lo, b.lo)
	s = sumOf(s.hi, s.lo+t.hi)
	return sumOf(s.hi, s.lo+t.lo)
}

func (a wide) times(b wide) wide {
	p := productOf(a.hi, b.hi)
	x, y := float64(a.hi*b.lo), float64(a.lo*b.hi)
	return sumOf(p.hi, p.lo+(x+y))
}

func (a wide) over(b wide) wide {
	q := a.hi / b.hi
	rest := a.plus(b.times(wide{hi: q}).neg())
	r := rest.hi / b.hi
	rest = rest.plus(b.times(wide{hi: r}).neg())
	return sumOf(q, r).plus(wide{hi: rest.hi / b.hi})
}

func (a wide) root() wide {
	if a.hi <= 0 {
		return wide{}
	}
	s := math.Sqrt(a.hi)
	rest := a.plus(productOf(s, s).neg())
	return sumOf(s, rest.hi/float64(2*s))
}

// scaled is a times 2 to the power of n.
func (a wide) scaled(n int) wide { return wide{math.Ldexp(a.hi, n), math.Ldexp(a.lo, n)} }

func one() wide { return wide{hi: 1} }

func ln2() wide { return wide{0.6931471805599453, 2.3190468138462996e-17} }

// quarter is π/2.
func quarter() wide { return wide{1.5707963267948966, 6.123233995736766e-17} }

// ——— exponentials ———

// grown is e to the power of a, less one, over a power of two: e^a = (1 + rest) × 2^n.
func grown(a wide) (rest wide, n int) {
	k := math.Floor(a.hi/math.Ln2 + 0.5)
	const halves = 8
	x := a.plus(ln2().times(wide{hi: k}).neg()).scaled(-halves)
	for i := 12; i > 0; i-- {
		rest = one().plus(rest).times(x).over(wide{hi: float64(i)})
	}
	for range halves {
		rest = rest.scaled(1).plus(rest.times(rest))
	}
	return rest, int(k)
}

// power is e to the power of a.
func power(a wide) float64 {
	switch {
	case math.IsNaN(a.hi):
		return a.hi
	case a.hi > 710:
		return math.Inf(1)
	case a.hi < -746:
		return 0
	}
	rest, n := grown(a)
	return math.Ldexp(one().plus(rest).float(), n)
}

func exp(x float64) float64 { return power(wide{hi: x}) }

// lessOne is e^x - 1; |x| is below 710.
func lessOne(x wide) wide {
	rest, n := grown(x)
	if n == 0 {
		return rest
	}
	return one().plus(rest).scaled(n).plus(wide{hi: -1})
}

func expm1(x float64) float64 {
	switch {
	case itself(x):
		return x
	case x >= 100:
		return exp(x)
	case x < -100:
		return -1
	}
	return lessOne(wide{hi: x}).float()
}

// itself reports whether a function that is a straight line at nought says there what it is
// asked.
func itself(x float64) bool { return math.Abs(x) < 1e-30 || math.IsNaN(x) }

func sinh(x float64) float64 {
	switch a := math.Abs(x); {
	case itself(x) || math.IsInf(x, 0):
		return x
	case a >= 40:
		return math.Copysign(power(wide{hi: a}.plus(ln2().neg())), x)
	default:
		s := lessOne(wide{hi: a})
		return math.Copysign(s.plus(s.over(one().plus(s))).scaled(-1).float(), x)
	}
}

func cosh(x float64) float64 {
	a := math.Abs(x)
	if math.IsInf(a, 1) {
		return a
	}
	if a >= 40 || math.IsNaN(x) {
		return power(wide{hi: a}.plus(ln2().neg()))
	}
	e := one().plus(lessOne(wide{hi: a}))
	return e.plus(one().over(e)).scaled(-1).float()
}

func tanh(x float64) float64 {
	a := math.Abs(x)
	switch {
	case itself(x):
		return x
	case a > 20:
		return math.Copysign(1, x)
	}
	s := lessOne(wide{hi: 2 * a})
	return math.Copysign(s.over(s.plus(wide{hi: 2})).float(), x)
}

// ——— logarithms ———

// halfLog is the sum z + z³/3 + z⁵/5 …, half the logarithm of (1 + z) / (1 - z).
func halfLog(z wide) wide { return odd(z, z.times(z), 23) }

// odd is z × (1 + q/3 + q²/5 …).
func odd(z, q wide, terms int) (sum wide) {
	for i := terms; i >= 0; i-- {
		sum = sum.times(q).plus(one().over(wide{hi: float64(2*i + 1)}))
	}
	return sum.times(z)
}

// logOf is the natural logarithm of a positive finite number, as that of a
// number near one and twos.
func logOf(a wide) (near wide, twos float64) {
	m, n := math.Frexp(a.hi)
	if m < math.Sqrt2/2 {
		n--
	}
	a = a.scaled(-n)
	return halfLog(a.plus(wide{hi: -1}).over(a.plus(one()))).scaled(1), float64(n)
}

func logWide(a wide) wide {
	near, twos := logOf(a)
	return ln2().times(wide{hi: twos}).plus(near)
}

// logged is f of a number that has a logarithm; it says what the others have.
func logged(x float64, f func(wide) wide) float64 {
	switch {
	case x < 0 || math.IsNaN(x):
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	case math.IsInf(x, 1):
		return x
	}
	return f(wide{hi: x}).float()
}

func log(x float64) float64 { return logged(x, logWide) }

func log2(x float64) float64 {
	return logged(x, func(a wide) wide {
		near, twos := logOf(a)
		return wide{hi: twos}.plus(near.over(ln2()))
	})
}

func log10(x float64) float64 {
	return logged(x, func(a wide) wide { return logWide(a).over(wide{2.302585092994046, -2.1707562233822494e-16}) })
}

// logPlus is log(1 + x) for x above -1.
func logPlus(x wide) wide {
	if math.Abs(x.hi) > 0.25 {
		return logWide(one().plus(x))
	}
	return halfLog(x.over(x.plus(wide{hi: 2}))).scaled(1)
}

func log1p(x float64) float64 {
	switch {
	case itself(x) || math.IsInf(x, 1):
		return x
	case x <= -1:
		return logged(1+x, logWide)
	}
	return logPlus(wide{hi: x}).float()
}

// large is above what can be squared and still be added to.
const large = 1 << 60

func asinh(x float64) float64 {
	a := wide{hi: math.Abs(x)}
	switch {
	case itself(x) || math.IsInf(x, 0):
		return x
	case a.hi > large:
		return math.Copysign(logWide(a).plus(ln2()).float(), x)
	}
	q := a.times(a)
	return math.Copysign(logPlus(a.plus(q.over(one().plus(q.plus(one()).root())))).float(), x)
}

func acosh(x float64) float64 {
	a := wide{hi: x}
	switch {
	case x < 1 || math.IsNaN(x):
		return math.NaN()
	case math.IsInf(x, 1):
		return x
	case x > large:
		return logWide(a).plus(ln2()).float()
	}
	t := a.plus(wide{hi: -1})
	return logPlus(t.plus(t.scaled(1).plus(t.times(t)).root())).float()
}

func atanh(x float64) float64 {
	a := math.Abs(x)
	switch {
	case itself(x):
		return x
	case a > 1:
		return math.NaN()
	case a == 1:
		return math.Copysign(math.Inf(1), x)
	}
	t := wide{hi: a}
	return math.Copysign(logPlus(t.scaled(1).over(one().plus(t.neg()))).scaled(-1).float(), x)
}

func cbrt(x float64) float64 {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return x
	}
	return math.Copysign(power(logWide(wide{hi: math.Abs(x)}).over(wide{hi: 3})), x)
}

func pow(x, y float64) float64 {
	whole := y == math.Trunc(y)
	switch {
	case math.Abs(x) == 1 && (math.IsInf(y, 0) || math.IsNaN(y)):
		return math.NaN()
	case x == 0, y == 0, x == 1, math.IsNaN(x), math.IsNaN(y), math.IsInf(x, 0), math.IsInf(y, 0), x < 0 && !whole:
		return math.Pow(x, y) // nothing is computed
	}
	z := math.Inf(1)
	l := logWide(wide{hi: math.Abs(x)})
	if math.Abs(y) < large {
		z = power(l.times(wide{hi: y}))
	} else if l.hi == 0 {
		z = 1
	} else if (y < 0) == (l.hi > 0) {
		z = 0
	}
	if x < 0 && whole && math.Mod(y, 2) != 0 {
		z = -z
	}
	return z
}

func hypot(all []float64) float64 {
	most, unknown := 0.0, false
	for _, x := range all {
		if most = max(most, math.Abs(x)); math.IsNaN(x) {
			unknown, most = true, 0
		}
	}
	for _, x := range all {
		if math.IsInf(x, 0) {
			return math.Inf(1)
		}
	}
	if unknown {
		return math.NaN()
	}
	_, n := math.Frexp(most)
	var sum wide
	for _, x := range all {
		x = math.Ldexp(x, -n)
		sum = sum.plus(productOf(x, x))
	}
	return math.Ldexp(sum.root().float(), n)
}

// ——— angles ———

// turned is an angle less quarters of a circle, and how many of them.
func turned(x float64) (rest wide, quarters int) {
	if math.Abs(x) > 1<<20 {
		return turnedFar(x)
	}
	k := math.Floor(x/(math.Pi/2) + 0.5)
	rest = wide{hi: x}
	for _, part := range []float64{1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33} {
		rest = rest.plus(productOf(k, part).neg())
	}
	return rest, int(k) & 3
}

// turnedFar takes as many digits of π as the largest number needs.
func turnedFar(x float64) (rest wide, quarters int) {
	const digits = 1300
	arc := func(n int64) *big.Int { // the angle whose tangent is 1/n
		term := new(big.Int).Div(new(big.Int).Lsh(big.NewInt(1), digits), big.NewInt(n))
		sum := new(big.Int).Set(term)
		for i, q := int64(3), big.NewInt(-n*n); term.Sign() != 0; i += 2 {
			term.Quo(term, q)
			sum.Add(sum, new(big.Int).Quo(term, big.NewInt(i)))
		}
		return sum
	}
	half := arc(5)
	half.Lsh(half, 2).Sub(half, arc(239)).Lsh(half, 1)
	angle, _ := new(big.Float).SetMantExp(big.NewFloat(x), digits).Int(nil)
	k := new(big.Int).Add(new(big.Int).Lsh(angle, 1), half)
	k.Div(k, new(big.Int).Lsh(half, 1))
	left := new(big.Float).SetInt(angle.Sub(angle, new(big.Int).Mul(k, half)))
	left.SetMantExp(left, -digits)
	rest.hi, _ = left.Float64()
	rest.lo, _ = left.Sub(left, big.NewFloat(rest.hi)).Float64()
	return rest, int(k.And(k, big.NewInt(3)).Int64())
}

// alternating is 1 - q/(n(n+1)) + q²/(n(n+1)(n+2)(n+3)) …
func alternating(q wide, n int) wide {
	sum := one()
	for i := 28 + n; i >= n; i -= 2 {
		sum = one().plus(sum.times(q).over(wide{hi: float64(i * (i + 1))}).neg())
	}
	return sum
}

// sineAt is the sine of an angle and so many quarters.
func sineAt(a wide, quarters int) (s wide) {
	q := a.times(a)
	if s = alternating(q, 1); quarters&1 == 0 {
		s = alternating(q, 2).times(a)
	}
	if quarters&2 != 0 {
		return s.neg()
	}
	return s
}

func sin(x float64) float64 {
	if itself(x) || math.IsInf(x, 0) {
		return nowhere(x)
	}
	a, n := turned(x)
	return sineAt(a, n).float()
}

func cos(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nowhere(x)
	}
	a, n := turned(x)
	return sineAt(a, n+1).float()
}

func tan(x float64) float64 {
	if itself(x) || math.IsInf(x, 0) {
		return nowhere(x)
	}
	a, n := turned(x)
	return sineAt(a, n).over(sineAt(a, n+1)).float()
}

// nowhere is what is said of what is no angle, or hardly one.
func nowhere(x float64) float64 {
	if math.IsInf(x, 0) {
		return math.NaN()
	}
	return x
}

// angle is that whose tangent is positive a.
func angle(a wide) wide {
	if a.hi > 1 {
		return quarter().plus(angle(one().over(a)).neg())
	}
	for range 2 {
		a = a.over(one().plus(one().plus(a.times(a)).root()))
	}
	return odd(a, a.times(a).neg(), 25).scaled(2)
}

func atan(x float64) float64 {
	switch {
	case itself(x):
		return x
	case math.Abs(x) > large:
		return math.Copysign(quarter().hi, x)
	}
	return math.Copysign(angle(wide{hi: math.Abs(x)}).float(), x)
}

func asin(x float64) float64 {
	a := math.Abs(x)
	switch {
	case itself(x):
		return x
	case a > 1:
		return math.NaN()
	case a == 1:
		return math.Copysign(quarter().hi, x)
	}
	return math.Copysign(angle(wide{hi: a}.over(sumOf(1, -a).times(sumOf(1, a)).root())).float(), x)
}

func acos(x float64) float64 {
	switch {
	case math.Abs(x) > 1 || math.IsNaN(x):
		return math.NaN()
	case x == -1:
		return 2 * quarter().hi
	}
	return angle(sumOf(1, -x).over(sumOf(1, x)).root()).scaled(1).float()
}

func atan2(y, x float64) float64 {
	if a := math.Abs(y / x); x == 0 || y == 0 || math.IsNaN(a) || math.IsInf(x, 0) || math.IsInf(y, 0) {
		return math.Atan2(y, x) // a quarter of a circle or half of one, nothing is computed
	}
	_, n := math.Frexp(max(math.Abs(x), math.Abs(y)))
	a, b := wide{hi: math.Ldexp(math.Abs(y), -n)}, wide{hi: math.Ldexp(math.Abs(x), -n)}
	var at wide
	if a.hi > b.hi {
		at = quarter().plus(small(b, a).neg())
	} else {
		at = small(a, b)
	}
	if x < 0 {
		at = quarter().scaled(1).plus(at.neg())
	}
	return math.Copysign(at.float(), y)
}

// small is the angle whose tangent is a/b, at most one.
func small(a, b wide) wide {
	if a.hi < b.hi*0x1p-500 {
		return wide{hi: a.hi / b.hi}
	}
	return angle(a.over(b))
}
