package script

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// Host and child talk in frames over two pipes: four bytes of length, one of
// kind, and fields in a fixed order. Numbers are varints, texts have their length
// before them.
const (
	frameProgram = 'p' // host: a program and the number it is called by
	frameCalls   = 'c' // host: calls to run, in this order
	frameAnswer  = 'a' // child: what came of one
	frameDone    = 'e' // child: that was the last one of these calls
	frameBundle  = 'b' // host: make a program of this entry
	frameRead    = 'r' // child: which bytes has this file?
	frameFile    = 'f' // host: these
	frameBundled = 'd' // child: the program, or the problems
)

// maxFrame bounds a frame: sources of 4 MiB, bundled with their source map.
const maxFrame = 64 << 20

// frame is one that is being written.
type frame []byte

func newFrame(kind byte) frame { return frame{0, 0, 0, 0, kind} }

func (f frame) number(n int64) frame    { return binary.AppendVarint(f, n) }
func (f frame) unsigned(n uint64) frame { return binary.AppendUvarint(f, n) }
func (f frame) text(s string) frame     { return append(f.unsigned(uint64(len(s))), s...) }
func (f frame) bytes(b []byte) frame    { return append(f.unsigned(uint64(len(b))), b...) }

func (f frame) texts(all []string) frame {
	f = f.unsigned(uint64(len(all)))
	for _, s := range all {
		f = f.text(s)
	}
	return f
}

// done fills in the length.
func (f frame) done() []byte {
	binary.LittleEndian.PutUint32(f, uint32(len(f)-4))
	return f
}

var errFrame = errors.New("a frame that cannot be read")

// fields reads a frame. A short one gives zeros and is not ok.
type fields struct {
	kind byte
	rest []byte
	bad  bool
}

func readFrame(r *bufio.Reader) (*fields, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint32(size[:])
	if n == 0 || n > maxFrame {
		return nil, errFrame
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	return &fields{kind: b[0], rest: b[1:]}, nil
}

func (f *fields) number() int64 {
	n, size := binary.Varint(f.rest)
	f.skip(size)
	return n
}

func (f *fields) unsigned() uint64 {
	n, size := binary.Uvarint(f.rest)
	f.skip(size)
	return n
}

func (f *fields) skip(size int) {
	if size <= 0 {
		f.bad, f.rest = true, nil
		return
	}
	f.rest = f.rest[size:]
}

func (f *fields) bytes() []byte {
	n := f.unsigned()
	if n > uint64(len(f.rest)) {
		f.bad, f.rest = true, nil
		return nil
	}
	b := f.rest[:n:n]
	f.rest = f.rest[n:]
	return b
}

func (f *fields) text() string { return string(f.bytes()) }

func (f *fields) texts() (all []string) {
	for n := f.unsigned(); n > 0 && !f.bad; n-- {
		all = append(all, f.text())
	}
	return all
}

// appendCall writes a call; the view is left out where it is that of the call
// before it.
func (f frame) appendCall(serial, program uint64, c *Call, sameView bool) frame {
	f = f.unsigned(serial).unsigned(program).text(c.Export).bytes(c.Input)
	if sameView {
		f = append(f, 1)
	} else {
		f = append(f, 0).bytes(c.View)
	}
	return f.number(c.At).unsigned(c.Seed).number(int64(c.Timeout)).number(c.Memory)
}

func (f frame) appendAnswer(serial uint64, a Answer) frame {
	f = f.unsigned(serial).bytes(a.Value).texts(a.Log)
	if a.Fault == nil {
		return f.text("")
	}
	return f.text(string(a.Fault.Kind)).text(a.Fault.File).number(int64(a.Fault.Line)).number(int64(a.Fault.Column)).text(a.Fault.Detail)
}

func (f *fields) answer() (serial uint64, a Answer) {
	serial = f.unsigned()
	a.Value, a.Log = f.bytes(), f.texts()
	if kind := f.text(); kind != "" {
		a.Value = nil
		a.Fault = &Fault{Kind: FaultKind(kind), File: f.text(), Line: int(f.number()), Column: int(f.number()), Detail: f.text()}
	}
	return serial, a
}
