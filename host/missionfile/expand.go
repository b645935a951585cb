package missionfile

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/omega-run/omega/host/core"
)

// Problem is why a loaded mission cannot give what it was asked for, and where
// it says so.
type Problem struct {
	File    string
	Line    int
	Column  int
	Summary string
	Detail  string
}

func (p *Problem) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s: %s", p.File, p.Line, p.Column, p.Summary, p.Detail)
}

func problemOf(diags hcl.Diagnostics, at hcl.Range) *Problem {
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		if d.Subject != nil {
			at = *d.Subject
		}
		return &Problem{at.Filename, at.Start.Line, at.Start.Column, d.Summary, oneLine(d.Detail)}
	}
	return nil
}

func problemAt(at hcl.Range, summary, detail string, args ...any) *Problem {
	return &Problem{at.Filename, at.Start.Line, at.Start.Column, summary, fmt.Sprintf(detail, args...)}
}

// Expand makes the job instances from the one at place from of the file order
// on: at most max of them and about maxBytes as they are recorded, but at least
// one. next is where to go on, Spec().Instances when none is left. The specs
// share memory with each other: they are to be read only. The same arguments
// give the same jobs, and batches do not matter.
func (m *Mission) Expand(from int64, max int, maxBytes int) (jobs []core.JobSpec, next int64, problem *Problem) {
	defer func() {
		if fault := recover(); fault != nil {
			problem = problemAt(wholeFile(m.src.entry), "Job cannot be expanded", "The evaluator failed with %q.", fmt.Sprint(fault))
		}
	}()
	jobs = make([]core.JobSpec, 0, int(min(int64(max), m.spec.Instances-min(from, m.spec.Instances))))
	size := 0
	for next = from; next >= 0 && next < m.spec.Instances && len(jobs) < max; next++ {
		jobs = append(jobs, core.JobSpec{})
		last := len(jobs) - 1
		bytes, err := m.job(next, &jobs[last])
		if err != nil {
			return jobs[:last], next, err
		}
		if size += bytes; size > maxBytes && last > 0 {
			jobs = jobs[:last]
			break
		}
	}
	return jobs, next, nil
}

// job writes the instance at a place in file order, and says about how many
// bytes it takes in the record.
func (m *Mission) job(n int64, spec *core.JobSpec) (int, *Problem) {
	b, i := m.node(n)
	bytes := b.sharedBytes
	if b.posts {
		diags := b.expand(m, i, spec)
		if diags.HasErrors() {
			return 0, problemOf(diags, b.at)
		}
		bytes = recordedBytes(spec)
	} else {
		*spec = b.shared
	}
	spec.ID, spec.Label = b.set.id(b.name, i), b.set.label(b.name, i)
	return bytes + 2*len(spec.ID) + textSize(spec.Label), nil
}

// expand writes an instance without its names.
func (b *jobBlock) expand(m *Mission, i int64, spec *core.JobSpec) hcl.Diagnostics {
	vars := b.set.vars(i)
	*spec = b.proto
	if diags := b.values(vars, spec); diags.HasErrors() {
		return diags
	}
	edges, diags := b.edgesOf(vars)
	if diags.HasErrors() {
		return diags
	}
	spec.Needs = m.ids(edges)
	return nil
}

// ids are the names of the instances at places in file order.
func (m *Mission) ids(edges []int64) (ids []string) {
	for _, e := range edges {
		other, at := m.node(e)
		ids = append(ids, other.set.id(other.name, at))
	}
	return ids
}

// find is the block and index of an instance id.
func (m *Mission) find(id string) (*jobBlock, int64, bool) {
	name, suffix, has := splitID(id)
	b := m.byName[name]
	if b == nil {
		return nil, 0, false
	}
	i, ok := b.set.find(suffix, has)
	return b, i, ok
}
