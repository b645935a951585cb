package missionfile

import (
	"maps"
	"path/filepath"
	"slices"
)

// Reading is what became of reading a mission: it tells what was read also of
// one that cannot be used.
type Reading struct {
	Mission  *Mission // nil if there are errors
	Problems Diagnostics
	Entry    string   // the mission file, or "." for a folder of several
	Sources  []Source // every file that was read, in path order
	Missing  []string // every path that could not be read, in path order
}

// Read reads the mission at a path, as LoadOver does.
func Read(path, edit string, given ...Given) *Reading {
	src, err := openSources(path, edit)
	if err != nil {
		at := filepath.Base(path)
		return &Reading{Entry: at, Missing: []string{at}, Problems: notFound(path, err)}
	}
	r := &Reading{}
	r.Mission, r.Problems = loadFrom(src, given)
	r.Entry, r.Sources, r.Missing = src.entry, src.list(), slices.Sorted(maps.Keys(src.missing))
	return r
}
