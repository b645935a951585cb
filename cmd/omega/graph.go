package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/sys/unix"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/inquiry"
)

// graphLines is the most lines a graph has; the jobs that are not shown are
// counted. Parents of the last job and the last line come out of the spare.
const (
	graphLines = 60
	graphSpare = 12
)

// graph draws all jobs layer by layer: a job stands below those it needs, and
// children stand under their parent.
func (p *program) graph() error {
	data, err := p.folder()
	if err != nil {
		return err
	}
	all, _, err := host.Roll(data)
	if err != nil {
		return &exit{host.CodeUsage, err}
	}
	d := &drawing{width: 100, paint: colourless}
	if out, ok := p.out.(*os.File); ok && isTerminal(out) {
		d.width = columns(out)
		if os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" {
			d.paint = coloured
		}
	}
	w := bufio.NewWriter(p.out)
	d.draw(w, all)
	return w.Flush()
}

// columns is the width of a terminal.
func columns(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil || size.Col == 0 {
		return 80
	}
	return int(size.Col)
}

// drawing is a graph on its way to a terminal.
type drawing struct {
	width int
	paint painter
	byID  map[string]*node
	kids  map[string][]*node // by parent, in post order
}

type node struct {
	*inquiry.Listed
	layer int
	shown bool
}

func (d *drawing) draw(w io.Writer, all []*inquiry.Listed) {
	nodes := d.arrange(all)
	if len(nodes) == 0 {
		fmt.Fprintln(w, "no job is posted yet")
		return
	}
	d.layers(w, d.choose(nodes))
}

// arrange gives every job its layer: one more than the highest of those it
// needs, and its parent's for a child.
func (d *drawing) arrange(all []*inquiry.Listed) []*node {
	d.byID, d.kids = map[string]*node{}, map[string][]*node{}
	nodes := make([]*node, 0, len(all))
	for _, one := range all {
		n := &node{Listed: one, layer: -1}
		d.byID[one.Job] = n
		nodes = append(nodes, n)
		if one.Parent != "" {
			d.kids[one.Parent] = append(d.kids[one.Parent], n)
		}
	}
	for _, n := range nodes {
		d.level(n)
	}
	return nodes
}

// level works a layer out without recursion: a chain of needs may be as long as
// the mission.
func (d *drawing) level(n *node) {
	for stack := []*node{n}; len(stack) > 0; {
		top := stack[len(stack)-1]
		layer, wait := 0, false
		for _, id := range top.above() {
			other := d.byID[id]
			switch {
			case other == nil:
			case other.layer < 0:
				stack, wait = append(stack, other), true
			case top.Parent != "":
				layer = max(layer, other.layer)
			default:
				layer = max(layer, other.layer+1)
			}
		}
		if !wait {
			top.layer = layer
			stack = stack[:len(stack)-1]
		}
	}
}

// above are the jobs that stand above a job.
func (n *node) above() []string {
	if n.Parent != "" {
		return []string{n.Parent}
	}
	return n.Needs
}

// choose marks the jobs there is room for, with their parents, and returns all
// that are nobody's children by layer.
func (d *drawing) choose(nodes []*node) [][]*node {
	deepest := 0
	for _, n := range nodes {
		deepest = max(deepest, n.layer)
	}
	layers := make([][]*node, deepest+1)
	for _, n := range nodes {
		if n.Parent == "" || d.byID[n.Parent] == nil {
			layers[n.layer] = append(layers[n.layer], n)
		}
	}
	d.mark(nodes)
	return layers
}

// mark takes failed jobs first, then open ones, and of each kind some of every
// layer. A layer that is opened has a line above and below its jobs, and one for
// the layers before it.
func (d *drawing) mark(nodes []*node) {
	place, opened := map[*node]int{}, map[int]bool{}
	taken := map[[2]int]int{}
	for _, n := range nodes {
		kind := [2]int{n.layer, rank(n.State)}
		place[n] = taken[kind]
		taken[kind]++
	}
	order := slices.Clone(nodes)
	slices.SortStableFunc(order, func(a, b *node) int {
		return cmp.Or(cmp.Compare(rank(a.State), rank(b.State)), cmp.Compare(place[a], place[b]))
	})
	room := graphLines - graphSpare
	for i := 0; room > 0 && i < len(order); i++ {
		if !opened[order[i].layer] {
			opened[order[i].layer] = true
			room -= 3
		}
		for n := order[i]; n != nil && !n.shown; n = d.byID[n.Parent] {
			n.shown = true
			room--
		}
	}
}

