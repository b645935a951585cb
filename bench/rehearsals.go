package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
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
	for i, size := range []int{1000, 10_000, 100_000, 1_000_000} {
		jobs := b.some(size, 10*pow10(i))
		var all []rehearsed
		for range []int{5, 5, 3, 1}[i] {
			r, err := b.rehearse(jobs)
			if err != nil {
				return err
			}
			all = append(all, r)
		}
		const none = "none does it"
		of := func(f func(rehearsed) float64) (values []float64) {
			for _, r := range all {
				values = append(values, f(r))
			}
			return values
		}
		seconds, peaks := of(func(r rehearsed) float64 { return r.seconds }), of(func(r rehearsed) float64 { return r.peak })
		for j := range all {
			t.add(fmt.Sprintf("mission of %s jobs, --ci", count(jobs)), "s", lower, seconds[j], alone(none))
			t.add(fmt.Sprintf("mission of %s jobs, --ci, peak memory", count(jobs)), "MB", lower, peaks[j]/1e6, alone(none))
		}
		now := rehearsed{median(seconds), median(peaks)}
		if last > 0 {
			step := fmt.Sprintf("from %s to %s jobs", count(last), count(jobs))
			t.add("time grows, "+step, "times", lower, now.seconds/before.seconds, against("the jobs", float64(jobs)/float64(last)))
			t.add("memory grows, "+step, "bytes/job", lower, (now.peak-before.peak)/float64(jobs-last), alone(none))
		}
		before, last = now, jobs
	}
	return nil
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
	cmd := exec.CommandContext(b.ctx, b.omega, "run", "--ci", "--json", "--data", dataOf(dir), dir)
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
