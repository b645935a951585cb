package host

import (
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/council"
	"github.com/omega-run/omega/host/worker"
)

// judge is what a rule says of a result: the accept block of the generation
// that posted the job. A job without one accepts everything but an answer a
// simulated worker is known to give when it lies.
func (d *desk) judge(j *core.Job, result []byte) core.Judgement {
	if string(result) == worker.WrongResult {
		return core.Judgement{Reason: "the result says that it is wrong"}
	}
	if !j.Spec.Accept {
		return core.Judgement{Approve: true}
	}
	mission, err := d.missions.of(j.Spec.Generation)
	if err != nil {
		return core.Judgement{Reason: err.Error()}
	}
	approve, reason := mission.Judge(j.Spec.ID, result)
	return core.Judgement{Approve: approve, Reason: council.CutReason(reason)}
}

// judgeFor is the host's own judgement where the council is off, else nil. It is
// made inside the loop and may be used outside of it: it holds a copy of the
// job.
func (d *desk) judgeFor(s *core.State, w core.Work) func([]byte) core.Judgement {
	if s.Spec().Governance.Committee > 0 {
		return nil
	}
	job := *w.Job
	return func(result []byte) core.Judgement { return d.judge(&job, result) }
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

// commit gives the commitments of all seats the host holds, each vote sealed
// until its round reveals. A seat whose key the host no longer has abstains by
// staying silent.
func (d *desk) commit(s *core.State, w core.Work) answer {
	j, mission := w.Job, s.Mission().Mission
	verdict := d.judge(j, j.Result)
	vote := council.Reject
	if verdict.Approve {
		vote = council.Approve
	}
	command := &core.Commit{Job: j.Spec.ID, Round: w.Round}
	for i := range j.Round.Seats {
		sealer := d.sealer(j.Round.Seats[i].Validator)
		if sealer == nil {
			continue
		}
		plain, err := council.Plaintext(vote, verdict.Reason)
		if err != nil {
			panic("host: a cut reason does not fit: " + err.Error())
		}
		open := core.OpenVote{Seat: int64(i), Vote: vote.String(), Reason: verdict.Reason, Salt: sealer.Salt(mission, j.Spec.ID, int(w.Round))}
		commitment, err := s.CommitmentOf(j, &open)
		if err != nil {
			panic("host: " + err.Error())
		}
		nonce, box := sealer.Seal(mission, j.Spec.ID, int(w.Round), plain[:])
		command.Votes = append(command.Votes, core.SealedVote{Seat: int64(i), Commitment: commitment, Nonce: nonce, Box: box})
	}
	return answer{id: core.VoteID(j.Spec.ID, w.Round, "commit"), by: "council", work: w, command: command}
}

// reveal opens what was sealed: the vote is read from the journal's box, so it
// is the vote that was committed to, whatever has changed since.
func (d *desk) reveal(s *core.State, w core.Work) answer {
	j, mission := w.Job, s.Mission().Mission
	command := &core.Reveal{Job: j.Spec.ID, Round: w.Round}
	for i := range j.Round.Seats {
		seat := &j.Round.Seats[i]
		sealer := d.sealer(seat.Validator)
		if !seat.Committed || seat.Revealed || sealer == nil {
			continue
		}
		plain, err := sealer.Open(mission, j.Spec.ID, int(w.Round), seat.Sealed.Nonce, seat.Sealed.Box)
		if err != nil {
			continue // the key is lost: the seat stays silent
		}
		vote, reason, err := council.ParsePlaintext(plain)
		if err != nil {
			continue
		}
		command.Votes = append(command.Votes, core.OpenVote{
			Seat: int64(i), Vote: vote.String(), Reason: reason, Salt: sealer.Salt(mission, j.Spec.ID, int(w.Round)),
		})
	}
	return answer{id: core.VoteID(j.Spec.ID, w.Round, "reveal"), by: "council", work: w, command: command}
}
