package host

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/council"
	"github.com/omega-run/omega/host/missionfile"
	"github.com/omega-run/omega/host/script"
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
	scripts *scripts
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
	jury   *jury        // of a script; nil for others
}

// jury is one script that judges a result, for all seats of its block: what it
// says is a function of the result.
type jury struct {
	block string
	call  script.Call
	said  script.Answer
}

// commit asks for the commitments of all seats the host holds and that have not
// committed, each vote sealed until its round reveals. A seat whose key the host
// no longer has stays silent.
func (d *desk) commit(s *core.State, w core.Work) question {
	j := w.Job
	p := &panel{
		mission: s.Mission().Mission, job: j.Spec.ID, round: int(w.Round), seed: uint64(s.Spec().Mission.Seed),
		result: j.Answer.Result, digest: j.Answer.Digest, judge: d.rule(j), scripts: d.scripts,
	}
	asks, thinks := false, false
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
			case core.ScriptValidator:
				ps.jury, thinks = d.juryOf(s, p, j, block, w.Round), true
				if ps.jury == nil {
					ps.kind = core.RuleValidator
				}
			}
		}
		p.seats = append(p.seats, ps)
	}
	d.panels[j.Spec.ID] = p
	return question{id: core.VoteID(j.Spec.ID, w.Round, "commit"), by: "council", work: w, program: asks, script: thinks, answer: p.vote}
}

// vote has every seat judge and seals what it says.
func (p *panel) vote(ctx context.Context, run runner) core.Command {
	verdict := p.judge(p.result)
	p.askScripts(ctx)
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
	case core.ScriptValidator:
		return seat.jury.vote()
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

// juryOf is the script of a block, asked once for all its seats; nil where it has
// failed so often that the rule judges in its place.
func (d *desk) juryOf(s *core.State, p *panel, j *core.Job, block *core.ValidatorSpec, round int64) *jury {
	for i := range p.seats {
		if other := p.seats[i].jury; other != nil && other.block == block.Name {
			return other
		}
	}
	name := "validator." + block.Name
	if !s.Suspended(name) {
		seed := seedOf(s, name, "vote", j.Spec.ID, round)
		return &jury{block: block.Name, call: d.callOf(&block.Script, submission(j), scriptView(s, j, block.Script.Params), j.Round.Opened, seed)}
	}
	if block.Script.Fallback == "rule" {
		return nil
	}
	return &jury{block: block.Name, said: script.Answer{Fault: &script.Fault{File: block.Script.Path, Detail: suspendedFault + ": " + s.LastFault(name)}}}
}

// submission is a result as a script is given it.
func submission(j *core.Job) []byte {
	var p pen
	p.raw(`{"files":[`)
	for i, f := range j.Answer.Files {
		p.comma(i)
		p.text(`{"digest":`, hex.EncodeToString(f.Digest[:]))
		p.text(`,"name":`, f.Name)
		p.int(`,"size":`, f.Size)
		p.raw("}")
	}
	p.raw(`],"input":` + string(execInput(j)))
	p.text(`,"job":`, j.Spec.ID)
	p.raw(`,"result":` + string(j.Answer.Result))
	p.text(`,"title":`, j.Spec.Title)
	p.raw("}")
	return p.b
}

// askScripts asks all scripts of a panel at once.
func (p *panel) askScripts(ctx context.Context) {
	var all sync.WaitGroup
	for i := range p.seats {
		j := p.seats[i].jury
		asked := slices.ContainsFunc(p.seats[:i], func(s panelSeat) bool { return s.jury == j })
		if j == nil || asked || j.said.Fault != nil {
			continue
		}
		all.Go(func() { j.said = p.scripts.call(ctx, forWork, &j.call) })
	}
	all.Wait()
}

// vote is what a script says; one that cannot say abstains.
func (j *jury) vote() (council.Vote, string, bool) {
	fault := j.said.Fault
	if fault == nil {
		vote, reason, err := parseVote(j.said.Value)
		if err == nil {
			return vote, council.CutReason(reason), false
		}
		fault = &script.Fault{Kind: script.FaultAnswer, Detail: err.Error()}
	}
	return council.Abstain, council.CutReason(core.ScriptFailed + faultText(j.call.Program, fault)), false
}

// parseVote reads what a validator answered.
func parseVote(answer []byte) (council.Vote, string, error) {
	var said struct {
		Vote   string `json:"vote"`
		Reason string `json:"reason"`
	}
	if exact(answer, "vote", "reason") && json.Unmarshal(answer, &said) == nil && slices.Contains([]string{"approve", "reject", "abstain"}, said.Vote) {
		vote, err := council.ParseVote(said.Vote)
		return vote, oneLine(said.Reason, council.MaxReason), err
	}
	return 0, "", fmt.Errorf("it answered %s; a validator answers { vote: \"approve\", \"reject\" or \"abstain\", reason: text }", oneLine(string(answer), 120))
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
