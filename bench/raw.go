package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// rawPeer is the name of the peer every row that writes is held against.
const rawPeer = "append+fdatasync"

// rawFillBytes is how far ahead of its lines the bare file is filled, as a
// segment of the journal is: the peer is given what makes appends fast here.
const rawFillBytes = 4 << 20

// raw appends to a bare file.
type raw struct {
	file         *os.File
	size, filled int64
	fill         []byte
}

func openRaw(dir string) (*raw, error) {
	f, err := os.CreateTemp(dir, "raw-")
	if err != nil {
		return nil, fmt.Errorf("opening the bare file: %w", err)
	}
	return &raw{file: f, fill: bytes.Repeat([]byte("\n"), rawFillBytes)}, nil
}

func (r *raw) close() error {
	if err := r.file.Close(); err != nil {
		return err
	}
	return os.Remove(filepath.Clean(r.file.Name()))
}

// append writes bytes and makes them durable.
func (r *raw) append(b []byte) error {
	if _, err := r.file.WriteAt(b, r.size); err != nil {
		return err
	}
	r.size += int64(len(b))
	if r.size > r.filled && len(b) < rawFillBytes/64 {
		if _, err := r.file.WriteAt(r.fill, r.size); err != nil {
			return err
		}
		r.filled = r.size + rawFillBytes
	}
	return unix.Fdatasync(int(r.file.Fd()))
}

// rate appends a number of groups: each is the given batches, one sync each.
// It returns how many groups a second became durable.
func rawRate(dir string, groups int, batches ...[]byte) (float64, error) {
	r, err := openRaw(dir)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	for range groups {
		for _, batch := range batches {
			if err := r.append(batch); err != nil {
				return 0, fmt.Errorf("appending to the bare file: %w", err)
			}
		}
	}
	rate := float64(groups) / time.Since(began).Seconds()
	return rate, r.close()
}

// rawLatencies times single appends, in milliseconds.
func rawLatencies(dir string, n, size int) ([]float64, error) {
	r, err := openRaw(dir)
	if err != nil {
		return nil, err
	}
	line := bytes.Repeat([]byte("x"), size)
	took := make([]float64, n)
	for i := range took {
		began := time.Now()
		if err := r.append(line); err != nil {
			return nil, fmt.Errorf("appending to the bare file: %w", err)
		}
		took[i] = milliseconds(time.Since(began))
	}
	return took, r.close()
}

func milliseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

func microseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
