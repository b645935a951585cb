package core

import (
	"iter"

	"github.com/omega-run/omega/host/ledger"
)

// Seq numbers entries, from 1.
type Seq uint64

// Status says what the mission as a whole is doing.
type Status string

// A mission's status. Only a resume leads out of paused, stopped and emergency.
const (
	Running   Status = "running"
	Paused    Status = "paused"
	Stopping  Status = "stopping"
	Stopped   Status = "stopped"
	Emergency Status = "emergency"
	Ended     Status = "ended"
)

// JobState is where a job stands in its life.
type JobState string

// The states of a job; the last five are terminal.
const (
	JobPostedState   JobState = "posted"
	JobReadyState    JobState = "ready"
	JobAssignedState JobState = "assigned"
	JobRunning       JobState = "running"
	JobSubmitted     JobState = "submitted"
	JobCommitting    JobState = "committing"
	JobRevealing     JobState = "revealing"
	JobDelegated     JobState = "delegated"         // waits for its children
	JobAwaiting      JobState = "awaiting_approval" // waits for a person
	JobRejected      JobState = "rejected"
	JobFinalized     JobState = "finalized"
	JobFailed        JobState = "failed"
	JobCancelled     JobState = "cancelled"
	JobExpired       JobState = "expired"
	JobSkipped       JobState = "skipped"
)

// JobStates lists every state in the order of a life.
func JobStates() []JobState {
	return []JobState{
		JobPostedState, JobReadyState, JobAssignedState, JobRunning, JobDelegated, JobSubmitted, JobCommitting, JobRevealing, JobAwaiting, JobRejected,
		JobFinalized, JobFailed, JobCancelled, JobExpired, JobSkipped,
	}
}

// Terminal reports whether a job in this state has ended.
func (s JobState) Terminal() bool {
	switch s {
	case JobFinalized, JobFailed, JobCancelled, JobExpired, JobSkipped:
		return true
	}
	return false
}

// Job is one job and all that is known of it. Readers must not write it.
type Job struct {
	Spec   Terms
	State  JobState
	Posted Seq // the entry that posted it
	Fee    ledger.Amount
	Reason string // of its end or of the last attempt's
	Detail string

	Attempt      int64 // numbers attempts from 1
	Failures     int64 // attempts that count against max_attempts
	Worker       *Worker
	LastWorker   string
	Lease        Seq // fencing token: the entry that assigned or re-leased it
	Stake        ledger.Amount
	EnergyPrice  ledger.Amount
	ComputePrice ledger.Amount

	ReadyAt   Time
	StartedAt Time
	RetryAt   Time // no attempt before then

	Answer *Answer // of the attempt; nil while there is none
	held   *ResultHeld

	Rounds    int64 // rounds opened so far, over all attempts
	Undecided int64 // rounds of this attempt without an outcome
	Round     *Round

	Parent   *Job          // whose attempt posted it; nil for others
	Children []*Job        // that its attempts have posted, in post order
	Depth    int64         // below the job nobody's attempt posted
	grant    ledger.Amount // set apart by its parent for its deposits
	boosts   []boost       // what Boosted is made of
	slashes  ledger.Amount // over its children, paid into its escrow: its worker's, not to be spent on children
	ending   *JobEnding    // how it will end once its children have
	asked    *asked        // what a person is asked; nil while nobody is
	said     *said         // what policies say of the children its attempt asks for; nil while they have not

	index int    // in post order
	group *group // its chunk of the sealed state; nil once it is put away
	ended Seq    // the entry that ended it
	purse *purse // who pays, but for a child: it is paid out of its parent's escrow
	timer timer
	class *class

	openKids  int32
	needsLeft int32
	wanted    int32 // posted jobs that need it, once it has ended
	funds     int32 // position among its purse's unfunded, -1 outside
	dying     int32 // position in the dying heap, -1 outside
	ready     int32 // position in its class's heap, -1 outside
	retry     int32 // position in the retry heap, -1 outside
	moves     int32 // position in the movable heap, -1 outside
	escrow    ledger.Account
	deposit   ledger.Account
	Escrowed  bool
	Expedited Seq           // the entry in which a steward put it first; 0: none did
	Boosted   ledger.Amount // added to its reward by stewards
	patient   bool          // a person has said that it may wait for what it lacks
	cleared   bool          // a person has said that it may be assigned: policies are not asked again
	withheld  bool          // a policy has failed over it: it waits for an edit
	needEnded bool          // a need ended otherwise than finalized
	working   bool          // holds a slot of its worker
	touched   bool
}

