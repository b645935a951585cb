package core

import (
	"fmt"
	"slices"
	"strings"

	"github.com/omega-run/omega/host/council"
	"github.com/omega-run/omega/host/ledger"
)

// Replay takes a recorded entry as it stands: its events are applied, nothing
// is decided.
func (s *State) Replay(e *Entry) {
	s.begin(e.Seq, e.At, e.Prev)
	for _, event := range e.Events {
		s.evolve(event)
	}
	if e.Refusal == nil {
		s.ripen()
	}
	s.finish()
}

// begin steps to an entry. What the one before it ended, and nothing depends on,
// is put away.
func (s *State) begin(seq Seq, at Time, prev Digest) {
	s.seq, s.now, s.prev = seq, at, prev
	slices.SortFunc(s.leaving, func(a, b *Job) int { return a.index - b.index }) // as a restored state finds them
	for _, j := range s.leaving {
		if s.idleEnd(j) {
			s.putAway(j)
		}
	}
	for _, j := range s.changed {
		j.touched = false
	}
	for _, list := range [...]*[]*Job{&s.leaving, &s.changed, &s.ended} {
		clear(*list)
		*list = (*list)[:0]
	}
}

// putAway keeps of a job that has ended only where the journal tells of it.
func (s *State) putAway(j *Job) {
	end := finished{posted: j.Posted, ended: j.ended}
	if j.Answer != nil {
		end.result = j.Answer.entry
	}
	s.done.add(j.Spec.ID, letterOf(j.State), 0, end)
	s.roster.remove(j)
	delete(s.jobs, j.Spec.ID)
	if j.Parent != nil {
		j.Parent.Children = slices.DeleteFunc(j.Parent.Children, func(c *Job) bool { return c == j })
	}
	for _, child := range j.Children {
		child.Parent = nil // as a restored state has it
	}
}

// ripen brings the index of those up to date whom time alone has made eligible
// again. A refused input does not: nobody would start them, and nothing would
// say that they are due.
func (s *State) ripen() {
	s.ripe = s.now
	for {
		j, ok := s.retries.first()
		if !ok || j.RetryAt > s.now {
			return
		}
		s.retries.remove(j)
		s.index(j)
	}
}

// finish ends an entry.
func (s *State) finish() {
	if s.unsealed == 0 && s.checkpoint.Seq+1 != s.seq {
		s.unsealed = s.now + 1
	}
}

// evolve applies one event. It is the only place where the state changes.
func (s *State) evolve(event Event) {
	s.totals.Events++
	switch e := event.(type) {
	case *MissionCreated:
		s.mission = *e
	case *GenerationApplied:
		s.evolveGeneration(e)
	case *SourceRecorded:
		if e.Last {
			s.recorded[e.Digest] = true
		}
	case *JobsExpanded:
		s.expanded = e.Next
	case *Transfer:
		s.evolveTransfer(e)
	case *JobPosted, *JobReady, *JobResumed, *ApprovalAsked, *ApprovalGiven, *JobEnding, *JobEnded:
		s.evolveJob(event)
	case *JobAssigned, *AttemptStarted, *AttemptReleased, *AttemptVoided, *AttemptSubmitted, *AttemptDelegated, *AttemptFailed, *AttemptRejected, *ResultHeld:
		s.evolveAttempt(event)
	case *RoundOpened, *VotesCommitted, *RevealOpened, *VotesRevealed, *VotesAbstained, *SeatsReminded, *SeatEquivocated, *RoundClosed:
		s.evolveRound(event)
	case *PricesSet:
		s.evolvePrices(e)
	case *JobsUnattended:
		s.reminded = s.now
	case *OrderTaken:
		s.orders.take(e, s.seq, s.now, s.spec.Retention.IDs)
	case *MissionPaused, *MissionResumed, *MissionStopping, *MissionStopped, *MissionEnded:
		s.evolveStatus(event)
	case *Checkpointed:
		s.checkpoint, s.unsealed = *e, 0
	case *HostStarted:
		s.evolveHost(e)
	case *HostLeft:
		s.clean = true
	case *JournalCut:
		s.cuts = append(s.cuts, e.File)
	case *EditRefused, *ClockAdvanced:
	default:
		panic(fmt.Sprintf("core: no evolution for %s", event.Name()))
	}
}

