package host

import (
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

// commit gives the commitments of all seats the host holds, each vote sealed
// until its round reveals. A seat whose key the host no longer has abstains by
// staying silent.
func (d *desk) commit(s *core.State, w core.Work) answer {
	j, mission := w.Job, s.Mission().Mission
	verdict := d.rule(j)(j.Result)
	vote := council.Reject
	if verdict.Approve {
		vote = council.Approve
	}
	plain, err := council.Plaintext(vote, verdict.Reason)
	if err != nil {
		panic("host: a cut reason does not fit: " + err.Error())
	}
	command := &core.Commit{Job: j.Spec.ID, Round: w.Round, Votes: make([]core.SealedVote, 0, len(j.Round.Seats))}
	cast := make([]castVote, len(j.Round.Seats))
	for i := range j.Round.Seats {
		sealer := d.sealer(j.Round.Seats[i].Validator)
		if sealer == nil {
			continue
		}
		open := core.OpenVote{Seat: int64(i), Vote: vote.String(), Reason: verdict.Reason, Salt: sealer.Salt(mission, j.Spec.ID, int(w.Round))}
		commitment, err := s.CommitmentOf(j, &open)
		if err != nil {
			panic("host: " + err.Error())
		}
		nonce, box := sealer.Seal(mission, j.Spec.ID, int(w.Round), plain[:])
		command.Votes = append(command.Votes, core.SealedVote{Seat: int64(i), Commitment: commitment, Nonce: nonce, Box: box})
		cast[i] = castVote{commitment, open}
	}
	d.cast[j.Spec.ID] = cast
	return answer{id: core.VoteID(j.Spec.ID, w.Round, "commit"), by: "council", work: w, command: command}
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
	cast := d.cast[j.Spec.ID]
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
