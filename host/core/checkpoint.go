package core

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/omega-run/omega/host/ledger"
)

// chunkJobs is how many jobs, in post order, share a chunk of the sealed state:
// enough that a million jobs make a thousand chunks, few enough that one is
// written in well under a millisecond.
const chunkJobs = 1024

// Chunk is one part of a sealed state: the head (index 0) or a run of jobs.
type Chunk struct {
	Index  int
	Bytes  []byte
	Digest Digest
}

// Seal is the digest of the state and the chunks that make it up. Only chunks
// whose jobs have changed since the last Seal are encoded again, so its cost
// does not grow with the mission's age; fresh is called for each of them.
//
// The digest is SHA-256 over "omega.state/v1\n" and the chunks' SHA-256 sums in
// order; a chunk is canonical JSON.
func (s *State) Seal(fresh func(Chunk)) (digest Digest, chunks []Digest) {
	n := 1 + (len(s.posted)+chunkJobs-1)/chunkJobs
	for len(s.chunks) < n {
		s.chunks = append(s.chunks, Digest{})
	}
	s.sealChunk(0, s.encode((*head)(s)), fresh)
	for i := 1; i < n; i++ {
		if !s.dirty[i-1] {
			continue
		}
		first := (i - 1) * chunkJobs
		jobs := s.posted[first:min(first+chunkJobs, len(s.posted))]
		s.sealChunk(i, s.encode(&jobChunk{jobs: jobs}), fresh)
	}
	clear(s.dirty)
	return stateDigest(s.chunks), slices.Clone(s.chunks)
}

func (s *State) sealChunk(i int, b []byte, fresh func(Chunk)) {
	s.chunks[i] = sha256.Sum256(b)
	if fresh != nil {
		fresh(Chunk{i, b, s.chunks[i]})
	}
}

func (s *State) encode(r record) []byte {
	c := Codec{buf: []byte{'{'}, state: s}
	r.fields(&c)
	return append(c.buf, '}')
}

func stateDigest(chunks []Digest) Digest {
	h := sha256.New()
	h.Write([]byte("omega.state/v1\n"))
	for i := range chunks {
		h.Write(chunks[i][:])
	}
	return Digest(h.Sum(nil))
}

// Restore is the inverse of Seal. The caller compares the digest with a signed
// one: what is restored is only as true as that.
func Restore(chunks [][]byte) (*State, Digest, error) {
	s := New()
	if len(chunks) == 0 {
		return nil, Digest{}, fmt.Errorf("restoring a state: there is no chunk")
	}
	if err := s.restoreChunk(chunks[0], (*head)(s)); err != nil {
		return nil, Digest{}, fmt.Errorf("restoring the head: %w", err)
	}
	for i, b := range chunks[1:] {
		part := &jobChunk{}
		if err := s.restoreChunk(b, part); err != nil {
			return nil, Digest{}, fmt.Errorf("restoring jobs from %d: %w", i*chunkJobs, err)
		}
		s.posted = append(s.posted, part.jobs...)
	}
	if err := s.relink(); err != nil {
		return nil, Digest{}, err
	}
	for _, b := range chunks {
		s.chunks = append(s.chunks, sha256.Sum256(b))
	}
	clear(s.dirty)
	return s, stateDigest(s.chunks), nil
}

func (s *State) restoreChunk(b []byte, r record) error {
	c := Codec{buf: b, reading: true, state: s}
	c.expect('{')
	r.fields(&c)
	c.expect('}')
	if c.err == nil && len(c.buf) > 0 {
		c.fail("bytes after the end")
	}
	return c.err
}

type jobChunk struct{ jobs []*Job }

func (p *jobChunk) fields(c *Codec) {
	list(c, "jobs", &p.jobs, func(c *Codec, j **Job) {
		if c.reading {
			*j = &Job{}
		}
		c.nested(*j)
	})
}

func (j *Job) fields(c *Codec) {
	c.inline("spec", &j.Spec)
	c.Text("state", (*string)(&j.State))
	c.Seq("posted", &j.Posted)
	c.Flag("escrowed", &j.Escrowed)
	c.Amount("fee", &j.Fee)
	c.Text("reason", &j.Reason)
	c.Text("detail", &j.Detail)
	integer(c, "attempt", &j.Attempt)
	integer(c, "failures", &j.Failures)
	c.worker("worker", &j.Worker)
	c.Flag("working", &j.working)
	c.Text("last_worker", &j.LastWorker)
	c.Seq("lease", &j.Lease)
	c.Amount("stake", &j.Stake)
	c.Amount("energy_price", &j.EnergyPrice)
	c.Amount("compute_price", &j.ComputePrice)
	integer(c, "ready_at", &j.ReadyAt)
	integer(c, "started_at", &j.StartedAt)
	integer(c, "submitted_at", &j.SubmittedAt)
	integer(c, "retry_at", &j.RetryAt)
	c.JSON("result", &j.Result)
	c.Hex("digest", j.Digest[:])
	records(c, "files", &j.Files)
	c.Hex("result_prev", j.resultPrev[:])
	object(c, "held", &j.held)
	integer(c, "rounds", &j.Rounds)
	integer(c, "undecided", &j.Undecided)
	object(c, "round", &j.Round)
	j.fundsField(c)
}

