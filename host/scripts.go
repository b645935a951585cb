package host

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/missionfile"
	"github.com/omega-run/omega/host/script"
	"github.com/omega-run/omega/host/worker"
)

// engineFor says who waits for whom: what is asked of one engine may stand
// behind what else is.
type engineFor int

const (
	forPolicies engineFor = iota // they hold up what has already been decided
	forStewards
	forWork // validators and workers, which may take a minute
	engines
)

// scripts has scripts run, each kind of them by an engine of its own. An engine
// is made when something is first asked of it.
type scripts struct {
	make    func() script.Engine
	patient bool // of a rehearsal: what depends on the machine is tried again

	mu    sync.Mutex
	each  [engines]script.Engine
	limit error // the first limit of the machine that a rehearsal has met
}

// Bundle makes a program, so that a mission file is read by the engine of the host
// that runs it: a script that has not changed is not bundled again.
func (e *scripts) Bundle(ctx context.Context, entry string, read func(string) ([]byte, error)) (*script.Program, []script.Problem) {
	return e.engine(forWork).Bundle(ctx, entry, read)
}

// Call runs a call.
func (e *scripts) Call(ctx context.Context, call script.Call) script.Answer {
	return e.engine(forWork).Call(ctx, call)
}

func (e *scripts) engine(to engineFor) script.Engine {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.each[to] == nil {
		e.each[to] = e.make()
	}
	return e.each[to]
}

// close ends the engines that can be ended.
func (e *scripts) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, engine := range e.each {
		if c, ok := engine.(interface{ Close() }); ok {
			c.Close()
		}
	}
}

// engineGrace is what an engine is given beyond the timeout of a call: a script
// is ended by its engine, and an engine that does not answer is left.
const engineGrace = 3 * time.Second

// call has a script called and always comes back: whatever becomes of the
// engine, the host goes on. A rehearsal gives what has met a limit of the machine
// ten times the allowance, once; after that it cannot go on.
func (e *scripts) call(ctx context.Context, to engineFor, call *script.Call) script.Answer {
	answer := e.once(ctx, to, call)
	if !e.patient || answer.Fault == nil || !answer.Fault.Machine() || ctx.Err() != nil {
		return answer
	}
	again := *call
	again.Timeout, again.Memory = 10*call.Timeout, 10*call.Memory
	answer = e.once(ctx, to, &again)
	if answer.Fault != nil && answer.Fault.Machine() && ctx.Err() == nil {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.limit == nil {
			e.limit = fmt.Errorf("%w: with ten times its allowance, %s and %d bytes: %s", ErrMachine, again.Timeout, again.Memory, faultText(call.Program, answer.Fault))
		}
	}
	return answer
}

// broken is the limit of this machine that a rehearsal has met, nil if none.
func (e *scripts) broken() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.limit
}

func (e *scripts) once(ctx context.Context, to engineFor, call *script.Call) script.Answer {
	if call.Program == nil {
		return script.Answer{Fault: &script.Fault{Kind: script.FaultProcess, Detail: "the script is not there any more"}}
	}
	ctx, cancel := context.WithTimeout(ctx, call.Timeout+engineGrace)
	defer cancel()
	said := make(chan script.Answer, 1)
	engine := e.engine(to)
	go func() { said <- engine.Call(ctx, *call) }()
	select {
	case answer := <-said:
		return answer
	case <-ctx.Done():
		return script.Answer{Fault: &script.Fault{Kind: script.FaultProcess, Detail: "the process that runs it does not answer"}}
	}
}

// maxFault bounds a fault in the record, in bytes.
const maxFault = 500

// faultText says in a line where a script went wrong and why: scripts/x.js:12:
// text.
func faultText(p *script.Program, f *script.Fault) string {
	file := f.File
	if file == "" && p != nil {
		file = p.Entry
	}
	if f.Line > 0 {
		file = fmt.Sprintf("%s:%d", file, f.Line)
	}
	return oneLine(file+": "+f.Detail, maxFault)
}

// oneLine is text in one line of at most so many bytes. What steers a terminal,
// or turns the direction of writing, is not text: scripts say what is recorded,
// and it is read everywhere.
func oneLine(text string, most int) string {
	const ellipsis = "…"
	steers := func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	}
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "�"), steers), " ")
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most-len(ellipsis)], "") + ellipsis
}

