package missionfile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/omega-run/omega/host/core"
)

// RehearsalFile lies beside the mission file and holds the owner's part of a
// --ci run.
const RehearsalFile = "rehearsal.hcl"

// maxRehearsal bounds the file before it is parsed.
const maxRehearsal = 1 << 20

// Scheduled is one order of a rehearsal: what the owner says, as on the command
// line, and when.
type Scheduled struct {
	At    core.Time
	Order []string
	Line  int
}

// Rehearsal reads the orders of rehearsal.hcl in a mission folder, by time and
// then in file order; none if there is no such file.
//
//	at "2h" { order = ["pause"] }
func Rehearsal(dir string) ([]Scheduled, Diagnostics) {
	refuse := func(at hcl.Pos, summary, detail string) ([]Scheduled, Diagnostics) {
		return nil, Diagnostics{{Severity: Error, Summary: summary, Detail: detail, File: RehearsalFile, Line: at.Line, Column: at.Column}}
	}
	src, err := readRehearsal(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return refuse(hcl.InitialPos, "Rehearsal not readable", sentence(plainReason(err))+".")
	}
	if ds := precheck(RehearsalFile, src); ds.HasErrors() {
		return nil, ds
	}
	file, problems := hclsyntax.ParseConfig(src, RehearsalFile, hcl.InitialPos)
	if problems.HasErrors() {
		return refuse(problems[0].Subject.Start, problems[0].Summary, problems[0].Detail)
	}
	content, problems := file.Body.Content(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "at", LabelNames: []string{"time"}}}})
	if problems.HasErrors() {
		return refuse(problems[0].Subject.Start, problems[0].Summary, problems[0].Detail)
	}
	var all []Scheduled
	for _, block := range content.Blocks {
		at := block.DefRange.Start
		when, err := core.ParseDuration(block.Labels[0])
		if err != nil {
			return refuse(at, "Not a time", sentence(err)+".")
		}
		words, problems := orderWords(block.Body)
		if problems.HasErrors() {
			return refuse(problems[0].Subject.Start, problems[0].Summary, problems[0].Detail)
		}
		all = append(all, Scheduled{core.Time(when), words, at.Line})
	}
	slices.SortStableFunc(all, func(a, b Scheduled) int { return cmp.Compare(a.At, b.At) })
	return all, nil
}

func orderWords(body hcl.Body) ([]string, hcl.Diagnostics) {
	content, problems := body.Content(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "order", Required: true}}})
	if problems.HasErrors() {
		return nil, problems
	}
	at := content.Attributes["order"]
	value, problems := at.Expr.Value(nil)
	if problems.HasErrors() {
		return nil, problems
	}
	var words []string
	if list, err := convert.Convert(value, cty.List(cty.String)); err == nil && list.IsWhollyKnown() && !list.IsNull() {
		for _, word := range list.AsValueSlice() {
			if !word.IsNull() {
				words = append(words, word.AsString())
			}
		}
	}
	if len(words) == 0 {
		return nil, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Not an order", Detail: `An order is a list of words, as in ["pause"].`, Subject: at.Expr.Range().Ptr()}}
	}
	return words, nil
}

// readRehearsal reads the file under the mission folder, links followed only
// inside it, and no more of it than the limit.
func readRehearsal(dir string) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	info, err := root.Stat(RehearsalFile)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	case info.Size() > maxRehearsal:
		return nil, fmt.Errorf("it has %d bytes; at most %d are read", info.Size(), maxRehearsal)
	}
	return root.ReadFile(RehearsalFile)
}
