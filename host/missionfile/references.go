package missionfile

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// scope is what the expressions of one place may refer to.
type scope struct {
	where string   // "the mission block", "job.swarm"
	roots []string // each, count, local, var, result, job
	names *names
	jobs  map[string]*jobBlock
	asked asked
	open  bool // sensitive values may be used: what comes of them stays marked
}

// names are what the expressions of a mission may refer to everywhere.
type names struct {
	locals    map[string]bool
	variables map[string]*variable
	tainted   map[string]bool // locals that hold something sensitive
	ctx       *hcl.EvalContext
}

// scope is that of a place that knows locals, variables and the roots.
func (l *loader) scope(where string, roots ...string) *scope {
	return &scope{where: where, roots: append([]string{"local", "var"}, roots...), names: l.names}
}

// asked is what a place wants from the jobs it refers to.
type asked int

const (
	nothing asked = iota
	edges         // needs: the job itself
	results       // input: its result
)

// check reports every reference of an expression that leads nowhere, with a
// suggestion. An expression that fails is not evaluated: the evaluator would
// say it again, worse.
func (sc *scope) check(r *report, e hcl.Expression) bool {
	ok := true
	for _, t := range e.Variables() {
		if r.full() {
			return false
		}
		if summary, detail := sc.fault(t); summary != "" {
			r.fail(t.SourceRange(), summary, "%s", detail)
			ok = false
		}
	}
	return ok
}

func (sc *scope) fault(t hcl.Traversal) (summary, detail string) {
	root := t.RootName()
	if !slices.Contains(sc.roots, root) {
		return sc.unknownRoot(root, t)
	}
	switch root {
	case "local", "var":
		return sc.nameFault(root, t)
	case "each":
		if name, _ := attrName(t, 1); name != "key" && name != "value" {
			return "Unknown reference", "Write each.key or each.value." + suggest(name, []string{"key", "value"})
		}
	case "count":
		name, _ := attrName(t, 1)
		if strings.HasPrefix(name, "index-") {
			return "Unknown reference", "A hyphen may be part of a name: put spaces around a minus, as in count.index - 1."
		}
		if name != "index" {
			return "Unknown reference", "Write count.index." + suggest(name, []string{"index"})
		}
	case "job":
		return sc.jobFault(t)
	}
	return "", ""
}

// nameFault is what is wrong with a reference to a local or a variable.
func (sc *scope) nameFault(root string, t hcl.Traversal) (summary, detail string) {
	name, named := attrName(t, 1)
	switch {
	case root == "var" && !named:
		return "Incomplete reference", "Name the variable: var.name."
	case root == "var" && sc.names.variables[name] == nil:
		return "Unknown variable", fmt.Sprintf("No variable block declares %q.%s", name, suggest(name, slices.Collect(maps.Keys(sc.names.variables))))
	case root == "local" && named && !sc.names.locals[name]:
		return "Unknown local", fmt.Sprintf("No locals block defines %q.%s", name, suggest(name, slices.Collect(maps.Keys(sc.names.locals))))
	case sc.open:
		return "", ""
	case root == "var" && sc.names.variables[name].sensitive:
		return secretHere(name)
	case root == "local" && (sc.names.tainted[name] || !named && len(sc.names.tainted) > 0):
		if v, diags := t.TraverseAbs(sc.names.ctx); !diags.HasErrors() && sensitiveIn(v) != "" {
			return secretHere(sensitiveIn(v))
		}
	}
	return "", ""
}

func secretHere(name string) (summary, detail string) {
	return "Secret out of place", fmt.Sprintf("It holds the sensitive variable %s, which may only be given to a program or a server: secrets = { NAME = var.%s } in an exec or http block.", name, name)
}

func (sc *scope) unknownRoot(root string, t hcl.Traversal) (summary, detail string) {
	switch root {
	case "job":
		return "No jobs can be referred to here", fmt.Sprintf("Only needs and input of a job may refer to other jobs, not %s.", sc.where)
	case "each":
		return "No each here", fmt.Sprintf("each.key and each.value exist where for_each is set; %s has none.", sc.where)
	case "count":
		return "No count here", fmt.Sprintf("count.index exists where count is set; %s has none.", sc.where)
	case "result":
		return "No result here", "Only the condition of an accept block knows the result."
	case "local", "var":
		return "No reference here", fmt.Sprintf("The value is needed before %s.* is known: write it out.", root)
	}
	if len(t) == 1 {
		return "Unknown reference", fmt.Sprintf("Nothing is called %s here; write %q in quotes if it is meant as text.%s", root, root, suggest(root, sc.roots))
	}
	return "Unknown reference", fmt.Sprintf("Nothing is called %s here.%s", root, suggest(root, sc.roots))
}

