package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver
)

// How PostgreSQL is given transfers.
const (
	oneClient      = "1 client"
	sixteenClients = "16 clients"
	thousandEach   = "1,000 a transaction"
	hotAccount     = "16 clients, one hot account"
)

// postgresTransfers is transfers a second, each way.
func (b *bench) postgresTransfers() (map[string]peer, error) {
	peers := map[string]peer{}
	for _, way := range []string{oneClient, sixteenClients, hotAccount, thousandEach} {
		peers[way] = alone(b.missing)
	}
	if b.missing != "" {
		return peers, nil
	}
	err := b.postgres.with(b.ctx, func(db *database) error {
		for _, way := range []struct {
			name       string
			n, clients int
			between    pick
		}{{oneClient, 1500, 1, spread}, {sixteenClients, 3000, 16, spread}, {hotAccount, 1500, 16, hot}} {
			rate, err := db.transferRate(b.ctx, b.some(way.n, 32), way.clients, way.between)
			if err != nil {
				return err
			}
			peers[way.name] = against("PostgreSQL function, "+way.name, rate)
		}
		rate, err := db.batchRate(b.ctx, b.some(15, 1))
		peers[thousandEach] = against("PostgreSQL function, "+thousandEach, rate)
		return err
	})
	return peers, err
}

// transferRate has clients call the function, one transfer a transaction.
func (db *database) transferRate(ctx context.Context, n, clients int, between pick) (float64, error) {
	if _, err := db.pool.Exec(ctx, "truncate transfer"); err != nil {
		return 0, err
	}
	one := func(i int) error {
		debit, credit := between(i)
		_, err := db.pool.Exec(ctx, "select transfer($1, $2, $3, 1)", i, debit, credit)
		return err
	}
	warm := 4 * clients
	if err := each(warm, clients, func(i int) error { return one(n + i) }); err != nil {
		return 0, err
	}
	began := time.Now()
	err := each(n, clients, one)
	return float64(n) / time.Since(began).Seconds(), err
}

// batchRate has one client call the function that makes a thousand transfers in
// one transaction.
func (db *database) batchRate(ctx context.Context, batches int) (float64, error) {
	const size = 1000
	if _, err := db.pool.Exec(ctx, "truncate transfer"); err != nil {
		return 0, err
	}
	var began time.Time
	for batch := range batches + 1 { // the first one warms up
		if batch == 1 {
			began = time.Now()
		}
		froms, tos := make([]int, size), make([]int, size)
		for i := range froms {
			froms[i], tos[i] = spread(batch*size + i)
		}
		if _, err := db.pool.Exec(ctx, "select transfers($1, $2, $3)", batch*size, froms, tos); err != nil {
			return 0, err
		}
	}
	return float64(batches*size) / time.Since(began).Seconds(), nil
}

// sqliteRate is transfers a second in SQLite, so many a transaction, from the
// one writer it allows.
func sqliteRate(ctx context.Context, dir string, n, each int) (rate float64, err error) {
	dir, err = os.MkdirTemp(dir, "sqlite-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "bank.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return 0, err
	}
	db.SetMaxOpenConns(1)
	rate, err = sqliteTransfers(ctx, db, n/each, each)
	return rate, errors.Join(err, db.Close())
}

const sqliteBank = `
create table account (id integer primary key, balance integer not null check (balance >= 0));
create table transfer (id integer primary key, debit integer not null, credit integer not null, amount integer not null check (amount > 0));
with recursive n(i) as (select 0 union all select i + 1 from n where i + 1 < 10000) insert into account select i, 1000000000000 from n;
`

func sqliteTransfers(ctx context.Context, db *sql.DB, batches, each int) (float64, error) {
	if _, err := db.ExecContext(ctx, sqliteBank); err != nil {
		return 0, fmt.Errorf("making the SQLite bank: %w", err)
	}
	var statements [3]*sql.Stmt
	for i, text := range []string{
		"update account set balance = balance - 1 where id = ?", "update account set balance = balance + 1 where id = ?",
		"insert into transfer values (?, ?, ?, 1)",
	} {
		s, err := db.PrepareContext(ctx, text)
		if err != nil {
			return 0, err
		}
		defer s.Close()
		statements[i] = s
	}
	began := time.Now()
	for batch := range batches {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return 0, err
		}
		debit, credit, insert := tx.StmtContext(ctx, statements[0]), tx.StmtContext(ctx, statements[1]), tx.StmtContext(ctx, statements[2])
		for i := batch * each; i < (batch+1)*each && err == nil; i++ {
			from, to := spread(i)
			_, err1 := debit.ExecContext(ctx, from)
			_, err2 := credit.ExecContext(ctx, to)
			_, err3 := insert.ExecContext(ctx, i, from, to)
			err = errors.Join(err1, err2, err3)
		}
		if err != nil {
			return 0, errors.Join(err, tx.Rollback())
		}
		if err := tx.Commit(); err != nil {
			return 0, err
		}
	}
	return float64(batches*each) / time.Since(began).Seconds(), nil
}
