package core

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/omega-run/omega/host/ledger"
)

// created is how a mission begins.
func (c *Genesis) created() (*MissionCreated, *GenerationApplied) {
	g := &c.Apply
	return &MissionCreated{
			Mission: c.Mission, Title: g.Spec.Mission.Name, HostKey: c.HostKey, OwnerKey: c.OwnerKey, Rehearsal: c.Rehearsal, Signature: c.Signature,
		}, &GenerationApplied{
			Number: 1, Entry: g.Entry, Sources: g.Sources, Spec: g.Spec, Keys: g.Keys, Variables: g.Variables,
		}
}

// GenesisBytes is what the owner signs: "omega.genesis/v1\n" and the first two
// events of the mission, the signature left out.
func GenesisBytes(created *MissionCreated, applied *GenerationApplied) []byte {
	unsigned := *created
	unsigned.Signature = nil
	c := Codec{buf: []byte("omega.genesis/v1\n")}
	c.nested(&unsigned)
	c.nested(applied)
	return c.buf
}

// Bytes is GenesisBytes of the events a genesis leads to.
func (c *Genesis) Bytes() []byte { return GenesisBytes(c.created()) }

func (s *State) genesis(c *Genesis) *Refusal {
	created, applied := c.created()
	s.emit(created)
	s.emit(applied)
	spec := &c.Apply.Spec
	legs := []Leg{{ledger.Token, "minted", "account:" + spec.Mission.Owner, spec.Treasury.Tokens}}
	legs = appendLimit(legs, ledger.Energy, spec.Resources.Energy.Capacity)
	legs = appendLimit(legs, ledger.Compute, spec.Resources.Compute.Capacity)
	s.emitLegs(append(legs, endowments(spec, nil, nil, nil, s.freeIn)...))
	return nil
}

func appendLimit(legs []Leg, unit ledger.Unit, change ledger.Amount) []Leg {
	switch {
	case change > 0:
		return append(legs, Leg{unit, "minted", "capacity", change})
	case change < 0:
		return append(legs, Leg{unit, "capacity", "burned", -change})
	}
	return legs
}

// endowments lists what the workers, validators and accounts of a spec are
// given. Those that are there already are left out, but an account whose tokens
// differ from the file before gets the difference, or gives it back. One that is
// declared again is brought to what the file says, from what was left in it.
func endowments(spec, before *Spec, workers map[string]*Worker, validators map[string]*Validator, left func(account string) ledger.Amount) (legs []Leg) {
	owner := "account:" + spec.Mission.Owner
	var back []Leg // before anything is given out of it
	give := func(to string, amount ledger.Amount) {
		switch {
		case amount > 0:
			legs = append(legs, Leg{ledger.Token, owner, to, amount})
		case amount < 0:
			back = append(back, Leg{ledger.Token, to, owner, -amount})
		}
	}
	for _, account := range spec.Accounts {
		has, declared := before.tokensOf(account.Name)
		if !declared {
			has = left(account.Name)
		}
		give("account:"+account.Name, account.Tokens-has)
	}
	for _, block := range spec.Workers {
		for _, id := range block.Instances {
			if workers[id] == nil {
				give("worker:"+id, spec.Treasury.WorkerEndowment)
			}
		}
	}
	for _, block := range spec.Validators {
		for _, id := range block.Instances {
			if validators[id] == nil {
				give("validator:"+id, spec.Treasury.ValidatorEndowment)
			}
		}
	}
	return append(back, legs...)
}

// tokensOf is what a file gives an account; s may be nil.
func (s *Spec) tokensOf(name string) (tokens ledger.Amount, declared bool) {
	if s != nil {
		for i := range s.Accounts {
			if s.Accounts[i].Name == name {
				return s.Accounts[i].Tokens, true
			}
		}
	}
	return 0, false
}

func (s *State) emitLegs(legs []Leg) {
	if len(legs) > 0 {
		s.emit(&Transfer{Legs: legs})
	}
}

