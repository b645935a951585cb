package core

import (
	"bytes"
	"slices"

	"github.com/omega-run/omega/host/ledger"
)

// head is what is not a job's.
type head State

func (h *head) fields(c *Codec) {
	s := (*State)(h)
	c.Seq("seq", &s.seq)
	integer(c, "at", &s.now)
	if c.reading {
		s.ripe = s.now
	}
	unripe := s.now - s.ripe // above 0 where the last inputs were refused
	integer(c, "unripe", &unripe)
	s.ripe = s.now - unripe
	c.inline("mission", &s.mission)
	integer(c, "generation", &s.generation)
	c.Text("entry", &s.entry)
	records(c, "sources", &s.sources)
	records(c, "variables", &s.variables)
	s.specField(c)
	s.recordedField(c)
	integer(c, "expanded", &s.expanded)
	c.Text("status", (*string)(&s.status))
	c.Text("reason", &s.reason)
	c.Ratio("speed", &s.speed)
	c.Flag("clean", &s.clean)
	c.Texts("cuts", &s.cuts)
	c.inline("checkpoint", &s.checkpoint)
	integer(c, "unsealed", &s.unsealed)
	records(c, "usage", s.usageField(c))
	c.Amount("energy_price", &s.prices[0])
	c.Amount("compute_price", &s.prices[1])
	integer(c, "priced", &s.priced)
	integer(c, "reminded", &s.reminded)
	records(c, "faults", &s.faults)
	object(c, "edit", &s.edit)
	s.pursesField(c)
	c.inline("totals", &s.totals)
	s.stewardsField(c)
	s.poolsField(c)
	s.validatorsField(c)
	s.counterField(c)
	s.waitingField(c)
	s.balancesField(c)
}

// specField is the spec in force. Its form is made once a generation: the table
// of settings takes longer to go through than all else in the head.
func (s *State) specField(c *Codec) {
	if c.reading {
		c.inline("spec", &s.spec)
		return
	}
	if s.spelled == nil {
		s.spelled = s.encode(&s.spec)
	}
	c.JSON("spec", &s.spelled)
}

func (u *resourceUse) fields(c *Codec) {
	c.Amount("limit", &u.limit)
	c.Amount("owed", &u.owed)
	c.Amount("consumed", &u.consumed)
}

func (s *State) usageField(c *Codec) *[]resourceUse {
	if !c.reading {
		use := s.usage[:]
		return &use
	}
	use := s.usage[:0]
	return &use
}

// pursesField keeps the names of all employers there have ever been.
func (s *State) pursesField(c *Codec) {
	var names []string
	for _, p := range s.purses {
		names = append(names, p.name)
	}
	c.Texts("employers", &names)
	if c.reading {
		for _, name := range names {
			s.openPurse(name)
		}
	}
}

func (t *Totals) fields(c *Codec) {
	for _, f := range [...]struct {
		name string
		at   *int64
	}{
		{"events", &t.Events}, {"posted", &t.Posted}, {"finalized", &t.Finalized}, {"failed", &t.Failed}, {"cancelled", &t.Cancelled},
		{"expired", &t.Expired}, {"skipped", &t.Skipped}, {"required_lost", &t.RequiredLost}, {"exhausted_lost", &t.ExhaustedLost},
	} {
		integer(c, f.name, f.at)
	}
	c.Amount("minted", &t.Minted)
	c.Amount("paid", &t.Paid)
	c.Amount("slashed", &t.Slashed)
	c.Amount("burned", &t.Burned)
	c.Amount("fees", &t.Fees)
}

func (s *State) recordedField(c *Codec) {
	all := make([]Digest, 0, len(s.recorded))
	for d := range s.recorded {
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b Digest) int { return bytes.Compare(a[:], b[:]) })
	if c.reading {
		all = nil
	}
	list(c, "recorded", &all, func(c *Codec, d *Digest) { keyField(c, (*[32]byte)(d)) })
	for _, d := range all {
		s.recorded[d] = true
	}
}

// poolRecord is a pool with its workers; loads follow from the jobs.
type poolRecord struct {
	spec     WorkerSpec
	rank     int
	workers  []string
	draining []string
}

func (p *poolRecord) fields(c *Codec) {
	c.inline("spec", &p.spec)
	integer(c, "rank", &p.rank)
	c.Texts("workers", &p.workers)
	c.Texts("draining", &p.draining)
}

