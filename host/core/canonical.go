package core

import (
	"bytes"
	"slices"
	"strconv"
	"unicode/utf8"
)

const (
	// MaxJSONBytes is the largest text Canonical reads: nothing larger fits into one journal entry.
	MaxJSONBytes = 4 << 20
	// MaxJSONDepth is the deepest nesting of arrays and objects: deep enough for any result people
	// write, shallow enough that every reader in any language can follow without its stack growing.
	MaxJSONDepth = 128
)

// The reasons that refuse a text which RFC 8259 allows.
const (
	reasonSize      = "larger than the limit"
	reasonDepth     = "nested too deeply"
	reasonUTF8      = "invalid UTF-8"
	reasonSurrogate = "lone surrogate escape"
	reasonDuplicate = "duplicate key"
)

// JSONError says why a text is not acceptable JSON and at which byte (from 0).
type JSONError struct {
	Offset int
	Reason string
}

func (e *JSONError) Error() string { return "byte " + strconv.Itoa(e.Offset) + ": " + e.Reason }

// Canonical returns the one form of a JSON text that is journalled and hashed: no white space, the keys of
// each object sorted by the bytes of the decoded key, number literals as written, strings escaped as
// AppendString does. It accepts RFC 8259 and is stricter where two readers could differ: duplicate keys (after
// unescaping), invalid UTF-8 and lone surrogate escapes are refused, as are texts longer than MaxJSONBytes or
// nested deeper than MaxJSONDepth. Every refusal is a *JSONError. Canonical(Canonical(x)) = Canonical(x).
func Canonical(raw []byte) ([]byte, error) { return CanonicalMax(raw, MaxJSONBytes) }

// CanonicalMax is Canonical with another limit on the bytes read.
func CanonicalMax(raw []byte, limit int) ([]byte, error) {
	if len(raw) > limit {
		return nil, &JSONError{limit, reasonSize + " of " + strconv.Itoa(limit) + " bytes"}
	}
	if bytes.HasPrefix(raw, []byte("\xef\xbb\xbf")) {
		return nil, &JSONError{0, "byte order mark"}
	}
	if !utf8.Valid(raw) {
		return nil, &JSONError{firstInvalid(raw), reasonUTF8}
	}
	const usual = 16 // members open at once in most texts
	w := canonicalWriter{src: raw, out: make([]byte, 0, len(raw)), members: make([]jsonMember, 0, usual)}
	w.space()
	if err := w.value(0); err != nil {
		return nil, err
	}
	if w.space(); w.pos < len(raw) {
		return nil, w.fail("unexpected " + w.here() + " after the value")
	}
	return w.out, nil
}

