package main

import (
	"bytes"
	"fmt"
	"time"
)

// kind is a kind of job life. Jobs are how many a round runs at each number of
// outstanding ones.
type kind struct {
	name string // of its mission file
	what string
	jobs []float64
}

var kinds = []kind{
	{"simple", "simple job", []float64{500, 3000, 20_000, 40_000}},
	{"full", "full job life", []float64{400, 2000, 8_000, 16_000}},
}

// lives measures job lives a second, each posted, acknowledged durable, run and
// durably ended. The bare loop writes the same bytes in the fewest steps there
// can be: one sync for what is posted, one for what comes of it.
func lives(t *table, dir string, k kind, scale float64) error {
	for i, outstanding := range outstandings {
		p, err := open(dir, k.name)
		if err != nil {
			return err
		}
		if err := p.warm(outstanding); err != nil {
			return err
		}
		jobs, posts, all := int(scale*k.jobs[i]), p.posts, p.bytes
		took, err := p.run(jobs, outstanding)
		if err != nil {
			return err
		}
		posts, all = (p.posts-posts)/jobs, (p.bytes-all)/jobs
		if err := p.close(); err != nil {
			return err
		}
		bare, err := rawRate(dir, max(1, jobs/outstanding), bytes.Repeat([]byte("x"), posts*outstanding), bytes.Repeat([]byte("x"), (all-posts)*outstanding))
		if err != nil {
			return err
		}
		t.beside(fmt.Sprintf("%s, %d outstanding", k.what, outstanding), "jobs/s", higher, float64(jobs)/took.Seconds(), rawPeer, bare*float64(outstanding))
	}
	return nil
}

// warm runs a few jobs, so that a new host is not measured starting.
func (p *poster) warm(outstanding int) error {
	_, err := p.run(max(64, outstanding), outstanding)
	return err
}

// costOutstanding is the load at which costs are taken.
const costOutstanding = 256

// costs measures what one job takes of the machine: a whole session with jobs,
// from start to the last artifact, less one without. The poster, the reader and
// the sealing of the state are in it.
func costs(t *table, dir string, k kind, scale float64) error {
	idle, _, err := session(dir, k, 0)
	if err != nil {
		return err
	}
	jobs := int(scale * k.jobs[2])
	use, p, err := session(dir, k, jobs)
	if err != nil {
		return err
	}
	n := float64(jobs)
	add := func(what, unit string, value float64) { t.add(k.what+", "+what, unit, lower, value) }
	add("CPU, whole process", "µs", float64((use.cpu-idle.cpu).Nanoseconds())/1e3/n)
	add("allocations, whole process", "allocs", float64(use.allocs-idle.allocs)/n)
	add("fdatasyncs", "syncs", float64(p.ran.syncs)/n)
	add("journal", "bytes", float64(p.ran.bytes)/n)
	add("artifacts behind the journal at the end", "s", p.ran.behind.Seconds())
	return nil
}

// ran is what one run of jobs took beside time.
type ran struct {
	syncs  int64
	bytes  int
	behind time.Duration // from the last durable end to the host having left
}

func session(dir string, k kind, jobs int) (usage, *poster, error) {
	before := used()
	p, err := open(dir, k.name)
	if err != nil {
		return usage{}, nil, err
	}
	if err := p.warm(costOutstanding); err != nil {
		return usage{}, nil, err
	}
	syncs, bytes := p.syncs.syncs.Load(), p.bytes
	if jobs > 0 {
		if _, err := p.run(jobs, costOutstanding); err != nil {
			return usage{}, nil, err
		}
	}
	p.ran = ran{syncs: p.syncs.syncs.Load() - syncs, bytes: p.bytes - bytes}
	ended := time.Now()
	err = p.close()
	p.ran.behind = time.Since(ended)
	return used().since(before), p, err
}

// latency measures how long one poster waits, beside the disk.
func latency(t *table, dir string, k kind, scale float64) error {
	p, err := open(dir, k.name)
	if err != nil {
		return err
	}
	if err := p.warm(1); err != nil {
		return err
	}
	n := int(scale * k.jobs[0])
	size := p.posts
	posts, lives, err := p.latencies(n)
	if err != nil {
		return err
	}
	size = (p.posts - size) / n
	if err := p.close(); err != nil {
		return err
	}
	disk, err := rawLatencies(dir, n, size)
	if err != nil {
		return err
	}
	for _, q := range []struct {
		name string
		part float64
	}{{"p50", 0.50}, {"p99", 0.99}} {
		t.beside(k.what+", post to durable, "+q.name, "ms", lower, quantile(posts, q.part), rawPeer, quantile(disk, q.part))
		t.add(k.what+", post to durable end, "+q.name, "ms", lower, quantile(lives, q.part))
	}
	return nil
}
