package missionfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/core"
)

// asking is a mission whose worker has this http block.
func asking(t *testing.T, block string, given Given) (*Mission, Diagnostics) {
	dir := t.TempDir()
	text := "mission \"m\" {}\ntreasury {\n  tokens = 1000\n}\nvariable \"token\" {\n  sensitive = true\n}\nworker \"w\" {\n  skills = [\"s\"]\n  http {\n" + block + "\n  }\n}\njob \"j\" {\n  skills = [\"s\"]\n  reward = 1\n}\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mission.hcl"), []byte(text), 0o644))
	given.Flags = []string{"token=Bearer x"}
	return Load(dir, given)
}

func TestWorkerAsksAServer(t *testing.T) {
	m, problems := asking(t, `url = "https://example.org:8443/solve?q=1"
	timeout = "2m"
	headers = { x-kind = 5, accept = "text/x", Content-Type = null }
	secrets = { authorization = var.token }
	output  = 4096`, Given{})
	require.Empty(t, problems)
	w := m.Spec().Workers[0]
	require.Equal(t, core.HTTP, w.Kind)
	require.Equal(t, core.HTTPSpec{
		URL: "https://example.org:8443/solve?q=1", Timeout: 2 * core.Minute, Output: 4096,
		Headers: []core.Header{{Name: "Accept", Value: "text/x"}, {Name: "X-Kind", Value: "5"}}, Secrets: []core.Secret{{Name: "Authorization", Variable: "token"}},
	}, w.HTTP)
	next, problems := asking(t, `url = "http://127.0.0.1/"`, Given{})
	require.Empty(t, problems)
	require.Equal(t, 30*core.Second, next.Spec().Workers[0].HTTP.Timeout)
	changes := Compare(m, next).List
	require.Equal(t, "url https://example.org:8443/solve?q=1 → http://127.0.0.1/ timeout 2m → 30s output 4096 → 1048576 headers secrets", strings.Join(changes[0].Detail, " "))
	require.Equal(t, core.NewJobs, changes[0].Effect)
}

func TestServerRefused(t *testing.T) {
	const url = "url = \"https://example.org/\"\n"
	for block, says := range map[string]string{
		``:                           "worker.http",
		`url = "example.org/solve"`:  `begins with neither "https://" nor`,
		`url = "/solve"`:             `begins with neither`,
		`url = "file:///etc/passwd"`: `begins with neither`,
		`url = "https:///solve"`:     "names no host",
		`url = "http://:80/"`:        "names no host",
		`url = "https://me:password@example.org/"`:                   "a name or a password",
		`url = "https://example.org/#part"`:                          "what follows # is never sent",
		`url = "https://exa mple.org/"`:                              "is no address",
		`url = "https://example.org/${var.token}"`:                   "sensitive variable token",
		`url = var.token`:                                            "sensitive variable token",
		url + `headers = { Authorization = var.token }`:              "sensitive variable token",
		url + `headers = { X = "a", x = "b" }`:                       "appears twice",
		url + `headers = { "X Y" = "a" }`:                            "not the name of a header",
		url + `headers = { X = "a\nb" }`:                             "one line",
		url + `headers = { X = "" }`:                                 "ASCII text",
		url + `headers = { X = "é" }`:                                "ASCII text",
		url + `headers = { X = ["a"] }`:                              "write text",
		url + `headers = "X: a"`:                                     "object of texts",
		url + `headers = { Omega-Job = "k" }`:                        "The host itself says Omega-Job",
		url + `headers = { idempotency-key = "k" }`:                  "The host itself says Idempotency-Key",
		url + `headers = { host = "k" }`:                             "The host itself says Host",
		url + `secrets = { Content-Length = var.token }`:             "The host itself says Content-Length",
		url + `secrets = { X = var.token, x = var.token }`:           "appears twice",
		url + `secrets = { X = "plain" }`:                            "one sensitive variable",
		url + "headers = { X = \"a\" }\nsecrets = { x = var.token }": "X stands in headers and in secrets",
		url + `timeout = 0`:                                          "between",
		url + `command = ["sh"]`:                                     "command",
	} {
		_, problems := asking(t, block, Given{})
		require.True(t, problems.HasErrors(), block)
		text := ""
		for _, d := range problems {
			text += d.Summary + ": " + d.Detail + "\n"
		}
		require.Contains(t, strings.ToLower(text), strings.ToLower(says), block)
		require.NotContains(t, text, "Bearer")
		require.NotContains(t, text, "password@")
	}
}

func TestServersAreNotHurried(t *testing.T) {
	_, problems := asking(t, `url = "https://example.org/"`, Given{Hurried: true})
	require.Len(t, problems, 1)
	require.Equal(t, "Real work cannot be hurried", problems[0].Summary)
	require.Equal(t, 10, problems[0].Line)
}
