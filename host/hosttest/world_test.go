package hosttest

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
	"github.com/omega-run/omega/host/ledger"
	"github.com/omega-run/omega/host/missionfile"
)

const (
	data      = "data"
	missionID = "01SIMSIMSIMSIMSIMSIMSIMSIM"
)

// world is everything around the host, and what it must not get wrong.
type world struct {
	seed   uint64
	drop   drops
	r      *rand.Rand // of the step that happens: one that is left out takes no luck from the others
	plan   *plan
	first  *plan // of genesis
	wall   time.Time
	mem    *journal.MemFS
	disk   *disk
	host   *host.Manual
	ended  bool // the host was started on a mission that had ended
	owner  ed25519.PrivateKey
	key    ed25519.PrivateKey // of the host
	secret [32]byte
	faults bool
	loses  bool // hosts may lose their secret

	mission  *missionfile.Mission // as the file is now; nil: broken
	always   string               // what every attempt does; "": what the seed says
	attempts []*attempt           // begun and neither answered nor forgotten
	current  *attempt
	old      []attempt // any there ever was
	unruled  []*core.Delegate
	admitted []*core.Admit           // any there ever was
	advised  map[string]*core.Advise // the last of each steward
	control  []*core.Order
	sent     int                        // orders made
	votes    map[string]core.OpenVote   // by commitment
	spoken   map[string]host.SignedVote // by commitment, of outside seats
	ways     map[string]string          // of outside validators
	meddled  map[string]bool            // jobs on whose rounds the world has voted

	lines  [][]byte // every entry, as it must stand in the journal
	acked  uint64   // entries the journal has called durable
	book   *book
	mirror *core.State            // replays the recorded bytes
	twin   *core.State            // steps what the host steps, from a replayed or restored state
	chunks map[core.Digest][]byte // sealed, of the replayed state
	did    map[string]int
	trace  func(format string, args ...any)
}

// attempt is work that the host has begun outside.
type attempt struct {
	job    string
	number int64
	lease  core.Seq
	cause  uint64
	run    func()
	does   string
}

// broken ends a run: a law does not hold.
type broken struct{ err *lawError }

// lawError says which law does not hold, by its sentence, and where.
type lawError struct{ law, text string }

func (e *lawError) Error() string { return e.text }

func (w *world) fail(format string, args ...any) {
	panic(broken{&lawError{format, fmt.Sprintf(format, args...)}})
}

// step throws new dice.
func (w *world) step(i int) {
	w.r = rand.New(rand.NewPCG(w.seed, uint64(i)+1<<32))
}

func (w *world) must(holds bool, format string, args ...any) {
	if !holds {
		w.fail(format, args...)
	}
}

// newWorld has a mission that the seed draws, unless it is given one.
func newWorld(seed uint64, p *plan, drop drops) *world {
	r := rand.New(rand.NewPCG(seed, 0x0123456789abcdef))
	if p == nil {
		p = drawPlan(r)
		drop.from(p)
	}
	w := &world{
		seed: seed, drop: drop, r: r, plan: p, wall: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), mem: journal.NewMemFS(), book: newBook(),
		mirror: core.New(), chunks: map[core.Digest][]byte{}, did: map[string]int{}, advised: map[string]*core.Advise{}, votes: map[string]core.OpenVote{}, meddled: map[string]bool{}, spoken: map[string]host.SignedVote{}, ways: map[string]string{}, trace: func(string, ...any) {},
	}
	w.secret = sha256.Sum256(fmt.Appendf(nil, "secret %d", seed))
	owner, key := sha256.Sum256(fmt.Appendf(nil, "owner %d", seed)), sha256.Sum256(fmt.Appendf(nil, "host %d", seed))
	w.owner, w.key = ed25519.NewKeyFromSeed(owner[:]), ed25519.NewKeyFromSeed(key[:])
	w.first, w.loses = w.plan, chance(r, 25)
	var problems missionfile.Diagnostics
	w.mission, problems = w.plan.compile()
	w.must(w.mission != nil, "the simulator's own mission is refused: %v\n%s", problems, w.plan.file())
	return w
}

