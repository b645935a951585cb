package core

// RefusalCode names why an input had no effect. The list is closed and its
// names are permanent.
type RefusalCode string

// Refusals of inputs and orders.
const (
	RefuseActionUnfit      RefusalCode = "action_unfit"       // an action that waits cannot be done now; it goes on waiting
	RefuseAttemptOver      RefusalCode = "attempt_over"       // the attempt has ended already
	RefuseCommitmentCopied RefusalCode = "commitment_copied"  // a commitment equal to an earlier one
	RefuseEditHeld         RefusalCode = "removal_held"       // an edit that removes waits for the owner already, or removes too much
	RefuseEditUnknown      RefusalCode = "edit_unknown"       // no such edit waits for the owner
	RefuseInvalidJob       RefusalCode = "invalid_job"        // the detail says what is wrong
	RefuseJobEnded         RefusalCode = "job_ended"          // it has its one terminal state
	RefuseJobExists        RefusalCode = "job_exists"         // its id is taken
	RefuseJobUnknown       RefusalCode = "job_unknown"        // no job has this id
	RefuseLeaseStale       RefusalCode = "lease_stale"        // sent under a fencing token that is no longer valid
	RefuseMissionEnded     RefusalCode = "mission_ended"      // nothing can be changed any more
	RefuseMissionExists    RefusalCode = "mission_exists"     // genesis comes once
	RefuseMissionStopped   RefusalCode = "mission_stopped"    // only a resume leads on
	RefuseNotAwaiting      RefusalCode = "not_awaiting"       // no person is asked about this job
	RefuseNotOutstanding   RefusalCode = "not_outstanding"    // nobody is waiting for this answer
	RefuseNotPaused        RefusalCode = "not_paused"         // there is nothing to resume
	RefuseOrderConflict    RefusalCode = "order_conflict"     // the same id with another body
	RefuseOrderReplayed    RefusalCode = "order_replayed"     // its counter is not above the key's last
	RefuseOrderUnknown     RefusalCode = "order_unknown"      // this version does not know the order
	RefuseKeyUnknown       RefusalCode = "key_unknown"        // the key may not give orders
	RefusePaused           RefusalCode = "paused"             // the mission is paused already
	RefuseRevealMismatch   RefusalCode = "reveal_mismatch"    // a reveal that is not what was committed
	RefuseRuling           RefusalCode = "ruling_unfit"       // policies have to be asked, or asked again; the detail says why
	RefuseSettingFixed     RefusalCode = "setting_fixed"      // an edit of a setting that can never change
	RefuseVoteClosed       RefusalCode = "vote_closed"        // the round does not take this now
	RefuseAccountSpent     RefusalCode = "account_spent"      // an account cannot give back what is spent or set aside
	RefuseTooSmall         RefusalCode = "treasury_too_small" // the owner cannot pay what the edit hands out
)

func refuse(code RefusalCode, detail string) *Refusal { return &Refusal{Code: code, Detail: detail} }

// Reasons of a job's end, beside the reasons attempts fail for.
const (
	reasonExhausted  = "exhausted"    // tokens, energy or compute ran out
	reasonDeadline   = "deadline"     // not submitted in time
	reasonDuration   = "duration"     // the mission's time is over
	reasonStalled    = "stalled"      // nothing can happen any more
	reasonNeed       = "need_ended"   // a need ended otherwise than finalized
	reasonInput      = "input_error"  // its input could not be evaluated
	reasonUndecided  = "undecided"    // the council came to no outcome twice
	reasonAttempts   = "attempts"     // no attempt is left
	reasonDelegation = "delegation"   // its children could not be posted
	reasonDenied     = "denied"       // by a policy, or by the person it wanted asked
	reasonPolicy     = "policy"       // a policy wants a person asked
	reasonFault      = "fault"        // of an attempt: a policy that could not say stands for its denial
	reasonEdit       = "edit"         // of an attempt nobody has begun: it is asked about anew
	reasonUnskilled  = "unskilled"    // answered without the skills, and without children
	reasonParent     = "parent_ended" // the job it was posted for has ended
	reasonWithdrawn  = "withdrawn"    // of an action: the guardian asks for it no more
	reasonOwner      = "owner"        // the owner cancelled it
	reasonComplete   = "complete"     // of the mission: no open job is left
)
