package core

import "github.com/omega-run/omega/host/ledger"

// Time is mission time: milliseconds since genesis. It stands still while the
// mission is paused or its host is not running.
type Time int64

// Duration is a span of mission time (or, where a field says so, of wall time)
// in milliseconds.
type Duration int64

// Milliseconds in the units people write.
const (
	Millisecond Duration = 1
	Second               = 1000 * Millisecond
	Minute               = 60 * Second
	Hour                 = 60 * Minute
)

// Digest is a SHA-256 sum.
type Digest [32]byte

// Spec is what one generation of the mission file says, with every default
// filled in. The jobs are not part of it: they are expanded an instance at a
// time and arrive as JobSpec.
type Spec struct {
	Mission     MissionSpec
	Treasury    Treasury
	Resources   Resources
	Governance  Governance
	Autonomy    Autonomy
	Delegation  Delegation
	Checkpoint  Checkpointing
	Retention   Retention
	Reload      Reload
	Accounts    []AccountSpec
	Workers     []WorkerSpec
	Validators  []ValidatorSpec
	Policies    []PolicySpec  // in the order of the file
	Guardian    *GuardianSpec // nil: none
	Strategists []StrategistSpec
	// Instances is the number of job instances the file declares.
	Instances int64
}

// MissionSpec is the mission block.
type MissionSpec struct {
	Name        string
	Seed        int64
	Duration    Duration // 0: until complete
	Owner       string
	OnExhausted string // wait, fail, ask
}

// AccountSpec is a funded employer: account:<name>, given its tokens out of the
// owner's account when it is first declared.
type AccountSpec struct {
	Name   string
	Tokens ledger.Amount
}

// Treasury is what is minted at genesis and handed out to stake with.
type Treasury struct {
	Tokens             ledger.Amount
	WorkerEndowment    ledger.Amount
	ValidatorEndowment ledger.Amount
}

// Resources are the two capacities a running job holds a part of.
type Resources struct{ Energy, Compute Resource }

// Resource is one capacity. Price is TOKEN per 1,000 units.
type Resource struct {
	Capacity ledger.Amount
	Price    ledger.Amount
}

// Governance is the council's rule book.
type Governance struct {
	WorkerStakeRatio     ledger.Ratio
	ValidatorStake       ledger.Amount
	Committee            int64
	ApprovalsRequired    int64
	CommitWindow         Duration
	RevealWindow         Duration
	ValidatorTimeout     Duration
	SlashRatio           ledger.Ratio
	WrongVoteRatio       ledger.Ratio
	NoRevealRatio        ledger.Ratio
	EquivocationRatio    ledger.Ratio
	SlashEmployer        ledger.Ratio
	SlashTreasury        ledger.Ratio
	SlashBurn            ledger.Ratio
	FeeRatio             ledger.Ratio
	BurnRatio            ledger.Ratio
	ValidatorRewardRatio ledger.Ratio
}

// Autonomy bounds the guardian.
type Autonomy struct {
	GuardianInterval Duration
	ForecastHorizon  Duration
	ResourceTarget   ledger.Ratio
	PriceFloor       ledger.Amount
	PriceCeiling     ledger.Amount
	PriceSmoothing   ledger.Ratio
	May              []string // kinds of action the guardian takes by itself
	Budget           ledger.Amount
}

// Delegation says how work is handed out and tried again.
type Delegation struct {
	MaxDepth        int64
	Retry           Duration
	BackgroundLimit int64 // 0: no limit
	MaxAttempts     int64
	RetryBackoff    Duration
	Lease           Duration
}

// Checkpointing says how often the state is sealed.
type Checkpointing struct{ Interval Duration }

// Retention bounds the histories kept as artifacts, in lines, and how long ids
// made by clients are remembered.
type Retention struct {
	StateHistory      int64
	MeshHistory       int64
	StructuredLog     int64
	ContinuityHistory int64
	LedgerHistory     int64
	IDs               Duration
}

// Reload says what an edit may do by itself.
type Reload struct{ AllowRemovals bool }

// WorkerKind says how a worker does its work.
type WorkerKind string

// The kinds of worker this version runs.
const (
	Simulated    WorkerKind = "simulated"
	Exec         WorkerKind = "exec"
	ScriptWorker WorkerKind = "script"
	HTTP         WorkerKind = "http"
)

// WorkerSpec is one worker block: a pool of equal instances.
type WorkerSpec struct {
	Name      string
	Instances []string // their ids, in declared order
	Skills    []string // sorted
	Slots     int64    // attempts one instance holds at the same time
	Delegates bool     // takes jobs of which it has only some skills
	Kind      WorkerKind
	Simulated SimulatedSpec
	Exec      ExecSpec
	Script    ScriptSpec
	HTTP      HTTPSpec
}

