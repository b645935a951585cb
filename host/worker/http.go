package worker

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/omega-run/omega/host/core"
)

const (
	// DefaultRequestTimeout is what a Request gets where it says 0.
	DefaultRequestTimeout = 30 * time.Second
	// maxRedirects is how often one request may be sent on by its own server.
	maxRedirects = 5
	// maxHeaderBytes bounds the headers of an answer: nothing of them is kept but an address.
	maxHeaderBytes = 64 << 10
	// headBytes is how much of a body a recorded sentence shows.
	headBytes = 200
)

// Request is one attempt of one job that a server does.
type Request struct {
	Mission     string // its id
	Job         string
	Attempt     int
	URL         string
	Headers     []core.Header // declared
	Secrets     []Secret      // sent as headers
	Input       []byte        // canonical JSON
	Kids        int           // child jobs of earlier attempts
	Children    []byte        // what became of them, a JSON object; nil: there are none
	Timeout     time.Duration // until the whole answer is there
	OutputBytes int64         // of its body
}

// Exchange is what became of a request. It holds none of its secrets.
type Exchange struct {
	Status  int    // of the answer, 0 if there is none
	Body    []byte // whole where the status is 2xx, else its beginning
	Fault   Fault  // why there is no answer, or none that may be kept
	Detail  string // one plain sentence about the fault
	Machine bool   // the fault depends on the machine, or on the network
}

// Body is what is sent: the job's input or, once the job has posted children, {"children": […], "input": …,
// "left": "…"}; canonical JSON.
func (q Request) Body() []byte {
	if q.Children == nil {
		return q.Input
	}
	text := slices.Concat([]byte(`{"input":`), q.Input, []byte(","), q.Children[1:])
	body, err := core.CanonicalMax(text, len(text))
	if err != nil {
		return text // results as deep as they may be, inside each other: what is sent is JSON all the same
	}
	return body
}

// Said are the headers of a request by which it is known, sorted: all but the secrets, and but those that name
// the mission, which is another one in every live run.
func (q Request) Said() []core.Header {
	all := append([]core.Header{{Name: "Omega-Attempt", Value: strconv.Itoa(q.Attempt)}, {Name: "Omega-Job", Value: q.Job}}, q.Headers...)
	if q.Children != nil {
		all = append(all, core.Header{Name: "Omega-Children", Value: strconv.Itoa(q.Kids)})
	}
	secret := func(name string) bool {
		return slices.ContainsFunc(q.Secrets, func(s Secret) bool { return s.Name == name })
	}
	for _, usual := range []core.Header{{Name: "Accept", Value: "application/json"}, {Name: "Content-Type", Value: "application/json"}, {Name: "User-Agent", Value: "omega"}} {
		if !secret(usual.Name) && !slices.ContainsFunc(q.Headers, func(h core.Header) bool { return h.Name == usual.Name }) {
			all = append(all, usual)
		}
	}
	slices.SortFunc(all, func(a, b core.Header) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Digest names a request: SHA-256 over "omega.request/v1\n" and the canonical JSON of {body, headers, kind, method,
// url}.
func (q Request) Digest() string { return RequestDigest(q.URL, q.Said(), q.Body()) }

// RequestDigest is the digest of a request with that address, those headers, sorted, and that body, canonical.
func RequestDigest(url string, headers []core.Header, body []byte) string {
	text := append([]byte("omega.request/v1\n"+`{"body":`), body...)
	text = append(text, `,"headers":`...)
	text = AppendHeaders(text, headers)
	text = append(text, `,"kind":"http","method":"POST","url":`...)
	text = append(core.AppendString(text, url), '}')
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// AppendHeaders appends sorted headers as an object.
func AppendHeaders(text []byte, headers []core.Header) []byte {
	text = append(text, '{')
	for i, h := range headers {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(core.AppendString(text, h.Name), ':')
		text = core.AppendString(text, h.Value)
	}
	return append(text, '}')
}

// Send sends a request and returns when the whole answer is there, or there will be none. It never fails otherwise
// than by Exchange.Fault. A cancelled ctx ends it at once: FaultKilled.
func Send(ctx context.Context, q Request) Exchange {
	if q.Timeout <= 0 {
		q.Timeout = DefaultRequestTimeout
	}
	if q.OutputBytes <= 0 {
		q.OutputBytes = DefaultOutputBytes
	}
	limited, cancel := context.WithTimeout(ctx, q.Timeout)
	defer cancel()
	request, err := q.request(limited)
	if err != nil {
		return Exchange{Fault: FaultStartFailed, Detail: "The request cannot be made: " + err.Error() + "."}
	}
	client := client()
	defer client.CloseIdleConnections()
	answer, err := client.Do(request)
	x := Exchange{}
	if err == nil {
		defer answer.Body.Close()
		x, err = q.receive(answer)
	}
	switch {
	case ctx.Err() != nil:
		return Exchange{Fault: FaultKilled, Detail: killed().Detail, Machine: true}
	case err != nil && limited.Err() != nil:
		return Exchange{Fault: FaultTimeout, Detail: fmt.Sprintf("The server took longer than %v; raise timeout, or give it less to do.", q.Timeout), Machine: true}
	case err != nil:
		return Exchange{Fault: FaultHTTP, Detail: "There is no answer: " + q.shown(reason(err)) + ".", Machine: true}
	}
	return x
}

// client asks as a request says and no otherwise: no proxy and no password comes from the environment, no cookie
// and no connection is kept.
func client() *http.Client {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxHeaderBytes, Protocols: &protocols},
		CheckRedirect: stay,
	}
}

// stay follows a redirect that repeats the request at the server it was meant for, and no other.
func stay(next *http.Request, before []*http.Request) error {
	if len(before) > maxRedirects || next.Method != http.MethodPost || origin(next.URL) != origin(before[0].URL) || next.URL.User != nil {
		return http.ErrUseLastResponse
	}
	next.Header.Del("Referer")
	return nil
}

func origin(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return strings.ToLower(u.Scheme + "://" + u.Hostname() + ":" + port)
}

func (q Request) request(ctx context.Context) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, q.URL, bytes.NewReader(q.Body()))
	if err != nil {
		return nil, reason(err)
	}
	for _, h := range q.Said() {
		r.Header.Set(h.Name, h.Value)
	}
	r.Header.Set("Omega-Mission", q.Mission)
	r.Header.Set("Idempotency-Key", q.Mission+"/"+q.Job+"/"+strconv.Itoa(q.Attempt))
	for _, s := range q.Secrets {
		value := strings.TrimSpace(s.Value)
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return nil, fmt.Errorf("the secret %s cannot be a header, because it has several lines or control characters", s.Name)
		}
		r.Header.Set(s.Name, value)
	}
	return r, nil
}

