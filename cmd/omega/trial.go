package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/missionfile"
	"github.com/omega-run/omega/host/script"
	"github.com/omega-run/omega/scripts"
)

// Trial is what `omega policy test` writes with --json.
type Trial struct {
	Files  []*TestFile `json:"files"`
	Passed int64       `json:"passed"` // tests
	Failed int64       `json:"failed"` // tests, and files that could not be run
}

// TestFile is one file of tests.
type TestFile struct {
	File     string                  `json:"file"`
	Tests    []TestOf                `json:"tests"`
	Fault    string                  `json:"fault,omitempty"`    // why the tests could not be run, with file and line
	Problems missionfile.Diagnostics `json:"problems,omitempty"` // why it cannot be read
}

// TestOf is one test.
type TestOf struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Why    string `json:"why,omitempty"`  // it failed
	File   string `json:"file,omitempty"` // where it failed
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// Limits of one file of tests.
const (
	trialTimeout = 10 * time.Second
	trialMemory  = 256 << 20
	// trialAt and trialSeed are what Date and Math.random of a test begin with.
	trialAt   = int64(time.Hour / time.Millisecond)
	trialSeed = 1
)

func (p *program) policyTestCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "test [PATH]",
		Short: "Run the tests of scripts: *.test.js and *.test.ts in a folder, or one such file",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path := "."
			if len(args) > 0 {
				path = args[0]
			}
			engine := script.New(script.Options{})
			defer engine.Close()
			ctx, cancel := notify()
			defer cancel()
			return p.policyTest(ctx, engine, path)
		},
	}
}

const howToTest = `a test is a file beside the script whose name ends in .test.js:

  import { equal, test, view } from "omega:test";
  import policy from "./spending.js";

  test("what costs little is allowed", () => {
    equal(policy({ hook: "job.post", cost: "5" }, view()), { allow: true });
  });

omega new policy NAME writes a script with one`

func (p *program) policyTest(ctx context.Context, engine script.Engine, path string) error {
	files, err := testsIn(path)
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return usage("there are no tests in %s: %s", path, howToTest)
	}
	all, code := Trial{Files: []*TestFile{}}, host.CodeOK
	var problems missionfile.Diagnostics
	for _, file := range files {
		done := runTests(ctx, engine, file)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		all.add(done)
		problems = append(problems, done.Problems...)
		if !p.json {
			p.tellTrial(done)
		}
	}
	if all.Failed > 0 {
		code = host.CodeFailed
	}
	if p.json {
		err = p.print(all)
	} else {
		_, err = fmt.Fprintf(p.out, "%d passed, %d failed\n", all.Passed, all.Failed)
	}
	switch {
	case err != nil:
		return err
	case len(problems) > 0:
		if !p.json {
			return &host.DiagnosticsError{Diagnostics: problems}
		}
		code = host.CodeInvalid
	}
	if code != host.CodeOK {
		return &exit{code: code}
	}
	return nil
}

func (t *Trial) add(f *TestFile) {
	t.Files = append(t.Files, f)
	for _, one := range f.Tests {
		if one.OK {
			t.Passed++
		} else {
			t.Failed++
		}
	}
	if f.Fault != "" || len(f.Problems) > 0 {
		t.Failed++
	}
}

func (p *program) tellTrial(f *TestFile) {
	for _, one := range f.Tests {
		if one.OK {
			fmt.Fprintf(p.out, "ok    %s  %s\n", f.File, clean(one.Name))
			continue
		}
		fmt.Fprintf(p.out, "FAIL  %s  %s\n      %s: %s\n", f.File, clean(one.Name), one.place(f.File), clean(one.Why))
	}
	if f.Fault != "" {
		fmt.Fprintf(p.out, "FAIL  %s\n      %s\n", f.File, clean(f.Fault))
	}
	if len(f.Problems) > 0 {
		fmt.Fprintf(p.out, "FAIL  %s  it cannot be read\n", f.File)
	}
}

func (t *TestOf) place(file string) string {
	if t.Line == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d", t.File, t.Line)
}

// runTests runs one file of tests. Files are named from where the user stands.
func runTests(ctx context.Context, engine script.Engine, file string) *TestFile {
	done := &TestFile{File: file, Tests: []TestOf{}}
	folder, entry, err := inMission(file)
	if err != nil {
		done.Fault = err.Error()
		return done
	}
	program, problems := bundle(ctx, engine, folder, entry)
	if done.Problems = problems; len(problems) > 0 {
		return done
	}
	answer := engine.Call(ctx, script.Call{
		Program: program, Input: []byte("null"), View: []byte("null"), At: trialAt, Seed: trialSeed, Timeout: trialTimeout, Memory: trialMemory,
	})
	if f := answer.Fault; f != nil {
		done.Fault = faultLine(fromHere(folder, f.File), f, file)
		return done
	}
	if err := json.Unmarshal(answer.Value, &done.Tests); err != nil {
		done.Tests, done.Fault = []TestOf{}, "the tests gave no results: "+err.Error()
		return done
	}
	if len(done.Tests) == 0 {
		done.Fault = file + " declares no test: test(name, body) does, from omega:test"
	}
	for i := range done.Tests {
		done.Tests[i].File = fromHere(folder, done.Tests[i].File)
	}
	return done
}

