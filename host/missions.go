package host

import (
	"fmt"
	"slices"
	"sync"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
	"github.com/omega-run/omega/host/missionfile"
	"github.com/omega-run/omega/host/worker"
)

// missions holds the compiled mission file of each generation that is still
// asked for: a posted job is judged by the expressions of the generation that
// posted it, and those are in the journal.
type missions struct {
	mu       sync.Mutex // results are judged beside the loop too
	compiled map[int64]*missionfile.Mission
	archive  func() (map[int64]recordedGeneration, error)
	archived map[int64]recordedGeneration
	secrets  map[string]string // values of sensitive variables, of the files read by this process
}

// recordedGeneration is a mission file as the journal holds it.
type recordedGeneration struct {
	entry     string
	sources   []missionfile.Source
	variables []core.Variable
}

func (m *missions) put(generation int64, mission *missionfile.Mission) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.compiled[generation] = mission
	m.learn(mission)
}

// know remembers the sensitive values of a mission file, also of one that is not
// in force: no record holds them.
func (m *missions) know(mission *missionfile.Mission) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.learn(mission)
}

func (m *missions) learn(mission *missionfile.Mission) {
	for _, name := range mission.Secrets() {
		if value, ok := mission.Secret(name); ok {
			if m.secrets == nil {
				m.secrets = map[string]string{}
			}
			m.secrets[name] = value
		}
	}
}

// secretsOf are the values a program is given.
func (m *missions) secretsOf(spec *core.ExecSpec) (all []worker.Secret) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range spec.Secrets {
		all = append(all, worker.Secret{Name: s.Name, Value: m.secrets[s.Variable]})
	}
	return all
}

// lacking are the sensitive variables a spec needs and nobody has given.
func (m *missions) lacking(s *core.Spec) (names []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	look := func(spec *core.ExecSpec) {
		for _, secret := range spec.Secrets {
			if _, ok := m.secrets[secret.Variable]; !ok && !slices.Contains(names, secret.Variable) {
				names = append(names, secret.Variable)
			}
		}
	}
	for i := range s.Workers {
		look(&s.Workers[i].Exec)
	}
	for i := range s.Validators {
		look(&s.Validators[i].Exec)
	}
	return names
}

func (m *missions) current(s *core.State) (*missionfile.Mission, error) { return m.of(s.Generation()) }

// of compiles a generation again if it has to, from the journal alone.
func (m *missions) of(generation int64) (*missionfile.Mission, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if mission := m.compiled[generation]; mission != nil {
		return mission, nil
	}
	if m.archived == nil {
		all, err := m.archive()
		if err != nil {
			return nil, fmt.Errorf("reading recorded generations: %w", err)
		}
		m.archived = all
	}
	recorded, ok := m.archived[generation]
	if !ok {
		return nil, fmt.Errorf("generation %d is not in the journal", generation)
	}
	mission, problems := missionfile.Compile(recorded.entry, recorded.sources, recorded.variables...)
	if problems.HasErrors() {
		return nil, fmt.Errorf("generation %d no longer compiles: %s", generation, problems[0].Detail)
	}
	m.compiled[generation] = mission
	return mission, nil
}

// load compiles what open jobs may still ask for. It comes before anything is
// decided: whether the disk can be read at some moment must never become part of
// the record, as a rejected result or a failed job.
func (m *missions) load(s *core.State) error {
	for _, j := range s.Jobs() {
		if j.State.Terminal() || !j.Spec.Lazy && !j.Spec.Accept {
			continue
		}
		if _, err := m.of(j.Spec.Generation); err != nil {
			return err
		}
	}
	return nil
}

// loaded is the mission file of a generation that has posted an open job.
func (m *missions) loaded(generation int64) *missionfile.Mission {
	mission := m.compiled[generation]
	if mission == nil {
		panic(fmt.Sprintf("host: generation %d has open jobs and is not loaded", generation))
	}
	return mission
}

// archive reads every recorded generation from the journal.
func archive(data string, fs journal.FS) (map[int64]recordedGeneration, error) {
	view, err := journal.Read(journal.Options{FS: fs, Dir: journalDir(data)})
	if err != nil {
		return nil, err
	}
	files := map[core.Digest][]byte{}
	var applied []*core.GenerationApplied
	err = eachEntry(view, func(e *core.Entry, _ core.Digest) error {
		for _, event := range e.Events {
			switch event := event.(type) {
			case *core.SourceRecorded:
				files[event.Digest] = event.AppendTo(files[event.Digest])
			case *core.GenerationApplied:
				applied = append(applied, event)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	all := map[int64]recordedGeneration{}
	for _, g := range applied {
		recorded := recordedGeneration{entry: g.Entry, variables: g.Variables}
		for _, ref := range g.Sources {
			recorded.sources = append(recorded.sources, missionfile.Source{Path: ref.Path, Bytes: files[ref.Digest], Digest: ref.Digest})
		}
		all[g.Number] = recorded
	}
	return all, nil
}
