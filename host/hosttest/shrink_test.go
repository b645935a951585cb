package hosttest

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// drops is what a run leaves out: steps of the faulty part, jobs and workers of
// the mission, and the ways of outside validators, who are then honest.
type drops struct {
	step, job, worker map[int]bool
	ways              bool
}

// parseDrops reads "s3,s7-20,j1,w2,ways".
func parseDrops(text string) (d drops, err error) {
	d = drops{map[int]bool{}, map[int]bool{}, map[int]bool{}, false}
	for _, part := range strings.Split(text, ",") {
		if part == "" || part == "ways" {
			d.ways = d.ways || part == "ways"
			continue
		}
		set := map[byte]map[int]bool{'s': d.step, 'j': d.job, 'w': d.worker}[part[0]]
		first, last, many := strings.Cut(part[1:], "-")
		if !many {
			last = first
		}
		from, err1 := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err := errors.Join(err1, err2); err != nil || set == nil {
			return d, fmt.Errorf("OMEGA_DROP: %q is not like s7-20, j1, w2 or ways", part)
		}
		for i := from; i <= to; i++ {
			set[i] = true
		}
	}
	return d, nil
}

func dropped(t *testing.T) drops {
	d, err := parseDrops(os.Getenv("OMEGA_DROP"))
	require.NoError(t, err)
	return d
}

// String is what parseDrops reads.
func (d drops) String() string {
	var parts []string
	for _, kind := range []struct {
		letter string
		set    map[int]bool
	}{{"s", d.step}, {"j", d.job}, {"w", d.worker}} {
		all := slices.Sorted(maps.Keys(kind.set))
		for i := 0; i < len(all); {
			n := i
			for n+1 < len(all) && all[n+1] == all[n]+1 {
				n++
			}
			if part := fmt.Sprint(kind.letter, all[i]); n == i {
				parts = append(parts, part)
			} else {
				parts = append(parts, fmt.Sprint(part, "-", all[n]))
			}
			i = n + 1
		}
	}
	if d.ways {
		parts = append(parts, "ways")
	}
	return strings.Join(parts, ",")
}

func (d drops) clone() drops {
	return drops{maps.Clone(d.step), maps.Clone(d.job), maps.Clone(d.worker), d.ways}
}

// from takes jobs and workers out of a plan, as far as nothing else names them.
func (d drops) from(p *plan) {
	for i := len(p.jobs) - 1; i >= 0; i-- {
		if d.job[i] && len(p.jobs) > 1 && !p.names(p.jobs[i].name) {
			p.jobs = slices.Delete(p.jobs, i, i+1)
		}
	}
	for i := len(p.workers) - 1; i > 0; i-- {
		if d.worker[i] {
			p.workers = slices.Delete(p.workers, i, i+1)
		}
	}
}

func (p *plan) names(job string) bool {
	return slices.ContainsFunc(p.jobs, func(j jobPlan) bool {
		return slices.ContainsFunc(j.lines, func(line string) bool { return strings.Contains(line, "job."+job) })
	})
}

// maxTries bounds how often a failing run is tried with less.
const maxTries = 400

// shrink leaves out what a failing run does not need to break the same law.
func shrink(run func(drops) error, d drops, cause error) (drops, error) {
	tries := 0
	fails := func(d drops) error {
		if tries++; tries > maxTries {
			return nil
		}
		err := run(d)
		if err != nil && lawOf(err) == lawOf(cause) {
			return err
		}
		return nil
	}
	try := func(change func(drops)) bool {
		next := d.clone()
		change(next)
		err := fails(next)
		if err != nil {
			d, cause = next, err
		}
		return err != nil
	}
	next := d.clone()
	if next.ways = true; fails(next) != nil {
		d = next
	}
	for size := 256; size > 0; size /= 2 { // from the end: a run that fails early needs nothing after
		for from := maxSteps - size; from >= 0; from -= size {
			if !wholly(d.step, from, size) {
				try(func(d drops) {
					for i := from; i < from+size; i++ {
						d.step[i] = true
					}
				})
			}
		}
	}
	for i := 12; i >= 0; i-- {
		try(func(d drops) { d.job[i] = true })
		try(func(d drops) { d.worker[i] = true })
	}
	return d, cause
}

// maxSteps is more than any run has.
const maxSteps = 512

func wholly(set map[int]bool, from, size int) bool {
	for i := from; i < from+size; i++ {
		if !set[i] {
			return false
		}
	}
	return true
}

func lawOf(err error) string {
	var broken *lawError
	if errors.As(err, &broken) {
		return broken.law
	}
	return err.Error()
}

// TestShrink plants a law that does not hold where the owner cancels a job, and
// lets a run that breaks it be shrunk to what leads there.
func TestShrink(t *testing.T) {
	seed := uint64(0)
	run := func(d drops) error {
		w, err := simulate(seed, d, nil)
		if err == nil && w.counts()["job cancelled owner"] > 0 {
			err = &lawError{"planted", "the owner cancels a job"}
		}
		return err
	}
	var cause error
	for seed = 1; cause == nil && seed < 40; {
		if cause = run(drops{}); cause == nil {
			seed++
		}
	}
	require.ErrorContains(t, cause, "cancels")
	least, again := shrink(run, drops{map[int]bool{}, map[int]bool{}, map[int]bool{}, false}, cause)
	require.Equal(t, cause, again)
	read, err := parseDrops(least.String())
	require.NoError(t, err)
	require.Equal(t, least.String(), read.String())
	require.Equal(t, cause, run(read), "what is printed does not lead there: OMEGA_DROP=%s", least)
	t.Logf("OMEGA_SEEDS=%d OMEGA_DROP=%s", seed, least)
	require.LessOrEqual(t, maxSteps-len(least.step), 10)
	require.NotEmpty(t, least.job)
}
