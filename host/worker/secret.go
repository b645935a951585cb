package worker

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/omega-run/omega/host/core"
)

// Secret is an environment variable, or a header, whose value may appear nowhere but where it is given.
type Secret struct{ Name, Value string }

// leastSecret is the shortest value that is looked for: a shorter one would be found by chance.
const leastSecret = 6

// redacted stands where standard error held a secret.
const redacted = "***"

// hidden finds the secrets of a task in what its program leaves: as they are, and as JSON writes them. White
// space around a value is not part of it. The zero value finds nothing.
type hidden struct {
	forms   [][]byte
	longest int // of the forms, in bytes
}

func hide(secrets []Secret) (h hidden) {
	for _, s := range secrets {
		value := strings.TrimSpace(s.Value)
		if len(value) < leastSecret {
			continue
		}
		text := core.AppendString(nil, value)
		for _, form := range [][]byte{[]byte(value), text[1 : len(text)-1], asciiForm(value)} {
			h.forms, h.longest = append(h.forms, form), max(h.longest, len(form))
		}
	}
	return h
}

// asciiForm is a text as JSON writers put it that escape all but ASCII.
func asciiForm(value string) (form []byte) {
	for _, r := range value {
		switch {
		case r == '"' || r == '\\':
			form = append(form, '\\', byte(r))
		case r >= ' ' && r < utf8.RuneSelf:
			form = append(form, byte(r))
		case r > 0xffff:
			r -= 0x10000
			form = fmt.Appendf(form, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		default:
			form = fmt.Appendf(form, `\u%04x`, r)
		}
	}
	return form
}

func (h hidden) in(text []byte) bool {
	for _, form := range h.forms {
		if bytes.Contains(text, form) {
			return true
		}
	}
	return false
}

// inOutput looks at standard output as it stands and, whatever escapes it uses, at what it means as JSON.
func (h hidden) inOutput(stdout []byte) bool {
	if len(h.forms) == 0 {
		return false
	}
	if h.in(stdout) {
		return true
	}
	text, err := core.CanonicalMax(stdout, len(stdout))
	return err == nil && h.in(text)
}

// inStream reads to the end, or to the first secret.
func (h hidden) inStream(r io.Reader) (bool, error) {
	const step = 1 << 20
	window := make([]byte, 0, step+h.longest)
	for {
		n, err := io.ReadFull(r, window[len(window):cap(window)])
		window = window[:len(window)+n]
		switch {
		case h.in(window):
			return true, nil
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			return false, nil
		case err != nil:
			return false, err
		}
		window = window[:copy(window, window[len(window)-h.longest+1:])] // a secret may lie across the border
	}
}

// redact is text from an offset on, without the secrets, also one that begins before the offset.
func (h hidden) redact(text []byte, from int) []byte {
	var out []byte
	for at := 0; ; {
		begin, end := h.first(text, at)
		out = append(out, text[min(max(at, from), begin):begin]...)
		if begin == len(text) {
			return out
		}
		if end > from {
			out = append(out, redacted...)
		}
		at = end
	}
}

// first is the first secret from an offset on, the longest where several begin there; the end of the text if
// there is none.
func (h hidden) first(text []byte, at int) (begin, end int) {
	begin, end = len(text), len(text)
	for _, form := range h.forms {
		i := bytes.Index(text[at:], form)
		if i >= 0 && (at+i < begin || at+i == begin && at+i+len(form) > end) {
			begin, end = at+i, at+i+len(form)
		}
	}
	return begin, end
}
