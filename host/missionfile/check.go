package missionfile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/omega-run/omega/host/core"
	"github.com/zclconf/go-cty/cty"
)

// checkJobs looks at every instance once, and keeps nothing of it but its edges
// and what it adds to the sums.
func (l *loader) checkJobs() {
	l.clean = !l.r.errors()
	g := &graph{first: make([]int32, 1, l.m.spec.Instances+1)}
	l.graph = g
	for _, b := range l.m.jobs {
		if l.r.full() {
			return
		}
		l.checkBlock(b, g)
	}
}

// checkBlock stops at the first instance that is wrong: its siblings mostly
// are wrong in the same way.
func (l *loader) checkBlock(b *jobBlock, g *graph) {
	var spec core.JobSpec
	var edges []int64
	for i := range b.set.len() {
		if b.varies || i == 0 {
			vars := b.set.vars(i)
			spec = b.proto
			diags := b.values(vars, &spec)
			if !diags.HasErrors() {
				edges, diags = b.edgesOf(vars)
			}
			if diags.HasErrors() {
				l.addInstance(b, i, diags)
				return
			}
			if !l.checkInstance(b, i, vars, &spec, len(edges)) {
				return
			}
		}
		l.promise(b, &spec, i)
		if !g.add(edges) {
			l.r.fail(b.at, "Too many edges", "The jobs of a mission have at most %d needs together.", maxEdges)
			return
		}
	}
	b.shared = spec
	b.shared.Needs = l.m.ids(edges)
	b.sharedBytes = recordedBytes(&b.shared)
}

// promise adds an instance's reward and fee to what its employer pays. Where
// instances are equal the first one adds for all.
func (l *loader) promise(b *jobBlock, spec *core.JobSpec, i int64) {
	n := int64(1)
	if !b.varies {
		if n = b.set.len(); i > 0 {
			return
		}
	}
	b.largest = max(b.largest, spec.Reward)
	p := l.promisedBy(spec.Employer)
	p.rewards.Add(&p.rewards, times(n, spec.Reward))
	p.fees.Add(&p.fees, times(n, l.m.spec.Governance.FeeRatio.Of(spec.Reward)))
	p.use(n, spec, &l.m.spec)
}

// addInstance reports what is wrong with one instance by its name.
func (l *loader) addInstance(b *jobBlock, i int64, diags hcl.Diagnostics) {
	for _, d := range diags {
		if b.many() && d.Severity == hcl.DiagError {
			named := *d
			named.Detail = fmt.Sprintf("In %s: %s", b.set.shown(b.name, i), d.Detail)
			d = &named
		}
		l.r.addHCL(hcl.Diagnostics{d})
	}
}

// checkInstance holds one instance against the rest of the mission.
func (l *loader) checkInstance(b *jobBlock, i int64, vars map[string]cty.Value, spec *core.JobSpec, needs int) bool {
	fail := func(attribute, summary, detail string, args ...any) bool {
		l.addInstance(b, i, diagnosed(b.rangeOf(attribute), summary, fmt.Errorf(detail, args...)))
		return false
	}
	if size := recordedBytes(spec) + (needs+2)*maxID; size > maxJob {
		return fail("input", "Job too large to record", "its terms take about %d bytes; at most %d are recorded", size, maxJob)
	}
	if l.clean {
		if why := l.unskilled(spec.Skills); why != "" {
			return fail("skills", "No worker can do this", "%s", why)
		}
		if why := l.unemployable(spec.Employer); why != "" {
			return fail("employer", "Unknown account", "%s", why)
		}
		if why := l.unpostable(spec.Delegate); why != "" {
			return fail("simulated", "Nobody could do a child job", "%s", why)
		}
		r := &l.m.spec.Resources
		if spec.EnergyBudget > r.Energy.Capacity {
			return fail("energy_budget", "More energy than there is", "it holds %s while it runs and the capacity is %s, so it could never run: lower energy_budget or raise resources.energy.capacity", spec.EnergyBudget, r.Energy.Capacity)
		}
		if spec.ComputeBudget > r.Compute.Capacity {
			return fail("compute_budget", "More compute than there is", "it holds %s while it runs and the capacity is %s, so it could never run: lower compute_budget or raise resources.compute.capacity", spec.ComputeBudget, r.Compute.Capacity)
		}
	}
	return l.checkSchema(b, i, vars) && l.checkCondition(b, i, vars)
}

