package projection_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/omega-run/omega/host/core"
	"github.com/stretchr/testify/require"
)

// The part of Mermaid's flowcharts that is used here, a line at a time, stricter
// than Mermaid itself: what is between quotes holds no mark with a meaning, but
// whole numeric entities and line breaks.
var (
	classLine = regexp.MustCompile(`^  classDef [a-z_]+(,[a-z_]+)* (fill|stroke|color):#[0-9a-f]{6}(,(fill|stroke|color):#[0-9a-f]{6})*$`)
	nodeLine  = regexp.MustCompile(`^  (n[0-9]+|note)\["((?:[A-Za-z0-9 ,_-]|[^\x00-\x7fﬂ¶\x{80}-\x{9f}\x{2028}\x{2029}\x{202a}-\x{202e}]|#[0-9]+;|<br/>)*)"\]:::([a-z_]+)$`)
	edgeLine  = regexp.MustCompile(`^  (n[0-9]+) (?:-->|-\.->) (n[0-9]+)$`)
)

func requireMermaid(t *testing.T, text string) (labels map[string]string, edges int) {
	require.LessOrEqual(t, len(text), 50_000, "Mermaid refuses more by default")
	lines := strings.Split(text, "\n")
	require.Equal(t, "flowchart LR", lines[0])
	require.Empty(t, lines[len(lines)-1])
	labels, classes := map[string]string{}, map[string]bool{}
	for _, line := range lines[1 : len(lines)-1] {
		if classLine.MatchString(line) {
			for _, class := range strings.Split(strings.Fields(line)[1], ",") {
				classes[class] = true
			}
		} else if m := nodeLine.FindStringSubmatch(line); m != nil {
			require.NotContains(t, labels, m[1])
			require.True(t, classes[m[3]], line)
			labels[m[1]] = m[2]
		} else if m := edgeLine.FindStringSubmatch(line); m != nil {
			require.Contains(t, labels, m[1])
			require.Contains(t, labels, m[2])
			edges++
		} else {
			t.Fatalf("not Mermaid as it should be: %q", line)
		}
	}
	for _, state := range core.JobStates() {
		require.True(t, classes[string(state)], state)
	}
	require.LessOrEqual(t, len(labels), 400)
	require.Less(t, edges, 500)
	return labels, edges
}

func TestHostileTitlesParse(t *testing.T) {
	titles := []string{
		`"]; click n0 call alert()`, "end", "a\nb\r\n---\n%%{init: {}}%%", "<script>alert(1)</script>", "&lt;#quot;#35;", "`markdown`", "1. list", "- list", "* x",
		"ﬂ°°34¶ß", "日本語 のタイトル", "🚀 emoji", "\u202eright to left", "style x:#f00;", "classDef a:#b;", "subgraph", "a|b{c}(d)[e]", "\x00\x1b[31mred", strings.Repeat("x", 10_000),
		strings.Repeat("é\"", 5_000), string([]byte{0xff, 0xfe, 'a'}), "", " ", "o--o", "x", "$$\\frac{1}{2}$$", "fa:fa-car", "@{ shape: rect }", "\u2028\u2029", "_a_ __b__", "direction TB", "any direction\u3000LR",
	}
	var jobs []core.JobSpec
	for i, title := range titles {
		jobs = append(jobs, job("j_"+string(rune('a'+i%26))+string(rune('a'+i/26)), func(j *core.JobSpec) {
			j.Title, j.Label = title, title
			if i > 0 {
				j.Needs = []string{jobs[0].ID, jobs[i-1].ID}
			}
		}))
	}
	d := start(t, spec(), jobs...)
	labels, edges := requireMermaid(t, contents(t, d.live)["job-graph.mmd"])
	require.Equal(t, map[string]string{"note": "no job is posted yet"}, labels)
	require.Zero(t, edges)
	d.expand()
	labels, edges = requireMermaid(t, contents(t, d.live)["job-graph.mmd"])
	require.Len(t, labels, len(titles))
	require.Equal(t, 2*(len(titles)-1), edges)
	require.Equal(t, "#34;#93;#59; click n0 call alert#40;#41;<br/>#34;#93;#59; click n0 call alert#40;#41;", labels["n0"])
	require.NotContains(t, contents(t, d.live)["job-graph.mmd"], "direction", "the word turns its whole line into a statement")
	for _, text := range contents(t, d.live) {
		require.NotContains(t, text, "\x1b")
		require.NotContains(t, text, "\u202e")
	}
}
