package core

import "github.com/omega-run/omega/host/ledger"

// Event is one fact. The set is closed, its names are permanent, and an event's
// meaning never changes: a new rule gets a new name.
type Event interface {
	record
	// Name is the event's type in the record.
	Name() string
}

type (
	// MissionCreated is the first event of every journal.
	MissionCreated struct {
		Mission   string
		Title     string
		HostKey   [32]byte
		OwnerKey  [32]byte
		Rehearsal bool
		Signature []byte // by the owner key, over GenesisBytes
	}
	// GenerationApplied puts a mission file in force.
	GenerationApplied struct {
		Number  int64
		Entry   string
		Sources []SourceRef
		Spec    Spec
		Keys    [][32]byte
		Removed []string // jobs
		Drained []string // workers and validators
		Kept    []string
		// Variables are the inputs the file was evaluated with.
		Variables []Variable
	}
	// EditRefused says why an edit is not in force.
	EditRefused struct {
		Reason string
		Detail string
		Digest Digest
	}
	// EditHeld puts an edit that takes something away before the owner; it says
	// what it would take. EditApproved is the owner's word.
	EditHeld struct {
		Digest  Digest // of its sources
		Removes []string
		Drains  []string
	}
	// EditApproved lets a held edit be put in force.
	EditApproved struct{ Digest Digest }
	// SourceRecorded holds a piece of a file.
	SourceRecorded struct {
		Digest Digest
		Offset int64
		Last   bool
		Text   string
		Binary []byte // instead of Text where the piece is not UTF-8
	}
	// JobsExpanded says how far the declared instances have been posted.
	JobsExpanded struct {
		Generation int64
		Next       int64
	}
	// JobPosted creates a job. Of a child, Deposit is the part of its parent's
	// grant that is set apart for deposits, beside reward and fee.
	JobPosted struct {
		Spec    JobSpec
		Deposit ledger.Amount
	}
	// JobReady says that the needs are met; the deadline counts from here.
	JobReady struct {
		Job   string
		Input []byte // where it had to be resolved
	}
	// JobAssigned gives an attempt to a worker, at the prices of the moment.
	JobAssigned struct {
		Job          string
		Attempt      int64
		Worker       string
		EnergyPrice  ledger.Amount
		ComputePrice ledger.Amount
	}
	// AttemptStarted says that the work runs; usage counts from here.
	AttemptStarted struct {
		Job     string
		Attempt int64
	}
	// AttemptReleased ends a lease that died with its host: the same attempt
	// runs again under the seq of this entry.
	AttemptReleased struct {
		Job     string
		Attempt int64
	}
	// AttemptVoided ends an attempt that nobody is to blame for.
	AttemptVoided struct {
		Job     string
		Attempt int64
		Reason  string
	}
	// AttemptSubmitted fixes a result.
	AttemptSubmitted struct {
		Job          string
		Attempt      int64
		Result       []byte
		Digest       Digest
		EnergyUsed   ledger.Amount
		ComputeUsed  ledger.Amount
		OverReported bool
		Files        []File
	}
	// AttemptDelegated ends an attempt that has posted child jobs: it does not
	// count, and the job goes on when they have ended.
	AttemptDelegated struct {
		Job          string
		Attempt      int64
		EnergyUsed   ledger.Amount
		ComputeUsed  ledger.Amount
		OverReported bool
	}
	// JobResumed lets a job go on whose children have ended.
	JobResumed struct{ Job string }
	// AttemptFailed ends an attempt without a valid result.
	AttemptFailed struct {
		Job         string
		Attempt     int64
		Reason      string
		Detail      string
		EnergyUsed  ledger.Amount
		ComputeUsed ledger.Amount
		RetryAt     Time // 0: none is left
	}
	// AttemptRejected ends an attempt whose result was not approved.
	AttemptRejected struct {
		Job     string
		Attempt int64
		Reason  string
		RetryAt Time // 0: none is left
	}
	// ResultHeld keeps a result that came during a pause.
	ResultHeld struct {
		Job         string
		Attempt     int64
		Result      []byte
		EnergyUsed  ledger.Amount
		ComputeUsed ledger.Amount
		Files       []File
		Judged      *Judgement
		Children    []JobSpec // of a delegation
		Reason      string    // of a failure
		Detail      string
	}
	// RoundOpened seats a committee.
	RoundOpened struct {
		Job   string
		Round int64
		Seats []string
		Due   Time // commitments are taken until then
	}
	// VotesCommitted records commitments.
	VotesCommitted struct {
		Job   string
		Round int64
		Votes []SealedVote
	}
	// RevealOpened closes the commit phase.
	RevealOpened struct {
		Job   string
		Round int64
		Due   Time
	}
	// VotesRevealed records reveals.
	VotesRevealed struct {
		Job   string
		Round int64
		Votes []OpenVote
	}
	// VotesAbstained records seats whose sealed votes can no longer be opened.
	VotesAbstained struct {
		Job   string
		Round int64
		Seats []int64
	}
	// SeatsReminded says who has not answered although the window closes soon.
	SeatsReminded struct {
		Job   string
		Round int64
		Phase string // commit, reveal
		Seats []int64
	}
	// SeatEquivocated records a seat that signed two different commitments.
	SeatEquivocated struct {
		Job        string
		Round      int64
		Seat       int64
		Commitment Digest // the second
		Signature  []byte
	}
	// RoundClosed counts a round.
	RoundClosed struct {
		Job     string
		Round   int64
		Outcome string // approved, rejected, undecided, cancelled
		Absent  []int64
	}
	// JobsUnattended says that ready jobs have waited for a worker for long: how
	// many, since when the first of them, and some names.
	JobsUnattended struct {
		Count int64
		Since Time
		Jobs  []string
	}
	// ApprovalAsked puts a job before a person. No worker is held and no window
	// runs until there is an answer.
	ApprovalAsked struct {
		Job    string
		Reason string // undecided, exhausted, policy
		Detail string
		// Children are those a policy wants a person to see before they are posted.
		Children []JobSpec
	}
	// ApprovalGiven is the answer: the job goes on, or does not.
	ApprovalGiven struct {
		Job     string
		Approve bool
		Reason  string
	}
	// JobEnding says how a job will end once its open children have been ended.
	JobEnding struct {
		Job    string
		State  JobState
		Reason string
		Detail string
	}
	// VerdictGiven is what policies said of a request.
	VerdictGiven struct{ Ruling }
	// ScriptSuspended takes a script out that keeps failing, until an edit
	// changes it: from here on its fallback is said in its place.
	ScriptSuspended struct {
		Script   string // policy.spending, guardian, strategist.macro
		Faults   int64  // in a row
		Fallback string
		Fault    string // the last
	}
	// PlanRecorded is what a steward answered, and what came of its actions.
	PlanRecorded struct {
		Steward    string
		Seen       Seq
		Script     Digest
		Generation int64
		Same       bool // as its last one, whose members stand
		Headline   string
		Alerts     []Alert
		Recommend  []string
		Actions    []PlannedAction
		Memory     []byte // from here on; nil: as before
		Wake       Duration
		Fault      string
	}
	// ActionApproved and ActionDropped end an action's waiting.
	ActionApproved struct{ ID string }
	// ActionDropped says why an action is not taken any more.
	ActionDropped struct {
		ID     string
		Reason string // denied, withdrawn
	}
	// JobExpedited puts a job before all others of its priority and lower.
	JobExpedited struct {
		Job string
		By  string
	}
	// RewardBoosted adds to a waiting job's reward, paid by an account; a
	// transfer follows. What a job that fails gives back goes there first.
	RewardBoosted struct {
		Job    string
		Tokens ledger.Amount
		By     string // name of the account
	}
	// SkillPaused keeps jobs that need a skill from starting until then.
	SkillPaused struct {
		Skill string
		Until Time
		By    string
	}
	// SkillResumed lets them start again.
	SkillResumed struct{ Skill string }
	// Repriced sets prices where a steward wants them; the rule moves them on.
	Repriced struct {
		Energy  ledger.Amount
		Compute ledger.Amount
		By      string
	}
	// PricesSet moves the prices of the resources, TOKEN per 1,000 units.
	PricesSet struct {
		Energy  ledger.Amount
		Compute ledger.Amount
	}
	// JobEnded is a job's one terminal state.
	JobEnded struct {
		Job         string
		State       JobState // finalized, failed, cancelled, expired, skipped
		Reason      string
		Detail      string
		EnergyUsed  ledger.Amount // by an attempt that was cut short
		ComputeUsed ledger.Amount
	}
	// Transfer moves amounts. Steps belong to a job and say by their name what
	// moves from where to where; Legs name the accounts.
	Transfer struct {
		Job     string
		Attempt int64
		Steps   []Step
		Legs    []Leg
	}
	// OrderTaken acknowledges an order.
	OrderTaken struct {
		ID      string
		Key     [32]byte
		Counter int64
		Body    Digest
		Refusal string // the order was refused, with this code
		Detail  string
	}
	// MissionPaused stops mission time.
	MissionPaused struct{}
	// MissionResumed lets mission time go on.
	MissionResumed struct{}
	// MissionStopping lets running work end.
	MissionStopping struct{}
	// MissionStopped ends all work until a resume.
	MissionStopped struct{ Emergency bool }
	// MissionEnded is the last thing that happens.
	MissionEnded struct{ Reason string } // complete, duration, stalled
	// Checkpointed seals the state before this entry.
	Checkpointed struct {
		Seq       Seq
		Entry     Digest
		State     Digest
		Signature []byte
	}
	// HostStarted says that a host took the mission up.
	HostStarted struct {
		Gap     Duration
		Speed   ledger.Ratio
		Version string
		HostKey [32]byte   // from here on, where the keys were lost
		Keys    [][32]byte // of the validators, in the order of the state
	}
	// HostLeft says that it went away in order.
	HostLeft struct{ Reason string }
	// JournalCut says that a torn tail was cut.
	JournalCut struct {
		File  string
		Bytes int64
		From  Seq
	}
	// ClockAdvanced says that mission time went on.
	ClockAdvanced struct{}
)

