package projection

import (
	"time"

	"github.com/omega-run/omega/host/core"
)

// LongRunLine is a line of long-run-ledger.jsonl: what a mission has come to, at
// a checkpoint.
type LongRunLine struct {
	Seq      core.Seq  `json:"seq"`
	At       core.Time `json:"at"`        // mission time
	Wall     string    `json:"wall"`      // as recorded
	Hosts    int64     `json:"hosts"`     // times a host took the mission up
	UptimeMS int64     `json:"uptime_ms"` // wall time since the first entry in which a host ran
	DownMS   int64     `json:"down_ms"`   // wall time between hosts
	Backlog  Backlog   `json:"backlog"`
	Running  int64     `json:"running"` // attempts
	Jobs     JobCounts `json:"jobs"`
	Totals   TotalsOf  `json:"totals"`
}

// Backlog is what is left to do.
type Backlog struct {
	Open    int64     `json:"open"`              // jobs
	Due     int64     `json:"due"`               // of them, within autonomy.forecast_horizon
	Soonest core.Time `json:"soonest,omitempty"` // deadline; left out where none runs
	Job     string    `json:"job,omitempty"`     // whose it is
}

// uptime is how long hosts have run the mission.
type uptime struct {
	First string // wall time of the first entry
	Hosts int64
	Down  int64 // milliseconds
}

func (u *uptime) started(e *core.HostStarted) {
	u.Hosts++
	u.Down += int64(e.Gap)
}

// milliseconds at a wall time; 0 where the clock was set back.
func (u *uptime) at(wall string) int64 {
	first, err := time.Parse(time.RFC3339Nano, u.First)
	last, err2 := time.Parse(time.RFC3339Nano, wall)
	if err != nil || err2 != nil {
		return 0
	}
	return max(0, last.Sub(first).Milliseconds()-u.Down)
}

func (p *Set) longRun(s *core.State) {
	c, t := &p.census.counts, s.Totals()
	l := line{p.buffer[:0]}
	l.int(`{"seq":`, int64(s.Seq()))
	l.int(`,"at":`, int64(s.Now()))
	l.text(`,"wall":`, p.Wall)
	l.int(`,"hosts":`, p.Uptime.Hosts)
	l.int(`,"uptime_ms":`, p.Uptime.at(p.Wall))
	l.int(`,"down_ms":`, p.Uptime.Down)
	l.int(`,"backlog":{"open":`, c.Open)
	l.int(`,"due":`, int64(len(p.census.agenda.near)))
	if r := p.census.agenda.first(); r != nil {
		l.int(`,"soonest":`, int64(r.due))
		l.text(`,"job":`, r.job.Spec.ID)
	}
	l.int(`},"running":`, c.running())
	c.appendTo(&l, `,"jobs":`)
	appendTotals(&l, `,"totals":`, &t)
	l.raw("}\n")
	p.LongRun.add(l.b, s.Spec().Retention.LedgerHistory)
	p.buffer = l.b
}
