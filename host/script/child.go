package script

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/dop251/goja"
)

// A child is this binary started as `omega __script MEMORY`. It reads frames on
// descriptor 0 and writes them on 1; what the Go runtime says when it ends the
// process goes to 2, and 3 is memory shared with the host. It ends when its input
// does.
const (
	childArg = "__script"
	sharedFD = 3
)

const (
	// maxStack bounds the stack of Go that nested sources and values are read on.
	maxStack = 128 << 20
	// maxUses is after how many calls a runtime is made anew.
	maxUses = 10000
	// someCalls is after how many calls it is seen what they have left.
	someCalls = 16
	// slow is a call that may have left something to collect.
	slow = 5 * time.Millisecond
)

// Child must be called first in the main function of every program that runs
// scripts (in a test: in TestMain). In a process that a Runner started it does
// that and exits; in any other it returns at once.
func Child() {
	if len(os.Args) < 2 || os.Args[1] != childArg {
		return
	}
	memory := int64(0)
	if len(os.Args) > 2 {
		memory, _ = strconv.ParseInt(os.Args[2], 10, 64)
	}
	memoryFile := os.NewFile(sharedFD, "shared")
	shared, err := mapShared(memoryFile)
	if err != nil || memory <= 0 {
		os.Stderr.WriteString("omega " + childArg + " is started by omega itself\n")
		syscall.Exit(2)
	}
	memoryFile.Close()
	runtime.GOMAXPROCS(2) // the script, and who watches it
	debug.SetMaxStack(maxStack)
	debug.SetGCPercent(400) // its heap is small, and a call leaves nothing
	debug.SetMemoryLimit(memory + memory/2)
	time.Local = time.UTC
	confine(memory)
	c := &child{
		frames: make(chan *fields), out: bufio.NewWriterSize(os.NewFile(1, "answers"), 64<<10), shared: shared,
		prepare: goja.MustCompile(realmName, realmText, true), units: map[uint64]*unit{}, realms: map[uint64]*realm{},
	}
	c.watch = newWatch(shared, c.flush)
	go c.listen()
	go c.watch.run()
	c.serve()
}

// child is one process that runs scripts.
type child struct {
	frames  chan *fields
	mu      sync.Mutex // of out: a slow call does not keep back the answers before it
	out     *bufio.Writer
	shared  *shared
	prepare *goja.Program
	units   map[uint64]*unit
	realms  map[uint64]*realm
	watch   *watch
}

// listen reads frames; at the end of them, which is that of the host, the
// process ends whatever it is doing.
func (c *child) listen() {
	in := bufio.NewReaderSize(os.NewFile(0, "calls"), 64<<10)
	for {
		f, err := readFrame(in)
		if err != nil {
			syscall.Exit(0)
		}
		c.frames <- f
	}
}

func (c *child) serve() {
	for f := range c.frames {
		switch f.kind {
		case frameProgram:
			c.learn(f)
		case frameCalls:
			c.run(f)
		case frameBundle:
			c.bundle(f.text())
		}
	}
}

func (c *child) write(frame []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.out.Write(frame); err != nil {
		syscall.Exit(0)
	}
}

func (c *child) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out.Flush() != nil {
		syscall.Exit(0)
	}
}

// learn reads a program and makes its runtime, before a call's time runs.
func (c *child) learn(f *fields) {
	id, entry, text, paths := f.unsigned(), f.text(), f.text(), f.texts()
	u, err := compile(entry, text, paths)
	if err != nil {
		return // calls of it say so
	}
	c.units[id] = u
	_, _ = c.realm(id)
}

// realm is the runtime of a program.
func (c *child) realm(id uint64) (*realm, error) {
	if r := c.realms[id]; r != nil && r.calls < maxUses {
		return r, nil
	}
	u := c.units[id]
	if u == nil {
		return nil, errors.New("the program cannot be read")
	}
	r, err := newRealm(c.prepare, u)
	if err == nil {
		c.realms[id] = r
		c.watch.settle()
	}
	return r, err
}

// run runs calls one after another, until the host has given those that are left
// to somebody else.
func (c *child) run(f *fields) {
	var view []byte
	for range f.unsigned() {
		serial, id := f.unsigned(), f.unsigned()
		call := Call{Export: f.text(), Input: f.bytes()}
		if same := len(f.rest) > 0 && f.rest[0] == 1; same {
			f.skip(1)
		} else {
			f.skip(1)
			view = f.bytes()
		}
		call.View, call.At, call.Seed = view, f.number(), f.unsigned()
		call.Timeout, call.Memory = time.Duration(f.number()), f.number()
		if f.bad || c.shared.stopped() {
			break
		}
		c.write(newFrame(frameAnswer).appendAnswer(serial, c.call(serial, id, &call)).done())
	}
	c.write(newFrame(frameDone).done())
	c.flush()
}

// call runs one call within its limits.
func (c *child) call(serial, id uint64, call *Call) (a Answer) {
	r, err := c.realm(id)
	if err != nil {
		return Answer{Fault: &Fault{Kind: FaultProcess, Detail: err.Error()}}
	}
	c.watch.begin(serial, r, call)
	started := time.Now()
	a.Value, a.Fault = attempt(r, func() ([]byte, *Fault) { return r.call(call) })
	a.Log = r.log.lines
	limit := c.watch.end()
	switch {
	case limit != nil && (a.Fault == nil || a.Fault.Machine()):
		if a.Fault == nil {
			a = Answer{Log: a.Log, Fault: limit} // too late is too late
		}
		r.broken = true
	case (r.calls%someCalls == 0 || time.Since(started) > slow) && c.watch.grown():
		r.broken = true // what it has left might be held against another call
	}
	if r.log.lines = nil; r.broken {
		delete(c.realms, id)
	}
	return a
}

