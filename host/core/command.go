package core

import "github.com/omega-run/omega/host/ledger"

// Command is what an input asks for. The set is closed and its names are
// permanent: they stand in journals.
type Command interface {
	record
	// Name is the command's name in the record.
	Name() string
}

// Genesis begins the mission: the first entry.
type Genesis struct {
	Mission   string // ULID
	HostKey   [32]byte
	OwnerKey  [32]byte
	Rehearsal bool // keys are derived from the seed: they are public
	Signature []byte
	Apply     Generation
}

// Generation puts an edited mission file in force.
type Generation struct {
	Entry   string // the file named, relative to the mission folder
	Sources []SourceRef
	Spec    Spec
	// Keys are the public keys of the validators, in the order of the spec.
	Keys [][32]byte
	// Variables are the inputs the file was evaluated with.
	Variables []Variable
	// Removes names declared jobs the edit takes away, Drains workers and
	// validators.
	Removes []string
	Drains  []string
	// Kept names posted jobs whose declaration the edit changes: they keep
	// their terms.
	Kept []string
}

// SourceRef names one file a generation was evaluated from.
type SourceRef struct {
	Path   string
	Digest Digest
	Size   int64
}

// RefuseEdit records that an edit was found and why it is not in force.
type RefuseEdit struct {
	Reason string // invalid_mission
	Detail string // the first diagnostics, as text
	Digest Digest // of the refused sources
}

// Source records one piece of a file, so that a generation can be compiled
// again from the journal alone.
type Source struct {
	Digest Digest // of the whole file
	Offset int64
	Last   bool
	Bytes  []byte
}

// Expand posts the next instances the mission file declares.
type Expand struct {
	Generation int64
	Next       int64 // the first instance not looked at yet
	Jobs       []JobSpec
	Problem    string
}

// Resolve answers with the evaluated input of a job.
type Resolve struct {
	Job     string
	Input   []byte
	Problem string
}

// Result is a finished attempt.
type Result struct {
	Job     string
	Attempt int64
	Lease   Seq
	Result  []byte // canonical JSON
	// EnergyUsed and ComputeUsed are what was reported; Unreported otherwise.
	EnergyUsed  ledger.Amount
	ComputeUsed ledger.Amount
	Files       []File
	// Judged holds the host's own judgement where the council is off.
	Judged *Judgement
}

// Unreported stands for usage nobody measured: it counts as the whole budget.
const Unreported ledger.Amount = -1

// Judgement is what a rule says of a result.
type Judgement struct {
	Approve bool
	Reason  string
}

// File is a blob an attempt left.
type File struct {
	Name   string
	Digest Digest
	Size   int64
}

// Failure is an attempt that ended without a valid result.
type Failure struct {
	Job     string
	Attempt int64
	Lease   Seq
	Reason  string // exit, timeout, bad_json …
	Detail  string
}

// Delegate ends an attempt that answers with child jobs instead of a result:
// the job goes on, with another attempt, when all of them have ended.
type Delegate struct {
	Job         string
	Attempt     int64
	Lease       Seq
	EnergyUsed  ledger.Amount // Unreported where nobody measured
	ComputeUsed ledger.Amount
	Children    []JobSpec // their ids are <job>__<n>, n counting on from 1
	Ruling      *Ruling   // where policies were asked
}

// Admit answers for the policies that were asked about an assignment.
type Admit struct {
	Job     string
	Attempt int64
	Lease   Seq
	Ruling  Ruling
}

// Advise is what a steward, the guardian or a strategist, answered. A fault
// leaves it without plan.
type Advise struct {
	Steward    string
	Seen       Seq // what it was told of
	Script     Digest
	Generation int64
	Headline   string
	Alerts     []Alert
	Recommend  []string
	Actions    []Action
	Memory     []byte   // canonical JSON it wants to be given again; nil leaves what it has
	Wake       Duration // it wants to be asked again after that, 0 when something has happened
	Fault      string
}

// Commit carries commitments: all of a round's host-held seats in one, those of
// a seat held outside one by one.
type Commit struct {
	Job   string
	Round int64
	Votes []SealedVote
}

// SealedVote is one seat's commitment with its vote, sealed.
type SealedVote struct {
	Seat       int64
	Commitment Digest
	Nonce      [24]byte
	Box        []byte
	Signature  []byte // by the seat's own key, of a seat held outside: it seals nothing
}

