package core

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRollIsAMap holds a roll against a map of lists, over pages that come, are
// forgotten and come again, with ids that repeat.
func TestRollIsAMap(t *testing.T) {
	var l roll[int64]
	model := map[string][]int64{} // newest last
	const all, ids = 6 * pageRows, 5 * pageRows
	for n := range int64(all) {
		id := "id-" + strconv.FormatInt(n*7%ids, 10)
		l.add(id, strconv.FormatInt(n, 36), Time(n), n)
		model[id] = append(model[id], n)
		if n == 4*pageRows {
			l.forget(Time(2*pageRows + 5)) // two pages are older as a whole
		}
	}
	require.Equal(t, all, l.len())
	require.Equal(t, 2, l.gone)
	for id, numbers := range model {
		var found []int64
		l.find(id, func(n *int64, rest []byte) bool {
			require.Equal(t, strconv.FormatInt(*n, 36), string(rest))
			found = append([]int64{*n}, found...)
			return false
		})
		var want []int64
		for _, n := range numbers {
			if n >= 2*pageRows {
				want = append(want, n)
			}
		}
		require.Equal(t, want, found, id)
	}
	require.False(t, l.find("nobody", func(*int64, []byte) bool { return true }))
}