func (s *State) evolveHost(e *HostStarted) {
	s.speed, s.clean = e.Speed, false
	if e.HostKey == [32]byte{} {
		return
	}
	s.mission.HostKey = e.HostKey
	for i, key := range e.Keys {
		if v := s.validators[i]; !v.Outside {
			v.Key = key
		}
	}
}

func (s *State) evolveStatus(event Event) {
	switch e := event.(type) {
	case *MissionPaused:
		s.status = Paused
	case *MissionResumed:
		s.status = Running
	case *MissionStopping:
		s.status = Stopping
	case *MissionStopped:
		s.status = Stopped
		if e.Emergency {
			s.status = Emergency
		}
	case *MissionEnded:
		s.status, s.reason = Ended, e.Reason
	}
}

func (s *State) evolveGeneration(e *GenerationApplied) {
	if s.generation == 0 {
		s.openAccounts(&e.Spec)
	}
	s.generation, s.entry, s.sources, s.variables, s.expanded = e.Number, e.Entry, e.Sources, e.Variables, 0
	before := [...]Resource{s.spec.Resources.Energy, s.spec.Resources.Compute}
	for i, r := range [...]*Resource{&e.Spec.Resources.Energy, &e.Spec.Resources.Compute} {
		s.evolveLimit(i, r.Capacity)
		if r.Price != before[i].Price { // what the file says anew; a price that has moved stays
			s.prices[i] = r.Price
		}
	}
	s.evolvePurses(&e.Spec)
	s.spec, s.spelled = e.Spec, nil
	s.evolvePools(&e.Spec)
	s.evolveValidators(e)
}

func (s *State) openAccounts(spec *Spec) {
	open := func(kind ledger.Kind, unit ledger.Unit, owner string) ledger.Account {
		return s.ledger.Open(ledger.Name{Kind: kind, Unit: unit, Owner: owner})
	}
	a := &s.accounts
	a.owner = open(ledger.KindAccount, ledger.Token, spec.Mission.Owner)
	a.resources = open(ledger.KindResources, ledger.Token, "")
	a.fees = open(ledger.KindFees, ledger.Token, "")
	a.burned = open(ledger.KindBurned, ledger.Token, "")
	a.minted = open(ledger.KindMinted, ledger.Token, "")
	for i, unit := range [...]ledger.Unit{ledger.Energy, ledger.Compute} {
		a.capacity[i] = open(ledger.KindCapacity, unit, "")
		a.reserved[i] = open(ledger.KindReserved, unit, "")
		a.limitBurned[i] = open(ledger.KindBurned, unit, "")
		a.limitMinted[i] = open(ledger.KindMinted, unit, "")
	}
}

// evolveLimit notes what a lowered limit still owes: the transfer that goes
// with the event burns what is free, returning reservations burn the rest.
func (s *State) evolveLimit(i int, limit ledger.Amount) {
	u := &s.usage[i]
	if d := limit - u.limit; d < 0 {
		u.owed += max(0, -d-s.ledger.Balance(s.accounts.capacity[i]))
	} else {
		u.owed -= min(d, u.owed)
	}
	u.limit = limit
}

func (s *State) evolveValidators(e *GenerationApplied) {
	n := 0
	for i := range e.Spec.Validators {
		block := &e.Spec.Validators[i]
		for _, id := range block.Instances {
			if s.seatable[id] == nil {
				v := &Validator{
					ID: id, Key: e.Keys[n], Outside: block.Kind == OutsideValidator,
					account: s.ledger.Open(ledger.Name{Kind: ledger.KindValidator, Unit: ledger.Token, Owner: id}),
					stake:   s.ledger.Open(ledger.Name{Kind: ledger.KindValidatorStake, Unit: ledger.Token, Owner: id}),
				}
				s.seatable[id] = v
				s.validators = append(s.validators, v)
			}
			n++
		}
	}
	s.seatValidators()
}

// seatValidators tells each validator its block; one without has been removed.
func (s *State) seatValidators() {
	for _, v := range s.validators {
		v.block, v.Draining = nil, true
	}
	for i := range s.spec.Validators {
		for _, id := range s.spec.Validators[i].Instances {
			if v := s.seatable[id]; v != nil {
				v.block, v.Draining = &s.spec.Validators[i], false
			}
		}
	}
}

