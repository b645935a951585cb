package host

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/worker"
)

// asked is a request of a job.
func asked(job, body string) worker.Request {
	return worker.Request{Mission: "m", Job: job, Attempt: 1, URL: "https://example.org/", Input: []byte(body)}
}

// recorded is the line that answers a request.
func recorded(q worker.Request, answer string) string {
	r := recordingOf(q)
	r.Status, r.Body = 200, []byte(answer)
	return string(r.line())
}

func recordingsFile(t *testing.T, dir, name, text string) {
	require.NoError(t, os.MkdirAll(filepath.Join(dir, recordingsFolder), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, recordingsFolder, name), []byte(text), 0o644))
}

func TestRecordingsAnswer(t *testing.T) {
	dir := t.TempDir()
	none, problems := readRecordings(dir)
	require.Empty(t, problems)
	_, ok := none.answer(asked("j", "1"))
	require.False(t, ok)

	digest := func(job string) string { return asked(job, "1").Digest() }
	recordingsFile(t, dir, "a.jsonl", recorded(asked("j", "1"), `{"result":5}`)+"\n  \n"+
		fmt.Sprintf(`{"kind":"http","request":%q,"status":503,"text":"busy \u0000"}`, digest("busy"))+"\n"+
		fmt.Sprintf(`{"request":%q,"kind":"http","fault":"timeout","detail":"too slow."}`, digest("slow")))
	recordingsFile(t, dir, "b.jsonl", fmt.Sprintf(`{"request":%q,"kind":"http","status":200,"answer":null}`, digest("null")))
	recordingsFile(t, dir, "notes.txt", "not looked at")
	all, problems := readRecordings(dir)
	require.Empty(t, problems)
	for job, fault := range map[string]worker.Fault{"j": "", "busy": worker.FaultHTTP, "slow": worker.FaultTimeout, "null": worker.FaultBadJSON} {
		q := asked(job, "1")
		x, ok := all.answer(q)
		require.True(t, ok, job)
		reply := q.Reply(x)
		require.Equal(t, fault, reply.Fault, job)
		require.False(t, reply.MachineLimit, "it is part of the record, whatever the machine")
	}
	for _, r := range all.list { // what is written again is read as the same
		again, err := parseRecording(r.line())
		require.NoError(t, err)
		again.file, again.number = r.file, r.number
		require.Equal(t, r, again)
	}
}

func TestRecordingsRefused(t *testing.T) {
	good := recorded(asked("j", "1"), "{}")
	digest := asked("j", "1").Digest()
	with := func(members string) string { return `{"request":"` + digest + `","kind":"http",` + members + `}` }
	for line, says := range map[string]string{
		good[:len(good)/2]: "one JSON object",
		`[]`:               "one JSON object",
		`null`:             "one JSON object",
		`{"request":"` + strings.ToUpper(digest) + `","kind":"http","status":200,"answer":1}`: "not a digest",
		`{"request":"","kind":"http","status":200,"answer":1}`:                                "not a digest",
		`{"request":"` + digest + `","kind":"model","status":200,"answer":1}`:                 "can only be http",
		strings.Replace(good, `"body":1`, `"body":2`, 1):                                      "another one's digest",
		strings.Replace(good, "example.org", "example.com", 1):                                "another one's digest",
		with(`"status":200`):                                     "either answer",
		with(`"status":200,"answer":1,"text":"1"`):               "either answer",
		with(`"status":99,"answer":1`):                           "200 to 599",
		with(`"status":"200","answer":1`):                        "its status is not what",
		with(`"status":200,"answer":{"a":1,"a":2}`):              "its answer: ",
		with(`"status":200,"answer":1,"body":{"a":1,"a":2}`):     "its body: ",
		with(`"status":200,"answer":1,"x":2`):                    `unknown member "x"`,
		with(`"status":200,"answer":1,"detail":"why"`):           "detail goes with a fault",
		with(`"status":200,"answer":1,"fault":"http"`):           "a fault and an answer",
		with(`"fault":"killed"`):                                 `its fault is "killed"`,
		strings.TrimSuffix(good, "\n") + strings.TrimSpace(good): "one JSON object",
	} {
		dir := t.TempDir()
		recordingsFile(t, dir, "x.jsonl", recorded(asked("other", "1"), "{}")+"\n"+line+"\n")
		problems := CheckRecordings(dir)
		require.Len(t, problems, 1, line)
		require.Contains(t, problems[0].Detail, says, line)
		require.Equal(t, "recordings/x.jsonl:3", fmt.Sprintf("%s:%d", problems[0].File, problems[0].Line))
	}
	dir := t.TempDir()
	recordingsFile(t, dir, "x.jsonl", good+good)
	require.Contains(t, CheckRecordings(dir)[0].Detail, "recordings/x.jsonl:1 answers the same request")
	require.NoError(t, os.Truncate(filepath.Join(dir, recordingsFolder, "x.jsonl"), maxRecordings+1))
	require.Contains(t, CheckRecordings(dir)[0].Detail, "more than 64 MiB")
	dir = t.TempDir()
	outside := filepath.Join(t.TempDir(), "x.jsonl")
	require.NoError(t, os.WriteFile(outside, []byte(good), 0o644))
	recordingsFile(t, dir, "y.jsonl", "")
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, recordingsFolder, "x.jsonl")))
	require.True(t, CheckRecordings(dir).HasErrors(), "a link may not lead out of the mission folder")
}

