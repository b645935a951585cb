package core

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"

	"github.com/omega-run/omega/host/ledger"
)

// A pool is one worker block: equal instances, so that choosing one is counting
// bits. free[l] holds the instances that carry l attempts and can take more.
type pool struct {
	spec    WorkerSpec
	workers []*Worker
	free    []bitset
	idle    int64 // instances in free
	rank    int   // place of the block in the file
}

type bitset []uint64

func (b bitset) count() (n int64) {
	for _, word := range b {
		n += int64(bits.OnesCount64(word))
	}
	return n
}

func (b bitset) set(i int)   { b[i/64] |= 1 << (i % 64) }
func (b bitset) clear(i int) { b[i/64] &^= 1 << (i % 64) }

// nth is the position of the n-th set bit.
func (b bitset) nth(n int64) int {
	for i, word := range b {
		here := int64(bits.OnesCount64(word))
		if n >= here {
			n -= here
			continue
		}
		for ; n > 0; n-- {
			word &= word - 1
		}
		return i*64 + bits.TrailingZeros64(word)
	}
	return -1
}

// A class is a set of skills: the jobs that ask for exactly these, the pools
// that have them all, and those that have some and hand the rest on, fastest
// first.
type class struct {
	skills []string
	pools  []*pool
	split  []*pool
	ready  heap[*Job]
	paused bool // one of the skills is
}

func (s *State) classFor(skills []string) *class {
	key := strings.Join(skills, "\x00")
	c := s.classOf[key]
	if c == nil {
		c = &class{skills: skills, ready: newHeap(startsBefore, func(j *Job) *int32 { return &j.ready })}
		c.pools, c.split = s.poolsWith(skills)
		c.paused = s.pausesAny(skills)
		s.classOf[key] = c
		s.classes = append(s.classes, c)
	}
	return c
}

// startsBefore is the order in which jobs start: by priority; those of one that a
// steward has put first, as it did; the others as they were posted.
func startsBefore(a, b *Job) bool {
	switch {
	case a.Spec.Priority != b.Spec.Priority:
		return a.Spec.Priority > b.Spec.Priority
	case a.Expedited != b.Expedited:
		return b.Expedited == 0 || a.Expedited > 0 && a.Expedited < b.Expedited
	}
	return a.index < b.index
}

func (s *State) poolsWith(skills []string) (able, split []*pool) {
	for _, p := range s.pools {
		switch {
		case !p.staffed():
		case hasAll(p.spec.Skills, skills):
			able = append(able, p)
		case p.spec.Delegates && hasAny(p.spec.Skills, skills):
			split = append(split, p)
		}
	}
	fastest := func(a, b *pool) int {
		if a.speed() != b.speed() {
			return int(b.speed() - a.speed())
		}
		return a.rank - b.rank
	}
	slices.SortStableFunc(able, fastest)
	slices.SortStableFunc(split, fastest)
	return able, split
}

// staffed reports whether the block has an instance that takes work.
func (p *pool) staffed() bool {
	return slices.ContainsFunc(p.workers, func(w *Worker) bool { return !w.Draining })
}

// Takes reports whether a worker of the block may be given a job that asks for
// these skills: it has them all, or some and may hand the rest on.
func (w *WorkerSpec) Takes(skills []string) bool {
	return hasAll(w.Skills, skills) || w.Delegates && hasAny(w.Skills, skills)
}

func hasAny(has, wants []string) bool {
	return slices.ContainsFunc(wants, func(w string) bool { return hasAll(has, []string{w}) })
}

func hasAll(has, wants []string) bool {
	for _, w := range wants {
		if _, ok := slices.BinarySearch(has, w); !ok {
			return false
		}
	}
	return true
}

const unitSpeed ledger.Ratio = 1_000_000

func (p *pool) speed() ledger.Ratio {
	if p.spec.Kind == Simulated {
		return p.spec.Simulated.Speed
	}
	return unitSpeed
}

// evolvePools brings pools to what a generation declares: new instances join,
// those that are gone drain.
func (s *State) evolvePools(spec *Spec) {
	for _, p := range s.pools {
		for _, w := range p.workers {
			w.Draining = true
		}
	}
	for rank, block := range spec.Workers {
		p := s.poolNamed(block.Name)
		p.spec, p.rank = block, rank
		for _, id := range block.Instances {
			s.evolveWorker(p, id)
		}
	}
	s.indexPools()
}

// indexPools rebuilds what follows from pools and loads.
func (s *State) indexPools() {
	s.freeSlots = 0
	for _, p := range s.pools {
		p.index()
		for _, w := range p.workers {
			if !w.Draining {
				s.freeSlots += max(0, p.spec.Slots-w.Load)
			}
		}
	}
	for _, c := range s.classes {
		c.pools, c.split = s.poolsWith(c.skills)
	}
}

func (s *State) poolNamed(name string) *pool {
	for _, p := range s.pools {
		if p.spec.Name == name {
			return p
		}
	}
	p := &pool{}
	s.pools = append(s.pools, p)
	return p
}

