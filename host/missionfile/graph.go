package missionfile

import "slices"

// graph is the edges between job instances, by their place in file order: those
// of node n are to[first[n]:first[n+1]].
type graph struct {
	first   []int32
	to      []int32
	forward bool // an edge goes to a later node or to itself
}

// add appends the edges of the next node. It is false beyond maxEdges.
func (g *graph) add(edges []int64) bool {
	node := int64(len(g.first) - 1)
	for _, e := range edges {
		g.to = append(g.to, int32(e))
		g.forward = g.forward || e >= node
	}
	g.first = append(g.first, int32(len(g.to)))
	return len(g.to) <= maxEdges
}

// cycle is a path of nodes that ends where it began, or nil. It walks depth
// first with a stack of its own: a chain may be a million nodes long.
func (g *graph) cycle() []int32 {
	if !g.forward {
		return nil // every edge goes back in the file
	}
	const (
		fresh = iota
		open
		done
	)
	state := make([]uint8, len(g.first)-1)
	next := slices.Clone(g.first[:len(state)])
	var path []int32
	for root := range state {
		if state[root] != fresh {
			continue
		}
		state[root], path = open, append(path, int32(root))
		for len(path) > 0 {
			at := path[len(path)-1]
			if next[at] == g.first[at+1] {
				state[at], path = done, path[:len(path)-1]
				continue
			}
			to := g.to[next[at]]
			next[at]++
			switch state[to] {
			case open:
				return append(slices.Clone(path[slices.Index(path, to):]), to)
			case fresh:
				state[to], path = open, append(path, to)
			}
		}
	}
	return nil
}

// cycles reports the first circle among the jobs, from its earliest one on.
func (l *loader) cycles() {
	path := l.graph.cycle()
	if path == nil {
		return
	}
	ring := path[:len(path)-1]
	start := slices.Index(ring, slices.Min(ring))
	ring = slices.Concat(ring[start:], ring[:start+1])
	names := make([]string, len(ring))
	for i, n := range ring {
		b, at := l.m.node(int64(n))
		names[i] = b.set.shown(b.name, at)
	}
	b, _ := l.m.node(int64(ring[0]))
	at := b.rangeOf("needs")
	if b.needs == nil {
		at = b.rangeOf("input")
	}
	l.r.fail(at, "Jobs in a circle", "%s: each waits for the next, so none could start; remove one of these needs.", shorten(names))
}

// node is the block and index of the instance at a place in file order.
func (m *Mission) node(n int64) (*jobBlock, int64) {
	i, exact := slices.BinarySearchFunc(m.jobs, n, func(b *jobBlock, n int64) int { return int(b.first - n) })
	if !exact {
		i--
	}
	for m.jobs[i].set.len() == 0 { // empty blocks share their place with the next
		i++
	}
	return m.jobs[i], n - m.jobs[i].first
}
