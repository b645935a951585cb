package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
)

// crowdProcesses is how many of the running jobs are real processes.
const crowdProcesses = 8

// emergency measures the owner's emergency stop of the real program while very
// many jobs run: from before the order is signed and written into the control
// stream, as `omega owner emergency-stop` does, until the last real process is
// gone, and until the entry that answers is durable. Every try begins with a
// host that has just taken the same folder up again.
func emergency(b *bench, t *table) error {
	jobs := b.some(100_000, 500)
	dir, err := writeMission(b.dir, "crowd", jobs)
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := b.gather(dir, jobs); err != nil {
		return err
	}
	what := fmt.Sprintf("%s jobs running", count(jobs))
	for range 3 {
		if err := b.onCopy(dir, func(dir string) error { return takeUp(b, t, dir, "recovery with "+what) }); err != nil {
			return err
		}
	}
	var stops []stopped
	for range b.some(30, 2) {
		err := b.onCopy(dir, func(dir string) error {
			s, err := b.stopOnce(dir, jobs)
			stops = append(stops, s)
			return err
		})
		if err != nil {
			return err
		}
	}
	return b.tellStops(t, what, stops)
}

// onCopy does something with a copy of a mission.
func (b *bench) onCopy(dir string, do func(dir string) error) error {
	dir, err := copyMission(b.dir, dir)
	if err != nil {
		return err
	}
	return errors.Join(do(dir), os.RemoveAll(dir))
}

// stopped is one emergency stop, in milliseconds from before the order.
type stopped struct {
	killed   float64 // the last process is gone
	answered float64 // the answer is durable
	bare     float64 // the peer: as many processes killed by hand
}

func (b *bench) tellStops(t *table, what string, stops []stopped) error {
	disk, err := rawLatencies(b.dir, len(stops), 300)
	if err != nil {
		return err
	}
	second, err := rawLatencies(b.dir, len(stops), 300)
	if err != nil {
		return err
	}
	for i := range disk {
		disk[i] += second[i]
	}
	var killed, answered, bare []float64
	for _, s := range stops {
		killed, answered, bare = append(killed, s.killed), append(answered, s.answered), append(bare, s.bare)
	}
	for _, q := range quantiles {
		name := fmt.Sprintf("emergency stop, %s, %s of %d: ", what, q.name, len(stops))
		t.add(name+"work has ended", "ms", lower, quantile(killed, q.part), against(fmt.Sprintf("SIGKILL of %d processes", crowdProcesses), quantile(bare, q.part)))
		t.add(name+"answer is durable", "ms", lower, quantile(answered, q.part), against("twice append+fdatasync: order and answer", quantile(disk, q.part)))
	}
	return nil
}

// gather runs a host until all jobs run, and has it leave in order.
func (b *bench) gather(dir string, jobs int) error {
	h, err := b.serve(dir)
	if err != nil {
		return err
	}
	if err := h.running(jobs + crowdProcesses); err != nil {
		return errors.Join(err, h.kill())
	}
	return h.leave()
}

// stopOnce takes a folder up and gives the order once everything runs.
func (b *bench) stopOnce(dir string, jobs int) (s stopped, err error) {
	h, err := b.serve(dir)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, h.kill()) }()
	if err := h.running(jobs + crowdProcesses); err != nil {
		return s, err
	}
	if s, err = h.emergencyStop(); err != nil {
		return s, err
	}
	s.bare, err = b.killByHand()
	return s, err
}

// served is the real program with a mission.
type served struct {
	b    *bench
	data string
	cmd  *exec.Cmd
	said strings.Builder
	gone chan struct{}
}

func (b *bench) serve(dir string) (*served, error) {
	h := &served{b: b, data: dataOf(dir), gone: make(chan struct{})}
	h.cmd = b.command(b.omega, "run", "--json", "--data", h.data, dir)
	h.cmd.Stderr = &h.said
	if err := h.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = h.cmd.Wait()
		close(h.gone)
	}()
	return h, nil
}

func (h *served) kill() error {
	_ = h.cmd.Process.Kill() // an error says that it has ended
	<-h.gone
	return nil
}

func (h *served) leave() error {
	if err := h.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	<-h.gone
	if !h.cmd.ProcessState.Exited() {
		return fmt.Errorf("the host did not leave in order: %s: %s", h.cmd.ProcessState, h.said.String())
	}
	return nil
}

// runningWithin is how long a crowd may take to come together.
const runningWithin = 2 * time.Minute

// running waits until so many jobs run as the artifacts say, the processes are
// there, and nothing is being written any more.
func (h *served) running(jobs int) error {
	late, last, quiet := time.Now().Add(runningWithin), uint64(0), 0
	for {
		select {
		case <-h.gone:
			return fmt.Errorf("the host has ended: %s", h.said.String())
		case <-time.After(50 * time.Millisecond):
		}
		now := host.LastDurable(h.data)
		if now != last || h.counted() != jobs || len(h.processes()) != crowdProcesses {
			last, quiet = now, 0
		} else if quiet++; quiet == 4 {
			return nil
		}
		if time.Now().After(late) {
			return fmt.Errorf("after %v %d jobs of %d run, in %d processes", runningWithin, h.counted(), jobs, len(h.processes()))
		}
	}
}

// counted is how many jobs run, as the artifacts say.
func (h *served) counted() int {
	b, err := os.ReadFile(filepath.Join(h.data, "status", "telemetry.json"))
	if err != nil {
		return 0
	}
	var told struct {
		Jobs struct{ Running int }
	}
	if json.Unmarshal(b, &told) != nil {
		return 0
	}
	return told.Jobs.Running
}