func TestNearestRecording(t *testing.T) {
	all := &recordings{byDigest: map[string]*recording{}}
	other := asked("a", `{"n":[1,2,3]}`)
	other.URL = "https://example.com/"
	for i, q := range []worker.Request{asked("a", `{"n":[1,2,4],"x":1}`), other, asked("a", `{"n":[1,2,3]}`), asked("b", `{"n":[1,2,3]}`)} {
		require.NoError(t, all.add([]byte(recorded(q, "{}")), "recordings/r.jsonl", i+1))
	}
	require.Equal(t, `recordings/r.jsonl:4, other headers: Omega-Attempt is "1"`, all.nearest(worker.Request{Job: "b", Attempt: 2, URL: "https://example.org/", Input: []byte(`{"n":[1,2,3]}`)}))
	require.Equal(t, `recordings/r.jsonl:3, its body differs in 1 bytes from byte 8 on: {"n":[1,2,3]}`, all.nearest(asked("a", `{"n":[1,9,3]}`)))
	for _, c := range []struct {
		a, b    string
		from, n int
	}{{"", "", 0, 0}, {"aa", "aaa", 2, 1}, {"abc", "abc", 3, 0}, {"abc", "xyz", 0, 3}, {"", "ab", 0, 2}, {"abab", "ab", 2, 2}} {
		from, n := apart([]byte(c.a), []byte(c.b))
		require.Equal(t, []int{c.from, c.n}, []int{from, n}, "%q %q", c.a, c.b)
	}
}

func TestMissingRecordings(t *testing.T) {
	all := &recordings{byDigest: map[string]*recording{}}
	require.NoError(t, all.without(make([]*worker.Request, 3)))
	first, second := asked("a", `{"n":1}`), asked("b", `"`+strings.Repeat("x", maxLineBody)+`"`)
	first.Secrets = []worker.Secret{{Name: "Authorization", Value: "canary"}}
	err := all.without([]*worker.Request{nil, &first, &second})
	var unanswered *UnansweredError
	require.ErrorAs(t, err, &unanswered)
	require.Contains(t, err.Error(), "a request of a, attempt 1")
	require.Contains(t, err.Error(), "nearest  none")
	require.Contains(t, err.Error(), "1 more requests")
	require.NotContains(t, err.Error(), "canary")
	require.Less(t, len(err.Error()), 4<<10)
	for line := range strings.Lines(err.Error()) { // the lines can be added as they stand
		if strings.HasPrefix(line, "{") {
			require.NoError(t, all.add([]byte(line), "r", 1))
		}
	}
	require.NoError(t, all.without(nil))
	for _, q := range []worker.Request{first, second} {
		x, ok := all.answer(q)
		require.True(t, ok)
		require.Equal(t, "null", string(q.Reply(x).Result))
	}
}

func TestRecorder(t *testing.T) {
	answer, status := `{"result":1}`, 200
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, answer)
	}))
	defer s.Close()
	dir := t.TempDir()
	said := &strings.Builder{}
	start := func() asker {
		ask, err := Config{Record: true, Problem: said}.asker(dir)
		require.NoError(t, err)
		return ask
	}
	request := func(job string) worker.Request {
		q := asked(job, "1")
		q.URL, q.Headers = s.URL, []core.Header{{Name: "X-Kind", Value: "k"}}
		q.Secrets = []worker.Secret{{Name: "Authorization", Value: "canary-1"}}
		return q
	}
	live := map[string]worker.Reply{}
	do := func(ask asker, job string) { live[job] = ask(context.Background(), request(job)) }
	ask := start()
	do(ask, "good")
	status, answer = 503, "busy, canary-1 \xff"
	do(ask, "busy")
	status, answer = 200, `{"result":"canary-1"}`
	do(ask, "tells")
	answer = "<html>"
	do(ask, "odd")
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	ask(ended, request("ended"))

	again := start() // another run
	answer = `{"result":2}`
	do(again, "good")
	do(again, "good")
	text, err := os.ReadFile(filepath.Join(dir, recordedFile))
	require.NoError(t, err)
	require.NotContains(t, string(text), "canary")
	require.Equal(t, 4, strings.Count(string(text), "\n"))
	require.Empty(t, said.String())
	all, problems := readRecordings(dir)
	require.Empty(t, problems)
	for job, reply := range live {
		q := request(job)
		q.Mission = "another run"
		x, ok := all.answer(q)
		require.True(t, ok, job)
		rehearsed := q.Reply(x)
		require.Equal(t, []string{string(reply.Fault), string(reply.Result)}, []string{string(rehearsed.Fault), string(rehearsed.Result)}, job)
	}
	require.Equal(t, "2", string(live["good"].Result))

	require.NoError(t, os.RemoveAll(filepath.Join(dir, recordingsFolder)))
	require.NoError(t, os.WriteFile(filepath.Join(dir, recordingsFolder), nil, 0o644))
	do(again, "unwritten")
	do(again, "unwritten")
	require.Equal(t, "2", string(live["unwritten"].Result), "that it cannot be recorded is not worth an attempt")
	require.Equal(t, 1, strings.Count(said.String(), "not recorded any more"))
}