// attempt runs a function with a runtime. What no script can catch is a fault,
// and the end of the runtime.
func attempt(r *realm, f func() ([]byte, *Fault)) (value []byte, fault *Fault) {
	defer func() {
		x := recover()
		if x == nil {
			return
		}
		r.broken = true
		err, ok := x.(error)
		var interrupted *goja.InterruptedError
		var deep *goja.StackOverflowError
		if ok && (errors.As(err, &interrupted) || errors.As(err, &deep)) {
			fault = r.thrown(err)
			return
		}
		at := r.unit.within(r.CaptureCallStack(0, nil))
		fault = &Fault{Kind: FaultProcess, File: at.file, Line: at.line, Column: at.column, Detail: cutText(fmt.Sprint(x), maxDetail)}
	}()
	return f()
}

// bundle makes a program and loads it once.
func (c *child) bundle(entry string) {
	var mu sync.Mutex
	read := map[string]func() ([]byte, error){}
	b := bundler{entry: entry, read: func(path string) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		if read[path] == nil {
			bytes, err := c.ask(path)
			read[path] = func() ([]byte, error) { return bytes, err }
		}
		return read[path]()
	}}
	code, problems := b.bundle()
	if len(code) > maxBundle {
		problems = []Problem{{File: entry, Summary: "the script is too large", Detail: fmt.Sprintf("Bundled it has %d bytes, at most %d are run: move data into the mission file's params, and nest less.", len(code), maxBundle)}}
	}
	reply := bundled{Problems: problems[:min(len(problems), maxProblems)], Code: code}
	if len(problems) > 0 {
		reply.Code = ""
	}
	if len(problems) == 0 {
		paths := ownNames()
		for path, answer := range read {
			if _, err := answer(); err == nil {
				paths = append(paths, path)
			}
		}
		slices.Sort(paths)
		reply.Paths = slices.Compact(paths)
		c.try(entry, &reply)
	}
	text, _ := json.Marshal(reply)
	c.write(newFrame(frameBundled).bytes(text).done())
	c.flush()
}

// ask gets a file from the host.
func (c *child) ask(path string) ([]byte, error) {
	c.write(newFrame(frameRead).text(path).done())
	c.flush()
	f := <-c.frames
	switch why := f.text(); why {
	case "":
		return f.bytes(), nil
	case errNoFile.Error():
		return nil, errNoFile
	default:
		return nil, errors.New(why)
	}
}

// bundled is what a child says of a script.
type bundled struct {
	Problems []Problem
	Code     string
	Paths    []string
	Exports  []string
	Queries  json.RawMessage `json:",omitempty"` // nil comes back as nil
}

// loadTime is how long a script may take to be evaluated when it is bundled.
const loadTime = 2 * time.Second

// try evaluates a script as a call would.
func (c *child) try(entry string, b *bundled) {
	u, err := compile(entry, b.Code, b.Paths)
	var wrong *syntaxError
	if errors.As(err, &wrong) {
		b.Problems = []Problem{{File: wrong.file, Line: wrong.line, Column: wrong.column, Summary: "this cannot be read", Detail: wrong.message}}
		return
	}
	if err != nil {
		b.Problems = []Problem{{File: entry, Summary: "the script cannot be read", Detail: cutText(err.Error(), maxDetail)}}
		return
	}
	r, err := newRealm(c.prepare, u)
	if err != nil {
		b.Problems = []Problem{{File: entry, Summary: "the script cannot be read", Detail: cutText(err.Error(), maxDetail)}}
		return
	}
	c.watch.settle()
	c.watch.begin(1, r, &Call{Timeout: loadTime, Memory: bundleMemory})
	_, fault := attempt(r, func() ([]byte, *Fault) { return nil, r.inspect(b) })
	c.watch.end()
	if fault != nil {
		b.Problems = []Problem{{File: or(fault.File, entry), Line: fault.Line, Column: fault.Column, Summary: "the script fails when it is loaded", Detail: fault.Detail}}
	}
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// inspect reads what a script exports.
func (r *realm) inspect(b *bundled) *Fault {
	r.begin(0, 0)
	exports, err := r.exports()
	if err != nil {
		return r.thrown(err)
	}
	b.Exports = exports.Keys()
	slices.Sort(b.Exports)
	if _, ok := goja.AssertFunction(exports.Get("default")); !ok {
		b.Problems = append(b.Problems, Problem{File: r.unit.entry, Summary: "no function is exported as default", Detail: "Omega calls the default export: export default function (input, view) { return … }"})
	}
	queries := exports.Get("queries")
	if queries == nil {
		return nil
	}
	if o, ok := queries.(*goja.Object); !ok || o.ExportType().Kind() != reflect.Map {
		b.Problems = append(b.Problems, Problem{File: r.unit.entry, Summary: "queries is not an object", Detail: `It gives each query a name: export const queries = { late: { from: "jobs" } }.`})
		return nil
	}
	b.Queries, err = r.answer(queries)
	if err != nil {
		b.Problems = append(b.Problems, Problem{File: r.unit.entry, Summary: "queries cannot be used", Detail: cutText(err.Error(), maxDetail)})
	}
	return nil
}
