// Package wfcommons turns the recording of a workflow run, in WfFormat 1.5 of
// https://wfcommons.org, into a mission that runs it again: one job a task, with
// the recorded edges and run times.
//
// Nothing in a recording is trusted: it is bounded before it is parsed, every
// name in it is data, and what is wrong with it is said with the place.
package wfcommons

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
)

const (
	// MaxBytes bounds a recording: ten times what a mission may read, for most
	// of it is files and commands that the mission leaves out.
	MaxBytes = 64 << 20
	// Version of WfFormat that is read.
	Version = "1.5"

	maxSeconds = 1e9 // of one task, 30 years
	maxCores   = 1 << 10
	maxEdges   = 1_000_000 // a few files that many tasks write and read make as many as one likes
	maxName    = 1000      // bytes of an id, a title or a machine's name
	maxProgram = 64
)

// Recording is a workflow as it was run.
type Recording struct {
	Name     string // as recorded; may be empty
	Executed string // when, as recorded
	Makespan float64
	Tasks    []Task // by the bytes of their ids
	Machines []Machine
	Edges    int
	Timeless int // tasks without a recorded run time
}

// Task is one recorded task.
type Task struct {
	ID        string
	Title     string
	Program   string // the first word of its command; "" if there is none or it is a script
	Machine   string // the first it ran on
	WorkMs    int64  // its run time in milliseconds, at least 1
	Cores     int64  // at least 1
	MemoryMiB int64  // rounded up
	Needs     []string
}

// Machine is what tasks ran on.
type Machine struct {
	Name  string
	Cores int64
}

// document is the part of WfFormat that is read.
type document struct {
	Name          string `json:"name"`
	SchemaVersion string `json:"schemaVersion"`
	Workflow      *struct {
		Specification *struct {
			Tasks []specified `json:"tasks"`
		} `json:"specification"`
		Execution struct {
			Makespan float64    `json:"makespanInSeconds"`
			Executed string     `json:"executedAt"`
			Tasks    []executed `json:"tasks"`
			Machines []struct {
				Name string `json:"nodeName"`
				CPU  struct {
					Cores float64 `json:"coreCount"`
				} `json:"cpu"`
			} `json:"machines"`
		} `json:"execution"`
	} `json:"workflow"`
}

type specified struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Parents  *[]string `json:"parents"` // nil where the recording leaves them out
	Children []string  `json:"children"`
	Inputs   []string  `json:"inputFiles"`
	Outputs  []string  `json:"outputFiles"`
}

type executed struct {
	ID      string   `json:"id"`
	Seconds *float64 `json:"runtimeInSeconds"`
	Cores   float64  `json:"coreCount"`
	Memory  float64  `json:"memoryInBytes"`
	Command struct {
		Program string `json:"program"`
	} `json:"command"`
	Machines []string `json:"machines"`
}

// Parse reads a recording. The error says what is wrong with it, and where: a
// line and column, or the member.
func Parse(content []byte) (*Recording, error) {
	if len(content) > MaxBytes {
		return nil, fmt.Errorf("it has more than %d MiB: a recording of that size cannot be a mission", MaxBytes>>20)
	}
	if at := invalidUTF8(content); at >= 0 {
		return nil, fmt.Errorf("%s: not UTF-8", place(content, int64(at)))
	}
	var d document
	if err := json.Unmarshal(content, &d); err != nil {
		return nil, located(content, err)
	}
	switch {
	case d.SchemaVersion == "":
		return nil, fmt.Errorf("schemaVersion is missing: this is no WfFormat recording")
	case d.SchemaVersion != Version:
		return nil, fmt.Errorf("schemaVersion is %s: only WfFormat %s is read", quoted(d.SchemaVersion), Version)
	case d.Workflow == nil || d.Workflow.Specification == nil:
		return nil, fmt.Errorf("workflow.specification is missing")
	case len(d.Workflow.Specification.Tasks) == 0:
		return nil, fmt.Errorf("workflow.specification.tasks is empty: there is nothing to run")
	}
	r := &Recording{Name: d.Name, Executed: d.Workflow.Execution.Executed, Makespan: d.Workflow.Execution.Makespan}
	if err := r.take(&d); err != nil {
		return nil, err
	}
	slices.SortFunc(r.Tasks, func(a, b Task) int { return strings.Compare(a.ID, b.ID) })
	return r, nil
}

func (r *Recording) take(d *document) error {
	tasks := d.Workflow.Specification.Tasks
	at, err := r.identify(tasks)
	if err != nil {
		return err
	}
	if err := r.time(d.Workflow.Execution.Tasks, at); err != nil {
		return err
	}
	if err := r.housed(d); err != nil {
		return err
	}
	return r.connect(tasks, at)
}

