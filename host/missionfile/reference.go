package missionfile

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
	"github.com/zclconf/go-cty/cty/function"
)

// Reference is the language as a page of Markdown, made of what the decoder
// itself goes by: the tables of settings, the rules, the functions, the limits.
func Reference() string {
	var p page
	p.line("# The mission file", "",
		"Made by `omega docs mission` from the tables the program reads missions by.", "",
		"A mission is one HCL file, or a folder of `*.hcl` and `*.hcl.json` files that are read in name order. `rehearsal.hcl` beside it holds the owner's part of a rehearsal:",
		"`at \"2h\" { order = [\"pause\"] }` says something then, as `omega owner pause` does; `at \"3h\" { edit = \"v2/mission.hcl\" }` saves what lies in the folder `v2` over the files of the mission.",
		"Names of blocks match `[a-z][a-z0-9-]{0,62}`. *Changes* says what an edit of a running mission reaches: `now` everything, `new jobs` what is not posted yet, `never` refuses the edit.",
		"Parts of a block are blocks, `energy { … }`, but `slash_shares`, `labels`, `params` and `headers`, which are attributes: `slash_shares = { employer = 1, treasury = 0 }`. In JSON a reference is text: `\"needs\": [\"${job.a}\"]`.", "")
	p.kinds()
	for _, b := range topBlocks {
		p.block(b)
	}
	p.references()
	p.functions()
	p.limits()
	p.later()
	return p.text.String()
}

// page is Markdown being written.
type page struct{ text strings.Builder }

func (p *page) line(lines ...string) {
	for _, l := range lines {
		p.text.WriteString(l + "\n")
	}
}

// row is a row of a table; what stands between cells is escaped.
func (p *page) row(cells ...string) {
	for _, c := range cells {
		p.text.WriteString("| " + strings.ReplaceAll(oneLine(c), "|", `\|`) + " ")
	}
	p.text.WriteString("|\n")
}

func (p *page) table(head ...string) {
	p.row(head...)
	p.text.WriteString(strings.Repeat("|---", len(head)) + "|\n")
}

func (p *page) kinds() {
	p.line("## How values are written", "")
	p.table("kind", "written as")
	for _, k := range []struct {
		kind core.SettingKind
		doc  string
	}{
		{core.KindAmount, "a number of whole units with at most 6 decimals: `9500.25`, `2e6`"},
		{core.KindRatio, "a number, 1 is the whole: `0.05`; at most 6 decimals"},
		{core.KindDuration, "seconds, or text with ms, s, m or h: `90`, `\"90s\"`, `\"1.5m\"`, `\"2h30m\"`"},
		{core.KindCount, "a whole number"},
		{core.KindBytes, "a whole number of bytes"},
		{core.KindFlag, "`true` or `false`"},
		{core.KindText, "text"},
		{core.KindNames, "a list of texts"},
	} {
		p.row(string(k.kind), k.doc)
	}
	p.line("")
}

func (p *page) block(b topBlock) {
	title := b.name
	if b.label != "" {
		title += ` "` + b.label + `"`
	}
	p.line("## "+title, "", b.doc+" "+b.howMany(), "")
	if b.name == "locals" {
		return
	}
	p.settings(b.name, b.settings())
	for _, inner := range b.parts() {
		p.line("### "+inner, "")
		if inner == b.name+".script" {
			p.line("No block: these stand in the "+b.name+" block itself, beside `script`.", "")
		}
		p.settings(inner, b.settings())
	}
}

func (b topBlock) howMany() string {
	switch {
	case b.why != "" && b.many:
		return "A mission needs at least one."
	case b.why != "":
		return "A mission needs one."
	case b.many:
		return "There may be any number."
	}
	return "There may be one."
}

