package projection

import (
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// Series are values over mission time, a column each, all of the same length;
// the last point is now. Where there are too many points every second one is
// dropped.
type Series struct {
	At           []core.Time `json:"at"`
	Energy       []string    `json:"energy"`        // part of the limit in use
	Compute      []string    `json:"compute"`       // part of the limit in use
	EnergyPrice  []string    `json:"energy_price"`  // TOKEN per 1,000 units
	ComputePrice []string    `json:"compute_price"` // TOKEN per 1,000 units
	Treasury     []string    `json:"treasury"`      // free on the owner's account
	Confidence   []string    `json:"confidence"`
	Running      []int64     `json:"running"`
	Open         []int64     `json:"open"`
	Finalized    []int64     `json:"finalized"`
}

// maxPoints is the most points of a series, with the one for now.
const maxPoints = 240

// firstStep is the mission time between two points at first.
const firstStep = core.Time(core.Second)

// point is one moment of the series.
type point struct {
	At         core.Time
	Use        [2]ledger.Ratio
	Price      [2]ledger.Amount
	Treasury   ledger.Amount
	Confidence ledger.Ratio
	Running    int64
	Open       int64
	Finalized  int64
}

// points are the moments kept: at most one in a step of mission time, the first
// entry at or after it.
type points struct {
	Kept []point
	Step core.Time
	Next core.Time
}

func (s *points) due(now core.Time) bool { return now >= s.Next }

func (s *points) add(p point) {
	s.Kept = append(s.Kept, p)
	if s.Step == 0 {
		s.Step = firstStep
	}
	if len(s.Kept) == maxPoints {
		for i := range maxPoints / 2 {
			s.Kept[i] = s.Kept[2*i]
		}
		s.Kept = s.Kept[:maxPoints/2]
		s.Step *= 2
		p = s.Kept[len(s.Kept)-1]
	}
	s.Next = max(p.At+s.Step, s.Next)
}

func (p *Set) now(s *core.State) point {
	load, c := p.pressure(s), &p.census.counts
	return point{
		At: s.Now(), Use: [2]ledger.Ratio{load.Energy, load.Compute}, Price: pricesOf(s), Treasury: ownersFree(s),
		Confidence: load.Confidence(), Running: c.running(), Open: c.Open, Finalized: c.Finalized,
	}
}

func (s *points) series(now point) (all Series) {
	shown := s.Kept
	if last := len(shown) - 1; last >= 0 && shown[last].At == now.At {
		shown = shown[:last]
	}
	for i := range len(shown) + 1 {
		p := &now
		if i < len(shown) {
			p = &shown[i]
		}
		all.At = append(all.At, p.At)
		all.Energy = append(all.Energy, p.Use[0].String())
		all.Compute = append(all.Compute, p.Use[1].String())
		all.EnergyPrice = append(all.EnergyPrice, p.Price[0].String())
		all.ComputePrice = append(all.ComputePrice, p.Price[1].String())
		all.Treasury = append(all.Treasury, p.Treasury.String())
		all.Confidence = append(all.Confidence, p.Confidence.String())
		all.Running = append(all.Running, p.Running)
		all.Open = append(all.Open, p.Open)
		all.Finalized = append(all.Finalized, p.Finalized)
	}
	return all
}
