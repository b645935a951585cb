package missionfile

// Everything a mission may make large has a bound, checked before the work.
const (
	// maxSource bounds the bytes of all files one evaluation reads, those of
	// file() too: they are recorded with the generation.
	maxSource = 16 << 20
	// maxTokens bounds what the parser keeps of one file: a token and its node
	// take some 300 bytes of memory.
	maxTokens = 4_000_000
	// maxDepth bounds nesting and chained operators of one expression: the
	// parser and the evaluator recurse on both, and a stack that overflows
	// cannot be recovered.
	maxDepth = 400
	// maxBlocks bounds blocks of one file set, and its locals.
	maxBlocks = 10_000
	// maxInstances bounds job instances: each is looked at once at load.
	maxInstances = 1_000_000
	// maxMembers bounds worker and validator instances together: all of them
	// stand in the genesis entry, and no entry exceeds 4 MiB.
	maxMembers = 10_000
	// maxJob bounds the recorded terms of one job: a journal entry of a
	// thousand jobs is cut at this size, and one job must fit.
	maxJob = 1 << 20
	// maxNeeds bounds the edges into one job, so that their ids fit into maxJob.
	maxNeeds = 10_000
	// maxEdges bounds all edges of a mission: four bytes each while loading.
	maxEdges = 50_000_000
	// maxInput bounds a job's input, given to a worker on its standard input.
	maxInput = 256 << 10
	// maxResult is the largest result a worker may hand in.
	maxResult = 64 << 10
	// maxWhole bounds the instances of a block whose results one expression may
	// name all at once.
	maxWhole = 100_000
	// maxLabels and maxText bound what people read about a job.
	maxLabels = 64
	maxText   = 1024
	// maxNodes and maxNesting bound a computed value: locals that double each
	// other would otherwise outgrow the memory from a few lines of source.
	maxNodes   = 4_000_000
	maxNesting = 128
	// maxDigits bounds the decimal exponent of a number, which is printed in
	// full where it becomes text.
	maxDigits = 400
	// maxVariables, maxVariableName, maxVariable and maxVariableFile bound what is
	// given from outside: all of it stands in the genesis entry.
	maxVariables    = 1000
	maxVariableName = 63
	maxVariable     = 256 << 10
	maxVariableFile = 1 << 20
	// maxAccounts bounds the accounts, which stand in the genesis entry too.
	maxAccounts = 1000
	// maxScripted bounds policies and strategists, each: all of them are asked.
	maxScripted = 64
	// maxParams bounds the params of one script, and maxAllParams those of all:
	// they stand in the genesis entry too.
	maxParams    = 16 << 10
	maxAllParams = 1 << 20
	// maxSecrets and maxHeaders bound what one program, or one request, is given.
	maxSecrets = 64
	maxHeaders = 64
	// maxSchema bounds a JSON schema.
	maxSchema = 256 << 10
	// maxDelegate bounds what a simulated worker posts, of one job.
	maxDelegate = 256 << 10
	// maxChildren bounds the jobs one attempt posts.
	maxChildren = 1000
	// maxDiagnostics is how many of them are worth reading at once.
	maxDiagnostics = 100
)
