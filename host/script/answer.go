package script

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dop251/goja"
)

// answerError says which part of an answer cannot be used, and why.
type answerError struct{ path, why string }

func (e *answerError) Error() string { return "answer" + e.path + " " + e.why }

// answer is a value as canonical JSON: the keys of objects in the order of their
// bytes. Members that are undefined are left out; what is no plain data is
// refused. What a getter or a proxy throws is an error too.
func (r *realm) answer(v goja.Value) (text []byte, err error) {
	w := &answerWriter{realm: r}
	ex := r.Try(func() { err = w.value(v, "", 0) })
	if ex != nil {
		return nil, ex
	}
	return w.out, err
}

type answerWriter struct {
	*realm
	out   []byte
	nodes int
}

// maxNodes bounds the values in an answer: each is at least two bytes of it.
const maxNodes = MaxAnswer / 2

func (w *answerWriter) value(v goja.Value, path string, depth int) error {
	w.nodes++
	if w.nodes > maxNodes || len(w.out) > MaxAnswer {
		return &answerError{"", "is larger than " + strconv.Itoa(MaxAnswer) + " bytes of JSON"}
	}
	switch {
	case v == nil || goja.IsUndefined(v):
		return &answerError{path, "is undefined: answer a value, null for none"}
	case goja.IsNull(v):
		w.out = append(w.out, "null"...)
	case goja.IsBigInt(v):
		return &answerError{path, "is a BigInt: make text of it with String()"}
	case goja.IsString(v):
		return w.text(v.(goja.String), path)
	case goja.IsNumber(v):
		return w.number(v, path)
	default:
		return w.other(v, path, depth)
	}
	return w.room()
}

func (w *answerWriter) other(v goja.Value, path string, depth int) error {
	o, ok := v.(*goja.Object)
	if !ok {
		if b, is := v.Export().(bool); is {
			w.out = strconv.AppendBool(w.out, b)
			return w.room()
		}
		return &answerError{path, "is a symbol: answer plain data"}
	}
	if depth >= maxDepth {
		return &answerError{"", "is nested more than " + strconv.Itoa(maxDepth) + " deep, or contains itself"}
	}
	if _, is := goja.AssertFunction(o); is {
		return &answerError{path, "is a function: answer plain data"}
	}
	if o.ClassName() == "Array" {
		return w.array(o, path, depth)
	}
	if tag, is := o.GetSymbol(goja.SymToStringTag).(goja.String); is {
		return &answerError{path, "is a " + cutText(tag.String(), maxKey) + ": answer plain data"}
	}
	if class := o.ClassName(); class != "Object" {
		return &answerError{path, "is a " + class + ": answer plain data"}
	}
	return w.object(o, path, depth)
}

func (w *answerWriter) room() error {
	if len(w.out) > MaxAnswer {
		return &answerError{"", "is larger than " + strconv.Itoa(MaxAnswer) + " bytes of JSON"}
	}
	return nil
}

func (w *answerWriter) number(v goja.Value, path string) error {
	x := v.ToFloat()
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return &answerError{path, "is " + v.String() + ": JSON has only finite numbers"}
	}
	if x == 0 {
		w.out = append(w.out, '0')
	} else {
		w.out = append(w.out, v.String()...)
	}
	return w.room()
}

func (w *answerWriter) text(s goja.String, path string) error {
	if s.Length() > MaxAnswer {
		return &answerError{"", "is larger than " + strconv.Itoa(MaxAnswer) + " bytes of JSON"}
	}
	if !wellFormed(s) {
		return &answerError{path, "has half a surrogate pair in it: it was cut within a character"}
	}
	w.out = appendText(w.out, s.String())
	return w.room()
}

func wellFormed(s goja.String) bool {
	for i, n := 0, s.Length(); i < n; i++ {
		c := s.CharAt(i)
		if c < 0xD800 || c > 0xDFFF {
			continue
		}
		if c >= 0xDC00 || i+1 == n || s.CharAt(i+1) < 0xDC00 || s.CharAt(i+1) > 0xDFFF {
			return false
		}
		i++
	}
	return true
}

func (w *answerWriter) array(o *goja.Object, path string, depth int) error {
	n := o.Get("length").ToInteger()
	if n > maxNodes {
		return &answerError{path, "has " + strconv.FormatInt(n, 10) + " elements: more than fit into an answer"}
	}
	w.out = append(w.out, '[')
	for i := range n {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		at := strconv.FormatInt(i, 10)
		if err := w.value(o.Get(at), path+"["+at+"]", depth+1); err != nil {
			return err
		}
	}
	w.out = append(w.out, ']')
	return w.room()
}

func (w *answerWriter) object(o *goja.Object, path string, depth int) error {
	keys := o.Keys()
	if len(keys) > maxNodes {
		return &answerError{path, "has " + strconv.Itoa(len(keys)) + " members: more than fit into an answer"}
	}
	slices.Sort(keys)
	w.out = append(w.out, '{')
	first := true
	for i, key := range keys {
		if i > 0 && key == keys[i-1] {
			return &answerError{path, "has half a surrogate pair in the name of a member"}
		}
		v := o.Get(key)
		if v == nil && strings.ContainsRune(key, utf8.RuneError) {
			return &answerError{path, "has half a surrogate pair in the name of a member"}
		}
		if v == nil || goja.IsUndefined(v) {
			continue
		}
		if !first {
			w.out = append(w.out, ',')
		}
		first = false
		w.out = append(appendText(w.out, key), ':')
		if err := w.value(v, memberPath(path, key), depth+1); err != nil {
			return err
		}
	}
	w.out = append(w.out, '}')
	return w.room()
}

// maxKey is how much of a name is said in a message, in bytes.
const maxKey = 64

func memberPath(path, key string) string {
	if len(key) > maxKey || len(path) > maxDetail {
		key = "…"
	}
	return path + "." + key
}

// appendText writes a JSON string with the fewest escapes.
func appendText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	run := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[run:i]...)
		run = i + 1
		dst = append(dst, '\\')
		if at := slices.Index([]byte("\"\\\b\f\n\r\t"), c); at >= 0 {
			dst = append(dst, `"\bfnrt`[at])
		} else {
			const hex = "0123456789abcdef"
			dst = append(dst, 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(dst, s[run:]...), '"')
}
