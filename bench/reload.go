package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/omega-run/omega/host/core"
)

// reloads measures how long an edit takes that is saved while a mission runs:
// from before the file is put in its place until the entry that puts it in force
// is durable. The host waits 30 ms for the file to rest.
func reloads(b *bench, t *table) error {
	for _, jobs := range []int{20, b.some(10_000, 100)} {
		ms, err := b.edits(jobs, b.some(50, 3))
		if err != nil {
			return err
		}
		for _, q := range quantiles {
			t.add(fmt.Sprintf("edit to in force, %s jobs, %s", count(jobs), q.name), "ms", lower, quantile(ms, q.part), alone("nobody else watches a file for it"))
		}
	}
	return nil
}

func (b *bench) edits(jobs, n int) (ms []float64, err error) {
	dir, err := writeMission(b.dir, "edited", jobs)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "mission.hcl")
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	p, err := openIn(dir)
	if err != nil {
		return nil, err
	}
	defer p.close()
	if err := p.until(b, func(e core.Event) bool {
		posted, ok := e.(*core.JobsExpanded)
		return ok && posted.Next == int64(jobs)
	}); err != nil {
		return nil, err
	}
	for i := range n {
		next := bytes.Replace(source, []byte("1000000 #"), []byte(strconv.Itoa(1000001+i)+" #"), 1)
		began := time.Now()
		if err := save(file, next); err != nil {
			return nil, err
		}
		if err := p.until(b, func(e core.Event) bool { _, ok := e.(*core.GenerationApplied); return ok }); err != nil {
			return nil, err
		}
		ms = append(ms, float64(time.Since(began).Microseconds())/1000)
	}
	return ms, nil
}

// until reads durable entries up to the first that says so.
func (p *poster) until(b *bench, found func(core.Event) bool) error {
	for {
		line, err := p.cursor.Next(b.ctx)
		if err != nil {
			return err
		}
		entry, err := core.ParseEntry(line.Bytes)
		if err != nil {
			return err
		}
		for _, event := range entry.Events {
			if found(event) {
				return nil
			}
		}
	}
}

// save puts a file there in one step, as a careful editor does.
func save(path string, content []byte) error {
	if err := os.WriteFile(path+".new", content, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
