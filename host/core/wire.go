package core

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/omega-run/omega/host/ledger"
)

// Codec writes a record as canonical JSON, or reads it back. One method of a
// record names its members in order and serves both directions, so that they
// cannot drift apart. A member with its zero value is left out. Reading accepts
// exactly what writing produces: the same members in the same order.
type Codec struct {
	buf     []byte // writing: what was appended; reading: what is left
	reading bool
	comma   bool // a member stands before this one
	err     error
	last    string // text read last: records name one job over and over
	state   *State // sealing and restoring: what names and accounts are resolved against
}

// record is anything with a canonical form.
type record interface{ fields(*Codec) }

var errWire = errors.New("not in canonical form")

func (c *Codec) fail(what string) {
	if c.err == nil {
		at := c.buf
		if len(at) > 40 {
			at = at[:40]
		}
		c.err = fmt.Errorf("%w: %s at %q", errWire, what, at)
	}
	c.buf = nil
}

func (c *Codec) expect(b byte) {
	if len(c.buf) == 0 || c.buf[0] != b {
		c.fail("expected " + string(b))
		return
	}
	c.buf = c.buf[1:]
}

// key writes the name of the next member.
func (c *Codec) key(name string) {
	if c.comma {
		c.buf = append(c.buf, ',')
	}
	c.comma = true
	c.buf = append(c.buf, '"')
	c.buf = append(c.buf, name...)
	c.buf = append(c.buf, '"', ':')
}

// has reports whether the next member is the named one, and steps to its value.
func (c *Codec) has(name string) bool {
	i := 0
	if c.comma {
		if len(c.buf) == 0 || c.buf[0] != ',' {
			return false
		}
		i = 1
	}
	end := i + len(name) + 3
	if len(c.buf) < end || c.buf[i] != '"' || string(c.buf[i+1:i+1+len(name)]) != name || c.buf[end-2] != '"' || c.buf[end-1] != ':' {
		return false
	}
	c.buf, c.comma = c.buf[end:], true
	return true
}

// next reports whether the next member is the named one, and stays before it.
func (c *Codec) next(name string) bool {
	before, comma := c.buf, c.comma
	is := c.has(name)
	c.buf, c.comma = before, comma
	return is
}

// until cuts the text before the next occurrence of b, which it steps over.
func (c *Codec) until(b byte) []byte {
	i := bytes.IndexByte(c.buf, b)
	if i < 0 {
		c.fail("expected " + string(b))
		return nil
	}
	text := c.buf[:i]
	c.buf = c.buf[i+1:]
	return text
}

func (c *Codec) number() int64 {
	i := 0
	for i < len(c.buf) && (c.buf[i] == '-' || (c.buf[i] >= '0' && c.buf[i] <= '9')) {
		i++
	}
	v, err := strconv.ParseInt(string(c.buf[:i]), 10, 64)
	if err != nil {
		c.fail("expected a whole number")
		return 0
	}
	c.buf = c.buf[i:]
	return v
}

func (c *Codec) text() string {
	c.expect('"')
	i := 0
	for i < len(c.buf) && c.buf[i] != '"' && c.buf[i] != '\\' {
		i++
	}
	if i < len(c.buf) && c.buf[i] == '"' {
		if string(c.buf[:i]) != c.last {
			c.last = string(c.buf[:i])
		}
		c.buf = c.buf[i+1:]
		return c.last
	}
	return c.escaped()
}

func (c *Codec) escaped() string {
	var out []byte
	for len(c.buf) > 0 {
		b := c.buf[0]
		switch {
		case b == '"':
			c.buf = c.buf[1:]
			return string(out)
		case b != '\\':
			out, c.buf = append(out, b), c.buf[1:]
		case len(c.buf) >= 6 && c.buf[1] == 'u':
			v, err := strconv.ParseUint(string(c.buf[2:6]), 16, 8)
			if err != nil {
				c.fail("bad escape")
				return ""
			}
			out, c.buf = append(out, byte(v)), c.buf[6:]
		default:
			short := map[byte]byte{'"': '"', '\\': '\\', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}
			if len(c.buf) < 2 || short[c.buf[1]] == 0 {
				c.fail("bad escape")
				return ""
			}
			out, c.buf = append(out, short[c.buf[1]]), c.buf[2:]
		}
	}
	c.fail("unfinished string")
	return ""
}

