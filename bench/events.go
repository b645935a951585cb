package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/omega-run/omega/host/journal"
)

// benchMission is a ULID.
const benchMission = "01J0000000000000000000000A"

// eventBody is what the caller gives the journal for one entry: 300 bytes.
var eventBody = append(append([]byte(`"at":123456,"by":"owner","input":"`), bytes.Repeat([]byte("x"), 265)...), '"')

// frameBytes is what the journal adds to a body: seq, prev, crc, newline.
const frameBytes = 14 + 74 + 17 + 1

// outstandings are how many entries or jobs wait at the same time.
var outstandings = []int{1, 16, 256, 4096}

// events measures entries through the journal, as many outstanding as are
// allowed, beside the bare loop with as many to a sync.
func events(b *bench, t *table) error {
	for i, outstanding := range outstandings {
		n := b.some([]int{2000, 30_000, 200_000, 400_000}[i], 2*outstanding)
		batch := bytes.Repeat(eventBody[:1], (len(eventBody)+frameBytes)*outstanding)
		bare, err := rawRate(b.dir, n/outstanding, batch)
		if err != nil {
			return err
		}
		rate, err := journalRate(b.dir, n, outstanding)
		if err != nil {
			return err
		}
		t.add(fmt.Sprintf("events durable, %d outstanding", outstanding), "events/s", higher, rate, against(rawPeer, bare*float64(outstanding)))
	}
	return nil
}

func journalRate(dir string, n, outstanding int) (float64, error) {
	dir, err := os.MkdirTemp(dir, "journal-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	j, _, err := journal.Open(journal.Options{Dir: dir, Mission: benchMission})
	if err != nil {
		return 0, err
	}
	began := time.Now()
	for range n {
		seq, _, err := j.Append(func(dst []byte) []byte { return append(dst, eventBody...) })
		if err == nil && seq >= uint64(outstanding) {
			err = j.WaitDurable(context.Background(), seq-uint64(outstanding)+1)
		}
		if err != nil {
			return 0, err
		}
	}
	seq, _ := j.Head()
	if err := j.WaitDurable(context.Background(), seq); err != nil {
		return 0, err
	}
	rate := float64(n) / time.Since(began).Seconds()
	return rate, j.Close()
}
