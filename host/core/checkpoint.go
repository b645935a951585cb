package core

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/omega-run/omega/host/ledger"
)

// chunkJobs is how many jobs, in post order, share a chunk of the sealed state:
// enough that a million jobs make 16,000 chunks, few enough that 64 of the
// largest (256 KiB of input, 64 KiB of result) stay below what a chunk may have.
const chunkJobs = 64

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
	c.Amount("grant", &j.grant)
	object(c, "ending", &j.ending)
	object(c, "asked", &j.asked)
	integer(c, "asked_at", &j.askedAt)
	c.Text("asked_in", (*string)(&j.askedIn))
	c.Flag("patient", &j.patient)
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
	integer(c, "from", &r.From)
	integer(c, "due", &r.Due)
	c.Flag("reminded", &r.Reminded)
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
		j.index = i
		j.outsideHeaps()
		if s.jobs[j.Spec.ID] != nil {
			return fmt.Errorf("restoring a state: job %s is there twice", j.Spec.ID)
		}
		s.jobs[j.Spec.ID] = j
	}
	for _, j := range s.posted {
		if j.Spec.Parent != "" {
			s.evolveChild(j)
		}
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
		if j.State == JobPostedState && !j.Escrowed && j.Parent == nil {
			j.purse.unfunded.put(j)
		}
		if j.ending != nil {
			s.dying.put(j)
		}
	}
	for _, j := range s.posted {
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
	for _, j := range s.posted {
		if !j.State.Terminal() {
			s.touch(j)
		}
	}
	s.waiting = nil
	return nil
}
