package script

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"
)

const (
	// maxSource bounds one file of a script, maxSources all of them together, in
	// bytes.
	maxSource  = 1 << 20
	maxSources = 4 << 20
	// maxFiles bounds the files a script asks for, also in vain.
	maxFiles = 1000
	// maxBundle bounds the program that is made of them, in bytes with its source
	// map: what is indented or repeated may be far larger than its source.
	maxBundle = 2 * maxSources
	// maxNesting is how deep brackets may stand within each other in a file.
	maxNesting = 2000
	// bundleMemory and bundleTime bound the making of a program.
	bundleMemory = 256 << 20
	bundleTime   = 20 * time.Second
	// maxProblems bounds what is said of one script.
	maxProblems = 20
)

// made is the newest program of an entry, and what it was made of.
type made struct {
	program *Program
	digests map[string][sha256.Size]byte // of the files that were asked for; zero for one that is not there
}

// sources are the files of the mission folder that a script asks for.
type sources struct {
	entry   string
	read    func(string) ([]byte, error)
	digests map[string][sha256.Size]byte
	size    int
	problem *Problem // with one of them
}

// bytesOf are those of a file; who reads may have its own of what comes with
// Omega.
func bytesOf(read func(string) ([]byte, error), path string) ([]byte, error) {
	b, err := read(path)
	if name, own := strings.CutPrefix(path, omegaPrefix); own && errors.Is(err, fs.ErrNotExist) {
		if text, ok := ownSource(name); ok {
			return text, nil
		}
	}
	return b, err
}

// get reads a file for the child.
func (s *sources) get(path string) ([]byte, error) {
	if len(s.digests) >= maxFiles {
		s.problem = &Problem{File: s.entry, Summary: "too many files", Detail: fmt.Sprintf("A script imports at most %d files, and names that are tried count: put the code into fewer.", maxFiles)}
		return nil, errors.New("there are too many files")
	}
	b, err := bytesOf(s.read, path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.digests[path] = [sha256.Size]byte{}
		return nil, errNoFile
	case err != nil:
		return nil, err
	case len(b) > maxSource:
		return nil, fmt.Errorf("it has %d bytes, a script's file at most %d: move data into the mission file's params", len(b), maxSource)
	}
	if s.size += len(b); s.size > maxSources {
		return nil, fmt.Errorf("the files of a script together have at most %d bytes", maxSources)
	}
	if line, column := tooDeep(b, maxNesting); line > 0 {
		s.problem = &Problem{File: path, Line: line, Column: column, Summary: "nested too deeply",
			Detail: fmt.Sprintf("Brackets stand at most %d within each other: split the expression.", maxNesting)}
		return nil, errors.New("it is nested too deeply")
	}
	s.digests[path] = sha256.Sum256(b)
	return b, nil
}

