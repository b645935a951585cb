package missionfile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

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

// Scheduled is what happens in a rehearsal, and when: the owner says something,
// as on the command line, or edits the mission.
type Scheduled struct {
	At    core.Time
	Order []string // nil for an edit
	Edit  string   // for LoadOver: a file or folder, as a path in the mission folder
	Line  int
}

// Rehearsal reads the orders and edits of rehearsal.hcl in a mission folder, by
// time and then in file order; none if there is no such file. Whether an edit can
// be put in force shows when its time has come.
//
//	at "2h" { order = ["pause"] }
//	at "3h" { edit = "v2/mission.hcl" }
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
		next, problems := happening(block, dir)
		if problems.HasErrors() {
			return refuse(problems[0].Subject.Start, problems[0].Summary, problems[0].Detail)
		}
		next.At, next.Line = core.Time(when), at.Line
		all = append(all, next)
	}
	slices.SortStableFunc(all, func(a, b Scheduled) int { return cmp.Compare(a.At, b.At) })
	return all, nil
}

// happening is what a block says: an order or an edit.
func happening(block *hcl.Block, dir string) (s Scheduled, problems hcl.Diagnostics) {
	content, problems := block.Body.Content(&hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "order"}, {Name: "edit"}}})
	if problems.HasErrors() {
		return s, problems
	}
	order, edit := content.Attributes["order"], content.Attributes["edit"]
	switch {
	case order == nil && edit == nil:
		return s, diagnosed(block.DefRange, "Nothing happens", errors.New(`write order = ["pause"], or edit = "v2/mission.hcl"`))
	case order != nil && edit != nil:
		return s, diagnosed(edit.NameRange, "Two things at once", errors.New("write a block for the order and one for the edit: at one time they follow each other"))
	case order != nil:
		s.Order, problems = orderWords(order)
		return s, problems
	}
	s.Edit, problems = editPath(edit, dir)
	return s, problems
}

func orderWords(a *hcl.Attribute) ([]string, hcl.Diagnostics) {
	value, problems := a.Expr.Value(nil)
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
		return nil, diagnosed(a.Expr.Range(), "Not an order", errors.New(`an order is a list of words, as in ["pause"]`))
	}
	return words, nil
}

// editPath is the file or folder of an edit. That it can be loaded is not asked.
func editPath(a *hcl.Attribute, dir string) (string, hcl.Diagnostics) {
	value, problems := a.Expr.Value(nil)
	if problems.HasErrors() {
		return "", problems
	}
	if value.Type() != cty.String || value.IsNull() {
		return "", diagnosed(a.Expr.Range(), "Not an edit", errors.New(`an edit is a file or folder in the mission folder, as in "v2/mission.hcl"`))
	}
	name := path.Clean(value.AsString())
	if strings.ContainsRune(name, 0) || !fs.ValidPath(name) {
		return "", diagnosed(a.Expr.Range(), "Not an edit", errOutside)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", diagnosed(a.Expr.Range(), "Edit not found", plainReason(err))
	}
	defer root.Close()
	if _, err := editFolder(root, name); err != nil {
		return "", diagnosed(a.Expr.Range(), "Edit not found", plainReason(err))
	}
	return name, nil
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
