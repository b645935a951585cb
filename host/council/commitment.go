package council

import "crypto/sha256"

// Ballot is everything a commitment binds.
type Ballot struct {
	Mission   string // mission id
	Job       string // job id
	Round     int
	Validator []byte // ed25519 public key: a copied commitment cannot be revealed by another
	Result    [32]byte
	Vote      Vote
	Reason    [32]byte // ReasonDigest of the reason
	Salt      [32]byte
}

// Commitment is SHA-256 over these fields in this order, each preceded by its length in bytes as an
// 8-byte big-endian integer:
//
//	"omega.commit/v1"           15 bytes
//	mission id                  text
//	job id                      text
//	round                       8 bytes, big endian
//	validator's public key      32 bytes
//	digest of the result        32 bytes
//	vote                        text: approve, reject or abstain
//	digest of the reason        32 bytes
//	salt                        32 bytes
func Commitment(b Ballot) [32]byte {
	var space [fieldSpace]byte
	p := appendField(space[:0], "omega.commit/v1")
	p = appendField(p, b.Mission)
	p = appendField(p, b.Job)
	p = appendNumber(p, uint64(b.Round))
	p = appendField(p, b.Validator)
	p = appendField(p, b.Result[:])
	p = appendField(p, b.Vote.String())
	p = appendField(p, b.Reason[:])
	p = appendField(p, b.Salt[:])
	return sha256.Sum256(p)
}

// SigningBytes is what a validator signs whose key lies outside the host: which round it commits in,
// and to what. A commitment tells nobody to which job it belongs, so without its place anybody could
// bring an old one into another round, as a vote nobody can reveal or as proof of equivocation. Each
// field is preceded by its length, as in Commitment:
//
//	"omega.vote/v1"   13 bytes
//	mission id        text
//	job id            text
//	round             8 bytes, big endian
//	commitment        32 bytes
func SigningBytes(mission, job string, round int64, commitment [32]byte) []byte {
	p := appendField(make([]byte, 0, fieldSpace), "omega.vote/v1")
	p = appendField(p, mission)
	p = appendField(p, job)
	p = appendNumber(p, uint64(round))
	return appendField(p, commitment[:])
}