// parts are the blocks and objects inside, by their path.
func (b topBlock) parts() (paths []string) {
	add := func(path string) {
		if strings.HasPrefix(path, b.name+".") && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	for _, s := range b.settings() {
		add(s.Block)
	}
	for _, r := range rules() {
		add(r.block)
	}
	return paths
}

func (p *page) settings(block string, all []core.Setting) {
	if len(attributesOf(block))+len(innerOf(block)) == 0 && !slices.ContainsFunc(all, func(s core.Setting) bool { return s.Block == block }) {
		return
	}
	p.table("name", "kind", "default", "bounds", "changes", "secret", "what it is")
	for _, r := range rules() {
		if r.block == block {
			p.row("`"+r.name+"`", r.form, "", "", string(r.changes), yes(r.secret), r.doc)
		}
	}
	for _, s := range all {
		if s.Block != block {
			continue
		}
		doc := s.Doc
		if s.Idle {
			doc += " Accepted, and nothing acts on it yet."
		}
		p.row("`"+s.Name+"`", string(s.Kind), defaultOf(s), boundsOf(s), string(s.Changes), yes(false), doc)
	}
	p.line("")
}

func yes(secret bool) string {
	if secret {
		return "yes"
	}
	return "no"
}

func defaultOf(s core.Setting) string {
	switch {
	case s.Needed:
		return "needed"
	case s.Default == "":
		return ""
	}
	return "`" + s.Default + "`"
}

func boundsOf(s core.Setting) string {
	if len(s.Choices) > 0 {
		return "`" + strings.Join(s.Choices, "`, `") + "`"
	}
	switch s.Kind {
	case core.KindFlag:
		return ""
	case core.KindText:
		return fmt.Sprintf("at most %d bytes", maxText)
	case core.KindNames:
		return fmt.Sprintf("at most %d", maxNames)
	}
	return inUnits(s.Kind, s.Min) + " … " + inUnits(s.Kind, s.Max)
}

func inUnits(kind core.SettingKind, v int64) string {
	switch kind {
	case core.KindAmount:
		return ledger.Amount(v).String()
	case core.KindRatio:
		return ledger.Ratio(v).String()
	case core.KindDuration:
		return core.Duration(v).String()
	}
	return strconv.FormatInt(v, 10)
}

func (p *page) references() {
	p.line("## What expressions may refer to", "")
	p.table("reference", "where", "what it is")
	for _, r := range [][3]string{
		{"`var.name`", "everywhere", "the value of a variable; a sensitive one only in `secrets`"},
		{"`local.name`", "everywhere", "a value of a locals block"},
		{"`count.index`", "blocks with `count`", "the number of the instance, from 0"},
		{"`each.key`, `each.value`", "blocks with `for_each`", "the key of the instance and its value; in byte order of the keys"},
		{"`job.name`, `job.name[0]`, `job.name[\"key\"]`", "`needs` of a job", "another job, all or one of its instances; circles are refused"},
		{"`job.name.result`, `job.name[0].result`", "`input` of a job", "what that job answered, null where it did not finalize"},
		{"`result`", "`condition` of `accept`", "the result that is judged"},
	} {
		p.row(r[:]...)
	}
	p.line("")
}

func (p *page) functions() {
	p.line("## Functions", "", "Their answers depend on their arguments alone: none knows the time, chance or the environment.", "")
	p.table("function", "what it does")
	all := functions(&sourceSet{})
	for _, name := range slices.Sorted(maps.Keys(all)) {
		p.row("`"+name+"("+signature(all[name])+")`", all[name].Description())
	}
	p.line("")
}

func signature(f function.Function) string {
	var names []string
	for _, param := range f.Params() {
		names = append(names, param.Name)
	}
	if f.VarParam() != nil {
		names = append(names, f.VarParam().Name+"…")
	}
	return strings.Join(names, ", ")
}

func (p *page) limits() {
	p.line("## Limits", "")
	p.table("of", "at most")
	for _, l := range []struct {
		of   string
		most int
	}{
		{"bytes of all files together, those of file() too", maxSource},
		{"blocks of one kind", maxBlocks},
		{"job instances", maxInstances},
		{"worker and validator instances together", maxMembers},
		{"variables", maxVariables},
		{"bytes of all variables as JSON", maxVariable},
		{"bytes of a file of values", maxVariableFile},
		{"accounts", maxAccounts},
		{"policies, and strategists", maxScripted},
		{"bytes of the params of one script as JSON", maxParams},
		{"bytes of the params of all scripts", maxAllParams},
		{"secrets of one program, or of one request", maxSecrets},
		{"headers of one request", maxHeaders},
		{"needs of one job", maxNeeds},
		{"needs of all jobs together", maxEdges},
		{"bytes of a job's terms in the record", maxJob},
		{"bytes of an input as JSON", maxInput},
		{"bytes of a result as JSON", maxResult},
		{"bytes of a schema as JSON", maxSchema},
		{"child jobs of one attempt", maxChildren},
		{"bytes of child jobs as JSON", maxDelegate},
		{"labels of a job", maxLabels},
		{"bytes of a title or a label", maxText},
		{"brackets and operators inside each other", maxDepth},
		{"digits of a number", maxDigits},
	} {
		p.row(l.of, strconv.Itoa(l.most))
	}
	p.line("")
}

// later names what belongs to the language and is refused by this version.
func (p *page) later() {
	p.line("## Not in this version", "", "These are refused with a diagnostic that says so.", "")
	var names []string
	for name := range notYet.blocks {
		names = append(names, "`"+name+"`")
	}
	for _, part := range []map[string][]string{notYet.attributes, notYet.inner} {
		for block, inner := range part {
			for _, name := range inner {
				names = append(names, "`"+block+"."+name+"`")
			}
		}
	}
	slices.Sort(names)
	p.line(strings.Join(slices.Compact(names), ", ") + ".")
}
