package ledger

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNames(t *testing.T) {
	for text, want := range map[string]Name{
		"account:operator":    {KindAccount, Token, "operator"},
		"job:swarm_0:escrow":  {KindEscrow, Token, "swarm_0"},
		"job:swarm_0:deposit": {KindDeposit, Token, "swarm_0"},
		"worker:w-1":          {KindWorker, Token, "w-1"},
		"worker:w-1:stake":    {KindWorkerStake, Token, "w-1"},
		"validator:v":         {KindValidator, Token, "v"},
		"validator:v:stake":   {KindValidatorStake, Token, "v"},
		"capacity":            {KindCapacity, Energy, ""},
		"reserved":            {KindReserved, Compute, ""},
		"resources":           {KindResources, Token, ""},
		"fees":                {KindFees, Token, ""},
		"burned":              {KindBurned, Energy, ""},
		"minted":              {KindMinted, Token, ""},
	} {
		got, err := ParseName(text, want.Unit)
		require.NoError(t, err, text)
		require.Equal(t, want, got)
		require.Equal(t, text, got.String())
	}
	for _, text := range []string{"", "account:", "account", "job:x", "job::escrow", "job:x:escrow:", "job:a:b:escrow",
		"worker:x:steak", "minted:", "minted:x", " minted", "fees ", "worker:a b", "worker:a\"b", "worker:é", "nobody:x",
		"worker:" + strings.Repeat("x", 256)} {
		_, err := ParseName(text, Token)
		require.Error(t, err, text)
	}
	for text, unit := range map[string]Unit{"capacity": Token, "fees": Energy, "account:x": Compute, "minted": Units} {
		_, err := ParseName(text, unit)
		require.Error(t, err, text)
	}
}

func TestUnits(t *testing.T) {
	for u := Token; u < Units; u++ {
		got, err := ParseUnit(u.String())
		require.NoError(t, err)
		require.Equal(t, u, got)
	}
	for _, text := range []string{"", "token", "TOKENS", "unit(0)"} {
		_, err := ParseUnit(text)
		require.Error(t, err)
	}
}

func TestRefusalNames(t *testing.T) {
	seen := map[string]bool{}
	for r := range Refusals {
		require.Regexp(t, `^[a-z]+(_[a-z]+)*$`, r.String())
		require.Regexp(t, `^[A-Z].*\.$`, r.Doc())
		require.False(t, seen[r.String()], r)
		seen[r.String()] = true
	}
	require.Len(t, seen, int(refusalCount)-1)
	require.Equal(t, "ok", OK.String())
}

func TestOpenFindClose(t *testing.T) {
	l := New()
	minted := Name{KindMinted, Token, ""}
	escrow := Name{KindEscrow, Token, "a"}
	source, first := l.Open(minted), l.Open(escrow)
	require.NotZero(t, source)
	require.Equal(t, first, l.Open(escrow))
	found, ok := l.Find(escrow)
	require.True(t, ok)
	require.Equal(t, first, found)
	require.Equal(t, escrow, l.Name(first))

	_, r := l.Apply([]Transfer{{Kind: Pending, ID: "p", Debit: source, Credit: first, Amount: 1}})
	require.Equal(t, OK, r)
	require.Panics(t, func() { l.Close(first) }, "a credit is pending")
	l.Apply([]Transfer{{Kind: PostPending, Of: "p", Amount: 1}})
	require.Panics(t, func() { l.Close(first) }, "it has a balance")
	l.Apply([]Transfer{{Debit: first, Credit: source, Amount: 1}})
	l.Close(first)
	require.Panics(t, func() { l.Close(first) }, "it is closed")
	require.Panics(t, func() { l.Balance(first) })
	require.Panics(t, func() { l.Balance(0) })
	_, ok = l.Find(escrow)
	require.False(t, ok)
	require.NoError(t, l.Audit())

	other := l.Open(Name{KindFees, Token, ""})
	require.Equal(t, first, other, "the slot is used again")
	require.Zero(t, l.Balance(other))
	require.Zero(t, l.Sum(Token))
	require.Panics(t, func() { l.Open(Name{KindWorker, Token, "a:stake"}) })
	require.Panics(t, func() { l.Open(Name{}) })
}

func TestAccountsInOrder(t *testing.T) {
	l := New()
	want := []Name{
		{KindAccount, Token, "a"}, {KindAccount, Token, "b"}, {KindEscrow, Token, "a"}, {KindMinted, Token, ""},
		{KindCapacity, Energy, ""}, {KindMinted, Energy, ""}, {KindReserved, Compute, ""},
	}
	for _, i := range []int{4, 2, 6, 1, 0, 5, 3} {
		l.Open(want[i])
	}
	var got []Name
	for a := range l.Accounts {
		got = append(got, l.Name(a))
	}
	require.Equal(t, want, got)
	for range l.Accounts {
		break
	}
}

func TestApplyAllocatesNothing(t *testing.T) {
	l, accounts := benchLedger()
	batch := []Transfer{
		{Debit: accounts[0], Credit: accounts[1], Amount: 1},
		{Debit: accounts[1], Credit: accounts[0], Amount: 1},
		{Debit: accounts[2], Credit: accounts[0], Amount: 1},
	}
	require.Zero(t, testing.AllocsPerRun(100, func() {
		l.Check(batch)
		l.Apply(batch)
	}))
}

// TestAuditSees tampers with one thing at a time.
func TestAuditSees(t *testing.T) {
	tampers := map[string]func(*scene){
		"balance":         func(s *scene) { s.l.accounts[s.alice].posted++ },
		"kept sum":        func(s *scene) { s.l.sums[Token]++ },
		"moved unnoticed": func(s *scene) { s.l.accounts[s.bob].posted -= 5; s.l.accounts[s.alice].posted += 5 },
		"pending debit":   func(s *scene) { s.l.accounts[s.alice].debits++ },
		"pending credit":  func(s *scene) { s.l.accounts[s.alice].credits-- },
		"pending amount":  func(s *scene) { s.l.pendings["open"].amount++ },
		"pending state":   func(s *scene) { s.l.pendings["open"].state = PendingVoided },
		"pending lost":    func(s *scene) { delete(s.l.pendings, "posted") },
		"closed slot":     func(s *scene) { s.l.accounts[s.closed].posted = 1 },
		"name":            func(s *scene) { s.l.names[s.alice].Owner = "mallory" },
		"unit":            func(s *scene) { s.l.accounts[s.alice].unit = Compute },
		"index":           func(s *scene) { s.l.index[Name{KindFees, Token, ""}] = s.alice },
	}
	for what, tamper := range tampers {
		s := newScene(t)
		require.NoError(t, s.l.Audit())
		tamper(s)
		require.Error(t, s.l.Audit(), what)
	}
}
