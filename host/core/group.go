package core

// groupJobs is how many jobs that were posted one after the other make a chunk
// of the sealed state: few enough that 64 of the largest (256 KiB of input, 64
// KiB of result) stay below what a chunk may have.
const groupJobs = 64

// group is such a run, as far as its jobs are still here. Groups are a list in
// post order; one that is empty leaves it.
type group struct {
	number        int // of the run, from 0
	jobs          [groupJobs]*Job
	left          int
	before, after *group
	digest        Digest // of its sealed form
	fresh         bool   // it has changed since it was sealed
}

// roster is the jobs that are open, or linger, in post order.
type roster struct{ first, last *group }

// add appends a job; its index is above all others'.
func (r *roster) add(j *Job) {
	number := j.index / groupJobs
	g := r.last
	if g == nil || g.number != number {
		g = &group{number: number, before: r.last}
		if r.last == nil {
			r.first = g
		} else {
			r.last.after = g
		}
		r.last = g
	}
	g.jobs[j.index%groupJobs], j.group = j, g
	g.left++
	g.fresh = true
}

func (r *roster) remove(j *Job) {
	g := j.group
	g.jobs[j.index%groupJobs], j.group = nil, nil
	g.fresh = true
	if g.left--; g.left > 0 {
		return
	}
	if g.before == nil {
		r.first = g.after
	} else {
		g.before.after = g.after
	}
	if g.after == nil {
		r.last = g.before
	} else {
		g.after.before = g.before
	}
}

func (r *roster) each(yield func(int, *Job) bool) {
	for g := r.first; g != nil; g = g.after {
		for _, j := range g.jobs {
			if j != nil && !yield(j.index, j) {
				return
			}
		}
	}
}

func (g *group) fields(c *Codec) {
	var jobs []*Job
	for _, j := range g.jobs {
		if j != nil {
			jobs = append(jobs, j)
		}
	}
	list(c, "jobs", &jobs, func(c *Codec, j **Job) {
		if c.reading {
			*j = &Job{}
		}
		c.nested(*j)
	})
	if c.reading {
		c.state.restoreJobs(c, jobs)
	}
}

// sealed notes of which sealed form the last group was made.
func (r *roster) sealed(sum Digest) {
	if r.last != nil {
		r.last.digest = sum
	}
}
