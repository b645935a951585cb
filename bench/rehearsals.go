package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/omega-run/omega/host/projection"
)

// rehearsed is what one --ci run took.
type rehearsed struct {
	seconds float64
	peak    float64 // bytes of memory resident at the most
}

// rehearsals measures whole missions of simple jobs with --ci, as a process of
// the real program each, and how their time grows when the jobs grow tenfold.
func rehearsals(b *bench, t *table) error {
	var before rehearsed
	last := 0
	for i, repeat := range []int{5, 5, 3, 1} {
		jobs := b.some(1000*pow10(i), 10*pow10(i))
		now, err := b.rehearseOften(t, jobs, repeat)
		if err != nil {
			return err
		}
		if last > 0 {
			step := fmt.Sprintf("from %s to %s jobs", count(last), count(jobs))
			t.add("time grows, "+step, "times", lower, now.seconds/before.seconds, against("the jobs", float64(jobs)/float64(last)))
			t.add("memory grows, "+step, "bytes/job", lower, (now.peak-before.peak)/float64(jobs-last), alone(noneDoes))
		}
		before, last = now, jobs
	}
	return nil
}

// noneDoes is why whole missions have no peer.
const noneDoes = "none does it"

// rehearseOften repeats a mission and returns the medians.
func (b *bench) rehearseOften(t *table, jobs, repeat int) (r rehearsed, err error) {
	var seconds, peaks []float64
	name := fmt.Sprintf("mission of %s jobs, --ci", count(jobs))
	for range repeat {
		if r, err = b.rehearse(jobs); err != nil {
			return r, err
		}
		seconds, peaks = append(seconds, r.seconds), append(peaks, r.peak)
		t.add(name, "s", lower, r.seconds, alone(noneDoes))
		t.add(name+", peak memory", "MB", lower, r.peak/1e6, alone(noneDoes))
	}
	return rehearsed{median(seconds), median(peaks)}, nil
}

func pow10(n int) int {
	p := 1
	for range n {
		p *= 10
	}
	return p
}

// rehearse runs a mission and checks that all of it was done.
func (b *bench) rehearse(jobs int) (r rehearsed, err error) {
	dir, err := writeMission(b.dir, "swarm", jobs)
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	var out, problems strings.Builder
	cmd := b.command(b.omega, "run", "--ci", "--json", "--data", dataOf(dir), dir)
	cmd.Stdout, cmd.Stderr = &out, &problems
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return r, err
	}
	ended, peak := make(chan struct{}), make(chan float64)
	go watchPeak(cmd.Process.Pid, ended, peak)
	err = cmd.Wait()
	r.seconds = time.Since(began).Seconds()
	close(ended)
	r.peak = <-peak
	if err != nil {
		return r, fmt.Errorf("omega run --ci: %w: %s", err, problems.String())
	}
	var report projection.Report
	if err := json.Unmarshal([]byte(out.String()), &report); err != nil {
		return r, fmt.Errorf("reading the report: %w", err)
	}
	if report.Jobs.Finalized != int64(jobs) {
		return r, fmt.Errorf("omega run --ci finalized %d of %d jobs", report.Jobs.Finalized, jobs)
	}
	return r, nil
}

// peakEvery is how often the memory of a process is looked at. What wait says of
// a child would count its parent's pages.
const peakEvery = 2 * time.Millisecond

// watchPeak reads the most memory a process has had resident until it ends.
func watchPeak(pid int, ended <-chan struct{}, peak chan<- float64) {
	path := filepath.Join("/proc", strconv.Itoa(pid), "status")
	most := 0.0
	for {
		b, _ := os.ReadFile(path)
		if _, rest, found := strings.Cut(string(b), "VmHWM:"); found {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			most = max(most, kb*1024)
		}
		select {
		case <-ended:
			peak <- most
			return
		case <-time.After(peakEvery):
		}
	}
}
