package core

import "github.com/omega-run/omega/host/ledger"

func (e *MissionCreated) fields(c *Codec) {
	c.Text("mission", &e.Mission)
	c.Text("name", &e.Title)
	c.Hex("host_key", e.HostKey[:])
	c.Hex("owner_key", e.OwnerKey[:])
	c.Flag("rehearsal", &e.Rehearsal)
	c.Binary("signature", &e.Signature)
}

func (e *GenerationApplied) fields(c *Codec) {
	integer(c, "generation", &e.Number)
	c.Text("entry", &e.Entry)
	records(c, "sources", &e.Sources)
	c.inline("spec", &e.Spec)
	list(c, "keys", &e.Keys, keyField)
	c.Texts("removed", &e.Removed)
	c.Texts("drained", &e.Drained)
	c.Texts("kept", &e.Kept)
	records(c, "variables", &e.Variables)
}

func (v *Variable) fields(c *Codec) {
	c.Text("name", &v.Name)
	c.JSON("value", &v.Value)
	c.Flag("sensitive", &v.Sensitive)
}

func keyField(c *Codec, key *[32]byte) {
	if c.reading {
		c.hex(key[:])
		return
	}
	c.buf = append(c.buf, '"')
	c.buf = appendHex(c.buf, key[:])
	c.buf = append(c.buf, '"')
}

func (s *SourceRef) fields(c *Codec) {
	c.Text("path", &s.Path)
	c.Hex("digest", s.Digest[:])
	integer(c, "size", &s.Size)
}

func (e *EditRefused) fields(c *Codec) {
	c.Text("reason", &e.Reason)
	c.Text("detail", &e.Detail)
	c.Hex("digest", e.Digest[:])
}

func (e *SourceRecorded) fields(c *Codec) {
	c.Hex("digest", e.Digest[:])
	integer(c, "offset", &e.Offset)
	c.Flag("last", &e.Last)
	c.Text("text", &e.Text)
	c.Binary("binary", &e.Binary)
}

func (e *JobsExpanded) fields(c *Codec) {
	integer(c, "generation", &e.Generation)
	integer(c, "next", &e.Next)
}

func (e *JobPosted) fields(c *Codec) {
	e.Spec.fields(c)
	c.Amount("deposit", &e.Deposit)
}

func (s *JobSpec) fields(c *Codec) {
	c.Text("job", &s.ID)
	c.Text("label", &s.Label)
	c.Text("block", &s.Block)
	integer(c, "generation", &s.Generation)
	c.Text("parent", &s.Parent)
	c.Text("employer", &s.Employer)
	c.Text("title", &s.Title)
	c.Texts("skills", &s.Skills)
	c.Texts("needs", &s.Needs)
	c.Amount("reward", &s.Reward)
	c.Amount("energy_budget", &s.EnergyBudget)
	c.Amount("compute_budget", &s.ComputeBudget)
	integer(c, "work", &s.Work)
	integer(c, "deadline", &s.Deadline)
	integer(c, "validation_window", &s.ValidationWindow)
	integer(c, "timeout", &s.Timeout)
	integer(c, "priority", &s.Priority)
	records(c, "labels", &s.Labels)
	c.Flag("required", &s.Required)
	c.Flag("any_end", &s.AnyEnd)
	c.JSON("input", &s.Input)
	c.Flag("lazy", &s.Lazy)
	c.Flag("accept", &s.Accept)
	c.JSON("simulated", &s.Simulated)
	c.JSON("delegate", &s.Delegate)
}

func (l *Label) fields(c *Codec) {
	c.Text("key", &l.Key)
	c.Text("value", &l.Value)
}

func (e *JobReady) fields(c *Codec) {
	c.Text("job", &e.Job)
	c.JSON("input", &e.Input)
}

func (e *JobAssigned) fields(c *Codec) {
	c.Text("job", &e.Job)
	integer(c, "attempt", &e.Attempt)
	c.Text("worker", &e.Worker)
	c.Amount("energy_price", &e.EnergyPrice)
	c.Amount("compute_price", &e.ComputePrice)
}