// Secrets are those of the program it runs, or of its requests.
func (w *WorkerSpec) Secrets() *[]Secret {
	if w.Kind == HTTP {
		return &w.HTTP.Secrets
	}
	return &w.Exec.Secrets
}

// SimulatedSpec is a worker that only takes time. Speed is in parts per
// million: modelled work of d takes ⌊d/speed⌋.
type SimulatedSpec struct {
	Speed        ledger.Ratio
	FailureRatio ledger.Ratio
	WrongRatio   ledger.Ratio
}

// ExecSpec is a worker that runs a program. Timeout is wall time; memory and
// output are bytes.
type ExecSpec struct {
	Command []string
	Timeout Duration
	Env     []string // names passed on from the host's environment
	Memory  int64
	Output  int64
	Secrets []Secret // given to the program as environment variables
}

// HTTPSpec is a worker that asks a server. Timeout is wall time; output is the
// bytes of an answer's body.
type HTTPSpec struct {
	URL     string
	Timeout Duration
	Headers []Header // by name, in the form of http.CanonicalHeaderKey
	Output  int64
	Secrets []Secret // sent as headers
}

// Header is one header of a request.
type Header struct{ Name, Value string }

// Secret is a value that stands in no record: the name of the environment
// variable, or of the header, that carries it and of the sensitive variable it is
// read from.
type Secret struct{ Name, Variable string }

// ValidatorKind says how a validator judges, and who holds its key.
type ValidatorKind string

// The kinds of validator. The host holds the keys of all but the last.
const (
	RuleValidator      ValidatorKind = "rule"      // judges a job's accept block
	ExecValidator      ValidatorKind = "exec"      // asks a program
	SimulatedValidator ValidatorKind = "simulated" // judges as a rule does, but may be absent or wrong
	ScriptValidator    ValidatorKind = "script"    // asks a script
	OutsideValidator   ValidatorKind = "outside"   // signs its commitments with a key of its own
)

// ValidatorSpec is one validator block. Keys are the public keys of an outside
// validator's instances.
type ValidatorSpec struct {
	Name      string
	Instances []string
	Kind      ValidatorKind
	Exec      ExecSpec
	Script    ScriptSpec
	Simulated ValidatorModel
	Keys      [][32]byte
}

// ValidatorModel is how often a simulated validator stays silent, and how often
// it votes against what it knows, drawn from the seed.
type ValidatorModel struct {
	AbsentRatio ledger.Ratio
	WrongRatio  ledger.Ratio
}

// Variable is an input of the mission file as a generation was evaluated with
// it. Of a sensitive one the record holds the name only.
type Variable struct {
	Name      string
	Value     []byte // canonical JSON
	Sensitive bool
}

// JobSpec is one instance of a job block, every value known. It is what a
// job_posted event records; later edits do not reach it.
type JobSpec struct {
	ID               string // swarm, swarm_0, swarm_<12 hex>
	Label            string // what people read: swarm[0], swarm["eu west"]; "" means ID
	Block            string // the block that declared it; "" for a posted one
	Generation       int64  // whose sources hold its expressions
	Parent           string // the job that posted it; "" for others
	Employer         string // the account that pays; "" is the owner's, or a child's parent
	Title            string
	Skills           []string // sorted
	Needs            []string // ids, in declared order
	Reward           ledger.Amount
	EnergyBudget     ledger.Amount
	ComputeBudget    ledger.Amount
	Work             Duration // modelled, at speed 1
	Deadline         Duration // from ready to submission; 0: none
	ValidationWindow Duration // of a round, from its opening to the outcome; 0: the council's own windows
	Timeout          Duration // wall time of one attempt; 0: the worker's
	Priority         Priority
	Labels           []Label
	Required         bool
	AnyEnd           bool   // run_if = "any_end"
	Input            []byte // canonical JSON; nil when Lazy or absent
	Lazy             bool   // the input needs the results of Needs
	Accept           bool   // an accept block judges the result
	Simulated        []byte // what a simulated worker answers, canonical JSON; nil: {}
	Delegate         []byte // the children a simulated worker posts first, canonical JSON
}

// Label is one key and value of a job's labels, in key order.
type Label struct{ Key, Value string }

// Priority orders ready jobs. The zero value is normal.
type Priority int8

// Priorities, lowest first.
const (
	Low Priority = iota - 1
	Normal
	High
	Critical
)

var priorities = [...]string{"low", "normal", "high", "critical"}

func (p Priority) String() string { return priorities[p-Low] }

// ParsePriority is the inverse of String.
func ParsePriority(text string) (Priority, bool) {
	for i, name := range priorities {
		if name == text {
			return Low + Priority(i), true
		}
	}
	return Normal, false
}