func firstInvalid(raw []byte) int {
	for i := 0; i < len(raw); {
		r, size := utf8.DecodeRune(raw[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
	return len(raw)
}

// canonicalWriter reads src once, from left to right, and appends its canonical form to out.
type canonicalWriter struct {
	src     []byte
	pos     int
	out     []byte
	members []jsonMember // of all open objects, the innermost last
	scratch []byte       // for putting members in order
}

// jsonMember is one `"key":value` already written to out.
type jsonMember struct {
	key        []byte // decoded
	offset     int    // of the key in src
	start, end int    // in out
}

func (w *canonicalWriter) fail(reason string) error { return &JSONError{w.pos, reason} }

// here names what stands at the current byte, for messages.
func (w *canonicalWriter) here() string {
	if w.pos >= len(w.src) {
		return "end of text"
	}
	r, _ := utf8.DecodeRune(w.src[w.pos:])
	return strconv.QuoteRune(r)
}

func (w *canonicalWriter) space() {
	for w.pos < len(w.src) {
		switch w.src[w.pos] {
		case ' ', '\t', '\n', '\r':
			w.pos++
		default:
			return
		}
	}
}

// peek is the current byte, 0 at the end (a NUL byte is an error wherever peek is asked).
func (w *canonicalWriter) peek() byte {
	if w.pos < len(w.src) {
		return w.src[w.pos]
	}
	return 0
}

func (w *canonicalWriter) value(depth int) error {
	switch c := w.peek(); {
	case c == '{' || c == '[':
		if depth == MaxJSONDepth {
			return w.fail(reasonDepth + ", the limit is " + strconv.Itoa(MaxJSONDepth) + " levels")
		}
		w.pos++
		w.out = append(w.out, c)
		if c == '{' {
			return w.object(depth + 1)
		}
		return w.array(depth + 1)
	case c == '"':
		_, err := w.str()
		return err
	case c == '-' || '0' <= c && c <= '9':
		return w.number()
	case c == 't':
		return w.literal("true")
	case c == 'f':
		return w.literal("false")
	case c == 'n':
		return w.literal("null")
	}
	return w.fail("expected a value, found " + w.here())
}

func (w *canonicalWriter) literal(word string) error {
	if !bytes.HasPrefix(w.src[w.pos:], []byte(word)) {
		return w.fail("expected " + word)
	}
	w.pos += len(word)
	w.out = append(w.out, word...)
	return nil
}

func (w *canonicalWriter) number() error {
	start := w.pos
	if w.peek() == '-' {
		w.pos++
	}
	if w.peek() == '0' {
		w.pos++
	} else if !w.digits() {
		return w.fail("expected a digit, found " + w.here())
	}
	if w.peek() == '.' {
		w.pos++
		if !w.digits() {
			return w.fail("expected a digit after the point, found " + w.here())
		}
	}
	if c := w.peek(); c == 'e' || c == 'E' {
		w.pos++
		if c := w.peek(); c == '+' || c == '-' {
			w.pos++
		}
		if !w.digits() {
			return w.fail("expected a digit in the exponent, found " + w.here())
		}
	}
	if c := w.peek(); '0' <= c && c <= '9' {
		return w.fail("number with a leading zero")
	}
	w.out = append(w.out, w.src[start:w.pos]...)
	return nil
}

func (w *canonicalWriter) digits() bool {
	start := w.pos
	for '0' <= w.peek() && w.peek() <= '9' {
		w.pos++
	}
	return w.pos > start
}

func (w *canonicalWriter) array(depth int) error {
	if w.space(); w.peek() == ']' {
		return w.close(']')
	}
	for {
		w.space()
		if err := w.value(depth); err != nil {
			return err
		}
		w.space()
		switch w.peek() {
		case ',':
			w.pos++
			w.out = append(w.out, ',')
		case ']':
			return w.close(']')
		default:
			return w.fail("expected , or ] in the array, found " + w.here())
		}
	}
}

func (w *canonicalWriter) close(c byte) error {
	w.pos++
	w.out = append(w.out, c)
	return nil
}

func (w *canonicalWriter) object(depth int) error {
	if w.space(); w.peek() == '}' {
		return w.close('}')
	}
	first := len(w.members)
	for {
		if err := w.member(depth); err != nil {
			return err
		}
		w.space()
		switch w.peek() {
		case ',':
			w.pos++
			w.out = append(w.out, ',')
		case '}':
			if err := w.order(w.members[first:]); err != nil {
				return err
			}
			w.members = w.members[:first]
			return w.close('}')
		default:
			return w.fail("expected , or } in the object, found " + w.here())
		}
	}
}

func (w *canonicalWriter) member(depth int) error {
	w.space()
	if w.peek() != '"' {
		return w.fail("expected a key in double quotes, found " + w.here())
	}
	m := jsonMember{offset: w.pos, start: len(w.out)}
	var err error
	if m.key, err = w.str(); err != nil {
		return err
	}
	if w.space(); w.peek() != ':' {
		return w.fail("expected : after the key, found " + w.here())
	}
	w.pos++
	w.out = append(w.out, ':')
	w.space()
	if err = w.value(depth); err != nil {
		return err
	}
	m.end = len(w.out)
	w.members = append(w.members, m)
	return nil
}

// order sorts the members just written, which fill out to its end, and refuses two of the same key.
func (w *canonicalWriter) order(members []jsonMember) error {
	sorted := true
	for i := 1; i < len(members) && sorted; i++ {
		sorted = bytes.Compare(members[i-1].key, members[i].key) < 0
	}
	if sorted {
		return nil
	}
	start := members[0].start
	slices.SortStableFunc(members, func(a, b jsonMember) int { return bytes.Compare(a.key, b.key) })
	for i := 1; i < len(members); i++ {
		if bytes.Equal(members[i-1].key, members[i].key) {
			return &JSONError{members[i].offset, reasonDuplicate + " " + quoteShort(members[i].key)}
		}
	}
	w.scratch = append(w.scratch[:0], w.out[start:]...)
	w.out = w.out[:start]
	for i, m := range members {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.out = append(w.out, w.scratch[m.start-start:m.end-start]...)
	}
	return nil
}

// quoteShort quotes a key for a message; a long one is cut so that the message stays one line.
func quoteShort(key []byte) string {
	const longest = 64
	if len(key) > longest {
		return strconv.Quote(string(key[:longest])) + "…"
	}
	return strconv.Quote(string(key))
}

// str reads the string at the current byte, writes it, and returns its decoded bytes, which share src's
// memory when nothing was escaped: then source and canonical form are the same bytes.
func (w *canonicalWriter) str() ([]byte, error) {
	start := w.pos
	w.pos++
	for w.pos < len(w.src) {
		switch c := w.src[w.pos]; {
		case plain[c] || c >= utf8.RuneSelf:
			w.pos++
		case c == '"':
			w.pos++
			w.out = append(w.out, w.src[start:w.pos]...)
			return w.src[start+1 : w.pos-1], nil
		case c == '\\':
			return w.escapedString(start)
		default:
			return nil, w.fail("control character in a string, found " + w.here())
		}
	}
	return nil, w.fail("unterminated string")
}

// escapedString goes on where str met the first backslash.
func (w *canonicalWriter) escapedString(start int) ([]byte, error) {
	text := append([]byte(nil), w.src[start+1:w.pos]...)
	for w.pos < len(w.src) {
		switch c := w.src[w.pos]; {
		case c == '"':
			w.pos++
			w.out = AppendString(w.out, string(text))
			return text, nil
		case c == '\\':
			r, err := w.escape()
			if err != nil {
				return nil, err
			}
			text = utf8.AppendRune(text, r)
		case c < 0x20:
			return nil, w.fail("control character in a string, found " + w.here())
		default:
			text = append(text, c)
			w.pos++
		}
	}
	return nil, w.fail("unterminated string")
}

// escape reads one escape sequence; two when they are the halves of a surrogate pair.
func (w *canonicalWriter) escape() (rune, error) {
	start := w.pos
	w.pos++
	c := w.peek()
	if c != 'u' {
		i := bytes.IndexByte([]byte(`"\/bfnrt`), c)
		if i < 0 {
			return 0, w.fail("unknown escape \\ and " + w.here())
		}
		w.pos++
		return rune("\"\\/\b\f\n\r\t"[i]), nil
	}
	r, err := w.hex4()
	if err != nil || r < 0xD800 || r > 0xDFFF {
		return r, err
	}
	if r < 0xDC00 && bytes.HasPrefix(w.src[w.pos:], []byte(`\u`)) {
		w.pos++
		low, err := w.hex4()
		if err != nil {
			return 0, err
		}
		if 0xDC00 <= low && low <= 0xDFFF {
			return (r-0xD800)<<10 | (low - 0xDC00) + 0x10000, nil
		}
	}
	w.pos = start
	return 0, w.fail(reasonSurrogate)
}

// hex4 reads `u` and four hexadecimal digits.
func (w *canonicalWriter) hex4() (rune, error) {
	var r rune
	w.pos++
	for range 4 {
		c := w.peek()
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, w.fail("expected four hexadecimal digits after \\u, found " + w.here())
		}
		r = r<<4 | rune(c)
		w.pos++
	}
	return r, nil
}

// plain marks the ASCII characters that stand in a string as they are.
var plain = func() (t [256]bool) {
	for c := 0x20; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// AppendString appends s as a JSON string with the fewest escapes: `\"`, `\\`, `\b`, `\t`, `\n`, `\f`, `\r`, and
// `\u00xx` (lower-case hex) for the other characters below 0x20; all else stands as it is. A byte of s that
// is not UTF-8 becomes U+FFFD, so the text is always valid JSON; whoever must not lose it refuses it earlier.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	run := 0 // start of the bytes not yet copied
	for i := 0; i < len(s); {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, s[run:i]...), "\uFFFD"...)
				run = i + 1
			}
			i += size
			continue
		}
		dst = appendEscape(append(dst, s[run:i]...), c)
		i++
		run = i
	}
	return append(append(dst, s[run:]...), '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\t':
		return append(dst, '\\', 't')
	case '\n':
		return append(dst, '\\', 'n')
	case '\f':
		return append(dst, '\\', 'f')
	case '\r':
		return append(dst, '\\', 'r')
	}
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
