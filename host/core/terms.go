package core

import (
	"bytes"
	"slices"
)

// Terms is a job's spec as the state holds it: what is the job's own, beside
// what it shares with the job that was posted before it. Of a million instances
// of one block there is one JobSpec.
type Terms struct {
	ID       string
	Label    string
	Needs    []string // ids, in declared order
	Input    []byte   // canonical JSON; nil while it is not known
	*JobSpec          // without the four above
}

// Whole is the spec as it was posted, with the input as it is known now.
func (t *Terms) Whole() JobSpec {
	spec := *t.JobSpec
	spec.ID, spec.Label, spec.Needs, spec.Input = t.ID, t.Label, t.Needs, t.Input
	return spec
}

// Same reports whether a declaration is that of a job but for the generation it
// comes from and an input that has been resolved since.
func (t *Terms) Same(declared *JobSpec) bool {
	x, y := t.Whole(), *declared
	x.Generation, y.Generation = 0, 0
	if x.Lazy && y.Lazy {
		x.Input, y.Input = nil, nil
	}
	var c, d Codec
	x.fields(&c)
	y.fields(&d)
	return string(c.buf) == string(d.buf)
}

// alike reports whether two specs differ in nothing but what is a job's own.
func (j *JobSpec) alike(o *JobSpec) bool {
	return j.Block == o.Block && j.Generation == o.Generation && j.Parent == o.Parent && j.Employer == o.Employer && j.Title == o.Title &&
		j.Reward == o.Reward && j.EnergyBudget == o.EnergyBudget && j.ComputeBudget == o.ComputeBudget &&
		j.Work == o.Work && j.Deadline == o.Deadline && j.ValidationWindow == o.ValidationWindow && j.Timeout == o.Timeout &&
		j.Priority == o.Priority && j.Required == o.Required && j.AnyEnd == o.AnyEnd && j.Lazy == o.Lazy && j.Accept == o.Accept &&
		slices.Equal(j.Skills, o.Skills) && slices.Equal(j.Labels, o.Labels) &&
		bytes.Equal(j.Simulated, o.Simulated) && bytes.Equal(j.Delegate, o.Delegate)
}

// specField is the spec of a sealed job.
func (j *Job) specField(c *Codec) {
	var spec JobSpec
	if !c.reading {
		spec = j.Spec.Whole()
	}
	c.inline("spec", &spec)
	if c.reading {
		j.Spec = c.state.terms(&spec)
	}
}
