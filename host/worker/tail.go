package worker

// tail is a writer that keeps the last StderrBytes written to it, without secrets.
type tail struct {
	hidden hidden
	buf    []byte // at most twice what is kept, so that moving the end to the front is rare
}

// kept is how much is held: a secret that begins before the last StderrBytes must be whole to be found.
func (t *tail) kept() int { return StderrBytes + t.hidden.longest }

func (t *tail) Write(p []byte) (int, error) {
	n := len(p)
	if n > t.kept() {
		p = p[n-t.kept():]
	}
	if len(t.buf)+len(p) > 2*t.kept() {
		t.buf = t.buf[:copy(t.buf, t.buf[max(0, len(t.buf)-t.kept()):])]
	}
	t.buf = append(t.buf, p...)
	return n, nil
}

func (t *tail) bytes() []byte { return t.hidden.redact(t.buf, max(0, len(t.buf)-StderrBytes)) }
