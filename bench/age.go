package main

import (
	"fmt"
	"runtime"
	"time"
)

// memory measures what a finished job keeps in a live session: how the heap
// grows with them, after a garbage collection. The loop's state and the
// reader's are both in it, and what is remembered of the order that posted it.
func memory(b *bench, t *table) error {
	p, err := open(b.dir, "simple")
	if err != nil {
		return err
	}
	jobs := b.some(40_000, 1000)
	if _, err := p.run(jobs/2, costOutstanding); err != nil {
		return err
	}
	before := settledHeap()
	for range 3 {
		if _, err := p.run(jobs, 4096); err != nil {
			return err
		}
		after := settledHeap()
		t.add("memory per finished job, live, posted by an order", "bytes", lower, (after-before)/float64(jobs), alone("others keep finished jobs on the disk alone"))
		before = after
	}
	return p.close()
}

// settledHeap is what lies in the heap once it has stopped shrinking: the
// reader may still be catching up.
func settledHeap() float64 {
	last := -1.0
	for range 50 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		now := float64(m.HeapAlloc)
		if last > 0 && now < last*1.002 && now > last*0.998 {
			return now
		}
		last = now
		time.Sleep(200 * time.Millisecond)
	}
	return last
}

// Each checkpoint is taken after so many jobs have changed.
const (
	changedJobs = 64
	pauseTries  = 30
)

// pauses measures how long the loop stands still for a checkpoint when so many
// jobs have been posted and ended, and a constant number since the one before:
// encoding what has changed and hashing it. Chunks are written elsewhere.
func pauses(b *bench, t *table) error {
	work := &poster{owner: [32]byte{1}}
	err := b.age(t, "declared in the file", 4, work, func(s *stepper, n int) error { return s.declared(n, work) })
	if err != nil {
		return err
	}
	runtime.GC()
	work = &poster{owner: [32]byte{1}}
	return b.age(t, "each posted by an order", 3, work, func(s *stepper, n int) error { return s.lives(n, work) })
}

// age lets a mission grow old, tenfold so many times, and pauses at each age.
func (b *bench) age(t *table, how string, ages int, work *poster, lives func(*stepper, int) error) error {
	var young peer // what older missions are held against
	s, err := newStepper(b.dir, kinds[0])
	if err != nil {
		return err
	}
	for i := range ages {
		size := b.some(1000*pow10(i), 10*pow10(i))
		if err := lives(s, size-work.posted); err != nil {
			return err
		}
		took, err := s.pause(func() error { return lives(s, changedJobs) })
		if err != nil {
			return err
		}
		p := young
		if i == 0 {
			p, young = alone("it is the peer of the rows below"), against(fmt.Sprintf("the same at %s jobs", count(size)), median(took))
		}
		for _, ms := range took {
			t.add(fmt.Sprintf("checkpoint pause at %s jobs, %s", count(size), how), "ms", lower, ms, p)
		}
	}
	return nil
}

// lives steps jobs from the order that posts each to their ends.
func (s *stepper) lives(n int, p *poster) error {
	for range n {
		if err := s.life(p.order(), &s.approved); err != nil {
			return err
		}
	}
	return nil
}

// pause seals the state again and again and times it.
func (s *stepper) pause(change func() error) (ms []float64, err error) {
	s.state.Seal(nil)
	for range pauseTries {
		if err := change(); err != nil {
			return nil, err
		}
		began := time.Now()
		s.state.Seal(nil)
		ms = append(ms, milliseconds(time.Since(began)))
	}
	return ms, nil
}
