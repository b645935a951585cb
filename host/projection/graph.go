package projection

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/omega-run/omega/host/core"
)

// Mermaid's own limits with its default settings are 500 edges and 50,000
// characters; more nodes than this nobody can read.
const (
	maxNodes     = 400 // with the note
	maxEdges     = 499
	nodesShare   = 36_000 // bytes of the nodes
	maxGraph     = 48_000 // bytes in all
	nodeName     = 32     // bytes of a name, before escaping
	nodeTitle    = 40     // and of a title
	graphNewline = "<br/>"
)

// graphClasses colours the states.
var graphClasses = [...]struct{ states, style string }{
	{"posted,ready,rejected", "fill:#eef2f7,stroke:#7a8899,color:#1b2430"},
	{"assigned,running", "fill:#dbeafe,stroke:#2563eb,color:#10254f"},
	{"submitted,committing,revealing", "fill:#fef3c7,stroke:#b45309,color:#4a2304"},
	{"finalized", "fill:#dcfce7,stroke:#15803d,color:#0b3a1c"},
	{"failed,expired", "fill:#fee2e2,stroke:#b91c1c,color:#4c0d0d"},
	{"cancelled,skipped,note", "fill:#f4f4f5,stroke:#a1a1aa,color:#3f3f46"},
}

// graph is job-graph.mmd: jobs and what they need, open ones first. It parses
// whatever names and titles hold.
func graph(s *core.State, open []*core.Job) []byte {
	b := []byte("flowchart LR\n")
	for _, c := range graphClasses {
		b = append(b, "  classDef "+c.states+" "+c.style+"\n"...)
	}
	shown, nodes := make([]*core.Job, 0, maxNodes), make(map[*core.Job]int, maxNodes)
	room := nodesShare
	for j := range openFirst(s, open) {
		start := len(b)
		b = appendNode(b, len(shown), j)
		if room -= len(b) - start; len(shown) == maxNodes-1 || room < 0 {
			b = b[:start]
			break
		}
		nodes[j] = len(shown)
		shown = append(shown, j)
	}
	b, hidden := appendEdges(b, s, shown, nodes)
	return appendNote(b, int(s.Totals().Posted), len(shown), hidden)
}

func appendNode(b []byte, n int, j *core.Job) []byte {
	b = append(b, "  n"...)
	b = strconv.AppendInt(b, int64(n), 10)
	b = append(b, '[', '"')
	b = appendLabel(b, plain(j.Name(), nodeName))
	if j.Spec.Title != "" {
		b = append(b, graphNewline...)
		b = appendLabel(b, plain(j.Spec.Title, nodeTitle))
	}
	b = append(b, `"]:::`...)
	b = append(b, j.State...)
	return append(b, '\n')
}

// appendEdges draws what is needed between jobs that are shown. It counts those
// there was no room for.
func appendEdges(b []byte, s *core.State, shown []*core.Job, nodes map[*core.Job]int) (out []byte, hidden int) {
	drawn := 0
	for n, j := range shown {
		for _, id := range j.Spec.Needs {
			from, ok := nodes[s.Job(id)]
			if !ok {
				continue
			}
			if drawn == maxEdges || len(b) > maxGraph {
				hidden++
				continue
			}
			drawn++
			b = append(b, "  n"+strconv.Itoa(from)+" --> n"+strconv.Itoa(n)+"\n"...)
		}
	}
	return b, hidden
}

func appendNote(b []byte, jobs, shown, hidden int) []byte {
	var notes []string
	if jobs == 0 {
		notes = append(notes, "no job is posted yet")
	}
	if rest := jobs - shown; rest > 0 {
		notes = append(notes, count(rest, "more job", "more jobs"))
	}
	if hidden > 0 {
		notes = append(notes, count(hidden, "more arrow", "more arrows"))
	}
	if len(notes) == 0 {
		return b
	}
	return append(b, `  note["`+strings.Join(notes, graphNewline)+"\"]:::note\n"...)
}

// appendLabel writes text for between the quotes of a node. Mermaid gives a
// meaning to nearly every mark there is, so all but letters, digits, commas and
// what stands within a word becomes a numeric entity.
func appendLabel(b []byte, text string) []byte {
	within := false
	for _, r := range text {
		word := r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		switch {
		case word, r == ' ', r == ',', (r == '-' || r == '_') && within:
			b = append(b, byte(r))
		case r < 0x80, r == 'ﬂ', r == '¶': // the last two begin and end entities inside Mermaid
			b = append(b, '#')
			b = strconv.AppendInt(b, int64(r), 10)
			b = append(b, ';')
		default:
			b = utf8.AppendRune(b, r)
		}
		within = word
	}
	return b
}
