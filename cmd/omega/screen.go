package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
	"github.com/omega-run/omega/host/projection"
)

// tone is what a piece of text means; colours follow from it.
type tone int

const (
	quiet tone = iota
	plain
	strong
	good
	busy
	warn
	bad
)

// painter gives text the colour of its tone.
type painter func(tone, string) string

func colourless(_ tone, text string) string { return text }

func coloured(t tone, text string) string {
	style := lipgloss.NewStyle()
	switch t {
	case quiet:
		style = style.Faint(true)
	case strong:
		style = style.Bold(true)
	case good:
		style = style.Foreground(lipgloss.Green)
	case busy:
		style = style.Foreground(lipgloss.Cyan)
	case warn:
		style = style.Foreground(lipgloss.Yellow).Bold(true)
	case bad:
		style = style.Foreground(lipgloss.Red)
	}
	return style.Render(text)
}

// screen is everything that is drawn. Drawing it is a function of it alone.
type screen struct {
	pulse   *pulse // nil before the first
	outlook outlook
	hosted  bool // a host runs the mission
	owner   bool // the run is this program's: leaving ends it
	wall    time.Time
	width   int
	height  int
	help    bool
	over    bool   // this is the last time it is drawn
	note    string // about the last key
	noteBad bool
	paint   painter
}

// lines draws the screen: at most height lines of at most width columns.
func (s *screen) lines() []string {
	var body []string
	switch {
	case s.pulse == nil && s.over:
	case s.pulse == nil:
		body = []string{s.fit(s.paint(quiet, "reading the journal …"))}
	case s.help:
		body = s.helpLines()
	default:
		body = s.body()
	}
	foot := s.foot()
	if room := max(1, s.height-len(foot)); len(body) > room {
		body = body[:room]
	}
	return append(body, foot[:min(len(foot), max(0, s.height-len(body)))]...)
}

// body is what matters most first, then the last events in what room is left.
func (s *screen) body() []string {
	p := s.pulse
	lines := []string{s.head(), s.standing()}
	lines = append(lines, s.bar(), s.legend())
	lines = append(lines, s.questions()...)
	if s.outlook.Autonomy != nil && !s.over {
		lines = append(lines, s.autonomy(s.outlook.Autonomy)...)
	}
	lines = append(lines, s.row("tokens", fmt.Sprintf("%s free, %s in escrow, %s staked", p.free, p.escrowed, p.staked)))
	if p.energy.limit > 0 || p.energy.consumed > 0 {
		lines = append(lines, s.resource("energy", &p.energy))
	}
	if p.compute.limit > 0 || p.compute.consumed > 0 {
		lines = append(lines, s.resource("compute", &p.compute))
	}
	lines = append(lines, s.council()...)
	room := s.height - len(lines) - len(s.foot()) - 1
	if room > 0 && len(p.lines) > 0 {
		lines = append(lines, "")
		for _, line := range last(p.lines, room) {
			lines = append(lines, s.fit(s.paint(toneOf(line), line)))
		}
	}
	return lines
}

func (s *screen) fit(line string) string { return ansi.Truncate(line, max(1, s.width), "…") }

func (s *screen) row(name, text string) string {
	return s.fit(s.paint(quiet, fmt.Sprintf("%-8s ", name)) + text)
}

func (s *screen) head() string {
	p := s.pulse
	clock := p.now(s.wall, s.hosted).Clock()
	if p.speed != ledger.Whole {
		clock += fmt.Sprintf(" ×%s", p.speed)
	}
	status, t := string(p.status), busy
	switch {
	case p.status == core.Ended:
		status, t = "ended, "+p.reason, strong
	case !s.hosted:
		status, t = status+", no host runs it", warn
	case p.status != core.Running:
		t = warn
	}
	return s.fit(s.paint(strong, p.mission) + "  " + clock + "  " + s.paint(t, status))
}

func (s *screen) standing() string {
	return s.fit(strings.TrimSpace(s.paint(plain, s.outlook.text()) + "  " + s.paint(quiet, fmt.Sprintf("entry %d", s.pulse.seq))))
}

// bar shows all jobs as one line, every group that is not empty with a mark at
// least.
func (s *screen) bar() string {
	groups, total := s.pulse.groups(), 0
	for _, g := range groups {
		total += g.n
	}
	width := min(max(1, s.width), 100)
	if total == 0 {
		return s.fit(s.paint(quiet, strings.Repeat("·", width)))
	}
	var b strings.Builder
	left := width
	for _, g := range groups {
		if g.n == 0 || left == 0 {
			continue
		}
		n := min(left, max(1, g.n*width/total))
		left -= n
		b.WriteString(s.paint(g.tone, strings.Repeat(string(g.mark), n)))
	}
	return s.fit(b.String())
}

func (s *screen) legend() string {
	parts := []string{fmt.Sprintf("%d jobs", s.pulse.totals.Posted)}
	for _, g := range s.pulse.groups() {
		if g.n > 0 {
			parts = append(parts, s.paint(g.tone, fmt.Sprintf("%d %s", g.n, g.name)))
		}
	}
	return s.fit(strings.Join(parts, "  "))
}

