package missionfile

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/omega-run/omega/host/core"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// assign writes a value to a setting of the target, by way of the notation the
// table reads. The error is one sentence for the author.
func assign(s core.Setting, target any, v cty.Value) error {
	if s.Kind == core.KindNames {
		names, err := texts(v)
		if err != nil {
			return err
		}
		return assignNames(s, target, names)
	}
	text, err := notation(s.Kind, v)
	if err != nil {
		return err
	}
	err = s.Parse(target, text)
	if err != nil && len(s.Choices) > 0 {
		return fmt.Errorf("%w.%s", err, suggest(text, s.Choices))
	}
	return err
}

// notation is a value as text in the notation of a kind.
func notation(kind core.SettingKind, v cty.Value) (string, error) {
	switch t := v.Type(); kind {
	case core.KindText:
		return plainText(v)
	case core.KindFlag:
		b, err := convert.Convert(v, cty.Bool)
		if err != nil {
			return "", errors.New("write true or false")
		}
		return fmt.Sprint(b.True()), nil
	case core.KindDuration:
		if t == cty.String {
			return v.AsString(), nil
		}
		if t != cty.Number {
			return "", errors.New(`write seconds, or text like "90s", "1.5m" or "2h30m"`)
		}
		if v.AsBigFloat().Sign() < 0 {
			return "", errors.New("a duration is not negative")
		}
		return decimal(v.AsBigFloat())
	}
	n, err := number(v)
	if err != nil {
		return "", err
	}
	return decimal(n)
}

func number(v cty.Value) (*big.Float, error) {
	switch v.Type() {
	case cty.Number:
		return v.AsBigFloat(), nil
	case cty.String:
		text := v.AsString()
		n, err := cty.ParseNumberVal(text)
		if err != nil || !modest([]byte(text)) {
			return nil, fmt.Errorf("%q is not a number", text)
		}
		return n.AsBigFloat(), nil
	}
	return nil, fmt.Errorf("write a number, not %s", v.Type().FriendlyName())
}

// decimal is a number in plain decimal notation. The language holds numbers in
// 512 bits, so 0.1 comes back as 0.1 and sums of such numbers too.
func decimal(n *big.Float) (string, error) {
	if err := checkNumber(n); err != nil {
		return "", err
	}
	if n.IsInt() {
		text := n.Text('f', 0)
		if text == "-0" {
			text = "0"
		}
		return text, nil
	}
	text := strings.TrimSuffix(strings.TrimRight(n.Text('f', exactDecimals), "0"), ".")
	if strings.Trim(text, "-0.") == "" {
		return "", fmt.Errorf("a number has more than %d decimals", exactDecimals)
	}
	return text, nil
}

// exactDecimals is far more than any amount has and far less than 512 bits hold.
const exactDecimals = 60

// plainText is a text value that people will read.
func plainText(v cty.Value) (string, error) {
	if !v.Type().IsPrimitiveType() {
		return "", fmt.Errorf("write text, not %s", v.Type().FriendlyName())
	}
	if v.Type() == cty.Number {
		n := v.AsBigFloat()
		if whole, accuracy := n.Int64(); n.IsInt() && accuracy == big.Exact { // as convert writes it, in a tenth of the time
			return strconv.FormatInt(whole, 10), nil
		}
		if err := checkNumber(n); err != nil {
			return "", err
		}
	}
	v, err := convert.Convert(v, cty.String)
	if err != nil {
		return "", err
	}
	text := v.AsString()
	if len(text) > maxText {
		return "", fmt.Errorf("it has %d bytes; at most %d are kept", len(text), maxText)
	}
	return text, nil
}

// texts are the elements of a list of strings.
func texts(v cty.Value) ([]string, error) {
	t := v.Type()
	if !t.IsTupleType() && !t.IsListType() && !t.IsSetType() {
		return nil, errors.New(`write a list of texts, like ["a", "b"]`)
	}
	all := make([]string, 0, v.LengthInt())
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		if e.Type() != cty.String || e.IsNull() {
			return nil, errors.New(`every element must be text, as in ["a", "b"]`)
		}
		all = append(all, e.AsString())
	}
	return all, nil
}

// maxNames and maxArgument bound lists of names and the arguments of a program.
const (
	maxNames    = 256
	maxArgument = 128 << 10 // the kernel's bound on one argument
)

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func assignNames(s core.Setting, target any, names []string) error {
	if len(names) > maxNames {
		return fmt.Errorf("it has %d elements; at most %d are taken", len(names), maxNames)
	}
	if s.Needed && len(names) == 0 {
		return errors.New("it must name at least one")
	}
	if err := chosen(s, names); err != nil {
		return err
	}
	at := s.At(target).(*[]string)
	switch s.Name {
	case "skills":
		for _, n := range names {
			if !core.ValidName(n) {
				return fmt.Errorf("%q is not a name: %s", n, core.NameRule)
			}
		}
		slices.Sort(names)
		names = slices.Compact(names)
	case "env":
		for _, n := range names {
			if !variableName.MatchString(n) {
				return fmt.Errorf("%q is not the name of an environment variable", n)
			}
			if name, ok := strings.CutPrefix(n, environmentPrefix); ok {
				return fmt.Errorf("%s gives a variable its value: hand that on as a secret, secrets = { NAME = var.%s }", n, name)
			}
		}
	default:
		for i, n := range names {
			if strings.ContainsRune(n, 0) || len(n) > maxArgument || (i == 0 && n == "") {
				return fmt.Errorf("element %d cannot be given to a program", i)
			}
		}
	}
	*at = names
	return nil
}

// chosen refuses what a list may not name, or names twice.
func chosen(s core.Setting, names []string) error {
	if len(s.Choices) == 0 {
		return nil
	}
	for i, n := range names {
		if !slices.Contains(s.Choices, n) {
			return fmt.Errorf("%q is not one of %s.%s", n, strings.Join(s.Choices, ", "), suggest(n, s.Choices))
		}
		if slices.Contains(names[:i], n) {
			return fmt.Errorf("it names %q twice", n)
		}
	}
	return nil
}

// canonical is a value as canonical JSON of at most limit bytes.
func canonical(v cty.Value, limit int) ([]byte, error) {
	if err := checkValue(v); err != nil {
		return nil, err
	}
	raw, err := ctyjson.Marshal(v, v.Type())
	if err != nil {
		return nil, fmt.Errorf("it has no JSON form: %w", err)
	}
	if len(raw) > limit {
		return nil, fmt.Errorf("it has %d bytes as JSON; at most %d are recorded", len(raw), limit)
	}
	return core.Canonical(raw)
}

// labels are the keys and values of an object of texts, in key order.
func labels(v cty.Value) ([]core.Label, error) {
	t := v.Type()
	if !t.IsObjectType() && !t.IsMapType() {
		return nil, errors.New(`write an object of texts, like { category = "research" }`)
	}
	if v.LengthInt() > maxLabels {
		return nil, fmt.Errorf("a job has at most %d labels", maxLabels)
	}
	var all []core.Label
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		if e.IsNull() {
			continue
		}
		text, err := plainText(e)
		if err != nil {
			return nil, fmt.Errorf("label %q: %w", k.AsString(), err)
		}
		if key := k.AsString(); key == "" || len(key) > maxText {
			return nil, fmt.Errorf("a label's key has 1 to %d bytes", maxText)
		}
		all = append(all, core.Label{Key: k.AsString(), Value: text})
	}
	slices.SortFunc(all, func(a, b core.Label) int { return strings.Compare(a.Key, b.Key) })
	return all, nil
}