// identify makes the tasks and says where each id is.
func (r *Recording) identify(tasks []specified) (at map[string]int, err error) {
	at = make(map[string]int, len(tasks))
	for i := range tasks {
		where := fmt.Sprintf("workflow.specification.tasks[%d]", i)
		id := normal(tasks[i].ID)
		switch {
		case id == "":
			return nil, fmt.Errorf("%s.id is missing", where)
		case len(id) > maxName:
			return nil, fmt.Errorf("%s.id has %d bytes: at most %d are possible", where, len(id), maxName)
		}
		if other, taken := at[id]; taken {
			return nil, fmt.Errorf("%s.id is %s, the id of tasks[%d] already", where, quoted(id), other)
		}
		at[id] = i
		r.Tasks = append(r.Tasks, Task{ID: id, Title: clip(or(tasks[i].Name, id), maxName), WorkMs: 1, Cores: 1})
	}
	return at, nil
}

// time adds what was measured.
func (r *Recording) time(tasks []executed, at map[string]int) error {
	r.Timeless = len(r.Tasks)
	seen := make(map[string]bool, len(tasks))
	for i, e := range tasks {
		where := fmt.Sprintf("workflow.execution.tasks[%d]", i)
		n, known := at[normal(e.ID)]
		switch {
		case !known:
			return fmt.Errorf("%s.id is %s: the specification has no such task", where, quoted(e.ID))
		case seen[normal(e.ID)]:
			return fmt.Errorf("%s.id is %s for the second time", where, quoted(e.ID))
		case e.Seconds != nil && (*e.Seconds < 0 || *e.Seconds > maxSeconds):
			return fmt.Errorf("%s.runtimeInSeconds is %v: it must be from 0 to %v", where, *e.Seconds, maxSeconds)
		case e.Cores < 0 || e.Cores > maxCores:
			return fmt.Errorf("%s.coreCount is %v: it must be from 0 to %v", where, e.Cores, maxCores)
		case e.Memory < 0 || e.Memory > math.MaxInt64/2:
			return fmt.Errorf("%s.memoryInBytes is %v: it must be 0 or more, and a possible size", where, e.Memory)
		}
		seen[normal(e.ID)] = true
		t := &r.Tasks[n]
		if e.Seconds != nil {
			t.WorkMs = max(1, int64(math.Round(*e.Seconds*1000)))
			r.Timeless--
		}
		t.Cores = max(1, int64(math.Ceil(e.Cores)))
		t.MemoryMiB = int64(math.Ceil(e.Memory / (1 << 20)))
		if words := strings.Fields(e.Command.Program); len(words) > 0 && !strings.Contains(e.Command.Program, "\n") {
			t.Program = clip(path.Base(words[0]), maxProgram)
		}
		if len(e.Machines) > 0 {
			t.Machine = clip(e.Machines[0], maxName)
		}
	}
	return nil
}

