package script

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/dop251/goja"
)

// arguments are the input and the view of a call as frozen values. Calls that
// travel together often have the same view.
func (r *realm) arguments(c *Call) (input, view goja.Value, err error) {
	if input, err = r.frozen(c.Input); err != nil {
		return nil, nil, fmt.Errorf("the input: %w", err)
	}
	if r.seen == nil || !bytes.Equal(r.view, c.View) {
		if view, err = r.frozen(c.View); err != nil {
			return nil, nil, fmt.Errorf("the view: %w", err)
		}
		r.view, r.seen = bytes.Clone(c.View), view
	}
	return input, r.seen, nil
}

// maxDepth is how deep values go in and come out.
const maxDepth = 128

var errJSON = errors.New("not JSON")

// frozen makes frozen values of JSON; of nothing it makes null. It reads what
// Omega has written, so it need not say where an error is.
func (r *realm) frozen(text []byte) (goja.Value, error) {
	if len(text) == 0 {
		return goja.Null(), nil
	}
	p := &jsonReader{realm: r, src: text}
	v, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.pos != len(p.src) {
		return nil, errJSON
	}
	return v, nil
}

type jsonReader struct {
	*realm
	src []byte
	pos int
}

func (p *jsonReader) space() {
	for p.pos < len(p.src) && (p.src[p.pos] == ' ' || p.src[p.pos] == '\n' || p.src[p.pos] == '\t' || p.src[p.pos] == '\r') {
		p.pos++
	}
}

// next skips space and gives the byte that stands there, 0 at the end.
func (p *jsonReader) next() byte {
	if p.space(); p.pos < len(p.src) {
		return p.src[p.pos]
	}
	return 0
}

func (p *jsonReader) value(depth int) (goja.Value, error) {
	if depth > maxDepth {
		return nil, errJSON
	}
	switch c := p.next(); c {
	case '{', '[':
		return p.nested(c, depth)
	case '"':
		s, err := p.str()
		return p.ToValue(s), err
	case 't':
		return p.ToValue(true), p.word("true")
	case 'f':
		return p.ToValue(false), p.word("false")
	case 'n':
		return goja.Null(), p.word("null")
	}
	return p.number()
}

// keptDepth is how deep what is kept stands, at most, as the rows of a query do:
// what is deeper is kept within it. The text of a level is looked through once for
// each above it.
const keptDepth = 3

// nested reads a list or an object, unless an earlier call was given the same.
func (p *jsonReader) nested(c byte, depth int) (v goja.Value, err error) {
	start, known := p.pos, depth > 0 && depth <= keptDepth
	if known {
		n := extent(p.src[start:])
		if v := p.kept.values[string(p.src[start:start+n])]; v != nil {
			p.pos += n
			return v, nil
		}
	}
	if c == '{' {
		v, err = p.object(depth)
	} else {
		v, err = p.array(depth)
	}
	if known && err == nil {
		p.kept.keep(p.src[start:p.pos], v)
	}
	return v, err
}

// extent is the length of the list or object that a text begins with; of one that
// is not closed, that of the text.
func extent(text []byte) int {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"':
			i += quotedLength(text[i:]) - 1
		}
	}
	return len(text)
}

// kept is lists and objects that calls were given, by their text. They are frozen,
// and much of what a call is given is what the one before it was given too.
type kept struct {
	values map[string]goja.Value
	size   int // of the texts, in bytes
}

// maxKept bounds the texts that are kept, in bytes.
const maxKept = 256 << 10

func (k *kept) keep(text []byte, v goja.Value) {
	if len(text) > maxKept/4 {
		return
	}
	if k.size += len(text); k.size > maxKept || k.values == nil {
		k.values, k.size = map[string]goja.Value{}, len(text)
	}
	k.values[string(text)] = v
}

func (p *jsonReader) word(w string) error {
	if !bytes.HasPrefix(p.src[p.pos:], []byte(w)) {
		return errJSON
	}
	p.pos += len(w)
	return nil
}

func (p *jsonReader) number() (goja.Value, error) {
	start, whole := p.pos, true
	for ; p.pos < len(p.src); p.pos++ {
		switch c := p.src[p.pos]; {
		case c >= '0' && c <= '9', c == '-':
		case c == '.', c == 'e', c == 'E', c == '+':
			whole = false
		default:
			return p.numeral(string(p.src[start:p.pos]), whole)
		}
	}
	return p.numeral(string(p.src[start:]), whole)
}

func (p *jsonReader) numeral(text string, whole bool) (goja.Value, error) {
	const exact = 1 << 53
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && whole && n > -exact && n < exact && text != "-0" {
		return p.ToValue(n), nil
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return nil, errJSON
	}
	return p.ToValue(x), nil
}

func (p *jsonReader) str() (string, error) {
	start := p.pos
	for p.pos++; p.pos < len(p.src); p.pos++ {
		switch p.src[p.pos] {
		case '"':
			p.pos++
			return string(p.src[start+1 : p.pos-1]), nil
		case '\\':
			return p.escaped(start)
		}
	}
	return "", errJSON
}

// escaped reads a string that has an escape in it.
func (p *jsonReader) escaped(start int) (s string, err error) {
	for p.pos < len(p.src) && p.src[p.pos] != '"' {
		if p.src[p.pos] == '\\' {
			p.pos++
		}
		p.pos++
	}
	if p.pos >= len(p.src) {
		return "", errJSON
	}
	p.pos++
	err = json.Unmarshal(p.src[start:p.pos], &s)
	return s, err
}

func (p *jsonReader) array(depth int) (goja.Value, error) {
	items := make([]any, 0, 8)
	p.pos++
	for p.next() != ']' {
		if len(items) > 0 {
			if p.next() != ',' {
				return nil, errJSON
			}
			p.pos++
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	p.pos++
	a := p.NewArray(items...)
	_, err := p.freeze(goja.Undefined(), a)
	return a, err
}

func (p *jsonReader) object(depth int) (goja.Value, error) {
	o := p.NewObject()
	p.pos++
	for first := true; p.next() != '}'; first = false {
		if !first {
			if p.next() != ',' {
				return nil, errJSON
			}
			p.pos++
		}
		if err := p.member(o, depth); err != nil {
			return nil, err
		}
	}
	p.pos++
	_, err := p.seal(goja.Undefined(), o)
	return o, err
}

func (p *jsonReader) member(o *goja.Object, depth int) error {
	if p.next() != '"' {
		return errJSON
	}
	key, err := p.str()
	if err != nil {
		return err
	}
	if p.next() != ':' || !utf8.ValidString(key) {
		return errJSON
	}
	p.pos++
	v, err := p.value(depth + 1)
	if err != nil {
		return err
	}
	return o.DefineDataProperty(key, v, goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_TRUE)
}