// Event names, as they stand in the record.
func (*MissionCreated) Name() string    { return "mission_created" }
func (*GenerationApplied) Name() string { return "generation_applied" }
func (*EditRefused) Name() string       { return "edit_refused" }
func (*EditHeld) Name() string          { return "edit_held" }
func (*EditApproved) Name() string      { return "edit_approved" }
func (*VerdictGiven) Name() string      { return "verdict_given" }
func (*ScriptSuspended) Name() string   { return "script_suspended" }
func (*PlanRecorded) Name() string      { return "plan_recorded" }
func (*ActionApproved) Name() string    { return "action_approved" }
func (*ActionDropped) Name() string     { return "action_dropped" }
func (*JobExpedited) Name() string      { return "job_expedited" }
func (*RewardBoosted) Name() string     { return "reward_boosted" }
func (*SkillPaused) Name() string       { return "skill_paused" }
func (*SkillResumed) Name() string      { return "skill_resumed" }
func (*Repriced) Name() string          { return "repriced" }
func (*SourceRecorded) Name() string    { return "source_recorded" }
func (*JobsExpanded) Name() string      { return "jobs_expanded" }
func (*JobPosted) Name() string         { return "job_posted" }
func (*JobReady) Name() string          { return "job_ready" }
func (*JobAssigned) Name() string       { return "job_assigned" }
func (*AttemptStarted) Name() string    { return "attempt_started" }
func (*AttemptReleased) Name() string   { return "attempt_released" }
func (*AttemptVoided) Name() string     { return "attempt_voided" }
func (*AttemptSubmitted) Name() string  { return "attempt_submitted" }
func (*AttemptFailed) Name() string     { return "attempt_failed" }
func (*AttemptRejected) Name() string   { return "attempt_rejected" }
func (*ResultHeld) Name() string        { return "result_held" }
func (*RoundOpened) Name() string       { return "round_opened" }
func (*VotesCommitted) Name() string    { return "votes_committed" }
func (*RevealOpened) Name() string      { return "reveal_opened" }
func (*VotesRevealed) Name() string     { return "votes_revealed" }
func (*VotesAbstained) Name() string    { return "votes_abstained" }
func (*RoundClosed) Name() string       { return "round_closed" }
func (*JobResumed) Name() string        { return "job_resumed" }
func (*AttemptDelegated) Name() string  { return "attempt_delegated" }
func (*SeatsReminded) Name() string     { return "seats_reminded" }
func (*SeatEquivocated) Name() string   { return "seat_equivocated" }
func (*JobsUnattended) Name() string    { return "jobs_unattended" }
func (*ApprovalAsked) Name() string     { return "approval_asked" }
func (*ApprovalGiven) Name() string     { return "approval_given" }
func (*JobEnding) Name() string         { return "job_ending" }
func (*PricesSet) Name() string         { return "prices_set" }
func (*JobEnded) Name() string          { return "job_ended" }
func (*Transfer) Name() string          { return "transfer" }
func (*OrderTaken) Name() string        { return "order_taken" }
func (*MissionPaused) Name() string     { return "mission_paused" }
func (*MissionResumed) Name() string    { return "mission_resumed" }
func (*MissionStopping) Name() string   { return "mission_stopping" }
func (*MissionStopped) Name() string    { return "mission_stopped" }
func (*MissionEnded) Name() string      { return "mission_ended" }
func (*Checkpointed) Name() string      { return "checkpointed" }
func (*HostStarted) Name() string       { return "host_started" }
func (*HostLeft) Name() string          { return "host_left" }
func (*JournalCut) Name() string        { return "journal_cut" }
func (*ClockAdvanced) Name() string     { return "clock_advanced" }

