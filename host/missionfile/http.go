package missionfile

import (
	"errors"
	"fmt"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/omega-run/omega/host/core"
)

// fillHTTP is fill for what the table does not say of a worker that asks a
// server.
func (l *loader) fillHTTP(m *member, spec *core.WorkerSpec, sc *scope, ctx *hcl.EvalContext) {
	p := m.parts[1]
	if a := p.c.Attributes["url"]; a != nil {
		if err := checkURL(spec.HTTP.URL); err != nil {
			l.r.fail(a.Expr.Range(), "Invalid url", "%s.", sentence(err))
		}
	}
	if a := p.c.Attributes["headers"]; a != nil {
		spec.HTTP.Headers = l.headers(sc, a, ctx)
		for _, h := range spec.HTTP.Headers {
			if slices.ContainsFunc(m.secrets, func(s core.Secret) bool { return s.Name == h.Name }) {
				l.r.fail(a.Expr.Range(), "Header given twice", "%s stands in headers and in secrets: keep one.", h.Name)
			}
		}
	}
	if g, live := l.inputs.(Given); live && g.Hurried {
		l.r.fail(p.at, "Real work cannot be hurried", "worker.%s waits for a server, which lives on the wall clock: run this mission without --speed.", m.name)
	}
}

// checkURL says why requests cannot be sent there. The text stands in the record
// and in diagnostics, so it may hold nothing secret.
func checkURL(text string) error {
	u, err := url.Parse(text)
	var why *url.Error
	switch {
	case errors.As(err, &why):
		return fmt.Errorf("it is no address: %w", why.Err)
	case u.Scheme != "http" && u.Scheme != "https":
		return errors.New(`it begins with neither "https://" nor "http://"`)
	case u.User != nil:
		return errors.New("it holds a name or a password, which the record would tell: write secrets = { Authorization = var.name }")
	case u.Hostname() == "":
		return errors.New("it names no host, as in https://example.org/solve")
	case u.Fragment != "" || strings.HasSuffix(text, "#"):
		return errors.New("what follows # is never sent: leave it out")
	}
	return nil
}

// headers reads headers = { Name = "value" }, in the order of the names.
func (l *loader) headers(sc *scope, a *hcl.Attribute, ctx *hcl.EvalContext) (all []core.Header) {
	v, ok := l.value(sc, a, ctx)
	if !ok || v.IsNull() {
		return nil
	}
	fail := func(format string, args ...any) []core.Header {
		l.r.fail(a.Expr.Range(), "Invalid headers", format, args...)
		return nil
	}
	if t := v.Type(); !t.IsObjectType() && !t.IsMapType() {
		return fail(`They are an object of texts, like { Accept = "application/json" }, not %s.`, t.FriendlyName())
	}
	if v.LengthInt() > maxHeaders {
		return fail("A request has at most %d.", maxHeaders)
	}
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		if e.IsNull() {
			continue
		}
		name := k.AsString()
		if why := notForHeader(name); why != "" {
			return fail("%s", why)
		}
		value, err := plainText(e)
		switch {
		case err != nil:
			return fail("%s: %s.", name, sentence(err))
		case value == "" || strings.TrimSpace(value) != value || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }):
			return fail("The value of %s must be ASCII text in one line, with no space around it.", name)
		}
		all = append(all, core.Header{Name: headerName(name), Value: value})
	}
	slices.SortFunc(all, func(a, b core.Header) int { return strings.Compare(a.Name, b.Name) })
	if len(slices.CompactFunc(slices.Clone(all), func(a, b core.Header) bool { return a.Name == b.Name })) < len(all) {
		return fail("A name appears twice: capital and small letters are the same in it.")
	}
	return all
}

// headerName is a header's name in its one form.
func headerName(name string) string { return textproto.CanonicalMIMEHeaderKey(name) }

// ownHeaders are those the host itself decides about, besides those that begin
// with Omega- and Proxy-.
var ownHeaders = []string{
	"Accept-Encoding", "Connection", "Content-Length", "Expect", "Host", "Idempotency-Key", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// notForHeader is why a name cannot be that of a header, or "".
func notForHeader(name string) string {
	const others = "!#$%&'*+-.^_`|~" // RFC 9110, token
	odd := func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && !strings.ContainsRune(others, r)
	}
	if name == "" || len(name) > maxVariableName || strings.ContainsFunc(name, odd) {
		return fmt.Sprintf("%.80q is not the name of a header: it has letters, digits and -, at most %d.", name, maxVariableName)
	}
	form := headerName(name)
	if slices.Contains(ownHeaders, form) || strings.HasPrefix(form, "Omega-") || strings.HasPrefix(form, "Proxy-") {
		return "The host itself says " + form + ": leave it out."
	}
	return ""
}
