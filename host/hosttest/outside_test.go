package hosttest

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
	"github.com/omega-run/omega/host/worker"
)

// ways is how validators behave whose keys the host does not hold.
var ways = []string{"honest", "honest", "honest", "collude", "collude", "copy", "withhold", "silent", "equivocate", "late", "mismatch", "replay", "forge", "usurp"}

func (w *world) wayOf(id string) string {
	if w.drop.ways {
		return "honest"
	}
	if w.ways[id] == "" { // it follows from the seed, whatever comes before
		w.ways[id] = pick(rand.New(rand.NewPCG(w.seed, uint64(len(id))<<8|uint64(id[len(id)-1]))), ways...)
	}
	return w.ways[id]
}

// outsiders lets one validator outside the host do what it does next; false
// where none has anything to do.
func (w *world) outsiders() bool {
	if w.book.status != "running" && w.book.status != "stopping" {
		return false
	}
	for _, j := range w.book.order {
		if j.round == nil || j.round.outcome != "" || !j.is("committing", "revealing") {
			continue
		}
		for i := range j.round.seats {
			if s := &j.round.seats[i]; s.validator.kind == "outside" && w.outsider(j, i, s, w.wayOf(s.validator.id)) {
				return true
			}
		}
	}
	return false
}

// outsider is one seat's next move.
func (w *world) outsider(j *life, i int, s *seat, way string) bool {
	done := func(what string) bool {
		key := fmt.Sprint("outside ", what, " ", j.id, " ", j.round.number, " ", i)
		if w.meddled[key] {
			return true
		}
		w.meddled[key] = true
		return false
	}
	switch {
	case j.state == "revealing" && s.commitment != "" && s.vote == "" && !s.twice:
		if way == "equivocate" && !done("again") {
			return w.speak(j, i, w.signed(j, i, "reject"), way)
		}
		return !done("reveal") && w.openOutside(j, i, s, way)
	case j.state == "revealing" && s.commitment == "" && way == "late":
		return !done("late") && w.speak(j, i, w.signed(j, i, "approve"), way)
	case j.state != "committing":
		return false
	case s.commitment != "":
		return way == "equivocate" && w.r.IntN(2) == 0 && !done("again") && w.speak(j, i, w.signed(j, i, "reject"), way)
	}
	if done("commit") {
		return false
	}
	switch way {
	case "silent", "late":
		return false
	case "copy":
		for k := range j.round.seats {
			if other := j.round.seats[k].commitment; k != i && other != "" {
				v := w.signed(j, i, "approve")
				v.Commitment = core.Digest(unbase64(other))
				v.Signature = w.sign(s.validator.id, v.Job, v.Round, v.Commitment)
				return w.speak(j, i, v, way)
			}
		}
	case "replay":
		for _, old := range w.oldVotes(s.validator.id) {
			if old.Job == j.id && old.Round == j.round.number {
				continue
			}
			v := old
			v.Job, v.Round, v.Seat = j.id, j.round.number, int64(i)
			return w.speak(j, i, v, "old vote") // whoever has read the journal could send it
		}
	case "forge":
		v := w.signed(j, i, "approve")
		v.Signature[w.r.IntN(64)] ^= 1
		return w.speak(j, i, v, way)
	case "usurp": // a good signature on somebody else's seat
		v := w.signed(j, i, "approve")
		v.Seat = (v.Seat + 1) % int64(len(j.round.seats))
		return w.speak(j, i, v, way)
	case "collude":
		return w.speak(j, i, w.signed(j, i, "approve"), way)
	}
	return w.speak(j, i, w.signed(j, i, w.judge(j)), way)
}

// judge is what an honest validator says.
func (w *world) judge(j *life) string {
	if j.result == worker.WrongResult {
		return "reject"
	}
	return "approve"
}

func (w *world) signed(j *life, i int, vote string) host.SignedVote {
	s := &j.round.seats[i]
	open := core.OpenVote{Seat: int64(i), Vote: vote, Reason: pick(w.r, "", "as the seed wants")}
	for k := range open.Salt {
		open.Salt[k] = byte(w.r.IntN(256))
	}
	commitment := w.book.commitment(j, s, vote, open.Reason, base64.StdEncoding.EncodeToString(open.Salt[:]))
	w.votes[commitment] = open
	digest := core.Digest(unbase64(commitment))
	v := host.SignedVote{Validator: s.validator.id, Job: j.id, Round: j.round.number, Seat: int64(i), Commitment: digest, Signature: w.sign(s.validator.id, j.id, j.round.number, digest)}
	w.spoken[commitment] = v
	return v
}

func (w *world) sign(id, job string, round int64, commitment core.Digest) []byte {
	return ed25519.Sign(w.plan.keyOf(id), placed(missionID, job, round, commitment[:]))
}

func unbase64(text string) []byte {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != 32 {
		panic("no commitment: " + text)
	}
	return raw
}

// oldVotes are what a validator has signed in rounds that are over.
func (w *world) oldVotes(id string) (old []host.SignedVote) {
	for _, v := range w.spoken {
		j := w.book.jobs[v.Job]
		if v.Validator == id && (j == nil || j.round == nil || j.round.number != v.Round || j.round.outcome != "") {
			old = append(old, v)
		}
	}
	slices.SortFunc(old, func(a, b host.SignedVote) int { return slices.Compare(a.Commitment[:], b.Commitment[:]) })
	return old
}

