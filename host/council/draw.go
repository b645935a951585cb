package council

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
)

// Candidate is a validator that may be drawn.
type Candidate struct {
	Weight int64 // min(free stake, 4 × validator_stake); without weight it is never drawn
	Last   bool  // drawn only when nobody else is left: sat in the failed round, or is often absent
}

// Seed is the seed of a round's draw: SHA-256 over the fields omega.draw/v1, mission seed (8 bytes, big
// endian), prev, job, round (8 bytes, big endian), each preceded by its length as in Commitment. Prev
// is the prev of the result's entry, which the worker could not know when it made the result.
func Seed(mission uint64, prev [32]byte, job string, round int) [32]byte {
	var space [fieldSpace]byte
	p := appendField(space[:0], "omega.draw/v1")
	p = appendNumber(p, mission)
	p = appendField(p, prev[:])
	p = appendField(p, job)
	p = appendNumber(p, uint64(round))
	return sha256.Sum256(p)
}

// Draw seats up to n candidates, by weight and without replacement, and returns their indices in the
// order of their seats; fewer when fewer have weight. Candidates marked Last come after all others.
//
// The stream is SHA-256(seed ‖ counter) for counter = 0, 1, … (8 bytes, big endian); each digest gives
// four words of 8 bytes, big endian, in order. For each seat, W is the sum of the weights that can
// still be drawn; words x ≥ 2^64 − (2^64 mod W) are skipped, so every value below W is equally likely;
// of the first other word, x mod W chooses: the candidate, in the given order, in whose share of W it
// falls. Weights that sum to more than an int64 are no stake of any ledger: Draw panics.
func Draw(seed [32]byte, candidates []Candidate, n int) []int {
	seats := make([]int, 0, max(0, min(n, len(candidates))))
	words := stream{seed: seed}
	for _, last := range [...]bool{false, true} {
		total := int64(0)
		for _, c := range candidates {
			if c.Last == last && c.Weight > 0 {
				if total > math.MaxInt64-c.Weight {
					panic("council: the weights of a draw overflow")
				}
				total += c.Weight
			}
		}
		for total > 0 && len(seats) < n {
			at := int64(words.below(uint64(total)))
			for i, c := range candidates {
				if c.Last != last || c.Weight <= 0 || slices.Contains(seats, i) {
					continue
				}
				if at < c.Weight {
					seats = append(seats, i)
					total -= c.Weight
					break
				}
				at -= c.Weight
			}
		}
	}
	return seats
}

// stream is SHA-256 in counter mode, read as 64-bit words.
type stream struct {
	seed    [32]byte
	counter uint64
	block   [32]byte
	left    int // bytes of block not yet read
}

func (s *stream) next() uint64 {
	if s.left == 0 {
		var p [40]byte
		copy(p[:], s.seed[:])
		binary.BigEndian.PutUint64(p[32:], s.counter)
		s.block = sha256.Sum256(p[:])
		s.counter++
		s.left = len(s.block)
	}
	word := binary.BigEndian.Uint64(s.block[len(s.block)-s.left:])
	s.left -= 8
	return word
}

// below is uniform in [0, w), w > 0.
func (s *stream) below(w uint64) uint64 {
	surplus := -w % w // 2^64 mod w
	for {
		if x := s.next(); x <= math.MaxUint64-surplus {
			return x % w
		}
	}
}