// applyGeneration puts an edit in force: it is compared with the file before
// it, not with the state.
func (s *State) applyGeneration(c *Generation) *Refusal {
	if s.status == Ended {
		return refuse(RefuseMissionEnded, "")
	}
	for _, change := range Plan(&s.spec, &c.Spec) {
		if change.Changes == Never {
			return refuse(RefuseSettingFixed, fmt.Sprintf("%s is %s since genesis and cannot become %s", change.Setting, change.From, change.To))
		}
	}
	if off := c.Spec.Governance.Committee == 0; off != (s.spec.Governance.Committee == 0) {
		return refuse(RefuseSettingFixed, "the council cannot be turned on or off once a mission has begun")
	}
	if gone := len(c.Removes) + len(c.Drains); gone > maxRemoved {
		return refuse(RefuseEditHeld, fmt.Sprintf("it removes %d instances; at most %d at a time", gone, maxRemoved))
	}
	given := endowments(&c.Spec, &s.spec, s.workers, s.seatable, s.freeIn)
	if refusal := s.mayGive(given); refusal != nil {
		return refusal
	}
	if s.mustWait(c) {
		return s.holdEdit(c)
	}
	s.voidAssigned(reasonEdit) // and asked about anew, by the policies that come
	var legs []Leg
	for i, r := range [...]*Resource{&c.Spec.Resources.Energy, &c.Spec.Resources.Compute} {
		legs = appendLimit(legs, [...]ledger.Unit{ledger.Energy, ledger.Compute}[i], s.limitChange(i, r.Capacity))
	}
	s.emit(&GenerationApplied{Number: s.generation + 1, Entry: c.Entry, Sources: c.Sources, Spec: c.Spec, Keys: c.Keys, Removed: c.Removes, Drained: c.Drains, Kept: c.Kept, Variables: c.Variables})
	s.emitLegs(append(legs, given...))
	s.leaveProposals()
	for _, id := range c.Removes {
		if j := s.jobs[id]; j != nil && !j.State.Terminal() {
			s.conclude(j, JobCancelled, "removed", "")
		}
	}
	return nil
}

// mayGive refuses what the owner cannot pay, and what an account whose tokens
// are spent or set aside cannot give back.
func (s *State) mayGive(legs []Leg) *Refusal {
	owner, total := s.purses[0], ledger.Amount(0)
	for _, leg := range legs {
		if leg.Debit == "account:"+owner.name {
			total += leg.Amount
			continue
		}
		total -= leg.Amount
		free := ledger.Amount(0)
		name := strings.TrimPrefix(leg.Debit, "account:")
		if p := s.purseNamed(name); p != nil {
			free = s.ledger.Free(p.account)
		}
		if free < leg.Amount {
			return refuse(RefuseAccountSpent, fmt.Sprintf("account %s has %s left; the rest is spent or set aside for its jobs, so it cannot give back %s", name, free, leg.Amount))
		}
	}
	if total > s.ledger.Free(owner.account) {
		return refuse(RefuseTooSmall, "new workers, validators and accounts are to be given "+total.String())
	}
	return nil
}

// maxRemoved bounds what one edit takes away, so that its entry stays small.
const maxRemoved = 1000

// limitChange is what a new limit mints (above 0) or burns at once (below 0).
func (s *State) limitChange(i int, limit ledger.Amount) ledger.Amount {
	d := limit - s.usage[i].limit
	if d < 0 {
		return -min(-d, s.ledger.Balance(s.accounts.capacity[i]))
	}
	return d - min(d, s.usage[i].owed)
}

// Change is one difference between two specs.
type Change struct {
	Setting  string // block.name
	From, To string
	Changes  Changes
}

// Plan lists what an edit changes in the settings, in the order of the table.
func Plan(from, to *Spec) (changes []Change) {
	for _, setting := range Settings() {
		a, b := setting.Format(from), setting.Format(to)
		if setting.Name == "worker_endowment" || setting.Name == "validator_endowment" {
			continue // reaches only those who join later, so it is no change of what was given
		}
		if a != b {
			changes = append(changes, Change{setting.Block + "." + setting.Name, a, b, setting.Changes})
		}
	}
	if from.Mission.Name != to.Mission.Name {
		changes = append(changes, Change{"mission", from.Mission.Name, to.Mission.Name, Never})
	}
	return changes
}

// AppendTo adds a piece to what is known of its file. One that was recorded
// twice, by a host that ended in between, stands once.
func (e *SourceRecorded) AppendTo(file []byte) []byte {
	if e.Offset < int64(len(file)) {
		file = file[:e.Offset]
	}
	return append(append(file, e.Text...), e.Binary...)
}

func sourceEvent(c *Source) *SourceRecorded {
	e := &SourceRecorded{Digest: c.Digest, Offset: c.Offset, Last: c.Last}
	if utf8.Valid(c.Bytes) {
		e.Text = string(c.Bytes)
	} else {
		e.Binary = c.Bytes
	}
	return e
}