// follow is told of every entry before it is durable, and holds it against
// everything that is known.
func (w *world) follow(s *core.State, e *core.Entry, d core.Digest) {
	body := e.AppendBody(nil)
	line := frame(uint64(e.Seq), body, fmt.Sprintf("%x", e.Prev))
	w.trace("%s", line)
	if w.lines = append(w.lines, line); e.Seq == 1 {
		w.first = w.plan
	}
	w.must(fmt.Sprintf("%x", d) == digest(line), "entry %d has another digest than its bytes", e.Seq)
	w.must(!strings.Contains(string(body), errDisk.Error()) && !strings.Contains(string(body), journal.ErrDown.Error()), "a fault of the machine is on record: %s", line)
	if w.twin != nil {
		w.alongside(e, body)
	}
	w.read(line)
	w.reported(e)
	w.heard(e)
	w.agree(s)
	if len(w.lines)%16 == 0 {
		w.renewTwin()
	}
	if e.Refusal != nil {
		w.did["refused "+string(e.Refusal.Code)]++
	}
	w.settleWriter()
}

// read lets the checkers read a recorded line.
func (w *world) read(line []byte) {
	if err := w.book.take(line); err != nil {
		panic(broken{err})
	}
	e, err := core.ParseEntry(line)
	w.must(err == nil, "an entry cannot be read back: %v: %s", err, line)
	for _, event := range e.Events {
		if c, ok := event.(*core.Checkpointed); ok {
			replayed, _ := w.seal()
			w.must(replayed == c.State, "replay gives state %x, the checkpoint says %x: %s", replayed, c.State, line)
		}
	}
	w.mirror.Replay(e)
}

// reported checks what only the world can know: that usage is what a worker
// said, and that no seat the host holds fell silent by the host's own fault.
func (w *world) reported(e *core.Entry) {
	for _, event := range e.Events {
		switch event := event.(type) {
		case *core.ResultHeld:
			if said, ok := e.Command.(*core.Result); ok {
				spec := &w.mirror.Job(event.Job).Spec
				w.must(event.EnergyUsed == used(said.EnergyUsed, spec.EnergyBudget) && event.ComputeUsed == used(said.ComputeUsed, spec.ComputeBudget), "entry %d: %s is held with another usage", e.Seq, event.Job)
			}
		case *core.AttemptSubmitted:
			if said, ok := e.Command.(*core.Result); ok && said.Job == event.Job {
				spec := &w.mirror.Job(event.Job).Spec
				energy, compute := used(said.EnergyUsed, spec.EnergyBudget), used(said.ComputeUsed, spec.ComputeBudget)
				w.must(event.EnergyUsed == min(energy, spec.EnergyBudget) && event.ComputeUsed == min(compute, spec.ComputeBudget), "entry %d: %s is submitted with another usage", e.Seq, event.Job)
				w.must(event.OverReported == (energy > spec.EnergyBudget || compute > spec.ComputeBudget), "entry %d: %s is marked over_reported %v", e.Seq, event.Job, event.OverReported)
			}
		case *core.AttemptDelegated:
			w.usedAsSaid(e, event.Job, event.EnergyUsed, event.ComputeUsed)
		case *core.AttemptFailed:
			if event.Reason == "denied" {
				w.usedAsSaid(e, event.Job, event.EnergyUsed, event.ComputeUsed)
			}
		case *core.VotesRevealed:
			w.unanimous(e, event)
		case *core.RoundClosed:
			for _, seat := range event.Absent {
				j := w.book.jobs[event.Job]
				r := j.round
				if r.number != event.Round {
					r = j.last2 // another has opened in this entry
				}
				kind := r.seats[seat].validator.kind
				cut := j.fact.Window > 0 && w.book.at >= r.opened+j.fact.Window // one that waits for others may have had no chance
				w.must(cut || w.meddled[event.Job] || kind == "outside" || kind == "simulated", "entry %d: seat %d of %s, %s, fell silent and nobody kept the host from speaking", e.Seq, seat, event.Job, kind)
			}
		}
	}
}

// usedAsSaid checks what an attempt is to pay that asked for children.
func (w *world) usedAsSaid(e *core.Entry, job string, energy, compute ledger.Amount) {
	if said, ok := e.Command.(*core.Delegate); ok && said.Job == job {
		spec := &w.mirror.Job(job).Spec
		w.must(energy == min(used(said.EnergyUsed, spec.EnergyBudget), spec.EnergyBudget) && compute == min(used(said.ComputeUsed, spec.ComputeBudget), spec.ComputeBudget), "entry %d: %s hands work on with another usage than it said", e.Seq, job)
	}
}

