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
		"strategist": {"name"}, "guardian": nil, "policy": {"name"}, "simulation": {"name"},
		"ledger": {"name"}, "vault": nil, "mesh": nil, "console": nil, "telemetry": nil, "notify": nil,
		"plugin": {"name"},
	},
	attributes: map[string][]string{
		"worker":    {"script", "plugin"},
		"validator": {"script", "plugin"},
	},
	inner: map[string][]string{
		"worker":    {"http", "script", "model", "agent", "plugin"},
		"validator": {"script", "plugin", "human"},
	},
}

// missionBlocks are the top-level blocks whose settings belong to the spec,
// and the blocks inside them.
var missionBlocks = []struct {
	name   string
	labels []string
	inner  []string
}{
	{name: "mission", labels: []string{"name"}},
	{name: "treasury"},
	{name: "resources", inner: []string{"energy", "compute"}},
	{name: "governance"},
	{name: "autonomy"},
	{name: "delegation"},
	{name: "checkpoint"},
	{name: "retention"},
	{name: "reload"},
}

func rootSchema() *hcl.BodySchema {
	s := &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
		{Type: "variable", LabelNames: []string{"name"}},
		{Type: "locals"},
		{Type: "account", LabelNames: []string{"name"}},
		{Type: "worker", LabelNames: []string{"name"}},
		{Type: "validator", LabelNames: []string{"name"}},
		{Type: "job", LabelNames: []string{"name"}},
	}}
	for _, b := range missionBlocks {
		s.Blocks = append(s.Blocks, hcl.BlockHeaderSchema{Type: b.name, LabelNames: b.labels})
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
	names := slices.Concat(attributes, notYet.attributes[block])
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
