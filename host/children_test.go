package host

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestChildrenStandAfterWhatTheyNeed(t *testing.T) {
	children, err := childrenOf("top", 2, []byte(`[{"name":"b","skills":["s"],"reward":1,"needs":["a"]},{"skills":["s"],"reward":1,"title":"c"},{"name":"a","skills":["s"],"reward":1}]`))
	require.NoError(t, err)
	require.Len(t, children, 3)
	require.Equal(t, "top__3", children[0].ID)
	require.Equal(t, "c", children[0].Title)
	require.Equal(t, "top__4", children[1].ID)
	require.Equal(t, []string{"top__4"}, children[2].Needs)
}

// What a program prints must never end the host: circles and names that stand
// twice are refused where the children are decoded.
func TestBadChildrenAreRefused(t *testing.T) {
	for _, raw := range []string{
		`[{"name":"a","skills":["s"],"reward":1,"needs":["a"]}]`,
		`[{"name":"a","skills":["s"],"reward":1,"needs":["b"]},{"name":"b","skills":["s"],"reward":1,"needs":["a"]}]`,
		`[{"name":"a","skills":["s"],"reward":1},{"name":"a","skills":["s"],"reward":1}]`,
		`[{"skills":["s"],"reward":1,"needs":[""]}]`,
		`[{"name":"a","skills":["s"],"reward":1,"needs":["nobody"]}]`,
		`{}`,
	} {
		_, err := childrenOf("top", 0, []byte(raw))
		require.Error(t, err, raw)
	}
}
