package ledger

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const hour = 3_600_000

func TestClientOnce(t *testing.T) {
	s := newScene(t)
	pay := Request{ID: "01", Made: 0, At: 10, Retention: hour,
		Transfers: []Transfer{{Debit: s.alice, Credit: s.bob, Amount: 2}}}
	index, r, again := s.l.ApplyClient(pay)
	require.Equal(t, []any{-1, OK, false}, []any{index, r, again})
	free := s.l.Free(s.alice)

	pay.At = hour
	index, r, again = s.l.ApplyClient(pay)
	require.Equal(t, []any{-1, OK, true}, []any{index, r, again})
	require.Equal(t, free, s.l.Free(s.alice))

	pay.At = hour + 1
	_, r, again = s.l.ApplyClient(pay)
	require.Equal(t, IDTooOld, r)
	require.False(t, again)
	require.Equal(t, free, s.l.Free(s.alice))
}

// TestClientRefusedOnce holds that a refusal is an outcome too: money that comes later does not make
// the repetition succeed.
func TestClientRefusedOnce(t *testing.T) {
	s := newScene(t)
	pay := Request{ID: "01", Retention: hour, Transfers: []Transfer{
		{Debit: s.alice, Credit: s.bob, Amount: 1},
		{Debit: s.bob, Credit: s.alice, Amount: 9},
	}}
	index, r, again := s.l.ApplyClient(pay)
	require.Equal(t, []any{1, InsufficientFunds, false}, []any{index, r, again})
	s.apply(t, Transfer{Debit: s.rich, Credit: s.bob, Amount: 9})
	index, r, again = s.l.ApplyClient(pay)
	require.Equal(t, []any{1, InsufficientFunds, true}, []any{index, r, again})
}

func TestClientDiffers(t *testing.T) {
	s := newScene(t)
	body := func() []Transfer {
		return []Transfer{
			{Debit: s.alice, Credit: s.bob, Amount: 1},
			{Kind: Pending, ID: "p", Debit: s.alice, Credit: s.bob, Amount: 1, Expires: 50},
			{Kind: PostPending, Of: "open", Amount: 1},
		}
	}
	request := func(transfers []Transfer) Request {
		return Request{ID: "01", Retention: hour, Transfers: transfers}
	}
	_, r, _ := s.l.ApplyClient(request(body()))
	require.Equal(t, OK, r)
	// Each change comes with all changes of less precedence, so the order is tested as well.
	changes := []struct {
		refusal Refusal
		change  func(*Transfer)
	}{
		{ExistsWithDifferentExpiry, func(tr *Transfer) { tr.Expires++ }},
		{ExistsWithDifferentPending, func(tr *Transfer) { tr.Of += "x" }},
		{ExistsWithDifferentAmount, func(tr *Transfer) { tr.Amount++ }},
		{ExistsWithDifferentCredit, func(tr *Transfer) { tr.Credit = s.rich }},
		{ExistsWithDifferentDebit, func(tr *Transfer) { tr.Debit = s.rich }},
		{ExistsWithDifferentID, func(tr *Transfer) { tr.ID += "x" }},
		{ExistsWithDifferentKind, func(tr *Transfer) { tr.Kind = VoidPending }},
	}
	for at := range body() {
		changed := body()
		for _, c := range changes {
			c.change(&changed[at])
			index, r, again := s.l.ApplyClient(request(changed))
			require.Equal(t, []any{at, c.refusal, false}, []any{index, r, again})
		}
	}
	_, r, _ = s.l.ApplyClient(request(body()[:2]))
	require.Equal(t, ExistsWithDifferentLength, r)
	_, r, again := s.l.ApplyClient(request(body()))
	require.Equal(t, OK, r)
	require.True(t, again, "a difference that was refused changes nothing")
}

func TestClientRefusals(t *testing.T) {
	s := newScene(t)
	one := []Transfer{{Debit: s.alice, Credit: s.bob, Amount: 1}}
	s.l.limits.remembered = 2
	const at = 2 * hour
	for _, q := range []struct {
		want Refusal
		Request
	}{
		{IDRequired, Request{Made: -1, At: at, Retention: hour}},
		{IDTooLong, Request{ID: strings.Repeat("x", 256), Made: -1, At: at, Retention: hour}},
		{IDTooOld, Request{ID: "a", Made: hour - 1, At: at, Retention: hour}},
		{IDInFuture, Request{ID: "a", Made: at + MaxSkew + 1, At: at, Retention: hour}},
		{RequestTooLarge, Request{ID: "a", Made: at, At: at, Retention: hour}},
		{RequestTooLarge, Request{ID: "a", Made: at, At: at, Retention: hour, Transfers: make([]Transfer, MaxRequest+1)}},
		{OK, Request{ID: "a", Made: hour, At: at, Retention: hour, Transfers: one}},
		{OK, Request{ID: "b", Made: at + MaxSkew, At: at, Retention: hour, Transfers: one}},
		{TooManyIDs, Request{ID: "c", Made: at, At: at, Retention: hour, Transfers: one}},
		{OK, Request{ID: "b", Made: at, At: at, Retention: hour, Transfers: one}},
		{TooManyIDs, Request{ID: "c", Made: at + hour, At: at + hour + MaxSkew, Retention: hour, Transfers: one}},
		{IDTooOld, Request{ID: "c", Made: at, At: at + hour + MaxSkew + 1, Retention: hour, Transfers: one}},
		{OK, Request{ID: "c", Made: at + hour, At: at + hour + MaxSkew + 1, Retention: hour, Transfers: one}},
		{IDTooOld, Request{ID: "a", Made: hour, At: at, Retention: 9 * hour, Transfers: one}},
	} {
		_, r, _ := s.l.ApplyClient(q.Request)
		require.Equal(t, q.want, r, "%s made %d at %d", q.ID, q.Made, q.At)
	}
	require.Len(t, s.l.clients, 1, "the first two are forgotten")
	require.Equal(t, 1, s.l.clauses)
}

// TestClientNeverTwice sends the same few requests over and over while the clock jumps both ways and
// the retention changes: each takes effect at most once.
func TestClientNeverTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newScene(t)
		clock := int64(hour)
		applied := map[string]int{}
		for range 100 {
			clock += rapid.SampledFrom([]int64{0, 1, MaxSkew, hour, -hour, -1}).Draw(t, "passed")
			made := rapid.SampledFrom([]int64{0, 1, 2, 3}).Draw(t, "made") * hour
			q := Request{
				ID: fmt.Sprint(made), Made: made, At: clock,
				Retention: rapid.SampledFrom([]int64{1, hour, 3 * hour}).Draw(t, "retention"),
				Transfers: []Transfer{{Debit: s.rich, Credit: s.bob, Amount: 1}},
			}
			known, want, repeated := s.l.Recall(q)
			index, r, again := s.l.ApplyClient(q)
			if repeated || want != OK {
				require.Equal(t, []any{known, want, repeated}, []any{index, r, again})
			}
			if r == OK && !again {
				applied[q.ID]++
			}
			require.LessOrEqual(t, applied[q.ID], 1)
			require.NoError(t, s.l.Audit())
		}
	})
}