func (sc *scope) jobFault(t hcl.Traversal) (summary, detail string) {
	name, named := attrName(t, 1)
	if !named {
		return "Incomplete reference", "Name the job: job.name."
	}
	b := sc.jobs[name]
	if b == nil {
		return "Unknown job", fmt.Sprintf("No job is called %q.%s", name, suggest(name, slices.Collect(maps.Keys(sc.jobs))))
	}
	rest, picked := t[2:], false
	if len(rest) > 0 {
		_, byName := rest[0].(hcl.TraverseAttr)
		switch {
		case b.many() && byName:
			return "Which instance?", fmt.Sprintf("job.%s has many instances: pick one as in job.%s.", name, b.exampleLabel())
		case !b.many() && !byName:
			return "Not a list", fmt.Sprintf("job.%s has one instance: write job.%s without an index.", name, name)
		case b.many():
			rest, picked = rest[1:], true
		}
	}
	return sc.stepFault("job."+name, rest, picked || !b.many())
}

func (sc *scope) stepFault(job string, rest hcl.Traversal, single bool) (summary, detail string) {
	switch {
	case sc.asked == edges && len(rest) > 0:
		return "Needs may not depend on a result", fmt.Sprintf("Which jobs a job needs must be known when it is posted: write %s.", job)
	case sc.asked == results && single && len(rest) == 0:
		return "A job is not a value", fmt.Sprintf("Write %s.result for its result.", job)
	case sc.asked == results && len(rest) > 0:
		step, ok := rest[0].(hcl.TraverseAttr)
		if ok && step.Name != "result" {
			return "Unknown attribute of a job", fmt.Sprintf("Of another job only its result can be seen: write %s.result.", job)
		}
	}
	return "", ""
}

func attrName(t hcl.Traversal, i int) (string, bool) {
	if i >= len(t) {
		return "", false
	}
	a, ok := t[i].(hcl.TraverseAttr)
	return a.Name, ok
}

// mentions are the job blocks an expression refers to; whole ones by more than
// picking single instances.
func mentions(e hcl.Expression, jobs map[string]*jobBlock) (named []*jobBlock, whole map[*jobBlock]bool) {
	picked := map[hcl.Range]bool{}
	if node, ok := e.(hclsyntax.Node); ok {
		hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
			if index, ok := n.(*hclsyntax.IndexExpr); ok {
				picked[index.Collection.Range()] = true
			}
			return nil
		})
	}
	whole = map[*jobBlock]bool{}
	for _, t := range e.Variables() {
		name, _ := attrName(t, 1)
		b := jobs[name]
		if t.RootName() != "job" || b == nil {
			continue
		}
		if !slices.Contains(named, b) {
			named = append(named, b)
		}
		if len(t) == 2 && b.many() && !picked[t.SourceRange()] {
			whole[b] = true
		}
	}
	return named, whole
}

// refersTo says whether an expression mentions any of the roots.
func refersTo(e hcl.Expression, roots ...string) bool {
	for _, t := range e.Variables() {
		if slices.Contains(roots, t.RootName()) {
			return true
		}
	}
	return false
}

// suggest is " Did you mean x?" when one of the candidates is close to a name.
func suggest(name string, candidates []string) string {
	best, least := "", 1+min(max(len(name)-2, 0), 2)
	for _, c := range slices.Sorted(slices.Values(candidates)) {
		if d := distance(name, c, least); d < least {
			best, least = c, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" Did you mean %q?", best)
}

// distance is how many letters of two short names differ, are missing or have
// changed places with the next, or limit if that is not less.
func distance(a, b string, limit int) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	if len(a) > maxSuggested || len(b) > maxSuggested || max(len(a)-len(b), len(b)-len(a)) >= limit {
		return limit
	}
	var rows [maxSuggested + 1][maxSuggested + 1]int
	for i := range len(a) + 1 {
		for j := range len(b) + 1 {
			if i == 0 || j == 0 {
				rows[i][j] = i + j
				continue
			}
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			least := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				least = min(least, rows[i-2][j-2]+1)
			}
			rows[i][j] = least
		}
	}
	return min(rows[len(a)][len(b)], limit)
}

// maxSuggested is the longest name worth a suggestion.
const maxSuggested = 64
