package council

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// ErrSeal is returned for a box that was not sealed by this validator for this mission, job and round,
// or was changed since.
var ErrSeal = errors.New("the sealed vote does not open")

// Secret derives the secret of a validator the host holds from the host's own.
func Secret(host [32]byte, validator string) [32]byte {
	info := appendField(nil, "omega.validator/v1")
	return derive(extract(host), appendField(info, validator))
}

// Derive returns the signing key of a validator; its public part is in the validator's commitments.
func Derive(secret [32]byte) ed25519.PrivateKey {
	seed := derive(extract(secret), appendField(nil, "omega.sign/v1"))
	return ed25519.NewKeyFromSeed(seed[:])
}

// Sealer seals and opens the votes of one validator. It holds key material: it is never encoded.
type Sealer struct {
	prk [32]byte // HKDF-Extract of the secret, the same for every vote
}

// NewSealer returns the sealer of the validator with that secret.
func NewSealer(secret [32]byte) *Sealer { return &Sealer{prk: extract(secret)} }

// Salt is the salt of the validator's commitment in a round.
func (s *Sealer) Salt(mission, job string, round int) [32]byte {
	return s.key("omega.salt/v1", mission, job, round)
}

// Seal encrypts a plaintext for a round. The same plaintext gives the same nonce and box, so sealing
// again after a crash is harmless, and another plaintext never meets a used nonce.
func (s *Sealer) Seal(mission, job string, round int, plaintext []byte) (nonce [24]byte, box []byte) {
	key := s.key("omega.seal/v1", mission, job, round)
	nonce = nonceOf(key, plaintext)
	aead, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		panic(fmt.Sprintf("council: a 32-byte key is refused: %v", err))
	}
	box = make([]byte, 0, len(plaintext)+chacha20poly1305.Overhead)
	return nonce, aead.Seal(box, nonce[:], plaintext, nil)
}

// Open decrypts what Seal returned, and nothing else: also a box under a nonce that Seal would not
// have chosen is refused with ErrSeal.
func (s *Sealer) Open(mission, job string, round int, nonce [24]byte, box []byte) ([]byte, error) {
	key := s.key("omega.seal/v1", mission, job, round)
	aead, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		panic(fmt.Sprintf("council: a 32-byte key is refused: %v", err))
	}
	plaintext, err := aead.Open(nil, nonce[:], box, nil)
	if err != nil {
		return nil, fmt.Errorf("opening the vote of %s, round %d: %w", job, round, ErrSeal)
	}
	if own := nonceOf(key, plaintext); subtle.ConstantTimeCompare(own[:], nonce[:]) != 1 {
		return nil, fmt.Errorf("opening the vote of %s, round %d: %w: its nonce is not its own", job, round, ErrSeal)
	}
	return plaintext, nil
}

func (s *Sealer) key(tag, mission, job string, round int) [32]byte {
	var space [fieldSpace]byte
	info := appendField(space[:0], tag)
	info = appendField(info, mission)
	info = appendField(info, job)
	return derive(s.prk, appendNumber(info, uint64(round)))
}

func extract(secret [32]byte) [32]byte {
	prk, err := hkdf.Extract(sha256.New, secret[:], nil)
	if err != nil {
		panic(fmt.Sprintf("council: HKDF-Extract: %v", err))
	}
	return [32]byte(prk)
}

// derive is HKDF-Expand to one block: HMAC-SHA256(prk, info ‖ 1).
func derive(prk [32]byte, info []byte) [32]byte {
	return hmac(prk, append(info, 1))
}

func nonceOf(key [32]byte, plaintext []byte) (nonce [24]byte) {
	sum := hmac(key, plaintext)
	copy(nonce[:], sum[:])
	return nonce
}

// hmac is HMAC-SHA256 (RFC 2104) laid out on the stack: three of them a sealed vote, without the
// allocations of crypto/hmac, which the tests hold it against.
func hmac(key [32]byte, message []byte) [32]byte {
	const block = sha256.BlockSize
	var space [block + fieldSpace]byte
	var outer [block + sha256.Size]byte
	inner := append(append(space[:0], key[:]...), make([]byte, block-len(key))...)
	copy(outer[:], inner)
	for i := range block {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	sum := sha256.Sum256(append(inner, message...))
	copy(outer[block:], sum[:])
	return sha256.Sum256(outer[:])
}