// Events lists every event type in the order of a mission's life: the reference
// pages and the decoder are derived from it.
func Events() []Event {
	return []Event{
		&MissionCreated{}, &GenerationApplied{}, &EditRefused{}, &EditHeld{}, &EditApproved{}, &SourceRecorded{}, &JobsExpanded{}, &JobPosted{}, &JobReady{},
		&JobAssigned{}, &AttemptStarted{}, &AttemptReleased{}, &AttemptVoided{}, &AttemptSubmitted{}, &AttemptDelegated{}, &JobResumed{}, &AttemptFailed{}, &AttemptRejected{},
		&ResultHeld{}, &RoundOpened{}, &VotesCommitted{}, &RevealOpened{}, &VotesRevealed{}, &VotesAbstained{}, &SeatsReminded{}, &SeatEquivocated{}, &RoundClosed{},
		&JobsUnattended{}, &ApprovalAsked{}, &ApprovalGiven{}, &JobEnding{}, &VerdictGiven{}, &ScriptSuspended{}, &PlanRecorded{}, &ActionApproved{}, &ActionDropped{}, &JobExpedited{}, &RewardBoosted{}, &SkillPaused{}, &SkillResumed{}, &Repriced{}, &PricesSet{}, &JobEnded{}, &Transfer{},
		&OrderTaken{}, &MissionPaused{}, &MissionResumed{}, &MissionStopping{}, &MissionStopped{}, &MissionEnded{}, &Checkpointed{},
		&HostStarted{}, &HostLeft{}, &JournalCut{}, &ClockAdvanced{},
	}
}

