package main

import (
	"bytes"
	"embed"
	"os"
	"path/filepath"
	"strconv"
)

//go:embed missions/*.hcl
var missions embed.FS

// writeMission makes a new folder with one of the missions in it; jobs is what
// stands for JOBS there.
func writeMission(dir, name string, jobs int) (string, error) {
	dir, err := os.MkdirTemp(dir, name+"-")
	if err != nil {
		return "", err
	}
	source, err := missions.ReadFile("missions/" + name + ".hcl")
	if err != nil {
		return "", err
	}
	source = bytes.Replace(source, []byte("JOBS"), []byte(strconv.Itoa(jobs)), 1)
	return dir, os.WriteFile(filepath.Join(dir, "mission.hcl"), source, 0o644)
}
