package inquiry

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"github.com/omega-run/omega/host/core"
)

// Finder looks for a job by its id or by the name people read.
type Finder struct {
	name  string
	found core.JobSpec
	near  []nearName
}

type nearName struct {
	name     string
	distance int
}

// nearNames is how many names are suggested.
const nearNames = 3

// NewFinder looks for a job of that name. An id has no bracket and a name that
// differs from its id has one, so that no two jobs can be meant.
func NewFinder(name string) *Finder { return &Finder{name: name} }

// Apply looks at the next entry and reports whether the job has been found.
func (f *Finder) Apply(e *core.Entry) bool {
	for _, event := range e.Events {
		posted, ok := event.(*core.JobPosted)
		if !ok {
			continue
		}
		if posted.Spec.ID == f.name || nameOf(&posted.Spec) == f.name {
			f.found = posted.Spec
			return true
		}
		f.compare(nameOf(&posted.Spec))
	}
	return false
}

func (f *Finder) compare(name string) {
	n := nearName{name, levenshtein.Distance(f.name, name, nil)}
	if n.distance > 1+len(f.name)/3 && !strings.HasPrefix(name, f.name) {
		return
	}
	at, _ := slices.BinarySearchFunc(f.near, n, func(a, b nearName) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), strings.Compare(a.name, b.name))
	})
	if at < nearNames {
		f.near = slices.Insert(f.near, at, n)
		f.near = f.near[:min(len(f.near), nearNames)]
	}
}

// Found is the terms of the job, as they were posted.
func (f *Finder) Found() core.JobSpec { return f.found }

// UnknownJobError names a job that was never posted, and some that were.
type UnknownJobError struct {
	Name string
	Near []string
}

func (e *UnknownJobError) Error() string {
	if len(e.Near) == 0 {
		return fmt.Sprintf("there is no job %s; `omega job list` names those that are open", e.Name)
	}
	return fmt.Sprintf("there is no job %s; did you mean %s?", e.Name, strings.Join(e.Near, ", "))
}

// Unknown is the error of a job that was not found.
func (f *Finder) Unknown() error {
	e := &UnknownJobError{Name: f.name}
	for _, n := range f.near {
		e.Near = append(e.Near, n.name)
	}
	return e
}
