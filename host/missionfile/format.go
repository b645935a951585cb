package missionfile

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// MaxSource is how many bytes the files of a mission may have together.
const MaxSource = maxSource

// Format is an HCL file in its usual form: indented, equals signs below each
// other. A file that cannot be parsed is refused.
func Format(name string, content []byte) ([]byte, Diagnostics) {
	r := &report{src: &sourceSet{entry: name, files: map[string]Source{name: {Bytes: content}}}}
	if f := inspectAs(name, content, false); f != nil {
		r.fail(f.at, f.summary, "%s", f.detail)
		return nil, r.list
	}
	_, diags := hclsyntax.ParseConfig(content, name, hcl.InitialPos)
	if r.addHCL(diags); r.errors() {
		return nil, r.list
	}
	return hclwrite.Format(content), nil
}
