package host

import (
	"context"
	"sync/atomic"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/council"
	"github.com/omega-run/omega/host/missionfile"
	"github.com/omega-run/omega/host/worker"
)

// rule is what judges a job's results: the accept block of the generation that
// posted it. A job without one accepts everything but an answer a simulated
// worker is known to give when it lies. It is made inside the loop and may be
// used outside of it.
func (d *desk) rule(j *core.Job) func(result []byte) core.Judgement {
	id, mission := j.Spec.ID, (*missionfile.Mission)(nil)
	if j.Spec.Accept {
		mission = d.missions.loaded(j.Spec.Generation)
	}
	return func(result []byte) core.Judgement {
		if string(result) == worker.WrongResult {
			return core.Judgement{Reason: "the result says that it is wrong"}
		}
		if mission == nil {
			return core.Judgement{Approve: true}
		}
		approve, reason := mission.Judge(id, result)
		return core.Judgement{Approve: approve, Reason: council.CutReason(reason)}
	}
}

// judgeFor is the host's own judgement where the council is off, else nil.
func (d *desk) judgeFor(s *core.State, w core.Work) func([]byte) core.Judgement {
	if s.Spec().Governance.Committee > 0 {
		return nil
	}
	return d.rule(w.Job)
}

// sealer is a validator's sealing key, nil if the host does not hold the key the
// journal knows it by.
func (d *desk) sealer(v *core.Validator) *council.Sealer {
	s, known := d.sealers[v.ID]
	if !known {
		if d.keys.publicKey(v.ID) == v.Key {
			s = d.keys.sealer(v.ID)
		}
		d.sealers[v.ID] = s
	}
	return s
}

// panel is the seats of a round that the host votes for, copied: a job belongs
// to the loop.
type panel struct {
	mission string
	job     string
	round   int
	seed    uint64
	result  []byte
	digest  core.Digest
	judge   func(result []byte) core.Judgement
	seats   []panelSeat
	cast    atomic.Pointer[[]castVote] // by seat, once the votes are sealed
}

type panelSeat struct {
	seat   int64
	id     string
	key    [32]byte
	sealer *council.Sealer
	kind   core.ValidatorKind
	model  core.ValidatorModel
	task   *worker.Task // of a program; nil for others
}

// commit asks for the commitments of all seats the host holds and that have not
// committed, each vote sealed until its round reveals. A seat whose key the host
// no longer has stays silent.
func (d *desk) commit(s *core.State, w core.Work) question {
	j := w.Job
	p := &panel{
		mission: s.Mission().Mission, job: j.Spec.ID, round: int(w.Round), seed: uint64(s.Spec().Mission.Seed),
		result: j.Answer.Result, digest: j.Answer.Digest, judge: d.rule(j),
	}
	asks := false
	p.seats = make([]panelSeat, 0, len(j.Round.Seats))
	for i := range j.Round.Seats {
		seat := &j.Round.Seats[i]
		v, sealer := seat.Validator, d.sealer(seat.Validator)
		if v.Outside || seat.Committed || sealer == nil {
			continue
		}
		ps := panelSeat{seat: int64(i), id: v.ID, key: v.Key, sealer: sealer}
		if block := v.Spec(); block != nil {
			ps.kind, ps.model = block.Kind, block.Simulated
			switch ps.kind {
			case "":
				ps.kind = core.RuleValidator
			case core.ExecValidator:
				task := d.judgeTask(j, block, w.Round, int64(i))
				ps.task, asks = &task, true
			}
		}
		p.seats = append(p.seats, ps)
	}
	d.panels[j.Spec.ID] = p
	return question{id: core.VoteID(j.Spec.ID, w.Round, "commit"), by: "council", work: w, program: asks, answer: p.vote}
}

// vote has every seat judge and seals what it says.
func (p *panel) vote(ctx context.Context, run runner) core.Command {
	verdict := p.judge(p.result)
	command := &core.Commit{Job: p.job, Round: int64(p.round), Votes: make([]core.SealedVote, 0, len(p.seats))}
	var cast []castVote // by seat; those of p are in order
	if n := len(p.seats); n > 0 {
		cast = make([]castVote, p.seats[n-1].seat+1)
	}
	for i := range p.seats {
		seat := &p.seats[i]
		vote, reason, silent := p.ask(ctx, run, seat, verdict)
		if silent {
			continue
		}
		sealed, open := p.seal(seat, vote, reason)
		command.Votes = append(command.Votes, sealed)
		cast[seat.seat] = castVote{sealed.Commitment, open}
	}
	p.cast.Store(&cast)
	if len(command.Votes) == 0 {
		return nil
	}
	return command
}

