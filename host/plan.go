package host

import (
	"context"
	"encoding/hex"
	"errors"
	"os"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
	"github.com/omega-run/omega/host/missionfile"
)

// PlanSchema is the form of a plan.
const PlanSchema = "omega.plan/v1"

// PlanSheet is what 'omega plan' writes, schema omega.plan/v1: what a mission
// file would change of the recorded generation.
type PlanSheet struct {
	Schema     string                  `json:"schema"`
	Mission    string                  `json:"mission"`    // its name; "" where the file does not say
	Outcome    PlanOutcome             `json:"outcome"`    // what becomes of the file
	Generation int64                   `json:"generation"` // it is compared with, 0 for a new mission
	Edit       string                  `json:"edit"`       // digest of what was read, hex
	Changes    []missionfile.Change    `json:"changes"`
	Kept       []string                `json:"kept"`      // posted jobs that keep the terms they have
	Overrides  []Override              `json:"overrides"` // settings the owner has set otherwise than the file
	Ceiling    missionfile.Ceiling     `json:"ceiling"`   // what the mission can cost at most, by what its file says
	Approvals  []PlanApproval          `json:"approvals"` // what waits for the owner, or would
	Problems   missionfile.Diagnostics `json:"problems"`
}

// PlanOutcome is what becomes of a mission file.
type PlanOutcome string

// Outcomes of a plan.
const (
	PlanNew     PlanOutcome = "new"     // nothing has run yet
	PlanNothing PlanOutcome = "nothing" // it is what is in force
	PlanApplies PlanOutcome = "applies" // it comes into force by itself
	PlanHeld    PlanOutcome = "held"    // it waits for the owner
	PlanRefused PlanOutcome = "refused" // it changes what cannot be changed
	PlanBroken  PlanOutcome = "broken"
	PlanEnded   PlanOutcome = "ended" // the mission is over
)

// Override is a setting that the owner has set otherwise than the file.
type Override struct {
	Setting string `json:"setting"`
	File    string `json:"file"`
	Owner   string `json:"owner"`
}

// PlanApproval is something that waits for the owner.
type PlanApproval struct {
	Kind    string `json:"kind"` // edit, job, action
	Name    string `json:"name"` // its id, of an edit its digest
	Reason  string `json:"reason"`
	Command string `json:"command"` // that lets it go on
}

// Plan says what the mission at a path would change of what a data folder holds.
// It reads only.
func Plan(path, data string, given missionfile.Given) (*PlanSheet, error) {
	reading := missionfile.Read(path, "", given)
	digest := digestOf(reading)
	p := &PlanSheet{
		Schema: PlanSchema, Outcome: PlanNew, Edit: hex.EncodeToString(digest[:]),
		Changes: []missionfile.Change{}, Kept: []string{}, Overrides: []Override{}, Approvals: []PlanApproval{}, Problems: missionfile.Diagnostics{},
		Ceiling: missionfile.Ceiling{Tokens: "0", Energy: "0", Compute: "0"},
	}
	p.Problems = append(p.Problems, reading.Problems...)
	if reading.Mission != nil {
		p.Mission, p.Ceiling = reading.Mission.Spec().Mission.Name, reading.Mission.Ceiling()
	} else {
		p.Outcome = PlanBroken
	}
	if _, err := os.Stat(journalDir(data)); data == "" || errors.Is(err, os.ErrNotExist) {
		if reading.Mission != nil {
			p.Changes = append(p.Changes, missionfile.Compare(nil, reading.Mission).List...)
		}
		return p, nil
	}
	r, err := Read(data)
	if err != nil {
		return nil, err
	}
	p.Mission, p.Generation = r.State.Spec().Mission.Name, r.State.Generation()
	if reading.Mission != nil {
		if err := p.compare(r.State, data, reading.Mission); err != nil {
			return nil, err
		}
	}
	p.asked(r.State)
	return p, nil
}

// compare fills in what becomes of a mission file that can be used.
func (p *PlanSheet) compare(s *core.State, data string, next *missionfile.Mission) error {
	all := missions{compiled: map[int64]*missionfile.Mission{}, archive: func() (map[int64]recordedGeneration, error) { return archive(data, nil) }}
	before, err := all.current(s)
	if err != nil {
		return err
	}
	changes := missionfile.Compare(before, next)
	p.Changes = append(p.Changes, changes.List...)
	p.Kept = append(p.Kept, kept(s, changes.Redefined)...)
	held := s.HeldEdit()
	switch {
	case s.Status() == core.Ended:
		p.Outcome = PlanEnded
	case inForce(s, next):
		p.Outcome = PlanNothing
	case fixed(changes.List):
		p.Outcome = PlanRefused
	case len(changes.Removed)+len(changes.Drained) == 0, next.Spec().Reload.AllowRemovals, held != nil && held.Approved && hex.EncodeToString(held.Digest[:]) == p.Edit:
		p.Outcome = PlanApplies
	default:
		p.Outcome = PlanHeld
		p.Approvals = append(p.Approvals, PlanApproval{"edit", p.Edit, "it removes " + losses(changes.Removed, changes.Drained), "omega apply"})
	}
	return nil
}

// fixed reports whether a change reaches what cannot be changed.
func fixed(changes []missionfile.Change) bool {
	for i := range changes {
		if changes[i].Effect == core.Never {
			return true
		}
	}
	return false
}

// asked adds the jobs, and what stewards want to do, that wait for a person.
func (p *PlanSheet) asked(s *core.State) {
	for _, j := range s.Jobs() {
		if question, _ := j.Asked(); question != nil {
			p.Approvals = append(p.Approvals, PlanApproval{"job", j.Spec.ID, question.Reason, "omega approve " + j.Spec.ID})
		}
	}
	for w := range s.Proposals() {
		p.Approvals = append(p.Approvals, PlanApproval{"action", w.ID, w.Steward + " wants to " + w.Action.Do, "omega approve " + w.ID})
	}
}

// WaitForHeld follows the journal until an edit is held, or one is refused or in
// force. From is the last entry that is known to say nothing of it.
func WaitForHeld(ctx context.Context, data string, digest core.Digest, from uint64) (held bool, err error) {
	view, err := journal.Read(journal.Options{Dir: journalDir(data)})
	if err != nil {
		return false, err
	}
	cursor := view.Follow(from + 1)
	defer cursor.Close()
	for {
		line, err := cursor.Next(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		entry, err := parseEntry(line)
		if err != nil {
			return false, err
		}
		for _, event := range entry.Events {
			if e, ok := event.(*core.EditHeld); ok && e.Digest == digest {
				return true, nil
			}
		}
	}
}
