package host

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/oklog/ulid/v2"
	"golang.org/x/sys/unix"

	"github.com/omega-run/omega/host/core"
)

// controlFile is the inbox of a mission's data folder.
const controlFile = "control.jsonl"

// maxOrderBytes bounds one line of the control stream before it is parsed.
const maxOrderBytes = 1 << 20

// SendOrder appends a signed order to the control stream and returns its id. It
// is safe once it is acknowledged, not before.
func SendOrder(data, mission string, key ed25519.PrivateKey, order *Order) (id string, err error) {
	f, err := os.OpenFile(filepath.Join(data, controlFile), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return "", fmt.Errorf("opening the control stream: %w", err)
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return "", fmt.Errorf("locking the control stream: %w", err)
	}
	counter, torn, err := lastCounter(f, hex.EncodeToString(key.Public().(ed25519.PublicKey)))
	if err != nil {
		return "", fmt.Errorf("reading the control stream: %w", err)
	}
	id = ulid.Make().String()
	line, err := order.sign(key, id, mission, max(counter+1, time.Now().UnixMilli()))
	if err != nil {
		return "", err
	}
	if torn { // a writer before us was killed: its half line ends here
		line = append([]byte("\n"), line...)
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		return "", fmt.Errorf("writing the order: %w", err)
	}
	if err := f.Sync(); err != nil {
		return "", fmt.Errorf("syncing the order: %w", err)
	}
	return id, nil
}

// lastCounter finds the highest counter a key has used in the file. Counters
// are at least the wall time in milliseconds, so that they grow even when the
// file has been cut.
func lastCounter(f *os.File, key string) (counter int64, torn bool, err error) {
	r := bufio.NewReaderSize(f, 64<<10)
	for {
		line, err := r.ReadBytes('\n')
		var s signedOrder
		if json.Unmarshal(line, &s) == nil && s.Key == key {
			counter = max(counter, s.Counter)
		}
		if errors.Is(err, io.EOF) {
			return counter, len(line) > 0, nil
		}
		if err != nil {
			return 0, false, err
		}
	}
}

// stream reads the orders that come into a control file.
type stream struct {
	path    string
	mission string
	owner   [32]byte // the one key that may give orders
	offset  int64
	reject  func(line int64, err error)
}

// read hands over the orders that have come since it was last called. A line
// that is not an order is told and passed over; one that is not whole yet waits.
func (s *stream) read() ([]*core.Order, error) {
	f, err := os.Open(s.path)
	if errors.Is(err, os.ErrNotExist) {
		s.offset = 0
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the control stream: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading the control stream: %w", err)
	}
	if info.Size() < s.offset { // cut or replaced: orders already taken are known by their ids
		s.offset = 0
	}
	if _, err := f.Seek(s.offset, io.SeekStart); err != nil {
		return nil, fmt.Errorf("reading the control stream: %w", err)
	}
	var orders []*core.Order
	r := bufio.NewReaderSize(f, 64<<10)
	for {
		line, err := readLine(r)
		if errors.Is(err, io.EOF) {
			return orders, nil
		}
		if err != nil {
			return orders, fmt.Errorf("reading the control stream: %w", err)
		}
		at := s.offset
		s.offset += int64(line.size)
		text := bytes.TrimSpace(line.text)
		if len(text) == 0 && !line.long {
			continue
		}
		order, err := s.parse(line, text)
		if err != nil {
			s.reject(at, err)
			continue
		}
		orders = append(orders, order)
	}
}

// controlLine is one whole line; of one that is too long only the size is kept.
type controlLine struct {
	text []byte
	size int
	long bool
}

func (s *stream) parse(line controlLine, text []byte) (*core.Order, error) {
	if line.long {
		return nil, fmt.Errorf("it is longer than %d bytes", maxOrderBytes)
	}
	order, err := parseOrder(text, s.mission)
	if err == nil && order.Key != s.owner {
		err = errors.New("its key may not give orders")
	}
	return order, err
}

func readLine(r *bufio.Reader) (line controlLine, err error) {
	for {
		part, err := r.ReadSlice('\n')
		line.size += len(part)
		if line.size > maxOrderBytes {
			line.text, line.long = nil, true
		} else {
			line.text = append(line.text, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// pollControl is how often the stream is looked at when nothing is told of it.
const pollControl = 500 * time.Millisecond

// watchControl calls look whenever the control stream may have grown.
func watchControl(ctx context.Context, data string, look func()) {
	var events chan fsnotify.Event
	if watcher, err := fsnotify.NewWatcher(); err == nil {
		defer watcher.Close()
		if watcher.Add(data) == nil {
			events = watcher.Events
		}
	}
	poll := time.NewTicker(pollControl)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-events:
			if filepath.Base(e.Name) != controlFile {
				continue
			}
		case <-poll.C:
		}
		look()
	}
}
