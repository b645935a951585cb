package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/omega-run/omega/host"
)

// eventsOfJob is how many events the life of a declared simple job has.
const eventsOfJob = 9

// recovery measures how long a host needs until it has its state back, with the
// checkpoint it left behind and without one, beside SHA-256 over the same bytes:
// nothing that trusts no disk can be faster than that.
func recovery(b *bench, t *table) error {
	jobs := b.some(1_000_000/eventsOfJob, 1000)
	dir, err := aged(b.dir, jobs-1) // and the one that keeps the mission open
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	last := host.LastDurable(dataOf(dir))
	name := fmt.Sprintf("recovery of %s events (%s jobs in %s entries)", count(jobs*eventsOfJob), count(jobs), count(int(last)))
	for range 3 {
		if err := takeUp(b, t, dir, name+", with a checkpoint"); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(filepath.Join(dataOf(dir), "checkpoint")); err != nil {
		return err
	}
	return takeUp(b, t, dir, name+", without")
}

// takeUp measures one start.
func takeUp(b *bench, t *table, dir, name string) error {
	s, err := b.inChild(dir)
	if err != nil {
		return err
	}
	bare, err := bareHash(dir)
	if err != nil {
		return err
	}
	p := against("SHA-256 of the journal's bytes", bare)
	t.add(name, "s", lower, s.Recovered, p)
	t.add(name+", to the first answer", "s", lower, s.Answered, p)
	return nil
}

// aged runs a live mission to its last declared job and leaves it open, in
// order: with a checkpoint.
func aged(dir string, jobs int) (string, error) {
	dir, err := writeMission(dir, "aged", jobs)
	if err != nil {
		return "", err
	}
	p, err := openIn(dir)
	if err != nil {
		return "", err
	}
	for done := 0; done < jobs; {
		n, err := p.ended(context.Background())
		if err != nil {
			return "", err
		}
		done += n
	}
	return dir, p.close()
}

// bareHash reads and hashes the journal in a data folder, in seconds.
func bareHash(dir string) (float64, error) {
	segments, err := filepath.Glob(filepath.Join(dataOf(dir), "journal", "*.jsonl"))
	if err != nil {
		return 0, err
	}
	began := time.Now()
	for _, path := range segments {
		f, err := os.Open(path)
		if err != nil {
			return 0, err
		}
		_, err = io.Copy(sha256.New(), f)
		if err := errors.Join(err, f.Close()); err != nil {
			return 0, err
		}
	}
	return time.Since(began).Seconds(), nil
}

// started is how long a host took, in seconds since its process asked for it:
// to have the state, and to have answered a first order durably.
type started struct{ Recovered, Answered float64 }

// startFlag makes this program a host that starts, tells how long it took, and
// is gone at once, as if it had been killed: the measurement is repeated on the
// same folder, and leaving in order would change it.
const startFlag = "-start-host"

func startHost(dir string) error {
	began := time.Now()
	p, err := openIn(dir)
	if err != nil {
		return err
	}
	s := started{Recovered: time.Since(began).Seconds()}
	order := p.order()
	order.ID = fmt.Sprintf("start-%d", began.UnixNano())
	order.Counter, order.Post.ID = began.UnixMilli(), ""
	receipt, err := p.session.Submit(context.Background(), "owner", order)
	if err == nil {
		err = acknowledged(context.Background(), receipt)
	}
	if err != nil {
		return err
	}
	s.Answered = time.Since(began).Seconds()
	return json.NewEncoder(os.Stdout).Encode(s)
}

// inChild starts a host in a process of its own.
func (b *bench) inChild(dir string) (s started, err error) {
	self, err := os.Executable()
	if err != nil {
		return s, err
	}
	out, err := b.command(self, startFlag, dir).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return s, fmt.Errorf("starting a host again: %w", err)
	}
	return s, json.Unmarshal(out, &s)
}
