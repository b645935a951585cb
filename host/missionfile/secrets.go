package missionfile

import (
	"bytes"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/omega-run/omega/host/core"
	"github.com/zclconf/go-cty/cty"
)

// reserved are the environment variables that the host itself gives to every
// program, besides those that begin with OMEGA_.
var reserved = []string{"PATH", "HOME", "LANG", "TZ"}

// secrets reads secrets = { NAME = var.name }, in the order of the names: those
// of environment variables or, of a request, of headers. The values are not
// evaluated: the spec names variables.
func (l *loader) secrets(p part) (all []core.Secret) {
	a := p.c.Attributes["secrets"]
	if a == nil {
		return nil
	}
	pairs, diags := hcl.ExprMap(a.Expr)
	if diags.HasErrors() {
		l.r.fail(a.Expr.Range(), "Invalid secrets", "Write an object of variables: { NAME = var.name }.")
		return nil
	}
	for _, pair := range pairs {
		if s, ok := l.secret(pair, p.block == "worker.http"); ok {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b core.Secret) int { return strings.Compare(a.Name, b.Name) })
	if len(slices.CompactFunc(slices.Clone(all), func(a, b core.Secret) bool { return a.Name == b.Name })) < len(all) {
		l.r.fail(a.Expr.Range(), "Invalid secrets", "A name appears twice.")
	}
	if len(all) > maxSecrets {
		l.r.fail(a.Expr.Range(), "Invalid secrets", "At most %d are given.", maxSecrets)
	}
	return all
}

func (l *loader) secret(pair hcl.KeyValuePair, header bool) (s core.Secret, ok bool) {
	carrier, like, wrong := "an environment variable", "API_KEY", notForSecret
	if header {
		carrier, like, wrong = "a header", "Authorization", notForHeader
	}
	key, diags := pair.Key.Value(nil)
	if diags.HasErrors() || key.IsNull() || key.Type() != cty.String {
		l.r.fail(pair.Key.Range(), "Invalid secrets", "Write the name of %s as it is, like %s.", carrier, like)
		return s, false
	}
	if why := wrong(key.AsString()); why != "" {
		l.r.fail(pair.Key.Range(), "Invalid secrets", "%s", why)
		return s, false
	}
	at := pair.Value.Range()
	name, ok := l.variableNamed(pair.Value)
	if !ok {
		l.r.fail(at, "Not a variable", "A secret is one sensitive variable and nothing else: %s = var.name.", key.AsString())
		return s, false
	}
	v := l.m.variables[name]
	switch {
	case v == nil:
		summary, detail := l.undeclared(name)
		l.r.fail(at, summary, "%s", detail)
	case !v.sensitive:
		l.r.fail(at, "Not sensitive", "The record would hold the value of var.%s: mark the variable with sensitive = true.", name)
	case header:
		return core.Secret{Name: headerName(key.AsString()), Variable: name}, true
	default:
		return core.Secret{Name: key.AsString(), Variable: name}, true
	}
	return s, false
}

// notForSecret is why a name cannot be that of a secret, or "".
func notForSecret(name string) string {
	switch {
	case !variableName.MatchString(name):
		return "The name of an environment variable has letters, digits and _, and begins with no digit."
	case strings.HasPrefix(name, "OMEGA_") || slices.Contains(reserved, name):
		return "The host gives " + name + " to every program: choose another name."
	}
	return ""
}

// variableNamed is the variable an expression refers to, if it does nothing
// else: var.name, also as "${var.name}" because JSON can write it no other way.
func (l *loader) variableNamed(e hcl.Expression) (string, bool) {
	if wrapped, ok := e.(*hclsyntax.TemplateWrapExpr); ok {
		e = wrapped.Wrapped
	}
	all := e.Variables()
	if len(all) != 1 || all[0].RootName() != "var" || len(all[0]) != 2 {
		return "", false
	}
	name, ok := attrName(all[0], 1)
	if _, native := e.(*hclsyntax.ScopeTraversalExpr); native {
		return name, ok
	}
	at := e.Range()
	content := l.m.src.files[at.Filename].Bytes
	if !isJSON(at.Filename) || at.End.Byte > len(content) {
		return "", false
	}
	text := string(bytes.TrimSpace(content[at.Start.Byte:at.End.Byte]))
	return name, ok && text == `"${var.`+name+`}"`
}
