// Package missions holds the missions that come with omega.
package missions

import (
	"embed"
	"io/fs"
)

//go:embed omega/mission.hcl omega/rehearsal.hcl omega/scripts omega/steps
var files embed.FS

// Flagship is the folder of the mission that runs where nobody names another.
func Flagship() (fs.FS, error) { return fs.Sub(files, "omega") }
