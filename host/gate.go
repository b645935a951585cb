package host

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/council"
)

// SignedVote is a commitment as the holder of an outside seat sends it.
type SignedVote struct {
	Validator  string // who sends it
	Job        string
	Round      int64
	Seat       int64
	Commitment core.Digest
	Signature  []byte // ed25519 over council.SigningBytes
}

// ErrUnsigned is returned for a vote that is not signed by the validator it
// names. It never reaches the loop.
var ErrUnsigned = errors.New("the vote is not signed by this validator")

// gate stands before the loop: it verifies the signatures of votes that come
// from outside, on the goroutine of whoever sends them.
type gate struct {
	generation int64
	known      atomic.Pointer[outsiders]
}

// outsiders are the validators that sign for themselves.
type outsiders struct {
	mission string
	keys    map[string][32]byte
}

// follow learns of the validators of a new generation. Only the loop calls it.
func (g *gate) follow(s *core.State) {
	if s.Generation() == g.generation {
		return
	}
	g.generation = s.Generation()
	known := &outsiders{s.Mission().Mission, map[string][32]byte{}}
	for _, v := range s.Validators() {
		if v.Outside {
			known.keys[v.ID] = v.Key
		}
	}
	g.known.Store(known)
}

// admit makes an input of a vote whose signature holds.
func (g *gate) admit(v SignedVote) (input, error) {
	known := g.known.Load()
	if known == nil {
		known = &outsiders{}
	}
	key, ok := known.keys[v.Validator]
	if !ok {
		return input{}, fmt.Errorf("%s holds no seat outside the host: %w", v.Validator, ErrUnsigned)
	}
	if !ed25519.Verify(key[:], council.SigningBytes(known.mission, v.Job, v.Round, v.Commitment), v.Signature) {
		return input{}, fmt.Errorf("round %d of %s, %s: %w", v.Round, v.Job, v.Validator, ErrUnsigned)
	}
	sealed := core.SealedVote{Seat: v.Seat, Commitment: v.Commitment, Signature: v.Signature}
	return input{
		by: "validator:" + v.Validator, command: &core.Commit{Job: v.Job, Round: v.Round, Votes: []core.SealedVote{sealed}}, vote: &v,
	}, nil
}

// seated reports whether a vote is for the seat of the validator that signed it:
// a good signature on another's seat must not become a record.
func (v *SignedVote) seated(s *core.State) bool {
	j := s.Job(v.Job)
	return j != nil && j.Round != nil && v.Seat >= 0 && v.Seat < int64(len(j.Round.Seats)) && j.Round.Seats[v.Seat].Validator.ID == v.Validator
}
