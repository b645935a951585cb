package missionfile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/omega-run/omega/host/core"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// variable is one variable block and the value it has here.
type variable struct {
	name       string
	at         hcl.Range
	constraint cty.Type
	defaults   *typeexpr.Defaults // of optional attributes of objects; may be nil
	literal    bool               // text from outside is the value itself, no expression
	fallback   *hcl.Attribute     // default; nil if somebody has to give a value
	sensitive  bool
	value      cty.Value // marked where sensitive, and unknown where the record is all there is
	record     []byte    // the value as canonical JSON; nil where unknown
}

// sensitive marks a value by the variable it comes from.
type sensitive string

// sensitiveIn is the variable a value comes from, directly or in a part, or "".
func sensitiveIn(v cty.Value) string {
	_, marks := v.UnmarkDeep()
	least := ""
	for mark := range marks {
		if name, ok := mark.(sensitive); ok && (least == "" || string(name) < least) {
			least = string(name)
		}
	}
	return least
}

// Variables are the inputs the mission was evaluated with, by name: what a
// record needs so that Compile makes the same of the same sources. A sensitive
// one has no value there.
func (m *Mission) Variables() []core.Variable {
	var all []core.Variable
	for _, name := range slices.Sorted(maps.Keys(m.variables)) {
		v := m.variables[name]
		recorded := core.Variable{Name: name, Value: v.record, Sensitive: v.sensitive}
		if v.sensitive {
			recorded.Value = nil
		}
		all = append(all, recorded)
	}
	return all
}

// Secret is the value of a sensitive variable as a program is given it: text as
// it is, anything else as JSON. It is false where there is no such variable, and
// after Compile, because no record holds it.
func (m *Mission) Secret(name string) (string, bool) {
	v := m.variables[name]
	if v == nil || !v.sensitive || v.record == nil {
		return "", false
	}
	return secretText(v.value), true
}