// asked is a question to a person about a job.
type asked struct {
	ApprovalAsked
	at Time
	in JobState // the state the job was in
}

// said is what a ruling has come to.
type said struct {
	say, reason string
	failed      bool // those that deny could not say
}

// Answer is a result, fixed.
type Answer struct {
	Result []byte
	Digest Digest
	Files  []File
	entry  Seq    // that fixed it
	prev   Digest // of that entry: seeds the draw
}

// Name is what people read.
func (j *Job) Name() string {
	if j.Spec.Label != "" {
		return j.Spec.Label
	}
	return j.Spec.ID
}

// Round is one commit–reveal round. Phase ends at Due at the latest.
type Round struct {
	Number   int64
	Opened   Time // the validation window counts from here
	From     Time // the phase began
	Until    Time // its window ends; until Due an answer is late, but taken
	Due      Time
	Reminded bool // in this phase
	Closed   bool
	Excused  bool // an edit has changed a validator's script since it was opened
	Seats    []Seat
}

// Seat is one drawn validator in a round.
type Seat struct {
	Validator *Validator
	Stake     ledger.Amount
	Committed bool
	Revealed  bool
	Twice     bool // signed two commitments
	Sealed    SealedVote
	Vote      string
	Reason    string
}

// Worker is one instance of a worker block.
type Worker struct {
	ID       string
	Draining bool // removed by an edit: it takes no more work
	Load     int64
	pool     *pool
	slot     int // position in the pool
	account  ledger.Account
	stake    ledger.Account
}

// Spec is the block the worker belongs to.
func (w *Worker) Spec() *WorkerSpec { return &w.pool.spec }

// Validator is one seatable validator.
type Validator struct {
	ID       string
	Key      [32]byte
	Outside  bool // its key is not the host's
	Draining bool
	Missed   int64 // rounds in a row in which it was absent
	block    *ValidatorSpec
	account  ledger.Account
	stake    ledger.Account
}

// Spec is the block the validator belongs to, nil once an edit has removed it.
func (v *Validator) Spec() *ValidatorSpec { return v.block }

