package worker

// tail is a writer that keeps the last StderrBytes written to it.
type tail struct {
	buf []byte // at most twice what is kept, so that moving the end to the front is rare
}

func (t *tail) Write(p []byte) (int, error) {
	n := len(p)
	if n > StderrBytes {
		p = p[n-StderrBytes:]
	}
	if len(t.buf)+len(p) > 2*StderrBytes {
		t.buf = t.buf[:copy(t.buf, t.bytes())]
	}
	t.buf = append(t.buf, p...)
	return n, nil
}

func (t *tail) bytes() []byte { return t.buf[max(0, len(t.buf)-StderrBytes):] }