// processes are those that do the work: the children of the children that watch
// them.
func (h *served) processes() (pids []int) {
	parents := map[int]int{}
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range all {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		parents[pid], _ = strconv.Atoi(strings.Fields(rest)[1])
	}
	for pid, parent := range parents {
		if parents[parent] == h.cmd.Process.Pid {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids
}

// emergencyStop gives the order and times what follows.
func (h *served) emergencyStop() (s stopped, err error) {
	mission, err := host.Identity(h.data)
	if err != nil {
		return s, err
	}
	key, err := host.OwnerKey(false)
	if err != nil {
		return s, err
	}
	gone, err := watchExits(h.processes())
	if err != nil {
		return s, err
	}
	view, err := journal.Read(journal.Options{Dir: filepath.Join(h.data, "journal")})
	if err != nil {
		return s, err
	}
	before := host.LastDurable(h.data)
	began := time.Now()
	id, err := sendStop(h.data, mission, key)
	if err != nil {
		return s, err
	}
	durable := h.watchDurable(began, before)
	if s.killed, err = gone(began); err != nil {
		return s, err
	}
	answer, err := answered(h.b.ctx, view, id, before)
	if err != nil {
		return s, err
	}
	s.answered, err = durable(answer)
	return s, err
}

func sendStop(data string, mission core.MissionCreated, key ed25519.PrivateKey) (id string, err error) {
	return host.SendOrder(data, mission.Mission, key, &host.Order{Name: core.EmergencyStop})
}

// stopWithin is how long a stop may take before the measurement gives up.
const stopWithin = time.Minute

// watchDurable notes when the journal says that more is durable; what it
// returns waits until an entry is and says when that was.
func (h *served) watchDurable(began time.Time, before uint64) func(seq uint64) (ms float64, err error) {
	type step struct {
		seq uint64
		at  time.Duration
	}
	steps := make(chan step, 1<<16)
	done := make(chan struct{})
	go func() {
		last := before
		for {
			if now := host.LastDurable(h.data); now > last {
				last = now
				steps <- step{now, time.Since(began)}
			}
			select {
			case <-done:
				return
			case <-time.After(20 * time.Microsecond):
			}
		}
	}()
	return func(seq uint64) (float64, error) {
		defer close(done)
		late := time.After(stopWithin)
		for {
			select {
			case s := <-steps:
				if s.seq >= seq {
					return milliseconds(s.at), nil
				}
			case <-late:
				return 0, errors.New("the answer did not become durable")
			}
		}
	}
}

// answered finds the entry that answers an order, and that it was obeyed.
func answered(ctx context.Context, view *journal.View, id string, before uint64) (seq uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, stopWithin)
	defer cancel()
	cursor := view.Follow(before + 1)
	defer cursor.Close()
	for {
		line, err := cursor.Next(ctx)
		if err != nil {
			return 0, fmt.Errorf("waiting for the answer: %w", err)
		}
		entry, err := core.ParseEntry(line.Bytes)
		if err != nil {
			return 0, err
		}
		for _, event := range entry.Events {
			if taken, ok := event.(*core.OrderTaken); ok && taken.ID == id {
				if taken.Refusal != "" {
					return 0, fmt.Errorf("the emergency stop was refused: %s", taken.Refusal)
				}
				return line.Seq, nil
			}
		}
	}
}

// watchExits holds processes; what it returns waits until all are gone and says
// when the last one was.
func watchExits(pids []int) (func(began time.Time) (ms float64, err error), error) {
	var fds []unix.PollFd
	for _, pid := range pids {
		fd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			return nil, fmt.Errorf("watching process %d: %w", pid, err)
		}
		fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	return func(began time.Time) (float64, error) {
		defer func() {
			for _, fd := range fds {
				_ = unix.Close(int(fd.Fd))
			}
		}()
		for i := range fds {
			n, err := unix.Poll(fds[i:i+1], int(stopWithin.Milliseconds()))
			for err == unix.EINTR {
				n, err = unix.Poll(fds[i:i+1], int(stopWithin.Milliseconds()))
			}
			if err != nil || n == 0 {
				return 0, errors.Join(err, errors.New("a process outlived the emergency stop"))
			}
		}
		return milliseconds(time.Since(began)), nil
	}, nil
}

// killByHand starts as many processes as a crowd has, kills them and waits for
// the last.
func (b *bench) killByHand() (ms float64, err error) {
	var all []*exec.Cmd
	var pids []int
	for range crowdProcesses {
		cmd := b.command("sleep", "100000")
		if err := cmd.Start(); err != nil {
			return 0, err
		}
		all, pids = append(all, cmd), append(pids, cmd.Process.Pid)
	}
	gone, err := watchExits(pids)
	if err == nil {
		began := time.Now()
		for _, cmd := range all {
			err = errors.Join(err, cmd.Process.Kill())
		}
		if err == nil {
			ms, err = gone(began)
		}
	}
	for _, cmd := range all {
		_ = cmd.Process.Kill() // where the watching failed
		_ = cmd.Wait()
	}
	return ms, err
}

// copyMission is a copy of a mission's folder without its artifacts, so that
// they tell of the new host alone.
func copyMission(to, from string) (string, error) {
	to, err := os.MkdirTemp(to, "try-")
	if err != nil {
		return "", err
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return "", fmt.Errorf("copying a mission: %w", err)
	}
	if err := os.RemoveAll(filepath.Join(dataOf(to), "status")); err != nil {
		return "", err
	}
	return to, ownAgain(dataOf(to), dataOf(from))
}

// ownAgain gives a copied folder the modes it had: keys are only read where
// nobody else can.
func ownAgain(to, from string) error {
	return filepath.WalkDir(to, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(to, path)
		if err != nil {
			return err
		}
		info, err := os.Lstat(filepath.Join(from, name))
		if err != nil {
			return err
		}
		return os.Chmod(path, info.Mode().Perm())
	})
}
