package ledger

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExpireInOrder(t *testing.T) {
	s := newScene(t)
	for _, p := range []struct {
		id      string
		expires int64
	}{{"z", 50}, {"b", 70}, {"a", 70}, {"never", 0}, {"c", 60}} {
		s.apply(t, Transfer{Kind: Pending, ID: p.id, Debit: s.alice, Credit: s.bob, Amount: 1, Expires: p.expires})
	}
	require.Empty(t, s.l.Expire(49))
	require.Equal(t, []string{"z", "c", "a", "b"}, s.l.Expire(70))
	next, ok := s.l.NextExpiry()
	require.True(t, ok)
	require.Equal(t, int64(100), next)
	require.Equal(t, []string{"soon"}, s.l.Expire(1<<62))
	_, ok = s.l.NextExpiry()
	require.False(t, ok)
	require.NoError(t, s.l.Audit())
}

func TestPartialPosting(t *testing.T) {
	s := newScene(t)
	free := s.l.Free(s.alice)
	s.apply(t, Transfer{Kind: PostPending, Of: "open", Amount: 1})
	require.Equal(t, free+2, s.l.Free(s.alice), "what was not posted is free again")
	s.m.same(t, s.l)
	require.Equal(t, PendingAlreadyPosted, s.apply(t, Transfer{Kind: PostPending, Of: "open", Amount: 2}))
}

// TestLimits fills each table to a small limit.
func TestLimits(t *testing.T) {
	s := newScene(t) // with two transfers open and three resolved
	s.l.limits.pendings = 3
	pending := func(id string) Transfer {
		return Transfer{Kind: Pending, ID: id, Debit: s.alice, Credit: s.bob, Amount: 1}
	}
	index, r := s.l.Apply([]Transfer{pending("one"), pending("two")})
	require.Equal(t, TooManyPendings, r)
	require.Equal(t, 1, index)
	_, r = s.l.Apply([]Transfer{pending("one"), {Kind: VoidPending, Of: "open"}, pending("two")})
	require.Equal(t, OK, r)

	s.l.limits.resolved = 2 // of posted, voided, expired, open only the latest two are kept
	_, r = s.l.Apply([]Transfer{{Kind: VoidPending, Of: "one"}})
	require.Equal(t, OK, r)
	_, r = s.l.Apply([]Transfer{{Kind: VoidPending, Of: "expired"}})
	require.Equal(t, PendingNotFound, r)
	_, r = s.l.Apply([]Transfer{{Kind: VoidPending, Of: "open"}})
	require.Equal(t, PendingAlreadyVoided, r)
	require.NoError(t, s.l.Audit())
}

func TestQueue(t *testing.T) {
	var q fifo[int]
	next, first := 0, 0
	for step := range 2_000 {
		switch {
		case step%3 != 2:
			q.push(next)
			next++
		case step%5 == 0:
			q.unpush()
			next--
		default:
			require.Equal(t, first, q.pop())
			first++
		}
		require.Equal(t, next-first, q.len())
		if q.len() > 0 {
			require.Equal(t, first, q.at(0))
			require.Equal(t, next-1, q.at(q.len()-1))
		}
	}
	for q.len() > 0 {
		q.pop()
	}
	require.Empty(t, q.items, "nothing is held on to")
}
