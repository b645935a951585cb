package host

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"sync"
	"time"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
	"github.com/omega-run/omega/host/script"
)

// Rehearing is what a policy's script would have said of the requests that are
// recorded, schema omega.policy-diff/v1. What has been recorded is given again:
// the request, the params and the mission's state of then.
type Rehearing struct {
	Schema    string        `json:"schema"`
	Mission   string        `json:"mission"`
	Seq       core.Seq      `json:"seq"` // the last entry that was read
	Policy    string        `json:"policy"`
	Script    string        `json:"script"`    // the new one
	Digest    string        `json:"digest"`    // of the new one, hex
	Asked     int64         `json:"asked"`     // requests that are recorded with a verdict of the policy
	Skipped   int64         `json:"skipped"`   // of them, too long to be recorded
	Same      int64         `json:"same"`      // the answer is the same
	Reworded  int64         `json:"reworded"`  // of them, with another reason
	Changed   int64         `json:"changed"`   // the answer is another one
	Turned    int64         `json:"turned"`    // of them, what all policies say together is another thing too
	Faults    int64         `json:"faults"`    // calls without an answer: the fallback is said
	Changes   []*Difference `json:"changes"`   // the first of them, in the order of the journal
	Truncated bool          `json:"truncated"` // there are others
}

// Difference is a request of which a new script says something else.
type Difference struct {
	Seq     core.Seq  `json:"seq"`
	At      core.Time `json:"at"`
	Hook    string    `json:"hook"`
	Subject string    `json:"subject"` // id of the job
	Was     Said      `json:"was"`
	Would   Said      `json:"would_be"`
	Turned  bool      `json:"turned"` // what all policies say together is another thing too
}

// Said is one answer of a policy.
type Said struct {
	Say    string `json:"say"`
	Reason string `json:"reason,omitempty"`
	Fault  string `json:"fault,omitempty"` // why it could not say, with the author's file and line
}

const (
	rehearingSchema = "omega.policy-diff/v1"
	maxChanges      = 1000
	// rehearAtOnce is how many requests are heard again at the same time.
	rehearAtOnce = 256
)

// retrial follows a journal and has a new script say what it would have said.
type retrial struct {
	out     *Rehearing
	program *script.Program
	run     *scripts
	state   *core.State
	index   index
	views   map[core.Seq]view // at assignments whose policies have not answered yet, by lease
	pending []*reheard
}

// reheard is a request that is heard again.
type reheard struct {
	change   Difference
	ruling   core.Ruling
	at       int // of the policy's verdict
	fallback string
	call     script.Call
}

// Rehear has a new version of a policy say what it would have said of all that
// the journal in a data folder records. It reads only, also while a host runs.
func Rehear(ctx context.Context, data, policy string, program *script.Program, engine script.Engine) (*Rehearing, error) {
	recorded, err := journal.Read(journal.Options{Dir: journalDir(data)})
	if err != nil {
		return nil, err
	}
	r := &retrial{
		out:     &Rehearing{Schema: rehearingSchema, Policy: policy, Script: program.Entry, Digest: hex.EncodeToString(program.Digest[:]), Changes: []*Difference{}},
		program: program, run: &scripts{make: func() script.Engine { return engine }}, state: core.New(), views: map[core.Seq]view{},
	}
	err = eachEntry(recorded, func(e *core.Entry, _ core.Digest) error {
		for _, event := range e.Events {
			if given, ok := event.(*core.VerdictGiven); ok {
				r.given(e, given)
			}
		}
		r.follow(e)
		if len(r.pending) >= rehearAtOnce {
			r.hear(ctx)
		}
		return ctx.Err()
	})
	r.hear(ctx)
	r.out.Mission, r.out.Seq = r.state.Spec().Mission.Name, r.state.Seq()
	r.out.Truncated = r.out.Changed > int64(len(r.out.Changes))
	return r.out, err
}

// follow applies an entry. Policies are asked about an assignment as the mission
// stood after the entry that made it.
func (r *retrial) follow(e *core.Entry) {
	r.state.Replay(e)
	if !r.index.counts || r.index.generation != r.state.Generation() {
		r.index.renew(r.state, nil)
	}
	r.index.follow(r.state)
	for _, event := range e.Events {
		switch ev := event.(type) {
		case *core.JobAssigned:
			if r.asksAbout(core.HookAssign) {
				r.views[e.Seq] = r.index.viewOf(r.state, r.state.Now())
			}
		case *core.VerdictGiven:
			if c, ok := e.Command.(*core.Admit); ok {
				delete(r.views, c.Lease)
			}
		case *core.GenerationApplied:
			if ev.Number > 1 && !r.asksAbout(core.HookAssign) {
				clear(r.views)
			}
		}
	}
}

