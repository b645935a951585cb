package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"strconv"
)

// MaxEntry bounds one line in bytes, newline not counted: a reader must be able to hold any line in memory.
const MaxEntry = 4 << 20

const (
	seqKey  = `{"seq":`
	prevKey = `,"prev":"`
	crcKey  = `,"crc":"`
	lineEnd = `"}`
	crcLen  = len(crcKey) + 2*crc32.Size + len(lineEnd)
	prevLen = len(prevKey) + 2*sha256.Size + len(`"`)
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Digest is the SHA-256 of a line without its newline.
type Digest = [sha256.Size]byte

// Line is one entry as it stands in the journal.
type Line struct {
	Seq   uint64
	Bytes []byte // the whole line without its newline
}

// Digest returns the digest of the entry. It is computed on each call: most readers do not need it.
func (l Line) Digest() Digest { return sha256.Sum256(l.Bytes) }

// Body returns the members between seq and prev, as the caller of Append gave them.
func (l Line) Body() []byte {
	start := bytes.IndexByte(l.Bytes, ',') + 1
	return l.Bytes[start : len(l.Bytes)-crcLen-prevLen]
}

// appendCRC closes the JSON object that begins at dst[start] with its checksum.
func appendCRC(dst []byte, start int) []byte {
	object := dst[start:]
	dst = append(dst, crcKey...)
	dst = appendSum(dst, object)
	return append(dst, lineEnd...)
}

// goodCRC reports whether object ends in the checksum that appendCRC gives it, to the byte.
func goodCRC(object []byte) bool {
	at := len(object) - crcLen
	if at < 0 {
		return false
	}
	var tail [crcLen]byte
	want := append(tail[:0], crcKey...)
	want = appendSum(want, object[:at])
	want = append(want, lineEnd...)
	return bytes.Equal(object[at:], want)
}

// appendSum appends the CRC-32C of covered as 8 hex digits.
func appendSum(dst, covered []byte) []byte {
	sum := crc32.Checksum(covered, castagnoli)
	return hex.AppendEncode(dst, []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
}

// appendPrev appends the member that chains a line to the one before.
func appendPrev(dst []byte, prev *Digest) []byte {
	dst = append(dst, prevKey...)
	dst = hex.AppendEncode(dst, prev[:])
	return append(dst, '"')
}

// faultOf says what is wrong with line as entry seq, or "" if nothing is. Without prev the chain is not looked at.
func faultOf(line []byte, seq uint64, prev *Digest) string {
	if len(line) > MaxEntry {
		return "the line is too long"
	}
	if !goodCRC(line) {
		return "the checksum differs"
	}
	var room [32]byte
	head := append(strconv.AppendUint(append(room[:0], seqKey...), seq, 10), ',')
	if !bytes.HasPrefix(line, head) {
		return fmt.Sprintf("this is not entry %d", seq)
	}
	at := len(line) - crcLen - prevLen
	if at <= len(head) || !bytes.HasPrefix(line[at:], []byte(prevKey)) {
		return "the line is not framed as an entry"
	}
	if prev == nil {
		return ""
	}
	var chain [prevLen]byte
	if !bytes.Equal(line[at:at+prevLen], appendPrev(chain[:0], prev)) {
		return fmt.Sprintf("prev is not the digest of entry %d", seq-1)
	}
	return ""
}