func (s *State) evolveTransfer(e *Transfer) {
	var batch [16]ledger.Transfer
	transfers := batch[:0]
	j := s.jobs[e.Job]
	for _, step := range e.Steps {
		rule := &stepRules[step.Kind]
		transfers = append(transfers, ledger.Transfer{
			Debit:  s.account(j, rule.debit, rule.Unit, step.Seat),
			Credit: s.account(j, rule.credit, rule.Unit, step.Seat),
			Amount: step.Amount,
		})
	}
	for _, leg := range e.Legs {
		transfers = append(transfers, ledger.Transfer{Debit: s.named(leg.Debit, leg.Unit), Credit: s.named(leg.Credit, leg.Unit), Amount: leg.Amount})
	}
	if i, refusal := s.ledger.Apply(transfers); refusal != ledger.OK {
		panic(fmt.Sprintf("core: entry %d moves what is not there: transfer %d of %+v: %s", s.seq, i, e, refusal))
	}
	for _, step := range e.Steps {
		s.evolveStep(j, step)
	}
	if j != nil && j.Parent != nil {
		j.Parent.group.fresh = true // its escrow is where a child is paid from
	}
	for _, leg := range e.Legs {
		if leg.Debit == "minted" && leg.Unit == ledger.Token {
			s.totals.Minted += leg.Amount
		}
	}
}

func (s *State) named(text string, unit ledger.Unit) ledger.Account {
	name, err := ledger.ParseName(text, unit)
	if err != nil {
		panic(fmt.Sprintf("core: entry %d: %v", s.seq, err))
	}
	return s.ledger.Open(name)
}

// evolveStep keeps the facts and sums that follow from a movement.
func (s *State) evolveStep(j *Job, step Step) {
	t := &s.totals
	switch step.Kind {
	case StepEscrow:
		j.Escrowed, j.Fee = true, step.Amount-j.Spec.Reward
		s.move(j)
		s.touch(j)
	case StepStake:
		j.Stake = step.Amount
	case StepSeat:
		j.Round.Seats[step.Seat].Stake = step.Amount
	case StepEnergyBurn:
		s.usage[0].owed -= step.Amount
	case StepComputeBurn:
		s.usage[1].owed -= step.Amount
	case StepPay:
		t.Paid += step.Amount
	case StepFee:
		t.Fees += step.Amount
	case StepBurn:
		t.Burned += step.Amount
	case StepShare:
		t.Paid += step.Amount
	case StepSlashShare:
		t.Slashed += step.Amount
		t.Paid += step.Amount
	case StepSlashBurn, StepSeatSlashBurn:
		t.Slashed += step.Amount
		t.Burned += step.Amount
	case StepSlashEmployer, StepSeatSlashEmployer:
		t.Slashed += step.Amount
		if j.Parent != nil {
			j.Parent.slashes += step.Amount
		}
	case StepSlashTreasury, StepSeatSlashTreasury:
		t.Slashed += step.Amount
	}
}

func (s *State) evolveJob(event Event) {
	switch e := event.(type) {
	case *JobPosted:
		s.evolvePosted(e)
	case *JobReady:
		j := s.jobs[e.Job]
		s.releaseNeeds(j)
		j.State, j.ReadyAt = JobReadyState, s.now
		if e.Input != nil {
			j.Spec.Input = e.Input
		}
		s.touch(j)
	case *JobResumed:
		j := s.jobs[e.Job]
		j.State, j.RetryAt, j.LastWorker = JobReadyState, s.now, ""
		s.touch(j)
	case *ApprovalAsked:
		s.evolveAsked(e)
	case *ApprovalGiven:
		s.evolveAnswered(e)
	case *JobEnding:
		j := s.jobs[e.Job]
		j.ending = e
		s.dying.put(j)
		s.touch(j)
	case *JobEnded:
		s.evolveEnded(e)
	}
}

func (s *State) evolvePosted(e *JobPosted) {
	j := &Job{Spec: s.terms(&e.Spec), State: JobPostedState, Posted: s.seq, grant: e.Deposit, index: int(s.totals.Posted)}
	j.outsideHeaps()
	s.jobs[j.Spec.ID] = j
	s.roster.add(j)
	s.open++
	s.totals.Posted++
	if j.Spec.Parent != "" {
		s.evolveChild(j)
	}
	s.openJob(j)
	s.move(j)
	s.touch(j)
}

