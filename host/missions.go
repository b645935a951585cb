package host

import (
	"fmt"
	"slices"
	"sync"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/journal"
	"github.com/omega-run/omega/host/missionfile"
	"github.com/omega-run/omega/host/script"
	"github.com/omega-run/omega/host/worker"
)

// missions holds the compiled mission file of each generation that is still
// asked for: a posted job is judged by the expressions of the generation that
// posted it, and those are in the journal.
type missions struct {
	mu       sync.Mutex // results are judged beside the loop too
	compiled map[int64]*missionfile.Mission
	latest   int64 // in force
	archive  func() (map[int64]recordedGeneration, error)
	archived map[int64]recordedGeneration
	scripts  *scripts
	programs map[core.Digest]program // of all scripts that a mission file of this process has named
	asking   map[int64]int           // open jobs with expressions, by the generation that posted them
	secrets  map[string]string       // values of sensitive variables, of the files read by this process
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
	m.compiled[generation], m.latest = mission, max(m.latest, generation)
	m.learn(mission)
}

// inForce is the mission file in force, for who asks beside the loop.
func (m *missions) inForce() (generation int64, mission *missionfile.Mission) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.latest, m.compiled[m.latest]
}

// know remembers the sensitive values of a mission file, also of one that is not
// in force: no record holds them. It reports whether one is another now.
func (m *missions) know(mission *missionfile.Mission) (news bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.learn(mission)
}

func (m *missions) learn(mission *missionfile.Mission) (news bool) {
	m.learnScripts(mission)
	for _, name := range mission.Secrets() {
		if value, ok := mission.Secret(name); ok {
			if m.secrets == nil {
				m.secrets = map[string]string{}
			}
			news = news || m.secrets[name] != value
			m.secrets[name] = value
		}
	}
	return news
}

// secretsOf are the values a program or a server is given.
func (m *missions) secretsOf(named []core.Secret) (all []worker.Secret) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range named {
		all = append(all, worker.Secret{Name: s.Name, Value: m.secrets[s.Variable]})
	}
	return all
}

// lacking are the sensitive variables a spec needs and nobody has given.
func (m *missions) lacking(s *core.Spec) (names []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	look := func(named []core.Secret) {
		for _, secret := range named {
			if _, ok := m.secrets[secret.Variable]; !ok && !slices.Contains(names, secret.Variable) {
				names = append(names, secret.Variable)
			}
		}
	}
	for i := range s.Workers {
		look(*s.Workers[i].Secrets())
	}
	for i := range s.Validators {
		look(s.Validators[i].Exec.Secrets)
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
	var engine script.Engine
	if m.scripts != nil {
		engine = m.scripts
	}
	mission, problems := missionfile.CompileWith(engine, recorded.entry, recorded.sources, recorded.variables...)
	if problems.HasErrors() {
		return nil, fmt.Errorf("generation %d no longer compiles: %s", generation, problems[0].Detail)
	}
	m.compiled[generation] = mission
	m.learnScripts(mission)
	return mission, nil
}

// load compiles what is in force and what open jobs may still ask for. It comes
// before anything is decided: whether the disk can be read at some moment must
// never become part of the record, as a rejected result or a failed job. From
// here on the journal is not read for it again.
func (m *missions) load(s *core.State) error {
	if _, err := m.current(s); err != nil {
		return err
	}
	m.latest = s.Generation()
	for _, j := range s.Jobs() {
		if j.State.Terminal() || !asks(j.Spec.JobSpec) {
			continue
		}
		if _, err := m.of(j.Spec.Generation); err != nil {
			return err
		}
		m.count(j.Spec.Generation, 1)
	}
	if err := m.loadScripts(s); err != nil {
		return err
	}
	m.archived = nil
	return nil
}

// asks reports whether a job has expressions of its generation to evaluate.
func asks(j *core.JobSpec) bool { return j.Lazy || j.Accept }

func (m *missions) count(generation int64, jobs int) {
	if m.asking == nil {
		m.asking = map[int64]int{}
	}
	m.asking[generation] += jobs
}

// follow counts the open jobs of each generation, so that an edit does not have
// to look for them.
func (m *missions) follow(s *core.State, e *core.Entry) {
	for _, event := range e.Events {
		if posted, ok := event.(*core.JobPosted); ok && asks(&posted.Spec) {
			m.count(posted.Spec.Generation, 1)
		}
	}
	for _, j := range s.Ended() {
		if asks(j.Spec.JobSpec) {
			m.count(j.Spec.Generation, -1)
		}
	}
}

// retire drops the generations nobody asks for any more.
func (m *missions) retire(current int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for generation := range m.compiled {
		if generation != current && m.asking[generation] == 0 {
			delete(m.compiled, generation)
			delete(m.asking, generation)
		}
	}
}

// loaded is the mission file of a generation that has posted an open job.
func (m *missions) loaded(generation int64) *missionfile.Mission {
	m.mu.Lock()
	defer m.mu.Unlock()
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
