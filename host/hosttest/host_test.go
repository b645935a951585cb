package hosttest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
	"github.com/omega-run/omega/host/worker"
)

// settleWriter brings the journal's writer to rest: it waits at the gate with a
// batch, or has nothing to do, or has failed.
func (w *world) settleWriter() {
	j := w.host.Journal()
	for {
		changed := j.Changed()
		head, _ := j.Head()
		if j.Err() != nil || j.Durable() == head || w.disk.waiting() {
			return
		}
		select {
		case <-changed:
		case <-w.disk.came:
		}
	}
}

// pump lets the writer make one batch durable.
func (w *world) pump() {
	if w.disk.waiting() {
		w.disk.let(true)
		w.settleWriter()
		w.did["batches"]++
	}
	w.acked = max(w.acked, w.host.Journal().Durable())
}

// open starts a host on what the last one left, until one starts.
func (w *world) open(faults bool) {
	w.faults = faults
	for tries := 0; w.host == nil; tries++ {
		w.must(tries < 100, "no host starts")
		w.disk = newDisk(w.mem)
		if faults && chance(w.r, 25) {
			w.disk.arm(w.r, 60)
		}
		w.tryOpen()
	}
}

func (w *world) tryOpen() {
	if w.recover(); len(w.lines) == 0 && w.mission == nil {
		w.mission, _ = w.plan.compile()
	}
	if _, _, ok, _ := w.checkpoint(); ok {
		w.did["started with a checkpoint"]++
	}
	segment := pick(w.r, int64(6<<10), 20<<10, 1<<20)
	secret := w.secret
	if w.loses && w.faults && len(w.lines) > 0 && chance(w.r, 30) {
		secret[0] ^= 1 // the file is lost, and another is made
		w.did["secrets lost"]++
	}
	h, err := host.OpenManual(host.ManualConfig{
		Journal: journal.Options{FS: w.disk, Mission: missionID, SegmentBytes: segment, FillBytes: 2 << 10},
		Data:    data, Key: w.key, Secret: secret, Owner: w.owner, Now: func() time.Time { return w.wall },
		Exec: w.exec, Begin: w.begin, Follow: w.follow, Scripts: author{w.seed},
	})
	if err != nil {
		w.must(w.excuse(err), "the host does not start: %v", err)
		w.did["starts that failed"]++
		w.mem, _ = w.disk.end(w.r)
		return
	}
	w.host = h
	found := h.Found()
	w.must(found.Seq == uint64(len(w.lines)), "recovery found %d entries, the disk holds %d good ones: %+v", found.Seq, len(w.lines), found.Torn)
	if found.Torn != nil {
		w.did["torn tails"]++
	}
	if found.Rewritten {
		w.did["rewritten segments"]++
	}
	w.acked = max(w.acked, found.Seq) // recovery has made it durable
	w.did["starts"]++
	w.disk.gate(chance(w.r, 70))
	w.ended = h.State().Status() == core.Ended
	err = h.TakeUp(w.mission, w.control)
	if errors.Is(err, host.ErrFileLost) {
		w.must(len(w.book.order) == 0, "a file is lost that has posted jobs")
		w.plan, w.did["files put back"] = w.first, w.did["files put back"]+1
		w.mission, _ = w.plan.compile()
		w.die()
		return
	}
	if err != nil || w.failed() {
		w.must(w.excuse(err), "the host cannot take the mission up: %v", err)
		w.die()
		return
	}
	for _, o := range w.control {
		w.must(w.ended || w.book.orders[fmt.Sprintf("%s %x", o.ID, o.Body)], "the order %s, given while no host ran, has no answer", o.ID)
	}
}

// recover holds what the last process left against what was promised.
func (w *world) recover() {
	names, _ := w.mem.ReadDir(data + "/journal")
	var segments [][]byte
	for _, name := range names {
		if strings.HasSuffix(name, ".jsonl") {
			segments = append(segments, w.mem.ReadFile(data+"/journal/"+name))
		}
	}
	left := goodLines(segments)
	w.must(uint64(len(left)) >= w.acked, "%d entries are left of %d that were durable", len(left), w.acked)
	w.must(len(left) <= len(w.lines), "%d entries are left of %d that were written", len(left), len(w.lines))
	w.did["entries lost"] += len(w.lines) - len(left)
	w.lines = w.lines[:len(left)]
	w.must(slices.EqualFunc(left, w.lines, func(a, b []byte) bool { return string(a) == string(b) }), "an entry is not what it was")
	if w.book.seq != uint64(len(left)) || w.book.broken != nil || chance(w.r, 10) {
		w.book, w.mirror = newBook(), core.New()
		clear(w.chunks)
		for _, line := range w.lines {
			w.read(line)
		}
	}
	w.renewTwin()
}

func (w *world) checkpoint() (journal.Checkpoint, [][]byte, bool, error) {
	store, err := journal.OpenCheckpoints(w.mem, data+"/checkpoint")
	if err != nil {
		return journal.Checkpoint{}, nil, false, err
	}
	return store.Load()
}

// excuse reports whether an error is one the seed wanted.
func (w *world) excuse(err error) bool {
	var damage *journal.CorruptionError
	return err == nil || !errors.As(err, &damage) && (errors.Is(err, errDisk) || errors.Is(err, journal.ErrDown))
}

// failed reports whether the host has to end.
func (w *world) failed() bool {
	return w.host.Journal().Err() != nil || w.disk.after != nil
}

