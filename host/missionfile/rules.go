package missionfile

import "github.com/omega-run/omega/host/core"

// rule is a part of a block that is no plain setting of core's tables: an
// attribute with a form of its own, or a block inside. What may be written and
// what the reference says of it come from here.
type rule struct {
	block, name string
	form        string // how it is written, in words; "block" for an inner block
	changes     core.Changes
	secret      bool // it may hold sensitive values, and nothing else may
	doc         string
}

// innerBlock is the form of a rule that is a block.
const innerBlock = "block"

// rules are all of them, in the order of the reference.
func rules() []rule {
	const (
		count    = "Number of equal instances, known when the file is read; count.index counts them from 0."
		forEach  = "One instance for each key of a map or object, or for each text of a list or set: each.key, each.value."
		repeated = "whole number"
		each     = "map, or list of texts"
	)
	jobs := core.NewJobs
	return []rule{
		{"variable", "type", "type", core.Now, false, "string, number, bool, any, list(…), set(…), map(…), tuple([…]) or object({ name = type, other = optional(type, default) }); without it any text."},
		{"variable", "default", "constant", core.Now, false, "Its value when nobody gives one; without a default somebody has to."},
		{"variable", "description", "text", core.Now, false, "What people read."},
		{"variable", "sensitive", "true or false", core.Now, false, "The value may only be given to programs and servers, as one of their secrets. The record holds its name alone."},

		{"policy", "params", "object", core.Now, false, paramsDoc},
		{"guardian", "params", "object", core.Now, false, paramsDoc},
		{"strategist", "params", "object", core.Now, false, paramsDoc},

		{"worker", "count", repeated, core.Now, false, count},
		{"worker", "for_each", each, core.Now, false, forEach},
		{"worker", "simulated", innerBlock, jobs, false, "Its work only takes time, and its answers are those the jobs say."},
		{"worker", "exec", innerBlock, jobs, false, "Its work is a program that the host runs: see programs.md."},
		{"worker", "http", innerBlock, jobs, false, "Its work is done by a server that the host asks: see programs.md."},
		{"worker.script", "params", "object", core.Now, false, paramsDoc},
		{"worker.exec", "secrets", "object of variables", jobs, true, secretsDoc},
		{"worker.http", "headers", "object of texts", jobs, false, "Headers of each request besides those the host sends; Accept, Content-Type and User-Agent may be said otherwise here."},
		{"worker.http", "secrets", "object of variables", jobs, true, "Headers with sensitive values, { Authorization = var.name }. An answer that holds one ends the attempt; none stands in a record, a log or a recording."},

		{"validator", "count", repeated, core.Now, false, count},
		{"validator", "for_each", each, core.Now, false, forEach},
		{"validator", "exec", innerBlock, core.Now, false, "It asks a program, see programs.md. Without a block inside, a validator judges accept."},
		{"validator", "simulated", innerBlock, core.Now, false, "It judges accept, but may be absent or wrong."},
		{"validator.script", "params", "object", core.Now, false, paramsDoc},
		{"validator.exec", "secrets", "object of variables", jobs, true, secretsDoc},

		{"job", "count", repeated, jobs, false, count},
		{"job", "for_each", each, jobs, false, forEach},
		{"job", "needs", "list of jobs", jobs, false, "The jobs that must be final first: [job.a, job.many[0], job.each[\"key\"]], or job.many for all of its instances."},
		{"job", "input", "any value", jobs, false, "What its worker gets, as JSON. It may use results, job.a.result.x: each is a need too, and is there when the job starts."},
		{"job", "labels", "object of texts", jobs, false, "Keys and values for people and artifacts."},
		{"job", "priority", "low, normal, high or critical", jobs, false, "Ready jobs start in this order; normal by default."},
		{"job", "run_if", "any_end", jobs, false, "The job runs however its needs ended; without it, one that did not finalize has it skipped."},
		{"job", "accept", innerBlock, jobs, false, "What a result must be; without it every result is accepted."},
		{"job", "simulated", "object or block", jobs, false, "What a simulated worker does: result is what it answers, delegate are the jobs it posts first."},
		{"job.accept", "schema", "JSON schema", jobs, false, "A result must be valid by it (draft 2020-12): an object, true, false, or such a schema as JSON text. It is whole: $ref leads nowhere else."},
		{"job.accept", "condition", "true or false", jobs, false, "A result must make it true; result is its value. Where a schema is given too, both must hold."},
		{"job.simulated", "result", "any value", jobs, false, "What it answers; {} by default."},
		{"job.simulated", "delegate", "list of objects", jobs, false, "Jobs it posts before it answers, each with attributes of a job: " + childAttributes + "; simulated is { result, delegate } again, needs holds names of siblings."},
	}
}

const paramsDoc = "What the script finds as view.params, known when the file is read; never anything sensitive."

const secretsDoc = "Environment variables with sensitive values, { NAME = var.name }. A result, file or name of a file that holds one ends the attempt; standard error is kept without them."

// attributesOf are the attributes of a block that are no plain settings.
func attributesOf(block string) (names []string) {
	for _, r := range rules() {
		if r.block == block && r.form != innerBlock {
			names = append(names, r.name)
		}
	}
	return names
}

// innerOf are the blocks that may stand inside of one.
func innerOf(block string) (names []string) {
	for _, r := range rules() {
		if r.block == block && (r.form == innerBlock || r.form == "object or block") {
			names = append(names, r.name)
		}
	}
	return names
}
