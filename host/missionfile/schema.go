package missionfile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/omega-run/omega/host/core"
)

// notYet is the part of the language that this version reads no further than
// to say so.
var notYet = struct {
	blocks     map[string][]string // top-level blocks and their labels
	attributes map[string][]string // attributes by block
	inner      map[string][]string // blocks by block
}{
	blocks: map[string][]string{
		"simulation": {"name"}, "ledger": {"name"}, "vault": nil, "mesh": nil, "console": nil, "telemetry": nil, "notify": nil,
		"plugin": {"name"},
	},
	attributes: map[string][]string{
		"worker":    {"plugin"},
		"validator": {"plugin"},
	},
	inner: map[string][]string{
		"worker":    {"model", "agent", "plugin"},
		"validator": {"plugin", "human"},
	},
}

// topBlock is a kind of block at the top of a mission file.
type topBlock struct {
	name     string
	label    string // what its label is, "" for none
	many     bool   // a mission may have several
	ofSpec   bool   // its settings are those of the mission as a whole
	inner    []string
	why      string // what to write where it is missing; "" if it may be
	doc      string
	settings func() []core.Setting
}

// topBlocks are all of them, in the order of the reference.
var topBlocks = []topBlock{
	{name: "mission", label: "name", ofSpec: true, why: `name it: mission "name" {}`, settings: core.Settings, doc: "What the mission is called, how long it runs, and who owns it."},
	{name: "treasury", ofSpec: true, why: "say how many tokens it has: treasury { tokens = 1000 }", settings: core.Settings, doc: "What there is to pay with. All amounts are TOKEN."},
	{name: "account", label: "name", many: true, settings: core.AccountSettings, doc: "An employer besides the owner, with tokens of its own out of the treasury; job.employer names it. Its jobs may not promise more than it has."},
	{name: "resources", ofSpec: true, inner: []string{"energy", "compute"}, settings: core.Settings, doc: "Capacities that running jobs hold parts of, each in a block inside."},
	{name: "governance", ofSpec: true, settings: core.Settings, doc: "How results are judged, and what stakes are lost."},
	{name: "autonomy", ofSpec: true, settings: core.Settings, doc: "What the mission may do by itself."},
	{name: "delegation", ofSpec: true, settings: core.Settings, doc: "How work is handed out and tried again."},
	{name: "checkpoint", ofSpec: true, settings: core.Settings, doc: "How often the state is sealed."},
	{name: "retention", ofSpec: true, settings: core.Settings, doc: "How much is kept of what the journal holds in full."},
	{name: "reload", ofSpec: true, settings: core.Settings, doc: "What an edit of the file may do by itself."},
	{name: "variable", label: "name", many: true, settings: noSettings, doc: "An input of the file, var.name. Its value comes from --var name=value, --var-file FILE, the environment variable OMEGA_VAR_name or its default, the first of these that there is; of two flags or files the later one. Text is read by the type: a type that is not plain text, a number or a flag takes an expression, like [1, 2]."},
	{name: "locals", many: true, settings: noSettings, doc: "Names for values, local.name; in any order, and of each other."},
	{name: "policy", label: "name", many: true, settings: core.PolicySettings, doc: "A script that is asked before something happens, and allows it, denies it, or puts it before a person: deny beats ask beats allow."},
	{name: "guardian", settings: core.GuardianSettings, doc: "A script that looks at the mission every autonomy.guardian_interval and answers with alerts and actions. It takes those in autonomy.may by itself, within autonomy.budget, which lies in the account guardian; the others wait for the owner. Without script it is omega:guardian."},
	{name: "strategist", label: "name", many: true, settings: core.StrategistSettings, doc: "A script that is asked when something has happened, and posts jobs out of the account of its name, which job.employer may name too. Without script it is omega:strategist."},
	{name: "worker", label: "name", many: true, why: `somebody must do the work: worker "w" { skills = ["s"] … }`, settings: core.WorkerSettings, doc: "Who does the work. One block inside says how, or script does."},
	{name: "validator", label: "name", many: true, settings: core.ValidatorSettings, doc: "Who judges results. Without any, three judge accept."},
	{name: "job", label: "name", many: true, why: `say what is to be done: job "j" { skills = ["s"] … }`, settings: core.JobSettings, doc: "What is to be done. A block with count or for_each is one template for all of its instances."},
}

func noSettings() []core.Setting { return nil }

func rootSchema() *hcl.BodySchema {
	s := &hcl.BodySchema{}
	for _, b := range topBlocks {
		header := hcl.BlockHeaderSchema{Type: b.name}
		if b.label != "" {
			header.LabelNames = []string{b.label}
		}
		s.Blocks = append(s.Blocks, header)
	}
	for name, labels := range notYet.blocks {
		s.Blocks = append(s.Blocks, hcl.BlockHeaderSchema{Type: name, LabelNames: labels})
	}
	slices.SortFunc(s.Blocks, func(a, b hcl.BlockHeaderSchema) int { return strings.Compare(a.Type, b.Type) })
	return s
}

// bodySchema is a block's settings, further attributes and inner blocks, and
// what is not in this version.
func bodySchema(block string, settings []core.Setting, attributes, inner []string) *hcl.BodySchema {
	s := &hcl.BodySchema{}
	names := slices.Concat(attributes, notYet.attributes[block], ofScript(block, settings))
	for _, set := range settings {
		if set.Block == block {
			names = append(names, set.Name)
		} else if rest, ok := strings.CutPrefix(set.Block, block+"."); ok && !slices.Contains(inner, rest) && !slices.Contains(names, rest) && !strings.Contains(rest, ".") {
			names = append(names, rest) // an object: slash_shares
		}
	}
	for _, n := range names {
		s.Attributes = append(s.Attributes, hcl.AttributeSchema{Name: n})
	}
	for _, n := range slices.Concat(inner, notYet.inner[block]) {
		s.Blocks = append(s.Blocks, hcl.BlockHeaderSchema{Type: n})
	}
	return s
}

// content reads a body by its schema. ok is false where something unknown was
// found: a missing attribute may then be a misspelt one, and is not reported.
func (l *loader) content(block string, body hcl.Body, schema *hcl.BodySchema) (c *hcl.BodyContent, ok bool) {
	c, diags := body.Content(schema)
	l.r.addHCL(diags)
	ok = !diags.HasErrors()
	for _, name := range notYet.attributes[block] {
		if a := c.Attributes[name]; a != nil {
			ok = false
			l.unsupported(a.NameRange, block+"."+name)
			delete(c.Attributes, name)
		}
	}
	c.Blocks = slices.DeleteFunc(c.Blocks, func(b *hcl.Block) bool {
		if !slices.Contains(notYet.inner[block], b.Type) {
			return false
		}
		ok = false
		l.unsupported(b.DefRange, block+"."+b.Type)
		return true
	})
	return c, ok
}

func (l *loader) unsupported(at hcl.Range, what string) {
	l.r.fail(at, "Not in this version yet", "%s is part of the language, but this version cannot act on it: remove it for now.", what)
}

func place(at hcl.Range) string {
	return fmt.Sprintf("%s:%d", at.Filename, at.Start.Line)
}
