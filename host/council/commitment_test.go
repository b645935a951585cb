package council

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// vectors are frozen: they were computed apart from this package, from the words of its doc comments,
// and may never change.
type vectors struct {
	Commitments []struct {
		Mission, Job, Validator, Result, Vote, Reason, Salt, Commitment string
		Round                                                           int
	}
	Seals []struct {
		Host, ID, Secret, Public, Mission, Job, Vote, Reason, Salt, Nonce, Box string
		Round                                                                  int
	}
	Draws []struct {
		Mission   uint64
		Prev, Job string
		Round     int
		Seed      string
		Weights   []int64
		Last      []bool
		N         int
		Seats     []int
	}
}

func readVectors(t *testing.T) (v vectors) {
	raw, err := os.ReadFile("testdata/vectors.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &v))
	return v
}

func bytesOf(t *testing.T, text string) []byte {
	b, err := hex.DecodeString(text)
	require.NoError(t, err)
	return b
}

func digestOf(t *testing.T, text string) [32]byte { return [32]byte(bytesOf(t, text)) }

func TestCommitmentVectors(t *testing.T) {
	v := readVectors(t)
	require.GreaterOrEqual(t, len(v.Commitments), 4)
	for _, c := range v.Commitments {
		vote, err := ParseVote(c.Vote)
		require.NoError(t, err)
		got := Commitment(Ballot{
			Mission: c.Mission, Job: c.Job, Round: c.Round, Validator: bytesOf(t, c.Validator),
			Result: digestOf(t, c.Result), Vote: vote, Reason: ReasonDigest(c.Reason), Salt: digestOf(t, c.Salt),
		})
		require.Equal(t, c.Commitment, hex.EncodeToString(got[:]))
	}
}

// TestCommitmentBinds changes each field alone, moves a byte across a border between fields, and copies
// a commitment: everything gives another digest.
func TestCommitmentBinds(t *testing.T) {
	base := Ballot{Mission: "m1", Job: "j1", Round: 1, Validator: make([]byte, 32), Vote: Approve}
	seen := map[[32]byte]string{Commitment(base): "base"}
	for what, change := range map[string]func(*Ballot){
		"mission":              func(b *Ballot) { b.Mission = "m2" },
		"job":                  func(b *Ballot) { b.Job = "j2" },
		"border":               func(b *Ballot) { b.Mission, b.Job = "m1j", "1" },
		"round":                func(b *Ballot) { b.Round = 2 },
		"copied":               func(b *Ballot) { b.Validator = append(make([]byte, 31), 1) },
		"validator and result": func(b *Ballot) { b.Validator = make([]byte, 33) },
		"result":               func(b *Ballot) { b.Result[31] = 1 },
		"reject":               func(b *Ballot) { b.Vote = Reject },
		"abstain":              func(b *Ballot) { b.Vote = Abstain },
		"reason":               func(b *Ballot) { b.Reason[0] = 1 },
		"salt":                 func(b *Ballot) { b.Salt[0] = 1 },
	} {
		b := base
		change(&b)
		c := Commitment(b)
		require.Empty(t, seen[c], what)
		seen[c] = what
	}
}

func TestCommitmentOfLongFields(t *testing.T) {
	job := string(make([]byte, 5_000))
	b := Ballot{Mission: "m", Job: job, Validator: make([]byte, 32), Vote: Reject}
	var want []byte
	for _, field := range [][]byte{[]byte("omega.commit/v1"), []byte("m"), []byte(job), make([]byte, 8),
		b.Validator, b.Result[:], []byte("reject"), b.Reason[:], b.Salt[:]} {
		want = append(want, 0, 0, 0, 0, 0, 0, byte(len(field)>>8), byte(len(field)))
		want = append(want, field...)
	}
	require.Equal(t, sha256.Sum256(want), Commitment(b))
}
