package journal

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

const benchMission = "01J0000000000000000000000A"

// benchBody is a body of 300 bytes.
var benchBody = append(append([]byte(`"at":123456,"by":"owner","input":"`), bytes.Repeat([]byte("x"), 265)...), '"')

func benchEncode(dst []byte) []byte { return append(dst, benchBody...) }

// clientCounts are how many callers wait for their entry at a time.
var clientCounts = []int{1, 16, 256, 4096}

// BenchmarkAppend is the cost of one entry to its caller, the disk taken away.
func BenchmarkAppend(b *testing.B) {
	j, _, err := Open(Options{FS: discard{}, Dir: "journal", Mission: benchMission, NoSync: true})
	require.NoError(b, err)
	b.SetBytes(int64(len(benchBody)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := j.Append(benchEncode); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDurable is an entry durable for each of many callers; BenchmarkRaw is its measure.
func BenchmarkDurable(b *testing.B) {
	for _, clients := range clientCounts {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			j, _, err := Open(Options{Dir: filepath.Join(b.TempDir(), "journal"), Mission: benchMission})
			require.NoError(b, err)
			b.ResetTimer()
			var left atomic.Int64
			left.Store(int64(b.N))
			var all sync.WaitGroup
			for range clients {
				all.Go(func() {
					for left.Add(-1) >= 0 {
						seq, _, err := j.Append(benchEncode)
						if err == nil {
							err = j.WaitDurable(context.Background(), seq)
						}
						if err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
			b.StopTimer()
			require.NoError(b, j.Close())
		})
	}
}

// BenchmarkLoop is one caller that keeps that many entries outstanding, as the host's loop does.
func BenchmarkLoop(b *testing.B) {
	for _, outstanding := range clientCounts {
		b.Run(fmt.Sprint(outstanding), func(b *testing.B) {
			j, _, err := Open(Options{Dir: filepath.Join(b.TempDir(), "journal"), Mission: benchMission})
			require.NoError(b, err)
			b.ResetTimer()
			for range b.N {
				seq, _, err := j.Append(benchEncode)
				if err == nil && seq > uint64(outstanding) {
					err = j.WaitDurable(context.Background(), seq-uint64(outstanding)+1)
				}
				require.NoError(b, err)
			}
			seq, _ := j.Head()
			require.NoError(b, j.WaitDurable(context.Background(), seq))
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
			b.StopTimer()
			require.NoError(b, j.Close())
		})
	}
}

// BenchmarkRaw appends the same bytes to a bare file, one fdatasync for as many entries as there are callers.
func BenchmarkRaw(b *testing.B) {
	line := make([]byte, len(benchBody)+len(`{"seq":100000,`)+prevLen+crcLen+1)
	for _, clients := range clientCounts {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			f, err := os.Create(filepath.Join(b.TempDir(), "raw"))
			require.NoError(b, err)
			defer f.Close()
			batch := bytes.Repeat(line, clients)
			b.ResetTimer()
			for done := 0; done < b.N; done += clients {
				_, err := f.Write(batch)
				require.NoError(b, err)
				require.NoError(b, datasync(f))
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

// benchJournal writes a journal of 40 MB.
func benchJournal(b *testing.B) Options {
	o := Options{Dir: filepath.Join(b.TempDir(), "journal"), Mission: benchMission}
	j, _, err := Open(o)
	require.NoError(b, err)
	for range 100_000 {
		if _, _, err := j.Append(benchEncode); err != nil {
			b.Fatal(err)
		}
	}
	require.NoError(b, j.Close())
	return o
}

// BenchmarkRead verifies 100,000 entries, as every start does without a trusted checkpoint.
func BenchmarkRead(b *testing.B) {
	o := benchJournal(b)
	for b.Loop() {
		v, err := Read(o)
		require.NoError(b, err)
		require.Equal(b, uint64(100_000), v.Recovery().Seq)
	}
}

// BenchmarkCursor reads 100,000 entries.
func BenchmarkCursor(b *testing.B) {
	v, err := Read(benchJournal(b))
	require.NoError(b, err)
	for b.Loop() {
		c := v.Cursor(1)
		for err = nil; err == nil; {
			_, err = c.Next(context.Background())
		}
		require.Equal(b, io.EOF, err)
		require.NoError(b, c.Close())
	}
}

// BenchmarkStart opens and closes a new journal.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	for n := 0; b.Loop(); n++ {
		j, _, err := Open(Options{Dir: filepath.Join(dir, fmt.Sprint(n), "journal"), Mission: benchMission})
		require.NoError(b, err)
		require.NoError(b, j.Close())
	}
}

// discard is an FS that forgets what is written.
type discard struct{ OS }

type discardFile struct{ File }

func (discard) OpenFile(string, int) (File, error)         { return discardFile{}, nil }
func (discard) ReadDir(string) ([]string, error)           { return nil, nil }
func (discard) MkdirAll(string) error                      { return nil }
func (discard) Rename(string, string) error                { return nil }
func (discard) Remove(string) error                        { return nil }
func (discard) SyncDir(string) error                       { return nil }
func (discardFile) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
func (discardFile) ReadAt([]byte, int64) (int, error)      { return 0, io.EOF }
func (discardFile) Truncate(int64) error                   { return nil }
func (discardFile) Sync() error                            { return nil }
func (discardFile) Close() error                           { return nil }
