package worker

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
)

// WrongResult is what a simulated worker answers when it answers wrong; rule validators always reject it.
const WrongResult = `{"wrong":true}`

// Simulated decides how attempts of a simulated worker end. Ratios are parts per million: 0 or less is never,
// 1,000,000 or more is always.
type Simulated struct {
	FailureRatio int64 // of all attempts
	WrongRatio   int64 // of the attempts that do not fail
}

// Outcome says whether an attempt fails and, if it does not, whether its answer is wrong. It is a function of its
// arguments alone:
//
//	h    = SHA-256("omega.simulated/v1\n" ‖ seed (8 bytes) ‖ attempt (8 bytes) ‖ job)   integers big-endian
//	fail  ⇔ ⌊h[0:8]  × 1,000,000 / 2^64⌋ < FailureRatio
//	wrong ⇔ ⌊h[8:16] × 1,000,000 / 2^64⌋ < WrongRatio, and not fail
//
// so a change of one ratio leaves the other draw alone, and a larger ratio only adds to those it hits.
func (s Simulated) Outcome(seed uint64, job string, attempt int) (fail, wrong bool) {
	text := append(make([]byte, 0, 64+len(job)), "omega.simulated/v1\n"...)
	text = binary.BigEndian.AppendUint64(text, seed)
	text = binary.BigEndian.AppendUint64(text, uint64(attempt))
	h := sha256.Sum256(append(text, job...))
	fail = hit(h[0:8], s.FailureRatio)
	return fail, !fail && hit(h[8:16], s.WrongRatio)
}

func hit(draw []byte, ppm int64) bool {
	millionth, _ := bits.Mul64(binary.BigEndian.Uint64(draw), 1_000_000)
	return ppm > 0 && millionth < uint64(ppm)
}

// SimulatedVote decides how a simulated validator behaves in a round. Ratios are parts per million.
type SimulatedVote struct {
	AbsentRatio int64 // of its seats
	WrongRatio  int64 // of the votes it gives
}

// Outcome says whether the validator stays silent and, if it does not, whether it votes against what it knows:
//
//	h = SHA-256("omega.simulated.vote/v1\n" ‖ seed (8 bytes) ‖ round (8 bytes) ‖ validator ‖ "\n" ‖ job)
//
// read as in Simulated.Outcome.
func (s SimulatedVote) Outcome(seed uint64, job string, round int, validator string) (absent, wrong bool) {
	text := append(make([]byte, 0, 128), "omega.simulated.vote/v1\n"...)
	text = binary.BigEndian.AppendUint64(text, seed)
	text = binary.BigEndian.AppendUint64(text, uint64(round))
	text = append(append(text, validator...), '\n')
	h := sha256.Sum256(append(text, job...))
	absent = hit(h[0:8], s.AbsentRatio)
	return absent, !absent && hit(h[8:16], s.WrongRatio)
}
