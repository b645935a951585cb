package council

import (
	"bytes"
	"crypto/ed25519"
	"crypto/hkdf"
	stdhmac "crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/chacha20poly1305"
	"pgregory.net/rapid"
)

func TestSealVectors(t *testing.T) {
	v := readVectors(t)
	require.GreaterOrEqual(t, len(v.Seals), 3)
	for _, s := range v.Seals {
		secret := Secret(digestOf(t, s.Host), s.ID)
		require.Equal(t, s.Secret, hex.EncodeToString(secret[:]))
		require.Equal(t, s.Public, hex.EncodeToString(Derive(secret).Public().(ed25519.PublicKey)))
		vote, err := ParseVote(s.Vote)
		require.NoError(t, err)
		plaintext, err := Plaintext(vote, s.Reason)
		require.NoError(t, err)
		sealer := NewSealer(secret)
		salt := sealer.Salt(s.Mission, s.Job, s.Round)
		require.Equal(t, s.Salt, hex.EncodeToString(salt[:]))
		nonce, box := sealer.Seal(s.Mission, s.Job, s.Round, plaintext[:])
		require.Equal(t, s.Nonce, hex.EncodeToString(nonce[:]))
		require.Equal(t, s.Box, hex.EncodeToString(box))
	}
}

func TestSealRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sealer := NewSealer([32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "secret")))
		mission, job := rapid.String().Draw(t, "mission"), rapid.String().Draw(t, "job")
		round := rapid.IntRange(0, 1<<40).Draw(t, "round")
		plaintext := rapid.SliceOfN(rapid.Byte(), 0, 700).Draw(t, "plaintext")
		nonce, box := sealer.Seal(mission, job, round, plaintext)
		got, err := sealer.Open(mission, job, round, nonce, box)
		require.NoError(t, err)
		require.True(t, bytes.Equal(plaintext, got))
		again, same := sealer.Seal(mission, job, round, plaintext)
		require.Equal(t, nonce, again)
		require.Equal(t, box, same)
	})
}

func TestSealTampered(t *testing.T) {
	sealer := NewSealer([32]byte{7})
	plaintext, err := Plaintext(Reject, "too few cells")
	require.NoError(t, err)
	nonce, box := sealer.Seal("m", "j", 3, plaintext[:])
	for bit := range len(box) * 8 {
		changed := bytes.Clone(box)
		changed[bit/8] ^= 1 << (bit % 8)
		_, err := sealer.Open("m", "j", 3, nonce, changed)
		require.ErrorIs(t, err, ErrSeal)
	}
	for bit := range len(nonce) * 8 {
		changed := nonce
		changed[bit/8] ^= 1 << (bit % 8)
		_, err := sealer.Open("m", "j", 3, changed, box)
		require.ErrorIs(t, err, ErrSeal)
	}
	for cut := range len(box) {
		_, err := sealer.Open("m", "j", 3, nonce, box[:cut])
		require.ErrorIs(t, err, ErrSeal)
	}
}

func TestSealForeignNonce(t *testing.T) {
	sealer := NewSealer([32]byte{7})
	one, _ := sealer.Seal("m", "j", 1, []byte("one"))
	key := sealer.key("omega.seal/v1", "m", "j", 1)
	_, err := sealer.Open("m", "j", 1, one, boxUnder(t, key, one, "two"))
	require.ErrorIs(t, err, ErrSeal, "the box is sound, its nonce is another plaintext's")
}

// TestSealKeysDiffer opens a box as another validator and for another mission, job and round, also
// where only the border between two fields moves.
func TestSealKeysDiffer(t *testing.T) {
	host := [32]byte{9}
	a, b := NewSealer(Secret(host, "a")), NewSealer(Secret(host, "b"))
	require.NotEqual(t, Secret(host, "a"), Secret([32]byte{8}, "a"))
	require.NotEqual(t, Derive(Secret(host, "a")), Derive(Secret(host, "b")))
	nonce, box := a.Seal("m1", "j1", 1, []byte("vote"))
	salt := a.Salt("m1", "j1", 1)
	for _, other := range []struct {
		sealer       *Sealer
		mission, job string
		round        int
	}{{b, "m1", "j1", 1}, {a, "m2", "j1", 1}, {a, "m1", "j2", 1}, {a, "m1", "j1", 2}, {a, "m1j", "1", 1}, {a, "m", "1j1", 1}} {
		_, err := other.sealer.Open(other.mission, other.job, other.round, nonce, box)
		require.ErrorIs(t, err, ErrSeal)
		require.NotEqual(t, salt, other.sealer.Salt(other.mission, other.job, other.round))
	}
	require.NotEqual(t, salt, a.key("omega.seal/v1", "m1", "j1", 1), "salt and key differ by their tag")
}

