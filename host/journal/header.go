package journal

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

const (
	formatName = "omega.journal/v"
	format     = formatName + "1"
	// maxMission bounds a mission id: a ULID has 26 characters.
	maxMission = 64
)

// header is the first line of a segment. It is not an entry.
type header struct {
	mission string
	segment uint64
	first   uint64 // seq of the first entry in the segment
	prev    Digest // digest of the entry before it
}

// append appends the header line, newline included.
func (h header) append(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, `{"format":"`+format+`","mission":"`...)
	dst = append(dst, h.mission...)
	dst = append(dst, `","segment":`...)
	dst = strconv.AppendUint(dst, h.segment, 10)
	dst = append(dst, `,"first":`...)
	dst = strconv.AppendUint(dst, h.first, 10)
	dst = appendPrev(dst, &h.prev)
	return append(appendCRC(dst, start), '\n')
}

// parseHeader reads a header line, given without its newline. ok is false unless its fields derive the same bytes
// again. A whole header of a later format is ErrNewerFormat: each format ends its header in the same checksum.
func parseHeader(line []byte) (h header, ok bool, err error) {
	var raw struct {
		Format  string `json:"format"`
		Mission string `json:"mission"`
		Segment uint64 `json:"segment"`
		First   uint64 `json:"first"`
		Prev    string `json:"prev"`
	}
	if !goodCRC(line) {
		return h, false, nil
	}
	decodeErr := json.Unmarshal(line, &raw)
	if strings.HasPrefix(raw.Format, formatName) && raw.Format != format {
		return h, false, fmt.Errorf("format %q: %w", raw.Format, ErrNewerFormat)
	}
	if decodeErr != nil || len(raw.Prev) != 2*len(h.prev) {
		return h, false, nil
	}
	h = header{mission: raw.Mission, segment: raw.Segment, first: raw.First}
	if _, err := hex.Decode(h.prev[:], []byte(raw.Prev)); err != nil {
		return h, false, nil
	}
	ok = validMission(h.mission) && bytes.Equal(bytes.TrimSuffix(h.append(nil), []byte("\n")), line)
	return h, ok, nil
}

// validMission reports whether id can stand in a header as it is.
func validMission(id string) bool {
	for _, c := range []byte(id) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && c != '-' && c != '_' {
			return false
		}
	}
	return 0 < len(id) && len(id) <= maxMission
}
