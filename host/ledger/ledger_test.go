package ledger

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// scene is a small ledger in which every refusal can happen, and its model: alice has 7 and bob 2 free
// to move, rich is one short of all there is, power counts energy, and of the five pending transfers
// two are open.
type scene struct {
	l                                       *Ledger
	m                                       model
	minted, alice, bob, rich, power, closed Account
}

func newScene(t require.TestingT) *scene {
	s := &scene{l: New(), m: model{names: map[Account]Name{}}}
	open := func(kind Kind, unit Unit, owner string) Account {
		name := Name{kind, unit, owner}
		a := s.l.Open(name)
		s.m.names[a] = name
		return a
	}
	s.minted = open(KindMinted, Token, "")
	s.alice = open(KindAccount, Token, "alice")
	s.bob = open(KindWorker, Token, "bob")
	s.rich = open(KindAccount, Token, "rich")
	s.power = open(KindCapacity, Energy, "")
	source := open(KindMinted, Energy, "")
	s.closed = s.l.Open(Name{KindEscrow, Token, "gone"})
	s.l.Close(s.closed)
	s.apply(t,
		Transfer{Debit: s.minted, Credit: s.alice, Amount: 10},
		Transfer{Debit: s.minted, Credit: s.bob, Amount: 2},
		Transfer{Debit: s.minted, Credit: s.rich, Amount: MaxAmount - 20},
		Transfer{Debit: source, Credit: s.power, Amount: 9},
		Transfer{Kind: Pending, ID: "open", Debit: s.alice, Credit: s.bob, Amount: 3},
		Transfer{Kind: Pending, ID: "soon", Debit: s.minted, Credit: s.rich, Amount: 2, Expires: 100},
		Transfer{Kind: Pending, ID: "posted", Debit: s.alice, Credit: s.bob, Amount: 1},
		Transfer{Kind: Pending, ID: "voided", Debit: s.bob, Credit: s.alice, Amount: 1},
		Transfer{Kind: Pending, ID: "expired", Debit: s.bob, Credit: s.alice, Amount: 1, Expires: 5},
		Transfer{Kind: PostPending, Of: "posted", Amount: 1},
		Transfer{Kind: VoidPending, Of: "voided"},
		Transfer{Debit: s.bob, Credit: s.alice, Amount: 1})
	s.expire(t, 5)
	return s
}

// apply applies to both, requires that they agree about the refusal, and returns it.
func (s *scene) apply(t require.TestingT, batch ...Transfer) Refusal {
	next, index, refusal := s.m.apply(batch)
	for _, decide := range [...]func([]Transfer) (int, Refusal){s.l.Check, s.l.Apply} {
		if i, r := decide(batch); i != index || r != refusal {
			require.Failf(t, "refusal differs", "%v: %d %s, model %d %s", batch, i, r, index, refusal)
		}
	}
	s.m = next
	return refusal
}

func (s *scene) expire(t require.TestingT, now int64) {
	next, ids := s.m.expire(now)
	require.Equal(t, ids, s.l.Expire(now))
	s.m = next
}

// TestBatches runs every batch of up to three transfers of an alphabet and its small amounts.
func TestBatches(t *testing.T) {
	s := newScene(t)
	s.m.same(t, s.l)
	var alphabet []Transfer
	for _, amount := range []Amount{0, 1, 2, 3, 7} {
		alphabet = append(alphabet,
			Transfer{Debit: s.alice, Credit: s.bob, Amount: amount},
			Transfer{Debit: s.bob, Credit: s.alice, Amount: amount},
			Transfer{Kind: Pending, ID: "new", Debit: s.alice, Credit: s.bob, Amount: amount, Expires: 9},
			Transfer{Kind: PostPending, Of: "open", Amount: amount},
			Transfer{Kind: PostPending, Of: "new", Amount: amount})
	}
	alphabet = append(alphabet,
		Transfer{Debit: s.minted, Credit: s.rich, Amount: 18},
		Transfer{Debit: s.rich, Credit: s.minted, Amount: 5},
		Transfer{Debit: s.power, Credit: s.alice, Amount: 1},
		Transfer{Kind: Pending, ID: "other", Debit: s.bob, Credit: s.minted, Amount: 2},
		Transfer{Kind: PostPending, Of: "soon", Amount: 1, Debit: s.minted, Credit: s.rich},
		Transfer{Kind: PostPending, Of: "other", Amount: 2},
		Transfer{Kind: VoidPending, Of: "open"},
		Transfer{Kind: VoidPending, Of: "soon"},
		Transfer{Kind: VoidPending, Of: "new"},
		Transfer{Kind: VoidPending, Of: "other"})

	before := s.m
	applied, seen := 0, map[Refusal]bool{}
	try := func(batch ...Transfer) {
		refusal := s.apply(t, batch...)
		seen[refusal] = true
		s.m.same(t, s.l)
		if refusal == OK {
			applied++
			s = newScene(t)
		}
		s.m = before
	}
	try()
	for _, a := range alphabet {
		try(a)
		for _, b := range alphabet {
			try(a, b)
			for _, c := range alphabet {
				try(a, b, c)
			}
		}
	}
	require.Greater(t, applied, 3_000, "most of the exhaustive cases are refused: they test little")
	require.GreaterOrEqual(t, len(seen), 10)
}

