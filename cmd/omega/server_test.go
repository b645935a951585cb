package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"
)

// server gives a story a server of its own, $SERVER. What it answers stands in
// the path:
//
//	/echo      what was sent
//	/flaky     503 to the first attempt of a job, then what was sent
//	/tells     the Authorization it was sent
//	/split     two child jobs, and then how many there were
//	/away      a redirect to another host
//	/hang      nothing
//
// What it was asked is a line in the file asked.
func server(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: server")
	}
	asked, err := os.OpenFile(ts.MkAbs("asked"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	ts.Check(err)
	var hanging atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(asked, "%s %s %s/%s key=%s accept=%s authorized=%t %s\n", r.Method, r.URL.Path, r.Header.Get("Omega-Job"), r.Header.Get("Omega-Attempt"),
			strings.TrimPrefix(r.Header.Get("Idempotency-Key"), r.Header.Get("Omega-Mission")), r.Header.Get("Accept"), r.Header.Get("Authorization") != "", body)
		switch r.URL.Path {
		case "/flaky":
			if r.Header.Get("Omega-Attempt") == "1" {
				http.Error(w, "too busy for "+r.Header.Get("Authorization"), http.StatusServiceUnavailable)
				return
			}
		case "/tells":
			fmt.Fprintf(w, `{"result":%q}`, r.Header.Get("Authorization"))
			return
		case "/split":
			if r.Header.Get("Omega-Children") == "" {
				fmt.Fprint(w, `{"children":[{"name":"a","skills":["echo"],"reward":1,"input":1},{"name":"b","skills":["echo"],"reward":1,"input":2}]}`)
				return
			}
		case "/away":
			http.Redirect(w, r, "http://elsewhere.example/", http.StatusTemporaryRedirect)
			return
		case "/hang":
			hanging.Add(1)
			<-r.Context().Done()
			fmt.Fprintf(asked, "gone %d\n", hanging.Load())
			return
		}
		fmt.Fprintf(w, `{"result":{"echo":%s},"energy_used":"0"}`, body)
	}))
	ts.Defer(func() {
		s.CloseClientConnections()
		s.Close()
		asked.Close()
	})
	ts.Setenv("SERVER", s.URL)
}
