package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/inquiry"
	"github.com/omega-run/omega/host/ledger"
	"github.com/omega-run/omega/host/projection"
)

var drawnAt = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

func busyPulse() *pulse {
	return &pulse{
		taken: drawnAt, mission: "dyson", status: core.Running, at: 3_723_000, seq: 4711, speed: 60 * ledger.Whole, open: 31,
		totals:   core.Totals{Posted: 100, Finalized: 60, Failed: 3, Expired: 1, Cancelled: 2, Skipped: 3},
		states:   map[core.JobState]int{core.JobRunning: 12, core.JobCommitting: 2, core.JobRevealing: 3, core.JobAwaiting: 1, core.JobPostedState: 10, core.JobDelegated: 3},
		free:     12_345_600_000,
		escrowed: 1_000_500_000,
		staked:   77_000_000,
		energy:   use{limit: 1_800_000 * ledger.One, free: 200_000 * ledger.One, consumed: 5 * ledger.One, price: 1_250_000},
		compute:  use{limit: 100 * ledger.One, free: 100 * ledger.One, consumed: 0, price: ledger.One},
		rounds: []openRound{
			{job: "swarm[1]", phase: "commit", due: 4_000_000, seats: 5, missing: []string{"rule_0", "far_1"}},
			{job: "swarm[2]", phase: "reveal", due: 5_000_000, seats: 5},
		},
		more:  3,
		asked: []question{{"big job", "big", "undecided"}}, moreAsks: 2,
		lines: []string{"01:02:00  swarm[3] finalized", "01:02:01  attempt 2 of swarm[4] failed: exit", "01:02:03  swarm[9] posted, reward 10"},
	}
}

func screenOf(p *pulse, width, height int) *screen {
	return &screen{
		pulse: p, outlook: outlook{Phase: "stabilisation", Confidence: "0.71"}, hosted: true, owner: true,
		wall: drawnAt.Add(1500 * time.Millisecond), width: width, height: height, paint: colourless,
	}
}

// guardedView is a mission whose guardian wants much.
func guardedView() *projection.Autonomy {
	a := &projection.Autonomy{
		Headline: "Two jobs are late, one worker is missing", Budget: "0",
		Alerts:    []projection.Concern{{Severity: "critical", Text: "swarm[4] cannot be done in time", Job: "swarm_4"}, {Severity: "warning", Text: "nobody does logistics"}, {Severity: "info", Text: "prices are low"}, {Severity: "info", Text: "unseen"}},
		Suspended: []projection.Suspension{{Script: "policy.spending", Faults: 5, Fallback: "deny", Fault: "scripts/spending.js:4: x is not defined"}},
		Held:      &projection.HeldEdit{Digest: "ab", Removes: []string{"report"}, Total: 1, Command: "omega apply"},
	}
	for _, id := range []string{"17.1", "17.2", "18.1", "19.1"} {
		a.Waiting.Items = append(a.Waiting.Items, projection.WaitingAction{ID: id, Steward: "guardian", Text: "raise the reward of swarm_4 by 50", Approve: "omega approve " + id, Deny: "omega deny " + id})
		a.Waiting.Total++
	}
	return a
}

// TestScreens compares what is drawn with what was looked at and found good.
func TestScreens(t *testing.T) {
	paused, ended := busyPulse(), busyPulse()
	paused.status, paused.asked, paused.moreAsks = core.Paused, nil, 0
	ended.status, ended.reason, ended.states, ended.rounds, ended.more, ended.asked, ended.moreAsks = core.Ended, "complete", nil, nil, 0, nil, 0
	help, left, last := screenOf(busyPulse(), 80, 24), screenOf(paused, 80, 24), screenOf(ended, 80, 24)
	help.help = true
	left.hosted, left.owner, left.note, left.noteBad = false, false, "cannot: no key", true
	last.over = true
	guarded := screenOf(busyPulse(), 100, 30)
	guarded.outlook.Autonomy = guardedView()
	for name, s := range map[string]*screen{
		"busy": screenOf(busyPulse(), 100, 24), "guarded": guarded, "narrow": screenOf(busyPulse(), 40, 10), "help": help, "paused": left, "ended": last,
		"empty": screenOf(nil, 80, 24), "begins": screenOf(&pulse{mission: "m", status: core.Running, taken: drawnAt, speed: ledger.Whole}, 80, 24),
	} {
		t.Run(name, func(t *testing.T) {
			drawn := strings.Join(s.lines(), "\n") + "\n"
			path := filepath.Join("testdata", "screen", name+".txt")
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, []byte(drawn), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(want), drawn)
		})
	}
}

