package council

import (
	"encoding/hex"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestDrawVectors(t *testing.T) {
	v := readVectors(t)
	require.GreaterOrEqual(t, len(v.Draws), 4)
	for _, d := range v.Draws {
		seed := Seed(d.Mission, digestOf(t, d.Prev), d.Job, d.Round)
		require.Equal(t, d.Seed, hex.EncodeToString(seed[:]))
		candidates := make([]Candidate, len(d.Weights))
		for i := range candidates {
			candidates[i] = Candidate{Weight: d.Weights[i], Last: d.Last[i]}
		}
		require.Equal(t, d.Seats, Draw(seed, candidates, d.N))
	}
}

func TestDrawLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		candidates := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Candidate {
			return Candidate{
				Weight: rapid.OneOf(rapid.Int64Range(-1, 3), rapid.Int64Range(0, math.MaxInt64/64)).Draw(t, "weight"),
				Last:   rapid.Bool().Draw(t, "last"),
			}
		}), 0, 20).Draw(t, "candidates")
		n := rapid.IntRange(-1, 25).Draw(t, "n")
		seed := Seed(rapid.Uint64().Draw(t, "mission"), [32]byte{}, "j", 1)
		before := slices.Clone(candidates)
		seats := Draw(seed, candidates, n)
		require.Equal(t, before, candidates)
		require.Equal(t, seats, Draw(seed, candidates, n))

		willing, preferred := 0, 0
		for _, c := range candidates {
			if c.Weight > 0 {
				willing++
				if !c.Last {
					preferred++
				}
			}
		}
		require.Len(t, seats, max(0, min(n, willing)))
		for i, seat := range seats {
			require.Positive(t, candidates[seat].Weight)
			require.NotContains(t, seats[:i], seat)
			require.Equal(t, i >= preferred, candidates[seat].Last, "the last come last, and only then")
		}
	})
}

func TestDrawOverflow(t *testing.T) {
	require.Equal(t, []int{0}, Draw([32]byte{}, []Candidate{{Weight: math.MaxInt64}}, 5))
	require.Panics(t, func() { Draw([32]byte{}, []Candidate{{Weight: math.MaxInt64}, {Weight: 1}}, 1) })
}

func TestSeedBinds(t *testing.T) {
	seen := map[[32]byte]bool{}
	for _, seed := range [][32]byte{
		Seed(1, [32]byte{}, "j", 1), Seed(2, [32]byte{}, "j", 1), Seed(1, [32]byte{1}, "j", 1),
		Seed(1, [32]byte{}, "k", 1), Seed(1, [32]byte{}, "j", 2),
	} {
		require.False(t, seen[seed])
		seen[seed] = true
	}
}

// TestDrawIsFair counts ordered pairs of seats over fixed seeds against their exact probabilities,
// w_i/W × w_j/(W − w_i), by chi-square; the seeds are fixed, so the verdict is too.
func TestDrawIsFair(t *testing.T) {
	weights := []int64{1, 2, 3, 4, 10}
	candidates := make([]Candidate, len(weights))
	total := 0.0
	for i, w := range weights {
		candidates[i].Weight = w
		total += float64(w)
	}
	const draws = 100_000
	var seen [5][5]int
	for round := range draws {
		seats := Draw(Seed(42, [32]byte{}, "fair", round), candidates, 2)
		seen[seats[0]][seats[1]]++
	}
	square := 0.0
	for i, first := range weights {
		for j, second := range weights {
			if i == j {
				require.Zero(t, seen[i][j])
				continue
			}
			expected := draws * float64(first) / total * float64(second) / (total - float64(first))
			square += (float64(seen[i][j]) - expected) * (float64(seen[i][j]) - expected) / expected
		}
	}
	require.Less(t, square, 43.8, "chi-square with 19 degrees of freedom, p = 0.001")
}

// TestBelowRejects counts thirds of a range just above two thirds of all words, where taking the
// remainder without rejecting would favour the lowest third two to one.
func TestBelowRejects(t *testing.T) {
	const w = 3 << 62
	words := stream{seed: [32]byte{1}}
	var thirds [3]int
	for range 30_000 {
		thirds[words.below(w)>>62]++
	}
	for _, n := range thirds {
		require.InDelta(t, 10_000, n, 400)
	}
}
