package journal

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// Witness is a proof that an entry was durable.
type Witness struct {
	Seq    uint64
	Digest Digest // of entry Seq
	Source string // who says so, for messages: "checkpoint 57", "replica /mnt/b"
}

const (
	durableFile = "durable"
	closedFile  = "closed"
	seqDigits   = 20 // of the largest uint64
)

// appendRecord appends the one line of a witness file: its name and version, seq in 20 digits, digest and CRC-32C
// of all before it, parted by single spaces. The length is fixed, so that one is overwritten in place.
func appendRecord(dst []byte, name string, seq uint64, digest *Digest) []byte {
	start := len(dst)
	dst = append(dst, "omega."+name+"/v1 "...)
	var digits [seqDigits]byte
	number := strconv.AppendUint(digits[:0], seq, 10)
	for range seqDigits - len(number) {
		dst = append(dst, '0')
	}
	dst = append(dst, number...)
	dst = append(dst, ' ')
	dst = hex.AppendEncode(dst, digest[:])
	dst = append(dst, ' ')
	dst = appendSum(dst, dst[start:])
	return append(dst, '\n')
}

// readRecord returns what a witness file says, and whether there is one. One that is missing, torn or damaged says
// nothing: Seq is 0.
func readRecord(disk FS, dir, name string) (w Witness, present bool, err error) {
	path := filepath.Join(dir, name)
	w.Source = name
	limit := len(appendRecord(nil, name, 0, &w.Digest)) + 1
	content, err := readSmall(disk, path, int64(limit))
	if err != nil {
		return w, false, fmt.Errorf("reading %s: %w", path, err)
	}
	fields := bytes.Fields(content)
	if len(fields) != 4 || len(fields[2]) != 2*len(w.Digest) {
		return w, content != nil, nil
	}
	var digest Digest
	seq, seqErr := strconv.ParseUint(string(fields[1]), 10, 64)
	_, hexErr := hex.Decode(digest[:], fields[2])
	if seqErr == nil && hexErr == nil && bytes.Equal(content, appendRecord(nil, name, seq, &digest)) {
		w.Seq, w.Digest = seq, digest
	}
	return w, true, nil
}

// openDurable opens the file durable for writing in place. It is never synced: whatever of it reaches the disk was
// true before it was written.
func openDurable(disk FS, dir string) (File, error) {
	return disk.OpenFile(filepath.Join(dir, durableFile), os.O_RDWR|os.O_CREATE)
}

// DurableSeq is what the journal in dir says of itself without being read: the last entry known to be durable, 0 if it
// does not say.
func DurableSeq(dir string) uint64 {
	w, _, err := readRecord(OS{}, dir, durableFile)
	if err != nil {
		return 0
	}
	return w.Seq
}