// TestPrecedence crosses all values of all fields of one transfer, so that refusals meet in every
// possible pair, and requires the one that comes first in the enumeration.
func TestPrecedence(t *testing.T) {
	s := newScene(t)
	met, cases := map[[2]Refusal]bool{}, 0
	accounts := []Account{0, s.alice, s.rich, s.power, s.minted, s.closed, 99}
	for kind := Single; kind <= VoidPending+1; kind++ {
		for _, id := range []string{"", "fresh", "open", strings.Repeat("x", 256)} {
			for _, of := range []string{"", "open", "posted", "voided", "expired", "unknown"} {
				for _, amount := range []Amount{-1, 0, 3, 8, 20, MaxAmount} {
					for _, expires := range []int64{-1, 0, 7} {
						for _, debit := range accounts {
							for _, credit := range accounts {
								tr := Transfer{ID: id, Debit: debit, Credit: credit, Amount: amount, Kind: kind, Of: of, Expires: expires}
								cases++
								wrong := s.m.wrong(tr)
								want := OK
								if len(wrong) > 0 {
									want = slices.Min(wrong)
								}
								if _, r := s.l.Check([]Transfer{tr}); r != want {
									require.Failf(t, "precedence", "%+v: %s, want %s of %v", tr, r, want, wrong)
								}
								for _, other := range wrong {
									met[[2]Refusal{want, other}] = true
								}
							}
						}
					}
				}
			}
		}
	}
	s.m.same(t, s.l)
	first := map[Refusal]bool{}
	for pair := range met {
		first[pair[0]] = true
	}
	for r := KindUnknown; r <= Overflow; r++ {
		require.True(t, first[r] || r == TooManyPendings, "%s never came first", r)
	}
	require.Greater(t, len(met), 100)
	require.Greater(t, cases, 100_000)
}

// TestLife drives random batches, expiries, openings and closings against the model.
func TestLife(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newScene(t)
		ids := []string{"open", "soon", "a", "b", "c"}
		now := int64(5)
		transfer := rapid.Custom(func(t *rapid.T) Transfer {
			account := rapid.SampledFrom([]Account{s.minted, s.alice, s.bob, s.rich, s.closed})
			tr := Transfer{Kind: TransferKind(rapid.IntRange(0, 3).Draw(t, "kind"))}
			if tr.Kind <= Pending {
				tr.Debit, tr.Credit = account.Draw(t, "debit"), account.Draw(t, "credit")
			} else {
				tr.Of = rapid.SampledFrom(ids).Draw(t, "of")
			}
			if tr.Kind == Pending {
				tr.ID = rapid.SampledFrom(ids).Draw(t, "id")
				tr.Expires = rapid.SampledFrom([]int64{0, now, now + 1, now + 30}).Draw(t, "expires")
			}
			if tr.Kind != VoidPending {
				tr.Amount = Amount(rapid.OneOf(rapid.Int64Range(1, 6), rapid.Int64Min(1)).Draw(t, "amount"))
			}
			return tr
		})
		t.Repeat(map[string]func(*rapid.T){
			"apply": func(t *rapid.T) { s.apply(t, rapid.SliceOfN(transfer, 1, 5).Draw(t, "batch")...) },
			"expire": func(t *rapid.T) {
				now += rapid.Int64Range(0, 20).Draw(t, "passed")
				s.expire(t, now)
			},
			"": func(t *rapid.T) { s.m.same(t, s.l) },
		})
	})
}