func (j *Job) outsideHeaps() {
	j.ready, j.retry, j.moves, j.funds, j.dying, j.timer.at = -1, -1, -1, -1, -1, -1
}

// terms takes a spec apart.
func (s *State) terms(spec *JobSpec) Terms {
	t := Terms{spec.ID, spec.Label, spec.Needs, spec.Input, s.shared}
	if s.shared == nil || !s.shared.alike(spec) {
		common := *spec
		common.ID, common.Label, common.Needs, common.Input = "", "", nil, nil
		t.JobSpec, s.shared = &common, &common
	}
	if len(t.Needs) > 0 && slices.Equal(t.Needs, s.needs) {
		t.Needs = s.needs
	}
	s.needs = t.Needs
	return t
}

// move queues a job that can go on.
func (s *State) move(j *Job) {
	if s.canMove(j) {
		s.movable.put(j)
	}
}

// openJob makes what every open job has outside itself: who pays and its
// place among the jobs it needs.
func (s *State) openJob(j *Job) {
	if j.Parent == nil {
		j.purse = s.purseOf(j.Spec.JobSpec)
	}
	j.class = s.classFor(j.Spec.Skills)
	for _, need := range j.Spec.Needs {
		if end := s.ending(need); end != "" {
			j.needEnded = j.needEnded || end != JobFinalized
			if other := s.jobs[need]; other != nil && j.beforeReady() {
				other.wanted++
			}
			continue
		}
		j.needsLeft++
		s.dependents[need] = append(s.dependents[need], j)
	}
}

// own opens an account of a job when something first comes into it: most jobs
// never have a deposit.
func (s *State) own(a *ledger.Account, kind ledger.Kind, j *Job) ledger.Account {
	if *a == 0 {
		*a = s.ledger.OpenUnlisted(ledger.Name{Kind: kind, Unit: ledger.Token, Owner: j.Spec.ID})
	}
	return *a
}

// balance is what an account of a job holds, opened or not.
func (s *State) balance(a ledger.Account) ledger.Amount {
	if a == 0 {
		return 0
	}
	return s.ledger.Balance(a)
}

// releaseNeeds notes that a job goes on, or has ended, without what it needed: it
// may have been the last that asked for a result.
func (s *State) releaseNeeds(j *Job) {
	for _, need := range j.Spec.Needs {
		if other := s.jobs[need]; other != nil && other.State.Terminal() {
			other.wanted--
			s.leaving = append(s.leaving, other)
		}
	}
}

func (s *State) evolveEnded(e *JobEnded) {
	j := s.jobs[e.Job]
	if j.beforeReady() {
		s.releaseNeeds(j)
	}
	s.freeWorker(j)
	s.hold(j, nil)
	j.State, j.Reason, j.Detail, j.Round, j.ending, j.asked, j.ended = e.State, e.Reason, e.Detail, nil, nil, nil, s.seq
	s.dying.remove(j)
	s.consume(e.EnergyUsed, e.ComputeUsed)
	s.open--
	if j.Parent != nil {
		j.Parent.openKids--
		s.move(j.Parent)
		s.touch(j.Parent)
	}
	s.count(j)
	s.ended = append(s.ended, j)
	s.leaving = append(append(s.leaving, j), j.Children...)
	for _, other := range s.dependents[j.Spec.ID] {
		if !other.beforeReady() {
			continue // it has ended meanwhile
		}
		j.wanted++
		other.needsLeft--
		other.needEnded = other.needEnded || e.State != JobFinalized
		s.move(other)
		s.touch(other)
	}
	delete(s.dependents, j.Spec.ID)
	for _, a := range [...]ledger.Account{j.escrow, j.deposit} {
		if a != 0 {
			s.ledger.Close(a)
		}
	}
	s.touch(j)
}

func (s *State) count(j *Job) {
	t := &s.totals
	switch j.State {
	case JobFinalized:
		t.Finalized++
	case JobFailed:
		t.Failed++
	case JobCancelled:
		t.Cancelled++
	case JobExpired:
		t.Expired++
	case JobSkipped:
		t.Skipped++
	}
	if j.Spec.Required && j.State != JobFinalized {
		t.RequiredLost++
		if j.Reason == reasonExhausted || strings.HasPrefix(j.Detail, reasonExhausted) {
			t.ExhaustedLost++
		}
	}
}

