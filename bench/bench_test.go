package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	if dir, ok := child(); ok {
		if err := startHost(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestRows takes every measurement at the smallest size and looks at what is
// written: never at a time.
func TestRows(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts a database and many hosts")
	}
	b, err := newBench(t.Context(), &options{dir: t.TempDir(), scale: 1e-6})
	require.NoError(t, err)
	defer func() { require.NoError(t, b.close()) }()
	t.Run("all", func(t *testing.T) {
		rows := check(t, b, "")
		topics := map[string]bool{}
		for _, r := range rows {
			topics[r.topic] = true
		}
		for _, m := range measurements() {
			require.True(t, topics[m.topic], "%s has no row", m.topic)
		}
	})
	t.Run("without PostgreSQL", func(t *testing.T) {
		b.missing = "it is not here"
		told := 0
		for _, r := range check(t, b, "rate|cost|Transfers") {
			if r.alone == b.missing {
				told++
			}
			if r.Peer != nil {
				require.NotContains(t, *r.Peer, "River")
				require.NotContains(t, *r.Peer, "PostgreSQL")
			}
		}
		require.Equal(t, 8+2+5, told, "rows that say why their peer is left out")
	})
}

func check(t *testing.T, b *bench, only string) []row {
	table, _, err := b.rounds(1, 0, regexp.MustCompile(only))
	require.NoError(t, err)
	rows := table.rows()
	path := filepath.Join(t.TempDir(), "out", "latest.json")
	require.NoError(t, write(path, rows))
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	var objects []map[string]any
	require.NoError(t, json.Unmarshal(written, &objects))
	require.Len(t, objects, len(rows))
	names := map[string]bool{}
	for i, object := range objects {
		require.ElementsMatch(t, []string{"name", "value", "unit", "better", "peer", "peer_value", "ratio"}, keys(object))
		name := object["name"].(string)
		require.False(t, names[name], "%s is there twice", name)
		names[name] = true
		require.NotEmpty(t, object["unit"])
		require.Contains(t, []any{"higher", "lower"}, object["better"])
		require.False(t, math.IsInf(object["value"].(float64), 0))
		checkPeer(t, object, rows[i].alone)
	}
	var shown, page bytes.Buffer
	require.NoError(t, print(&shown, rows))
	require.NoError(t, markdown(&page, rows))
	for name := range names {
		require.Contains(t, shown.String(), name)
		require.Contains(t, page.String(), "| "+name+" |")
	}
	return rows
}

// checkPeer: a row has a peer and what it reached, or says why it has none.
func checkPeer(t *testing.T, object map[string]any, alone string) {
	name := object["name"]
	if object["peer"] == nil {
		require.Nil(t, object["peer_value"], name)
		require.Nil(t, object["ratio"], name)
		require.NotEmpty(t, alone, "%s does not say why it has no peer", name)
		return
	}
	require.Empty(t, alone, name)
	require.NotEmpty(t, object["peer"], name)
	require.Greater(t, object["peer_value"], 0.0, name)
	require.NotNil(t, object["ratio"], name)
}

func keys(object map[string]any) (all []string) {
	for name := range object {
		all = append(all, name)
	}
	return all
}

func TestRowIsAMedianOfRatios(t *testing.T) {
	table := &table{topic: "Topic"}
	for i, value := range []float64{10, 40, 20} {
		table.add("row", "jobs/s", higher, value, against("peer", []float64{10, 10, 20}[i]))
	}
	r := table.rows()[0]
	require.Equal(t, 20.0, r.Value)
	require.Equal(t, 10.0, *r.PeerValue)
	require.Equal(t, 1.0, *r.Ratio) // of 1, 4 and 1: not 20/10
	var page strings.Builder
	require.NoError(t, markdown(&page, table.rows()))
	require.Contains(t, page.String(), "| row | 20.0 jobs/s | 10.0–40.0 | peer | 10.0 | 1.00 |")
}

func TestNumbersForPeople(t *testing.T) {
	for v, want := range map[float64]string{0: "0.00", 1.234: "1.23", 12.34: "12.3", 123.4: "123", 1234: "1,234", 1234567: "1,234,567", -123: "-123", -1234: "-1,234"} {
		require.Equal(t, want, short(v))
	}
}
