package host

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
	"github.com/omega-run/omega/host/missionfile"
)

// Bounds of a plan's texts, in bytes.
const (
	maxHeadline = 500
	maxSentence = 1000
)

// said is an object that a steward answered, or a part of it, and where it
// stands: every error names the member it is about.
type said struct {
	at      string // "" of the whole, actions[2] of a part
	members map[string]json.RawMessage
}

// object reads an object that may have these members.
func object(at string, raw json.RawMessage, names ...string) (said, error) {
	o := said{at: at}
	if json.Unmarshal(raw, &o.members) != nil || o.members == nil {
		return o, fmt.Errorf("%s is not an object with %s", o.called("", "the answer"), strings.Join(names, ", "))
	}
	for _, name := range slices.Sorted(maps.Keys(o.members)) {
		if !slices.Contains(names, name) {
			return o, fmt.Errorf("%s has no place: there is %s", o.called(name, ""), strings.Join(names, ", "))
		}
	}
	return o, nil
}

// called is what a member is called in an error.
func (o said) called(name, whole string) string {
	switch {
	case o.at == "" && name == "":
		return whole
	case o.at == "":
		return name
	case name == "":
		return o.at
	}
	return o.at + "." + name
}

func (o said) wrong(name, what string) error {
	return fmt.Errorf("%s: %s", o.called(name, ""), what)
}

// text reads a text in one line; one that is needed has to be there.
func (o said) text(name string, to *string, most int, needed bool) error {
	raw, ok := o.members[name]
	if !ok && !needed {
		return nil
	}
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, to) != nil || needed && *to == "" {
		return o.wrong(name, "write text")
	}
	*to = oneLine(*to, most)
	return nil
}

// each reads a list, item by item.
func (o said) each(name string, read func(at string, raw json.RawMessage) error) error {
	raw, ok := o.members[name]
	if !ok {
		return nil
	}
	var items []json.RawMessage
	if raw[0] != '[' || json.Unmarshal(raw, &items) != nil {
		return o.wrong(name, "write a list")
	}
	for i, item := range items {
		if err := read(fmt.Sprintf("%s[%d]", o.called(name, ""), i), item); err != nil {
			return err
		}
	}
	return nil
}

// amount reads an amount that is text or a number.
func (o said) amount(name string, to *ledger.Amount, needed bool) error {
	raw, ok := o.members[name]
	if !ok && !needed {
		return nil
	}
	text := string(raw)
	if len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &text) != nil || text == "" {
		return o.wrong(name, `write an amount, like "9.5"`)
	}
	a, err := ledger.ParseAmount(text)
	switch {
	case err != nil:
		return o.wrong(name, err.Error())
	case a <= 0:
		return o.wrong(name, "write an amount above 0")
	}
	*to = a
	return nil
}

// span reads milliseconds, or text as a mission file has it.
func (o said) span(name string, to *core.Duration, needed bool) error {
	raw, ok := o.members[name]
	if !ok && !needed {
		return nil
	}
	var text string
	ms := int64(0)
	switch {
	case len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &text) == nil:
		d, err := core.ParseDuration(text)
		if err != nil {
			return o.wrong(name, err.Error())
		}
		ms = int64(d)
	case len(raw) == 0 || json.Unmarshal(raw, &ms) != nil:
		return o.wrong(name, `write whole milliseconds, or text like "90s", "1.5m" or "2h"`)
	}
	if ms <= 0 {
		return o.wrong(name, "write a time above 0")
	}
	if text == "" { // by the rule of texts: not without end
		if _, err := core.ParseDuration(fmt.Sprintf("%dms", ms)); err != nil {
			return o.wrong(name, err.Error())
		}
	}
	*to = core.Duration(ms)
	return nil
}

// first is the first error.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// parsePlan reads what a guardian answered.
func parsePlan(answer []byte, to *core.Advise) error {
	o, err := object("", answer, "actions", "alerts", "headline", "memory", "recommend")
	if err != nil {
		return err
	}
	return first(
		o.text("headline", &to.Headline, maxHeadline, false),
		o.alerts(to),
		o.memory(to),
		o.each("recommend", func(at string, raw json.RawMessage) error {
			var text string
			if raw[0] != '"' || json.Unmarshal(raw, &text) != nil {
				return errors.New(at + ": write text")
			}
			to.Recommend = append(to.Recommend, oneLine(text, maxSentence))
			return nil
		}),
		o.each("actions", func(at string, raw json.RawMessage) error {
			action, err := parseAction(at, raw)
			to.Actions = append(to.Actions, action)
			return err
		}),
	)
}