// ask has one seat judge. A program that cannot say abstains; so does a
// validator that has been removed.
func (p *panel) ask(ctx context.Context, run runner, seat *panelSeat, verdict core.Judgement) (vote council.Vote, reason string, silent bool) {
	if vote = council.Reject; verdict.Approve {
		vote = council.Approve
	}
	switch seat.kind {
	case core.RuleValidator:
	case core.SimulatedValidator:
		model := worker.SimulatedVote{AbsentRatio: int64(seat.model.AbsentRatio), WrongRatio: int64(seat.model.WrongRatio)}
		absent, wrong := model.Outcome(p.seed, p.job, p.round, seat.id)
		switch {
		case absent:
			return 0, "", true
		case wrong && verdict.Approve:
			return council.Reject, "simulated: a wrong vote", false
		case wrong:
			return council.Approve, "", false
		}
	case core.ExecValidator:
		return programVote(run(ctx, *seat.task))
	default:
		return council.Abstain, "this validator has been removed", false
	}
	return vote, verdict.Reason, false
}

func programVote(r worker.Reply) (council.Vote, string, bool) {
	if r.Fault != "" {
		return council.Abstain, council.CutReason(string(r.Fault) + ": " + r.Detail), false
	}
	said, reason, err := worker.Verdict(r.Stdout)
	if err != nil {
		return council.Abstain, council.CutReason(err.Error()), false
	}
	vote, err := council.ParseVote(said)
	if err != nil {
		panic("host: " + err.Error())
	}
	return vote, council.CutReason(reason), false
}

func (p *panel) seal(seat *panelSeat, vote council.Vote, reason string) (core.SealedVote, core.OpenVote) {
	plain, err := council.Plaintext(vote, reason)
	if err != nil {
		panic("host: a cut reason does not fit: " + err.Error())
	}
	open := core.OpenVote{Seat: seat.seat, Vote: vote.String(), Reason: reason, Salt: seat.sealer.Salt(p.mission, p.job, p.round)}
	commitment := council.Commitment(council.Ballot{
		Mission: p.mission, Job: p.job, Round: p.round, Validator: seat.key[:],
		Result: p.digest, Vote: vote, Reason: council.ReasonDigest(reason), Salt: open.Salt,
	})
	nonce, box := seat.sealer.Seal(p.mission, p.job, p.round, plain[:])
	return core.SealedVote{Seat: seat.seat, Commitment: commitment, Nonce: nonce, Box: box}, open
}

// castVote is a vote this process has sealed, kept until its round is over to
// save opening the box.
type castVote struct {
	commitment core.Digest
	open       core.OpenVote
}

// reveal says what every seat committed to: as the box in the journal holds it,
// or as it is remembered under the very commitment. So it is the vote that was
// committed to, whatever has changed since.
func (d *desk) reveal(s *core.State, w core.Work) answer {
	j, mission := w.Job, s.Mission().Mission
	command := &core.Reveal{Job: j.Spec.ID, Round: w.Round, Votes: make([]core.OpenVote, 0, len(j.Round.Seats))}
	var cast []castVote
	if p := d.panels[j.Spec.ID]; p != nil {
		if sealed := p.cast.Load(); sealed != nil {
			cast = *sealed
		}
	}
	for i := range j.Round.Seats {
		seat := &j.Round.Seats[i]
		if !seat.Committed || seat.Revealed {
			continue
		}
		if i < len(cast) && cast[i].commitment == seat.Sealed.Commitment {
			command.Votes = append(command.Votes, cast[i].open)
			continue
		}
		if vote, ok := d.unseal(mission, j, i); ok {
			command.Votes = append(command.Votes, vote)
		}
	}
	return answer{id: core.VoteID(j.Spec.ID, w.Round, "reveal"), by: "council", work: w, command: command}
}

// unseal reads a vote from its box; a seat whose box cannot be opened stays
// silent.
func (d *desk) unseal(mission string, j *core.Job, i int) (core.OpenVote, bool) {
	seat, round := &j.Round.Seats[i], int(j.Round.Number)
	sealer := d.sealer(seat.Validator)
	if sealer == nil {
		return core.OpenVote{}, false
	}
	plain, err := sealer.Open(mission, j.Spec.ID, round, seat.Sealed.Nonce, seat.Sealed.Box)
	if err != nil {
		return core.OpenVote{}, false
	}
	vote, reason, err := council.ParsePlaintext(plain)
	if err != nil {
		return core.OpenVote{}, false
	}
	return core.OpenVote{Seat: int64(i), Vote: vote.String(), Reason: reason, Salt: sealer.Salt(mission, j.Spec.ID, round)}, true
}