// used is what a report counts as.
func used(said, budget ledger.Amount) ledger.Amount {
	if said == core.Unreported {
		return budget
	}
	return said
}

// probe asks a state what it must refuse; the state is thrown away.
func (w *world) probe(s *core.State) {
	ask := func(code core.RefusalCode, c core.Command) {
		_, refusal := s.Step(&core.Input{At: s.Now(), By: "probe", Prev: core.Digest{1}, Command: c})
		w.must(refusal != nil && refusal.Code == code, "after entry %d %s is answered %v, not %s", len(w.lines), c.Name(), refusal, code)
	}
	for _, o := range w.control {
		if _, _, known := s.Acknowledged(o.ID, o.Body); known {
			ask(core.RefuseOrderReplayed, o)
		}
	}
	ask(core.RefuseMissionExists, &core.Genesis{})
}

// seal is the digest of the replayed state and its chunks, which are kept.
func (w *world) seal() (digest core.Digest, chunks [][]byte) {
	digest, sums := w.mirror.Seal(func(c core.Chunk) { w.chunks[c.Digest] = c.Bytes })
	for _, sum := range sums {
		chunks = append(chunks, w.chunks[sum])
	}
	return digest, chunks
}

// alongside steps the twin, which must decide the same.
func (w *world) alongside(e *core.Entry, body []byte) {
	in := &core.Input{At: e.At, Wall: e.Wall, By: e.By, Prev: e.Prev, Command: e.Command}
	again := *e
	again.Events, again.Refusal = w.twin.Step(in)
	w.must(string(again.AppendBody(nil)) == string(body), "a state that was replayed or restored decides otherwise:\n%s\n%s", body, again.AppendBody(nil))
}

// renewTwin restores a state from what is sealed, or replays one from the
// beginning.
func (w *world) renewTwin() {
	if len(w.lines) == 0 {
		w.twin = core.New()
		return
	}
	want, chunks := w.seal()
	if len(w.lines)%32 == 0 {
		w.twin = w.replayed()
		return
	}
	twin, digest, err := core.Restore(chunks)
	w.must(err == nil && digest == want, "entry %d: a sealed state cannot be restored: %v", len(w.lines), err)
	again, _ := twin.Seal(nil)
	w.must(again == want, "entry %d: a restored state has another digest", len(w.lines))
	if other, _, err := core.Restore(chunks); err == nil && len(w.lines)%64 == 16 {
		w.probe(other)
	}
	w.twin = twin
	w.did["restored twins"]++
}

func (w *world) replayed() *core.State {
	s := core.New()
	for _, line := range w.lines {
		e, err := core.ParseEntry(line)
		w.must(err == nil, "an entry cannot be read back: %v", err)
		s.Replay(e)
	}
	return s
}

