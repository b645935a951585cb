package projection_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/omega-run/omega/host/core"
	"github.com/stretchr/testify/require"
)

// hostile are pieces that mean something to Mermaid, to a page or to a terminal.
var hostile = []string{
	`"`, "'", "`", "`\"", "end", "End", " end ", "<script>alert(1)</script>", "<br/>", "<", ">", "</g>", "%%{init: {\"theme\":\"dark\"}}%%", "%%", "%%{", "}%%",
	"click n0 call alert()", "click n1 \"javascript:alert(1)\"", "href", "]", "[", "[[", "]]", "[(", ")]", "(", ")", "((", "{", "}", "{{", "|", "|x|", "-->", "---", "-.->", "==>", "~~~", "o--o", "x--x",
	"<-->", "&", ";", ";\n", ":", ":::", ":::finalized", "@", "@{ shape: rect }", "\\", "/", "[/x/]", "#", "#quot;", "#35;", "#x41;", "#1114112;", "&quot;", "&#34;", "&#x22;", "&#x", "&lt;", "&",
	"\n", "\r\n", "\r", "\t", "\v", "\f", "\x00", "\x1b[31m", "\x1b]0;t\a", "\x7f", "\u0085", "\u2028", "\u2029", "\u200e", "\u200f", "\u202e", "\u2066", "\u2069", "\ufeff", "\u200b", "\u00ad",
	"classDef failed fill:#000", "class n0 failed", "style n0 fill:#f00", "linkStyle 0 stroke:red", "subgraph s", "subgraph", "direction TB", "direction\tLR", "direction\u3000RL", "direction", " TD", "flowchart TD", "graph LR", "sequenceDiagram",
	"accTitle: x", "accDescr { y }", "title: z", "---\ntitle: q\n---", "n0 --> n1", "note", "default", "_self", "1. list", "- list", "* x", "+ y", "**bold**", "_i_", "__b__", "~~s~~", "$$x^2$$", "fa:fa-car",
	"ﬂ°°34¶ß", "ﬂ°", "¶ß", "°", "日本語", "العربية", "עברית", "🚀", "👩‍👩‍👧", "e\u0301\u0301\u0301", "\U000e0041", string([]byte{0xff, 0xfe}), "\xed\xa0\x80", "é", "A", "plain words", " ", "  ", "0", "-", "_", ",", ".", "!", "?", "^", "=", "~", "$",
}

// hostileTitle draws a title: some pieces one after the other, seldom very long.
func hostileTitle(dice *rand.Rand) string {
	var b strings.Builder
	for range 1 + dice.IntN(6) {
		b.WriteString(hostile[dice.IntN(len(hostile))])
	}
	if dice.IntN(50) == 0 {
		return strings.Repeat(b.String(), 10_240/b.Len()+1)
	}
	return b.String()
}

// judgedGraph is what judge.mjs reads.
type judgedGraph struct {
	Name    string            `json:"name"`
	Text    string            `json:"text"`
	Nodes   map[string]string `json:"nodes"`
	Edges   []string          `json:"edges"`
	Classes []string          `json:"classes"`
}

// judged reads a graph as it was meant: line by line.
func judged(t *testing.T, name, text string) judgedGraph {
	g := judgedGraph{Name: name, Text: text, Nodes: map[string]string{}, Edges: []string{}}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	require.Equal(t, "flowchart LR", lines[0])
	for _, line := range lines[1:] {
		if m := nodeLine.FindStringSubmatch(line); m != nil {
			g.Nodes[m[1]] = m[2]
		} else if m := edgeLine.FindStringSubmatch(line); m != nil {
			g.Edges = append(g.Edges, m[1]+" "+m[2])
		} else {
			require.Regexp(t, classLine, line)
			g.Classes = append(g.Classes, strings.Split(strings.Fields(line)[1], ",")...)
		}
	}
	slices.Sort(g.Classes)
	return g
}

// hostileMission is the graph of a mission whose every title, name, result and
// failure is hostile, after some of its jobs have ended.
func hostileMission(t *testing.T, n int, titles []string, dice *rand.Rand) judgedGraph {
	var jobs []core.JobSpec
	for i, title := range titles {
		jobs = append(jobs, job(fmt.Sprintf("j_%d", i), func(j *core.JobSpec) {
			j.Title, j.Label, j.EnergyBudget = title, titles[len(titles)-1-i], 0
			for need := i - 1; need >= 0 && dice.IntN(3) > 0; need -= 1 + dice.IntN(20) {
				j.Needs = append(j.Needs, jobs[need].ID)
			}
		}))
	}
	s := spec()
	s.Governance.Committee, s.Governance.ApprovalsRequired = 0, 0
	s.Workers[0].Slots = 20
	d := start(t, s, jobs...)
	d.expand()
	for range 3 {
		for _, w := range d.state.Outstanding() {
			if w.Kind != core.RunAttempt {
				continue
			}
			text := hostileTitle(dice)
			if dice.IntN(4) == 0 {
				d.do(&core.Failure{Job: w.Job.Spec.ID, Attempt: w.Attempt, Lease: w.Lease, Reason: "exit", Detail: strings.ToValidUTF8(text, "?")})
				continue
			}
			result, err := json.Marshal(map[string]string{"title": text})
			require.NoError(t, err)
			d.do(&core.Result{Job: w.Job.Spec.ID, Attempt: w.Attempt, Lease: w.Lease, Result: result, EnergyUsed: core.Unreported, ComputeUsed: core.Unreported})
		}
	}
	text := contents(t, d.live)["job-graph.mmd"]
	g := judged(t, fmt.Sprintf("mission %d", n), text)
	require.Len(t, g.Nodes, len(titles), "every title is in the graph")
	require.NotEmpty(t, g.Edges)
	return g
}

