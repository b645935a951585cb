package script

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/dop251/goja"
	"github.com/dop251/goja/file"
	"github.com/dop251/goja/parser"
)

//go:embed realm.js
var realmText string

const (
	// maxCalls is how deep functions may call each other. What built-ins have to
	// leave at once takes time with the square of it.
	maxCalls = 1000
	// maxLog bounds what one call may write to its console, in bytes.
	maxLog = 8 << 10
	// bundleName is the file of a frame that belongs to no file.
	bundleName = "bundle"
	realmName  = "realm"
)

// unit is a program as a child knows it.
type unit struct {
	entry string
	code  *goja.Program
	text  string
	file  *file.File
	paths map[string]string // what the runtime calls a file -> its path
}

// compile reads a bundle with its source map.
func compile(entry, text string, paths []string) (*unit, error) {
	u := &unit{entry: entry, text: text, paths: make(map[string]string, len(paths))}
	for _, path := range paths {
		u.paths[file.ResolveSourcemapURL(bundleName, path).String()] = path
	}
	tree, err := parser.ParseFile(nil, bundleName, text, 0, parser.WithSourceMapLoader(func(string) ([]byte, error) { return nil, nil }))
	var wrong parser.ErrorList
	if errors.As(err, &wrong) && len(wrong) > 0 {
		return u, u.misread(wrong[0])
	}
	if err != nil {
		return u, err
	}
	u.file = tree.File
	u.code, err = goja.CompileAST(tree, true)
	var unsound *goja.CompilerSyntaxError
	if errors.As(err, &unsound) {
		return u, &syntaxError{u.at(unsound.Offset), unsound.Message}
	}
	return u, err
}

// misread is why a bundle cannot be parsed, with the author's line. The source
// map is read with the code; so it is read with nothing but the ends of lines.
func (u *unit) misread(wrong *parser.Error) error {
	lines := strings.SplitAfter(u.text, "\n")
	offset := 0
	for i, line := range lines {
		if i+1 == wrong.Position.Line {
			offset += min(len(line), wrong.Position.Column-1)
			break
		}
		offset += len(line)
	}
	code := strings.LastIndex(u.text, "\n//# sourceMappingURL=")
	blank := strings.Map(func(c rune) rune {
		if c == '\n' {
			return c
		}
		return ' '
	}, u.text[:max(code, 0)])
	tree, err := parser.ParseFile(nil, bundleName, blank+u.text[max(code, 0):], 0)
	if err != nil {
		return wrong
	}
	u.file = tree.File
	return &syntaxError{u.at(offset), wrong.Message}
}

// syntaxError is a place that cannot be read.
type syntaxError struct {
	place
	message string
}

func (e *syntaxError) Error() string { return e.message }

// realm is a runtime in which one program is called again and again. All that a
// call could change is made anew for it: the program is evaluated again, and
// everything else is frozen.
type realm struct {
	*goja.Runtime
	unit   *unit
	load   goja.Callable // evaluates the program and gives its exports
	freeze goja.Callable
	seal   goja.Callable
	settle goja.Callable // does nothing; what promises have still to do is done when it returns
	at     int64
	log    logger
	view   []byte // the JSON view is of
	seen   goja.Value
	kept   kept
	calls  int
	broken bool // a call ended in the middle of something
}

// newRealm makes the runtime; prepare is realm.js, compiled.
func newRealm(prepare *goja.Program, u *unit) (*realm, error) {
	r := &realm{Runtime: goja.New(), unit: u}
	r.SetMaxCallStackSize(maxCalls)
	r.SetTimeSource(func() time.Time { return time.UnixMilli(r.at).UTC() })
	object := r.Get("Object").ToObject(r.Runtime)
	r.freeze, _ = goja.AssertFunction(object.Get("freeze"))
	r.seal, _ = goja.AssertFunction(object.Get("preventExtensions"))
	console := r.NewObject()
	for _, name := range []string{"log", "info", "warn", "error", "debug"} {
		if err := console.Set(name, r.write); err != nil {
			return nil, err
		}
	}
	if err := r.Set("console", console); err != nil {
		return nil, err
	}
	if err := r.setMath(); err != nil {
		return nil, err
	}
	r.settle, _ = goja.AssertFunction(r.ToValue(func(goja.FunctionCall) goja.Value { return goja.Undefined() }))
	if err := r.run(prepare, r.ToValue(r.sized)); err != nil {
		return nil, err
	}
	loader, err := r.RunProgram(u.code)
	if err != nil {
		return nil, err
	}
	r.load, _ = goja.AssertFunction(loader)
	return r, nil
}