// parseAdvice reads what a strategist answered.
func parseAdvice(answer []byte, to *core.Advise) error {
	o, err := object("", answer, "alerts", "headline", "memory", "posts", "wake")
	if err != nil {
		return err
	}
	return first(
		o.text("headline", &to.Headline, maxHeadline, false),
		o.alerts(to),
		o.memory(to),
		o.span("wake", &to.Wake, false),
		o.each("posts", func(at string, raw json.RawMessage) error {
			job, err := parseJob(at, raw)
			to.Actions = append(to.Actions, core.Action{Do: core.ActPost, Post: job})
			return err
		}),
	)
}

// memory is any value; what is left out stays as it is.
func (o said) memory(to *core.Advise) (err error) {
	if raw, ok := o.members["memory"]; ok {
		to.Memory, err = core.Canonical(raw)
	}
	return err
}

func (o said) alerts(to *core.Advise) error {
	return o.each("alerts", func(at string, raw json.RawMessage) error {
		alert := core.Alert{}
		a, err := object(at, raw, "job", "severity", "text")
		if err == nil {
			err = first(a.text("severity", &alert.Severity, maxSentence, true), a.text("text", &alert.Text, maxSentence, true), a.text("job", &alert.Job, maxSentence, false))
		}
		if err == nil && !slices.Contains([]string{"info", "warning", "critical"}, alert.Severity) {
			err = a.wrong("severity", fmt.Sprintf("%q is not one of info, warning, critical", oneLine(alert.Severity, 40)))
		}
		to.Alerts = append(to.Alerts, alert)
		return err
	})
}

// membersOf are the members of each kind of action, beside do and why.
var membersOf = map[string][]string{
	core.ActExpedite:   {"job"},
	core.ActReprice:    {"compute", "energy"},
	core.ActBoost:      {"job", "tokens"},
	core.ActPauseSkill: {"for", "skill"},
	core.ActPost:       {"job"},
	core.ActSteer:      {"action", "simulation"},
}

func parseAction(at string, raw json.RawMessage) (a core.Action, err error) {
	var named struct {
		Do string `json:"do"`
	}
	kinds := strings.Join(slices.Sorted(maps.Keys(membersOf)), ", ")
	if json.Unmarshal(raw, &named) != nil || membersOf[named.Do] == nil {
		return a, fmt.Errorf("%s.do: write one of %s", at, kinds)
	}
	o, err := object(at, raw, append([]string{"do", "why"}, membersOf[named.Do]...)...)
	if err != nil {
		return a, err
	}
	a.Do = named.Do
	if err := o.text("why", &a.Why, maxSentence, false); err != nil {
		return a, err
	}
	switch a.Do {
	case core.ActExpedite:
		err = o.text("job", &a.Job, maxSentence, true)
	case core.ActReprice:
		if err = first(o.amount("energy", &a.Energy, false), o.amount("compute", &a.Compute, false)); err == nil && a.Energy == 0 && a.Compute == 0 {
			err = fmt.Errorf("%s: say a price, of energy, of compute or of both", at)
		}
	case core.ActBoost:
		err = first(o.text("job", &a.Job, maxSentence, true), o.amount("tokens", &a.Tokens, true))
	case core.ActPauseSkill:
		err = first(o.text("skill", &a.Skill, maxSentence, true), o.span("for", &a.For, true))
	case core.ActPost:
		a.Post, err = parseJob(o.called("job", ""), o.members["job"])
	case core.ActSteer:
		if err = o.text("simulation", &a.Target, maxSentence, true); err == nil && o.members["action"] == nil {
			err = o.wrong("action", "say what is to be done")
		}
		a.Steer = o.members["action"]
	}
	return a, err
}

// parseJob reads the attributes of a job that a script posts.
func parseJob(at string, raw json.RawMessage) (*core.JobSpec, error) {
	var attributes map[string]json.RawMessage
	if json.Unmarshal(raw, &attributes) != nil || attributes == nil {
		return nil, fmt.Errorf("%s: write an object with the attributes of a job", at)
	}
	inMillis(attributes)
	job, err := missionfile.DecodeJob(attributes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	return job, nil
}

// inMillis reads the bare numbers of durations as scripts mean them: milliseconds,
// where a mission file means seconds.
func inMillis(attributes map[string]json.RawMessage) {
	for _, name := range [...]string{"work", "deadline", "validation_window", "timeout"} {
		if raw := attributes[name]; len(raw) > 0 && raw[0] >= '0' && raw[0] <= '9' {
			attributes[name] = json.RawMessage(`"` + string(raw) + `ms"`)
		}
	}
}
