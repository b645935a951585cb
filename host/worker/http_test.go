package worker

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/core"
)

// asking is a request to a server that answers so.
func asking(t *testing.T, answer http.HandlerFunc) Request {
	s := httptest.NewServer(answer)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return Request{Mission: "01M", Job: "swarm_0", Attempt: 2, URL: s.URL + "/solve", Input: []byte(`{"n":3}`), Timeout: 20 * time.Second, OutputBytes: 100_000}
}

// did sends a request and checks what holds for every reply.
func did(t *testing.T, q Request) Reply {
	t.Helper()
	r := q.Reply(Send(context.Background(), q))
	require.LessOrEqual(t, len(r.Stderr), StderrBytes)
	if r.Fault == "" {
		require.Empty(t, r.Detail)
		return r
	}
	require.Contains(t, Faults, r.Fault)
	require.Nil(t, r.Result)
	require.True(t, strings.HasSuffix(r.Detail, "."), r.Detail)
	for _, s := range q.Secrets {
		require.NotContains(t, r.Detail+string(r.Stderr), s.Value)
	}
	return r
}

func say(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

func TestServerIsAsked(t *testing.T) {
	t.Parallel()
	var got http.Header
	var method, body string
	q := asking(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, method, body = r.Header, r.Method+" "+r.URL.Path, string(b)
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"result": {"b": 1.50, "a": "x"}, "energy_used": "12.5", "compute_used": "7"}`)
	})
	q.Headers = []core.Header{{Name: "Accept", Value: "text/x"}, {Name: "X-Kind", Value: "k"}}
	q.Secrets = []Secret{{"Authorization", "Bearer one-two\n"}, {"User-Agent", "a secret agent"}}
	r := did(t, q)
	require.Equal(t, Reply{Result: []byte(`{"a":"x","b":1.50}`), EnergyUsed: "12.5", ComputeUsed: "7"}, r)
	require.Equal(t, "POST /solve", method)
	require.Equal(t, `{"n":3}`, body)
	require.Equal(t, http.Header{
		"Accept": {"text/x"}, "Authorization": {"Bearer one-two"}, "Connection": {"close"}, "Content-Length": {"7"}, "Content-Type": {"application/json"},
		"Idempotency-Key": {"01M/swarm_0/2"}, "Omega-Attempt": {"2"}, "Omega-Job": {"swarm_0"}, "Omega-Mission": {"01M"}, "User-Agent": {"a secret agent"}, "X-Kind": {"k"},
	}, got)
}

func TestServerLearnsOfChildren(t *testing.T) {
	t.Parallel()
	var header, body string
	q := asking(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		header, body = r.Header.Get("Omega-Children"), string(b)
		_, _ = io.WriteString(w, `{"children":[{"skills":["s"]}]}`)
	})
	q.Kids, q.Children = 1, []byte(`{"children":[{"title":"a \u003c b","job":"swarm_0__1"}],"left":"5"}`)
	r := did(t, q)
	require.Equal(t, `[{"skills":["s"]}]`, string(r.Children))
	require.Equal(t, "1", header)
	require.Equal(t, `{"children":[{"job":"swarm_0__1","title":"a < b"}],"input":{"n":3},"left":"5"}`, body)
}

func TestServerFaults(t *testing.T) {
	t.Parallel()
	hijack := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			_, _ = io.WriteString(conn, text)
			conn.Close()
		}
	}
	status := func(code int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, text)
		}
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		fault  Fault
		says   string
		log    string
	}{
		"busy":        {status(503, "come\n  back later"), FaultHTTP, `answered 503 Service Unavailable: "come back later".`, "503 Service Unavailable\n\ncome\n  back later"},
		"too many":    {status(429, ""), FaultHTTP, `429 Too Many Requests: "".`, "429"},
		"odd status":  {status(599, "?"), FaultHTTP, `answered 599: "?"`, "599"},
		"binary":      {status(500, "\x00\xff<html>"), FaultHTTP, `"\x00�<html>"`, "500"},
		"long refuse": {status(400, strings.Repeat("é", 1<<20)), FaultHTTP, "é…\".", "400"},
		"no content":  {status(204, ""), FaultBadJSON, "The answer is empty; the server must send one object", "204 No Content"},
		"no JSON":     {say("<html>"), FaultBadJSON, "byte 0", "200 OK\n\n<html>"},
		"a list":      {say("[1]"), FaultBadJSON, "not an object; the server must send", "[1]"},
		"no member":   {say(`{"answer":1}`), FaultBadJSON, `unknown member "answer"`, "answer"},
		"twice":       {say(`{"result":1,"result":2}`), FaultBadJSON, "duplicate key", "result"},
		"too large":   {say(`{"result":"` + strings.Repeat("x", MaxResultBytes) + `"}`), FaultTooLarge, "keep large data where", "xxx"},
		"huge":        {say(`{"result":"` + strings.Repeat("x", 200_000) + `"}`), FaultOutputLimit, "more than 100000 bytes", ""},
		"broken off":  {hijack("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"result\":"), FaultHTTP, "broke off after 10 bytes", ""},
		"hangs up":    {hijack(""), FaultHTTP, "There is no answer", ""},
		"no HTTP":     {hijack("220 mail.example ESMTP\r\n"), FaultHTTP, "There is no answer", ""},
		"all headers": {hijack("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n{}"), FaultHTTP, "headers exceeded", ""},
		"see other":   {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/else", http.StatusFound) }, FaultHTTP, `302 Found: "Location: /else"`, "Location: /else"},
		"nowhere": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "http://[::1")
			w.WriteHeader(307)
		}, FaultHTTP, "Location", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := did(t, asking(t, c.answer))
			require.Equal(t, c.fault, r.Fault, r.Detail)
			require.Contains(t, r.Detail, c.says)
			require.Contains(t, string(r.Stderr), c.log)
			require.Less(t, len(r.Detail), 400)
		})
	}
}

func TestNoServer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	q := Request{Job: "j", Attempt: 1, URL: "http://" + l.Addr().String(), Input: []byte("null")}
	require.NoError(t, l.Close())
	r := did(t, q)
	require.Equal(t, FaultHTTP, r.Fault)
	require.Contains(t, r.Detail, "connection refused")
	require.True(t, r.MachineLimit)
}

func TestEndlessAnswer(t *testing.T) {
	t.Parallel()
	var sent atomic.Int64
	for _, status := range []int{200, 500} {
		q := asking(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			for err := error(nil); err == nil; {
				var n int
				n, err = w.Write(make([]byte, 4<<10))
				sent.Add(int64(n))
			}
		})
		r := did(t, q)
		require.Equal(t, map[int]Fault{200: FaultOutputLimit, 500: FaultHTTP}[status], r.Fault)
	}
	require.Less(t, sent.Load(), int64(64<<20), "it is not read to see how long it is")
}

func TestSlowServer(t *testing.T) {
	t.Parallel()
	begin := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		_, _ = io.WriteString(w, `{"result":`)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
	for _, answer := range []http.HandlerFunc{func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body) // until then it does not see that the client has gone
		<-r.Context().Done()
	}, begin} {
		q := asking(t, answer)
		q.Timeout = 50 * time.Millisecond
		r := did(t, q)
		require.Equal(t, FaultTimeout, r.Fault, r.Detail)
		require.Contains(t, r.Detail, "50ms")
		require.True(t, r.MachineLimit)
	}
}

func TestRequestIsEnded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan struct{})
	q := asking(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		cancel()
		<-r.Context().Done()
		close(gone)
	})
	r := q.Reply(Send(ctx, q))
	require.Equal(t, FaultKilled, r.Fault)
	<-gone // the server sees it too
	require.Equal(t, FaultKilled, q.Reply(Send(ctx, q)).Fault, "nothing is sent any more")
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	var hops atomic.Int64
	q := asking(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/solve":
			http.Redirect(w, r, "/moved", http.StatusPermanentRedirect)
		case "/moved":
			b, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, `{"result":[%q,%q,%s]}`, r.Header.Get("Omega-Job")+r.Header.Get("Referer"), r.Header.Get("X-Key")[:4], b)
		case "/away":
			http.Redirect(w, r, other.URL+"/", http.StatusTemporaryRedirect)
		case "/loop":
			hops.Add(1)
			http.Redirect(w, r, "/loop", http.StatusTemporaryRedirect)
		}
	})
	q.Secrets = []Secret{{"X-Key", "secret-key"}}
	require.Equal(t, `["swarm_0","secr",{"n":3}]`, string(did(t, q).Result))
	q.URL = strings.Replace(q.URL, "/solve", "/away", 1)
	r := did(t, q)
	require.Equal(t, FaultHTTP, r.Fault)
	require.Contains(t, r.Detail, "307 Temporary Redirect: \"Location: "+other.URL)
	require.Zero(t, elsewhere.Load(), "no other server is asked, and none is given the secret")
	q.URL = strings.Replace(q.URL, "/away", "/loop", 1)
	require.Equal(t, FaultHTTP, did(t, q).Fault)
	require.Equal(t, int64(maxRedirects+1), hops.Load())
}

func TestSecretOfARequest(t *testing.T) {
	t.Parallel()
	const secret = `Bearer canary-"77"`
	fail := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, text, 500) }
	}
	for _, c := range []struct {
		answer http.HandlerFunc
		fault  Fault
	}{
		{say(`{"result":"Bearer canary-\"77\""}`), FaultSecret},
		{say(`{"result":"the token is canary-\"77\""}`), FaultSecret}, // without the scheme
		{say(`{"result":"\u0063anary-\u002277\u0022"}`), FaultSecret},
		{say(`{"result":1,"canary-\"77\"":2}`), FaultSecret},
		{say(`no JSON: canary-"77"`), FaultSecret},
		{fail(`you sent canary-"77" to me`), FaultHTTP},
		{fail(`"\u0063anary-\u002277\u0022"`), FaultSecret},
		{fail(strings.Repeat("x", StderrBytes-30) + `canary-"77"`), FaultHTTP},
		{fail(strings.Repeat("x", headBytes-5) + `canary-"77"`), FaultHTTP},
	} {
		q := asking(t, c.answer)
		q.Secrets = []Secret{{"Authorization", secret}}
		r := did(t, q)
		require.Equal(t, c.fault, r.Fault, r.Detail)
		require.NotContains(t, r.Detail+string(r.Stderr), "canary")
	}
	q := asking(t, say(`{"result":1}`))
	q.Secrets = []Secret{{"X-Key", "canary in\ntwo lines"}}
	r := did(t, q)
	require.Equal(t, FaultStartFailed, r.Fault)
	require.Contains(t, r.Detail, "X-Key")
}

// TestLogEndsBeforeACutSecret has secrets lie across every border of what is kept.
func TestLogEndsBeforeACutSecret(t *testing.T) {
	t.Parallel()
	q := Request{Secrets: []Secret{{"X-Key", strings.Repeat("canary", 20)}}}
	for _, before := range []int{0, StderrBytes - 60, StderrBytes - 1, 2*StderrBytes - 60} {
		body := strings.Repeat("x", before) + strings.Repeat("canary", 20) + strings.Repeat("y", 2*StderrBytes)
		require.NotContains(t, string(q.head([]byte(body[:2*StderrBytes+1]))), "can")
	}
	many := strings.Repeat(strings.Repeat("canary", 20), 2000) // what is left out makes room for the cut end
	require.NotContains(t, string(q.head([]byte(many[:2*StderrBytes+1]))), "can")
}

// TestDigestOfARequest holds that it is a function of what is asked: not of the order in which headers come, not
// of the mission, not of secrets.
func TestDigestOfARequest(t *testing.T) {
	base := Request{Job: "j", Attempt: 1, URL: "https://example.org/", Input: []byte(`{"n":3}`)}
	r := rand.New(rand.NewPCG(1, 2))
	seen := map[string]string{base.Digest(): "nothing"}
	for range 200 {
		headers := map[string]string{}
		for range 1 + r.IntN(12) {
			headers[http.CanonicalHeaderKey(fmt.Sprintf("x-%x", r.IntN(1000)))] = fmt.Sprint(r.IntN(1000))
		}
		var digests []string
		for range 4 {
			q := base
			for name, value := range headers { // in the map's order
				q.Headers = append(q.Headers, core.Header{Name: name, Value: value})
			}
			q.Mission, q.Secrets = fmt.Sprint(r.Uint64()), []Secret{{"Authorization", fmt.Sprint(r.Uint64())}}
			q.Timeout, q.OutputBytes = time.Duration(r.Int64()), r.Int64()
			digests = append(digests, q.Digest())
		}
		require.Len(t, slices.Compact(digests), 1)
		said := fmt.Sprint(slices.Sorted(maps.Keys(headers)), headers)
		if other, known := seen[digests[0]]; known {
			require.Equal(t, other, said)
		}
		seen[digests[0]] = said
	}
	for _, change := range []func(*Request){
		func(q *Request) { q.Job = "k" }, func(q *Request) { q.Attempt = 2 }, func(q *Request) { q.URL += "x" }, func(q *Request) { q.Input = []byte(`{"n":4}`) },
		func(q *Request) { q.Kids, q.Children = 1, []byte(`{"children":[],"left":"0"}`) },
		func(q *Request) { q.Secrets = []Secret{{"Accept", "secret"}} },
	} {
		q := base
		change(&q)
		require.NotContains(t, seen, q.Digest())
		seen[q.Digest()] = "changed"
	}
}