func (r *retrial) asksAbout(hook core.Hook) bool {
	for _, p := range r.state.Policies(hook) {
		if p.Name == r.out.Policy {
			return true
		}
	}
	return false
}

// given takes a ruling with a verdict of the policy; the state is the one before
// its entry.
func (r *retrial) given(e *core.Entry, given *core.VerdictGiven) {
	for i := range given.Verdicts {
		v := &given.Verdicts[i]
		if v.Policy != r.out.Policy {
			continue
		}
		r.out.Asked++
		var whole struct {
			By *string `json:"by"`
		}
		if json.Unmarshal(given.Request, &whole) != nil || whole.By == nil {
			r.out.Skipped++
			return
		}
		spec := core.ScriptSpec{Timeout: core.Second, Memory: 64 << 20, Fallback: core.SayDeny}
		if named := r.state.Spec().Script("policy." + v.Policy); named != nil {
			spec = *named
		}
		seq := requestSeq(e, given)
		seen, kept := r.views[core.Seq(seq)]
		if !kept || core.Hook(given.Hook) != core.HookAssign {
			seen = r.index.viewOf(r.state, e.At)
		}
		r.pending = append(r.pending, &reheard{
			change: Difference{Seq: e.Seq, At: e.At, Hook: given.Hook, Subject: given.Subject, Was: saidOf(v)},
			ruling: given.Ruling, at: i, fallback: spec.Fallback,
			call: script.Call{
				Program: r.program, Input: given.Request, View: seen.with(spec.Params), At: int64(e.At),
				Seed:    seedOf(r.state, "policy."+v.Policy, given.Hook, given.Subject, seq),
				Timeout: time.Duration(spec.Timeout) * time.Millisecond, Memory: spec.Memory,
			},
		})
		return
	}
}

// saidOf is a verdict without what the host says in the place of one that fails.
func saidOf(v *core.Verdict) Said {
	if v.Fault != "" {
		return Said{Say: v.Say, Fault: v.Fault}
	}
	return Said{Say: v.Say, Reason: v.Reason}
}

// requestSeq tells one request about a subject from another, as the desk does.
func requestSeq(e *core.Entry, given *core.VerdictGiven) int64 {
	switch c := e.Command.(type) {
	case *core.Admit:
		return int64(c.Lease)
	case *core.Delegate:
		return int64(c.Lease)
	case *core.Advise:
		return int64(c.Seen)<<16 + actionOf(e, given)
	}
	return 0
}

// actionOf is the number of the planned action that was asked about: of those
// that a hook is for, every one is, in their order.
func actionOf(e *core.Entry, given *core.VerdictGiven) int64 {
	before, do := 0, core.ActPost
	if core.Hook(given.Hook) == core.HookTransfer {
		do = core.ActBoost
	}
	for _, event := range e.Events {
		if v, ok := event.(*core.VerdictGiven); ok && v != given && v.Hook == given.Hook {
			before++
		} else if v == given {
			break
		}
	}
	for _, event := range e.Events {
		plan, ok := event.(*core.PlanRecorded)
		if !ok {
			continue
		}
		for i := range plan.Actions {
			if plan.Actions[i].Action.Do != do {
				continue
			}
			if before == 0 {
				return int64(i)
			}
			before--
		}
	}
	return 0
}

// hear has what is pending heard again, together, and counts it in its order.
func (r *retrial) hear(ctx context.Context) {
	var all sync.WaitGroup
	for _, one := range r.pending {
		all.Go(func() {
			v := core.Verdict{Policy: r.out.Policy}
			c := policyCall{fallback: one.fallback, call: one.call}
			c.ask(ctx, r.run, &v)
			one.change.Would = saidOf(&v)
		})
	}
	all.Wait()
	for _, one := range r.pending {
		r.count(one)
	}
	r.pending = r.pending[:0]
}

func (r *retrial) count(one *reheard) {
	c, out := &one.change, r.out
	if c.Would.Fault != "" {
		out.Faults++
	}
	if c.Was.Say == c.Would.Say && (c.Was.Fault == "") == (c.Would.Fault == "") {
		out.Same++
		if c.Was.Reason != c.Would.Reason {
			out.Reworded++
		}
		return
	}
	verdicts := append([]core.Verdict(nil), one.ruling.Verdicts...)
	verdicts[one.at].Say, verdicts[one.at].Reason = c.Would.Say, c.Would.Reason
	say, _ := core.Rule(verdicts)
	c.Turned = say != one.ruling.Say
	out.Changed++
	if c.Turned {
		out.Turned++
	}
	if len(out.Changes) < maxChanges {
		out.Changes = append(out.Changes, c)
	}
}