// TestMermaidReadsEveryTitle has Mermaid itself parse the graphs of 10,000
// hostile titles, and compares what it makes of them, node by node. It needs
// node and npm; OMEGA_NODE=required makes their absence a failure.
func TestMermaidReadsEveryTitle(t *testing.T) {
	dir := mermaidFolder(t)
	const titles, each = 10_000, 80 // all of a mission's titles must have room in its graph
	dice := rand.New(rand.NewPCG(3, 14))
	var lines bytes.Buffer
	write := func(g judgedGraph) {
		line, err := json.Marshal(g)
		require.NoError(t, err)
		lines.Write(append(line, '\n'))
	}
	for n := range titles / each {
		all := make([]string, each)
		for i := range all {
			all[i] = hostileTitle(dice)
		}
		write(hostileMission(t, n, all, dice))
	}
	said, err := judge(dir, lines.Bytes())
	require.NoError(t, err, said)
	require.Equal(t, fmt.Sprintf("%d graphs are as they should be\n", titles/each), said)

	// The judge sees what is smuggled in.
	good := judgedGraph{
		Name: "good", Text: "flowchart LR\n  classDef a fill:#ffffff\n  n0[\"a\"]:::a\n  n1[\"b\"]:::a\n  n0 --> n1\n",
		Nodes: map[string]string{"n0": "a", "n1": "b"}, Edges: []string{"n0 n1"}, Classes: []string{"a"},
	}
	lines.Reset()
	write(good)
	smuggled := []string{
		"  n2[\"c\"]:::a\n", "  n1 --> n0\n", "  click n0 \"https://example.org\"\n", "  style n0 fill:#000000\n", "  subgraph s\n  n0\n  end\n",
		"  classDef b fill:#000000\n", "  end\n", "  n0(\"a\")\n",
	}
	for _, more := range smuggled {
		bad := good
		bad.Name = fmt.Sprintf("with %q", more)
		bad.Text += more
		write(bad)
	}
	said, err = judge(dir, lines.Bytes())
	require.Error(t, err)
	require.Contains(t, said, "1 graphs are as they should be\n")
	for _, more := range smuggled {
		require.Contains(t, said, fmt.Sprintf("with %q: ", more))
	}
}

// judge has Mermaid read graphs, one a line.
func judge(dir string, graphs []byte) (said string, err error) {
	cmd := exec.Command("node", "judge.mjs")
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(graphs)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// mermaidFolder is a folder with the judge and what it needs, installed once
// for each lock file.
func mermaidFolder(t *testing.T) string {
	const must = "required"
	unless := func(err error, what string) {
		if err == nil {
			return
		}
		require.NotEqual(t, must, os.Getenv("OMEGA_NODE"), "%s: %v", what, err)
		t.Skipf("Mermaid does not judge here: %s (%v); `make test` insists on it", what, err)
	}
	for _, program := range []string{"node", "npm"} {
		_, err := exec.LookPath(program)
		unless(err, "no "+program)
	}
	from := filepath.Join("testdata", "mermaid")
	lock, err := os.ReadFile(filepath.Join(from, "package-lock.json"))
	require.NoError(t, err)
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	sum := sha256.Sum256(lock)
	dir := filepath.Join(cache, "omega-test", fmt.Sprintf("mermaid-%x", sum[:8]))
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		require.NoError(t, os.MkdirAll(filepath.Dir(dir), 0o755))
		fresh, err := os.MkdirTemp(filepath.Dir(dir), "installing-")
		require.NoError(t, err)
		defer os.RemoveAll(fresh)
		for _, name := range []string{"package.json", "package-lock.json"} {
			require.NoError(t, copyFile(filepath.Join(from, name), filepath.Join(fresh, name)))
		}
		cmd := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
		cmd.Dir = fresh
		out, err := cmd.CombinedOutput()
		unless(err, "npm ci failed: "+string(out))
		if err := os.Rename(fresh, dir); err != nil { // another test may have been first
			_, err = os.Stat(filepath.Join(dir, "node_modules"))
			require.NoError(t, err)
		}
	}
	work := t.TempDir()
	require.NoError(t, os.Symlink(filepath.Join(dir, "node_modules"), filepath.Join(work, "node_modules")))
	require.NoError(t, copyFile(filepath.Join(from, "judge.mjs"), filepath.Join(work, "judge.mjs")))
	return work
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o644)
}