func (s *State) evolveWorker(p *pool, id string) {
	if w := s.workers[id]; w != nil {
		w.Draining = false
		return
	}
	w := &Worker{
		ID: id, pool: p, slot: len(p.workers),
		account: s.ledger.Open(ledger.Name{Kind: ledger.KindWorker, Unit: ledger.Token, Owner: id}),
		stake:   s.ledger.Open(ledger.Name{Kind: ledger.KindWorkerStake, Unit: ledger.Token, Owner: id}),
	}
	p.workers = append(p.workers, w)
	s.workers[id] = w
}

func (p *pool) index() {
	p.free = make([]bitset, p.spec.Slots)
	for l := range p.free {
		p.free[l] = make(bitset, (len(p.workers)+63)/64)
	}
	p.idle = 0
	for i, w := range p.workers {
		if !w.Draining && w.Load < p.spec.Slots {
			p.free[w.Load].set(i)
			p.idle++
		}
	}
}

// load moves a worker between the rows of its pool.
func (s *State) load(w *Worker, by int64) {
	p := w.pool
	if !w.Draining {
		if w.Load < p.spec.Slots {
			p.free[w.Load].clear(w.slot)
			p.idle--
		}
		if w.Load+by < p.spec.Slots {
			p.free[w.Load+by].set(w.slot)
			p.idle++
		}
		s.freeSlots += max(0, p.spec.Slots-w.Load-by) - max(0, p.spec.Slots-w.Load)
	}
	w.Load += by
	s.running += by
}

func (s *State) takeWorker(j *Job, w *Worker) {
	j.Worker, j.working = w, true
	s.load(w, 1)
}

// endWork gives the slot back; the worker stays with the job until its stake is
// settled.
func (s *State) endWork(j *Job) {
	if j.working {
		j.working = false
		s.load(j.Worker, -1)
	}
	if j.State == JobAssignedState {
		s.asking--
	}
}

func (s *State) freeWorker(j *Job) {
	if j.Worker == nil {
		return
	}
	s.endWork(j)
	j.LastWorker, j.Worker, j.Stake, j.said = j.Worker.ID, nil, 0, nil
}

// schedule assigns ready jobs to free workers. Jobs of one class start strictly
// in order of priority and posting; a job that waits for energy, compute or
// tokens also holds back all later jobs that need the same, so that large ones
// are not starved.
func (s *State) schedule() {
	if s.status != Running || s.readyJobs == 0 || s.freeSlots == 0 {
		return
	}
	var short shortage
	held := append(s.held[:0], make([]bool, len(s.classes))...)
	s.held = held
	for s.roomForWork() && s.roomInEntry() {
		c := s.nextClass(held)
		if c < 0 {
			return
		}
		j, _ := s.classes[c].ready.first()
		if !s.assign(j, &short) {
			held[c] = true
		}
	}
}

func (s *State) roomForWork() bool {
	limit := s.spec.Delegation.BackgroundLimit
	return s.freeSlots > 0 && (limit == 0 || s.running < limit) && s.asking < maxAsking
}

// nextClass is the class whose first job comes before all others', among those
// that are not held back and have a free worker.
func (s *State) nextClass(held []bool) int {
	best, found := -1, (*Job)(nil)
	for i, c := range s.classes {
		if held[i] || c.paused {
			continue
		}
		j, ok := c.ready.first()
		if ok && (found == nil || startsBefore(j, found)) && c.idle() {
			best, found = i, j
		}
	}
	return best
}

// idle reports whether a worker of the class has a free slot.
func (c *class) idle() bool {
	idle := func(p *pool) bool { return p.idle > 0 }
	return slices.ContainsFunc(c.pools, idle) || slices.ContainsFunc(c.split, idle)
}

// shortage is what has run out in the course of one pass.
type shortage struct {
	energy, compute bool
	purses          []*purse // whose tokens have
}

// lacks reports whether an earlier job waits for the same employer's tokens.
// Children are paid one by one, out of what their parent has set apart.
func (s *shortage) lacks(j *Job) bool { return j.purse != nil && slices.Contains(s.purses, j.purse) }

func (s *State) assign(j *Job, short *shortage) bool {
	if what := s.impossible(j); what != "" {
		return s.exhaust(j, what)
	}
	spec := &j.Spec
	switch {
	case spec.EnergyBudget > 0 && (short.energy || s.freeOf(0) < spec.EnergyBudget):
		short.energy = true
		return false
	case spec.ComputeBudget > 0 && (short.compute || s.freeOf(1) < spec.ComputeBudget):
		short.compute = true
		return false
	}
	deposit := s.depositFor(j)
	if deposit > 0 && short.lacks(j) {
		return false // held back, and not itself without tokens
	}
	if deposit > 0 && s.affordable(j) < deposit {
		if s.exhaust(j, "tokens") {
			return true
		}
		short.purses = append(short.purses, j.purse)
		return false
	}
	w := s.choose(j)
	if w == nil {
		return false
	}
	s.emitAssigned(j, w, deposit)
	return true
}