// Reveal carries the revealed votes of a round.
type Reveal struct {
	Job   string
	Round int64
	Votes []OpenVote
}

// OpenVote is one seat's revealed vote.
type OpenVote struct {
	Seat   int64
	Vote   string // approve, reject, abstain
	Reason string
	Salt   [32]byte
}

// Tick fires every timer that is due.
type Tick struct{}

// Clock says that mission time went on although nothing happened.
type Clock struct{}

// Stall ends the open jobs of a mission in which nothing can happen any more.
type Stall struct{}

// Checkpoint seals the state as it was before this entry.
type Checkpoint struct {
	Seq       Seq
	Entry     Digest
	State     Digest
	Signature []byte
}

// Start says that a host took the mission up.
type Start struct {
	Gap     Duration     // wall time since the last entry
	Speed   ledger.Ratio // of mission time against wall time
	Version string       // of the program; empty in rehearsals
	HostKey [32]byte     // where the keys were lost: the new host key
	Keys    [][32]byte   // and those of the validators, in the order of the state
}

// Leave says that the host went away in order.
type Leave struct{ Reason string }

// TailCut says that a torn tail was found and cut.
type TailCut struct {
	File  string // where the bytes are kept
	Bytes int64
	From  Seq // the first entry that is missing
}

// Halt ends the grace of a stop: running attempts are void.
type Halt struct{}

// Order is what the owner says.
type Order struct {
	ID      string
	Key     [32]byte
	Counter int64
	Body    Digest // of the order's bytes
	Say     OrderKind
	Job     string // cancel, approve, deny
	Reason  string
	Post    *JobSpec // post
	Edit    Digest   // apply: of the sources that wait
	Ruling  *Ruling  // of policies in shadow: it cannot keep an order from being obeyed
	Problem string   // why the order cannot be understood; it is refused
}

// OrderKind is one of the owner's orders.
type OrderKind string

// The orders this version knows.
const (
	Pause         OrderKind = "pause"
	Resume        OrderKind = "resume"
	Stop          OrderKind = "stop"
	EmergencyStop OrderKind = "emergency-stop"
	CancelJob     OrderKind = "cancel"
	PostJob       OrderKind = "post"
	Approve       OrderKind = "approve" // a job that awaits approval, or an action that a plan waits with
	Deny          OrderKind = "deny"
	ApplyEdit     OrderKind = "apply" // an edit that takes something away
)

// Command names, as they stand in the record.
func (*Genesis) Name() string    { return "genesis" }
func (*Generation) Name() string { return "generation" }
func (*RefuseEdit) Name() string { return "refuse_edit" }
func (*Source) Name() string     { return "source" }
func (*Expand) Name() string     { return "expand" }
func (*Resolve) Name() string    { return "resolve" }
func (*Result) Name() string     { return "result" }
func (*Failure) Name() string    { return "failure" }
func (*Delegate) Name() string   { return "delegate" }
func (*Admit) Name() string      { return "admit" }
func (*Advise) Name() string     { return "advise" }
func (*Commit) Name() string     { return "commit" }
func (*Reveal) Name() string     { return "reveal" }
func (*Tick) Name() string       { return "tick" }
func (*Clock) Name() string      { return "clock" }
func (*Stall) Name() string      { return "stall" }
func (*Checkpoint) Name() string { return "checkpoint" }
func (*Start) Name() string      { return "start" }
func (*Leave) Name() string      { return "leave" }
func (*TailCut) Name() string    { return "tail_cut" }
func (*Halt) Name() string       { return "halt" }
func (*Order) Name() string      { return "order" }

func newCommand(name string) Command {
	switch name {
	case "genesis":
		return new(Genesis)
	case "generation":
		return new(Generation)
	case "refuse_edit":
		return new(RefuseEdit)
	case "source":
		return new(Source)
	case "expand":
		return new(Expand)
	case "resolve":
		return new(Resolve)
	case "result":
		return new(Result)
	case "failure":
		return new(Failure)
	case "delegate":
		return new(Delegate)
	case "admit":
		return new(Admit)
	case "advise":
		return new(Advise)
	case "commit":
		return new(Commit)
	case "reveal":
		return new(Reveal)
	case "tick":
		return new(Tick)
	case "clock":
		return new(Clock)
	case "stall":
		return new(Stall)
	case "checkpoint":
		return new(Checkpoint)
	case "start":
		return new(Start)
	case "leave":
		return new(Leave)
	case "tail_cut":
		return new(TailCut)
	case "halt":
		return new(Halt)
	case "order":
		return new(Order)
	}
	return nil
}

