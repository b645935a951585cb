package core

import (
	"fmt"
	"strconv"
	"strings"
)

// String is the shortest exact form: 18h, 90m as 1h30m, 1.5s as 1500ms.
func (d Duration) String() string {
	if d == 0 {
		return "0s"
	}
	if d < 0 {
		return "-" + (-d).String()
	}
	var b strings.Builder
	for _, u := range durationUnits {
		if n := d / u.size; n > 0 {
			b.WriteString(strconv.FormatInt(int64(n), 10))
			b.WriteString(u.name)
			d -= n * u.size
		}
	}
	return b.String()
}

var durationUnits = [...]struct {
	name string
	size Duration
}{{"h", Hour}, {"m", Minute}, {"s", Second}, {"ms", Millisecond}}

// ParseDuration reads 90, 90s, 1.5m, 2h30m, 250ms; a bare number is seconds.
// The value must be a whole number of milliseconds.
func ParseDuration(text string) (Duration, error) {
	rest, total := text, Duration(0)
	if rest == "" {
		return 0, fmt.Errorf("a duration is empty: write 90s, 1.5m or 2h30m")
	}
	for rest != "" {
		d, after, err := durationTerm(rest)
		if err != nil {
			return 0, fmt.Errorf("%q is not a duration: %w", text, err)
		}
		if total += d; total < 0 || int64(total) > maxDuration {
			return 0, fmt.Errorf("%q is longer than %s", text, Duration(maxDuration))
		}
		rest = after
	}
	return total, nil
}

func durationTerm(s string) (Duration, string, error) {
	end := strings.IndexFunc(s, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
	number, unit, rest := s, "s", ""
	if end == 0 {
		return 0, "", fmt.Errorf("a number is missing before %q", s)
	}
	if end > 0 {
		number, unit = s[:end], s[end:]
		if next := strings.IndexFunc(unit, func(r rune) bool { return r == '.' || (r >= '0' && r <= '9') }); next >= 0 {
			unit, rest = unit[:next], unit[next:]
		}
	}
	for _, u := range durationUnits {
		if u.name == unit {
			d, err := scaled(number, int64(u.size))
			return Duration(d), rest, err
		}
	}
	return 0, "", fmt.Errorf("%q is not a unit: use ms, s, m or h", unit)
}

// scaled is number × size, exact, where number may have decimals.
func scaled(number string, size int64) (int64, error) {
	units, decimals, _ := strings.Cut(number, ".")
	if units == "" || len(units) > 12 || len(decimals) > 6 || strings.Contains(decimals, ".") || strings.HasSuffix(number, ".") {
		return 0, fmt.Errorf("%q is not a plain decimal number", number)
	}
	n, err := strconv.ParseInt(units, 10, 64)
	if err != nil {
		return 0, err
	}
	part, power := int64(0), int64(1)
	for _, c := range decimals {
		part, power = part*10+int64(c-'0'), power*10
	}
	if part*size%power != 0 {
		return 0, fmt.Errorf("%q is finer than a millisecond", number)
	}
	return n*size + part*size/power, nil
}