func (s *State) evolveAttempt(event Event) {
	switch e := event.(type) {
	case *JobAssigned:
		j := s.jobs[e.Job]
		j.State, j.Attempt, j.Lease, j.EnergyPrice, j.ComputePrice = JobAssignedState, e.Attempt, s.seq, e.EnergyPrice, e.ComputePrice
		j.RetryAt, j.Undecided = 0, 0
		s.takeWorker(j, s.workers[e.Worker])
		s.touch(j)
	case *AttemptStarted:
		j := s.jobs[e.Job]
		j.State, j.StartedAt = JobRunning, s.now
		s.touch(j)
	case *AttemptReleased:
		j := s.jobs[e.Job]
		j.Lease, j.StartedAt = s.seq, s.now
		s.touch(j)
	case *AttemptVoided:
		j := s.jobs[e.Job]
		s.freeWorker(j)
		j.State = JobReadyState
		s.touch(j)
	case *AttemptSubmitted:
		s.evolveSubmitted(e)
	case *AttemptDelegated:
		j := s.jobs[e.Job]
		s.freeWorker(j)
		s.hold(j, nil)
		s.consume(e.EnergyUsed, e.ComputeUsed)
		j.State = JobDelegated
		s.touch(j)
	case *AttemptFailed:
		s.consume(e.EnergyUsed, e.ComputeUsed)
		s.evolveLost(e.Job, e.Reason, e.Detail, JobReadyState, e.RetryAt)
	case *AttemptRejected:
		s.evolveLost(e.Job, "rejected", e.Reason, JobRejected, e.RetryAt)
	case *ResultHeld:
		j := s.jobs[e.Job]
		s.hold(j, e)
		s.touch(j)
	}
}

// hold keeps, or lets go of, a result that came during a pause.
func (s *State) hold(j *Job, r *ResultHeld) {
	if j.held != nil {
		s.heldJobs--
	}
	if j.held = r; r != nil {
		s.heldJobs++
	}
}

func (s *State) evolveSubmitted(e *AttemptSubmitted) {
	j := s.jobs[e.Job]
	s.hold(j, nil)
	j.State = JobSubmitted
	j.Answer = &Answer{Result: e.Result, Digest: e.Digest, Files: e.Files, entry: s.seq, prev: s.prev}
	s.endWork(j)
	s.consume(e.EnergyUsed, e.ComputeUsed)
	if s.spec.Governance.Committee > 0 {
		s.undrawn.push(j)
	}
	s.touch(j)
}

func (s *State) consume(energy, compute ledger.Amount) {
	s.usage[0].consumed += energy
	s.usage[1].consumed += compute
}

// evolveLost ends an attempt that counts.
func (s *State) evolveLost(id, reason, detail string, state JobState, retryAt Time) {
	j := s.jobs[id]
	s.freeWorker(j)
	j.Failures++
	j.State, j.Reason, j.Detail, j.RetryAt = state, reason, detail, retryAt
	s.hold(j, nil)
	j.Answer, j.Round = nil, nil
	s.touch(j)
}

