package council

import (
	"crypto/sha256"
	"fmt"
	"unicode/utf8"
)

// Vote is what a seat says of a result. The zero value is no vote.
type Vote uint8

// An abstention is a vote like the others, committed, sealed and revealed, but it counts as neither
// approval nor rejection and costs nothing.
const (
	Approve Vote = iota + 1
	Reject
	Abstain
)

var voteNames = [...]string{Approve: "approve", Reject: "reject", Abstain: "abstain"}

// String is the vote's permanent name, which is also what a commitment hashes.
func (v Vote) String() string {
	if v.valid() {
		return voteNames[v]
	}
	return fmt.Sprintf("vote(%d)", uint8(v))
}

// ParseVote is the inverse of String.
func ParseVote(text string) (Vote, error) {
	for v := Approve; v <= Abstain; v++ {
		if text == voteNames[v] {
			return v, nil
		}
	}
	return 0, fmt.Errorf("vote %.20q: not one of approve, reject, abstain", text)
}

func (v Vote) valid() bool { return v >= Approve && v <= Abstain }

const (
	// SealedSize is the length of the plaintext of every sealed vote. It is fixed because the length
	// of a box is there for all to read, and a rejection tends to say more than an approval.
	SealedSize = 96

	// MaxReason is the longest reason of a sealed vote in bytes: what is left beside vote and length.
	MaxReason = SealedSize - 2
)

// Plaintext lays out a vote for sealing: byte 0 is the vote (1 approve, 2 reject, 3 abstain), byte 1
// the length of the reason, then the reason in UTF-8, then zeros up to SealedSize.
func Plaintext(v Vote, reason string) ([SealedSize]byte, error) {
	var p [SealedSize]byte
	switch {
	case !v.valid():
		return p, fmt.Errorf("laying out a vote: %s is no vote", v)
	case len(reason) > MaxReason:
		return p, fmt.Errorf("laying out a vote: its reason has %d bytes, more than %d", len(reason), MaxReason)
	case !utf8.ValidString(reason):
		return p, fmt.Errorf("laying out a vote: its reason is not UTF-8")
	}
	p[0], p[1] = byte(v), byte(len(reason))
	copy(p[2:], reason)
	return p, nil
}

// ParsePlaintext is the inverse of Plaintext; it refuses every other layout.
func ParsePlaintext(p []byte) (Vote, string, error) {
	if len(p) != SealedSize {
		return 0, "", fmt.Errorf("reading a sealed vote: it has %d bytes, not %d", len(p), SealedSize)
	}
	if p[1] > MaxReason {
		return 0, "", fmt.Errorf("reading a sealed vote: its reason has %d bytes, more than %d", p[1], MaxReason)
	}
	v, reason := Vote(p[0]), string(p[2:2+p[1]])
	again, err := Plaintext(v, reason)
	if err != nil {
		return 0, "", fmt.Errorf("reading a sealed vote: %w", err)
	}
	if string(again[:]) != string(p) {
		return 0, "", fmt.Errorf("reading a sealed vote: bytes after its reason are not zero")
	}
	return v, reason, nil
}

// CutReason shortens a reason to MaxReason bytes of valid UTF-8, the last three of them an ellipsis
// when something was cut.
func CutReason(reason string) string {
	const ellipsis = "…"
	if !utf8.ValidString(reason) {
		reason = string([]rune(reason))
	}
	if len(reason) <= MaxReason {
		return reason
	}
	end := MaxReason - len(ellipsis)
	for !utf8.RuneStart(reason[end]) {
		end--
	}
	return reason[:end] + ellipsis
}

// ReasonDigest is what a commitment holds of a reason: SHA-256 of its bytes.
func ReasonDigest(reason string) [32]byte {
	if reason == "" { // of almost every vote
		return noReason
	}
	return sha256.Sum256([]byte(reason))
}

// noReason is the SHA-256 of nothing.
var noReason = [32]byte{
	0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
	0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
}
