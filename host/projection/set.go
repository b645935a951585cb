package projection

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/omega-run/omega/host/core"
)

// Set is all artifacts of one mission as of one entry. It is for one goroutine,
// the one that owns the state.
type Set struct {
	dir  string // "": nothing is written
	note string // where the memory is kept between two hosts; "": nowhere

	memory
	census  census
	mesh    mesh
	recall  bool        // open jobs are still to be taken up from the state
	state   *core.State // of the last Apply
	shown   core.Seq    // the entry the snapshots in the folder are as of
	buffer  []byte
	words   []byte
	logLine line
	found   []sign
}

// recentLines is how many lines of the log a page shows, recentShown how many a
// glance.
const (
	recentLines = 40
	recentShown = 12
)

// New is the Set before the first entry. Its files go to the folder dir, which
// is made when it is missing; with "" they stay in memory.
func New(dir string) *Set {
	p := &Set{dir: dir}
	p.Format, p.Workers, p.Validators = memoryFormat, newConducts(), newConducts()
	p.prepare()
	for i, name := range historyNames() {
		p.histories()[i].Name = name
	}
	return p
}

func historyNames() []string {
	return []string{
		"autonomy-history.jsonl", "control-ack.jsonl", "insights.jsonl", "long-run-ledger.jsonl", "mesh-history.jsonl", "state-history.jsonl", "storyboard-history.jsonl", "structured-log.jsonl",
	}
}

// histories in the order of their names.
func (p *Set) histories() []*history {
	return []*history{&p.Advice, &p.Acks, &p.Insights, &p.LongRun, &p.mesh.history, &p.States, &p.Scenes, &p.Log}
}

// prepare makes what follows from the rules alone.
func (p *Set) prepare() {
	p.census = newCensus()
	p.Advice.shy, p.Insights.shy = true, true
	p.Books.prepare()
	p.mesh.prepare()
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
	if e.Seq == 1 {
		p.Uptime.First = e.Wall
	}
	if p.recall {
		p.takeUp(s)
	}
	look, sealed := e.Seq == 1, false
	if len(e.Events) > 0 {
		p.mesh.begin(s, e)
	}
	for _, event := range e.Events {
		p.take(s, event)
		look = look || urgent(event)
		sealed = sealed || isSeal(event)
	}
	p.census.settle(s)
	p.tellInsights(s)
	p.log(s, e)
	if sealed { // now that everything is counted
		p.checkpoint(s, e)
	}
	if sealed || look || s.Now() >= p.NextLook {
		p.look(s, sealed)
	}
	if p.Points.due(s.Now()) {
		p.Points.add(p.now(s))
	}
}

func isSeal(event core.Event) bool { _, ok := event.(*core.Checkpointed); return ok }

// take folds one event in.
func (p *Set) take(s *core.State, event core.Event) {
	c := &p.census
	id := jobOf(event)
	if posted, ok := event.(*core.JobPosted); ok {
		c.counts.Total++
		c.track(s, find(s, posted.Spec.ID))
	}
	var r *tracked
	if id != "" {
		r = c.of(id)
	}
	switch e := event.(type) {
	case *core.Transfer:
		p.Books.move(s, e, r)
	case *core.OrderTaken:
		p.acknowledge(s, e)
	case *core.HostStarted:
		p.Uptime.started(e)
	case *core.SeatsReminded, *core.JobsUnattended:
		p.Watchdog.remind(s, event)
	case *core.ApprovalAsked:
		r.approval = &Approval{Job: e.Job, Name: plain(r.job.Name(), maxName), Reason: e.Reason, Detail: plain(e.Detail, maxDetail), Since: s.Now()}
		c.asked.push(r)
	case *core.ApprovalGiven, *core.JobEnding:
		c.asked.remove(r)
	default:
		p.fold(s, event)
	}
	if r != nil {
		p.watch(event, r)
	}
	p.mesh.say(s, event, r)
	if e, ok := event.(*core.JobEnded); ok {
		*c.counts.of(e.State)++
		p.Ended.add(r.job)
		c.leaving = append(c.leaving, r)
	}
}

