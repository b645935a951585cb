package main

import (
	"crypto/ed25519"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	dir, err := os.MkdirTemp(dir, "steps-")
	if err != nil {
		return nil, err
	}
	source, err := fs.ReadFile(missions, k.name+".hcl")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "mission.hcl"), source, 0o644); err != nil {
		return nil, err
	}
	mission, problems := missionfile.Load(dir)
	if problems.HasErrors() {
		return nil, fmt.Errorf("loading the mission: %s", problems[0].Detail)
	}
	s := &stepper{state: core.New(), approved: core.Judgement{Approve: true}}
	generation := core.Generation{Entry: "mission.hcl", Spec: *mission.Spec()}
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
	s.state.Changed(func(*core.Job) {})
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
	result := &core.Result{
		Job: j.Spec.ID, Attempt: j.Attempt, Lease: j.Lease, Result: []byte("{}"),
		EnergyUsed: core.Unreported, ComputeUsed: core.Unreported, Judged: judged,
	}
	err := s.step(result)
	if judged == nil && err == nil {
		err = s.vote(j)
	}
	if err == nil && j.State != core.JobFinalized {
		err = fmt.Errorf("%s ended %s", j.Spec.ID, j.State)
	}
	return err
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
func steps(t *table, dir string, k kind, scale float64) error {
	s, err := newStepper(dir, k)
	if err != nil {
		return err
	}
	p := poster{owner: [32]byte{1}}
	judged := &s.approved
	if k.name == "full" {
		judged = nil
	}
	n := int(scale * k.jobs[2])
	s.busy = 0
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		if err := s.life(p.order(), judged); err != nil {
			return err
		}
	}
	runtime.ReadMemStats(&after)
	t.add(k.what+", core alone: step and encode", "µs", lower, float64(s.busy.Nanoseconds())/1e3/float64(n))
	t.add(k.what+", core alone: allocations", "allocs", lower, float64(after.Mallocs-before.Mallocs)/float64(n))
	return nil
}
