package hosttest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/ledger"
	"github.com/omega-run/omega/host/missionfile"
	"github.com/omega-run/omega/host/script"
)

// juryScript is the script of the validators that ask one, in a block of their
// own.
const juryScript = "jury.js"

// juryPlan is that block before it is in a spec.
type juryPlan struct {
	fallback string
	version  int
}

func (p *plan) drawJury(r *rand.Rand) {
	p.jury = juryPlan{fallback: pick(r, "abstain", "rule")}
}

// otherScripts is what an edit makes of the scripts of validators and workers.
func (p *plan) otherScripts(r *rand.Rand) {
	switch r.IntN(4) {
	case 0:
		p.jury.fallback = pick(r, "abstain", "rule")
	case 1:
		p.workers[r.IntN(len(p.workers))].version++
	default:
		p.jury.version++
	}
}

// scriptSource is a script, of which only the version tells one from another.
func scriptSource(path string, version int) missionfile.Source {
	text := fmt.Appendf(nil, "// version %d\n", version)
	return missionfile.Source{Path: path, Bytes: text, Digest: sha256.Sum256(text)}
}

// scripts are the files of all scripts in the mission file.
func (p *plan) scripts() (all []missionfile.Source) {
	for i := range p.policies {
		all = append(all, scriptSource(p.policies[i].name+".js", p.policies[i].version))
	}
	if p.kinds[core.ScriptValidator] > 0 {
		all = append(all, scriptSource(juryScript, p.jury.version))
	}
	for i := range p.workers {
		if p.workers[i].kind == "script" {
			all = append(all, scriptSource(p.workers[i].name+".js", p.workers[i].version))
		}
	}
	return all
}

// votes is what a validator answers.
func votes(says string) script.Answer {
	vote, ok := map[string]string{core.SayAllow: "approve", core.SayDeny: "reject", core.SayAsk: "abstain"}[says]
	if !ok {
		return script.Answer{Value: []byte(`{"vote":"perhaps"}`)}
	}
	return script.Answer{Value: fmt.Appendf(nil, `{"reason":"as the seed wants","vote":%q}`, vote)}
}

// works is what a worker answers.
func works(r *rand.Rand, says string, input []byte) script.Answer {
	var given struct {
		Left     string
		Children []json.RawMessage
	}
	if err := json.Unmarshal(input, &given); err != nil {
		panic(fmt.Sprintf("a worker is given no JSON: %v: %s", err, input))
	}
	used := pick(r, "", `,"energy_used":"12.5"`, `,"compute_used":"0","energy_used":"999999"`)
	switch {
	case says == core.SayAsk && len(given.Children) < 4:
		kids := (&plan{}).kids(r, ledger.Amount(amountOf(given.Left)/5), 1, true)
		return script.Answer{Value: fmt.Appendf(nil, `{"children":%s%s}`, kids, used)}
	case says == core.SayDeny:
		return script.Answer{Value: []byte(`{"result":{"wrong":true}}`)}
	case says == "nonsense":
		return script.Answer{Value: []byte(`{"results":7}`)}
	}
	return script.Answer{Value: fmt.Appendf(nil, `{"result":%s%s}`, pick(r, `{}`, `{"x":1}`, `{"x":9}`, `7`), used)}
}

// unanimous checks what the scripts of validators are on record with, where
// nobody has voted in their place: one script says one thing for all its seats,
// and one that is suspended says its fallback.
func (w *world) unanimous(e *core.Entry, said *core.VotesRevealed) {
	j := w.book.jobs[said.Job]
	r := j.round
	if r.number != said.Round {
		r = j.last2 // another has opened in this entry
	}
	if w.meddled[said.Job] {
		return
	}
	for _, one := range w.book.juries {
		var all, rule []core.OpenVote
		for _, v := range said.Votes {
			switch validator := r.seats[v.Seat].validator; {
			case one.holds(validator.id):
				all = append(all, v)
			case validator.kind == "rule" && !validator.draining:
				rule = append(rule, v)
			}
		}
		if len(all) == 0 || r.excused || w.book.inForce > r.begun {
			continue
		}
		w.did["votes of scripts"] += len(all)
		for _, v := range all {
			w.must(v.Vote == all[0].Vote && v.Reason == all[0].Reason, "entry %d: seats of %s vote %s and %s on %s", e.Seq, one.Name, v.Vote, all[0].Vote, said.Job)
		}
		since, out := w.book.outSince[one.script()]
		before := out && since <= r.begun
		vote, suspended := all[0], strings.Contains(all[0].Reason, ": suspended")
		switch {
		case before && one.Fallback == "rule":
			w.must(!strings.HasPrefix(vote.Reason, "script: ") && (len(rule) == 0 || rule[0].Vote == vote.Vote && rule[0].Reason == vote.Reason), "entry %d: %s is suspended and votes %s, %q on %s; the rule votes %v", e.Seq, one.Name, vote.Vote, vote.Reason, said.Job, rule)
			w.did["judged by rule in place of a script"]++
		case before:
			w.must(vote.Vote == "abstain" && suspended, "entry %d: %s is suspended and votes %s, %q on %s", e.Seq, one.Name, vote.Vote, vote.Reason, said.Job)
			w.did["abstained in place of a script"]++
		default:
			w.must(!suspended || out, "entry %d: %s is not suspended, and says so of itself", e.Seq, one.Name)
		}
	}
}