// TestPrimitives holds the hand-laid HMAC and HKDF against the standard library's.
func TestPrimitives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key"))
		message := rapid.SliceOfN(rapid.Byte(), 0, 1_200).Draw(t, "message")
		mac := stdhmac.New(sha256.New, key[:])
		mac.Write(message)
		got := hmac(key, message)
		require.Equal(t, mac.Sum(nil), got[:])
		want, err := hkdf.Key(sha256.New, key[:], nil, string(message), 32)
		require.NoError(t, err)
		got = derive(extract(key), message)
		require.Equal(t, want, got[:])
	})
}

func TestPlaintext(t *testing.T) {
	for _, reason := range []string{"", "cells", strings.Repeat("é", MaxReason/2)} {
		for v := Approve; v <= Abstain; v++ {
			p, err := Plaintext(v, reason)
			require.NoError(t, err)
			vote, text, err := ParsePlaintext(p[:])
			require.NoError(t, err)
			require.Equal(t, v, vote)
			require.Equal(t, reason, text)
		}
	}
	for _, bad := range []struct {
		vote   Vote
		reason string
	}{{0, ""}, {4, ""}, {Approve, strings.Repeat("x", MaxReason+1)}, {Approve, "\xff"}} {
		_, err := Plaintext(bad.vote, bad.reason)
		require.Error(t, err)
	}
	good, err := Plaintext(Approve, "ab")
	require.NoError(t, err)
	for what, change := range map[string]func([]byte) []byte{
		"short":        func(p []byte) []byte { return p[:SealedSize-1] },
		"long":         func(p []byte) []byte { return append(p, 0) },
		"no vote":      func(p []byte) []byte { p[0] = 0; return p },
		"unknown vote": func(p []byte) []byte { p[0] = 4; return p },
		"length":       func(p []byte) []byte { p[1] = MaxReason + 1; return p },
		"rest":         func(p []byte) []byte { p[SealedSize-1] = 1; return p },
		"cut reason":   func(p []byte) []byte { p[1] = 1; return p },
		"not UTF-8":    func(p []byte) []byte { p[2] = 0xff; return p },
	} {
		_, _, err := ParsePlaintext(change(bytes.Clone(good[:])))
		require.Error(t, err, what)
	}
}

func TestCutReason(t *testing.T) {
	require.Equal(t, "short", CutReason("short"))
	exact := strings.Repeat("x", MaxReason)
	require.Equal(t, exact, CutReason(exact))
	rapid.Check(t, func(t *rapid.T) {
		reason := string(rapid.SliceOfN(rapid.Byte(), 0, 400).Draw(t, "bytes")) + strings.Repeat("é", rapid.IntRange(0, 120).Draw(t, "runes"))
		cut := CutReason(reason)
		require.LessOrEqual(t, len(cut), MaxReason)
		require.True(t, utf8.ValidString(cut))
	})
	require.Equal(t, strings.Repeat("é", (MaxReason-3)/2)+"…", CutReason(strings.Repeat("é", 200)))
}

func TestVoteNames(t *testing.T) {
	for v := Approve; v <= Abstain; v++ {
		got, err := ParseVote(v.String())
		require.NoError(t, err)
		require.Equal(t, v, got)
	}
	for _, text := range []string{"", "Approve", "approved", "vote(0)"} {
		_, err := ParseVote(text)
		require.Error(t, err)
	}
}

// boxUnder seals under a nonce of the test's choice.
func boxUnder(t *testing.T, key [32]byte, nonce [24]byte, plaintext string) []byte {
	aead, err := chacha20poly1305.NewX(key[:])
	require.NoError(t, err)
	return aead.Seal(nil, nonce[:], []byte(plaintext), nil)
}
