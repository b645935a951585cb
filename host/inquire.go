package host

import (
	"errors"
	"io"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/inquiry"
	"github.com/omega-run/omega/host/journal"
)

// Explain tells the story of a job, by its id or the name people read, from the
// journal in a data folder. It reads only. An unknown name is an
// *inquiry.UnknownJobError.
func Explain(data, name string) (*inquiry.Explanation, error) {
	view, err := journal.Read(journal.Options{Dir: journalDir(data)})
	if err != nil {
		return nil, err
	}
	spec, err := findJob(view, name)
	if err != nil {
		return nil, err
	}
	story, state := inquiry.NewStory(spec), core.New()
	err = eachEntry(view, func(e *core.Entry, _ core.Digest) error {
		state.Replay(e)
		story.Apply(e)
		story.Look(state)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return story.Explain(state), nil
}

// ExplainParty tells what a worker or a validator did, by its id or the name of
// its block: one of the two is nil, and both are where the name is nobody's. A
// worker comes before a validator of the same name. It reads only.
func ExplainParty(data, name string) (*inquiry.WorkerStory, *inquiry.ValidatorStory, error) {
	view, err := journal.Read(journal.Options{Dir: journalDir(data)})
	if err != nil {
		return nil, nil, err
	}
	career, state := inquiry.NewCareer(name), core.New()
	err = eachEntry(view, func(e *core.Entry, _ core.Digest) error {
		state.Replay(e)
		career.Apply(e)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if worker := career.Worker(state); worker != nil {
		return worker, nil, nil
	}
	return nil, career.Validator(state), nil
}

// ExplainScript tells what a policy, the guardian or a strategist said and did,
// by its name, policy.<name> or strategist.<name>: one of the two is nil, and
// both are where the name is nobody's. A policy comes before a strategist of the
// same name. It reads only.
func ExplainScript(data, name string) (*inquiry.PolicyStory, *inquiry.StewardStory, error) {
	view, err := journal.Read(journal.Options{Dir: journalDir(data)})
	if err != nil {
		return nil, nil, err
	}
	policy, steward, state := inquiry.NewSayings(name), inquiry.NewStewardship(name), core.New()
	err = eachEntry(view, func(e *core.Entry, _ core.Digest) error {
		state.Replay(e)
		policy.Apply(e)
		steward.Apply(e)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	if told := policy.Story(state); told != nil {
		return told, nil, nil
	}
	return nil, steward.Story(state), nil
}

// Cost says what a mission has cost or, with a job's name, that job and all
// below it, in at most top rows. It reads only.
func Cost(data, name string, by inquiry.Grouping, top int) (*inquiry.BillSheet, error) {
	view, err := journal.Read(journal.Options{Dir: journalDir(data)})
	if err != nil {
		return nil, err
	}
	id := ""
	if name != "" {
		spec, err := findJob(view, name)
		if err != nil {
			return nil, err
		}
		id = spec.ID
	}
	bill, state := inquiry.NewBill(id, by, top), core.New()
	err = eachEntry(view, func(e *core.Entry, _ core.Digest) error {
		state.Replay(e)
		bill.Apply(e)
		bill.Look(state)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return bill.Sheet(state)
}

// FindJob is the id of a job that may be named as people read it.
func FindJob(data, name string) (string, error) {
	view, err := journal.Read(journal.Options{Dir: journalDir(data)})
	if err != nil {
		return "", err
	}
	spec, err := findJob(view, name)
	return spec.ID, err
}

func findJob(view *journal.View, name string) (core.JobSpec, error) {
	finder, found := inquiry.NewFinder(name), false
	cursor := view.Cursor(1)
	defer cursor.Close()
	for !found {
		e, err := nextEntry(cursor)
		if errors.Is(err, io.EOF) {
			return core.JobSpec{}, finder.Unknown()
		}
		if err != nil {
			return core.JobSpec{}, err
		}
		found = finder.Apply(e)
	}
	return finder.Found(), nil
}

// Roll lists all jobs of a mission, those that have ended too, with the state
// after the last entry. It reads only.
func Roll(data string) ([]*inquiry.Listed, *core.State, error) {
	view, err := journal.Read(journal.Options{Dir: journalDir(data)})
	if err != nil {
		return nil, nil, err
	}
	roll, state := inquiry.NewRoll(), core.New()
	err = eachEntry(view, func(e *core.Entry, _ core.Digest) error {
		state.Replay(e)
		roll.Apply(e)
		return nil
	})
	return roll.Jobs(state), state, err
}
