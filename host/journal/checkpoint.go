package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	checkpointFormat = "omega.checkpoint/v1"
	manifestSuffix   = ".json"
	chunkSuffix      = ".chunk"
	// keptCheckpoints is how many manifests stay: if a chunk of the newest is damaged there is one before it.
	keptCheckpoints = 2
	// MaxChunk bounds one chunk in bytes: a changed byte costs the writing of its chunk.
	MaxChunk = 32 << 20
	// MaxChunks bounds one checkpoint: its manifest, rewritten whole, stays below 5 MiB.
	MaxChunks   = 1 << 16
	maxManifest = MaxChunks*(2*sha256.Size+3) + 1<<10
)

// Checkpoint is a manifest: what lies in which chunks, as of an entry.
type Checkpoint struct {
	Seq    uint64
	Digest Digest   // of entry Seq
	Chunks []Digest // SHA-256 of each chunk, in order
}

// Witness returns the checkpoint as a proof that its entry was durable.
func (c Checkpoint) Witness() Witness {
	return Witness{Seq: c.Seq, Digest: c.Digest, Source: fmt.Sprintf("checkpoint %d", c.Seq)}
}

// Checkpoints is a folder of checkpoints: chunk files named by their digest and manifests that list them. It holds
// bytes only and can be rebuilt from the journal. It is for one goroutine.
type Checkpoints struct {
	disk   FS
	dir    string
	chunks map[Digest]bool // the chunk files there
	kept   []Checkpoint    // those whose manifest is whole, oldest first
	stale  []string        // names to be removed by the next Save
}

// OpenCheckpoints reads the manifests of a folder, which need not exist.
func OpenCheckpoints(disk FS, dir string) (*Checkpoints, error) {
	if disk == nil {
		disk = OS{}
	}
	c := &Checkpoints{disk: disk, dir: dir, chunks: map[Digest]bool{}}
	names, err := disk.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("reading the checkpoints: %w", err)
	}
	for _, name := range names {
		if digest, ok := chunkDigest(name); ok {
			c.chunks[digest] = true
		}
		if strings.HasSuffix(name, besideSuffix) {
			c.stale = append(c.stale, name)
		}
		if !strings.HasSuffix(name, manifestSuffix) {
			continue
		}
		content, err := readSmall(disk, filepath.Join(dir, name), maxManifest)
		if err != nil {
			return nil, fmt.Errorf("reading the checkpoint %s: %w", name, err)
		}
		if point, ok := parseManifest(content); ok && name == manifestName(point.Seq) {
			c.kept = append(c.kept, point)
		} else {
			c.stale = append(c.stale, name)
		}
	}
	return c, nil
}

// Kept returns the checkpoints whose manifests are whole, oldest first. Each is a witness, even if a chunk is damaged.
func (c *Checkpoints) Kept() []Checkpoint { return slices.Clone(c.kept) }

// Put stores a chunk unless it is there, and returns its digest. It is durable when Save has returned.
func (c *Checkpoints) Put(chunk []byte) (Digest, error) {
	digest := sha256.Sum256(chunk)
	if c.chunks[digest] {
		return digest, nil
	}
	if len(chunk) > MaxChunk {
		return digest, fmt.Errorf("a chunk of %d bytes exceeds %d", len(chunk), MaxChunk)
	}
	if err := c.disk.MkdirAll(c.dir); err != nil {
		return digest, fmt.Errorf("making the folder of checkpoints: %w", err)
	}
	f, err := replace(c.disk, c.chunkPath(digest), true, func(f File) error {
		_, err := f.WriteAt(chunk, 0)
		return err
	})
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return digest, fmt.Errorf("writing a chunk: %w", err)
	}
	c.chunks[digest] = true
	return digest, nil
}

// Save stores a checkpoint of chunks that were Put before, now or for an earlier one, then removes all but the two
// newest and the chunks that neither holds. Save only what is durable in the journal: a checkpoint is a witness. The
// cost is that of its manifest and of what is removed; chunks are written by Put.
func (c *Checkpoints) Save(point Checkpoint) error {
	if point.Seq == 0 || len(point.Chunks) > MaxChunks {
		return fmt.Errorf("a checkpoint of entry %d with %d chunks cannot be saved", point.Seq, len(point.Chunks))
	}
	for _, digest := range point.Chunks {
		if !c.chunks[digest] {
			return fmt.Errorf("saving checkpoint %d: chunk %x is not stored", point.Seq, digest)
		}
	}
	if err := c.disk.MkdirAll(c.dir); err != nil {
		return fmt.Errorf("making the folder of checkpoints: %w", err)
	}
	for _, dir := range []string{c.dir, filepath.Dir(c.dir)} { // the chunks' names before the manifest's
		if err := c.disk.SyncDir(dir); err != nil {
			return fmt.Errorf("syncing the folder %s: %w", dir, err)
		}
	}
	path := filepath.Join(c.dir, manifestName(point.Seq))
	if err := replaceWith(c.disk, path, appendManifest(nil, point)); err != nil {
		return fmt.Errorf("writing checkpoint %d: %w", point.Seq, err)
	}
	point.Chunks = slices.Clone(point.Chunks)
	c.kept = append(slices.DeleteFunc(c.kept, func(p Checkpoint) bool { return p.Seq == point.Seq }), point)
	return c.prune()
}

