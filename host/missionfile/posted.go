package missionfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/omega-run/omega/host/core"
)

// childAttributes are what a child job may say, in words for the reference.
const childAttributes = "name, title, skills, reward, energy_budget, compute_budget, work, deadline, validation_window, timeout, priority, needs, input, simulated"

// DecodeJob reads a job that is posted while the mission runs: the attributes of
// a job block as JSON, by the one table of settings, and its name. Simulated is
// { result, delegate }. The error is one sentence.
func DecodeJob(attributes map[string]json.RawMessage) (*core.JobSpec, error) {
	job, left := &core.JobSpec{}, maps.Clone(attributes)
	for _, setting := range core.JobSettings() {
		value, given := left[setting.Name]
		delete(left, setting.Name)
		if err := decodeSetting(setting, job, value, given); err != nil {
			return nil, fmt.Errorf("%s: %w", setting.Name, err)
		}
	}
	rest := []struct {
		name string
		read func(json.RawMessage) error
	}{
		{"name", func(v json.RawMessage) error { return readText(v, &job.ID) }},
		{"needs", func(v json.RawMessage) error { return readTexts(v, &job.Needs) }},
		{"priority", func(v json.RawMessage) error { return readPriority(v, &job.Priority) }},
		{"input", func(v json.RawMessage) (err error) { job.Input, err = core.CanonicalMax(v, maxInput); return err }},
		{"simulated", func(v json.RawMessage) error { return decodeSimulated(v, job) }},
	}
	for _, r := range rest {
		if value, given := left[r.name]; given {
			if err := r.read(value); err != nil {
				return nil, fmt.Errorf("%s: %w", r.name, err)
			}
		}
		delete(left, r.name)
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		return nil, fmt.Errorf("a job has no attribute %q.%s", name, suggest(name, strings.Split(childAttributes, ", ")))
	}
	return job, nil
}

func decodeSetting(s core.Setting, job *core.JobSpec, value json.RawMessage, given bool) error {
	if string(value) == "null" {
		given = false
	}
	switch {
	case s.Kind == core.KindNames && given:
		var names []string
		if err := readTexts(value, &names); err != nil || len(names) == 0 {
			return err
		}
		return assignNames(s, job, names)
	case s.Kind == core.KindNames:
		return nil
	case s.Kind == core.KindText && given:
		return readText(value, s.At(job).(*string))
	case !given && s.Default == "" && s.Needed:
		return errors.New("it is needed")
	case !given && s.Default == "":
		return nil
	case !given:
		return s.Parse(job, s.Default)
	}
	text := string(value)
	if strings.HasPrefix(text, `"`) {
		if err := readText(value, &text); err != nil {
			return err
		}
	}
	return s.Parse(job, text)
}

func readText(value json.RawMessage, to *string) error {
	if json.Unmarshal(value, to) != nil {
		return errors.New("write text")
	}
	if len(*to) > maxText {
		return fmt.Errorf("it has %d bytes; at most %d are kept", len(*to), maxText)
	}
	return nil
}

func readTexts(value json.RawMessage, to *[]string) error {
	if json.Unmarshal(value, to) != nil {
		return errors.New("write a list of texts")
	}
	return nil
}

func readPriority(value json.RawMessage, to *core.Priority) error {
	var text string
	if err := readText(value, &text); err != nil {
		return err
	}
	p, ok := core.ParsePriority(text)
	if !ok {
		return fmt.Errorf("%q is not one of low, normal, high, critical", text)
	}
	*to = p
	return nil
}

// decodeSimulated reads what a simulated worker does: { result, delegate }.
func decodeSimulated(value json.RawMessage, job *core.JobSpec) error {
	var said map[string]json.RawMessage
	if json.Unmarshal(value, &said) != nil {
		return errors.New("write { result, delegate }, what a simulated worker does")
	}
	for _, name := range slices.Sorted(maps.Keys(said)) {
		var err error
		switch name {
		case "result":
			job.Simulated, err = core.CanonicalMax(said[name], maxResult)
		case "delegate":
			if job.Delegate, err = core.CanonicalMax(said[name], maxDelegate); err == nil {
				_, err = DecodeChildren(job.Delegate)
			}
		default:
			err = fmt.Errorf("it has no %q.%s", name, suggest(name, simulatedAttributes))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// DecodeChildren reads the jobs an attempt posts before it goes on: a JSON list
// of objects, each with attributes of a job. ID holds a child's name among its
// siblings, "" if it has none, and Needs hold such names. A child is never
// required by itself: its parent is. The error is one sentence and names the
// child, counted from 1.
func DecodeChildren(raw []byte) ([]core.JobSpec, error) {
	text, err := core.CanonicalMax(raw, maxDelegate)
	if err != nil {
		return nil, err
	}
	var all []map[string]json.RawMessage
	if !bytes.HasPrefix(text, []byte("[")) || json.Unmarshal(text, &all) != nil {
		return nil, errors.New("child jobs are a list of objects")
	}
	if len(all) > maxChildren {
		return nil, fmt.Errorf("there are %d child jobs; at most %d are possible", len(all), maxChildren)
	}
	children := make([]core.JobSpec, len(all))
	for i, attributes := range all {
		child, err := decodeChild(attributes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", childName(i, &core.JobSpec{}), err)
		}
		children[i] = *child
	}
	return children, checkSiblings(children)
}

// childName is how a child is called in messages.
func childName(i int, child *core.JobSpec) string {
	if child.ID == "" {
		return fmt.Sprintf("child job %d", i+1)
	}
	return fmt.Sprintf("child job %q", child.ID)
}

func decodeChild(attributes map[string]json.RawMessage) (*core.JobSpec, error) {
	if attributes == nil {
		return nil, errors.New("write an object with the attributes of a job")
	}
	known := strings.Split(childAttributes, ", ")
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("a child job has no attribute %q.%s", name, suggest(name, known))
		}
	}
	job, err := DecodeJob(attributes)
	switch {
	case err != nil:
		return nil, err
	case len(job.Skills) == 0:
		return nil, errors.New("skills: it must name at least one")
	case job.ID != "" && !core.ValidName(job.ID):
		return nil, fmt.Errorf("name: %q cannot be used: %s", job.ID, core.NameRule)
	}
	job.Required = false
	return job, nil
}

// checkSiblings refuses names that are not unique, needs that nobody has, and
// circles.
func checkSiblings(children []core.JobSpec) error {
	place := make(map[string]int, len(children))
	var names []string
	for i := range children {
		name := children[i].ID
		if _, taken := place[name]; taken && name != "" {
			return fmt.Errorf("two child jobs are called %q", name)
		}
		if name != "" {
			place[name], names = i, append(names, name)
		}
	}
	edges := make([][]int64, len(children))
	for i := range children {
		for _, need := range children[i].Needs {
			to, ok := place[need]
			if !ok || need == "" {
				return fmt.Errorf("%s: needs: no sibling is called %q.%s", childName(i, &children[i]), need, suggest(need, names))
			}
			edges[i] = append(edges[i], int64(to))
		}
	}
	g := &graph{first: []int32{0}}
	for i := range edges {
		if !g.add(edges[i]) {
			return errors.New("child jobs have too many needs")
		}
	}
	if ring := g.cycle(); ring != nil {
		var path []string
		for _, n := range ring {
			path = append(path, children[n].ID)
		}
		return fmt.Errorf("child jobs in a circle: %s", shorten(path))
	}
	return nil
}
