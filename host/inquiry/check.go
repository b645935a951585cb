package inquiry

import (
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// check compares what the rows sum up to with what the balances have changed
// by, and writes both down.
func (b *Bill) check(s *core.State, sheet *BillSheet, sum ledger.Amount) error {
	held, t := balancesOf(s.Ledger()), &b.total
	free := held.kind[ledger.KindAccount]
	kept := held.kind[ledger.KindEscrow] + held.kind[ledger.KindDeposit]
	is := b.minted - b.lent - free - kept
	if b.only != "" {
		kept, is = t.Escrow+t.Deposit, b.paid-t.ToTreasury-t.Escrow-t.Deposit
	}
	switch b.by {
	case ByWorker:
		is = t.Pay - t.WorkerSlashed
		if b.only == "" {
			is = held.kind[ledger.KindWorker] + held.kind[ledger.KindWorkerStake] - b.given(ByWorker)
		}
	case ByValidator:
		is = t.Shares + t.SlashShares - t.SeatSlashed
		if b.only == "" {
			is = held.kind[ledger.KindValidator] + held.kind[ledger.KindValidatorStake] - b.given(ByValidator)
		}
	case ByAccount:
		is = t.ToTreasury - b.paid
		if b.only == "" {
			is = free - b.given(ByAccount)
		}
	}
	c := &sheet.Check
	c.Rows, c.Balances, c.Free, c.Held = sum.String(), is.String(), free.String(), kept.String()
	if b.only != "" {
		c.Payer, c.Paid = b.payer, b.paid.String()
	}
	if sum != is {
		return disagree("the sum", sum, is)
	}
	return nil
}

func (b *Bill) given(by Grouping) (sum ledger.Amount) {
	for _, r := range b.groups[by].all {
		sum += r.given
	}
	return sum
}
