package ledger

import (
	"strconv"
	"testing"
)

const benchAccounts = 10_000

func benchLedger() (*Ledger, []Account) {
	l := New()
	minted := l.Open(Name{KindMinted, Token, ""})
	accounts := make([]Account, benchAccounts)
	for i := range accounts {
		accounts[i] = l.Open(Name{KindWorker, Token, "w" + strconv.Itoa(i)})
		l.Apply([]Transfer{{Debit: minted, Credit: accounts[i], Amount: 1 << 40}})
	}
	return l, accounts
}

func benchApply(b *testing.B, batch int, pick func(i int) (debit, credit int)) {
	l, accounts := benchLedger()
	transfers := make([]Transfer, batch)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for i := range transfers {
			n++
			debit, credit := pick(n)
			transfers[i] = Transfer{Debit: accounts[debit], Credit: accounts[credit], Amount: 1}
		}
		if _, r := l.Apply(transfers); r != OK {
			b.Fatal(r)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/transfer")
}

func spread(i int) (int, int) { return i * 7919 % benchAccounts, (i*104729 + 1) % benchAccounts }

func hot(i int) (int, int) {
	if i%2 == 0 {
		return 0, 1 + i%(benchAccounts-1)
	}
	return 1 + i%(benchAccounts-1), 0
}

func BenchmarkApplyOne(b *testing.B)   { benchApply(b, 1, spread) }
func BenchmarkApplyEight(b *testing.B) { benchApply(b, 8, spread) }
func BenchmarkApplyHot(b *testing.B)   { benchApply(b, 8, hot) }

func BenchmarkPendingPost(b *testing.B) {
	l, accounts := benchLedger()
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		id := strconv.FormatInt(i, 36)
		_, r := l.Apply([]Transfer{
			{Kind: Pending, ID: id, Debit: accounts[0], Credit: accounts[1], Amount: 1},
			{Kind: PostPending, Of: id, Amount: 1},
		})
		if r != OK {
			b.Fatal(r)
		}
	}
}

func BenchmarkClient(b *testing.B) {
	l, accounts := benchLedger()
	batch := []Transfer{{Debit: accounts[0], Credit: accounts[1], Amount: 1}}
	b.ReportAllocs()
	for i := int64(0); b.Loop(); i++ {
		_, r, _ := l.ApplyClient(Request{ID: strconv.FormatInt(i, 36), Transfers: batch, Made: i, At: i, Retention: 1_000})
		if r != OK {
			b.Fatal(r)
		}
	}
}

func BenchmarkOpenClose(b *testing.B) {
	l, _ := benchLedger()
	b.ReportAllocs()
	for b.Loop() {
		l.Close(l.Open(Name{KindEscrow, Token, "swarm_0123456789ab"}))
	}
}