func (s *State) freeOf(i int) ledger.Amount { return s.ledger.Free(s.accounts.capacity[i]) }

// impossible names the budget that is above its limit, "" if none is: no amount
// of waiting helps.
func (s *State) impossible(j *Job) string {
	switch {
	case j.Spec.EnergyBudget > s.usage[0].limit:
		return "energy"
	case j.Spec.ComputeBudget > s.usage[1].limit:
		return "compute"
	}
	return ""
}

// depositFor is the price of a job's whole budget at this instant.
func (s *State) depositFor(j *Job) ledger.Amount { return s.depositOf(j.Spec.JobSpec) }

func (s *State) depositOf(spec *JobSpec) ledger.Amount {
	return mustCost(spec.EnergyBudget, s.prices[0]) + mustCost(spec.ComputeBudget, s.prices[1])
}

func mustCost(amount, price ledger.Amount) ledger.Amount {
	if amount == 0 {
		return 0
	}
	cost, ok := ledger.Cost(amount, price)
	if !ok {
		panic("core: a checked budget overflows")
	}
	return cost
}

func (s *State) emitAssigned(j *Job, w *Worker, deposit ledger.Amount) {
	spec := &j.Spec
	assigned := &JobAssigned{Job: spec.ID, Attempt: j.Attempt + 1, Worker: w.ID}
	if spec.EnergyBudget > 0 {
		assigned.EnergyPrice = s.prices[0]
	}
	if spec.ComputeBudget > 0 {
		assigned.ComputePrice = s.prices[1]
	}
	s.emit(assigned)
	steps := s.steps(j)
	steps.add(StepStake, 0, s.stakeFor(j))
	steps.add(StepDeposit, 0, deposit)
	steps.add(StepEnergy, 0, spec.EnergyBudget)
	steps.add(StepCompute, 0, spec.ComputeBudget)
	steps.emit()
	if !s.asksAbout(j) {
		s.emit(&AttemptStarted{Job: spec.ID, Attempt: j.Attempt})
	}
}

func (s *State) stakeFor(j *Job) ledger.Amount {
	return s.spec.Governance.WorkerStakeRatio.Of(j.Reward())
}

// choose picks the worker: one with all skills before one that would hand some
// of the work on; of those the fastest pools first, in them the least loaded,
// among those a draw from the seed. One that did the last attempt comes last.
func (s *State) choose(j *Job) *Worker {
	w, last := s.chooseAmong(j, j.class.pools)
	if w != nil {
		return w
	}
	w, other := s.chooseAmong(j, j.class.split)
	for _, w := range [...]*Worker{w, last, other} {
		if w != nil {
			return w
		}
	}
	return nil
}

// chooseAmong goes through pools in the order of their speed; last is the worker
// of the last attempt where it could take the job.
func (s *State) chooseAmong(j *Job, pools []*pool) (w, last *Worker) {
	stake := s.stakeFor(j)
	for len(pools) > 0 {
		n := 1
		for n < len(pools) && pools[n].speed() == pools[0].speed() {
			n++
		}
		w, again := s.chooseFrom(pools[:n], j, stake)
		if w != nil {
			return w, last
		}
		if last == nil {
			last = again
		}
		pools = pools[n:]
	}
	return nil, last
}

// chooseFrom draws among pools of one speed; last is the worker of the last
// attempt where it could take the job.
func (s *State) chooseFrom(pools []*pool, j *Job, stake ledger.Amount) (w, last *Worker) {
	levels := int64(0)
	for _, p := range pools {
		levels = max(levels, p.spec.Slots)
	}
	for level := range levels {
		free := int64(0)
		for _, p := range pools {
			if level < p.spec.Slots {
				free += p.free[level].count()
			}
		}
		first := s.draw(j, free)
		for i := range free {
			w := pick(pools, level, (first+i)%free)
			if s.ledger.Free(w.account) < stake {
				continue
			}
			if w.ID != j.LastWorker {
				return w, last
			}
			last = w
		}
	}
	return nil, last
}

func pick(pools []*pool, level, n int64) *Worker {
	for _, p := range pools {
		if level >= p.spec.Slots {
			continue
		}
		here := p.free[level].count()
		if n < here {
			return p.workers[p.free[level].nth(n)]
		}
		n -= here
	}
	panic("core: a counted worker is not there")
}

// draw is a number below n from the seed, the job and the attempt.
func (s *State) draw(j *Job, n int64) int64 {
	if n < 2 {
		return 0
	}
	b := make([]byte, 0, 128)
	b = append(b, "omega.assign/v1\n"...)
	b = binary.BigEndian.AppendUint64(b, uint64(s.spec.Mission.Seed))
	b = binary.BigEndian.AppendUint64(b, uint64(j.Attempt))
	b = append(b, j.Spec.ID...)
	sum := sha256.Sum256(b)
	hi, _ := bits.Mul64(binary.BigEndian.Uint64(sum[:]), uint64(n))
	return int64(hi)
}
