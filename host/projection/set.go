package projection

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// Set is all artifacts of one mission as of one entry. It is for one goroutine,
// the one that owns the state.
type Set struct {
	dir  string // "": nothing is written
	note string // where the memory is kept between two hosts; "": nowhere

	memory
	census census
	state  *core.State // of the last Apply
	shown  core.Seq    // the entry the snapshots in the folder are as of
	last   *core.Job   // counted last, to look it up once
	buffer []byte
}

// memory is what a Set knows beside the state.
type memory struct {
	Format string
	Seq    core.Seq
	Digest core.Digest // of entry Seq
	Wall   string      // of entry Seq
	Books  books
	Seal   *SealPoint
	Recent [][]byte // the newest lines of the log, oldest first
	Log    history
	States history
	Acks   history
}

// recentLines is how many lines of the log telemetry.json shows.
const recentLines = 12

const memoryFormat = "omega.projection/v1"

// New is the Set before the first entry. Its files go to the folder dir, which
// is made when it is missing; with "" they stay in memory.
func New(dir string) *Set {
	p := &Set{dir: dir}
	p.Format, p.Books = memoryFormat, newBooks()
	p.Log.Name, p.States.Name, p.Acks.Name = "structured-log.jsonl", "state-history.jsonl", "control-ack.jsonl"
	return p
}

// Seq is the last entry applied, 0 before the first.
func (p *Set) Seq() core.Seq { return p.memory.Seq }

// Apply takes the next entry, its digest, and the state after it: the same
// state every time, moved on by its owner.
func (p *Set) Apply(s *core.State, e *core.Entry, digest core.Digest) {
	if e.Seq != p.memory.Seq+1 || s.Seq() != e.Seq {
		panic(fmt.Sprintf("projection: entry %d with the state of %d after entry %d", e.Seq, s.Seq(), p.memory.Seq))
	}
	p.memory.Seq, p.Digest, p.Wall, p.state = e.Seq, digest, e.Wall, s
	p.census.join(s)
	for _, event := range e.Events {
		j := p.look(s, jobOf(event))
		switch ev := event.(type) {
		case *core.Transfer:
			p.Books.move(s, ev, j)
		case *core.RoundOpened, *core.AttemptRejected, *core.JobEnded:
			p.Books.seat(ev)
		case *core.OrderTaken:
			p.acknowledge(s, ev)
		}
	}
	p.log(s, e)
	for _, event := range e.Events {
		if c, ok := event.(*core.Checkpointed); ok { // now that everything is counted
			p.checkpoint(s, c)
		}
	}
}

// EachTransfer has every movement told, spelled out, while its entry is applied.
func (p *Set) EachTransfer(tell func(TransferOf)) {
	p.Books.each = func(m *movement) { tell(m.spell(p.state.Spec().Mission.Owner)) }
}

// look finds the job an event concerns and counts it where it is.
func (p *Set) look(s *core.State, id string) *core.Job {
	if id == "" {
		return nil
	}
	if p.last == nil || p.last.Spec.ID != id {
		p.last = s.Job(id)
	}
	p.census.move(p.last)
	return p.last
}

func (p *Set) log(s *core.State, e *core.Entry) {
	keep := s.Spec().Retention.StructuredLog
	Tell(s, e, func(l *LogLine) {
		p.buffer = l.append(p.buffer[:0])
		p.Log.add(p.buffer, keep)
		p.keepRecent(p.buffer[:len(p.buffer)-1])
	})
}

// keepRecent keeps a line among the newest, in the memory of the oldest.
func (p *Set) keepRecent(line []byte) {
	var oldest []byte
	if len(p.Recent) == recentLines {
		oldest = p.Recent[0]
		p.Recent = append(p.Recent[:0], p.Recent[1:]...)
	}
	p.Recent = append(p.Recent, append(oldest[:0], line...))
}

// Audit compares the sums kept here with what the ledger holds and what is
// counted with the jobs there are. It looks at everything: it is for tests and
// audits.
func (p *Set) Audit(s *core.State) error {
	t := s.Totals()
	counts := JobCounts{Total: t.Posted, Finalized: t.Finalized, Failed: t.Failed, Cancelled: t.Cancelled, Expired: t.Expired, Skipped: t.Skipped}
	for _, j := range s.Jobs() {
		if !j.State.Terminal() {
			counts.Open++
			*counts.of(j.State)++
		}
	}
	if counts != p.census.counts {
		return fmt.Errorf("auditing the job counts: %+v kept, %+v counted", p.census.counts, counts)
	}
	return p.Books.audit(s.Ledger())
}

// pressure is what weighs on the mission now. Only where an open job has a
// deadline does it look at the open jobs.
func (p *Set) pressure(s *core.State) Pressure {
	use := func(unit ledger.Unit, needs int64) ledger.Ratio {
		limit, free, _, _ := s.Resource(unit)
		return useOf(limit, free, needs > 0)
	}
	return Pressure{
		Energy:  use(ledger.Energy, p.census.needs[0]),
		Compute: use(ledger.Compute, p.census.needs[1]),
		Backlog: part(p.census.due(s), p.census.counts.Open),
		Locked:  p.Books.locked(),
	}
}

func (p *Set) condition(s *core.State, load Pressure) Condition {
	confidence := load.Confidence()
	phase := PhaseOf(confidence)
	return Condition{
		Status: string(s.Status()), Phase: phase, Confidence: confidence.String(),
		Headline: headline(s.Status(), s.Reason(), phase, &p.census.counts), Jobs: p.census.counts, Totals: totalsOf(s.Totals()),
	}
}

// Artifact is one file of the status folder.
type Artifact struct {
	Name  string
	Bytes []byte
}

// snapshots renders what is shown as of the last entry, in name order.
func (p *Set) snapshots() []Artifact {
	s, open := p.state, p.census.survey(p.state)
	return []Artifact{
		{"job-graph.mmd", graph(s, open)},
		{"resource-ledger.json", p.resourceLedger(s, open)},
		{"state-checkpoint.json", p.stateCheckpoint(s)},
		{"telemetry.json", p.telemetry(s, open)},
	}
}

func (p *Set) histories() []*history { return []*history{&p.Acks, &p.States, &p.Log} }

// Flush brings the folder up to date: new lines are appended to the histories,
// the snapshots are replaced one by one. After an error the next Flush tries
// again. Without a folder it does nothing.
func (p *Set) Flush() error {
	if p.dir == "" || p.state == nil || p.shown == p.memory.Seq {
		return nil
	}
	if err := os.MkdirAll(p.dir, dirMode); err != nil {
		return fmt.Errorf("making the status folder: %w", err)
	}
	for _, h := range p.histories() {
		if err := h.flush(p.dir); err != nil {
			return err
		}
	}
	for _, a := range p.snapshots() {
		if err := replaceWith(filepath.Join(p.dir, a.Name), a.Bytes); err != nil {
			return fmt.Errorf("writing an artifact: %w", err)
		}
	}
	if err := p.remember(); err != nil {
		return err
	}
	p.shown = p.memory.Seq
	return nil
}

// Artifacts are all artifacts as of the last entry, in name order: what a Flush
// leaves in the folder. There are none before the first entry.
func (p *Set) Artifacts() ([]Artifact, error) {
	if p.state == nil {
		return nil, nil
	}
	if err := p.Flush(); err != nil {
		return nil, err
	}
	all := p.snapshots()
	for _, h := range p.histories() {
		b, err := h.content(p.dir)
		if err != nil {
			return nil, err
		}
		all = append(all, Artifact{h.Name, b})
	}
	sortArtifacts(all)
	return all, nil
}