func (e *AttemptStarted) fields(c *Codec) {
	c.Text("job", &e.Job)
	integer(c, "attempt", &e.Attempt)
}

func (e *AttemptReleased) fields(c *Codec) {
	c.Text("job", &e.Job)
	integer(c, "attempt", &e.Attempt)
}

func (e *AttemptVoided) fields(c *Codec) {
	c.Text("job", &e.Job)
	integer(c, "attempt", &e.Attempt)
	c.Text("reason", &e.Reason)
}

func (e *AttemptSubmitted) fields(c *Codec) {
	c.Text("job", &e.Job)
	integer(c, "attempt", &e.Attempt)
	c.JSON("result", &e.Result)
	c.Hex("digest", e.Digest[:])
	c.Amount("energy_used", &e.EnergyUsed)
	c.Amount("compute_used", &e.ComputeUsed)
	c.Flag("over_reported", &e.OverReported)
	records(c, "files", &e.Files)
}

func (e *AttemptDelegated) fields(c *Codec) {
	c.Text("job", &e.Job)
	integer(c, "attempt", &e.Attempt)
	c.Amount("energy_used", &e.EnergyUsed)
	c.Amount("compute_used", &e.ComputeUsed)
	c.Flag("over_reported", &e.OverReported)
}

func (e *AttemptFailed) fields(c *Codec) {
	c.Text("job", &e.Job)
	integer(c, "attempt", &e.Attempt)
	c.Text("reason", &e.Reason)
	c.Text("detail", &e.Detail)
	c.Amount("energy_used", &e.EnergyUsed)
	c.Amount("compute_used", &e.ComputeUsed)
	integer(c, "retry_at", &e.RetryAt)
}

func (e *JobResumed) fields(c *Codec) { c.Text("job", &e.Job) }

func (e *AttemptRejected) fields(c *Codec) {
	c.Text("job", &e.Job)
	integer(c, "attempt", &e.Attempt)
	c.Text("reason", &e.Reason)
	integer(c, "retry_at", &e.RetryAt)
}

func (e *ResultHeld) fields(c *Codec) {
	c.Text("job", &e.Job)
	integer(c, "attempt", &e.Attempt)
	c.JSON("result", &e.Result)
	c.Amount("energy_used", &e.EnergyUsed)
	c.Amount("compute_used", &e.ComputeUsed)
	records(c, "files", &e.Files)
	object(c, "judged", &e.Judged)
	records(c, "children", &e.Children)
	c.Text("reason", &e.Reason)
	c.Text("detail", &e.Detail)
}

func (e *RoundOpened) fields(c *Codec) {
	c.Text("job", &e.Job)
	integer(c, "round", &e.Round)
	c.Texts("seats", &e.Seats)
	integer(c, "due", &e.Due)
}

func (e *VotesCommitted) fields(c *Codec) {
	c.Text("job", &e.Job)
	integer(c, "round", &e.Round)
	records(c, "votes", &e.Votes)
}

func (e *RevealOpened) fields(c *Codec) {
	c.Text("job", &e.Job)
	integer(c, "round", &e.Round)
	integer(c, "due", &e.Due)
}

func (e *VotesRevealed) fields(c *Codec) {
	c.Text("job", &e.Job)
	integer(c, "round", &e.Round)
	records(c, "votes", &e.Votes)
}

func (e *RoundClosed) fields(c *Codec) {
	c.Text("job", &e.Job)
	integer(c, "round", &e.Round)
	c.Text("outcome", &e.Outcome)
	c.numbers("absent", &e.Absent)
}

func (e *VotesAbstained) fields(c *Codec) {
	c.Text("job", &e.Job)
	integer(c, "round", &e.Round)
	c.numbers("abstained", &e.Seats)
}

// numbers is a member holding a list of whole numbers.
func (c *Codec) numbers(name string, v *[]int64) {
	list(c, name, v, func(c *Codec, n *int64) {
		if c.reading {
			*n = c.number()
		} else {
			c.buf = appendInt(c.buf, *n)
		}
	})
}

