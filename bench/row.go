package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"text/tabwriter"
)

// row is one line of the table and one object of latest.json. Without a peer
// the last three are null.
type row struct {
	Name      string   `json:"name"`
	Value     float64  `json:"value"` // median of the rounds
	Unit      string   `json:"unit"`
	Better    string   `json:"better"` // higher or lower
	Peer      *string  `json:"peer"`
	PeerValue *float64 `json:"peer_value"` // median of the same rounds
	Ratio     *float64 `json:"ratio"`      // median of value / peer value, round by round

	least, most float64 // of the rounds
}

// Whether more or less of something is better.
const (
	higher = "higher"
	lower  = "lower"
)

// table gathers what every round measures; rows keep the order in which they
// were first seen.
type table struct {
	order []string
	cells map[string]*cell
}

type cell struct {
	name, unit, better, peer string
	values, peers            []float64
}

func newTable() *table { return &table{cells: map[string]*cell{}} }

func (t *table) cell(name, unit, better string) *cell {
	c := t.cells[name]
	if c == nil {
		c = &cell{name: name, unit: unit, better: better}
		t.cells[name] = c
		t.order = append(t.order, name)
	}
	return c
}

// add notes a value that stands alone.
func (t *table) add(name, unit, better string, value float64) {
	c := t.cell(name, unit, better)
	c.values = append(c.values, value)
}

// beside notes a value and what its peer reached in the same round.
func (t *table) beside(name, unit, better string, value float64, peer string, peerValue float64) {
	t.add(name, unit, better, value)
	c := t.cells[name]
	c.peer, c.peers = peer, append(c.peers, peerValue)
}

func (t *table) rows() []row {
	rows := make([]row, 0, len(t.order))
	for _, name := range t.order {
		rows = append(rows, t.cells[name].row())
	}
	return rows
}

func (c *cell) row() row {
	r := row{Name: c.name, Value: median(c.values), Unit: c.unit, Better: c.better, least: slices.Min(c.values), most: slices.Max(c.values)}
	if c.peer == "" {
		return r
	}
	ratios := make([]float64, len(c.peers))
	for i := range ratios {
		ratios[i] = c.values[i] / c.peers[i]
	}
	peerValue, ratio := median(c.peers), median(ratios)
	r.Peer, r.PeerValue, r.Ratio = &c.peer, &peerValue, &ratio
	return r
}

func median(values []float64) float64 { return quantile(values, 0.5) }

// quantile is the value below which a part of the values lies.
func quantile(values []float64, part float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(part*float64(len(sorted))), len(sorted)-1)]
}

func print(w io.Writer, rows []row) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "what\tmedian\tunit\trange\tpeer\tmedian\tratio")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s–%s\t", r.Name, short(r.Value), r.Unit, short(r.least), short(r.most))
		if r.Peer != nil {
			fmt.Fprintf(t, "%s\t%s\t%.2f", *r.Peer, short(*r.PeerValue), *r.Ratio)
		} else {
			fmt.Fprint(t, "\t\t")
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

// short is a number with three digits that matter.
func short(v float64) string {
	digits := 0
	switch {
	case v < 10:
		digits = 2
	case v < 100:
		digits = 1
	}
	return strconv.FormatFloat(v, 'f', digits, 64)
}

func write(path string, rows []row) error {
	b, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}