// sized gives a function of arrays that refuses those with more elements, and is
// otherwise the one it is made of. It is not left to realm.js because scripts
// call such functions all the time.
func (r *realm) sized(given goja.FunctionCall) goja.Value {
	native, ok := given.Argument(0).Export().(func(goja.FunctionCall) goja.Value)
	if !ok {
		panic(r.NewTypeError("not a built-in function"))
	}
	name, most := given.Argument(1).String(), given.Argument(2).ToInteger()
	return r.ToValue(func(call goja.FunctionCall) goja.Value {
		if n := lengthOf(call.This); n > float64(most) {
			wrong, err := r.New(r.Get("RangeError"), r.ToValue(fmt.Sprintf("%s: %.0f elements are more than %d", name, n, most)))
			if err != nil {
				panic(err)
			}
			panic(wrong)
		}
		return native(call)
	})
}

func lengthOf(v goja.Value) float64 {
	switch v := v.(type) {
	case *goja.Object:
		if n := v.Get("length"); n != nil {
			return n.ToFloat()
		}
	case goja.String:
		return float64(v.Length())
	}
	return 0
}

// run calls the function a program is.
func (r *realm) run(p *goja.Program, arguments ...goja.Value) error {
	v, err := r.RunProgram(p)
	if err != nil {
		return err
	}
	f, _ := goja.AssertFunction(v)
	_, err = f(goja.Undefined(), arguments...)
	return err
}

// begin sets the clock and the dice of a call.
func (r *realm) begin(at int64, seed uint64) {
	r.calls++
	r.at, r.log = at, logger{}
	r.SetRandSource(rand.New(rand.NewPCG(seed, 0)).Float64)
}

// exports evaluates the program.
func (r *realm) exports() (*goja.Object, error) {
	v, err := r.load(goja.Undefined())
	if err != nil {
		return nil, err
	}
	if goja.IsUndefined(v) {
		return r.NewObject(), nil
	}
	return v.ToObject(r.Runtime), nil
}

// call runs a call; what it panics with is caught by the caller. What a getter in
// the answer leaves to promises is done as well: it would be done in the next
// call.
func (r *realm) call(c *Call) (value []byte, fault *Fault) {
	r.begin(c.At, c.Seed)
	value, fault = r.asked(c)
	if _, err := r.settle(goja.Undefined()); err != nil && fault == nil {
		return nil, r.thrown(err)
	}
	return value, fault
}

// asked is what the script makes of a call.
func (r *realm) asked(c *Call) (value []byte, fault *Fault) {
	exports, err := r.exports()
	if err != nil {
		return nil, r.thrown(err)
	}
	name := c.Export
	if name == "" {
		name = "default"
	}
	function, ok := goja.AssertFunction(exports.Get(name))
	if !ok {
		return nil, &Fault{Kind: FaultAnswer, File: r.unit.entry, Detail: "it exports no function " + name}
	}
	input, view, err := r.arguments(c)
	if err != nil {
		return nil, &Fault{Kind: FaultProcess, Detail: err.Error()}
	}
	answer, err := function(goja.Undefined(), input, view)
	if err != nil {
		return nil, r.thrown(err)
	}
	if answer, fault = r.settled(answer); fault != nil {
		return nil, fault
	}
	value, err = r.answer(answer)
	var wrong *answerError
	switch {
	case errors.As(err, &wrong):
		at := r.declared(exports.Get(name))
		return nil, &Fault{Kind: FaultAnswer, File: at.file, Line: at.line, Column: at.column, Detail: wrong.Error()}
	case err != nil:
		return nil, r.thrown(err)
	}
	return value, nil
}

// settled is what a promise has come to.
func (r *realm) settled(v goja.Value) (goja.Value, *Fault) {
	o, ok := v.(*goja.Object)
	if !ok || o.ExportType() != reflect.TypeFor[*goja.Promise]() {
		return v, nil
	}
	switch p := o.Export().(*goja.Promise); p.State() {
	case goja.PromiseStateFulfilled:
		return p.Result(), nil
	case goja.PromiseStateRejected:
		return nil, r.rejected(p.Result())
	}
	return nil, &Fault{Kind: FaultAnswer, File: r.unit.entry, Detail: "its promise never settles: nothing else happens during a call, so there is nothing to wait for"}
}

// place is somewhere in the author's files.
type place struct {
	file         string
	line, column int
}

// In a source map, and so in the positions of a runtime, columns begin with 0.

// within is the innermost frame of a stack that is the author's, or else of one
// of Omega's modules.
func (u *unit) within(stack []goja.StackFrame) (best place) {
	for i := range stack {
		at := stack[i].Position()
		path, ok := u.paths[at.Filename]
		if !ok {
			continue
		}
		if own := strings.HasPrefix(path, omegaPrefix) && path != u.entry; !own {
			return place{path, at.Line, at.Column + 1}
		} else if best.file == "" {
			best = place{path, at.Line, at.Column + 1}
		}
	}
	return best
}