// word reads a member that is one of a closed list of names: no text is kept.
func (c *Codec) word(name string) []byte {
	if !c.has(name) {
		c.fail("expected member " + name)
		return nil
	}
	c.expect('"')
	return c.until('"')
}

// Text is a string member.
func (c *Codec) Text(name string, v *string) {
	if c.reading {
		if c.has(name) {
			*v = c.text()
		}
		return
	}
	if *v != "" {
		c.key(name)
		c.buf = AppendString(c.buf, *v)
	}
}

// integer is a member holding any signed integer type.
func integer[T ~int8 | ~int32 | ~int64 | ~int](c *Codec, name string, v *T) {
	if c.reading {
		if c.has(name) {
			*v = T(c.number())
		}
		return
	}
	if *v != 0 {
		c.key(name)
		c.buf = strconv.AppendInt(c.buf, int64(*v), 10)
	}
}

// Seq is an entry number member.
func (c *Codec) Seq(name string, v *Seq) {
	n := int64(*v)
	integer(c, name, &n)
	*v = Seq(n)
}

// Flag is a boolean member; false is left out.
func (c *Codec) Flag(name string, v *bool) {
	if c.reading {
		if c.has(name) {
			if *v = bytes.HasPrefix(c.buf, []byte("true")); !*v {
				c.fail("expected true")
				return
			}
			c.buf = c.buf[len("true"):]
		}
		return
	}
	if *v {
		c.key(name)
		c.buf = append(c.buf, "true"...)
	}
}

// Amount is a decimal string member, in whole units.
func (c *Codec) Amount(name string, v *ledger.Amount) {
	if c.reading {
		if c.has(name) {
			*v = c.amount()
		}
		return
	}
	if *v != 0 {
		c.key(name)
		c.putAmount(*v)
	}
}

func (c *Codec) amount() ledger.Amount {
	c.expect('"')
	v, err := ledger.ParseAmount(string(c.until('"')))
	if err != nil {
		c.fail(err.Error())
	}
	return v
}

func (c *Codec) putAmount(v ledger.Amount) {
	c.buf = append(c.buf, '"')
	c.buf = v.AppendText(c.buf)
	c.buf = append(c.buf, '"')
}

// Ratio is a decimal string member.
func (c *Codec) Ratio(name string, v *ledger.Ratio) {
	a := ledger.Amount(*v)
	c.Amount(name, &a)
	*v = ledger.Ratio(a)
}

// Hex is a fixed-size binary member in lower-case hex.
func (c *Codec) Hex(name string, v []byte) {
	if c.reading {
		if c.has(name) {
			c.hex(v)
		}
		return
	}
	if !zero(v) {
		c.key(name)
		c.buf = append(c.buf, '"')
		c.buf = hex.AppendEncode(c.buf, v)
		c.buf = append(c.buf, '"')
	}
}

func (c *Codec) hex(v []byte) {
	c.expect('"')
	text := c.until('"')
	if n, err := hex.Decode(v, text); err != nil || n != len(v) || len(text) != 2*len(v) {
		c.fail("expected hex")
	}
}

func zero(v []byte) bool {
	for _, b := range v {
		if b != 0 {
			return false
		}
	}
	return true
}

// Base64 is a fixed-size binary member where short counts more than easy to
// compare.
func (c *Codec) Base64(name string, v []byte) {
	var b []byte
	if !c.reading && !zero(v) {
		b = v
	}
	c.Binary(name, &b)
	if c.reading && b != nil && copy(v, b) != len(v) || len(b) > len(v) {
		c.fail("binary of another length")
	}
}

