package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/missionfile"
	"github.com/omega-run/omega/host/worker"
)

// recordingsFolder lies beside the mission file. What its files hold is no source
// of the mission: the journal has the results.
const recordingsFolder = "recordings"

const (
	// maxRecordings bounds all files together: they are held in memory.
	maxRecordings = 64 << 20
	// maxShownBody bounds how much of a body people are shown.
	maxShownBody = 2 << 10
	// maxLineBody bounds the body in a line that is proposed or recorded: it is
	// there for people.
	maxLineBody = 64 << 10
	// maxLines bounds how many lines are proposed at once.
	maxLines = 50
)

// recording is what was answered to one request, a line of a file in
// recordings/. URL, headers and body tell people what the request was; where all
// three stand, the digest is held against them.
type recording struct {
	request string // its digest
	url     string
	headers map[string]string // nil: not told
	body    []byte            // canonical JSON; nil: not told
	worker.Exchange
	file   string
	number int // of the line, from 1
}

func (r *recording) at() string { return fmt.Sprintf("%s:%d", r.file, r.number) }

// recordings are all of them, in the order of the files' names and lines.
type recordings struct {
	list     []*recording
	byDigest map[string]*recording
	bytes    int64
}

// CheckRecordings says what is wrong with the recordings in a mission folder.
func CheckRecordings(dir string) missionfile.Diagnostics {
	_, problems := readRecordings(dir)
	return problems
}

// readRecordings reads recordings/*.jsonl of a mission folder; none if there is
// no such folder.
func readRecordings(dir string) (*recordings, missionfile.Diagnostics) {
	rs := &recordings{byDigest: map[string]*recording{}}
	refuse := func(file string, line int, err error) (*recordings, missionfile.Diagnostics) {
		return nil, missionfile.Diagnostics{{Severity: missionfile.Error, Summary: "Recording not usable", Detail: oneLine(err.Error(), maxFault) + ".", File: file, Line: line, Column: 1}}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return refuse(recordingsFolder, 1, err)
	}
	defer root.Close()
	found, err := fs.Glob(root.FS(), recordingsFolder+"/*.jsonl")
	if err != nil {
		return refuse(recordingsFolder, 1, err)
	}
	for _, name := range found {
		text, err := rs.read(root, name)
		if err != nil {
			return refuse(name, 1, err)
		}
		for number, line := range bytes.Split(text, []byte("\n")) {
			if len(bytes.TrimSpace(line)) == 0 {
				continue
			}
			if err := rs.add(line, name, number+1); err != nil {
				return refuse(name, number+1, err)
			}
		}
	}
	return rs, nil
}

// read is a file's bytes, as long as there is room.
func (rs *recordings) read(root *os.Root, name string) ([]byte, error) {
	info, err := root.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	}
	if rs.bytes += info.Size(); rs.bytes > maxRecordings {
		return nil, fmt.Errorf("the recordings have more than %d MiB with it: remove those that no request asks for", maxRecordings>>20)
	}
	return root.ReadFile(name)
}

func (rs *recordings) add(line []byte, file string, number int) error {
	r, err := parseRecording(line)
	if err != nil {
		return err
	}
	r.file, r.number = file, number
	if first := rs.byDigest[r.request]; first != nil {
		return fmt.Errorf("%s answers the same request: keep one of the lines", first.at())
	}
	rs.byDigest[r.request] = r
	rs.list = append(rs.list, r)
	return nil
}

// recordedFaults are those that may stand for an answer.
var recordedFaults = []worker.Fault{
	worker.FaultHTTP, worker.FaultTimeout, worker.FaultOutputLimit, worker.FaultSecret, worker.FaultBadJSON, worker.FaultTooLarge, worker.FaultStartFailed,
}

func parseRecording(line []byte) (*recording, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(line, &members); err != nil || members == nil {
		return nil, errors.New("a line is one JSON object: the last one that was recorded may be cut off; remove it")
	}
	r, kind, text, fault, answer := &recording{}, "", (*string)(nil), worker.Fault(""), json.RawMessage(nil)
	into := map[string]any{
		"request": &r.request, "kind": &kind, "url": &r.url, "headers": &r.headers, "body": (*json.RawMessage)(&r.body),
		"status": &r.Status, "answer": &answer, "text": &text, "fault": &fault, "detail": &r.Detail,
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		to := into[name]
		if to == nil {
			return nil, fmt.Errorf("it has an unknown member %.80q; there are request, kind, url, headers, body, status, answer, text, fault and detail", name)
		}
		if json.Unmarshal(members[name], to) != nil {
			return nil, fmt.Errorf("its %s is not what it should be", name)
		}
	}
	answer = members["answer"] // also where it is null
	if r.body = members["body"]; r.body != nil {
		body, err := core.CanonicalMax(r.body, len(r.body))
		if err != nil {
			return nil, fmt.Errorf("its body: %w", err)
		}
		r.body = body
	}
	if err := r.check(kind); err != nil {
		return nil, err
	}
	return r, r.answer(answer, text, fault)
}