// declared is where a function begins, found by its text.
func (r *realm) declared(v goja.Value) place {
	start := strings.Index(r.unit.text, v.String())
	if start < 0 {
		return place{file: r.unit.entry}
	}
	return r.unit.at(start)
}

// thrown makes a fault of what a call failed with. A limit that was passed says
// which it was.
func (r *realm) thrown(err error) *Fault {
	fault := &Fault{Kind: FaultThrown}
	var at place
	var interrupted *goja.InterruptedError
	var deep *goja.StackOverflowError
	var exception *goja.Exception
	switch {
	case errors.As(err, &interrupted):
		r.broken = true
		limit, _ := interrupted.Value().(*Fault)
		fault.Kind, fault.Detail = limit.Kind, limit.Detail
		at = r.unit.within(interrupted.Stack())
	case errors.As(err, &deep):
		r.broken = true
		fault.Detail = "functions call each other more than " + strconv.Itoa(maxCalls) + " deep"
		at = r.unit.within(deep.Stack())
	case errors.As(err, &exception):
		fault.Detail = r.words(exception.Value())
		at = r.unit.within(exception.Stack())
	default:
		fault.Detail = cutText(err.Error(), maxDetail)
	}
	fault.File, fault.Line, fault.Column = at.file, at.line, at.column
	return fault
}

// rejected makes a fault of why a promise was rejected. Of an error's stack only
// its text is left.
func (r *realm) rejected(reason goja.Value) *Fault {
	fault := &Fault{Kind: FaultThrown, File: r.unit.entry, Detail: r.words(reason)}
	o, ok := reason.(*goja.Object)
	if !ok {
		return fault
	}
	stack := ""
	if r.Try(func() { stack = o.Get("stack").String() }) != nil {
		return fault
	}
	for line := range strings.Lines(stack) {
		if at, ok := r.unit.traced(line); ok {
			fault.File, fault.Line, fault.Column = at.file, at.line, at.column
			break
		}
	}
	return fault
}

// traced reads a line of a stack: "\tat name (file:line:column(pc))".
func (u *unit) traced(line string) (at place, ok bool) {
	for name, path := range u.paths {
		i := strings.Index(line, name+":")
		if i < 0 || i > 0 && line[i-1] != ' ' && line[i-1] != '(' {
			continue
		}
		if n, _ := fmt.Sscanf(line[i+len(name):], ":%d:%d", &at.line, &at.column); n == 2 {
			at.file, at.column = path, at.column+1
			return at, true
		}
	}
	return place{}, false
}

// words is what a thrown value says.
func (r *realm) words(v goja.Value) (text string) {
	if v == nil {
		return "undefined"
	}
	if ex := r.Try(func() { text = v.String() }); ex != nil {
		text = "something that cannot be written as text"
	}
	return cutText(text, maxDetail)
}

// maxDetail bounds what is said of a fault, in bytes.
const maxDetail = 1 << 10

// cutText cuts a text at a rune so that it has no more than limit bytes.
func cutText(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	const more = "…"
	return strings.ToValidUTF8(s[:limit-len(more)], "") + more
}

// at is the place of a byte of the bundle.
func (u *unit) at(offset int) place {
	at := u.file.Position(offset)
	path, known := u.paths[at.Filename]
	if !known {
		return place{file: u.entry}
	}
	return place{path, at.Line, at.Column + 1}
}

// logger keeps what a call writes to its console.
type logger struct {
	lines []string
	size  int
	cut   bool
}

func (l *logger) add(line string) {
	if room := maxLog - l.size; len(line) > room {
		if l.cut {
			return
		}
		l.cut = true
		line = cutText(line, max(room, len("…")))
	}
	l.size += len(line) + 1
	l.lines = append(l.lines, line)
}

// write is console.log.
func (r *realm) write(call goja.FunctionCall) goja.Value {
	if r.log.cut {
		return goja.Undefined()
	}
	words := make([]string, len(call.Arguments))
	for i, v := range call.Arguments {
		words[i] = r.shown(v)
	}
	r.log.add(strings.Join(words, " "))
	return goja.Undefined()
}

// shown is a value as the console writes it: plain data as JSON.
func (r *realm) shown(v goja.Value) string {
	if o, ok := v.(*goja.Object); ok && o.ClassName() != "Error" {
		if b, err := r.answer(v); err == nil && json.Valid(b) {
			return cutText(string(b), maxLog)
		}
	}
	if s, ok := v.(goja.String); ok && s.Length() > maxLog {
		return cutText(s.Substring(0, maxLog).String(), maxLog)
	}
	return r.words(v)
}
