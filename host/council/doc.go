// Package council is the commit–reveal scheme as pure functions: what a commitment is, how a vote
// the host holds is sealed until its round reveals, who is drawn, what the votes decide, and what a
// seat loses. It holds no rounds and no jobs: those are state of the core. It has no clock, no
// randomness, no goroutine and no disk; every key and every nonce is derived.
//
// Units. Stakes and losses are integers in minor units of TOKEN; ratios are parts per million. Rounds
// count on through all attempts of a job and never restart.
//
// Encoding. Whatever is hashed or derived here is a list of fields, each preceded by its length in
// bytes as an 8-byte big-endian integer, so that no two lists of fields have the same bytes. The first
// field is an ASCII domain tag. Text is its UTF-8 bytes; a round or a mission's seed is 8 bytes, big
// endian; a vote is its name.
//
//	commitment  SHA-256( omega.commit/v1, mission, job, round, validator key (32), result digest (32),
//	                     vote, reason digest (32), salt (32) )
//	draw seed   SHA-256( omega.draw/v1, mission seed (8), prev (32), job, round )
//	secret      HKDF( host secret,      info = omega.validator/v1, validator id )
//	signing key ed25519 from the 32-byte seed
//	            HKDF( validator secret, info = omega.sign/v1 )
//	sealing key HKDF( validator secret, info = omega.seal/v1, mission, job, round )
//	salt        HKDF( validator secret, info = omega.salt/v1, mission, job, round )
//	nonce       the first 24 bytes of HMAC-SHA256( sealing key, plaintext )
//	box         XChaCha20-Poly1305( sealing key, nonce, plaintext ), no additional data: all that
//	            names the vote is in the key
//
// HKDF is HKDF-SHA256 with an empty salt and 32 bytes of output.
package council