// check looks at what says which request it is.
func (r *recording) check(kind string) error {
	if len(r.request) != 64 || strings.Trim(r.request, "0123456789abcdef") != "" {
		return errors.New("request is not a digest, 64 hex digits in small letters")
	}
	if kind != "http" {
		return fmt.Errorf("its kind is %.80q; in this version it can only be http", kind)
	}
	if r.url == "" || r.headers == nil || r.body == nil {
		return nil
	}
	if is := worker.RequestDigest(r.url, sorted(r.headers), r.body); is != r.request {
		return fmt.Errorf("request is another one's digest: that of its url, headers and body is %s", is)
	}
	return nil
}

// answer takes what was answered: a status with an answer or a text, or a fault.
func (r *recording) answer(answer json.RawMessage, text *string, fault worker.Fault) error {
	switch {
	case fault != "" && (r.Status != 0 || answer != nil || text != nil):
		return errors.New("it has a fault and an answer: keep one")
	case fault != "" && !slices.Contains(recordedFaults, fault):
		return fmt.Errorf("its fault is %.80q; it can be one of %q", string(fault), recordedFaults)
	case fault != "":
		r.Fault, r.Detail = fault, oneLine(r.Detail, maxFault)
		return nil
	case r.Detail != "":
		return errors.New("detail goes with a fault")
	case r.Status < 200 || r.Status > 599:
		return errors.New("its status is not a number from 200 to 599")
	case (answer == nil) == (text == nil):
		return errors.New("it needs either answer, which is JSON, or text")
	case text != nil:
		r.Body = []byte(*text)
		return nil
	}
	body, err := core.CanonicalMax(answer, len(answer))
	if err != nil {
		return fmt.Errorf("its answer: %w", err)
	}
	r.Body = body
	return nil
}

func sorted(headers map[string]string) (all []core.Header) {
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		all = append(all, core.Header{Name: name, Value: headers[name]})
	}
	return all
}

// line is a recording as it is written, its newline included.
func (r *recording) line() []byte {
	b := append([]byte(`{"request":"`), r.request...)
	b = append(b, `","kind":"http"`...)
	if r.url != "" {
		b = core.AppendString(append(b, `,"url":`...), r.url)
	}
	if r.headers != nil {
		b = worker.AppendHeaders(append(b, `,"headers":`...), sorted(r.headers))
	}
	if r.body != nil {
		b = append(append(b, `,"body":`...), r.body...)
	}
	canonical, err := core.CanonicalMax(r.Body, len(r.Body))
	switch {
	case r.Fault != "":
		b = core.AppendString(append(b, `,"fault":`...), string(r.Fault))
		b = core.AppendString(append(b, `,"detail":`...), r.Detail)
	case err == nil && bytes.Equal(canonical, r.Body):
		b = fmt.Appendf(b, `,"status":%d,"answer":%s`, r.Status, r.Body)
	default:
		b = fmt.Appendf(b, `,"status":%d,"text":`, r.Status)
		b = core.AppendString(b, strings.ToValidUTF8(string(r.Body), "�"))
	}
	return append(b, "}\n"...)
}

// recordingOf begins the recording of a request.
func recordingOf(q worker.Request) *recording {
	r := &recording{request: q.Digest(), url: q.URL, headers: map[string]string{}, body: q.Body()}
	for _, h := range q.Said() {
		r.headers[h.Name] = h.Value
	}
	if len(r.body) > maxLineBody {
		r.body = nil
	}
	return r
}

// answer is what was recorded for a request.
func (rs *recordings) answer(q worker.Request) (worker.Exchange, bool) {
	r := rs.byDigest[q.Digest()]
	if r == nil {
		return worker.Exchange{}, false
	}
	return r.Exchange, true
}

