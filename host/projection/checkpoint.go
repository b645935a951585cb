package projection

import (
	"encoding/base64"
	"encoding/hex"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// StateCheckpoint is state-checkpoint.json, schema omega.state-checkpoint/v1:
// the newest seal of the state, and how the mission stood then.
type StateCheckpoint struct {
	Schema     string     `json:"schema"`
	Mission    string     `json:"mission"`
	ID         string     `json:"id"`         // of the mission
	Checkpoint *SealPoint `json:"checkpoint"` // null before the first
}

// SealPoint is one checkpoint.
type SealPoint struct {
	Seq       core.Seq  `json:"seq"`       // the entry whose state is sealed
	Entry     string    `json:"entry"`     // that entry's digest, hex
	State     string    `json:"state"`     // the state's digest, hex
	Signature string    `json:"signature"` // of the host's key, base64
	Recorded  core.Seq  `json:"recorded"`  // the entry that holds the checkpoint
	At        core.Time `json:"at"`
	Summary   Condition `json:"summary"`
}

// Condition is how a mission stands, in short.
type Condition struct {
	Status     string    `json:"status"` // running, paused, stopping, stopped, emergency, ended
	Phase      Phase     `json:"phase"`
	Confidence string    `json:"confidence"`
	Headline   string    `json:"headline"`
	Jobs       JobCounts `json:"jobs"`
	Totals     TotalsOf  `json:"totals"`
}

// TotalsOf are sums of TOKEN over the mission's life.
type TotalsOf struct {
	Minted  string `json:"minted"`
	Paid    string `json:"paid"` // to workers and validators
	Slashed string `json:"slashed"`
	Burned  string `json:"burned"`
	Fees    string `json:"fees"`
}

func totalsOf(t core.Totals) TotalsOf {
	return TotalsOf{t.Minted.String(), t.Paid.String(), t.Slashed.String(), t.Burned.String(), t.Fees.String()}
}

func appendTotals(l *line, key string, t *core.Totals) {
	l.raw(key)
	l.amount(`{"minted":`, t.Minted)
	l.amount(`,"paid":`, t.Paid)
	l.amount(`,"slashed":`, t.Slashed)
	l.amount(`,"burned":`, t.Burned)
	l.amount(`,"fees":`, t.Fees)
	l.raw("}")
}

// HistoryLine is a line of state-history.jsonl: the mission at a checkpoint.
type HistoryLine struct {
	Seq        core.Seq  `json:"seq"` // the entry that holds the checkpoint
	At         core.Time `json:"at"`
	Sealed     core.Seq  `json:"sealed"` // the entry whose state is sealed
	Digest     string    `json:"digest"` // that state's digest, hex
	Phase      Phase     `json:"phase"`
	Confidence string    `json:"confidence"`
	Jobs       JobCounts `json:"jobs"`
	Totals     TotalsOf  `json:"totals"`
}

// AckLine is a line of control-ack.jsonl: what became of an order.
type AckLine struct {
	ID       string    `json:"id"` // the order's
	Accepted bool      `json:"accepted"`
	Refusal  string    `json:"refusal,omitempty"` // why not: a code, and what it is about
	Detail   string    `json:"detail,omitempty"`
	Seq      core.Seq  `json:"seq"`
	At       core.Time `json:"at"`
}

const checkpointSchema = "omega.state-checkpoint/v1"

func hexOf(d core.Digest) string { return hex.EncodeToString(d[:]) }

// checkpoint keeps the newest seal and writes the lines that belong to one.
func (p *Set) checkpoint(s *core.State, e *core.Entry) {
	for _, event := range e.Events {
		c, ok := event.(*core.Checkpointed)
		if !ok {
			continue
		}
		load := p.pressure(s)
		p.Seal = &seal{
			Seq: c.Seq, Entry: c.Entry, State: c.State, Signature: append([]byte(nil), c.Signature...), Recorded: s.Seq(), At: s.Now(),
			Status: s.Status(), Reason: s.Reason(), Confidence: load.Confidence(), Jobs: p.census.counts, Totals: s.Totals(),
		}
		p.stateLine(s, c, &load)
		p.longRun(s)
	}
}

func (p *Set) stateLine(s *core.State, c *core.Checkpointed, load *Pressure) {
	t, confidence := s.Totals(), load.Confidence()
	l := line{p.buffer[:0]}
	l.int(`{"seq":`, int64(s.Seq()))
	l.int(`,"at":`, int64(s.Now()))
	l.int(`,"sealed":`, int64(c.Seq))
	l.digest(`,"digest":`, &c.State)
	l.word(`,"phase":`, string(PhaseOf(confidence)))
	l.ratio(`,"confidence":`, confidence)
	p.census.counts.appendTo(&l, `,"jobs":`)
	appendTotals(&l, `,"totals":`, &t)
	l.raw("}\n")
	p.States.add(l.b, s.Spec().Retention.StateHistory)
	p.buffer = l.b
}

func (p *Set) acknowledge(s *core.State, o *core.OrderTaken) {
	p.Acks.add(encode(AckLine{
		ID: o.ID, Accepted: o.Refusal == "", Refusal: o.Refusal, Detail: plain(o.Detail, maxDetail), Seq: s.Seq(), At: s.Now(),
	}), s.Spec().Retention.StructuredLog)
}

func (p *Set) stateCheckpoint(s *core.State) []byte {
	c := StateCheckpoint{Schema: checkpointSchema, Mission: s.Spec().Mission.Name, ID: s.Mission().Mission}
	if p.Seal != nil {
		c.Checkpoint = p.Seal.spell()
	}
	return encode(c)
}

// seal is a checkpoint as it is kept until somebody reads it.
type seal struct {
	Seq        core.Seq
	Entry      core.Digest
	State      core.Digest
	Signature  []byte
	Recorded   core.Seq
	At         core.Time
	Status     core.Status
	Reason     string
	Confidence ledger.Ratio
	Jobs       JobCounts
	Totals     core.Totals
}

func (c *seal) spell() *SealPoint {
	return &SealPoint{
		Seq: c.Seq, Entry: hexOf(c.Entry), State: hexOf(c.State), Signature: base64.StdEncoding.EncodeToString(c.Signature), Recorded: c.Recorded, At: c.At,
		Summary: conditionOf(c.Status, c.Reason, c.Confidence, &c.Jobs, c.Totals),
	}
}

func conditionOf(status core.Status, reason string, confidence ledger.Ratio, jobs *JobCounts, totals core.Totals) Condition {
	phase := PhaseOf(confidence)
	return Condition{
		Status: string(status), Phase: phase, Confidence: confidence.String(),
		Headline: string(appendHeadline(nil, status, reason, phase, jobs)), Jobs: *jobs, Totals: totalsOf(totals),
	}
}
