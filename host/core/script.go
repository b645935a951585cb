package core

import "github.com/omega-run/omega/host/ledger"

// ScriptSpec is a script the host runs, in a process of its own that holds no
// more than it is given.
type ScriptSpec struct {
	Path     string   // in the mission folder; omega:<name> is one of Omega's own; "" is none
	Digest   Digest   // of the files it is made of
	Params   []byte   // view.params: a canonical JSON object, nil for none
	Timeout  Duration // wall time of one call
	Memory   int64    // bytes
	Fallback string   // what is said in its place once it keeps failing
}

// Hook is a kind of request that policies are asked about.
type Hook string

// The hooks. Nothing in this version asks about the last two.
const (
	HookPost     Hook = "job.post"     // somebody else than the owner posts a job
	HookDelegate Hook = "job.delegate" // an attempt posts child jobs
	HookTransfer Hook = "transfer"     // somebody else than the owner moves tokens
	HookAssign   Hook = "job.assign"   // the core gives a job to a worker
	HookMessage  Hook = "message"
	HookSteer    Hook = "simulation.act"
)

// PolicySpec is one policy block.
type PolicySpec struct {
	Name   string
	Script ScriptSpec
	On     []string // hooks
	Mode   string   // enforce, shadow
}

// GuardianSpec is the guardian block.
type GuardianSpec struct {
	Script  ScriptSpec
	Default Digest // of omega:guardian, where the fallback is to ask that; zero: nobody is asked
}

// StandIn is the script that is asked in place of one that keeps failing, within
// the same limits; the params were written for the other. nil: none is.
func (g *GuardianSpec) StandIn() *ScriptSpec {
	if g.Default == (Digest{}) {
		return nil
	}
	return &ScriptSpec{Path: "omega:guardian", Digest: g.Default, Timeout: g.Script.Timeout, Memory: g.Script.Memory, Fallback: "none"}
}

// StrategistSpec is one strategist block. What it spends lies in the account of
// its name, given its budget out of the owner's.
type StrategistSpec struct {
	Name     string
	Script   ScriptSpec
	Budget   ledger.Amount
	Interval Duration // mission time between two calls, at least
}

// GuardianName is the guardian among the stewards, and its account.
const GuardianName = "guardian"

// What policies say of a request. Deny beats ask beats allow.
const (
	SayAllow = "allow"
	SayAsk   = "ask"
	SayDeny  = "deny"
)

// Ruling is what the policies said of one request, and what came of it.
type Ruling struct {
	Hook     string
	Subject  string // id of the job, or of the action's target
	Request  []byte // canonical JSON: what the scripts were given
	Verdicts []Verdict
	Say      string // of all that are enforced together
	Reason   string // of the one that decided
}

// Verdict is what one policy said.
type Verdict struct {
	Policy     string
	Say        string
	Reason     string
	Shadow     bool   // it does not count
	Script     Digest // of the version that was asked
	Generation int64
	Fault      string // why it could not say, with the author's file and line; Say is then its fallback
}

// Action is something a steward wants to do. Which members it has depends on Do.
type Action struct {
	Do      string        // expedite, reprice, boost, pause_skill, post, steer
	Job     string        // expedite, boost
	Skill   string        // pause_skill
	For     Duration      // pause_skill
	Energy  ledger.Amount // reprice, 0 leaves it
	Compute ledger.Amount
	Tokens  ledger.Amount // boost
	Post    *JobSpec      // post
	Target  string        // steer: the simulation
	Steer   []byte        // steer: canonical JSON
	Why     string

	Ruling *Ruling // where policies were asked
}

// Kinds of action: what autonomy.may lists.
const (
	ActExpedite   = "expedite"
	ActReprice    = "reprice"
	ActBoost      = "boost"
	ActPauseSkill = "pause_skill"
	ActPost       = "post"
	ActSteer      = "steer"
)

// Outcomes of a planned action.
const (
	OutcomeTaken   = "taken"
	OutcomeWaiting = "waiting" // for a person: omega approve ID
	OutcomeRefused = "refused" // it cannot be done
	OutcomeDenied  = "denied"  // by a policy
)

// PlannedAction is an action and what came of it.
type PlannedAction struct {
	ID      string // <seq>.<n>, of one that waits
	Action  Action
	Outcome string
	Reason  string
}

// Alert is something a steward wants seen.
type Alert struct {
	Severity string // info, warning, critical
	Text     string
	Job      string // "" where it concerns none
}