// TestEveryTerminalIsWideEnough: whatever the size, nothing is wider or higher
// than the terminal, with colours and without.
func TestEveryTerminalIsWideEnough(t *testing.T) {
	for _, paint := range []painter{colourless, coloured} {
		for width := 1; width < 130; width++ {
			for _, height := range []int{1, 2, 3, 5, 10, 40} {
				s := screenOf(busyPulse(), width, height)
				s.outlook.Autonomy = guardedView()
				s.paint, s.help, s.note = paint, width%7 == 0, "a note that is longer than some terminals are wide"
				lines := s.lines()
				require.LessOrEqual(t, len(lines), height)
				for _, line := range lines {
					require.LessOrEqual(t, lipgloss.Width(line), width, line)
					require.NotContains(t, line, "\n")
				}
			}
		}
	}
}

// TestKeys: what each key asks for, and that a refusal is said plainly.
func TestKeys(t *testing.T) {
	var given []core.OrderKind
	var left []bool
	v := &view{screen: *screenOf(busyPulse(), 80, 24), feed: newFeed(), data: t.TempDir()}
	v.leave = func(now bool) { left = append(left, now) }
	v.order = func(kind core.OrderKind) (string, error) {
		given = append(given, kind)
		if kind == core.Resume {
			return "", errors.New("this user's owner key is not the one that began the mission")
		}
		return "pause: done, in entry 7", nil
	}
	press := func(key rune) {
		_, cmd := v.Update(tea.KeyPressMsg{Code: key, Text: string(key)})
		if cmd != nil {
			v.Update(cmd())
		}
	}
	press('p')
	require.Equal(t, "pause: done, in entry 7", v.note)
	press('r')
	require.Equal(t, "cannot: this user's owner key is not the one that began the mission", v.note)
	require.True(t, v.noteBad)
	require.Equal(t, []core.OrderKind{core.Pause, core.Resume}, given)
	press('?')
	require.Contains(t, v.View().Content, "take no new work, seal the state, leave")
	press('?')
	require.NotContains(t, v.View().Content, "take no new work")
	press('q')
	v.Update(tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl})
	require.Equal(t, []bool{false, true}, left, "once in order, twice now")
	v.Update(tea.WindowSizeMsg{Width: 30, Height: 8})
	require.LessOrEqual(t, lipgloss.Width(v.View().Content), 30)
	_, cmd := v.Update(overMsg{})
	require.IsType(t, tea.QuitMsg{}, cmd())
	require.NotContains(t, v.View().Content, "q leave")
}

// TestGraphIsBounded: many layers and many jobs in one are drawn within the
// bound, what failed is there, and every job is drawn or counted.
func TestGraphIsBounded(t *testing.T) {
	var all []*inquiry.Listed
	add := func(id, parent string, state core.JobState, needs ...string) {
		all = append(all, &inquiry.Listed{Job: id, Name: id, Parent: parent, State: state, Needs: needs})
	}
	for i := range 500 {
		id := "chain" + string(rune('a'+i%26)) + strings.Repeat("x", i/26)
		if state := core.JobFinalized; i == 0 {
			add(id, "", state)
		} else {
			add(id, "", state, all[len(all)-1].Job)
		}
		add("wide"+id, "", core.JobRunning)
	}
	add("broken", "", core.JobFailed, all[len(all)-2].Job)
	add("broken__1", "broken", core.JobExpired)
	var out bytes.Buffer
	d := &drawing{width: 60, paint: colourless}
	d.draw(&out, all)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.LessOrEqual(t, len(lines), graphLines)
	require.Contains(t, out.String(), "\n  ✗ broken  failed")
	require.Contains(t, out.String(), "\n    ✗ broken__1  expired")
	for _, line := range lines {
		require.LessOrEqual(t, lipgloss.Width(line), 60)
	}
	out.Reset()
	d.draw(&out, nil)
	require.Equal(t, "no job is posted yet\n", out.String())
}