// layers writes them one below the other; those of which no job is shown are
// counted together.
func (d *drawing) layers(w io.Writer, layers [][]*node) {
	hidden, from := map[core.JobState]int{}, 1
	skipped := func(to int) {
		if from < to {
			fmt.Fprintln(w, d.fit(d.paint(quiet, fmt.Sprintf("layers %d to %d: %s", from, to, counted(hidden)))))
		} else if from == to {
			fmt.Fprintln(w, d.fit(d.paint(quiet, fmt.Sprintf("layer %d: %s", to, counted(hidden)))))
		}
	}
	for i, layer := range layers {
		var lines []string
		here := map[core.JobState]int{}
		for _, n := range layer {
			lines = d.tree(lines, n, "", here)
		}
		if len(lines) == 0 {
			for state, n := range here {
				hidden[state] += n
			}
			continue
		}
		skipped(i)
		hidden, from = map[core.JobState]int{}, i+2
		fmt.Fprintln(w, d.fit(d.paint(quiet, fmt.Sprintf("layer %d", i+1))))
		for _, line := range lines {
			fmt.Fprintln(w, line)
		}
		if rest := counted(here); rest != "" {
			fmt.Fprintln(w, d.fit(d.paint(quiet, "  … and "+rest)))
		}
	}
	skipped(len(layers))
}

// counted says how many jobs of each state are not shown.
func counted(hidden map[core.JobState]int) string {
	var parts []string
	for _, state := range core.JobStates() {
		if n := hidden[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	return strings.Join(parts, ", ")
}

// tree adds the line of a job and those of its children.
func (d *drawing) tree(lines []string, n *node, indent string, hidden map[core.JobState]int) []string {
	if !n.shown {
		hidden[n.State]++
	} else {
		lines = append(lines, d.line(n, indent))
	}
	for _, kid := range d.kids[n.Job] {
		lines = d.tree(lines, kid, indent+"  ", hidden)
	}
	return lines
}

// namedNeeds is how many needs a line names.
const namedNeeds = 4

func (d *drawing) line(n *node, indent string) string {
	mark, t := markOf(n.State)
	text := "  " + indent + d.paint(t, mark+" "+clean(n.Name)) + "  " + d.paint(quiet, string(n.State))
	if n.Worker != "" && (n.State == core.JobRunning || n.State == core.JobAssignedState) {
		text += d.paint(quiet, " by "+n.Worker)
	}
	if n.Reason != "" && rank(n.State) == 0 {
		text += because(n.Reason, n.Detail)
	}
	if len(n.Needs) > 0 {
		var names []string
		for _, id := range n.Needs[:min(len(n.Needs), namedNeeds)] {
			if other := d.byID[id]; other != nil {
				id = other.Name
			}
			names = append(names, clean(id))
		}
		if more := len(n.Needs) - len(names); more > 0 {
			names = append(names, fmt.Sprintf("%d more", more))
		}
		text += d.paint(quiet, "  ← "+strings.Join(names, ", "))
	}
	return d.fit(text)
}

func (d *drawing) fit(line string) string { return ansi.Truncate(line, max(1, d.width), "…") }

// markOf is how a state looks.
func markOf(s core.JobState) (string, tone) {
	switch s {
	case core.JobFinalized:
		return "✓", good
	case core.JobFailed, core.JobExpired:
		return "✗", bad
	case core.JobCancelled, core.JobSkipped:
		return "–", quiet
	case core.JobAwaiting:
		return "?", warn
	case core.JobAssignedState, core.JobRunning:
		return "●", busy
	case core.JobSubmitted, core.JobCommitting, core.JobRevealing:
		return "◐", busy
	case core.JobDelegated:
		return "◇", busy
	}
	return "○", plain
}