// Secrets are the names of the sensitive variables, sorted.
func (m *Mission) Secrets() (names []string) {
	for name, v := range m.variables {
		if v.sensitive {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func secretText(v cty.Value) string {
	v, _ = v.UnmarkDeep()
	if v.IsNull() {
		return ""
	}
	if text, err := convert.Convert(v, cty.String); err == nil {
		return text.AsString()
	}
	raw, err := canonical(v, maxVariable)
	if err != nil {
		return "" // its record was made the same way
	}
	return string(raw)
}

// readVariables reads the variable blocks, gives each its value, and every later
// expression the object `var`. It is false if one has none: whatever uses it
// would be reported too, and misleadingly.
func (l *loader) readVariables(blocks []*hcl.Block) bool {
	before, first := len(l.r.list), map[string]hcl.Range{}
	for _, b := range blocks {
		if len(l.m.variables) == maxVariables {
			l.r.fail(b.DefRange, "Too many variables", "A mission has at most %d.", maxVariables)
			return false
		}
		if v := l.declareVariable(b, first); v != nil {
			l.m.variables[v.name] = v
		}
	}
	if len(l.r.list) > before && l.r.errors() {
		return false
	}
	l.giveValues()
	return !l.r.errors()
}

func (l *loader) declareVariable(b *hcl.Block, first map[string]hcl.Range) *variable {
	v := &variable{name: b.Labels[0], at: b.DefRange, constraint: cty.DynamicPseudoType, literal: true}
	if !isVariableName(v.name) {
		l.r.fail(b.LabelRanges[0], "Not a name", "%q cannot be used: a variable starts with a letter or _ and goes on with at most 62 letters, digits, _ and -.", v.name)
		return nil
	}
	if at, taken := first[v.name]; taken {
		l.r.fail(b.LabelRanges[0], "Duplicate variable", "variable %q is already declared at %s: give this one another name.", v.name, place(at))
		return nil
	}
	first[v.name] = b.LabelRanges[0]
	c, _ := l.content("variable", b.Body, bodySchema("variable", nil, attributesOf("variable"), nil))
	if a := c.Attributes["type"]; a != nil {
		var diags hcl.Diagnostics
		v.constraint, v.defaults, diags = typeexpr.TypeConstraintWithDefaults(a.Expr)
		l.r.addHCL(diags)
		v.literal = v.constraint.IsPrimitiveType()
	}
	if a := c.Attributes["description"]; a != nil {
		l.constant(a, cty.String)
	}
	if a := c.Attributes["sensitive"]; a != nil {
		if is, ok := l.constant(a, cty.Bool); ok {
			v.sensitive = is.True()
		}
	}
	v.fallback = c.Attributes["default"]
	return v
}

// constant evaluates an attribute that may refer to nothing.
func (l *loader) constant(a *hcl.Attribute, t cty.Type) (cty.Value, bool) {
	v, ok := l.value(&scope{where: "a variable block"}, a, l.ctx)
	if !ok {
		return v, false
	}
	v, err := convert.Convert(v, t)
	if err == nil && v.IsNull() {
		err = fmt.Errorf("it is null")
	}
	if err != nil {
		l.r.fail(a.Expr.Range(), "Invalid "+a.Name, "%s.", sentence(err))
	}
	return v, err == nil
}

// isVariableName says whether a name can stand behind "var." and, as part of
// OMEGA_VAR_name, in an environment.
func isVariableName(name string) bool {
	return hclsyntax.ValidIdentifier(name) && len(name) <= maxVariableName && strings.IndexFunc(name, func(r rune) bool { return r > '~' }) < 0
}

// giveValues finds what each variable is given and puts it where expressions
// see it.
func (l *loader) giveValues() {
	offers := l.inputs.offers(l)
	whole := !l.r.errors() // else what is missing may be what could not be read
	values := make(map[string]cty.Value, len(l.m.variables))
	size := 0
	for _, name := range slices.Sorted(maps.Keys(l.m.variables)) {
		v := l.m.variables[name]
		offer, given := offers[name]
		switch {
		case given:
			l.take(v, offer)
		case v.fallback != nil:
			l.takeDefault(v)
		case whole:
			l.r.fail(v.at, "Missing value", "Nothing gives %s a value: use --var %s=…, --var-file or %s%s, or write a default.", name, name, environmentPrefix, name)
		}
		if size += len(v.record); size > maxVariable {
			l.r.fail(v.at, "Variables too large", "All variables together have at most %d KiB as JSON: the record holds them.", maxVariable>>10)
		}
		values[name] = v.value
	}
	if !l.r.errors() {
		l.ctx.Variables["var"] = cty.ObjectVal(values)
	}
}

func (l *loader) takeDefault(v *variable) {
	value, ok := l.value(&scope{where: "the default of a variable"}, v.fallback, l.ctx)
	if !ok {
		return
	}
	if secret := !value.IsNull() && !value.RawEquals(cty.StringVal("")); v.sensitive && secret {
		l.r.fail(v.fallback.Expr.Range(), "Secret in the mission file",
			"The journal records this file: give %s by %s%s or --var-file, and leave the default out.", v.name, environmentPrefix, v.name)
		return
	}
	if err := v.set(value); err != nil {
		l.r.fail(v.fallback.Expr.Range(), "Invalid default", "The variable %s is %s: %s.", v.name, typeexpr.TypeString(v.constraint), err)
	}
}

// take gives a variable what was offered. What is wrong with it is said where
// the variable is declared, or in the file the value stands in, and never shows
// the value.
func (l *loader) take(v *variable, o offer) {
	at := v.at
	if o.at != nil {
		at = *o.at
	}
	value := o.value
	if o.unknown {
		v.value = cty.UnknownVal(v.constraint).Mark(sensitive(v.name))
		return
	}
	if o.text != nil {
		var err error
		if value, err = v.parse(*o.text); err != nil {
			l.r.fail(at, "Invalid value", "What %s gives %s is no expression of type %s: %s.", o.from, v.name, typeexpr.TypeString(v.constraint), err)
			return
		}
	}
	if err := v.set(value); err != nil {
		l.r.fail(at, "Wrong type", "The variable %s is %s, and what %s gives is not: %s.", v.name, typeexpr.TypeString(v.constraint), o.from, err)
		return
	}
	if text := secretText(v.value); v.sensitive && strings.ContainsRune(text, 0) {
		l.r.fail(at, "Invalid value", "The variable %s is sensitive and holds a NUL character, which no program can be given.", v.name)
	} else if v.sensitive && text != "" && len(text) < leastSecret {
		l.r.warn(at, "Short secret", "The variable %s has less than %d bytes: what a program prints is not searched for it.", v.name, leastSecret)
	}
}

// leastSecret is the shortest secret that is looked for in what programs print:
// a shorter one would be found by chance.
const leastSecret = 6

// parse reads text from outside: a value as such where the variable is plain
// text, a number or a flag, else an expression that refers to nothing.
func (v *variable) parse(text string) (cty.Value, error) {
	if !utf8.ValidString(text) {
		return cty.NilVal, fmt.Errorf("it is not UTF-8 text")
	}
	if v.literal {
		return cty.StringVal(text), nil
	}
	tokens, _ := hclsyntax.LexExpression([]byte(text), "", hcl.InitialPos)
	if notText([]byte(text)) >= 0 || checkTokens(tokens) != nil {
		return cty.NilVal, fmt.Errorf("it is not text, or nested too deeply")
	}
	e, diags := hclsyntax.ParseExpression([]byte(text), "", hcl.InitialPos)
	if diags.HasErrors() {
		return cty.NilVal, fmt.Errorf("it cannot be read at column %d", diags[0].Subject.Start.Column)
	}
	value, diags := e.Value(nil)
	if diags.HasErrors() {
		return cty.NilVal, fmt.Errorf("it is no constant at column %d", diags[0].Subject.Start.Column)
	}
	return value, nil
}

// set gives the variable a value, by way of its record, so that what is
// evaluated now and what is compiled from a journal are the same.
func (v *variable) set(value cty.Value) error {
	if !value.IsWhollyKnown() {
		return fmt.Errorf("it is not known")
	}
	value, err := v.conform(value)
	if err != nil {
		return err
	}
	raw, err := canonical(value, maxVariable)
	if err != nil {
		return err
	}
	return v.setRecorded(raw)
}

func (v *variable) setRecorded(raw []byte) error {
	if err := checkJSON(raw); err != nil {
		return err
	}
	t, err := ctyjson.ImpliedType(raw)
	if err != nil {
		return err
	}
	value, err := ctyjson.Unmarshal(raw, t)
	if err != nil {
		return err
	}
	if value, err = v.conform(value); err != nil {
		return err
	}
	if v.sensitive {
		value = value.Mark(sensitive(v.name))
	}
	v.value, v.record = value, raw
	return nil
}

func (v *variable) conform(value cty.Value) (cty.Value, error) {
	if v.defaults != nil && !value.IsNull() {
		value = v.defaults.Apply(value)
	}
	return convert.Convert(value, v.constraint)
}
