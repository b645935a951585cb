package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// nothing is a River job that does nothing.
type nothing struct{}

// Kind is its name in the database.
func (nothing) Kind() string { return "nothing" }

type idler struct {
	river.WorkerDefaults[nothing]
}

// Work does it.
func (*idler) Work(context.Context, *river.Job[nothing]) error { return nil }

// How many jobs River may work at the same time, and how often it may look for
// more: as often as it allows.
const (
	riverWorkers = 1000
	riverFetch   = river.FetchCooldownMin
	riverWarm    = 64 // jobs before the clock starts
)

// riverPeers is River's rate beside so many outstanding jobs of Omega. Up to 256
// it is so many clients, each inserting one job after the other, none waiting
// for its end; beyond it is a backlog that is there before the clock starts,
// which is the most it can do.
func (b *bench) riverPeers() (map[int]peer, error) {
	peers := map[int]peer{}
	if b.missing != "" {
		for _, outstanding := range outstandings {
			peers[outstanding] = alone(b.missing)
		}
		return peers, nil
	}
	err := b.postgres.with(b.ctx, func(db *database) error {
		for n, jobs := range map[int]int{1: 1000, 16: 2000, 256: 4000} {
			rate, _, err := db.riverRun(b.ctx, b.some(jobs, 50), n)
			if err != nil {
				return err
			}
			peers[n] = against("River, insert + work + complete, "+clients(n), rate)
		}
		rate, err := db.riverBacklog(b.ctx, b.some(20_000, 100))
		peers[4096] = against(fmt.Sprintf("River, %s workers, backlog inserted before", count(riverWorkers)), rate)
		return err
	})
	return peers, err
}

func clients(n int) string {
	if n == 1 {
		return "1 client"
	}
	return strconv.Itoa(n) + " clients"
}

// riverCost is the CPU of one River job in µs, of clients, workers and server.
func (b *bench) riverCost() (p peer, err error) {
	if b.missing != "" {
		return alone(b.missing), nil
	}
	err = b.postgres.with(b.ctx, func(db *database) error {
		_, cpu, err := db.riverRun(b.ctx, b.some(4000, 50), costOutstanding)
		p = against(fmt.Sprintf("River's simple job, %d clients, and PostgreSQL", costOutstanding), cpu)
		return err
	})
	return p, err
}

// riverRun inserts jobs from so many clients while they are being worked, and
// returns how many a second were inserted, worked and completed, and the CPU of
// each in µs.
func (db *database) riverRun(ctx context.Context, jobs, clients int) (rate, cpu float64, err error) {
	client, completed, err := db.riverClient(ctx, jobs)
	if err != nil {
		return 0, 0, err
	}
	if err := client.Start(ctx); err != nil {
		return 0, 0, err
	}
	work := func(jobs int) error {
		err := each(jobs, clients, func(int) error {
			_, err := client.Insert(ctx, nothing{}, nil)
			return err
		})
		if err != nil {
			return err
		}
		return await(completed, jobs)
	}
	err = work(riverWarm)
	before, cpuErr := db.allCPU()
	began := time.Now()
	if err == nil && cpuErr == nil {
		err = work(jobs)
	}
	took := time.Since(began)
	after, laterErr := db.allCPU()
	err = errors.Join(err, cpuErr, laterErr, client.Stop(ctx))
	return float64(jobs) / took.Seconds(), microseconds(after-before) / float64(jobs), err
}

// riverBacklog has River work jobs that were all inserted before it started.
func (db *database) riverBacklog(ctx context.Context, jobs int) (rate float64, err error) {
	client, completed, err := db.riverClient(ctx, jobs)
	if err != nil {
		return 0, err
	}
	batch := make([]river.InsertManyParams, jobs)
	for i := range batch {
		batch[i].Args = nothing{}
	}
	if _, err := client.InsertManyFast(ctx, batch); err != nil {
		return 0, err
	}
	began := time.Now()
	if err := client.Start(ctx); err != nil {
		return 0, err
	}
	err = await(completed, jobs)
	took := time.Since(began)
	return float64(jobs) / took.Seconds(), errors.Join(err, client.Stop(ctx))
}

// riverClient is a client and its workers over an empty queue, and the jobs
// that are completed.
func (db *database) riverClient(ctx context.Context, jobs int) (*river.Client[pgx.Tx], <-chan *river.Event, error) {
	if _, err := db.pool.Exec(ctx, "truncate river_job"); err != nil {
		return nil, nil, err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &idler{})
	client, err := river.NewClient(riverpgxv5.New(db.pool), &river.Config{
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: riverWorkers}}, Workers: workers,
		FetchCooldown: riverFetch, FetchPollInterval: riverFetch, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, nil, err
	}
	completed, _ := client.SubscribeConfig(&river.SubscribeConfig{ChanSize: jobs + riverWarm, Kinds: []river.EventKind{river.EventKindJobCompleted}})
	return client, completed, nil
}

func await(completed <-chan *river.Event, jobs int) error {
	late := time.After(2 * time.Minute)
	for n := range jobs {
		select {
		case <-completed:
		case <-late:
			return fmt.Errorf("River completed %d of %d jobs in two minutes", n, jobs)
		}
	}
	return nil
}

// allCPU is what this process and the server have used so far.
func (db *database) allCPU() (time.Duration, error) {
	server, err := db.cpu()
	return used().cpu + server, err
}

// each does n things from so many clients at the same time.
func each(n, clients int, do func(i int) error) error {
	var next atomic.Int64
	var all sync.WaitGroup
	failed := make(chan error, clients)
	for range clients {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				if err := do(int(i)); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	all.Wait()
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}