// A command's record names what was asked; values that an event holds are not
// written twice, so an accepted result stands in attempt_submitted alone.

func (g *Genesis) fields(c *Codec) {
	c.Text("mission", &g.Mission)
}

func (g *Generation) fields(c *Codec) {
	c.Texts("removes", &g.Removes)
	c.Texts("drains", &g.Drains)
}

func (r *RefuseEdit) fields(c *Codec) {
	c.Text("reason", &r.Reason)
	c.Text("detail", &r.Detail)
	c.Hex("digest", r.Digest[:])
}

func (s *Source) fields(c *Codec) {
	c.Hex("digest", s.Digest[:])
}

func (e *Expand) fields(c *Codec) {
	integer(c, "generation", &e.Generation)
	c.Text("problem", &e.Problem)
}

func (r *Resolve) fields(c *Codec) {
	c.Text("job", &r.Job)
	c.Text("problem", &r.Problem)
}

func (r *Result) fields(c *Codec) {
	c.Text("job", &r.Job)
	integer(c, "attempt", &r.Attempt)
	c.Seq("lease", &r.Lease)
	object(c, "judged", &r.Judged)
}

func (j *Judgement) fields(c *Codec) {
	c.Flag("approve", &j.Approve)
	c.Text("reason", &j.Reason)
}

func (f *File) fields(c *Codec) {
	c.Text("name", &f.Name)
	c.Hex("digest", f.Digest[:])
	integer(c, "size", &f.Size)
}

func (f *Failure) fields(c *Codec) {
	c.Text("job", &f.Job)
	integer(c, "attempt", &f.Attempt)
	c.Seq("lease", &f.Lease)
	c.Text("reason", &f.Reason)
}

func (d *Delegate) fields(c *Codec) {
	c.Text("job", &d.Job)
	integer(c, "attempt", &d.Attempt)
	c.Seq("lease", &d.Lease)
}

func (a *Admit) fields(c *Codec) {
	c.Text("job", &a.Job)
	integer(c, "attempt", &a.Attempt)
	c.Seq("lease", &a.Lease)
}

func (a *Advise) fields(c *Codec) {
	c.Text("steward", &a.Steward)
}

func (v *Commit) fields(c *Codec) {
	c.Text("job", &v.Job)
	integer(c, "round", &v.Round)
}

func (v *SealedVote) fields(c *Codec) {
	integer(c, "seat", &v.Seat)
	c.Base64("commitment", v.Commitment[:])
	c.Base64("nonce", v.Nonce[:])
	c.Binary("box", &v.Box)
	c.Binary("signature", &v.Signature)
}

func (v *Reveal) fields(c *Codec) {
	c.Text("job", &v.Job)
	integer(c, "round", &v.Round)
}

func (v *OpenVote) fields(c *Codec) {
	integer(c, "seat", &v.Seat)
	c.Text("vote", &v.Vote)
	c.Text("reason", &v.Reason)
	c.Base64("salt", v.Salt[:])
}

func (*Tick) fields(*Codec)  {}
func (*Clock) fields(*Codec) {}
func (*Stall) fields(*Codec) {}
func (*Halt) fields(*Codec)  {}

func (k *Checkpoint) fields(c *Codec) {}

func (s *Start) fields(c *Codec) {
	c.Text("version", &s.Version)
}

func (l *Leave) fields(c *Codec) {
	c.Text("reason", &l.Reason)
}

func (t *TailCut) fields(c *Codec) {
	c.Text("file", &t.File)
	integer(c, "bytes", &t.Bytes)
	c.Seq("from", &t.From)
}

func (o *Order) fields(c *Codec) { // who gave it stands in order_taken
	c.Text("order", (*string)(&o.Say))
	c.Text("job", &o.Job)
	c.Text("reason", &o.Reason)
}