func (e *SeatsReminded) fields(c *Codec) {
	c.Text("job", &e.Job)
	integer(c, "round", &e.Round)
	c.Text("phase", &e.Phase)
	c.numbers("seats", &e.Seats)
}

func (e *SeatEquivocated) fields(c *Codec) {
	c.Text("job", &e.Job)
	integer(c, "round", &e.Round)
	integer(c, "seat", &e.Seat)
	c.Base64("commitment", e.Commitment[:])
	c.Binary("signature", &e.Signature)
}

func (e *JobsUnattended) fields(c *Codec) {
	integer(c, "count", &e.Count)
	integer(c, "since", &e.Since)
	c.Texts("jobs", &e.Jobs)
}

func (e *ApprovalAsked) fields(c *Codec) {
	c.Text("job", &e.Job)
	c.Text("reason", &e.Reason)
	c.Text("detail", &e.Detail)
	records(c, "children", &e.Children)
}

func (e *ApprovalGiven) fields(c *Codec) {
	c.Text("job", &e.Job)
	c.Flag("approve", &e.Approve)
	c.Text("reason", &e.Reason)
}

func (e *JobEnding) fields(c *Codec) {
	c.Text("job", &e.Job)
	c.Text("state", (*string)(&e.State))
	c.Text("reason", &e.Reason)
	c.Text("detail", &e.Detail)
}

func (e *PricesSet) fields(c *Codec) {
	c.Amount("energy", &e.Energy)
	c.Amount("compute", &e.Compute)
}

func (e *JobEnded) fields(c *Codec) {
	c.Text("job", &e.Job)
	c.Text("state", (*string)(&e.State))
	c.Text("reason", &e.Reason)
	c.Text("detail", &e.Detail)
	c.Amount("energy_used", &e.EnergyUsed)
	c.Amount("compute_used", &e.ComputeUsed)
}

func (e *Transfer) fields(c *Codec) {
	c.Text("job", &e.Job)
	integer(c, "attempt", &e.Attempt)
	c.steps("steps", &e.Steps)
	records(c, "legs", &e.Legs)
}

func (l *Leg) fields(c *Codec) {
	unit := l.Unit.String()
	c.Text("unit", &unit)
	if c.reading {
		u, err := ledger.ParseUnit(unit)
		if err != nil {
			c.fail(err.Error())
		}
		l.Unit = u
	}
	c.Text("debit", &l.Debit)
	c.Text("credit", &l.Credit)
	c.Amount("amount", &l.Amount)
}

func (e *OrderTaken) fields(c *Codec) {
	c.Text("order_id", &e.ID)
	c.Hex("key", e.Key[:])
	integer(c, "counter", &e.Counter)
	c.Hex("body", e.Body[:])
	c.Text("refusal", &e.Refusal)
	c.Text("detail", &e.Detail)
}

func (e *Checkpointed) fields(c *Codec) {
	c.Seq("seq", &e.Seq)
	c.Hex("entry", e.Entry[:])
	c.Hex("state", e.State[:])
	c.Binary("signature", &e.Signature)
}

func (e *HostStarted) fields(c *Codec) {
	integer(c, "gap", &e.Gap)
	c.Ratio("speed", &e.Speed)
	c.Text("version", &e.Version)
	c.Hex("host_key", e.HostKey[:])
	list(c, "keys", &e.Keys, keyField)
}

func (e *HostLeft) fields(c *Codec) { c.Text("reason", &e.Reason) }

func (e *JournalCut) fields(c *Codec) {
	c.Text("file", &e.File)
	integer(c, "bytes", &e.Bytes)
	c.Seq("from", &e.From)
}

func (*MissionPaused) fields(*Codec)      {}
func (*MissionResumed) fields(*Codec)     {}
func (*MissionStopping) fields(*Codec)    {}
func (e *MissionStopped) fields(c *Codec) { c.Flag("emergency", &e.Emergency) }
func (e *MissionEnded) fields(c *Codec)   { c.Text("reason", &e.Reason) }
func (*ClockAdvanced) fields(*Codec)      {}
