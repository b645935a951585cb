package inquiry

import (
	"strings"

	"github.com/omega-run/omega/host/core"
)

// WaitOf is a stretch of time in which the job did not go on, for one reason.
// Seats that vote are told with their round.
type WaitOf struct {
	From   core.Time  `json:"from"`
	To     *core.Time `json:"to"`     // null while it lasts
	Reason string     `json:"reason"` // with the numbers it began with

	state  core.JobState
	status core.Status
	alike  string
}

const mostWaits = 50

// waits are the last stretches, oldest first.
type waits struct {
	items []*WaitOf
	total int64
}

// Look notes why the job waits after the entry that was applied last; state is
// the one after it.
func (s *Story) Look(state *core.State) {
	j := state.Job(s.spec.ID)
	if j == nil || j.State.Terminal() || j.State == core.JobCommitting || j.State == core.JobRevealing {
		s.waits.close(state.Now())
		return
	}
	if w := s.waits.open(); w != nil && j.State == core.JobDelegated && w.state == j.State && w.status == state.Status() {
		return // it has as many reasons as children, and asking looks at each
	}
	reason := state.Waiting(j)
	w := &WaitOf{From: state.Now(), Reason: reason, state: j.State, status: state.Status(), alike: alike(reason)}
	if open := s.waits.open(); open != nil && open.alike == w.alike {
		return
	}
	s.waits.close(state.Now())
	if reason != "" {
		s.waits.add(w)
	}
}

func (w *waits) open() *WaitOf {
	if n := len(w.items); n > 0 && w.items[n-1].To == nil {
		return w.items[n-1]
	}
	return nil
}

// close ends the stretch that lasts. One that took no time is forgotten.
func (w *waits) close(now core.Time) {
	last := w.open()
	if last == nil {
		return
	}
	if last.From == now {
		w.items, w.total = w.items[:len(w.items)-1], w.total-1
		return
	}
	last.To = ref(now)
}

// add begins a stretch, or goes on with one that ended just now.
func (w *waits) add(one *WaitOf) {
	if n := len(w.items); n > 0 {
		if last := w.items[n-1]; last.alike == one.alike && *last.To == one.From {
			last.To = nil
			return
		}
	}
	if w.total++; len(w.items) == mostWaits {
		copy(w.items, w.items[1:])
		w.items = w.items[:mostWaits-1]
	}
	w.items = append(w.items, one)
}

// alike is a reason without its numbers, and without the jobs it names: it is
// the same reason for as long as there are any.
func alike(reason string) string {
	for _, end := range [...]string{" to end", " comes first"} {
		if strings.HasSuffix(reason, end) {
			return end
		}
	}
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '.' || r == ':' {
			return -1
		}
		return r
	}, reason)
}
