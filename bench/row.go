package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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

	topic       string
	alone       string  // why there is no peer, "" where there is one
	least, most float64 // of the rounds
}

// Whether more or less of something is better.
const (
	higher = "higher"
	lower  = "lower"
)

// peer is what a row is held against, measured in the same round; or why
// nothing is.
type peer struct {
	name  string
	value float64
	alone string
}

// against is a peer and what it reached.
func against(name string, value float64) peer { return peer{name: name, value: value} }

// alone is no peer, and why.
func alone(why string) peer { return peer{alone: why} }

// table gathers what every round measures; rows keep the order in which they
// were first seen.
type table struct {
	topic string // of the rows that are being added
	cells []*cell
}

type cell struct {
	topic, name, unit, better, peer, alone string
	values, peers                          []float64
}

// add notes what one round measured.
func (t *table) add(name, unit, better string, value float64, p peer) {
	i := slices.IndexFunc(t.cells, func(c *cell) bool { return c.name == name })
	if i < 0 {
		i = len(t.cells)
		t.cells = append(t.cells, &cell{topic: t.topic, name: name, unit: unit, better: better, peer: p.name, alone: p.alone})
	}
	c := t.cells[i]
	c.values = append(c.values, value)
	if p.name != "" {
		c.peers = append(c.peers, p.value)
	}
}

// rows are what the table holds, topic by topic.
func (t *table) rows() []row {
	rows := make([]row, 0, len(t.cells))
	for _, c := range t.cells {
		rows = append(rows, c.row())
	}
	return rows
}

func (c *cell) row() row {
	r := row{
		Name: c.name, Value: median(c.values), Unit: c.unit, Better: c.better,
		topic: c.topic, alone: c.alone, least: slices.Min(c.values), most: slices.Max(c.values),
	}
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

// print writes the rows for people.
func print(w io.Writer, rows []row) error {
	topic := ""
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		if r.topic != topic {
			topic = r.topic
			fmt.Fprintf(t, "\n%s\tmedian\tunit\trange\tratio\tpeer\tmedian\n", strings.ToUpper(topic))
		}
		ratio, name, value := r.peerTexts()
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, short(r.Value), r.Unit, r.rangeText(), ratio, name, value)
	}
	return t.Flush()
}

// markdown writes the rows as docs/performance.md has them.
func markdown(w io.Writer, rows []row) error {
	topic := ""
	for _, r := range rows {
		if r.topic != topic {
			topic = r.topic
			fmt.Fprintf(w, "\n### %s\n\n| what | median | range | peer, in the same rounds | its median | ratio |\n|---|---|---|---|---|---|\n", topic)
		}
		ratio, name, value := r.peerTexts()
		if _, err := fmt.Fprintf(w, "| %s | %s %s | %s | %s | %s | %s |\n", r.Name, short(r.Value), r.Unit, r.rangeText(), name, value, ratio); err != nil {
			return err
		}
	}
	return nil
}

func (r *row) peerTexts() (ratio, name, value string) {
	if r.Peer == nil {
		return "", "none: " + r.alone, ""
	}
	return strconv.FormatFloat(*r.Ratio, 'f', decimals(*r.Ratio), 64), *r.Peer, short(*r.PeerValue)
}

func (r *row) rangeText() string {
	if r.least == r.most {
		return ""
	}
	return short(r.least) + "–" + short(r.most)
}

// count is a whole number with its thousands apart.
func count(n int) string { return apart(strconv.Itoa(n)) }

// short is a number with three digits that matter, and its thousands apart.
func short(v float64) string { return apart(strconv.FormatFloat(v, 'f', decimals(v), 64)) }

func apart(text string) string {
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		return "-" + apart(rest)
	}
	for i := strings.IndexByte(text+".", '.') - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func decimals(v float64) int {
	switch v = math.Abs(v); {
	case v < 10:
		return 2
	case v < 100:
		return 1
	}
	return 0
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