// EachTransfer has every movement told, spelled out, while its entry is applied.
func (p *Set) EachTransfer(tell func(TransferOf)) {
	p.Books.each = func(t *TransferOf) { tell(*t) }
}

func (p *Set) log(s *core.State, e *core.Entry) {
	keep := s.Spec().Retention.StructuredLog
	Tell(s, e, func(l LogLine) {
		p.buffer = l.append(p.buffer[:0])
		p.Log.add(p.buffer, keep)
		p.Recent.keep(p.buffer[:len(p.buffer)-1])
	})
}

// recent are the newest lines of the log, from Next on the oldest first.
type recent struct {
	Lines [][]byte
	Next  int
}

// keep copies a line into the memory of the oldest.
func (r *recent) keep(line []byte) {
	if len(r.Lines) < recentLines {
		r.Lines = append(r.Lines, append([]byte(nil), line...))
		return
	}
	r.Lines[r.Next] = append(r.Lines[r.Next][:0], line...)
	if r.Next++; r.Next == recentLines {
		r.Next = 0
	}
}

// newest are the last lines, oldest first.
func (r *recent) newest(most int) [][]byte {
	n := len(r.Lines)
	lines := make([][]byte, 0, min(n, most))
	for i := n - min(n, most); i < n; i++ {
		lines = append(lines, r.Lines[(r.Next+i)%n])
	}
	return lines
}

// Audit compares the sums kept here with what the ledger holds and what is
// counted with the jobs that are open. It looks at everything: it is for tests
// and audits.
func (p *Set) Audit(s *core.State) error {
	counts, t := p.census.counts.ended(), s.Totals()
	if told := (JobCounts{Total: t.Posted, Finalized: t.Finalized, Failed: t.Failed, Cancelled: t.Cancelled, Expired: t.Expired, Skipped: t.Skipped}); counts != told {
		return fmt.Errorf("auditing the ended jobs: %+v kept, %+v told", counts, told)
	}
	for _, j := range s.Jobs() {
		if !j.State.Terminal() {
			counts.Open++
			*counts.of(j.State)++
		}
	}
	if counts != p.census.counts {
		return fmt.Errorf("auditing the job counts: %+v kept, %+v counted", p.census.counts, counts)
	}
	if due := p.census.countDue(s); due != len(p.census.agenda.near) {
		return fmt.Errorf("auditing the backlog: %d kept, %d counted", len(p.census.agenda.near), due)
	}
	return p.Books.audit(s.Ledger())
}

func (c *census) countDue(s *core.State) (n int) {
	for _, j := range s.Jobs() {
		if due := dueOf(j); !j.State.Terminal() && due > 0 && due <= c.agenda.horizon {
			n++
		}
	}
	return n
}

// pressure is what weighs on the mission now.
func (p *Set) pressure(s *core.State) Pressure {
	c := &p.census
	return Weigh(s, c.needs, int64(len(c.agenda.near)), c.counts.Open, p.Books.locked())
}

func (p *Set) condition(s *core.State, load *Pressure) Condition {
	return conditionOf(s.Status(), s.Reason(), load.Confidence(), &p.census.counts, s.Totals())
}

// Artifact is one file of the status folder.
type Artifact struct {
	Name  string
	Bytes []byte
}

// snapshots renders what is shown as of the last entry, in name order.
func (p *Set) snapshots() []Artifact {
	s := p.state
	all := []Artifact{
		{"autonomy-plan.json", p.autonomyPlan(s)},
		{"job-graph.mmd", p.graph()},
		{"resource-ledger.json", p.resourceLedger(s)},
		{"state-checkpoint.json", p.stateCheckpoint(s)},
		{"storyboard.json", p.storyboard(s)},
		{"telemetry-ui.json", p.page(s)},
		{"telemetry.json", p.telemetry(s)},
	}
	return slices.DeleteFunc(all, func(a Artifact) bool { return a.Bytes == nil }) // what there is nothing to say of
}

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
		if h.absent() {
			continue
		}
		b, err := h.content(p.dir)
		if err != nil {
			return nil, err
		}
		all = append(all, Artifact{h.Name, b})
	}
	sortArtifacts(all)
	return all, nil
}
