package ledger

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestByHand is the settlement worked out by hand in the rules: reward 100, fee 5 %, burn 1 %,
// validators 8 %, stake 20 %, three validators with stakes of 10, 1,000 energy at price 1, 600 used,
// slash 50 %; first approved at once, then rejected once and approved.
func TestByHand(t *testing.T) {
	const reward = 100 * One
	fee, pot, stake := Ratio(50_000).Of(reward), Ratio(80_000).Of(reward), Ratio(200_000).Of(reward)
	deposit, ok := Cost(1_000*One, One)
	require.True(t, ok)
	used, ok := Cost(600*One, One)
	require.True(t, ok)
	each := pot / 3

	l := New()
	open := func(kind Kind, owner string) Account { return l.Open(Name{kind, Token, owner}) }
	minted, employer := open(KindMinted, ""), open(KindAccount, "operator")
	worker, workerStake := open(KindWorker, "w"), open(KindWorkerStake, "w")
	escrow, deposits := open(KindEscrow, "swarm"), open(KindDeposit, "swarm")
	fees, burned, resources := open(KindFees, ""), open(KindBurned, ""), open(KindResources, "")
	var validators [3]Account
	for i, owner := range []string{"a", "b", "c"} {
		validators[i] = open(KindValidator, owner)
	}
	apply := func(batch ...Transfer) {
		index, r := l.Apply(batch)
		require.Equal(t, OK, r, "transfer %d", index)
		require.NoError(t, l.Audit())
	}
	pay := func(from Account) (batch []Transfer) {
		for _, v := range validators {
			batch = append(batch, Transfer{Debit: from, Credit: v, Amount: each})
		}
		return batch
	}
	useAndReturn := []Transfer{
		{Debit: deposits, Credit: resources, Amount: used},
		{Debit: deposits, Credit: employer, Amount: deposit - used},
	}
	assign := []Transfer{
		{Debit: worker, Credit: workerStake, Amount: stake},
		{Debit: employer, Credit: deposits, Amount: deposit},
	}
	left := func() Amount { return l.Balance(escrow) - fee }
	approve := func() {
		apply(assign...)
		apply(useAndReturn...)
		apply(pay(escrow)...)
		burn := Ratio(10_000).Of(left())
		apply(
			Transfer{Debit: escrow, Credit: burned, Amount: burn},
			Transfer{Debit: escrow, Credit: worker, Amount: left() - burn},
			Transfer{Debit: workerStake, Credit: worker, Amount: stake},
			Transfer{Debit: escrow, Credit: fees, Amount: fee})
	}
	balances := func() (texts []string) {
		for _, a := range []Account{employer, worker, validators[0], burned, fees, resources} {
			texts = append(texts, l.Balance(a).String())
		}
		return texts
	}
	apply(
		Transfer{Debit: minted, Credit: employer, Amount: 1_000 * One},
		Transfer{Debit: minted, Credit: worker, Amount: 1_000 * One},
		Transfer{Debit: employer, Credit: escrow, Amount: reward + fee})
	approve()
	require.Equal(t, []string{"894.4", "1091.080002", "2.666666", "0.92", "5", "0.6"}, balances())

	slash := Ratio(500_000).Of(stake)
	half := Ratio(500_000).Of(slash - 3*each)
	require.Equal(t, "2.000002", (slash - 3*each).String())
	apply(Transfer{Debit: employer, Credit: escrow, Amount: reward + fee})
	apply(assign...)
	apply(useAndReturn...)
	apply(pay(workerStake)...)
	apply(
		Transfer{Debit: workerStake, Credit: employer, Amount: slash - 3*each - half},
		Transfer{Debit: workerStake, Credit: employer, Amount: half}, // the treasury is the operator here
		Transfer{Debit: workerStake, Credit: worker, Amount: stake - slash})
	approve()
	require.Equal(t, []string{"790.200002", "1172.160004", "7.999998", "1.84", "10", "1.8"}, balances())
	for _, a := range []Account{escrow, deposits, workerStake} {
		l.Close(a)
	}
	require.NoError(t, l.Audit())
}
