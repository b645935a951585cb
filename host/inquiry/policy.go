package inquiry

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/omega-run/omega/host/core"
)

// PolicyStory is what `omega explain POLICY` writes, schema
// omega.explain.policy/v1.
type PolicyStory struct {
	Schema     string       `json:"schema"`
	Mission    string       `json:"mission"`
	Seq        core.Seq     `json:"seq"` // the entry all of this is as of
	At         core.Time    `json:"at"`
	Policy     string       `json:"policy"`
	Script     ScriptOf     `json:"script"` // as it is, or last was, in force
	On         []string     `json:"on"`     // the hooks it is asked about
	Mode       string       `json:"mode"`   // enforce, shadow
	Suspended  *SuspendedOf `json:"suspended"`
	Counts     VerdictCount `json:"counts"`
	ByHook     []HookCount  `json:"by_hook"`
	ByVersion  []HookCount  `json:"by_version"` // of its script, the first first
	LastFaults []*FaultOf   `json:"faults"`     // the last ones, oldest first
	Verdicts   []*SayingOf  `json:"verdicts"`   // the last ones, oldest first
}

// ScriptOf is a script of the mission file.
type ScriptOf struct {
	Path       string `json:"path"`
	Digest     string `json:"digest"`     // hex
	Generation int64  `json:"generation"` // from which on it is in force with this digest
	InForce    bool   `json:"in_force"`   // the mission file still names it
	Fallback   string `json:"fallback"`   // what is said in its place once it keeps failing
}

// SuspendedOf says since when a script is not asked any more.
type SuspendedOf struct {
	At     core.Time `json:"at"`
	Faults int64     `json:"faults"` // in a row
	Fault  string    `json:"fault"`  // the last
}

// VerdictCount counts what a policy said.
type VerdictCount struct {
	Asked  int64 `json:"asked"`
	Allow  int64 `json:"allow"`
	Ask    int64 `json:"ask"`
	Deny   int64 `json:"deny"`
	Faults int64 `json:"faults"` // its fallback was said then, and is counted too
	Shadow int64 `json:"shadow"` // of all, those that did not count
}

// HookCount is the same for one hook, or one version of the script.
type HookCount struct {
	Key string `json:"key"` // the hook, or the digest in hex
	VerdictCount
}

// FaultOf is a call that gave no answer, with the author's file and line.
type FaultOf struct {
	Seq  core.Seq  `json:"seq"`
	At   core.Time `json:"at"`
	Text string    `json:"text"`
}

// SayingOf is one verdict.
type SayingOf struct {
	Seq     core.Seq  `json:"seq"`
	At      core.Time `json:"at"`
	Hook    string    `json:"hook"`
	Subject string    `json:"subject"` // id of the job
	VerdictOf
	Together string `json:"together"` // what all policies that counted said
}

const (
	policySchema = "omega.explain.policy/v1"
	mostFaults   = 10
)

func (c *VerdictCount) count(v *core.Verdict) {
	c.Asked++
	switch v.Say {
	case core.SayAllow:
		c.Allow++
	case core.SayAsk:
		c.Ask++
	case core.SayDeny:
		c.Deny++
	}
	if v.Fault != "" {
		c.Faults++
	}
	if v.Shadow {
		c.Shadow++
	}
}

// Sayings follows a policy through the record.
type Sayings struct {
	out    PolicyStory
	name   string
	known  bool
	said   recent[*SayingOf]
	faults recent[*FaultOf]
}

// NewSayings begins with a name nothing is known of yet: a policy's, or
// policy.<name>.
func NewSayings(name string) *Sayings {
	s := &Sayings{name: strings.TrimPrefix(name, "policy.")}
	s.out = PolicyStory{Schema: policySchema, Policy: s.name, On: []string{}, ByHook: []HookCount{}, ByVersion: []HookCount{}}
	return s
}

// Apply takes the next entry.
func (s *Sayings) Apply(e *core.Entry) {
	for _, event := range e.Events {
		switch ev := event.(type) {
		case *core.GenerationApplied:
			s.learn(ev)
		case *core.ScriptSuspended:
			if ev.Script == "policy."+s.name {
				s.out.Suspended = &SuspendedOf{e.At, ev.Faults, ev.Fault}
			}
		case *core.VerdictGiven:
			for i := range ev.Verdicts {
				if ev.Verdicts[i].Policy == s.name {
					s.say(e, &ev.Ruling, &ev.Verdicts[i])
				}
			}
		}
	}
}

func (s *Sayings) learn(ev *core.GenerationApplied) {
	s.out.Script.InForce = false
	for i := range ev.Spec.Policies {
		if p := &ev.Spec.Policies[i]; p.Name == s.name {
			s.known, s.out.On, s.out.Mode = true, append([]string{}, p.On...), p.Mode
			if s.out.Script.learn(&p.Script, ev.Number) {
				s.out.Suspended = nil
			}
		}
	}
}

// learn takes a script that is in force and reports whether it is another one.
func (o *ScriptOf) learn(script *core.ScriptSpec, generation int64) (changed bool) {
	digest := hex.EncodeToString(script.Digest[:])
	if changed = o.Digest != digest; changed {
		o.Generation = generation
	}
	o.Path, o.Digest, o.InForce, o.Fallback = script.Path, digest, true, script.Fallback
	return changed
}

func (s *Sayings) say(e *core.Entry, r *core.Ruling, v *core.Verdict) {
	s.known = true
	s.out.Counts.count(v)
	s.out.ByHook = counted(s.out.ByHook, r.Hook, v)
	s.out.ByVersion = counted(s.out.ByVersion, hex.EncodeToString(v.Script[:]), v)
	if v.Fault != "" {
		s.faults.add(&FaultOf{e.Seq, e.At, v.Fault})
	}
	s.said.add(&SayingOf{e.Seq, e.At, r.Hook, r.Subject, verdictsOf([]core.Verdict{*v})[0], r.Say})
}

func counted(all []HookCount, key string, v *core.Verdict) []HookCount {
	at := slices.IndexFunc(all, func(c HookCount) bool { return c.Key == key })
	if at < 0 {
		all, at = append(all, HookCount{Key: key}), len(all)
	}
	all[at].count(v)
	return all
}

// Story is what the policy said as of the last entry applied, nil where the
// name is no policy's; state is the one after it.
func (s *Sayings) Story(state *core.State) *PolicyStory {
	if !s.known {
		return nil
	}
	out := s.out
	out.Mission, out.Seq, out.At = state.Spec().Mission.Name, state.Seq(), state.Now()
	out.LastFaults, out.Verdicts = newest(&s.faults, mostFaults), newest(&s.said, mostTurns)
	return &out
}

// newest are the last n of many, oldest first.
func newest[T any](r *recent[T], n int) []T {
	return append([]T{}, r.items[max(0, len(r.items)-n):]...)
}
