package core

import (
	"crypto/sha256"
	"fmt"

	"github.com/omega-run/omega/host/ledger"
)

// Chunk is one part of a sealed state: the head, a page of finished jobs or of
// orders, or a group of jobs that are still here.
type Chunk struct {
	Bytes  []byte
	Digest Digest
}

// Seal is the digest of the state and the chunks that make it up, in order: the
// head, orders, finished jobs, other jobs. Only what has changed since the last
// Seal is encoded again, so its cost does not grow with the mission's age; fresh
// is called for each such chunk.
//
// The digest is SHA-256 over "omega.state/v1\n" and the chunks' SHA-256 sums in
// order; a chunk is canonical JSON.
func (s *State) Seal(fresh func(Chunk)) (digest Digest, chunks []Digest) {
	seal := func(r record, digest *Digest, changed *bool) {
		s.seal(r, digest, changed, fresh)
		chunks = append(chunks, *digest)
	}
	var first Digest
	always := true
	seal((*head)(s), &first, &always)
	for _, p := range s.orders.taken.pages {
		seal((*orderPage)(p), &p.digest, &p.fresh)
	}
	for _, p := range s.done.pages {
		seal((*finishedPage)(p), &p.digest, &p.fresh)
	}
	for g := s.roster.first; g != nil; g = g.after {
		seal(g, &g.digest, &g.fresh)
	}
	return stateDigest(chunks), chunks
}

func (s *State) seal(r record, digest *Digest, changed *bool, fresh func(Chunk)) {
	if !*changed {
		return
	}
	b := s.encode(r)
	*changed, *digest = false, sha256.Sum256(b)
	if fresh != nil {
		fresh(Chunk{b, *digest})
	}
}

