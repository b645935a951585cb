package missionfile

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/omega-run/omega/host/core"
)

// Changes is what an edit changes: the file before it compared with the next
// one. What the mission has made of either is not looked at.
type Changes struct {
	List      []Change
	Removed   []string // job instances that are no longer declared, in the order of the file before
	Drained   []string // worker and validator instances that are not, in the same order
	Redefined []string // job instances that both declare, with other terms or expressions, in the order of the next file
}

// Change is one difference, in words.
type Change struct {
	What   string       `json:"what"` // added, removed, changed
	Kind   string       `json:"kind"` // setting, variable, account, policy, guardian, strategist, worker, validator, job, source
	Name   string       `json:"name"`
	Detail []string     `json:"detail,omitempty"` // what differs, as in "reward 10 → 20"; of several instances, in the first of them
	Count  int          `json:"count,omitempty"`  // instances, of jobs, workers and validators
	Names  []string     `json:"names,omitempty"`  // their ids, the first maxNamed of them
	Effect core.Changes `json:"effect"`           // what it reaches: everything at once, jobs not yet posted, or nothing, because it is refused
}

// What a change is.
const (
	Added   = "added"
	Removed = "removed"
	Changed = "changed"
)

// maxNamed bounds how many instances one change names.
const maxNamed = 1000

// Compare lists what the next file changes of the one before; nil is no file, to
// which everything but a setting is added.
func Compare(before, next *Mission) *Changes {
	c := &Changes{}
	if before == nil {
		before = &Mission{src: &sourceSet{}}
	} else {
		c.settings(&before.spec, &next.spec)
	}
	c.variables(before, next)
	c.accounts(before, next)
	c.scripts(&before.spec, &next.spec)
	c.members(&before.spec, &next.spec)
	c.jobs(before, next)
	c.sources(before.Sources(), next.Sources())
	return c
}

func (c *Changes) add(change Change) { c.List = append(c.List, change) }

// ids adds a change of instances.
func (c *Changes) ids(what, kind, name string, ids []string, effect core.Changes, detail ...string) {
	if len(ids) > 0 {
		c.add(Change{What: what, Kind: kind, Name: name, Detail: detail, Count: len(ids), Names: ids[:min(len(ids), maxNamed)], Effect: effect})
	}
}

func (c *Changes) settings(before, next *core.Spec) {
	for _, change := range core.Plan(before, next) {
		effect := change.Changes
		if change.Setting == "governance.committee" && (before.Governance.Committee == 0) != (next.Governance.Committee == 0) {
			effect = core.Never // the council cannot be turned on or off
		}
		c.add(Change{What: Changed, Kind: "setting", Name: change.Setting, Detail: []string{became(change.From, change.To)}, Effect: effect})
	}
	for _, s := range core.Settings() {
		if s.Kind != core.KindNames {
			continue // Plan has compared it
		}
		if from, to := written(s, before), written(s, next); from != to {
			c.add(Change{What: Changed, Kind: "setting", Name: s.Block + "." + s.Name, Detail: []string{became(from, to)}, Effect: s.Changes})
		}
	}
}

// pairs calls visit for everything that one of two lists holds, in the order of
// the next one and then of the one before; nil stands for what is not there.
func pairs[T any](before, next []T, name func(*T) string, visit func(name string, before, next *T)) {
	was := make(map[string]*T, len(before))
	for i := range before {
		was[name(&before[i])] = &before[i]
	}
	for i := range next {
		id := name(&next[i])
		visit(id, was[id], &next[i])
		delete(was, id)
	}
	for i := range before {
		if id := name(&before[i]); was[id] != nil {
			visit(id, was[id], nil)
		}
	}
}

// one adds the change of one thing that has a name; detail is asked where both
// files have it.
func one[T any](c *Changes, kind, name string, before, next *T, detail func() ([]string, core.Changes)) {
	switch {
	case before == nil:
		c.add(Change{What: Added, Kind: kind, Name: name, Effect: core.Now})
	case next == nil:
		c.add(Change{What: Removed, Kind: kind, Name: name, Effect: core.Now})
	default:
		if words, effect := detail(); len(words) > 0 {
			c.add(Change{What: Changed, Kind: kind, Name: name, Detail: words, Effect: effect})
		}
	}
}

