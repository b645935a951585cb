package host

import (
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
	"github.com/omega-run/omega/host/projection"
)

// view is the mission as it stands at one entry, as scripts see it: all but the
// params of the block that names the script.
type view struct{ head, tail []byte }

// with is the view of a script with these params.
func (v view) with(params []byte) []byte {
	if params == nil {
		params = []byte("{}")
	}
	whole := make([]byte, 0, len(v.head)+len(params)+len(v.tail))
	return append(append(append(whole, v.head...), params...), v.tail...)
}

// viewOf shows the state as of now: mission time may have gone on since its last
// entry.
func (x *index) viewOf(s *core.State, now core.Time) view {
	t, load := s.Totals(), x.pressure(s, now)
	confidence := load.Confidence()
	p := pen{make([]byte, 0, 640)}
	p.int(`{"at":`, int64(now))
	p.resource(`,"compute":`, s, ledger.Compute)
	p.part(`,"confidence":`, confidence)
	p.resource(`,"energy":`, s, ledger.Energy)
	p.int(`,"generation":`, s.Generation())
	p.int(`,"jobs":{"cancelled":`, t.Cancelled)
	p.int(`,"expired":`, t.Expired)
	p.int(`,"failed":`, t.Failed)
	p.int(`,"finalized":`, t.Finalized)
	p.int(`,"open":`, int64(s.Open()))
	p.int(`,"posted":`, t.Posted)
	running, waiting := s.Attempts()
	p.int(`,"running":`, running)
	p.int(`,"skipped":`, t.Skipped)
	p.int(`,"waiting":`, waiting)
	p.text(`},"mission":`, s.Spec().Mission.Name)
	p.raw(`,"params":`)
	v := view{head: p.b}
	p = pen{make([]byte, 0, 320)}
	p.raw(`,"phase":"` + string(projection.PhaseOf(confidence)) + `"`)
	p.part(`,"pressure":`, ledger.Whole-confidence)
	p.int(`,"seq":`, int64(s.Seq()))
	p.raw(`,"status":"` + string(s.Status()) + `"`)
	p.amount(`,"tokens":{"burned":`, t.Burned)
	p.amount(`,"fees":`, t.Fees)
	free, _ := s.Purse(s.Spec().Mission.Owner)
	p.amount(`,"free":`, free)
	p.amount(`,"minted":`, t.Minted)
	p.amount(`,"paid":`, t.Paid)
	p.amount(`,"slashed":`, t.Slashed)
	p.raw("}}")
	v.tail = p.b
	return v
}

func (p *pen) resource(before string, s *core.State, unit ledger.Unit) {
	limit, free, reserved, consumed := s.Resource(unit)
	energy, price := s.Prices()
	if unit == ledger.Energy {
		price = energy
	}
	p.amount(before+`{"consumed":`, consumed)
	p.amount(`,"free":`, free)
	p.amount(`,"limit":`, limit)
	p.amount(`,"price":`, price)
	p.amount(`,"reserved":`, reserved)
	p.raw("}")
}

// scriptView is what a validator or a worker sees of the mission.
func scriptView(s *core.State, j *core.Job, params []byte) []byte {
	if params == nil {
		params = []byte("{}")
	}
	var p pen
	p.int(`{"attempt":`, j.Attempt)
	p.text(`,"job":`, j.Spec.ID)
	p.text(`,"mission":`, s.Spec().Mission.Name)
	p.raw(`,"params":` + string(params) + "}")
	return p.b
}