// die ends the process as it stands. What it held must be what replay gives.
func (w *world) die() {
	w.acked = max(w.acked, w.host.Journal().Durable())
	w.sameState()
	var how string
	if w.mem, how = w.disk.end(w.r); how == "power" {
		w.did["power cuts"]++
	} else {
		w.did["ended "+how]++
	}
	w.disk.gate(false)
	_ = w.host.Close()
	w.host, w.attempts, w.unruled = nil, nil, nil
	w.trace("-- the host dies: %s; %d of %d durable", how, w.acked, len(w.lines))
}

// sameState holds the state that lived against the replayed one. Nobody seals
// it after that.
func (w *world) sameState() {
	if ahead := uint64(w.host.State().Seq()) - uint64(len(w.lines)); ahead > 0 {
		w.must(ahead == 1 && w.host.Journal().Err() != nil, "the state is %d entries ahead of its journal", ahead)
		return // the host dies of the entry it could not record
	}
	if len(w.lines) > 0 {
		lived := map[core.Digest][]byte{}
		live, sums := w.host.State().Seal(func(c core.Chunk) { lived[c.Digest] = c.Bytes })
		if want, chunks := w.seal(); live != want {
			for i, sum := range sums {
				w.must(lived[sum] == nil || i < len(chunks) && string(lived[sum]) == string(chunks[i]), "entry %d: chunk %d of the state that lived is not among those that are replayed:\n%s\n%s", len(w.lines), i, lived[sum], chunks[min(i, len(chunks)-1)])
			}
			w.fail("entry %d: the state that lived did not seal all that has changed", len(w.lines))
		}
	}
}

// leave ends the host in order.
func (w *world) leave(reason string) {
	w.disk.gate(false)
	w.settleWriter()
	if w.ended {
		err := w.host.Close()
		w.must(w.excuse(err), "the journal of an ended mission cannot be closed: %v", err)
		w.host = nil
		w.mem, _ = w.disk.end(w.r)
		return
	}
	err := w.host.Leave(reason)
	w.acked = max(w.acked, w.host.Journal().Durable())
	if err == nil {
		err = w.host.Save()
	}
	w.sameState()
	if closed := w.host.Close(); err == nil {
		err = closed
	}
	w.must(w.excuse(err), "the host cannot leave: %v", err)
	if err == nil {
		w.must(w.acked == uint64(len(w.lines)), "the host has left with %d of %d entries durable", w.acked, len(w.lines))
		w.did["left in order"]++
	}
	w.host, w.attempts, w.unruled = nil, nil, nil
	w.mem, _ = w.disk.end(w.r)
	w.trace("-- the host leaves")
}

// turn lets the loop go on until it rests.
func (w *world) turn() {
	for range 10_000 {
		more, err := w.host.Turn()
		w.must(w.excuse(err), "the loop ends: %v", err)
		if err != nil || w.failed() {
			w.die()
			return
		}
		if !more {
			return
		}
	}
	w.fail("the loop does not come to rest")
}

// save brings checkpoints to the disk.
func (w *world) save() {
	err := w.host.Save()
	w.must(w.excuse(err), "a checkpoint is lost: %v", err)
	if err == nil {
		w.did["checkpoints"]++
	} else if w.failed() {
		w.die()
	}
}

// begin is told of work that the host wants done.
func (w *world) begin(work core.Work, cause uint64, run func()) {
	does := "ok"
	switch roll := w.r.IntN(100); {
	case roll < 15:
		does = "wrong"
	case roll < 30:
		does = "fail"
	case roll < 40:
		does = "hang"
	case roll < 50:
		does = "late"
	case roll < 70 || w.plan.families && roll < 92:
		does = "delegate"
	}
	if w.always != "" {
		does = w.always
	}
	a := &attempt{job: work.Job.Spec.ID, number: work.Attempt, lease: work.Lease, cause: cause, run: run, does: does}
	w.attempts, w.old = append(w.attempts, a), append(w.old, *a)
}

// answerable are the attempts that may have had their effect: what caused them
// is durable.
func (w *world) answerable() (all []*attempt) {
	for _, a := range w.attempts {
		if a.cause <= w.acked {
			all = append(all, a)
		}
	}
	return all
}

// finish lets an attempt end.
func (w *world) finish(a *attempt) {
	w.attempts = slices.DeleteFunc(w.attempts, func(o *attempt) bool { return o == a })
	w.current = a
	a.run()
}

// exec is the program of every worker.
func (w *world) exec(_ context.Context, t worker.Task) worker.Reply {
	if t.Raw {
		return w.verdict()
	}
	a := w.current
	w.must(a.job == t.Job && int(a.number) == t.Attempt, "attempt %s/%d runs as %s/%d", a.job, a.number, t.Job, t.Attempt)
	switch a.does {
	case "fail", "hang":
		return worker.Reply{Fault: pick(w.r, worker.FaultExit, worker.FaultBadJSON, worker.FaultTimeout), Detail: "as the seed wants"}
	case "delegate":
		if children := w.children(a.job); children != nil {
			w.did["delegations asked for"]++
			return worker.Reply{Children: children, EnergyUsed: w.usage(), ComputeUsed: w.usage()}
		}
	case "wrong":
		return worker.Reply{Result: []byte(worker.WrongResult)}
	}
	return worker.Reply{Result: w.result(), EnergyUsed: w.usage(), ComputeUsed: w.usage()}
}

func (w *world) result() []byte {
	return []byte(pick(w.r, `{}`, `{"x":1}`, `{"x":9}`, `{"x":3.5,"y":[null,"é"]}`, `7`))
}

func (w *world) usage() string { return pick(w.r, "", "0", "0.000001", "12.5", "333.333333", "999999") }