// agree holds the state of the loop against the book.
func (w *world) agree(s *core.State) {
	b := w.book
	w.must(string(s.Status()) == b.status && s.Open() == b.open, "entry %d: the state is %s with %d open jobs, the record says %s, %d", b.seq, s.Status(), s.Open(), b.status, b.open)
	whole := map[string]bool{}
	for i, j := range s.Jobs() {
		l := b.order[i]
		whole[l.id] = true
		worker := ""
		if l.worker != nil {
			worker = l.worker.id
		}
		has := ""
		if j.Worker != nil {
			has = j.Worker.ID
		}
		escrow, deposit := s.Escrow(j)
		w.must(uint64(j.Expedited) == l.expedited && micro(j.Boosted) == l.boost, "entry %d: %s is put first in entry %d and boosted by %s, the record says %d and %s", b.seq, l.id, j.Expedited, j.Boosted, l.expedited, l.boost)
		w.must(j.Spec.ID == l.id && string(j.State) == l.state && j.Attempt == l.attempt && j.Failures == l.failures && has == worker && uint64(j.Lease) == l.lease &&
			micro(j.Stake) == l.stake && micro(escrow) == l.escrow && micro(deposit) == l.deposit, "entry %d: %s is %s, attempt %d, %d failures, %s, lease %d, stake %s, escrow %s, deposit %s; the record says %s, %d, %d, %s, %d, %s, %s, %s",
			b.seq, l.id, j.State, j.Attempt, j.Failures, has, j.Lease, j.Stake, escrow, deposit, l.state, l.attempt, l.failures, worker, l.lease, l.stake, l.escrow, l.deposit)
	}
	for _, l := range b.order {
		f, put := s.Finished(l.id)
		w.must(put != whole[l.id], "entry %d: %s is put away %v and whole %v", b.seq, l.id, put, whole[l.id])
		w.must(put == (l.alone > 0 && l.alone < b.seq), "entry %d: %s is %s since entry %d, depended on until %d; put away: %v", b.seq, l.id, l.state, l.end, l.alone, put)
		w.must(!put || string(f.State) == l.state && uint64(f.Posted) == l.begin && uint64(f.Ended) == l.end && uint64(f.Result) == l.fixed, "entry %d: %s is put away as %+v", b.seq, l.id, f)
	}
	known := 0
	s.Ledger().Accounts(func(a ledger.Account) bool {
		name, amount := s.Ledger().Name(a), micro(s.Ledger().Balance(a))
		has := b.money[name.Unit.String()+" "+name.String()]
		w.must(amount == has, "entry %d: %s holds %s %s, the record says %s", b.seq, name, amount, name.Unit, has)
		if amount != 0 {
			known++
		}
		return true
	})
	for name, amount := range b.money {
		if amount != 0 {
			known--
		}
		w.must(known >= 0 || amount == 0, "entry %d: %s holds %s by the record and is no account", b.seq, name, amount)
	}
	t := s.Totals()
	w.must(b.sums == totals{t.Posted, t.Finalized, t.Failed, t.Cancelled, t.Expired, t.Skipped, micro(t.Minted), micro(t.Paid), micro(t.Slashed), micro(t.Burned), micro(t.Fees)},
		"entry %d: the totals are %+v, the record says %+v", b.seq, t, b.sums)
	for i, unit := range [...]ledger.Unit{ledger.Energy, ledger.Compute} {
		_, _, _, consumed := s.Resource(unit)
		w.must(micro(consumed) == b.consumed[i], "entry %d: %s %s was consumed, the record says %s", b.seq, consumed, unit, b.consumed[i])
	}
	for _, p := range b.policies {
		w.must(s.Suspended("policy."+p.Name) == b.out[p.Name], "entry %d: %s is taken out: %v, the record says %v", b.seq, p.Name, s.Suspended("policy."+p.Name), b.out[p.Name])
	}
	for i := range b.juries {
		name := b.juries[i].script()
		w.must(s.Suspended(name) == b.out[name], "entry %d: %s is taken out: %v, the record says %v", b.seq, name, s.Suspended(name), b.out[name])
	}
	w.must((s.HeldEdit() == nil) == (b.held == nil) && (b.held == nil || s.HeldEdit().Approved == b.held.approved), "entry %d: the edit that is held is %+v, the record says %+v", b.seq, s.HeldEdit(), b.held)
	energy, compute := s.Prices()
	w.must([2]micro{micro(energy), micro(compute)} == b.prices, "entry %d: the prices are %s and %s, the record says %v", b.seq, energy, compute, b.prices)
	w.wakes(s)
	w.agreeOnStewards(s)
}

// wakes checks that nothing can be forgotten: what could start has started, or
// the state says when to look again; and all states say the same.
func (w *world) wakes(s *core.State) {
	due, ok := s.NextDeadline()
	if w.book.full() {
		if ok && due <= s.Now() {
			w.did["full entries"]++
		}
		return
	}
	if j := w.book.startable(); j != nil {
		w.must(ok && due <= s.Now(), "entry %d: nothing keeps %s from starting, and nothing says so before %d", w.book.seq, j.id, due)
	}
	again, same := w.mirror.NextDeadline()
	w.must(due == again && ok == same, "entry %d: the state waits until %d (%v), the replayed one until %d (%v)", w.book.seq, due, ok, again, same)
	if w.twin != nil {
		again, same = w.twin.NextDeadline()
		w.must(due == again && ok == same, "entry %d: the state waits until %d (%v), the restored one until %d (%v)", w.book.seq, due, ok, again, same)
	}
}
