package hosttest

import (
	"encoding/json"
	"slices"
	"strings"
)

// jury is a validator block that asks a script, as the generation in force
// declares it.
type jury struct {
	Name, Kind, Fallback string
	Instances            []string
	Digest               string `json:"script_digest"`
}

// script is the name by which its faults are counted.
func (j *jury) script() string { return "validator." + j.Name }

func (j *jury) holds(id string) bool { return slices.Contains(j.Instances, id) }

// juriesInForce takes what a generation declares: a script that has changed has
// no faults, and what was said in rounds that are open may be another's.
func (b *book) juriesInForce(spec json.RawMessage) {
	var next struct{ Validators []jury }
	b.law(json.Unmarshal(spec, &next) == nil, "a spec nobody can read")
	all := slices.DeleteFunc(next.Validators, func(j jury) bool { return j.Kind != "script" })
	for _, old := range b.juries {
		i := slices.IndexFunc(all, func(j jury) bool { return j.Name == old.Name })
		if i >= 0 && all[i].Digest == old.Digest {
			continue
		}
		b.forgive(old.script())
		for _, j := range b.order {
			if i >= 0 && j.round != nil && j.round.outcome == "" {
				j.round.excused = true
			}
		}
	}
	b.juries = all
}

// forgive forgets the faults of a script.
func (b *book) forgive(name string) {
	delete(b.faults, name)
	delete(b.out, name)
	delete(b.outSince, name)
}

// heardJuries counts the faults of scripts in what has been revealed: one whose
// seats all abstain over a fault has failed once.
func (b *book) heardJuries(j *life, e *fact) {
	if b.broken != nil || j.round.excused {
		return
	}
	for i := range b.juries {
		one := &b.juries[i]
		seats, faults := 0, 0
		for _, v := range e.Votes {
			if !one.holds(j.round.seats[v.Seat].validator.id) {
				continue
			}
			if seats++; v.Vote == "abstain" && strings.HasPrefix(v.Reason, "script: ") {
				faults++
			}
		}
		switch name := one.script(); {
		case seats == 0 || b.out[name]:
		case faults == seats:
			b.faults[name]++
		default:
			delete(b.faults, name)
		}
	}
}

// suspended checks that a script was to be taken out.
func (b *book) suspended(e *fact) {
	name := strings.TrimPrefix(e.Script, "policy.")
	b.law(b.faults[name] == 5 && !b.out[name] && e.Faults == 5 && e.Fault != "", "%s is taken out after %d faults", e.Script, b.faults[name])
	fallback, known := "none", b.adviserOf(e.Script) != nil
	for _, p := range b.policies {
		if e.Script == "policy."+p.Name {
			fallback, known = p.Fallback, true
		}
	}
	for _, one := range b.juries {
		if e.Script == one.script() {
			fallback, known = one.Fallback, true
		}
	}
	if a := b.adviserOf(e.Script); a != nil && a.standIn != "" {
		fallback = "default"
	}
	b.law(known && fallback == e.Fallback, "%s falls back to %s", e.Script, e.Fallback)
	b.out[name], b.outSince[name] = true, b.seq
}
