// Package scripts is what comes with Omega for those who write scripts: its own
// scripts, and the types of what a script is given and answers.
package scripts

import (
	"embed"
	"slices"
	"strings"
)

//go:embed *s
var files embed.FS

// Names are those of Omega's own scripts, sorted: omega:<name>.
func Names() (names []string) {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if name, is := strings.CutSuffix(e.Name(), ".js"); is && !strings.HasSuffix(name, ".test") {
			names = append(names, name)
		}
	}
	return names
}

// Source is the text of omega:<name>, false where there is none.
func Source(name string) ([]byte, bool) {
	if !slices.Contains(Names(), name) {
		return nil, false
	}
	text, err := files.ReadFile(name + ".js")
	return text, err == nil
}

// Types is omega.d.ts.
func Types() []byte {
	text, err := files.ReadFile("omega.d.ts")
	if err != nil {
		panic("scripts: omega.d.ts is not embedded")
	}
	return text
}