func (c *Changes) variables(before, next *Mission) {
	pairs(before.Variables(), next.Variables(), func(v *core.Variable) string { return v.Name }, func(name string, a, b *core.Variable) {
		one(c, "variable", name, a, b, func() ([]string, core.Changes) {
			switch {
			case a.Sensitive != b.Sensitive:
				return []string{became(fmt.Sprint("sensitive ", a.Sensitive), fmt.Sprint(b.Sensitive))}, core.Now
			case !bytes.Equal(a.Value, b.Value):
				return []string{became(string(a.Value), string(b.Value))}, core.Now
			}
			return nil, core.Now
		})
	})
}

// accounts leaves out those of stewards, which show as their budgets.
func (c *Changes) accounts(before, next *Mission) {
	declared := func(m *Mission) []core.AccountSpec {
		return slices.DeleteFunc(slices.Clone(m.spec.Accounts), func(a core.AccountSpec) bool { return m.steward(a.Name) })
	}
	pairs(declared(before), declared(next), func(a *core.AccountSpec) string { return a.Name }, func(name string, a, b *core.AccountSpec) {
		one(c, "account", name, a, b, func() ([]string, core.Changes) {
			words, _ := differences(core.AccountSettings(), a, b, "account")
			return words, core.Now // it gets the difference, or gives it back
		})
	})
}

func (c *Changes) scripts(before, next *core.Spec) {
	pairs(before.Policies, next.Policies, func(p *core.PolicySpec) string { return p.Name }, func(name string, a, b *core.PolicySpec) {
		one(c, "policy", name, a, b, func() ([]string, core.Changes) {
			words, _ := differences(core.PolicySettings(), a, b, "policy")
			return append(words, scriptDifferences(&a.Script, &b.Script)...), core.Now
		})
	})
	if a, b := before.Guardian, next.Guardian; a != nil || b != nil {
		one(c, "guardian", core.GuardianName, a, b, func() ([]string, core.Changes) {
			words, _ := differences(core.GuardianSettings(), a, b, "guardian")
			return append(words, scriptDifferences(&a.Script, &b.Script)...), core.Now
		})
	}
	pairs(before.Strategists, next.Strategists, func(s *core.StrategistSpec) string { return s.Name }, func(name string, a, b *core.StrategistSpec) {
		one(c, "strategist", name, a, b, func() ([]string, core.Changes) {
			words, _ := differences(core.StrategistSettings(), a, b, "strategist")
			return append(words, scriptDifferences(&a.Script, &b.Script)...), core.Now
		})
	})
}

func (c *Changes) members(before, next *core.Spec) {
	workers(c, "worker", before.Workers, next.Workers, func(w *core.WorkerSpec) (string, []string) { return w.Name, w.Instances }, workerDifferences)
	workers(c, "validator", before.Validators, next.Validators, func(v *core.ValidatorSpec) (string, []string) { return v.Name, v.Instances }, validatorDifferences)
	still := map[string]bool{}
	for _, id := range staff(next) {
		still[id] = true
	}
	for _, id := range staff(before) {
		if !still[id] {
			c.Drained = append(c.Drained, id)
		}
	}
}

func staff(s *core.Spec) (ids []string) {
	for i := range s.Workers {
		ids = append(ids, s.Workers[i].Instances...)
	}
	for i := range s.Validators {
		ids = append(ids, s.Validators[i].Instances...)
	}
	return ids
}