func (s *State) poolsField(c *Codec) {
	var all []poolRecord
	if !c.reading {
		for _, p := range s.pools {
			r := poolRecord{spec: p.spec, rank: p.rank}
			for _, w := range p.workers {
				r.workers = append(r.workers, w.ID)
				if w.Draining {
					r.draining = append(r.draining, w.ID)
				}
			}
			all = append(all, r)
		}
	}
	records(c, "pools", &all)
	if !c.reading {
		return
	}
	s.openAccounts(&s.spec)
	for _, r := range all {
		p := &pool{spec: r.spec, rank: r.rank}
		s.pools = append(s.pools, p)
		for _, id := range r.workers {
			s.evolveWorker(p, id)
		}
		for _, id := range r.draining {
			if w := s.workers[id]; w != nil {
				w.Draining = true
			}
		}
	}
}

func (v *Validator) fields(c *Codec) {
	c.Text("id", &v.ID)
	c.Hex("key", v.Key[:])
	c.Flag("outside", &v.Outside)
	integer(c, "missed", &v.Missed)
}

func (s *State) validatorsField(c *Codec) {
	list(c, "validators", &s.validators, func(c *Codec, v **Validator) {
		if c.reading {
			*v = &Validator{}
		}
		c.nested(*v)
	})
	if !c.reading {
		return
	}
	for _, v := range s.validators {
		v.account = s.ledger.Open(ledger.Name{Kind: ledger.KindValidator, Unit: ledger.Token, Owner: v.ID})
		v.stake = s.ledger.Open(ledger.Name{Kind: ledger.KindValidatorStake, Unit: ledger.Token, Owner: v.ID})
		s.seatable[v.ID] = v
	}
	s.seatValidators()
}

func (s *State) counterField(c *Codec) {
	counter := s.orders.counter[s.mission.OwnerKey]
	integer(c, "order_counter", &counter)
	s.orders.counter[s.mission.OwnerKey] = counter
}

// waitingField keeps the one order that does not follow from the jobs: who has
// waited longest for a committee.
func (s *State) waitingField(c *Codec) {
	if c.reading {
		c.Texts("undrawn", &s.waiting)
		return
	}
	var ids []string
	for _, j := range s.undrawn.jobs[s.undrawn.head:] {
		if j.State == JobSubmitted {
			ids = append(ids, j.Spec.ID)
		}
	}
	c.Texts("undrawn", &ids)
}

// balancesField keeps the balances of all accounts that are not a job's.
func (s *State) balancesField(c *Codec) {
	var all []balance
	if !c.reading {
		for _, a := range s.lastingAccounts() {
			if amount := s.ledger.Balance(a); amount > 0 {
				name := s.ledger.Name(a)
				all = append(all, balance{name.String(), name.Unit.String(), amount})
			}
		}
	}
	records(c, "balances", &all)
	if c.reading && c.err == nil {
		for i := range all {
			unit, err := ledger.ParseUnit(all[i].unit)
			if err != nil {
				c.fail(err.Error())
				return
			}
			s.mintAgain(c, s.named(all[i].account, unit), all[i].amount)
		}
	}
}

type balance struct {
	account string
	unit    string
	amount  ledger.Amount
}

func (b *balance) fields(c *Codec) {
	c.Text("account", &b.account)
	c.Text("unit", &b.unit)
	c.Amount("amount", &b.amount)
}

func (s *State) lastingAccounts() []ledger.Account {
	a := &s.accounts
	all := []ledger.Account{a.resources, a.fees, a.burned}
	for _, p := range s.purses {
		all = append(all, p.account)
	}
	for i := range a.capacity {
		all = append(all, a.capacity[i], a.reserved[i], a.limitBurned[i])
	}
	for _, p := range s.pools {
		for _, w := range p.workers {
			all = append(all, w.account, w.stake)
		}
	}
	for _, v := range s.validators {
		all = append(all, v.account, v.stake)
	}
	return all
}

// mintAgain restores a balance. The sum of a unit is zero, so after the last
// one minted is where it was.
func (s *State) mintAgain(c *Codec, a ledger.Account, amount ledger.Amount) {
	if amount == 0 {
		return
	}
	minted := s.accounts.minted
	if unit := s.ledger.Name(a).Unit; unit != ledger.Token {
		minted = s.accounts.limitMinted[resource(unit)]
	}
	if _, refusal := s.ledger.Apply([]ledger.Transfer{{Debit: minted, Credit: a, Amount: amount}}); refusal != ledger.OK {
		c.fail("balance: " + refusal.String())
	}
}
