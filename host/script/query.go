package script

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Query is a view of the mission that a guardian or a strategist asks for: the
// rows of one kind for which all that is set holds.
type Query struct {
	Name     string // under which its rows are in the input
	From     string // jobs, workers, validators, accounts, skills
	States   []string
	Skill    string
	Employer string
	Priority []string
	Parent   string
	Labels   []Label
	// DeadlineWithin and WaitingOver are in ms of mission time, 0 for none.
	DeadlineWithin int64
	WaitingOver    int64
	Order          string // "" is the order in which they came
	Descending     bool   // the order turned round
	Limit          int
}

// Label is a key and the value a row must have there.
type Label struct{ Key, Value string }

// Bounds of queries.
const (
	maxQueries   = 32
	maxQueryName = 63
	maxRows      = 100
	someRows     = 20 // unless a query says
	maxTerms     = 64 // of one list or object
	maxTerm      = 1024
	maxSpan      = int64(100 * 365 * 24 * 3_600_000)
)

// kind is what may be asked of one kind of row.
type kind struct{ where, order []string }

// kinds are all of them.
func kinds() map[string]kind {
	return map[string]kind{
		"jobs": {
			where: []string{"state", "skill", "employer", "priority", "parent", "label", "deadline_within", "waiting_over"},
			order: []string{"deadline", "waiting", "reward", "posted"},
		},
		"workers":    {where: []string{"skill"}, order: []string{"load", "stake"}},
		"validators": {order: []string{"missed", "stake"}},
		"accounts":   {order: []string{"free"}},
		"skills":     {where: []string{"skill"}, order: []string{"waiting"}},
	}
}

// States are the states of a job that a query may name.
func States() []string {
	return []string{
		"posted", "ready", "assigned", "running", "submitted", "committing", "revealing", "rejected", "delegated", "awaiting_approval",
		"finalized", "failed", "cancelled", "expired", "skipped",
	}
}

// Priorities are those a query may name.
func Priorities() []string { return []string{"low", "normal", "high", "critical"} }

// DecodeQueries reads what a program exports as queries, by name. Span reads a
// duration that is text, in ms; names in taken are given to the script for
// something else. The error is one sentence and begins with the query.
func DecodeQueries(raw []byte, taken []string, span func(text string) (int64, error)) ([]Query, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	all, err := members(raw)
	if err != nil {
		return nil, errors.New("queries is an object: { name: { from: \"jobs\", … } }")
	}
	if len(all) > maxQueries {
		return nil, fmt.Errorf("there are %d queries; at most %d are answered", len(all), maxQueries)
	}
	var queries []Query
	for _, name := range slices.Sorted(maps.Keys(all)) {
		q := Query{Name: name}
		if err := q.named(taken); err != nil {
			return nil, fmt.Errorf("query %q: %w", name, err)
		}
		if err := q.decode(all[name], span); err != nil {
			return nil, fmt.Errorf("query %q: %w", name, err)
		}
		queries = append(queries, q)
	}
	return queries, nil
}

func (q *Query) named(taken []string) error {
	switch {
	case q.Name == "" || len(q.Name) > maxQueryName:
		return fmt.Errorf("its name has 1 to %d bytes", maxQueryName)
	case slices.Contains(taken, q.Name):
		return fmt.Errorf("the script is given something else by that name (%s): choose another", strings.Join(taken, ", "))
	}
	return nil
}

func (q *Query) decode(raw json.RawMessage, span func(string) (int64, error)) error {
	given, err := members(raw)
	if err != nil {
		return errors.New("write an object: { from: \"jobs\", where: { … }, order: \"deadline\", limit: 20 }")
	}
	if err := known(given, "from", "where", "order", "limit"); err != nil {
		return err
	}
	all := kinds()
	if given["from"] == nil {
		return fmt.Errorf("from: it is needed, one of %s", strings.Join(slices.Sorted(maps.Keys(all)), ", "))
	}
	if err := choice(given["from"], &q.From, slices.Sorted(maps.Keys(all))); err != nil {
		return fmt.Errorf("from: %w", err)
	}
	kind := all[q.From]
	if err := q.order(given["order"], kind); err != nil {
		return fmt.Errorf("order: %w", err)
	}
	q.Limit = someRows
	if raw, ok := given["limit"]; ok {
		if err := json.Unmarshal(raw, &q.Limit); err != nil || q.Limit < 1 || q.Limit > maxRows {
			return fmt.Errorf("limit: write a whole number from 1 to %d", maxRows)
		}
	}
	if raw, ok := given["where"]; ok {
		if err := q.where(raw, kind, span); err != nil {
			return fmt.Errorf("where: %w", err)
		}
	}
	return nil
}

