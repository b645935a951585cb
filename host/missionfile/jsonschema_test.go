package missionfile

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSchema(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "cells.json", `{"type":"object","properties":{"cells":{"type":"number","minimum":10},"by":{"$ref":"#/$defs/name"}},"required":["cells"],"additionalProperties":false,"$defs":{"name":{"type":"string","pattern":"^[a-z]+$"}}}`)
	for _, schema := range []string{`file("cells.json")`, `jsondecode(file("cells.json"))`} {
		m, diags := Load(write(t, dir, "mission.hcl", head+job("alpha", "  accept {", "    schema = "+schema, "    condition = result.cells < 100", "  }")))
		require.Empty(t, diags)
		require.True(t, expandAll(t, m, 1)[0].Accept)
		for result, want := range map[string]string{
			`{"cells":12}`:                   "",
			`{"cells":1e1,"by":"me"}`:        "",
			`{"cells":"12"}`:                 "/cells: got string, want number",
			`{"cells":9,"by":"ME"}`:          "/by: 'ME' does not match pattern '^[a-z]+$'",
			`{"cells":9}`:                    "/cells: minimum: got 9, want 10",
			`{}`:                             "/: missing property 'cells'",
			`[]`:                             "/: got array, want object",
			`{"z":1,"y":2,"x":3,"cells":12}`: "/: additional properties 'x', 'y', 'z' not allowed",
			`{"cells":200}`:                  "the condition at mission.hcl:14 is false",
			`{"cells":1e999999999}`:          "400 digits",
			`{"cells":12,"by":"` + long(9000) + `1"}`: "/by: 'xxx",
		} {
			for range 3 {
				approve, reason := m.Judge("alpha", []byte(result))
				require.Equal(t, want == "", approve, result)
				require.Contains(t, reason, want)
				require.LessOrEqual(t, len(reason), maxBreach+len("…"))
			}
		}
	}
}

func TestSchemaOfInstances(t *testing.T) {
	m, diags := load(t, head+job("alpha", "  for_each = { a = 1, b = 2 }", "  accept {", "    schema = { const = each.value }", "  }")+
		job("beta", "  accept {", "    schema = false", "  }"))
	require.Empty(t, diags)
	jobs := expandAll(t, m, 10)
	for i, result := range []string{"1", "2"} {
		for k := range 2 {
			approve, _ := m.Judge(jobs[k].ID, []byte(result))
			require.Equal(t, i == k, approve)
		}
	}
	approve, reason := m.Judge("beta", []byte("1"))
	require.False(t, approve)
	require.Equal(t, "/: false schema", reason)
}

func TestSchemaRefused(t *testing.T) {
	for schema, want := range map[string]string{
		`{ type = "objekt" }`:                       "13:14: Invalid schema: As a schema it is wrong: /type:",
		`{ "$ref" = "https://example.com/s.json" }`: "13:14: Invalid schema: A $ref leads out of it",
		`{ "$ref" = "other.json" }`:                 "13:14: Invalid schema: A $ref leads out of it",
		`{ "$ref" = "file:///etc/passwd" }`:         "13:14: Invalid schema: A $ref leads out of it",
		`{ "$ref" = "#/$defs/x" }`:                  "13:14: Invalid schema: ",
		`{ pattern = "(" }`:                         "13:14: Invalid schema: As a schema it is wrong: /pattern:",
		`null`:                                      "13:14: Invalid schema: It is null",
		`7`:                                         "13:14: Invalid schema: ",
		`"{"`:                                       "13:14: Invalid schema: ",
		`result`:                                    "13:14: No result here: ",
		`job.alpha.result`:                          "13:14: No jobs can be referred to here: ",
		`jsondecode(join("", [for i in range(200) : "["]))`: "13:25: Invalid function argument",
	} {
		got := oneError(t, head+job("alpha", "  accept {", "    schema = "+schema, "  }"))
		require.Contains(t, got, want, schema)
		require.NotContains(t, got, "/tmp")
		require.NotContains(t, got, "omega://")
	}
	require.Contains(t, oneError(t, head+job("alpha", "  accept {", "  }")), "12:3: Nothing to accept by: ")
	require.Contains(t, oneError(t, head+job("alpha", "  accept {", "    shema = true", "  }")), `13:5: Unsupported argument: An argument named "shema" is not expected here. Did you mean "schema"?`)
}

// TestSchemaThatDoubles: judging ends, whatever a schema and a result make of
// each other.
func TestSchemaThatDoubles(t *testing.T) {
	branch := `{ items = { "$ref" = "#" } }`
	for name, schema := range map[string]string{
		"all":  `{ allOf = [` + branch + `, ` + branch + `] }`,
		"any":  `{ minItems = 1, anyOf = [` + branch + `, ` + branch + `] }`,
		"not":  `{ not = { allOf = [{ anyOf = [` + branch + `, ` + branch + `] }, { minItems = 1 }] } }`,
		"defs": `{ "$ref" = "#/$defs/a0", properties = { end = {} }, "$defs" = { for i in range(40) : "a${i}" => { allOf = [for k in [1, 2] : { "$ref" = i < 39 ? "#/$defs/a${i + 1}" : "#/properties/end" }] } } }`,
	} {
		m, diags := load(t, head+job("alpha", "  accept {", "    schema = "+schema, "  }"))
		require.Empty(t, diags, name)
		approve, reason := m.Judge("alpha", []byte(strings.Repeat("[", 100)+strings.Repeat("]", 100)))
		require.False(t, approve, name)
		require.Equal(t, "the schema takes more than 1000000 steps to judge it", reason, name)
		if name != "defs" { // which doubles for every value
			_, reason = m.Judge("alpha", []byte("[]"))
			require.NotContains(t, reason, "steps", "each result has all of them")
		}
	}
	m, diags := load(t, head+job("alpha", "  accept {", `    schema = { type = ["array", "number"], items = { "$ref" = "#" }, maxItems = 20000 }`, "  }"))
	require.Empty(t, diags)
	approve, reason := m.Judge("alpha", []byte("["+strings.Repeat("1,", 10_000)+"[[1]]]"))
	require.True(t, approve, reason)
	_, reason = m.Judge("alpha", []byte("["+strings.Repeat("1,", 10_000)+"[[true]]]"))
	require.Equal(t, "/10000/0/0: got boolean, want number or array", reason)
}