// speak sends a vote to the gate, which lets only signed ones pass.
func (w *world) speak(j *life, i int, v host.SignedVote, way string) bool {
	w.did["outside "+way]++
	err := w.host.Vote(v)
	if way == "forge" || way == "old vote" {
		w.must(errors.Is(err, host.ErrUnsigned), "a vote with a bad signature passes the gate")
	} else {
		w.must(err == nil, "a signed vote is refused at the gate: %v", err)
	}
	return true
}

func (w *world) openOutside(j *life, i int, s *seat, way string) bool {
	open, known := w.votes[s.commitment]
	if !known || way == "withhold" {
		w.did["outside withheld"]++
		return false
	}
	open.Seat = int64(i)
	if way == "mismatch" {
		open.Salt[0] ^= 1
	}
	w.did["outside reveals"]++
	w.host.Send("validator:"+s.validator.id, &core.Reveal{Job: j.id, Round: j.round.number, Votes: []core.OpenVote{open}})
	return true
}

// verdict is what a validator's program prints.
func (w *world) verdict() worker.Reply {
	switch roll := w.r.IntN(100); {
	case roll < 8:
		return worker.Reply{Fault: worker.FaultTimeout, Detail: "as the seed wants"}
	case roll < 14:
		return worker.Reply{Stdout: []byte(`{"vote":"perhaps"}`)}
	case roll < 30:
		return worker.Reply{Stdout: []byte(`{"vote":"reject","reason":"as the seed wants"}`)}
	}
	return worker.Reply{Stdout: []byte(`{"vote":"approve"}`)}
}

func (w *world) awaiting() (all []*life) {
	for _, j := range w.book.order {
		if j.state == "awaiting_approval" {
			all = append(all, j)
		}
	}
	return all
}

func (w *world) delegated() (all []*life) {
	for _, j := range w.book.order {
		if j.state == "delegated" {
			all = append(all, j)
		}
	}
	return all
}

// children is what an attempt answers instead of a result; nil where its family
// is large enough.
func (w *world) children(id string) []byte {
	j := w.book.jobs[id]
	if j == nil || len(j.children) > 5 || j.depth > 2 && chance(w.r, 70) || len(w.book.order) > 60 {
		return nil
	}
	left := w.book.spendable(j, nil)
	if w.plan.energy > 0 && left > 0 && chance(w.r, 45) {
		if all := w.tight(left); all != nil {
			return all
		}
	}
	return w.plan.kids(w.r, ledger.Amount(pick(w.r, left/3, left/5, left/5, left/9, left, left/2, left+1)), int(2-min(2, j.depth)), true)
}

// tight spends all that is left: on deposits that an attempt that fails uses up,
// and on a reward that takes the rest.
func (w *world) tight(left micro) []byte {
	budget := pick(w.r, "7", "333.333333", "1000")
	deposit := cost(amountOf(budget), w.book.prices[0])
	rest := left - 2*deposit
	reward := product(rest, 1e6, 1e6+w.book.setting("governance.fee_ratio"))
	if rest < 0 || amountOf(budget) > w.book.limit["ENERGY"] {
		return nil
	}
	w.did["all that is left is spent"]++
	one := child{Skills: []string{"a"}, Reward: "0", Energy: budget, Work: "1m"}
	two := one
	two.Reward = reward.String()
	raw, err := json.Marshal([]child{one, two})
	if err != nil {
		panic(err)
	}
	return raw
}

// child is one as a program writes it.
type child struct {
	Name      string           `json:"name,omitempty"`
	Skills    []string         `json:"skills"`
	Reward    string           `json:"reward"`
	Energy    string           `json:"energy_budget,omitempty"`
	Compute   string           `json:"compute_budget,omitempty"`
	Work      string           `json:"work,omitempty"`
	Deadline  string           `json:"deadline,omitempty"`
	Needs     []string         `json:"needs,omitempty"`
	Simulated *json.RawMessage `json:"simulated,omitempty"`
}

// kids asks for one to three children of at most this reward, now and then for
// such as nobody can post where they may be odd.
func (p *plan) kids(r *rand.Rand, most ledger.Amount, deeper int, odd bool) []byte {
	var all []child
	for i := range 1 + r.IntN(3) {
		c := child{Name: fmt.Sprintf("k%d", i), Skills: []string{pick(r, "a", "a", "b", "c")}, Work: pick(r, "1s", "1m")}
		c.Reward = max(0, pick(r, most, most/2, most/3, 0, 0)).String()
		if p.energy > 0 && chance(r, 30) {
			c.Energy = pick(r, "7", "333.333333", "1000")
		}
		if p.compute > 0 && chance(r, 30) {
			c.Compute = pick(r, "7", "500")
		}
		if chance(r, 15) {
			c.Deadline = pick(r, "30s", "3m")
		}
		if i > 0 && chance(r, 40) {
			c.Needs = []string{"k0"}
		}
		if deeper > 0 && chance(r, 40) {
			raw := json.RawMessage(fmt.Sprintf(`{"delegate":%s}`, p.kids(r, most/4, deeper-1, odd)))
			c.Simulated = &raw
		}
		all = append(all, c)
	}
	switch roll := r.IntN(100); {
	case !odd:
	case roll < 4:
		all[0].Needs = []string{"k0"}
	case roll < 8:
		all[0].Skills = []string{"nobody"}
	case roll < 10:
		all[0].Reward = "1000000000"
	case roll < 12:
		return []byte("[]")
	}
	raw, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return raw
}