func (s *screen) questions() (lines []string) {
	for _, q := range s.pulse.asked {
		lines = append(lines, s.fit(s.paint(warn, "waits for you: ")+q.job+", "+q.why), s.fit("  omega approve "+q.id+", or omega deny "+q.id))
	}
	if n := s.pulse.moreAsks; n > 0 {
		lines = append(lines, s.fit(s.paint(warn, fmt.Sprintf("%d more wait for you", n))+": omega job list --state awaiting_approval"))
	}
	return lines
}

// Most of what the guardian says and wants that is drawn; omega status has more.
const (
	drawnAlerts  = 3
	drawnActions = 3
)

// autonomy shows what waits for a person and what fails first, then what the
// guardian says.
func (s *screen) autonomy(a *projection.Autonomy) (lines []string) {
	for _, one := range a.Waiting.Items[:min(len(a.Waiting.Items), drawnActions)] {
		lines = append(lines, s.fit(s.paint(warn, "waits for you: ")+clean(one.Steward+" wants to "+one.Text)), s.fit("  "+one.Approve+", or "+one.Deny))
	}
	if more := a.Waiting.Total - drawnActions; more > 0 {
		lines = append(lines, s.fit(s.paint(warn, fmt.Sprintf("%d more wait for you", more))+": omega status"))
	}
	if a.Held != nil && !a.Held.Approved {
		lines = append(lines, s.fit(s.paint(warn, "waits for you: ")+fmt.Sprintf("an edit that takes %d away, %s", a.Held.Total, a.Held.Command)))
	}
	for _, one := range a.Suspended[:min(len(a.Suspended), drawnAlerts)] {
		lines = append(lines, s.fit(s.paint(bad, "not asked any more: ")+clean(one.Script+", "+one.Fault)))
	}
	if a.Headline != "" {
		lines = append(lines, s.row("guardian", clean(a.Headline)))
	}
	for _, one := range a.Alerts[:min(len(a.Alerts), drawnAlerts)] {
		lines = append(lines, s.row("", s.paint(toneOfSeverity(one.Severity), one.Severity)+" "+clean(one.Text)))
	}
	return lines
}

func toneOfSeverity(severity string) tone {
	switch severity {
	case "critical":
		return bad
	case "warning":
		return warn
	}
	return plain
}

func (s *screen) resource(name string, u *use) string {
	used := u.limit - u.free
	return s.row(name, fmt.Sprintf("%s of %s in use, price %s, %s consumed", used, u.limit, u.price, u.consumed))
}

func (s *screen) council() (lines []string) {
	p := s.pulse
	open := len(p.rounds) + p.more
	if open == 0 {
		return nil
	}
	name := "council"
	for _, r := range p.rounds {
		missing := "everybody has answered"
		if len(r.missing) > 0 {
			missing = fmt.Sprintf("%d of %d missing: %s", len(r.missing), r.seats, strings.Join(r.missing, ", "))
		}
		lines = append(lines, s.row(name, fmt.Sprintf("%s  %s until %s, %s", r.job, r.phase, r.due.Clock(), missing)))
		name = ""
	}
	if p.more > 0 {
		lines = append(lines, s.row("", fmt.Sprintf("and %d more rounds", p.more)))
	}
	return lines
}

// toneOf gives a line of the log the tone of what it says.
func toneOf(line string) tone {
	switch {
	case strings.Contains(line, " failed") || strings.Contains(line, " expired") || strings.Contains(line, "rejected") || strings.Contains(line, "refused"):
		return bad
	case strings.Contains(line, " finalized"):
		return good
	}
	return plain
}

func (s *screen) foot() (lines []string) {
	if s.over {
		return nil
	}
	if s.note != "" {
		t := plain
		if s.noteBad {
			t = bad
		}
		lines = append(lines, s.fit(s.paint(t, s.note)))
	}
	return append(lines, s.fit(s.paint(quiet, "q leave  p pause  r resume  ? help")))
}

// signs says what each mark of the bar stands for.
func (s *screen) signs() (lines []string) {
	for row := range slices.Chunk(s.pulse.groups(), 5) {
		var line strings.Builder
		for _, g := range row {
			fmt.Fprintf(&line, "%s %-14s", s.paint(g.tone, string(g.mark)), g.name)
		}
		lines = append(lines, strings.TrimRight(line.String(), " "))
	}
	return lines
}

func (s *screen) helpLines() []string {
	leave := "stop watching; the mission goes on"
	if s.owner {
		leave = "take no new work, seal the state, leave; once more: leave now"
	}
	lines := []string{
		s.paint(strong, "keys"),
		"q, Ctrl-C   " + leave,
		"p           pause: mission time stops, nothing starts",
		"r           resume",
		"?           back",
		"",
		s.paint(strong, "signs of the bar"),
	}
	lines = append(append(lines, s.signs()...), "",
		s.paint(strong, "commands, from another terminal"),
		"omega explain JOB       why a job waits, who voted what, what it cost",
		"omega job list          all jobs",
		"omega cost              what everything has cost",
		"omega status --graph    jobs and what they need",
	)
	for i := range lines {
		lines[i] = s.fit(lines[i])
	}
	return lines
}