// workers compares pools by their instances: a pool whose instances have come to
// differ is several, and nobody has left.
func workers[T any](c *Changes, kind string, before, next []T, of func(*T) (string, []string), differ func(a, b *T) ([]string, core.Changes)) {
	was := map[string]*T{}
	for i := range before {
		_, ids := of(&before[i])
		for _, id := range ids {
			was[id] = &before[i]
		}
	}
	for i := range next {
		var added []string
		changed := map[*T][]string{}
		name, ids := of(&next[i])
		for _, id := range ids {
			if was[id] == nil {
				added = append(added, id)
			} else {
				changed[was[id]] = append(changed[was[id]], id)
			}
			delete(was, id)
		}
		c.ids(Added, kind, name, added, core.Now)
		for j := range before {
			if ids := changed[&before[j]]; len(ids) > 0 {
				if words, effect := differ(&before[j], &next[i]); len(words) > 0 {
					c.ids(Changed, kind, name, ids, effect, words...)
				}
			}
		}
	}
	for i := range before {
		name, ids := of(&before[i])
		gone := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return was[id] == nil })
		c.ids(Removed, kind, name, gone, core.Now)
	}
}

func workerDifferences(a, b *core.WorkerSpec) ([]string, core.Changes) {
	if a.Kind != b.Kind {
		return []string{"kind " + became(string(a.Kind), string(b.Kind))}, core.NewJobs
	}
	words, effect := differences(core.WorkerSettings(), a, b, "worker", "worker."+string(a.Kind))
	if !slices.Equal(a.HTTP.Headers, b.HTTP.Headers) {
		words = append(words, "headers")
	}
	if !slices.Equal(*a.Secrets(), *b.Secrets()) {
		words = append(words, "secrets")
	}
	more := scriptDifferences(&a.Script, &b.Script)
	if len(more) > 0 {
		effect = core.Now
	}
	return append(words, more...), effect
}

func validatorDifferences(a, b *core.ValidatorSpec) ([]string, core.Changes) {
	if a.Kind != b.Kind {
		return []string{"kind " + became(string(a.Kind), string(b.Kind))}, core.Now
	}
	words, _ := differences(core.ValidatorSettings(), a, b, "validator", "validator."+string(a.Kind))
	if !slices.Equal(a.Exec.Secrets, b.Exec.Secrets) {
		words = append(words, "secrets")
	}
	return append(words, scriptDifferences(&a.Script, &b.Script)...), core.Now
}

// differences are the settings of some blocks that differ, and the most any of
// them reaches.
func differences(table []core.Setting, a, b any, blocks ...string) (words []string, effect core.Changes) {
	effect = core.NewJobs
	for _, s := range table {
		if !slices.Contains(blocks, s.Block) {
			continue
		}
		if from, to := written(s, a), written(s, b); from != to {
			words = append(words, s.Name+" "+became(from, to))
			if s.Changes == core.Now {
				effect = core.Now
			}
		}
	}
	return words, effect
}

// scriptDifferences are those the table does not hold.
func scriptDifferences(a, b *core.ScriptSpec) (words []string) {
	if !bytes.Equal(a.Params, b.Params) {
		words = append(words, "params "+became(string(a.Params), string(b.Params)))
	}
	if a.Path == b.Path && a.Digest != b.Digest {
		words = append(words, "what "+b.Path+" says")
	}
	return words
}

// written is a setting as people write it.
func written(s core.Setting, target any) string {
	if s.Kind == core.KindNames {
		return strings.Join(*s.At(target).(*[]string), " ")
	}
	return s.Format(target)
}

// became is "from → to", each cut where it is long.
func became(from, to string) string { return few(from) + " → " + few(to) }

// maxShown is as much of a value as a change shows.
const maxShown = 60

func few(text string) string {
	text = oneLine(text)
	if text == "" {
		return "nothing"
	}
	if len(text) > maxShown {
		return strings.ToValidUTF8(text[:maxShown], "") + "…"
	}
	return text
}

func (c *Changes) sources(before, next []Source) {
	pairs(before, next, func(s *Source) string { return s.Path }, func(path string, a, b *Source) {
		one(c, "source", path, a, b, func() ([]string, core.Changes) {
			if a.Digest == b.Digest {
				return nil, core.Now
			}
			return []string{fmt.Sprintf("%d → %d bytes", len(a.Bytes), len(b.Bytes))}, core.Now
		})
	})
}
