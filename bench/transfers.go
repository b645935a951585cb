package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/omega-run/omega/host/journal"
	"github.com/omega-run/omega/host/ledger"
)

// bankAccounts is how many accounts every bank here has.
const bankAccounts = 10_000

// pick says between which accounts the i-th transfer goes.
type pick func(i int) (debit, credit int)

// spread goes between all accounts; hot in or out of the first.
func spread(i int) (debit, credit int) {
	debit = i * 7919 % bankAccounts
	credit = (i*104_729 + 1) % bankAccounts
	if debit == credit {
		credit = (credit + 1) % bankAccounts
	}
	return debit, credit
}

func hot(i int) (debit, credit int) {
	other := 1 + i%(bankAccounts-1)
	if i%2 == 0 {
		return 0, other
	}
	return other, 0
}

// transfers measures durable double-entry transfers with names of their own,
// each applied at most once, beside a function in PostgreSQL and SQLite.
func transfers(b *bench, t *table) error {
	rates := map[int]float64{}
	for i, outstanding := range outstandings {
		rate, err := ledgerRate(b.dir, b.some([]int{2000, 30_000, 150_000, 300_000}[i], 2*outstanding), outstanding, spread)
		if err != nil {
			return err
		}
		rates[outstanding] = rate
	}
	hotRate, err := ledgerRate(b.dir, b.some(150_000, 2*costOutstanding), costOutstanding, hot)
	if err != nil {
		return err
	}
	postgres, err := b.postgresTransfers()
	if err != nil {
		return err
	}
	add := func(outstanding int, with string, rate float64, p peer) {
		t.add(fmt.Sprintf("transfers, %d outstanding%s", outstanding, with), "transfers/s", higher, rate, p)
	}
	add(1, "", rates[1], postgres[oneClient])
	add(16, "", rates[16], postgres[sixteenClients])
	add(256, "", rates[256], postgres[sixteenClients])
	add(4096, "", rates[4096], postgres[thousandEach])
	add(costOutstanding, ", one hot account", hotRate, postgres[hotAccount])
	add(costOutstanding, ", hot beside spread", hotRate, against("Omega, spread over "+count(bankAccounts)+" accounts", rates[costOutstanding]))
	for _, way := range []struct{ outstanding, n, each int }{{1, 1000, 1}, {4096, 50_000, 1000}} {
		rate, err := sqliteRate(b.ctx, b.dir, b.some(way.n, way.each), way.each)
		if err != nil {
			return err
		}
		add(way.outstanding, ", and SQLite", rates[way.outstanding], against("SQLite, WAL, synchronous=FULL, "+count(way.each)+" a transaction", rate))
	}
	return nil
}

// ledgerRate is client transfers through the ledger and the journal: applied
// once under its name, recorded as an entry with names of accounts, amount and
// id, durable; with so many between the call and the disk. No loop and no
// signature is in it.
func ledgerRate(dir string, n, outstanding int, between pick) (float64, error) {
	dir, err := os.MkdirTemp(dir, "transfers-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	j, _, err := journal.Open(journal.Options{Dir: dir, Mission: benchMission})
	if err != nil {
		return 0, err
	}
	bank := newBank()
	began := time.Now()
	for i := range n {
		seq, err := bank.transfer(j, i, between)
		if err == nil && seq >= uint64(outstanding) {
			err = j.WaitDurable(context.Background(), seq-uint64(outstanding)+1)
		}
		if err != nil {
			return 0, err
		}
	}
	seq, _ := j.Head()
	if err := j.WaitDurable(context.Background(), seq); err != nil {
		return 0, err
	}
	rate := float64(n) / time.Since(began).Seconds()
	return rate, errors.Join(bank.ledger.Audit(), j.Close())
}

// bank is a ledger whose accounts have money.
type bank struct {
	ledger   *ledger.Ledger
	accounts [bankAccounts]ledger.Account
	names    [bankAccounts]string
}

func newBank() *bank {
	b := &bank{ledger: ledger.New()}
	minted := b.ledger.Open(ledger.Name{Kind: ledger.KindMinted, Unit: ledger.Token})
	for i := range b.accounts {
		name := ledger.Name{Kind: ledger.KindAccount, Unit: ledger.Token, Owner: "c" + strconv.Itoa(i)}
		b.accounts[i], b.names[i] = b.ledger.Open(name), name.String()
		if _, refusal := b.ledger.Apply([]ledger.Transfer{{Debit: minted, Credit: b.accounts[i], Amount: 1 << 40}}); refusal != ledger.OK {
			panic("minting: " + refusal.String())
		}
	}
	return b
}

const week = 7 * 24 * 3600 * 1000 // milliseconds

// transfer applies one transfer and records it.
func (b *bank) transfer(j *journal.Journal, i int, between pick) (seq uint64, err error) {
	debit, credit := between(i)
	id := fmt.Sprintf("01J0000000000000%010d", i)
	move := ledger.Transfer{Debit: b.accounts[debit], Credit: b.accounts[credit], Amount: 1}
	request := ledger.Request{ID: id, Transfers: []ledger.Transfer{move}, Made: int64(i), At: int64(i), Retention: week}
	if _, refusal, again := b.ledger.ApplyClient(request); refusal != ledger.OK || again {
		return 0, fmt.Errorf("transfer %d: %s", i, refusal)
	}
	seq, _, err = j.Append(func(dst []byte) []byte {
		dst = append(dst, `"at":`...)
		dst = strconv.AppendInt(dst, int64(i), 10)
		dst = append(append(dst, `,"by":"client","input":{"command":"transfer","id":"`...), id...)
		dst = append(append(dst, `","transfers":[{"amount":"`...), move.Amount.String()...)
		dst = append(append(dst, `","credit":"`...), b.names[credit]...)
		dst = append(append(dst, `","debit":"`...), b.names[debit]...)
		return append(dst, `"}]}`...)
	})
	return seq, err
}
