package main

import (
	"crypto/ed25519"
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/council"
	"github.com/omega-run/omega/host/missionfile"
)

// stepper is the core alone: commands are stepped and their entries encoded,
// and nothing is hashed, written or read.
type stepper struct {
	state    *core.State
	entry    core.Entry
	line     []byte
	approved core.Judgement
	busy     time.Duration // in Step and AppendBody
}

// sealed is what a box is as long as.
var sealed = make([]byte, council.SealedSize+16)

func newStepper(dir string, k kind) (*stepper, error) {
	dir, err := writeMission(dir, k.name, 0)
	if err != nil {
		return nil, err
	}
	mission, problems := missionfile.Load(dir)
	if problems.HasErrors() {
		return nil, fmt.Errorf("loading the mission: %s", problems[0].Detail)
	}
	s := &stepper{state: core.New(), approved: core.Judgement{Approve: true}}
	generation := core.Generation{Entry: "mission.hcl", Spec: *mission.Spec()}
	generation.Spec.Instances = math.MaxInt32 // as many declared jobs as are wanted
	for _, block := range generation.Spec.Validators {
		for _, id := range block.Instances {
			key := council.Derive(council.Secret([32]byte{1}, id)).Public().(ed25519.PublicKey)
			generation.Keys = append(generation.Keys, [32]byte(key))
		}
	}
	return s, s.step(&core.Genesis{Mission: benchMission, OwnerKey: [32]byte{1}, Apply: generation})
}

func (s *stepper) step(command core.Command) error {
	began := time.Now()
	in := core.Input{Wall: "2000-01-01T00:00:00.000Z", By: "bench", Command: command}
	events, refusal := s.state.Step(&in)
	s.entry = core.Entry{Seq: s.state.Seq(), Wall: in.Wall, By: in.By, Command: command, Events: events, Refusal: refusal}
	s.line = s.entry.AppendBody(s.line[:0])
	s.busy += time.Since(began)
	if refusal != nil {
		return fmt.Errorf("stepping %s: %w", command.Name(), refusal)
	}
	return nil
}

// life steps one job from its post to its end.
func (s *stepper) life(order *core.Order, judged *core.Judgement) error {
	if err := s.step(order); err != nil {
		return err
	}
	j := s.state.Job(order.Post.ID)
	if j == nil || j.State != core.JobRunning {
		return fmt.Errorf("%s does not run", order.Post.ID)
	}
	return s.finish(j, judged)
}

// finish steps a running job to its end.
func (s *stepper) finish(j *core.Job, judged *core.Judgement) error {
	id, done := j.Spec.ID, s.state.Totals().Finalized
	result := &core.Result{
		Job: id, Attempt: j.Attempt, Lease: j.Lease, Result: []byte("{}"),
		EnergyUsed: core.Unreported, ComputeUsed: core.Unreported, Judged: judged,
	}
	err := s.step(result)
	if judged == nil && err == nil {
		err = s.vote(j)
	}
	if err == nil && s.state.Totals().Finalized != done+1 {
		err = fmt.Errorf("%s was not finalized", id)
	}
	return err
}

// declared steps jobs that the mission file declares, some hundred at a time, to
// their ends.
func (s *stepper) declared(n int, p *poster) error {
	for n > 0 {
		some := min(n, 512)
		n -= some
		expand := &core.Expand{Generation: s.state.Generation(), Next: s.state.Expanded() + int64(some)}
		for range some {
			expand.Jobs = append(expand.Jobs, *p.order().Post)
		}
		if err := s.step(expand); err != nil {
			return err
		}
		for i := range expand.Jobs {
			j := s.state.Job(expand.Jobs[i].ID)
			if j == nil || j.State != core.JobRunning {
				return fmt.Errorf("%s does not run", expand.Jobs[i].ID)
			}
			if err := s.finish(j, &s.approved); err != nil {
				return err
			}
		}
	}
	return nil
}

// vote commits and reveals for every seat. Boxes hold nothing: the core does
// not open them.
func (s *stepper) vote(j *core.Job) error {
	commit := &core.Commit{Job: j.Spec.ID, Round: j.Round.Number}
	reveal := &core.Reveal{Job: j.Spec.ID, Round: j.Round.Number}
	for i := range j.Round.Seats {
		open := core.OpenVote{Seat: int64(i), Vote: council.Approve.String(), Salt: [32]byte{1, byte(i)}}
		commitment, err := s.state.CommitmentOf(j, &open)
		if err != nil {
			return err
		}
		commit.Votes = append(commit.Votes, core.SealedVote{Seat: int64(i), Commitment: commitment, Nonce: [24]byte{1}, Box: sealed})
		reveal.Votes = append(reveal.Votes, open)
	}
	if err := s.step(commit); err != nil {
		return err
	}
	return s.step(reveal)
}

// steps measures what the state machine itself takes of a job life: time in
// Step and in encoding, and all allocations, those of making the commands too.
func steps(b *bench, t *table, k kind) error {
	s, err := newStepper(b.dir, k)
	if err != nil {
		return err
	}
	p := poster{owner: [32]byte{1}}
	judged := &s.approved
	if k.name == "full" {
		judged = nil // by validators
	}
	n := b.some(k.jobs[2], 64)
	s.busy = 0
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		if err := s.life(p.order(), judged); err != nil {
			return err
		}
	}
	runtime.ReadMemStats(&after)
	const part = "a part of the CPU above"
	t.add(k.what+", core alone: step and encode", "µs", lower, microseconds(s.busy)/float64(n), alone(part))
	t.add(k.what+", core alone: allocations", "allocs", lower, float64(after.Mallocs-before.Mallocs)/float64(n), alone(part))
	return nil
}