func newEvent(name string) Event {
	switch name {
	case "mission_created":
		return new(MissionCreated)
	case "generation_applied":
		return new(GenerationApplied)
	case "edit_refused":
		return new(EditRefused)
	case "edit_held":
		return new(EditHeld)
	case "edit_approved":
		return new(EditApproved)
	case "verdict_given":
		return new(VerdictGiven)
	case "script_suspended":
		return new(ScriptSuspended)
	case "plan_recorded":
		return new(PlanRecorded)
	case "action_approved":
		return new(ActionApproved)
	case "action_dropped":
		return new(ActionDropped)
	case "job_expedited":
		return new(JobExpedited)
	case "reward_boosted":
		return new(RewardBoosted)
	case "skill_paused":
		return new(SkillPaused)
	case "skill_resumed":
		return new(SkillResumed)
	case "repriced":
		return new(Repriced)
	case "source_recorded":
		return new(SourceRecorded)
	case "jobs_expanded":
		return new(JobsExpanded)
	case "job_posted":
		return new(JobPosted)
	case "job_ready":
		return new(JobReady)
	case "job_assigned":
		return new(JobAssigned)
	case "attempt_started":
		return new(AttemptStarted)
	case "attempt_released":
		return new(AttemptReleased)
	case "attempt_voided":
		return new(AttemptVoided)
	case "attempt_submitted":
		return new(AttemptSubmitted)
	case "attempt_failed":
		return new(AttemptFailed)
	case "attempt_rejected":
		return new(AttemptRejected)
	case "result_held":
		return new(ResultHeld)
	case "round_opened":
		return new(RoundOpened)
	case "votes_committed":
		return new(VotesCommitted)
	case "reveal_opened":
		return new(RevealOpened)
	case "votes_revealed":
		return new(VotesRevealed)
	case "votes_abstained":
		return new(VotesAbstained)
	case "round_closed":
		return new(RoundClosed)
	case "job_resumed":
		return new(JobResumed)
	case "attempt_delegated":
		return new(AttemptDelegated)
	case "seats_reminded":
		return new(SeatsReminded)
	case "seat_equivocated":
		return new(SeatEquivocated)
	case "jobs_unattended":
		return new(JobsUnattended)
	case "approval_asked":
		return new(ApprovalAsked)
	case "approval_given":
		return new(ApprovalGiven)
	case "job_ending":
		return new(JobEnding)
	case "prices_set":
		return new(PricesSet)
	case "job_ended":
		return new(JobEnded)
	case "transfer":
		return new(Transfer)
	case "order_taken":
		return new(OrderTaken)
	case "mission_paused":
		return new(MissionPaused)
	case "mission_resumed":
		return new(MissionResumed)
	case "mission_stopping":
		return new(MissionStopping)
	case "mission_stopped":
		return new(MissionStopped)
	case "mission_ended":
		return new(MissionEnded)
	case "checkpointed":
		return new(Checkpointed)
	case "host_started":
		return new(HostStarted)
	case "host_left":
		return new(HostLeft)
	case "journal_cut":
		return new(JournalCut)
	case "clock_advanced":
		return new(ClockAdvanced)
	}
	return nil
}