func (q *Query) order(raw json.RawMessage, k kind) error {
	if raw == nil {
		return nil
	}
	text, err := text(raw)
	if err != nil {
		return err
	}
	q.Order, q.Descending = strings.CutPrefix(text, "-")
	if !slices.Contains(k.order, q.Order) {
		return fmt.Errorf("%s can be ordered by %s, not by %q; \"-%s\" turns it round", q.From, strings.Join(k.order, ", "), q.Order, k.order[0])
	}
	return nil
}

func (q *Query) where(raw json.RawMessage, k kind, span func(string) (int64, error)) error {
	given, err := members(raw)
	if err != nil {
		return errors.New("write an object, like { state: \"ready\" }")
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if slices.Contains(k.where, name) {
			continue
		}
		if len(k.where) == 0 {
			return fmt.Errorf("of %s nothing can be asked, so leave it out", q.From)
		}
		return fmt.Errorf("%s has no %q: there is %s", q.From, name, strings.Join(k.where, ", "))
	}
	for _, term := range []struct {
		name string
		read func(json.RawMessage) error
	}{
		{"state", func(v json.RawMessage) error { return choices(v, &q.States, States()) }},
		{"skill", func(v json.RawMessage) (err error) { q.Skill, err = text(v); return err }},
		{"employer", func(v json.RawMessage) (err error) { q.Employer, err = text(v); return err }},
		{"priority", func(v json.RawMessage) error { return choices(v, &q.Priority, Priorities()) }},
		{"parent", func(v json.RawMessage) (err error) { q.Parent, err = text(v); return err }},
		{"label", func(v json.RawMessage) (err error) { q.Labels, err = labels(v); return err }},
		{"deadline_within", func(v json.RawMessage) error { return duration(v, &q.DeadlineWithin, span) }},
		{"waiting_over", func(v json.RawMessage) error { return duration(v, &q.WaitingOver, span) }},
	} {
		if value, ok := given[term.name]; ok {
			if err := term.read(value); err != nil {
				return fmt.Errorf("%s: %w", term.name, err)
			}
		}
	}
	return nil
}

// members are those of a JSON object.
func members(raw json.RawMessage) (map[string]json.RawMessage, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	if all == nil {
		return nil, errors.New("it is null")
	}
	return all, nil
}

func known(given map[string]json.RawMessage, names ...string) error {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(names, name) {
			return fmt.Errorf("it has no %q: there is %s", name, strings.Join(names, ", "))
		}
	}
	return nil
}

func text(raw json.RawMessage) (text string, err error) {
	if !bytes.HasPrefix(raw, []byte(`"`)) || json.Unmarshal(raw, &text) != nil {
		return "", errors.New("write text")
	}
	if text == "" || len(text) > maxTerm {
		return "", fmt.Errorf("text has 1 to %d bytes", maxTerm)
	}
	return text, nil
}

func choice(raw json.RawMessage, to *string, from []string) error {
	text, err := text(raw)
	if err == nil && !slices.Contains(from, text) {
		err = fmt.Errorf("%q is not one of %s", text, strings.Join(from, ", "))
	}
	*to = text
	return err
}

// choices reads one text or a list of them, and keeps them in the order of from.
func choices(raw json.RawMessage, to *[]string, from []string) error {
	list := []json.RawMessage{raw}
	if bytes.HasPrefix(raw, []byte("[")) {
		if err := json.Unmarshal(raw, &list); err != nil || len(list) == 0 {
			return errors.New("write a text, or a list with at least one")
		}
	}
	said := map[string]bool{}
	for _, raw := range list {
		var one string
		if err := choice(raw, &one, from); err != nil {
			return err
		}
		said[one] = true
	}
	for _, one := range from {
		if said[one] {
			*to = append(*to, one)
		}
	}
	return nil
}

func labels(raw json.RawMessage) (all []Label, err error) {
	given, err := members(raw)
	if err != nil || len(given) == 0 || len(given) > maxTerms {
		return nil, fmt.Errorf("write an object with 1 to %d texts, like { category: \"research\" }", maxTerms)
	}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		var value string
		if json.Unmarshal(given[key], &value) != nil || !bytes.HasPrefix(given[key], []byte(`"`)) {
			return nil, fmt.Errorf("%q: write text", key)
		}
		all = append(all, Label{key, value})
	}
	return all, nil
}

// duration reads milliseconds, or text.
func duration(raw json.RawMessage, to *int64, span func(string) (int64, error)) (err error) {
	if bytes.HasPrefix(raw, []byte(`"`)) {
		var said string
		if said, err = text(raw); err != nil {
			return err
		}
		if *to, err = span(said); err != nil {
			return err
		}
	} else {
		var ms float64
		if json.Unmarshal(raw, &ms) != nil || ms != math.Trunc(ms) || math.Abs(ms) > float64(maxSpan) {
			return errors.New(`write whole milliseconds, or text like "90s", "1.5m" or "2h"`)
		}
		*to = int64(ms)
	}
	if *to < 1 || *to > maxSpan {
		return errors.New("it must be between 1 ms and 100 years")
	}
	return nil
}
