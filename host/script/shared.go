package script

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// shared is memory of a child that its host can read when the child has been
// killed: which call it was at, and where in the author's files.
type shared struct{ mem []byte }

// The layout of shared memory: three words and a text.
const (
	sharedSize   = 4096
	sharedSerial = 0  // of the call that runs, 0 for none
	sharedStop   = 8  // set by the host: it has given the other calls to somebody else
	sharedNote   = 16 // bytes of the text that follows; 0 while it is written
	sharedText   = 24
)

func mapShared(f *os.File) (*shared, error) {
	mem, err := unix.Mmap(int(f.Fd()), 0, sharedSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	return &shared{mem}, nil
}

func (s *shared) close() { _ = unix.Munmap(s.mem) }

func (s *shared) word(at int) *uint64 { return (*uint64)(unsafe.Pointer(&s.mem[at])) }

func (s *shared) serial() uint64 { return atomic.LoadUint64(s.word(sharedSerial)) }

// begin says which call runs; 0 is none.
func (s *shared) begin(serial uint64) {
	atomic.StoreUint64(s.word(sharedNote), 0)
	atomic.StoreUint64(s.word(sharedSerial), serial)
}

func (s *shared) stopped() bool { return atomic.LoadUint64(s.word(sharedStop)) != 0 }

func (s *shared) stop(yes bool) {
	var n uint64
	if yes {
		n = 1
	}
	atomic.StoreUint64(s.word(sharedStop), n)
}

// note says where the call is.
func (s *shared) note(p place) {
	text := strconv.Itoa(p.line) + ":" + strconv.Itoa(p.column) + ":" + p.file
	if p.file == "" || len(text) > sharedSize-sharedText {
		return
	}
	atomic.StoreUint64(s.word(sharedNote), 0)
	copy(s.mem[sharedText:], text)
	atomic.StoreUint64(s.word(sharedNote), uint64(len(text)))
}

// noted is where the call was, as far as it is known. A child that writes
// nonsense is known to be nowhere.
func (s *shared) noted() (p place) {
	n := atomic.LoadUint64(s.word(sharedNote))
	if n > sharedSize-sharedText {
		return place{}
	}
	fields := strings.SplitN(string(s.mem[sharedText:sharedText+n]), ":", 3)
	if len(fields) < 3 {
		return place{}
	}
	p.line, _ = strconv.Atoi(fields[0])
	p.column, _ = strconv.Atoi(fields[1])
	p.file = fields[2]
	return p
}