// State is one mission at one entry. Only evolve writes it.
type State struct {
	seq  Seq
	now  Time
	ripe Time // up to then the index knows who may be tried again
	prev Digest

	mission    MissionCreated
	generation int64
	spec       Spec
	entry      string
	sources    []SourceRef
	edited     []string // files that the generation in force has changed; nil if it was not seen to come
	variables  []Variable
	recorded   map[Digest]bool // files whose bytes the journal holds in full
	expanded   int64
	status     Status
	reason     string // of the end
	speed      ledger.Ratio
	clean      bool     // the last host left in order
	cuts       []string // files that hold torn tails the journal knows of
	checkpoint Checkpointed
	unsealed   Time // one above the at of the first entry after the checkpoint; 0 none
	orders     orderBook
	usage      [2]resourceUse // energy, compute
	prices     [2]ledger.Amount
	priced     Time // the last instant at which prices were looked at and moved
	reminded   Time // of jobs nobody attends to
	faults     []scriptFaults
	edit       *HeldEdit // nil: none
	stewards   []*Steward
	proposals  []*Proposal  // actions that wait for a person, and those denied that are asked for again
	pauses     []SkillPause // of skills
	happened   Seq          // the last entry in which something did that stewards are told of
	advised    Seq          // the last that took an answer of theirs
	idle       int64        // their answers since anything but them has moved
	totals     Totals

	ledger   *ledger.Ledger
	accounts systemAccounts

	purses     []*purse        // of employers, the owner's first
	jobs       map[string]*Job // those that are open, or have ended and are still depended on
	roster     roster          // the same in post order
	done       roll[finished]  // the others
	open       int
	dependents map[string][]*Job
	workers    map[string]*Worker
	pools      []*pool
	classes    []*class
	classOf    map[string]*class
	validators []*Validator
	seatable   map[string]*Validator

	timers    heap[*Job]
	retries   heap[*Job]
	dying     heap[*Job] // will end when their children have; the last posted first
	movable   heap[*Job] // posted, with needs and escrow just met; in post order, as a restored state finds them
	undrawn   queue      // submitted, waiting for a committee, in submission order
	readyJobs int
	held      []bool // classes, in one pass of schedule
	freeSlots int64
	running   int64
	asking    int64 // of them, waiting for a verdict
	withheld  int64 // jobs that wait for an edit to mend a policy
	heldJobs  int64 // of them, with their result held

	out        []Event
	moving     []Step // gathered for the next transfers
	weight     int    // of out, about its bytes
	unfinished bool   // the last entry had no room for all that could be done
	changed    []*Job // by the last entry
	ended      []*Job // by the last entry
	leaving    []*Job // whose end may be put away by the next entry

	spelled []byte   // the sealed form of spec; nil while it is not made
	shared  *JobSpec // of the job posted last: the next one may be alike
	needs   []string

	waiting  []string // for a committee, while restoring
	restored []*Job   // while restoring
}

// resourceUse is what a capacity owes and has seen.
type resourceUse struct {
	limit    ledger.Amount
	owed     ledger.Amount // burned out of returning reservations
	consumed ledger.Amount
}

type systemAccounts struct {
	owner, resources, fees, burned, minted ledger.Account
	capacity, reserved                     [2]ledger.Account
	limitMinted, limitBurned               [2]ledger.Account
}

// Totals are sums over the mission's life.
type Totals struct {
	Events        int64
	Posted        int64
	Finalized     int64
	Failed        int64
	Cancelled     int64
	Expired       int64
	Skipped       int64
	RequiredLost  int64 // required jobs that ended otherwise than finalized
	ExhaustedLost int64 // of those, for lack of tokens, energy or compute
	Minted        ledger.Amount
	Paid          ledger.Amount // to workers and validators
	Slashed       ledger.Amount
	Burned        ledger.Amount
	Fees          ledger.Amount
}

// New is the state before the first entry.
func New() *State {
	return &State{
		recorded: map[Digest]bool{}, jobs: map[string]*Job{}, dependents: map[string][]*Job{}, workers: map[string]*Worker{},
		seatable: map[string]*Validator{}, classOf: map[string]*class{}, orders: newOrderBook(),
		ledger: ledger.New(), status: Running, speed: 1_000_000,
		timers:  newHeap(func(a, b *Job) bool { return a.timer.before(b.timer, a, b) }, func(j *Job) *int32 { return &j.timer.at }),
		dying:   newHeap(func(a, b *Job) bool { return a.index > b.index }, func(j *Job) *int32 { return &j.dying }),
		movable: newHeap(inPostOrder, func(j *Job) *int32 { return &j.moves }),
		retries: newHeap(func(a, b *Job) bool { return a.RetryAt < b.RetryAt || a.RetryAt == b.RetryAt && a.index < b.index }, func(j *Job) *int32 { return &j.retry }),
	}
}

func inPostOrder(a, b *Job) bool { return a.index < b.index }

// Seq is the last entry.
func (s *State) Seq() Seq { return s.seq }

// Now is the last entry's mission time.
func (s *State) Now() Time { return s.now }

// Mission is who the mission is: id, name and keys.
func (s *State) Mission() MissionCreated { return s.mission }

