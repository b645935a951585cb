// Package scripts holds the scripts that come with Omega: omega:<name> is
// <name>.js of this folder.
package scripts

import (
	"embed"
	"slices"
	"strings"
)

//go:embed *
var files embed.FS

// Source is the text of omega:<name>.
func Source(name string) ([]byte, bool) {
	if !slices.Contains(Names(), name) {
		return nil, false
	}
	text, err := files.ReadFile(name + ".js")
	return text, err == nil
}

// Names are the scripts there are, sorted. Tests are none.
func Names() (names []string) {
	entries, _ := files.ReadDir(".")
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".js"); ok && !strings.HasSuffix(name, ".test") {
			names = append(names, name)
		}
	}
	return names
}