// housed lists the machines: those described, and those that only tasks name.
func (r *Recording) housed(d *document) error {
	at := map[string]int{}
	add := func(name string, cores int64) {
		name = clip(or(name, "machine"), maxName)
		if i, known := at[name]; known {
			r.Machines[i].Cores = max(r.Machines[i].Cores, cores)
			return
		}
		at[name] = len(r.Machines)
		r.Machines = append(r.Machines, Machine{name, cores})
	}
	for i, m := range d.Workflow.Execution.Machines {
		if m.CPU.Cores < 0 || m.CPU.Cores > math.MaxInt32 {
			return fmt.Errorf("workflow.execution.machines[%d].cpu.coreCount is %v: it must be 0 or more, and a possible number", i, m.CPU.Cores)
		}
		add(m.Name, min(maxCores, max(1, int64(m.CPU.Cores))))
	}
	for i := range r.Tasks {
		if m := r.Tasks[i].Machine; m != "" {
			add(m, 1)
		}
	}
	if len(r.Machines) == 0 {
		add("", 8)
	}
	slices.SortFunc(r.Machines, func(a, b Machine) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

// connect finds what each task needs: its recorded parents, whoever names it a
// child, and where parents were not recorded, whoever wrote a file it read.
func (r *Recording) connect(tasks []specified, at map[string]int) error {
	g := graph{at: at, needs: make([]map[int]bool, len(tasks))}
	writers := map[string][]int{}
	for i := range tasks {
		for _, file := range tasks[i].Outputs {
			writers[file] = append(writers[file], i)
		}
	}
	for i := range tasks {
		for n, id := range tasks[i].Children {
			child, err := g.find(i, "children", n, id)
			if err != nil {
				return err
			}
			if err := g.need(child, i); err != nil {
				return err
			}
		}
		if tasks[i].Parents == nil {
			if err := g.read(i, tasks[i].Inputs, writers); err != nil {
				return err
			}
			continue
		}
		for n, id := range *tasks[i].Parents {
			parent, err := g.find(i, "parents", n, id)
			if err != nil {
				return err
			}
			if err := g.need(i, parent); err != nil {
				return err
			}
		}
	}
	return r.order(g.needs)
}

// graph is which tasks need which, by their places in the recording.
type graph struct {
	at    map[string]int // by id
	needs []map[int]bool
	edges int
}

// need notes an edge. A task that reads what it wrote does not wait for itself.
func (g *graph) need(task, parent int) error {
	if task == parent || g.needs[task][parent] {
		return nil
	}
	if g.needs[task] == nil {
		g.needs[task] = map[int]bool{}
	}
	g.needs[task][parent] = true
	if g.edges++; g.edges > maxEdges {
		return fmt.Errorf("workflow.specification.tasks have more than %d edges: that many cannot be a mission", maxEdges)
	}
	return nil
}

// read notes that a task needs the writers of the files it read.
func (g *graph) read(task int, files []string, writers map[string][]int) error {
	for _, file := range files {
		for _, writer := range writers[file] {
			if err := g.need(task, writer); err != nil {
				return err
			}
		}
	}
	return nil
}

// find is the task that a member of task i names.
func (g *graph) find(i int, member string, n int, id string) (int, error) {
	other, known := g.at[normal(id)]
	switch {
	case !known:
		return 0, fmt.Errorf("workflow.specification.tasks[%d].%s[%d] is %s: no task has that id", i, member, n, quoted(id))
	case other == i:
		return 0, fmt.Errorf("workflow.specification.tasks[%d].%s[%d] is %s, the task itself", i, member, n, quoted(id))
	}
	return other, nil
}

// order writes the needs down, sorted, and refuses a circle.
func (r *Recording) order(needs []map[int]bool) error {
	left, ready, children := make([]int, len(needs)), []int(nil), make([][]int, len(needs))
	for i, parents := range needs {
		for parent := range parents {
			r.Tasks[i].Needs = append(r.Tasks[i].Needs, r.Tasks[parent].ID)
			children[parent] = append(children[parent], i)
		}
		slices.Sort(r.Tasks[i].Needs)
		r.Edges += len(parents)
		if left[i] = len(parents); left[i] == 0 {
			ready = append(ready, i)
		}
	}
	done := 0
	for ; len(ready) > 0; done++ {
		i := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		for _, child := range children[i] {
			if left[child]--; left[child] == 0 {
				ready = append(ready, child)
			}
		}
	}
	if done == len(needs) {
		return nil
	}
	return fmt.Errorf("workflow.specification.tasks: %s need each other in a circle", r.circle(needs, left))
}

// circle names the tasks of one circle, among those that never became ready.
func (r *Recording) circle(needs []map[int]bool, left []int) string {
	const shown = 5
	at := slices.IndexFunc(left, func(n int) bool { return n > 0 })
	var way []int
	for !slices.Contains(way, at) {
		way = append(way, at)
		next := -1
		for parent := range needs[at] { // the least, so that the message does not depend on the order of a map
			if left[parent] > 0 && (next < 0 || parent < next) {
				next = parent
			}
		}
		at = next
	}
	way = way[slices.Index(way, at):]
	var names []string
	for _, i := range way[:min(len(way), shown)] {
		names = append(names, quoted(r.Tasks[i].ID))
	}
	if len(way) > shown {
		names = append(names, fmt.Sprintf("and %d more", len(way)-shown))
	}
	return strings.Join(names, ", ")
}

// normal is a text as a mission file holds it: two ids that it could not tell
// apart are one.
func normal(text string) string { return cty.NormalizeString(text) }

// quoted is text of a recording within a message.
func quoted(text string) string { return strconv.Quote(clip(text, 80)) }

func or(text, otherwise string) string {
	if strings.TrimSpace(text) == "" {
		return otherwise
	}
	return text
}

// clip is a text of at most so many bytes.
func clip(text string, most int) string {
	if text = normal(text); len(text) <= most {
		return text
	}
	text = text[:most-len("…")]
	for !utf8.ValidString(text) {
		text = text[:len(text)-1]
	}
	return text + "…"
}

// located is an error of the JSON decoder with its place.
func located(content []byte, err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("%s: not JSON: %w", place(content, syntax.Offset-1), err)
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Errorf("%s: %s is a %s; WfFormat has another value there", place(content, kind.Offset-1), kind.Field, kind.Value)
	case errors.As(err, &kind):
		return fmt.Errorf("%s: this is JSON of type %s; a recording is an object", place(content, kind.Offset-1), kind.Value)
	}
	return err
}

// place is the line and column of a byte.
func place(content []byte, at int64) string {
	before := content[:max(0, min(at, int64(len(content))))]
	line := bytes.Count(before, []byte("\n"))
	return fmt.Sprintf("line %d, column %d", line+1, len(before)-bytes.LastIndexByte(before, '\n'))
}

func invalidUTF8(content []byte) int {
	if utf8.Valid(content) {
		return -1
	}
	for at := 0; ; {
		r, size := utf8.DecodeRune(content[at:])
		if r == utf8.RuneError && size <= 1 {
			return at
		}
		at += size
	}
}