// prune removes old manifests, then the chunks that no manifest left holds.
func (c *Checkpoints) prune() error {
	for len(c.kept) > keptCheckpoints {
		c.stale = append(c.stale, manifestName(c.kept[0].Seq))
		c.kept = c.kept[1:]
	}
	held := map[Digest]bool{}
	for _, point := range c.kept {
		c.stale = slices.DeleteFunc(c.stale, func(name string) bool { return name == manifestName(point.Seq) })
		for _, digest := range point.Chunks {
			held[digest] = true
		}
	}
	var loose []string
	for digest := range c.chunks {
		if !held[digest] {
			loose = append(loose, chunkName(digest))
			delete(c.chunks, digest)
		}
	}
	slices.Sort(loose)
	c.stale = append(c.stale, loose...)
	for ; len(c.stale) > 0; c.stale = c.stale[1:] {
		err := c.disk.Remove(filepath.Join(c.dir, c.stale[0]))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("removing an old checkpoint: %w", err)
		}
	}
	return nil
}

// Load returns the newest checkpoint of which every chunk is what its name says, and the chunks; ok is false if there
// is none. A damaged chunk counts as not stored from then on.
func (c *Checkpoints) Load() (point Checkpoint, chunks [][]byte, ok bool, err error) {
	for _, point := range slices.Backward(c.kept) {
		chunks, ok, err := c.read(point)
		if ok || err != nil {
			return point, chunks, ok, err
		}
	}
	return Checkpoint{}, nil, false, nil
}

func (c *Checkpoints) read(point Checkpoint) (chunks [][]byte, ok bool, err error) {
	for _, digest := range point.Chunks {
		chunk, err := readSmall(c.disk, c.chunkPath(digest), MaxChunk)
		if err != nil {
			return nil, false, fmt.Errorf("reading checkpoint %d: %w", point.Seq, err)
		}
		if chunk == nil || sha256.Sum256(chunk) != digest {
			delete(c.chunks, digest)
			return nil, false, nil
		}
		chunks = append(chunks, chunk)
	}
	return chunks, true, nil
}

func (c *Checkpoints) chunkPath(digest Digest) string { return filepath.Join(c.dir, chunkName(digest)) }

func chunkName(digest Digest) string { return hex.EncodeToString(digest[:]) + chunkSuffix }

func chunkDigest(name string) (digest Digest, ok bool) {
	raw, err := hex.DecodeString(strings.TrimSuffix(name, chunkSuffix))
	if err != nil || len(raw) != len(digest) {
		return digest, false
	}
	digest = Digest(raw)
	return digest, name == chunkName(digest)
}

func manifestName(seq uint64) string { return fmt.Sprintf("%020d", seq) + manifestSuffix }

// appendManifest appends the one line of a manifest.
func appendManifest(dst []byte, point Checkpoint) []byte {
	start := len(dst)
	dst = append(dst, `{"format":"`+checkpointFormat+`","seq":`...)
	dst = strconv.AppendUint(dst, point.Seq, 10)
	dst = append(dst, `,"digest":"`...)
	dst = hex.AppendEncode(dst, point.Digest[:])
	dst = append(dst, `","chunks":[`...)
	for i, digest := range point.Chunks {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = hex.AppendEncode(dst, digest[:])
		dst = append(dst, '"')
	}
	dst = append(dst, ']')
	return append(appendCRC(dst, start), '\n')
}

// parseManifest reads a manifest; ok is false unless its fields derive the same bytes again.
func parseManifest(content []byte) (point Checkpoint, ok bool) {
	var raw struct {
		Seq    uint64   `json:"seq"`
		Digest string   `json:"digest"`
		Chunks []string `json:"chunks"`
	}
	if !goodCRC(bytes.TrimSuffix(content, []byte("\n"))) || json.Unmarshal(content, &raw) != nil {
		return point, false
	}
	point = Checkpoint{Seq: raw.Seq, Chunks: make([]Digest, len(raw.Chunks))}
	if !decodeDigest(&point.Digest, raw.Digest) {
		return point, false
	}
	for i, text := range raw.Chunks {
		if !decodeDigest(&point.Chunks[i], text) {
			return point, false
		}
	}
	return point, bytes.Equal(content, appendManifest(nil, point))
}

// decodeDigest reads 64 hex digits.
func decodeDigest(d *Digest, text string) bool {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(d) {
		return false
	}
	*d = Digest(raw)
	return true
}
