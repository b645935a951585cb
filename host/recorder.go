package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/worker"
)

// recordedFile is where a live run keeps what servers answer.
const recordedFile = recordingsFolder + "/recorded.jsonl"

// asker asks servers; with --record it keeps what they answer, too.
func (c Config) asker(dir string) (asker, error) {
	if !c.Record {
		return func(ctx context.Context, q worker.Request) worker.Reply { return q.Reply(worker.Send(ctx, q)) }, nil
	}
	known, problems := readRecordings(dir)
	if problems.HasErrors() {
		return nil, &DiagnosticsError{problems}
	}
	r := &recorder{dir: dir, known: known, say: c.problems()}
	return r.ask, nil
}

// recorder adds what servers answer to the recordings. Of a request that is known
// from another file nothing is added; of one that it has recorded itself the last
// answer stands.
type recorder struct {
	dir string
	say io.Writer

	mu    sync.Mutex // attempts run beside each other
	known *recordings
	ended bool // it cannot be written any more, and that has been said
}

func (r *recorder) ask(ctx context.Context, q worker.Request) worker.Reply {
	x := worker.Send(ctx, q)
	reply := q.Reply(x)
	if ctx.Err() == nil && reply.Fault != worker.FaultKilled {
		r.keep(q, x, reply)
	}
	return reply
}

// keep records an exchange. That it cannot is not worth an attempt: it is said
// once.
func (r *recorder) keep(q worker.Request, x worker.Exchange, reply worker.Reply) {
	made := recordingOf(q)
	made.file = recordedFile
	switch {
	case x.Fault == "" && x.Status >= 300:
		made.Exchange = x
	case reply.Fault != "":
		made.Fault, made.Detail = reply.Fault, oneLine(reply.Detail, maxFault)
	default:
		body, err := core.CanonicalMax(x.Body, len(x.Body))
		if err != nil {
			panic("host: an answer that was read is not JSON: " + err.Error())
		}
		made.Status, made.Body = x.Status, body
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return
	}
	if err := r.write(made); err != nil {
		r.ended = true
		fmt.Fprintf(r.say, "what servers answer is not recorded any more: %v\n", err)
	}
}

func (r *recorder) write(made *recording) error {
	line := made.line()
	before := r.known.byDigest[made.request]
	switch {
	case before == nil:
	case before.file != recordedFile || string(before.line()) == string(line):
		return nil
	}
	if r.known.bytes += int64(len(line)); r.known.bytes > maxRecordings {
		return fmt.Errorf("the recordings would have more than %d MiB", maxRecordings>>20)
	}
	root, err := os.OpenRoot(r.dir)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.Mkdir(recordingsFolder, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	r.known.byDigest[made.request] = made
	if before == nil {
		r.known.list = append(r.known.list, made)
		return appendLine(root, line)
	}
	for i, old := range r.known.list {
		if old == before {
			r.known.list[i] = made
		}
	}
	return r.rewrite(root)
}

func appendLine(root *os.Root, line []byte) error {
	f, err := root.OpenFile(recordedFile, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(line)
	return errors.Join(err, f.Close())
}

// rewrite replaces the file whole.
func (r *recorder) rewrite(root *os.Root) error {
	const next = recordedFile + ".next"
	var text []byte
	for _, made := range r.known.list {
		if made.file == recordedFile {
			text = append(text, made.line()...)
		}
	}
	if err := root.WriteFile(next, text, 0o644); err != nil {
		return err
	}
	return root.Rename(next, recordedFile)
}