// seedOf is what Math.random of a call is drawn from: the same for the same call,
// on every machine.
func seedOf(s *core.State, script, hook, subject string, seq int64) uint64 {
	b := make([]byte, 0, 256)
	field := func(text string) {
		b = binary.BigEndian.AppendUint64(b, uint64(len(text)))
		b = append(b, text...)
	}
	number := func(n int64) { field(string(binary.BigEndian.AppendUint64(nil, uint64(n)))) }
	field("omega.call/v1")
	number(s.Spec().Mission.Seed)
	field(script)
	field(hook)
	field(subject)
	number(seq)
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:])
}

// callOf is a call of a script as a block of the mission file names it. Its
// program is that of the generation in force, or of the one that a worker or a
// validator comes from.
func (d *desk) callOf(spec *core.ScriptSpec, input, view []byte, at core.Time, seed uint64) script.Call {
	return script.Call{
		Program: d.missions.program(spec).Program, Input: input, View: view, At: int64(at), Seed: seed,
		Timeout: time.Duration(spec.Timeout) * time.Millisecond, Memory: spec.Memory,
	}
}

// program is a bundled script and what it asks for as a steward.
type program struct {
	*script.Program
	queries []script.Query
}

// learnScripts remembers the scripts of a mission file, also of one that is about
// to be put in force: its policies may be asked in the very entry that does it.
// What a worker runs that an edit has removed is still there.
func (m *missions) learnScripts(mission *missionfile.Mission) {
	if m.programs == nil {
		m.programs = map[core.Digest]program{}
	}
	for _, block := range blocksOf(mission.Spec()) {
		if p := mission.Program(block.Path); p != nil {
			m.programs[p.Digest] = program{p, mission.Queries(block.Path)}
		}
	}
}

// blocksOf are all scripts that a mission file names.
func blocksOf(s *core.Spec) (all []*core.ScriptSpec) {
	for i := range s.Policies {
		all = append(all, &s.Policies[i].Script)
	}
	if s.Guardian != nil {
		all = append(all, &s.Guardian.Script)
		if own := s.Guardian.StandIn(); own != nil {
			all = append(all, own)
		}
	}
	for i := range s.Strategists {
		all = append(all, &s.Strategists[i].Script)
	}
	for i := range s.Validators {
		all = append(all, &s.Validators[i].Script)
	}
	for i := range s.Workers {
		all = append(all, &s.Workers[i].Script)
	}
	return slices.DeleteFunc(all, func(b *core.ScriptSpec) bool { return b.Path == "" })
}

// program finds the bundled script that a block means.
func (m *missions) program(block *core.ScriptSpec) program {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.programs[block.Digest]
}

// allQueries are those of all stewards.
func (m *missions) allQueries(s *core.Spec) (all []script.Query) {
	if s.Guardian != nil {
		all = slices.Clone(m.program(&s.Guardian.Script).queries)
		if own := s.Guardian.StandIn(); own != nil {
			all = append(all, m.program(own).queries...)
		}
	}
	for i := range s.Strategists {
		all = append(all, m.program(&s.Strategists[i].Script).queries...)
	}
	return all
}

// loadScripts makes sure of the programs that a state names. It comes before
// anything is decided: those of workers that an edit has removed are in the
// generation that still had them.
func (m *missions) loadScripts(s *core.State) error {
	wanted := blocksOf(s.Spec())
	s.Workers(func(w *core.Worker) bool {
		if block := &w.Spec().Script; w.Draining && block.Path != "" && !slices.Contains(wanted, block) {
			wanted = append(wanted, block)
		}
		return true
	})
	for _, block := range wanted {
		for g := s.Generation(); g > 0 && m.program(block).Program == nil; g-- {
			if _, err := m.of(g); err != nil {
				return err
			}
		}
	}
	return nil
}

// allSecrets are the values that may stand in no record.
func (m *missions) allSecrets() (all []worker.Secret) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(m.secrets)) {
		all = append(all, worker.Secret{Name: name, Value: m.secrets[name]})
	}
	return all
}