// receive reads an answer, and keeps of it what may be kept.
func (q Request) receive(answer *http.Response) (Exchange, error) {
	x := Exchange{Status: answer.StatusCode}
	limit := q.OutputBytes
	if !x.good() {
		limit = 2 * StderrBytes
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, limit+1))
	switch {
	case err != nil && x.good():
		return x, fmt.Errorf("it broke off after %d bytes: %w", len(body), reason(err))
	case x.good() && int64(len(body)) > limit:
		return Exchange{Fault: FaultOutputLimit, Detail: fmt.Sprintf("The server sent more than %d bytes; let it send less, or raise output.", limit)}, nil
	case !x.good():
		if to := answer.Header.Get("Location"); to != "" {
			body = append([]byte("Location: "+to+"\n\n"), body...)
		}
		body = q.head(body)
	}
	x.Body = body
	return q.guarded(x), nil
}

func (x Exchange) good() bool { return x.Status >= 200 && x.Status < 300 }

// guarded is an exchange without an answer that holds a secret.
func (q Request) guarded(x Exchange) Exchange {
	if x.Fault == "" && q.hidden().inOutput(x.Body) {
		return Exchange{Fault: FaultSecret, Detail: "The answer holds a secret of the request, so nothing of it is recorded."}
	}
	return x
}

// hidden finds the secrets, and what follows the name of a scheme in one: "Bearer …".
func (q Request) hidden() hidden {
	all := slices.Clone(q.Secrets)
	for _, s := range q.Secrets {
		if _, token, ok := strings.Cut(strings.TrimSpace(s.Value), " "); ok {
			all = append(all, Secret{s.Name, token})
		}
	}
	return hide(all)
}

// head is the beginning of a body as a log keeps it, without secrets, also one that is cut off at the end.
func (q Request) head(body []byte) []byte {
	h := q.hidden()
	text := h.redact(body, 0)
	if len(body) > StderrBytes {
		text = text[:max(0, len(text)-h.longest)]
	}
	return text[:min(len(text), StderrBytes)]
}

// Reply is what an exchange means for the attempt.
func (q Request) Reply(x Exchange) Reply {
	x = q.guarded(x)
	if x.Fault != "" {
		return Reply{Fault: x.Fault, Detail: x.Detail, ExitCode: -1, MachineLimit: x.Machine}
	}
	status := strings.TrimSpace(fmt.Sprintf("%d %s", x.Status, http.StatusText(x.Status)))
	r := Reply{}
	if x.good() {
		r.parse(x.Body, sent())
	} else {
		r.Fault, r.Detail = FaultHTTP, fmt.Sprintf("The server answered %s: %s.", status, strconv.Quote(q.shown(errors.New(string(x.Body)))))
	}
	if r.Fault != "" {
		r.ExitCode, r.Stderr = -1, q.head(slices.Concat([]byte(status+"\n\n"), x.Body))
	}
	return r
}

// shown is the beginning of a text in one line, without secrets.
func (q Request) shown(err error) string {
	text := string(q.hidden().redact([]byte(err.Error()), 0))
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "�")), " ")
	if len(text) > headBytes {
		text = strings.ToValidUTF8(text[:headBytes], "") + "…"
	}
	return text
}

// reason is an error without the address it is about, which the mission file tells.
func reason(err error) error {
	var about *url.Error
	if errors.As(err, &about) {
		return about.Err
	}
	return err
}
