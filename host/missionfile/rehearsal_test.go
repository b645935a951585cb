package missionfile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host/core"
)

func TestRehearsal(t *testing.T) {
	at := folder(t, head+job("alpha"), map[string]string{
		RehearsalFile:    "at \"3h\" {\n  edit = \"./v2/mission.hcl\"\n}\nat \"2h\" { order = [\"pause\"] }\nat \"3h\" { edit = \"v3\" }\n",
		"v2/mission.hcl": "broken", "v3/x.js": "",
	})
	all, diags := Rehearsal(filepath.Dir(at))
	require.Empty(t, diags)
	require.Equal(t, []Scheduled{
		{At: core.Time(2 * core.Hour), Order: []string{"pause"}, Line: 4},
		{At: core.Time(3 * core.Hour), Edit: "v2/mission.hcl", Line: 1},
		{At: core.Time(3 * core.Hour), Edit: "v3", Line: 5},
	}, all)
	all, diags = Rehearsal(t.TempDir())
	require.Empty(t, diags)
	require.Empty(t, all)
}

func TestRehearsalRefused(t *testing.T) {
	outside := t.TempDir()
	for body, want := range map[string]string{
		``:                                  `1:1: Nothing happens: Write order = ["pause"], or edit = "v2/mission.hcl".`,
		`order = ["a"]` + "\n" + `edit="b"`: `3:1: Two things at once: `,
		`order = []`:                        `2:9: Not an order: An order is a list of words, as in ["pause"].`,
		`order = "pause"`:                   `2:9: Not an order: `,
		`oder = ["pause"]`:                  `2:1: Unsupported argument: `,
		`edit = ["v2"]`:                     `2:8: Not an edit: An edit is a file or folder`,
		`edit = null`:                       `2:8: Not an edit: `,
		`edit = "../v2"`:                    `2:8: Not an edit: It lies outside the mission folder.`,
		`edit = "/etc/passwd"`:              `2:8: Not an edit: It lies outside the mission folder.`,
		`edit = "out"`:                      `2:8: Edit not found: It lies outside the mission folder.`,
		`edit = "v2"`:                       `2:8: Edit not found: There is no such file.`,
		`edit = "v2/mission.hcl"`:           `2:8: Edit not found: There is no such file.`,
		`edit = "b/x.hcl"`:                  `2:8: Edit not found: There is no such file.`,
		`edit = "x.hcl"`:                    `2:8: Edit not found: There is no such file.`,
		`edit = var.x`:                      `2:8: Variables not allowed: `,
	} {
		at := folder(t, head, map[string]string{RehearsalFile: "at \"1h\" {\n" + body + "\n}\n", "b/y.hcl": ""})
		require.NoError(t, os.Symlink(outside, filepath.Join(filepath.Dir(at), "out")))
		all, diags := Rehearsal(filepath.Dir(at))
		require.Empty(t, all)
		require.Len(t, diags, 1, body)
		require.Contains(t, fmt.Sprintf("%d:%d: %s: %s", diags[0].Line, diags[0].Column, diags[0].Summary, diags[0].Detail), want, body)
	}
}

// TestLoadOver: an edit is the mission with some of its files replaced, under the
// names they have there.
func TestLoadOver(t *testing.T) {
	mission := head + policyWith() + job("alpha", `  title = "${file("a.txt")} ${file("b.txt")}"`)
	at := folder(t, mission, map[string]string{
		"a.txt": "a", "b.txt": "b", "a.js": plainScript,
		"v2/a.txt": "new", "v2/a.js": plainScript + "// new\n",
		"v3/mission.hcl": strings.Replace(mission, "alpha", "beta", 1),
		"v4/mission.hcl": "broken",
		"v5/more.hcl":    job("more"),
	})
	engine := &bundler{}
	before, diags := Load(at, Given{Scripts: engine})
	require.Empty(t, diags)
	m, diags := LoadOver(at, "v2", Given{Scripts: engine})
	require.Empty(t, diags)
	require.Equal(t, "new b", expandAll(t, m, 1)[0].Title)
	require.Equal(t, "mission.hcl", m.Entry())
	require.Equal(t, before.Dir(), m.Dir())
	same, diags := LoadOver(at, "v2/mission.hcl", Given{Scripts: engine}) // which is as it was
	require.Empty(t, diags)
	require.Equal(t, m.Sources(), same.Sources())
	require.NotEqual(t, before.Spec().Policies[0].Script.Digest, m.Spec().Policies[0].Script.Digest)
	for i, f := range m.Sources() {
		require.Equal(t, before.Sources()[i].Path, f.Path)
	}
	for _, name := range []string{at, filepath.Dir(at)} {
		m, diags = LoadOver(name, "v3/mission.hcl", Given{Scripts: engine})
		require.Empty(t, diags)
		require.Equal(t, "beta", expandAll(t, m, 1)[0].ID)
	}
	_, diags = LoadOver(at, "v4/mission.hcl", Given{Scripts: engine})
	require.True(t, diags.HasErrors())
	require.Equal(t, "mission.hcl", diags[0].File)
	require.Equal(t, "broken", diags[0].Snippet)

	// A second file makes the folder the mission, where a folder was named.
	m, diags = LoadOver(filepath.Dir(at), "v5", Given{Scripts: engine})
	require.Empty(t, diags)
	require.Equal(t, ".", m.Entry())
	require.Len(t, expandAll(t, m, 10), 2)
	m, diags = LoadOver(at, "v5", Given{Scripts: engine})
	require.Empty(t, diags)
	require.Len(t, expandAll(t, m, 10), 1)

	_, diags = LoadOver(at, "v6", Given{Scripts: engine})
	require.Equal(t, "Mission not found", diags[0].Summary)
}
