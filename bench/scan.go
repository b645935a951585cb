package main

import (
	"crypto/ed25519"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/journal"
	"github.com/omega-run/omega/host/missionfile"
	"github.com/omega-run/omega/host/script"
)

// scans measures what a guardian costs that looks at a mission with so many open
// jobs: from the instant it is due until its plan is an entry. Its queries are
// answered, its script is called in another process, and what it says is checked
// and recorded.
func scans(b *bench, t *table) error {
	for i := range 3 {
		if err := b.scan(t, b.some(1000*pow10(i), 10*pow10(i))); err != nil {
			return err
		}
	}
	return nil
}

// scanTries is how often the guardian is asked at each number of jobs.
const scanTries = 20

func (b *bench) scan(t *table, jobs int) error {
	dir, err := writeMission(b.dir, "watched", jobs)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	runner := script.New(script.Options{})
	defer runner.Close()
	mission, problems := missionfile.Load(dir, missionfile.Given{Scripts: runner})
	if problems.HasErrors() {
		return fmt.Errorf("loading the mission: %s", problems[0].Detail)
	}
	wall := time.Unix(0, 0)
	m, err := host.OpenManual(host.ManualConfig{
		Journal: journal.Options{Mission: benchMission, NoSync: true}, Data: filepath.Join(dir, "data"), Now: func() time.Time { return wall },
		Key: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), Owner: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), Scripts: runner,
	})
	if err != nil {
		return err
	}
	defer m.Close()
	if err := m.TakeUp(mission, nil); err != nil {
		return err
	}
	for i := range scanTries + 1 {
		wall = wall.Add(10 * time.Second)
		before, began := m.State().Seq(), time.Now()
		for more := true; more; {
			if more, err = m.Turn(); err != nil {
				return err
			}
		}
		took := time.Since(began)
		if plan := m.State().Steward("guardian").Plan; plan == nil || plan.Fault != "" || m.State().Seq() == before {
			return fmt.Errorf("the guardian has no plan at entry %d: %+v", before, plan)
		}
		if i > 0 { // the first posts all jobs, and has the index made
			t.add(fmt.Sprintf("guardian scan at %s open jobs", count(jobs)), "ms", lower, took.Seconds()*1000, alone("others have no guardian"))
		}
	}
	return nil
}
