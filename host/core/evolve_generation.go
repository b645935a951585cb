package core

import "github.com/omega-run/omega/host/ledger"

func (s *State) evolveGeneration(e *GenerationApplied) {
	if s.generation == 0 {
		s.openAccounts(&e.Spec)
	}
	s.edited = DifferentSources(s.sources, e.Sources)
	s.generation, s.entry, s.sources, s.variables, s.expanded = e.Number, e.Entry, e.Sources, e.Variables, 0
	before := [...]Resource{s.spec.Resources.Energy, s.spec.Resources.Compute}
	for i, r := range [...]*Resource{&e.Spec.Resources.Energy, &e.Spec.Resources.Compute} {
		s.evolveLimit(i, r.Capacity)
		if r.Price != before[i].Price { // what the file says anew; a price that has moved stays
			s.prices[i] = r.Price
		}
	}
	s.evolvePurses(&e.Spec)
	s.forgiveFaults(&s.spec, &e.Spec)
	s.excuseRounds(&s.spec, &e.Spec)
	s.edit = nil
	s.release()
	s.spec, s.spelled = e.Spec, nil
	s.evolvePools(&e.Spec)
	s.evolveStewards(&e.Spec)
	s.evolveValidators(e)
}

// DifferentSources are the paths of the files that two generations do not have
// alike, those of the next one first.
func DifferentSources(before, next []SourceRef) (paths []string) {
	was := make(map[string]Digest, len(before))
	for _, f := range before {
		was[f.Path] = f.Digest
	}
	for _, f := range next {
		if digest, ok := was[f.Path]; !ok || digest != f.Digest {
			paths = append(paths, f.Path)
		}
		delete(was, f.Path)
	}
	for _, f := range before {
		if _, gone := was[f.Path]; gone {
			paths = append(paths, f.Path)
		}
	}
	return paths
}

func (s *State) openAccounts(spec *Spec) {
	open := func(kind ledger.Kind, unit ledger.Unit, owner string) ledger.Account {
		return s.ledger.Open(ledger.Name{Kind: kind, Unit: unit, Owner: owner})
	}
	a := &s.accounts
	a.owner = open(ledger.KindAccount, ledger.Token, spec.Mission.Owner)
	a.resources = open(ledger.KindResources, ledger.Token, "")
	a.fees = open(ledger.KindFees, ledger.Token, "")
	a.burned = open(ledger.KindBurned, ledger.Token, "")
	a.minted = open(ledger.KindMinted, ledger.Token, "")
	for i, unit := range [...]ledger.Unit{ledger.Energy, ledger.Compute} {
		a.capacity[i] = open(ledger.KindCapacity, unit, "")
		a.reserved[i] = open(ledger.KindReserved, unit, "")
		a.limitBurned[i] = open(ledger.KindBurned, unit, "")
		a.limitMinted[i] = open(ledger.KindMinted, unit, "")
	}
}

// evolveLimit notes what a lowered limit still owes: the transfer that goes
// with the event burns what is free, returning reservations burn the rest.
func (s *State) evolveLimit(i int, limit ledger.Amount) {
	u := &s.usage[i]
	if d := limit - u.limit; d < 0 {
		u.owed += max(0, -d-s.ledger.Balance(s.accounts.capacity[i]))
	} else {
		u.owed -= min(d, u.owed)
	}
	u.limit = limit
}

func (s *State) evolveValidators(e *GenerationApplied) {
	n := 0
	for i := range e.Spec.Validators {
		block := &e.Spec.Validators[i]
		for _, id := range block.Instances {
			if s.seatable[id] == nil {
				v := &Validator{
					ID: id, Key: e.Keys[n], Outside: block.Kind == OutsideValidator,
					account: s.ledger.Open(ledger.Name{Kind: ledger.KindValidator, Unit: ledger.Token, Owner: id}),
					stake:   s.ledger.Open(ledger.Name{Kind: ledger.KindValidatorStake, Unit: ledger.Token, Owner: id}),
				}
				s.seatable[id] = v
				s.validators = append(s.validators, v)
			}
			n++
		}
	}
	s.seatValidators()
}

// seatValidators tells each validator its block; one without has been removed.
func (s *State) seatValidators() {
	for _, v := range s.validators {
		v.block, v.Draining = nil, true
	}
	for i := range s.spec.Validators {
		for _, id := range s.spec.Validators[i].Instances {
			if v := s.seatable[id]; v != nil {
				v.block, v.Draining = &s.spec.Validators[i], false
			}
		}
	}
}

func (s *State) evolvePurses(spec *Spec) {
	s.openPurse(spec.Mission.Owner)
	for i := range spec.Accounts {
		s.openPurse(spec.Accounts[i].Name)
	}
}

func (s *State) openPurse(name string) {
	if s.purseNamed(name) == nil {
		account := s.ledger.Open(ledger.Name{Kind: ledger.KindAccount, Unit: ledger.Token, Owner: name})
		s.purses = append(s.purses, &purse{name, account, newHeap(inPostOrder, func(j *Job) *int32 { return &j.funds })})
	}
}