// Bundle makes a program of an entry.
func (r *Runner) Bundle(ctx context.Context, entry string, read func(path string) ([]byte, error)) (*Program, []Problem) {
	if p := r.unchanged(entry, read); p != nil {
		return p, nil
	}
	if !r.enter() {
		return nil, []Problem{{File: entry, Summary: "not bundled", Detail: ErrClosed.Error()}}
	}
	defer r.ended.Done()
	select {
	case r.bundlers <- struct{}{}:
		defer func() { <-r.bundlers }()
	case <-ctx.Done():
		return nil, []Problem{{File: entry, Summary: "not bundled", Detail: context.Cause(ctx).Error()}}
	}
	s := &sources{entry: entry, read: read, digests: map[string][sha256.Size]byte{}}
	b, problems := r.bundle(ctx, entry, s)
	if len(problems) > 0 {
		return nil, problems[:min(len(problems), maxProblems)]
	}
	p := &Program{Entry: entry, Exports: b.Exports, Queries: b.Queries, code: b.Code, paths: b.Paths}
	for path, digest := range s.digests {
		if digest != ([sha256.Size]byte{}) {
			p.Files = append(p.Files, File{path, digest})
		}
	}
	slices.SortFunc(p.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	p.Digest = programDigest(entry, p.Files)
	r.bundles.Add(1)
	r.mu.Lock()
	r.programs[entry] = &made{p, s.digests}
	r.mu.Unlock()
	return p, nil
}

// programDigest is over the entry and then the other files by path.
func programDigest(entry string, files []File) [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte("omega.script/v1\n"))
	line := func(f File) { fmt.Fprintf(h, "%s  %s\n", hex.EncodeToString(f.Digest[:]), f.Path) }
	for _, f := range files {
		if f.Path == entry {
			line(f)
		}
	}
	for _, f := range files {
		if f.Path != entry {
			line(f)
		}
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// unchanged is the program made of an entry if none of its files has changed
// since, and none is there that was not.
func (r *Runner) unchanged(entry string, read func(string) ([]byte, error)) *Program {
	r.mu.Lock()
	m := r.programs[entry]
	r.mu.Unlock()
	if m == nil {
		return nil
	}
	for path, digest := range m.digests {
		b, err := bytesOf(read, path)
		absent := errors.Is(err, fs.ErrNotExist)
		if err != nil && !absent || absent != (digest == [sha256.Size]byte{}) || !absent && sha256.Sum256(b) != digest {
			return nil
		}
	}
	return m.program
}

// bundle has a child of its own bundle an entry, and gives it the files it asks
// for.
func (r *Runner) bundle(ctx context.Context, entry string, s *sources) (*bundled, []Problem) {
	if problem := unfit(entry); problem != nil {
		return nil, []Problem{*problem}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, bundleTime, fmt.Errorf("more than %s", bundleTime))
	defer cancel()
	defer context.AfterFunc(r.life, cancel)()
	fail := func(summary, detail string) (*bundled, []Problem) {
		return nil, []Problem{{File: entry, Summary: summary, Detail: detail}}
	}
	p, err := r.borrow(ctx)
	if err != nil {
		return fail("no process can be started for it", err.Error())
	}
	defer p.release()
	stop := context.AfterFunc(ctx, p.kill)
	defer stop()
	var result *bundled
	_, _ = p.in.Write(newFrame(frameBundle).text(entry).done())
	p.drain(func(f *fields) {
		switch f.kind {
		case frameRead:
			b, err := s.get(f.text())
			reply := newFrame(frameFile)
			if err != nil {
				reply = reply.text(err.Error())
			} else {
				reply = reply.text("").bytes(b)
			}
			if s.problem != nil {
				p.kill() // it will not be a program
			}
			_, _ = p.in.Write(reply.done())
		case frameBundled:
			var b bundled
			if json.Unmarshal(f.bytes(), &b) == nil {
				result = &b
			}
			p.kill()
		}
	})
	switch {
	case s.problem != nil:
		return nil, []Problem{*s.problem}
	case result != nil && len(result.Problems) > 0:
		return nil, result.Problems
	case result != nil:
		return result, nil
	case ctx.Err() != nil:
		return fail("it takes too long to bundle", context.Cause(ctx).Error())
	}
	f := p.verdict(&request{call: Call{Program: &Program{Entry: entry}}})
	if f.Kind == FaultMemory {
		return fail("nested too deeply or too large", "It takes more memory to read than there is: split long expressions and large literals.")
	}
	return fail("it cannot be bundled", f.Detail)
}

// borrow has a child started that belongs to no lane. It ends with the context.
func (r *Runner) borrow(ctx context.Context) (*process, error) {
	begun, failed := make(chan *process), make(chan error, 1)
	s := start{bundleMemory, func(p *process, err error) {
		if err != nil {
			failed <- err
			return
		}
		select {
		case begun <- p:
		case <-ctx.Done():
			p.kill()
			p.drain(func(*fields) {})
			p.release()
		}
	}}
	select {
	case r.starts <- s:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	select {
	case p := <-begun:
		return p, nil
	case err := <-failed:
		return nil, err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// unfit says why an entry cannot be one.
func unfit(entry string) *Problem {
	if !strings.HasPrefix(entry, omegaPrefix) && !fs.ValidPath(entry) {
		return &Problem{File: entry, Summary: "not a file of the mission folder", Detail: "A script is named by its path in the mission folder, as in scripts/spending.js."}
	}
	return nil
}

// tooDeep finds the first bracket outside of strings and comments that stands
// deeper than a limit. Regular expressions it takes for code, whose brackets
// close as well.
func tooDeep(text []byte, limit int) (line, column int) {
	line = 1
	start, depth := 0, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '\n':
			line, start = line+1, i+1
		case '(', '[', '{':
			if depth++; depth > limit {
				return line, i - start + 1
			}
		case ')', ']', '}':
			depth = max(0, depth-1)
		case '"', '\'':
			i += quotedLength(text[i:]) - 1
		case '/':
			if i+1 < len(text) && text[i+1] == '/' {
				for i < len(text) && text[i] != '\n' {
					i++
				}
				i--
			}
		}
	}
	return 0, 0
}

// quotedLength is that of a string that begins a text, up to the end of its line
// if it is not closed there.
func quotedLength(text []byte) int {
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case text[0]:
			return i + 1
		case '\n':
			return i
		case '\\':
			if i+1 < len(text) && text[i+1] != '\n' {
				i++
			}
		}
	}
	return len(text)
}
