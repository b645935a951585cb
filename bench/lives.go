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
	jobs []int
}

var kinds = []kind{
	{"simple", "simple job", []int{500, 3000, 20_000, 40_000}},
	{"full", "full job life", []int{400, 2000, 8_000, 16_000}},
}

// lives measures job lives a second, each posted, acknowledged durable, run and
// durably ended; beside the bare loop and beside River's job, which is a simple
// one.
func lives(b *bench, t *table) error {
	type row struct {
		name string
		rate float64
	}
	rows := map[int][]row{}
	for _, k := range kinds {
		for i, outstanding := range outstandings {
			rate, bare, err := lifeRate(b, k, b.some(k.jobs[i], 16), outstanding)
			if err != nil {
				return err
			}
			name := fmt.Sprintf("%s, %d outstanding", k.what, outstanding)
			rows[outstanding] = append(rows[outstanding], row{name, rate})
			t.add(name, "jobs/s", higher, rate, against(rawPeer, bare))
		}
	}
	rivers, err := b.riverPeers()
	if err != nil {
		return err
	}
	for i := range kinds {
		for _, outstanding := range outstandings {
			r := rows[outstanding][i]
			t.add(r.name+", and River", "jobs/s", higher, r.rate, rivers[outstanding])
		}
	}
	return nil
}

// lifeRate runs jobs, and then the bare loop, which writes the same bytes in
// the fewest steps there can be: one sync for what is posted, one for what
// comes of it.
func lifeRate(b *bench, k kind, jobs, outstanding int) (rate, bare float64, err error) {
	p, err := open(b.dir, k.name)
	if err != nil {
		return 0, 0, err
	}
	if err := p.warm(outstanding); err != nil {
		return 0, 0, err
	}
	posts, all := p.posts, p.bytes
	took, err := p.run(jobs, outstanding)
	if err != nil {
		return 0, 0, err
	}
	posts, all = (p.posts-posts)/jobs, (p.bytes-all)/jobs
	if err := p.close(); err != nil {
		return 0, 0, err
	}
	line := func(n int) []byte { return bytes.Repeat([]byte("x"), n*outstanding) }
	bare, err = rawRate(b.dir, max(1, jobs/outstanding), line(posts), line(all-posts))
	return float64(jobs) / took.Seconds(), bare * float64(outstanding), err
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
func costs(b *bench, t *table) error {
	river, err := b.riverCost()
	if err != nil {
		return err
	}
	for _, k := range kinds {
		if err := cost(b, t, k, river); err != nil {
			return fmt.Errorf("%s: %w", k.what, err)
		}
	}
	return nil
}

func cost(b *bench, t *table, k kind, river peer) error {
	idle, _, err := session(b.dir, k, 0)
	if err != nil {
		return err
	}
	jobs := b.some(k.jobs[2], 64)
	use, p, err := session(b.dir, k, jobs)
	if err != nil {
		return err
	}
	n := float64(jobs)
	const own = "a count, which no disk or load changes"
	add := func(what, unit string, value float64, p peer) { t.add(k.what+", "+what, unit, lower, value, p) }
	add("CPU, whole process", "µs", microseconds(use.cpu-idle.cpu)/n, river)
	add("allocations, whole process", "allocs", float64(use.allocs-idle.allocs)/n, alone(own))
	add("fdatasyncs", "syncs", float64(p.ran.syncs)/n, alone("it depends on how many jobs share one"))
	add("journal", "bytes", float64(p.ran.bytes)/n, alone(own))
	add("artifacts behind the journal at the end", "s", p.ran.behind.Seconds(), alone("nothing else keeps these files"))
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

// quantiles are the ones that are told.
var quantiles = []struct {
	name string
	part float64
}{{"p50", 0.50}, {"p99", 0.99}}

// latency measures how long one poster waits, beside the disk.
func latency(b *bench, t *table, k kind) error {
	p, err := open(b.dir, k.name)
	if err != nil {
		return err
	}
	if err := p.warm(1); err != nil {
		return err
	}
	n := b.some(k.jobs[0], 16)
	size := p.posts
	posts, lives, err := p.latencies(n)
	if err != nil {
		return err
	}
	size = (p.posts - size) / n
	if err := p.close(); err != nil {
		return err
	}
	disk, err := rawLatencies(b.dir, n, size)
	if err != nil {
		return err
	}
	for _, q := range quantiles {
		t.add(k.what+", post to durable, "+q.name, "ms", lower, quantile(posts, q.part), against(rawPeer, quantile(disk, q.part)))
		t.add(k.what+", post to durable end, "+q.name, "ms", lower, quantile(lives, q.part), against(rawPeer, quantile(disk, q.part)))
	}
	return nil
}