func (c *Codec) worker(name string, w **Worker) {
	id := ""
	if *w != nil {
		id = (*w).ID
	}
	c.Text(name, &id)
	if c.reading && id != "" {
		if *w = c.state.workers[id]; *w == nil {
			c.fail("unknown worker " + id)
		}
	}
}

func (r *Round) fields(c *Codec) {
	integer(c, "round", &r.Number)
	integer(c, "due", &r.Due)
	c.Flag("closed", &r.Closed)
	records(c, "seats", &r.Seats)
}

func (s *Seat) fields(c *Codec) {
	id := ""
	if s.Validator != nil {
		id = s.Validator.ID
	}
	c.Text("validator", &id)
	if c.reading {
		if s.Validator = c.state.seatable[id]; s.Validator == nil {
			c.fail("unknown validator " + id)
		}
	}
	c.Amount("stake", &s.Stake)
	c.Flag("committed", &s.Committed)
	c.Flag("revealed", &s.Revealed)
	c.inline("sealed", &s.Sealed)
	c.Text("vote", &s.Vote)
	c.Text("reason", &s.Reason)
}

// head is what is not a job's.
type head State

func (h *head) fields(c *Codec) {
	s := (*State)(h)
	c.Seq("seq", &s.seq)
	integer(c, "at", &s.now)
	c.inline("mission", &s.mission)
	integer(c, "generation", &s.generation)
	c.Text("entry", &s.entry)
	records(c, "sources", &s.sources)
	c.inline("spec", &s.spec)
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
	c.inline("totals", &s.totals)
	s.poolsField(c)
	s.validatorsField(c)
	s.ordersField(c)
	s.waitingField(c)
	s.balancesField(c)
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
	c.Flag("draining", &v.Draining)
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
}

func (t *taken) fields(c *Codec) {
	t.event.fields(c)
	c.Seq("entry", &t.seq)
	integer(c, "at", &t.at)
}

func (s *State) ordersField(c *Codec) {
	all := s.orders.queue
	records(c, "orders", &all)
	counter := s.orders.counter[s.mission.OwnerKey]
	integer(c, "order_counter", &counter)
	if !c.reading {
		return
	}
	for _, t := range all {
		s.orders.put(t)
	}
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
	all := []ledger.Account{a.owner, a.resources, a.fees, a.burned}
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

// fundsField keeps what an open job holds.
func (j *Job) fundsField(c *Codec) {
	if j.State.Terminal() {
		return
	}
	if c.reading {
		c.state.openAccountsOf(j)
	}
	for _, f := range [...]struct {
		name    string
		account ledger.Account
	}{{"escrow", j.escrow}, {"deposit", j.deposit}} {
		amount := c.state.ledger.Balance(f.account)
		c.Amount(f.name, &amount)
		if c.reading && c.err == nil {
			c.state.mintAgain(c, f.account, amount)
		}
	}
}

// relink rebuilds what follows from the records: indexes, accounts, balances.
func (s *State) relink() error {
	for i, j := range s.posted {
		j.index, j.ready, j.retry, j.timer.at = i, -1, -1, -1
		if s.jobs[j.Spec.ID] != nil {
			return fmt.Errorf("restoring a state: job %s is there twice", j.Spec.ID)
		}
		s.jobs[j.Spec.ID] = j
	}
	for _, j := range s.posted {
		if j.State.Terminal() {
			continue
		}
		s.open++
		s.openJob(j)
		if j.working {
			j.Worker.Load++
			s.running++
		}
		if j.held != nil {
			s.heldJobs++
		}
		if j.State == JobPostedState && !j.Escrowed {
			s.unfunded.push(j)
		}
		s.move(j)
	}
	for _, id := range s.waiting {
		if j := s.jobs[id]; j != nil {
			s.undrawn.push(j)
		}
	}
	s.indexPools()
	for _, j := range s.posted {
		if !j.State.Terminal() {
			s.touch(j)
		}
	}
	s.waiting = nil
	return nil
}