func faultLine(place string, f *script.Fault, entry string) string {
	if place == "" {
		place = entry
	}
	if f.Line > 0 {
		place = fmt.Sprintf("%s:%d", place, f.Line)
	}
	return place + ": " + f.Detail
}

// sourceIn is a file of a folder; it never waits for a pipe, nor reads more than
// a script may have.
func sourceIn(root *os.Root, path string) ([]byte, error) {
	f, err := root.OpenFile(filepath.FromSlash(path), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	return io.ReadAll(io.LimitReader(f, missionfile.MaxSource))
}

// bundle makes a program of a file in a mission's folder, or of one that comes
// with omega.
func bundle(ctx context.Context, engine script.Engine, folder, entry string) (*script.Program, missionfile.Diagnostics) {
	if name, own := strings.CutPrefix(entry, "omega:"); own {
		folder = "."
		if _, there := scripts.Source(name); !there {
			return nil, missionfile.Diagnostics{{Severity: missionfile.Error, Summary: "There is no " + entry, Detail: "There are omega:" + strings.Join(scripts.Names(), ", omega:") + ".", File: entry, Line: 1, Column: 1}}
		}
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, missionfile.Diagnostics{{Severity: missionfile.Error, Summary: "Folder cannot be read", Detail: err.Error(), File: folder}}
	}
	defer root.Close()
	program, problems := engine.Bundle(ctx, entry, func(path string) ([]byte, error) {
		if name, own := strings.CutPrefix(path, "omega:"); own {
			text, _ := scripts.Source(name)
			return text, nil
		}
		return sourceIn(root, path)
	})
	var found missionfile.Diagnostics
	for _, one := range problems {
		found = append(found, missionfile.Diagnostic{
			Severity: missionfile.Error, Summary: one.Summary, Detail: one.Detail, File: fromHere(folder, one.File), Line: max(1, one.Line), Column: max(1, one.Column),
			EndLine: max(1, one.Line), EndColumn: max(1, one.Column) + 1, Snippet: snippet(root, one.File, one.Line),
		})
	}
	return program, found
}

// snippet is a line of a file, "" where there is none.
func snippet(root *os.Root, file string, line int) string {
	text, err := fs.ReadFile(root.FS(), file)
	lines := strings.Split(string(text), "\n")
	if err != nil || line < 1 || line > len(lines) {
		return ""
	}
	return lines[line-1]
}

// inMission is the folder that a script's imports lie in, and the script's name
// in it: the nearest folder above the file that holds a mission file, or else the
// file's own.
func inMission(file string) (folder, entry string, err error) {
	file, err = filepath.Abs(file)
	if err != nil {
		return "", "", err
	}
	folder = filepath.Dir(file)
	for up, level := folder, 0; ; up, level = filepath.Dir(up), level+1 {
		if hasMission(up, level) {
			folder = up
			break
		}
		if filepath.Dir(up) == up {
			break
		}
	}
	entry, err = filepath.Rel(folder, file)
	return folder, filepath.ToSlash(entry), err
}

// hasMission reports whether a folder holds a mission file: near the script of
// any name, further up of the usual one.
func hasMission(folder string, level int) bool {
	patterns := []string{"mission.hcl", "mission.hcl.json"}
	if level <= 2 {
		patterns = []string{"*.hcl", "*.hcl.json"}
	}
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		found, _ := filepath.Glob(filepath.Join(folder, pattern))
		return len(found) > 0
	})
}

// fromHere is how the user says a file of a folder.
func fromHere(folder, inside string) string {
	if inside == "" || strings.HasPrefix(inside, "omega:") {
		return inside
	}
	whole := filepath.Join(folder, filepath.FromSlash(inside))
	if here, err := filepath.Abs("."); err == nil {
		if short, err := filepath.Rel(here, whole); err == nil && len(short) < len(whole) {
			return short
		}
	}
	return whole
}

// testsIn are the files of tests in a folder and below, or the one file that is
// named.
func testsIn(path string) (files []string, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usage("there is no %s: name a folder, or a file of tests", path)
	}
	if err != nil {
		return nil, err
	}
	if !info.IsDir() && isTests(path) {
		return []string{path}, nil
	}
	if !info.IsDir() {
		path = filepath.Dir(path) // a mission file
	}
	err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != path && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || isData(name)):
			return fs.SkipDir
		case !d.IsDir() && isTests(name):
			files = append(files, name)
		}
		return nil
	})
	slices.Sort(files)
	return files, err
}

func isTests(name string) bool {
	return strings.HasSuffix(name, ".test.js") || strings.HasSuffix(name, ".test.ts")
}

// isData reports whether a folder is the data folder of a mission.
func isData(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, "journal", "00000001.jsonl"))
	return err == nil
}