// Binary is a member of any size in base64 (RFC 4648, padded).
func (c *Codec) Binary(name string, v *[]byte) {
	if c.reading {
		if c.has(name) {
			c.expect('"')
			text := c.until('"')
			out := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
			n, err := base64.StdEncoding.Strict().Decode(out, text)
			if err != nil {
				c.fail("expected base64")
			}
			*v = out[:n]
		}
		return
	}
	if len(*v) > 0 {
		c.key(name)
		c.buf = append(c.buf, '"')
		c.buf = base64.StdEncoding.AppendEncode(c.buf, *v)
		c.buf = append(c.buf, '"')
	}
}

// JSON is a member that is canonical JSON itself.
func (c *Codec) JSON(name string, v *[]byte) {
	if c.reading {
		if c.has(name) {
			n := valueLength(c.buf)
			if n == 0 {
				c.fail("expected a JSON value")
				return
			}
			*v = bytes.Clone(c.buf[:n])
			c.buf = c.buf[n:]
		}
		return
	}
	if len(*v) > 0 {
		c.key(name)
		c.buf = append(c.buf, *v...)
	}
}

// valueLength is the length of the compact JSON value at the start of b, 0 if
// there is none.
func valueLength(b []byte) int {
	depth, inText := 0, false
	for i := 0; i < len(b); i++ {
		switch ch := b[i]; {
		case inText && ch == '\\':
			i++
		case ch == '"':
			inText = !inText
			if !inText && depth == 0 {
				return i + 1
			}
		case inText:
		case ch == '{' || ch == '[':
			depth++
		case ch == '}' || ch == ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ch == ',' && depth == 0:
			return i
		}
	}
	return 0
}

// Texts is a member holding a list of strings.
func (c *Codec) Texts(name string, v *[]string) {
	list(c, name, v, func(c *Codec, s *string) {
		if c.reading {
			*s = c.text()
		} else {
			c.buf = AppendString(c.buf, *s)
		}
	})
}

// list is a member holding an array; item writes or reads one element.
func list[T any](c *Codec, name string, v *[]T, item func(*Codec, *T)) {
	if !c.reading {
		if len(*v) == 0 {
			return
		}
		c.key(name)
		c.buf = append(c.buf, '[')
		for i := range *v {
			if i > 0 {
				c.buf = append(c.buf, ',')
			}
			item(c, &(*v)[i])
		}
		c.buf = append(c.buf, ']')
		return
	}
	if !c.has(name) {
		return
	}
	c.expect('[')
	for c.err == nil {
		var element T
		item(c, &element)
		*v = append(*v, element)
		if len(c.buf) == 0 || c.buf[0] != ',' {
			break
		}
		c.buf = c.buf[1:]
	}
	c.expect(']')
}

// records is a member holding an array of objects.
func records[T any, P interface {
	*T
	record
}](c *Codec, name string, v *[]T) {
	list(c, name, v, func(c *Codec, item *T) { c.nested(P(item)) })
}

// object is a member holding one record; absent when it is nil.
func object[T any, P interface {
	*T
	record
}](c *Codec, name string, v **T) {
	if c.reading {
		if c.has(name) {
			*v = new(T)
			c.nested(P(*v))
		}
		return
	}
	if *v != nil {
		c.key(name)
		c.nested(P(*v))
	}
}

// inline is a member holding one record that is always there.
func (c *Codec) inline(name string, r record) {
	if !c.reading {
		c.key(name)
	} else if !c.has(name) {
		c.fail("expected member " + name)
	}
	c.nested(r)
}

func (c *Codec) nested(r record) {
	outer := c.comma
	c.comma = false
	if c.reading {
		c.expect('{')
		r.fields(c)
		c.expect('}')
	} else {
		c.buf = append(c.buf, '{')
		r.fields(c)
		c.buf = append(c.buf, '}')
	}
	c.comma = outer
}