// SealFull seals a page that is full, if there is one that Seal would find: it
// will not change again, and Seal must not be kept by all that have filled up.
func (s *State) SealFull(fresh func(Chunk)) {
	if p := s.done.full(); p != nil {
		s.seal((*finishedPage)(p), &p.digest, &p.fresh, fresh)
	}
	if p := s.orders.taken.full(); p != nil {
		s.seal((*orderPage)(p), &p.digest, &p.fresh, fresh)
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
	sums := make([]Digest, len(chunks))
	for i, b := range chunks {
		sums[i] = sha256.Sum256(b)
		if err := s.restoreChunk(b, sums[i], i == 0); err != nil {
			return nil, Digest{}, fmt.Errorf("restoring chunk %d of a state: %w", i, err)
		}
	}
	if err := s.relink(); err != nil {
		return nil, Digest{}, err
	}
	return s, stateDigest(sums), nil
}

// restoreChunk reads a chunk. What it is stands in its first member.
func (s *State) restoreChunk(b []byte, sum Digest, first bool) error {
	c := Codec{buf: b, reading: true, state: s}
	c.expect('{')
	switch {
	case first:
		(*head)(s).fields(&c)
	case c.next("orders"):
		new(orderPage).fields(&c)
		s.orders.taken.sealed(sum)
	case c.next("finished"):
		new(finishedPage).fields(&c)
		s.done.sealed(sum)
	default:
		new(group).fields(&c)
		s.roster.sealed(sum)
	}
	c.expect('}')
	if c.err == nil && len(c.buf) > 0 {
		c.fail("bytes after the end")
	}
	return c.err
}

func (j *Job) fields(c *Codec) {
	integer(c, "index", &j.index)
	j.specField(c)
	c.Text("state", (*string)(&j.State))
	c.Seq("posted", &j.Posted)
	c.Seq("ended", &j.ended)
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
	integer(c, "retry_at", &j.RetryAt)
	object(c, "answer", &j.Answer)
	object(c, "held", &j.held)
	c.Amount("grant", &j.grant)
	c.Amount("slashes", &j.slashes)
	object(c, "ending", &j.ending)
	object(c, "asked", &j.asked)
	object(c, "said", &j.said)
	c.Flag("patient", &j.patient)
	c.Flag("cleared", &j.cleared)
	c.Flag("withheld", &j.withheld)
	c.Seq("expedited", &j.Expedited)
	c.Amount("boosted", &j.Boosted)
	records(c, "boosts", &j.boosts)
	integer(c, "rounds", &j.Rounds)
	integer(c, "undecided", &j.Undecided)
	object(c, "round", &j.Round)
	j.fundsField(c)
}

func (a *asked) fields(c *Codec) {
	a.ApprovalAsked.fields(c)
	integer(c, "at", &a.at)
	c.Text("in", (*string)(&a.in))
}

func (v *said) fields(c *Codec) {
	c.Text("say", &v.say)
	c.Text("reason", &v.reason)
	c.Flag("failed", &v.failed)
}

func (a *Answer) fields(c *Codec) {
	c.JSON("result", &a.Result)
	c.Hex("digest", a.Digest[:])
	records(c, "files", &a.Files)
	c.Seq("entry", &a.entry)
	c.Hex("prev", a.prev[:])
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
	integer(c, "opened", &r.Opened)
	integer(c, "from", &r.From)
	integer(c, "until", &r.Until)
	integer(c, "due", &r.Due)
	c.Flag("reminded", &r.Reminded)
	c.Flag("closed", &r.Closed)
	c.Flag("excused", &r.Excused)
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
	c.Flag("twice", &s.Twice)
	c.inline("sealed", &s.Sealed)
	c.Text("vote", &s.Vote)
	c.Text("reason", &s.Reason)
}

// fundsField keeps what an open job holds.
func (j *Job) fundsField(c *Codec) {
	if j.State.Terminal() {
		return
	}
	for _, f := range [...]struct {
		name    string
		kind    ledger.Kind
		account *ledger.Account
	}{{"escrow", ledger.KindEscrow, &j.escrow}, {"deposit", ledger.KindDeposit, &j.deposit}} {
		amount := c.state.balance(*f.account)
		c.Amount(f.name, &amount)
		if c.reading && c.err == nil && amount != 0 {
			c.state.mintAgain(c, c.state.own(f.account, f.kind, j), amount)
		}
	}
}

// restoreJobs takes the jobs of a chunk as they were sealed: in post order.
func (s *State) restoreJobs(c *Codec, jobs []*Job) {
	for _, j := range jobs {
		if n := len(s.restored); n > 0 && j.index <= s.restored[n-1].index || j.index < 0 {
			c.fail("jobs that are not in post order")
			return
		}
		s.restored = append(s.restored, j)
		s.roster.add(j)
	}
}

// relink rebuilds what follows from the records: indexes, accounts, balances.
func (s *State) relink() error {
	restored := s.restored
	s.restored = nil
	for _, j := range restored {
		j.outsideHeaps()
		if s.known(j.Spec.ID) {
			return fmt.Errorf("restoring a state: job %s is there twice", j.Spec.ID)
		}
		s.jobs[j.Spec.ID] = j
	}
	for _, j := range restored {
		if j.Spec.Parent != "" {
			s.evolveChild(j)
		}
		if j.State.Terminal() {
			s.leaving = append(s.leaving, j)
			continue
		}
		s.open++
		s.openJob(j)
		s.relinkWork(j)
	}
	for _, j := range restored {
		if !j.State.Terminal() {
			s.move(j)
		}
	}
	for _, id := range s.waiting {
		if j := s.jobs[id]; j != nil {
			s.undrawn.push(j)
		}
	}
	s.indexPools()
	for _, j := range restored {
		if !j.State.Terminal() {
			s.touch(j)
		}
	}
	for g := s.roster.first; g != nil; g = g.after {
		g.fresh = false // it was made of its sealed form
	}
	s.waiting = nil
	return nil
}

// relinkWork puts an open job where its state says.
func (s *State) relinkWork(j *Job) {
	if j.working {
		j.Worker.Load++
		s.running++
	}
	if j.State == JobAssignedState {
		s.asking++
	}
	if j.withheld {
		s.withheld++
	}
	if j.held != nil {
		s.heldJobs++
	}
	if j.unfunded() {
		j.purse.unfunded.put(j)
	}
	if j.ending != nil {
		s.dying.put(j)
	}
}