// Generation is the number of the generation in force, 0 before genesis.
func (s *State) Generation() int64 { return s.generation }

// Spec is the generation in force.
func (s *State) Spec() *Spec { return &s.spec }

// Entry is the mission file's name.
func (s *State) Entry() string { return s.entry }

// Sources are the files of the generation in force.
func (s *State) Sources() []SourceRef { return s.sources }

// ChangedSources are the paths of the files that differ from the generation
// before the one in force, for who tells of the entry that put it in force: a
// checkpoint does not hold them.
func (s *State) ChangedSources() []string { return s.edited }

// Variables are the inputs the mission file in force was evaluated with, by name.
func (s *State) Variables() []Variable { return s.variables }

// Recorded reports whether the journal holds a file's bytes.
func (s *State) Recorded(d Digest) bool { return s.recorded[d] }

// Status is what the mission is doing.
func (s *State) Status() Status { return s.status }

// Reason is why the mission ended.
func (s *State) Reason() string { return s.reason }

// Speed is mission time per wall time, in parts per million.
func (s *State) Speed() ledger.Ratio { return s.speed }

// LeftInOrder reports whether the last host said that it was leaving.
func (s *State) LeftInOrder() bool { return s.clean }

// Cuts names the files that hold torn tails the journal knows of.
func (s *State) Cuts() []string { return s.cuts }

// Totals are sums over the mission's life.
func (s *State) Totals() Totals { return s.totals }

// LastCheckpoint is the newest seal; its Seq is 0 before the first.
func (s *State) LastCheckpoint() Checkpointed { return s.checkpoint }

// Job finds a job by its id: one that is open, that the last entry ended, or
// whose end an open job depends on. The others that have ended are Finished.
func (s *State) Job(id string) *Job { return s.jobs[id] }

// Jobs are all that Job finds, with their places in post order. Readers must not
// write them.
func (s *State) Jobs() iter.Seq2[int, *Job] { return s.roster.each }

// Open is the number of jobs that have not ended.
func (s *State) Open() int { return s.open }

// Expanded is how many declared instances have been looked at.
func (s *State) Expanded() int64 { return s.expanded }

// Validators are all validators in declared order.
func (s *State) Validators() []*Validator { return s.validators }

// Validator finds a validator by its id.
func (s *State) Validator(id string) *Validator { return s.seatable[id] }

// Workers calls yield for every worker, in declared order.
func (s *State) Workers(yield func(*Worker) bool) {
	for _, p := range s.pools {
		for _, w := range p.workers {
			if !yield(w) {
				return
			}
		}
	}
}

// Ledger is the mission's books. Readers must not write them.
func (s *State) Ledger() *ledger.Ledger { return s.ledger }

// Prices are TOKEN per 1,000 units of energy and compute now.
func (s *State) Prices() (energy, compute ledger.Amount) { return s.prices[0], s.prices[1] }

// Asked is what a person is asked about a job, and since when; nil when nobody
// is.
func (j *Job) Asked() (*ApprovalAsked, Time) {
	if j.asked == nil {
		return nil, 0
	}
	return &j.asked.ApprovalAsked, j.asked.at
}

// Escrow is what a job holds in escrow and as deposit.
func (s *State) Escrow(j *Job) (escrow, deposit ledger.Amount) {
	if j.State.Terminal() {
		return 0, 0
	}
	return s.balance(j.escrow), s.balance(j.deposit)
}

// Resource is one capacity as it stands: its limit, what is free and reserved
// now and what was consumed so far. The unit is ledger.Energy or ledger.Compute.
func (s *State) Resource(unit ledger.Unit) (limit, free, reserved, consumed ledger.Amount) {
	i := resource(unit)
	u := s.usage[i]
	return u.limit, s.ledger.Balance(s.accounts.capacity[i]), s.ledger.Balance(s.accounts.reserved[i]), u.consumed
}

func resource(unit ledger.Unit) int {
	if unit == ledger.Energy {
		return 0
	}
	return 1
}