// unpostable is why no worker could take one of the children that a simulated
// worker posts, or "".
func (l *loader) unpostable(delegate []byte) string {
	if delegate == nil || l.postable[string(delegate)] {
		return ""
	}
	children, err := DecodeChildren(delegate)
	if err != nil {
		return err.Error()
	}
	for i := range children {
		why := l.unskilled(children[i].Skills)
		if why == "" {
			why = l.unpostable(children[i].Delegate)
		}
		if why != "" {
			return fmt.Sprintf("%s: %s", childName(i, &children[i]), why)
		}
	}
	if len(l.postable) < rememberedTexts {
		l.postable[string(delegate)] = true
	}
	return ""
}

// checkSchema compiles the schema of accept.
func (l *loader) checkSchema(b *jobBlock, i int64, vars map[string]cty.Value) bool {
	if b.schema == nil {
		return true
	}
	_, diags := b.schemaOf(vars)
	if diags.HasErrors() {
		l.addInstance(b, i, diags)
	}
	return !diags.HasErrors()
}

// checkCondition evaluates accept with a result that could be anything.
func (l *loader) checkCondition(b *jobBlock, i int64, vars map[string]cty.Value) bool {
	if b.accept == nil {
		return true
	}
	v, diags := b.condition(vars, cty.DynamicVal)
	if diags.HasErrors() {
		l.addInstance(b, i, diags)
		return false
	}
	if t := v.Type(); v.IsNull() || (t != cty.Bool && t != cty.DynamicPseudoType) {
		l.addInstance(b, i, diagnosed(b.accept.Range(), "Invalid condition", fmt.Errorf("a condition is true or false, not %s: compare something, as in result.cells >= 10", t.FriendlyName())))
		return false
	}
	return true
}

// unskilled is why no worker has all of the skills, or "".
func (l *loader) unskilled(skills []string) string {
	key := strings.Join(skills, " ")
	why, known := l.unskilledBy[key]
	if !known {
		why = l.findWorker(skills)
		l.unskilledBy[key] = why
	}
	return why
}

func (l *loader) findWorker(skills []string) string {
	var offered []string
	for _, w := range l.m.spec.Workers {
		if len(w.Instances) == 0 {
			continue
		}
		if w.Takes(skills) {
			return ""
		}
		offered = append(offered, w.Skills...)
	}
	for _, s := range skills {
		if !slices.Contains(offered, s) {
			return fmt.Sprintf("no worker has the skill %q.%s Declare a worker that has it", s, suggest(s, offered))
		}
	}
	return fmt.Sprintf("no worker has all of %q: declare one, or split the job", skills)
}

// maxID is the longest id of an instance, quoted and with a comma.
const maxID = 63 + len("_0123456789ab") + len(`"",`)

// recordedBytes bounds the bytes a job's terms take in a journal entry, its own
// names aside.
func recordedBytes(spec *core.JobSpec) int {
	n := jobOverhead + len(spec.Input) + len(spec.Simulated) + len(spec.Delegate) + textSize(spec.Employer) + textSize(spec.Title)
	for _, s := range spec.Skills {
		n += len(s) + len(`"",`)
	}
	for _, id := range spec.Needs {
		n += len(id) + len(`"",`)
	}
	for _, label := range spec.Labels {
		n += textSize(label.Key) + textSize(label.Value) + len(`{"key":,"value":},`)
	}
	return n
}

// jobOverhead is what the names and numbers of all fields of a job take.
const jobOverhead = 700

func textSize(text string) int {
	var buf [128]byte
	return len(core.AppendString(buf[:0], text))
}
