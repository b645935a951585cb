package projection

import (
	"slices"
	"strconv"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// Storyboard is storyboard.json, schema omega.storyboard/v1: the mission told to
// somebody who has not followed it.
type Storyboard struct {
	Schema  string `json:"schema"`
	Mission string `json:"mission"`
	Scene
}

// Scene is a line of storyboard-history.jsonl: how the mission stands. There is
// one where its status, its phase or the alerts changed, and one at each
// checkpoint.
type Scene struct {
	Seq        core.Seq  `json:"seq"`
	At         core.Time `json:"at"`
	Headline   string    `json:"headline"`
	Phase      Phase     `json:"phase"`
	Confidence string    `json:"confidence"`
	Story      string    `json:"story"`   // a few sentences
	Actions    []Action  `json:"actions"` // recommended
	Alerts     []Alert   `json:"alerts"`
	Metrics    Metrics   `json:"metrics"`
	Resources  Supplies  `json:"resources"`
}

// Metrics are the numbers behind a story.
type Metrics struct {
	Jobs     JobCounts  `json:"jobs"`
	Pressure PressureOf `json:"pressure"`
	Totals   TotalsOf   `json:"totals"`
}

// Supplies are what the mission can draw on.
type Supplies struct {
	Treasury Treasury   `json:"treasury"`
	Energy   ResourceOf `json:"energy"`
	Compute  ResourceOf `json:"compute"`
}

const storySchema = "omega.storyboard/v1"

// lookEvery is the mission time between two looks at phase and alerts; what
// changes the status or needs a person is looked at at once.
const lookEvery = core.Time(10 * core.Second)

// mood is what a scene is written for when it changes.
type mood struct {
	Status core.Status
	Phase  Phase
	Alerts []key
}

// urgent reports whether an event is worth a look at once.
func urgent(event core.Event) bool {
	switch event.(type) {
	case *core.MissionCreated, *core.MissionPaused, *core.MissionResumed, *core.MissionStopping, *core.MissionStopped, *core.MissionEnded,
		*core.ApprovalAsked, *core.ApprovalGiven, *core.JobsUnattended, *core.GenerationApplied,
		*core.EditHeld, *core.EditApproved, *core.ScriptSuspended, *core.ActionApproved, *core.ActionDropped:
		return true
	}
	plan, ok := event.(*core.PlanRecorded)
	return ok && !plan.Same
}

// look writes a scene where the mission's mood has changed, or where it has to.
func (p *Set) look(s *core.State, always bool) {
	load := p.pressure(s)
	signs, phase := p.signs(s), PhaseOf(load.Confidence())
	same := p.Mood.Status == s.Status() && p.Mood.Phase == phase &&
		slices.EqualFunc(p.Mood.Alerts, signs, func(k key, one sign) bool { return k.Kind == one.Kind && k.About == one.About })
	p.NextLook = s.Now() + lookEvery
	if same && !always {
		return
	}
	p.Mood.Status, p.Mood.Phase, p.Mood.Alerts = s.Status(), phase, p.Mood.Alerts[:0]
	for i := range signs {
		p.Mood.Alerts = append(p.Mood.Alerts, key{signs[i].Kind, signs[i].About})
	}
	l := line{p.buffer[:0]}
	p.appendScene(&l, s, &load, signs)
	l.raw("\n")
	p.Scenes.add(l.b, s.Spec().Retention.StateHistory)
	p.buffer = l.b
}

// scene is how the mission stands, for a snapshot.
func (p *Set) scene(s *core.State) Scene {
	load, signs := p.pressure(s), p.signs(s)
	confidence := load.Confidence()
	scene := Scene{
		Seq: s.Seq(), At: s.Now(), Headline: p.headline(s), Phase: PhaseOf(confidence), Confidence: confidence.String(),
		Story: string(p.appendStory(nil, s, &load)), Actions: []Action{}, Alerts: []Alert{},
		Metrics:   Metrics{p.census.counts, pressureOf(&load), totalsOf(s.Totals())},
		Resources: Supplies{p.treasury(s), resourceOf(s, ledger.Energy), resourceOf(s, ledger.Compute)},
	}
	for i := range signs {
		scene.Alerts = append(scene.Alerts, p.alert(s, &signs[i]))
		scene.Actions = append(scene.Actions, actions(s, &signs[i])...)
	}
	return scene
}

func (p *Set) headline(s *core.State) string {
	return string(appendHeadline(nil, s.Status(), s.Reason(), PhaseOf(p.pressure(s).Confidence()), &p.census.counts))
}

// appendScene writes what scene holds as JSON, without making it.
func (p *Set) appendScene(l *line, s *core.State, load *Pressure, signs []sign) {
	phase := PhaseOf(load.Confidence())
	l.int(`{"seq":`, int64(s.Seq()))
	l.int(`,"at":`, int64(s.Now()))
	l.raw(`,"headline":"`)
	l.b = appendHeadline(l.b, s.Status(), s.Reason(), phase, &p.census.counts) // plain words: nothing to escape
	l.word(`","phase":`, string(phase))
	l.ratio(`,"confidence":`, load.Confidence())
	p.words = p.appendStory(p.words[:0], s, load)
	l.text(`,"story":`, string(p.words))
	l.raw(`,"actions":[`)
	n := 0
	for i := range signs {
		for _, a := range actions(s, &signs[i]) {
			l.item(n)
			l.text(`{"text":`, a.Text)
			if a.Command != "" {
				l.text(`,"command":`, a.Command)
			}
			l.raw("}")
			n++
		}
	}
	l.raw(`],"alerts":[`)
	for i := range signs {
		a := p.alert(s, &signs[i])
		l.item(i)
		l.word(`{"kind":`, string(a.Kind))
		l.word(`,"level":`, string(a.Level))
		if a.About != "" {
			l.text(`,"about":`, a.About)
		}
		l.text(`,"text":`, a.Text)
		l.raw("}")
	}
	l.raw(`],"metrics":{`)
	p.census.counts.appendTo(l, `"jobs":`)
	load.appendTo(l, `,"pressure":`)
	t := s.Totals()
	appendTotals(l, `,"totals":`, &t)
	l.raw(`},"resources":{`)
	p.appendTreasury(l, `"treasury":`, s)
	appendResource(l, `,"energy":`, s, ledger.Energy)
	appendResource(l, `,"compute":`, s, ledger.Compute)
	l.raw("}}")
}

func (l *line) item(n int) {
	if n > 0 {
		l.raw(",")
	}
}

// appendStory tells in a few sentences how the mission stands.
func (p *Set) appendStory(b []byte, s *core.State, load *Pressure) []byte {
	c := &p.census.counts
	b = append(b, statusSentence(s)...)
	if c.Total > 0 {
		b = appendJobsStory(b, c)
	}
	if c.Open > 0 {
		b = p.appendSupplies(b, s, load)
	}
	if r := p.census.agenda.first(); r != nil {
		b = append(b, " The next deadline is that of "...)
		b = append(b, plain(r.job.Name(), maxName)...)
		b = append(clockOf(append(b, ", at "...), r.due), '.')
	}
	if plan := p.Autonomy.guardian(); plan != nil && plan.Headline != "" && s.Status() != core.Ended {
		b = append(append(b, " The guardian says: "...), plan.Headline...)
		if last := b[len(b)-1]; last != '.' && last != '!' && last != '?' {
			b = append(b, '.')
		}
	}
	t := s.Totals()
	b = append(t.Paid.AppendText(append(b, " So far "...)), " tokens were paid"...)
	if t.Slashed > 0 {
		b = append(t.Slashed.AppendText(append(b, ", "...)), " slashed"...)
	}
	return append(b, '.')
}

func statusSentence(s *core.State) string {
	switch s.Status() {
	case core.Paused:
		return "The mission is paused; nothing new starts until it is resumed."
	case core.Stopping:
		return "The mission is stopping; what runs may end."
	case core.Stopped:
		return "The mission is stopped until the owner resumes it."
	case core.Emergency:
		return "The mission was stopped in an emergency; only the owner can resume it."
	case core.Ended:
		return "The mission has ended: " + words(s.Reason()) + "."
	}
	return "The mission is running."
}

func appendJobsStory(b []byte, c *JobCounts) []byte {
	number := func(before string, n int64, after string) {
		if n > 0 {
			b = append(strconv.AppendInt(append(b, before...), n, 10), after...)
		}
	}
	b = strconv.AppendInt(append(b, ' '), c.Finalized, 10)
	b = strconv.AppendInt(append(b, " of "...), c.Total, 10)
	b = append(b, " jobs are finalized"...)
	number(", ", c.Failed+c.Expired+c.Cancelled+c.Skipped, " ended otherwise")
	b = append(b, '.')
	if c.Open == 0 {
		return b
	}
	b = append(b, " Still open: "...)
	first := len(b)
	number("", c.running(), " running, ")
	number("", c.Delegated, " waiting for jobs handed out, ")
	number("", c.judged(), " being judged, ")
	number("", c.AwaitingApproval, " waiting for a person, ")
	number("", c.waiting(), " waiting, ")
	if len(b) > first {
		b = b[:len(b)-2]
	}
	return append(b, '.')
}

func (p *Set) appendSupplies(b []byte, s *core.State, load *Pressure) []byte {
	b = append(b, " Energy is in use to "...)
	b = appendPercent(b, load.Energy)
	b = append(b, ", compute to "...)
	b = appendPercent(b, load.Compute)
	b = append(b, "; the treasury has "...)
	b = ownersFree(s).AppendText(b)
	return append(b, " tokens free."...)
}

func appendPercent(b []byte, r ledger.Ratio) []byte {
	return append(strconv.AppendInt(b, int64(r)/10_000, 10), " %"...)
}
