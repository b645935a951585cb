package projection

import (
	"strconv"
	"strings"
	"unicode/utf8"
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
	{"assigned,running,delegated", "fill:#dbeafe,stroke:#2563eb,color:#10254f"},
	{"submitted,committing,revealing,awaiting_approval", "fill:#fef3c7,stroke:#b45309,color:#4a2304"},
	{"finalized", "fill:#dcfce7,stroke:#15803d,color:#0b3a1c"},
	{"failed,expired", "fill:#fee2e2,stroke:#b91c1c,color:#4c0d0d"},
	{"cancelled,skipped,note", "fill:#f4f4f5,stroke:#a1a1aa,color:#3f3f46"},
}

// graph is job-graph.mmd: jobs, what they need and what they have handed out,
// open ones first. It parses whatever names and titles hold.
func (p *Set) graph() []byte {
	b := []byte("flowchart LR\n")
	for _, c := range graphClasses {
		b = append(b, "  classDef "+c.states+" "+c.style+"\n"...)
	}
	shown, nodes := make([]summary, 0, maxNodes), make(map[string]int, maxNodes)
	room := nodesShare
	for one := range p.openFirst {
		start := len(b)
		b = appendNode(b, len(shown), one)
		if room -= len(b) - start; len(shown) == maxNodes-1 || room < 0 {
			b = b[:start]
			break
		}
		nodes[one.ID] = len(shown)
		shown = append(shown, *one)
	}
	b, hidden := appendEdges(b, shown, nodes)
	return appendNote(b, int(p.census.counts.Total), len(shown), hidden)
}

// openFirst yields the open jobs in post order, then those remembered of the
// ones that have ended, the last first.
func (p *Set) openFirst(yield func(*summary) bool) {
	for r := range p.census.open.all {
		if one := summaryOf(r.job); !yield(&one) {
			return
		}
	}
	p.Ended.all(yield)
}

func appendNode(b []byte, n int, one *summary) []byte {
	b = append(b, "  n"...)
	b = strconv.AppendInt(b, int64(n), 10)
	b = append(b, '[', '"')
	b = appendLabel(b, plain(one.Name, nodeName))
	if one.Title != "" {
		b = append(b, graphNewline...)
		b = appendLabel(b, plain(one.Title, nodeTitle))
	}
	b = append(b, `"]:::`...)
	b = append(b, one.State...)
	return append(b, '\n')
}

// appendEdges draws what is needed, and who has posted whom, between jobs that
// are shown. It counts those there was no room for.
func appendEdges(b []byte, shown []summary, nodes map[string]int) (out []byte, hidden int) {
	drawn := 0
	draw := func(id, arrow string, to int) {
		from, ok := nodes[id]
		if !ok {
			return
		}
		if drawn == maxEdges || len(b) > maxGraph {
			hidden++
			return
		}
		drawn++
		b = append(b, "  n"+strconv.Itoa(from)+arrow+strconv.Itoa(to)+"\n"...)
	}
	for n := range shown {
		for _, id := range shown[n].Needs[:min(len(shown[n].Needs), maxItems)] {
			draw(id, " --> n", n)
		}
		if shown[n].Parent != "" {
			draw(shown[n].Parent, " -.-> n", n)
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
	for i, r := range text {
		word := r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		switch {
		case r == 'd' && strings.HasPrefix(text[i:], "direction"): // Mermaid finds "direction TB" anywhere in a line
			b = append(b, "#100;"...)
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