// UnansweredError ends a rehearsal in which a server would have to be asked.
type UnansweredError struct{ text string }

func (e *UnansweredError) Error() string { return e.text }

// without is an error about those requests that have no recording; nil if all
// have. It shows the first, and the lines that all of them lack.
func (rs *recordings) without(asked []*worker.Request) error {
	asked = slices.DeleteFunc(asked, func(q *worker.Request) bool { return q == nil })
	if len(asked) == 0 {
		return nil
	}
	var b strings.Builder
	rs.show(&b, *asked[0])
	fmt.Fprintf(&b, "A rehearsal asks no server. `omega run --record` records what servers answer to a live run; or write the result into this line, in a file %s/*.jsonl:\n", recordingsFolder)
	for i, q := range asked[:min(len(asked), maxLines)] {
		if i == 1 {
			fmt.Fprintf(&b, "\n%d more requests of this instant have no recording:\n", len(asked)-1)
		}
		r := recordingOf(*q)
		r.Status, r.Body = http.StatusOK, []byte(`{"result":null}`)
		b.Write(r.line())
	}
	return &UnansweredError{strings.TrimSuffix(b.String(), "\n")}
}

// show tells people of a request, and of the recording nearest to it.
func (rs *recordings) show(b *strings.Builder, q worker.Request) {
	body := string(q.Body())
	if len(body) > maxShownBody {
		body = strings.ToValidUTF8(body[:maxShownBody], "") + "…"
	}
	fmt.Fprintf(b, "no recording answers a request of %s, attempt %d\n  request  POST %s\n", q.Job, q.Attempt, q.URL)
	for _, h := range q.Said() {
		fmt.Fprintf(b, "           %s: %s\n", h.Name, h.Value)
	}
	fmt.Fprintf(b, "  body     %s\n  digest   %s\n  nearest  %s\n", body, q.Digest(), rs.nearest(q))
}

// nearest tells of the recording whose body differs least: by the bytes of the
// longer one that are left when what both begin with and what both end with is
// taken away. Of equal ones it is the one to the same address, then the one with
// fewer other headers, then the first.
func (rs *recordings) nearest(q worker.Request) string {
	body, said := q.Body(), q.Said()
	var best *recording
	var least [3]int
	for _, r := range rs.list {
		if r.body == nil {
			continue
		}
		_, bytes := apart(body, r.body)
		far := [3]int{bytes, 0, len(r.others(said))}
		if r.url != q.URL {
			far[1] = 1
		}
		if best == nil || slices.Compare(far[:], least[:]) < 0 {
			best, least = r, far
		}
	}
	if best == nil {
		return fmt.Sprintf("none: %d recordings in %s/, none with a body", len(rs.list), recordingsFolder)
	}
	var differs []string
	if from, n := apart(body, best.body); n > 0 {
		differs = append(differs, fmt.Sprintf("its body differs in %d bytes from byte %d on: %s", n, from, excerpt(best.body, from)))
	}
	if best.url != q.URL {
		differs = append(differs, "its url is "+best.url)
	}
	if others := best.others(said); len(others) > 0 {
		differs = append(differs, "other headers: "+strings.Join(others, ", "))
	}
	return best.at() + ", " + strings.Join(differs, "; ")
}

// apart is where two bodies begin to differ, and in how many bytes.
func apart(a, b []byte) (from, n int) {
	shorter := min(len(a), len(b))
	for from < shorter && a[from] == b[from] {
		from++
	}
	end := 0
	for end < shorter-from && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	return from, max(len(a), len(b)) - from - end
}

// excerpt is a body around a byte, in one line.
func excerpt(body []byte, at int) string {
	const around = 30
	from, to := max(0, at-around), min(len(body), at+around)
	text := strings.ToValidUTF8(string(body[from:to]), "")
	if from > 0 {
		text = "…" + text
	}
	if to < len(body) {
		text += "…"
	}
	return text
}

// others are the headers a recording tells otherwise than a request.
func (r *recording) others(said []core.Header) (names []string) {
	if r.headers == nil {
		return nil
	}
	left := maps.Clone(r.headers)
	for _, h := range said {
		if value, told := left[h.Name]; !told || value != h.Value {
			names = append(names, fmt.Sprintf("%s is %q", h.Name, value))
		}
		delete(left, h.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(left)) {
		names = append(names, fmt.Sprintf("%s is %q", name, left[name]))
	}
	return names
}
