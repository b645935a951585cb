package host

import (
	"fmt"
	"sync"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/missionfile"
)

// missions holds the compiled mission file of each generation that is still
// asked for: a posted job is judged by the expressions of the generation that
// posted it, and those are in the journal.
type missions struct {
	mu       sync.Mutex // results are judged beside the loop too
	compiled map[int64]*missionfile.Mission
	archive  func() (map[int64]recordedGeneration, error)
	archived map[int64]recordedGeneration
}

// recordedGeneration is a mission file as the journal holds it.
type recordedGeneration struct {
	entry   string
	sources []missionfile.Source
}

func (m *missions) put(generation int64, mission *missionfile.Mission) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.compiled[generation] = mission
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
	mission, problems := missionfile.Compile(recorded.entry, recorded.sources)
	if problems.HasErrors() {
		return nil, fmt.Errorf("generation %d no longer compiles: %s", generation, problems[0].Detail)
	}
	m.compiled[generation] = mission
	return mission, nil
}