func (s *State) evolveRound(event Event) {
	switch e := event.(type) {
	case *RoundOpened:
		j := s.jobs[e.Job]
		round := &Round{Number: e.Round, Opened: s.now, From: s.now, Until: e.Due, Due: e.Due, Seats: make([]Seat, len(e.Seats))}
		for i, id := range e.Seats {
			round.Seats[i].Validator = s.seatable[id]
		}
		if s.undrawn.front(waitsForCommittee) == j { // here, not where it was decided: a replay has to keep the order too
			s.undrawn.pop()
		}
		j.State, j.Round, j.Rounds = JobCommitting, round, e.Round
		s.touch(j)
	case *VotesCommitted:
		j := s.jobs[e.Job]
		for _, vote := range e.Votes {
			seat := &j.Round.Seats[vote.Seat]
			seat.Committed, seat.Sealed = true, vote
		}
		s.touch(j)
	case *RevealOpened:
		j := s.jobs[e.Job]
		j.State, j.Round.From, j.Round.Due, j.Round.Reminded = JobRevealing, s.now, e.Due, false
		j.Round.Until = max(s.now, e.Due-Time(s.spec.Governance.ValidatorTimeout)) // without the grace
		s.touch(j)
	case *VotesRevealed:
		j := s.jobs[e.Job]
		for _, vote := range e.Votes {
			seat := &j.Round.Seats[vote.Seat]
			seat.Revealed, seat.Vote, seat.Reason = true, vote.Vote, vote.Reason
		}
		s.touch(j)
	case *VotesAbstained:
		j := s.jobs[e.Job]
		for _, n := range e.Seats {
			seat := &j.Round.Seats[n]
			seat.Revealed, seat.Vote = true, council.Abstain.String()
		}
		s.touch(j)
	case *SeatsReminded:
		j := s.jobs[e.Job]
		j.Round.Reminded = true
		s.touch(j)
	case *SeatEquivocated:
		j := s.jobs[e.Job]
		j.Round.Seats[e.Seat].Twice = true
		s.touch(j)
	case *RoundClosed:
		j := s.jobs[e.Job]
		j.Round.Closed = true
		j.Round.evolveAbsence(e)
		if e.Outcome == outcomeUndecided {
			j.State, j.Undecided = JobSubmitted, j.Undecided+1
			s.undrawn.push(j)
		}
		s.touch(j)
	}
}

// touch notes that a job has changed and brings the indexes it is in up to
// date.
func (s *State) touch(j *Job) {
	if !j.touched {
		j.touched = true
		s.changed = append(s.changed, j)
	}
	j.group.fresh = true
	s.index(j)
	if !s.canMove(j) {
		s.movable.remove(j)
	}
	if j.unfunded() {
		j.purse.unfunded.put(j)
	} else if j.purse != nil {
		j.purse.unfunded.remove(j)
	}
	j.timer.due, j.timer.kind = s.dueOf(j)
	if j.timer.kind == noTimer {
		s.timers.remove(j)
	} else {
		s.timers.put(j)
	}
}

// index puts a job where its state says: among the ready ones of its class,
// among those that wait for their next attempt, or nowhere.
func (s *State) index(j *Job) {
	waits := j.State == JobReadyState || j.State == JobRejected
	later := waits && j.RetryAt > s.ripe
	if later {
		s.retries.put(j)
	} else {
		s.retries.remove(j)
	}
	switch {
	case waits && !later && j.ready < 0:
		s.readyJobs++
		j.class.ready.put(j)
	case (!waits || later) && j.ready >= 0:
		s.readyJobs--
		j.class.ready.remove(j)
	}
}

func (s *State) evolvePrices(e *PricesSet) {
	s.prices, s.priced = [2]ledger.Amount{e.Energy, e.Compute}, s.now
}

func (s *State) evolvePurses(spec *Spec) {
	s.openPurse(spec.Mission.Owner)
	for i := range spec.Accounts {
		s.openPurse(spec.Accounts[i].Name)
	}
}

func (s *State) openPurse(name string) {
	if s.purseNamed(name) == nil {
		account := s.ledger.Open(ledger.Name{Kind: ledger.KindAccount, Unit: ledger.Token, Owner: name})
		s.purses = append(s.purses, &purse{name, account, newHeap(inPostOrder, func(j *Job) *int32 { return &j.funds })})
	}
}

func (s *State) evolveAsked(e *ApprovalAsked) {
	j := s.jobs[e.Job]
	if j.State == JobSubmitted {
		s.undrawn.drop(j) // here, not when it comes to the front: a replay has to keep the order too
	}
	j.asked = &asked{ApprovalAsked: *e, at: s.now, in: j.State}
	j.State = JobAwaiting
	s.touch(j)
}

// evolveAnswered puts a job back to where it was asked about. The deadline did
// not run meanwhile.
func (s *State) evolveAnswered(e *ApprovalGiven) {
	j := s.jobs[e.Job]
	j.State = j.asked.in
	j.patient = j.patient || e.Approve && j.asked.Reason == reasonExhausted
	if j.State != JobPostedState { // denied, it goes on under the same deadline
		j.ReadyAt += s.now - j.asked.at
	}
	j.asked = nil
	s.move(j)
	s.touch(j)
}
