package inquiry

import (
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
)

// check compares what the rows sum up to with what the balances have changed
// by, and writes both down.
func (b *Bill) check(s *core.State, sheet *BillSheet, sum ledger.Amount) error {
	is := b.changed(s, &sheet.Check)
	if b.only != "" {
		is = b.changedByOne(&sheet.Check)
	}
	if sheet.Check.Rows, sheet.Check.Balances = sum.String(), is.String(); sum != is {
		return disagree("the sum", sum, is)
	}
	return nil
}

// changed is what the balances of a kind have changed by, endowments aside, and
// for a cost what the employers' accounts have lost beyond what is held.
func (b *Bill) changed(s *core.State, c *CheckOf) ledger.Amount {
	held := balancesOf(s.Ledger())
	free, kept := held.kind[ledger.KindAccount], held.kind[ledger.KindEscrow]+held.kind[ledger.KindDeposit]
	c.Minted, c.Lent, c.Free, c.Held = b.minted.String(), b.lent.String(), free.String(), kept.String()
	switch b.by {
	case ByWorker:
		return held.kind[ledger.KindWorker] + held.kind[ledger.KindWorkerStake] - b.given(ByWorker)
	case ByValidator:
		return held.kind[ledger.KindValidator] + held.kind[ledger.KindValidatorStake] - b.given(ByValidator)
	case ByAccount:
		return free - b.given(ByAccount) + held.kind[ledger.KindFees] + held.kind[ledger.KindResources] + held.kind[ledger.KindBurned]
	}
	return b.minted - b.lent - free - kept
}

// changedByOne is the same for one job and all below it, from what its employer
// has paid.
func (b *Bill) changedByOne(c *CheckOf) ledger.Amount {
	t := &b.total
	*c = CheckOf{Payer: b.payer, Paid: b.paid.String(), Held: (t.Escrow + t.Deposit).String()}
	switch b.by {
	case ByWorker:
		return t.Pay - t.WorkerSlashed
	case ByValidator:
		return t.Shares + t.SlashShares - t.SeatSlashed
	case ByAccount:
		return t.ToTreasury - b.paid + t.Fee + t.Resources + t.Burned + t.SlashBurned
	}
	return b.paid - t.ToTreasury - t.Escrow - t.Deposit
}

func (b *Bill) given(by Grouping) (sum ledger.Amount) {
	for _, r := range b.groups[by].all {
		sum += r.given
	}
	return sum
}
