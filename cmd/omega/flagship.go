package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/omega-run/omega/missions"
)

// flagshipFolder is where the mission that comes with omega is put when it is
// run without any other.
const flagshipFolder = "omega-data"

// flagship puts the mission that comes with omega into its folder, unless it is
// there already: from then on it is the user's own.
func (p *program) flagship(ci bool) (string, error) {
	if _, err := os.Stat(filepath.Join(flagshipFolder, "mission.hcl")); err == nil {
		return flagshipFolder, nil
	}
	files, err := missions.Flagship()
	if err == nil {
		err = os.CopyFS(flagshipFolder, files)
	}
	if err != nil {
		if errors.Is(err, fs.ErrExist) {
			err = fmt.Errorf("%w: the folder holds something else; name a mission", err)
		}
		return "", fmt.Errorf("putting the mission that comes with omega into %s: %w", flagshipFolder, err)
	}
	hint := ""
	if !ci {
		hint = "; with --speed 400 it takes a minute"
	}
	fmt.Fprintf(p.err, "there is no mission.hcl here: running the mission that comes with omega, now in %s%s\n", flagshipFolder, hint)
	return flagshipFolder, nil
}
