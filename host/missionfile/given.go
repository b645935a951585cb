package missionfile

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/script"
	"github.com/zclconf/go-cty/cty"
)

// Given are what a mission is loaded with: values for its variables. Flags win over files, files
// over the environment, the environment over the default; of two flags or files
// the later one wins.
type Given struct {
	Flags   []string // name=value
	Files   []string // paths of files of attributes, HCL or, by the ending .json, JSON
	Environ []string // name=value as in os.Environ; only OMEGA_VAR_<name> is looked at

	// Hurried is whether mission time runs otherwise than the wall clock, at which
	// the work of servers is refused.
	Hurried bool

	// Scripts bundles the scripts a mission names; nil opens one for as long as
	// that takes.
	Scripts script.Engine

	kept map[string]kept // of files that can be read only once
}

// kept is what a file held.
type kept struct {
	content []byte
	err     error
}

// Keep reads the files that can be read only once, pipes for instance, so that
// the same values can be given again later. Other files are read each time.
func (g Given) Keep() Given {
	g.kept = map[string]kept{}
	for _, path := range g.Files {
		if info, err := os.Stat(path); err != nil || info.Mode().IsRegular() {
			continue
		}
		content, err := readSmall(path)
		g.kept[path] = kept{content, err}
	}
	return g
}

// Again is the files that are read each time.
func (g Given) Again() (paths []string) {
	for _, path := range g.Files {
		if _, once := g.kept[path]; !once {
			paths = append(paths, path)
		}
	}
	return paths
}

func (g Given) read(path string) ([]byte, error) {
	if k, ok := g.kept[path]; ok {
		return k.content, k.err
	}
	return readSmall(path)
}

// environmentPrefix and the name of a variable are the environment variable
// that gives it a value.
const environmentPrefix = "OMEGA_VAR_"

// inputs are where the values of variables come from: Given, or a record.
type inputs interface {
	offers(l *loader) map[string]offer
}

// offer is what a variable is given.
type offer struct {
	from    string     // who gives it, for diagnostics
	at      *hcl.Range // where it stands, if in a file
	text    *string    // to be read by the variable's type
	value   cty.Value  // instead of text
	unknown bool       // the record holds no value: it is sensitive
}

// recordedVariables are the inputs of a generation as a journal holds them.
type recordedVariables []core.Variable

func (rs recordedVariables) offers(l *loader) map[string]offer {
	all := make(map[string]offer, len(rs))
	for _, r := range rs {
		v := l.m.variables[r.Name]
		switch {
		case v == nil:
			l.r.fail(wholeFile(l.m.src.entry), "Unknown variable", "The record gives %q a value, and no variable block declares it.", r.Name)
		case r.Sensitive || v.sensitive:
			all[r.Name] = offer{unknown: true}
		default:
			if err := v.setRecorded(r.Value); err != nil {
				l.r.fail(v.at, "Invalid value", "The record of %s cannot be used: %s.", r.Name, err)
				continue
			}
			all[r.Name] = offer{from: "the record", value: v.value}
		}
	}
	return all
}

// offers reads what is given for the declared variables.
func (g Given) offers(l *loader) map[string]offer {
	all := map[string]offer{}
	for _, pair := range g.Environ {
		name, text, ok := strings.Cut(pair, "=")
		name, ours := strings.CutPrefix(name, environmentPrefix)
		if ok && ours && l.m.variables[name] != nil { // others may be meant for other missions
			all[name] = offer{from: environmentPrefix + name, text: &text}
		}
	}
	for _, path := range g.Files {
		content, err := g.read(path)
		l.variableFile(path, content, err, all)
	}
	for _, flag := range g.Flags {
		name, text, ok := strings.Cut(flag, "=")
		switch {
		case !ok:
			l.r.add(Error, hcl.Range{}, "No value in --var", "Write --var name=value: one of them has no equals sign.")
		case l.m.variables[name] == nil:
			summary, detail := l.undeclared(name)
			l.r.add(Error, hcl.Range{}, summary+" in --var", detail)
		default:
			all[name] = offer{from: "--var " + name, text: &text}
		}
	}
	return all
}

func (l *loader) undeclared(name string) (summary, detail string) {
	return "Unknown variable", fmt.Sprintf("No variable block declares %q.%s", name, suggest(name, slices.Collect(maps.Keys(l.m.variables))))
}

// variableFile reads a file of values. It is no source of the mission: the
// record holds the values themselves.
func (l *loader) variableFile(path string, content []byte, err error, all map[string]offer) {
	if err != nil {
		l.r.fail(wholeFile(path), "File not readable", "%s.", sentence(plainReason(err)))
		return
	}
	json := strings.HasSuffix(path, ".json")
	if f := inspectAs(path, content, json); f != nil {
		l.r.fail(f.at, f.summary, "%s", f.detail)
		return
	}
	parse := func() (*hcl.File, hcl.Diagnostics) { return hclsyntax.ParseConfig(content, path, hcl.InitialPos) }
	if json {
		parse = func() (*hcl.File, hcl.Diagnostics) { return hcljson.Parse(content, path) }
	}
	file, diags := parse()
	if l.r.addHCL(diags); diags.HasErrors() {
		return
	}
	attributes, diags := file.Body.JustAttributes()
	l.r.addHCL(diags)
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		a := attributes[name]
		if l.m.variables[name] == nil {
			summary, detail := l.undeclared(name)
			l.r.fail(a.NameRange, summary, "%s", detail)
			continue
		}
		value, diags := a.Expr.Value(nil)
		if diags.HasErrors() {
			l.r.fail(a.Expr.Range(), "Not a constant", "A file of values refers to nothing and calls no function.")
			continue
		}
		at := a.Expr.Range()
		all[name] = offer{from: "this file", at: &at, value: value}
	}
}

// readSmall reads at most maxVariableFile bytes, also of a pipe: it is the user
// who names it.
func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxVariableFile+1))
	if err == nil && len(content) > maxVariableFile {
		err = fmt.Errorf("it has more than %d bytes", maxVariableFile)
	}
	return content, err
}
