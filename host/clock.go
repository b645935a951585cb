package host

import (
	"time"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// epoch is the wall time at which every rehearsal begins.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

const wallFormat = "2006-01-02T15:04:05.000Z"

// wallAt is the wall time of a rehearsal.
func wallAt(at core.Time) string {
	return epoch.Add(time.Duration(at) * time.Millisecond).Format(wallFormat)
}

// wallClock gives the wall time of a live run; it is written out once a
// millisecond, for the loop alone.
func wallClock(wall func() time.Time) func(core.Time) string {
	last, text := int64(0), ""
	return func(core.Time) string {
		now := wall()
		if ms := now.UnixMilli(); ms != last {
			last, text = ms, now.UTC().Format(wallFormat)
		}
		return text
	}
}

// missionClock turns wall time into mission time: it runs from an anchor, at
// the mission's speed, and stands still while the mission does.
type missionClock struct {
	wall    func() time.Time
	anchor  time.Time
	seen    time.Time // the latest wall time it was asked at
	from    core.Time
	speed   ledger.Ratio
	stopped bool
}

func newClock(wall func() time.Time, from core.Time, speed ledger.Ratio) *missionClock {
	return &missionClock{wall: wall, anchor: wall(), from: from, speed: speed}
}

// now is mission time; it never runs backwards, and goes on from where it was
// when the wall clock is set back.
func (c *missionClock) now() core.Time {
	if c.stopped {
		return c.from
	}
	wall := c.wall()
	if wall.Before(c.seen) {
		c.from, c.anchor = c.at(c.seen), wall
	}
	c.seen = wall
	return c.at(wall)
}

func (c *missionClock) at(wall time.Time) core.Time {
	passed := max(0, wall.Sub(c.anchor))
	at, ok := ledger.MulDiv(passed.Microseconds(), int64(c.speed), 1_000_000*1000)
	if !ok {
		panic("host: mission time is over 292 million years")
	}
	return c.from + core.Time(at)
}

// stop holds mission time at the given instant; run lets it go on from there.
func (c *missionClock) stop(at core.Time) { c.from, c.stopped = at, true }

func (c *missionClock) run() {
	if c.stopped {
		c.anchor, c.stopped = c.wall(), false
		c.seen = c.anchor
	}
}

// until is the wall time that passes before an instant comes.
func (c *missionClock) until(at core.Time) time.Duration {
	wait := int64(at - c.now())
	if wait <= 0 {
		return 0
	}
	const longest = int64(time.Hour / time.Millisecond)
	return time.Duration(min(wait, longest*int64(c.speed)/1_000_000+1)*1_000_000/int64(c.speed)+1) * time.Millisecond
}
