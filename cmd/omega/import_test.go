package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/omega-run/omega/host"
)

// TestImportedWorkflowKeepsItsEdges imports every recording in the tree and
// rehearses it: no task begins before each of its recorded parents was finalized,
// and each takes the time it took.
func TestImportedWorkflowKeepsItsEdges(t *testing.T) {
	for _, path := range []string{
		"../../missions/workflow/montage-chameleon-2mass-01d-001.json",
		"../../host/missionfile/testdata/helloworld-forkjoin-10-chameleon.json",
		"../../host/wfcommons/testdata/scrnaseq-dirt02-001.json",
	} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			dir := t.TempDir()
			made, data := filepath.Join(dir, "made"), filepath.Join(dir, "data")
			omega(t, "import", "wfcommons", path, "--output", made)
			omega(t, "check", made)
			omega(t, "run", "--ci", made, "--data", data)
			requireRecorded(t, content, lives(t, data))
		})
	}
}

func omega(t *testing.T, args ...string) {
	var out, problems bytes.Buffer
	require.Zero(t, Main(args, nil, &out, &problems), "%v: %s", args, problems.String())
	require.Empty(t, problems.String(), "%v", args)
}

// life is when a job's attempt began and was submitted, in mission time, and the
// entries in which it was assigned and ended.
type life struct {
	began, submitted  int64
	assigned, settled uint64
}

func lives(t *testing.T, data string) map[string]*life {
	all := map[string]*life{}
	require.NoError(t, host.Log(context.Background(), data, host.LogOptions{}, func(e *host.LoggedEntry) error {
		var entry struct {
			Seq    uint64
			At     int64
			Events []struct {
				Type, State string
				Job         json.RawMessage
			}
		}
		if err := json.Unmarshal(e.JSON(), &entry); err != nil {
			return err
		}
		for _, event := range entry.Events {
			var id string
			if json.Unmarshal(event.Job, &id) != nil {
				continue
			}
			if all[id] == nil {
				all[id] = &life{}
			}
			switch l := all[id]; event.Type {
			case "job_assigned":
				require.Zero(t, l.assigned, "%s is tried twice", id)
				l.began, l.assigned = entry.At, entry.Seq
			case "attempt_submitted":
				l.submitted = entry.At
			case "job_ended":
				require.Equal(t, "finalized", event.State)
				l.settled = entry.Seq
			}
		}
		return nil
	}))
	return all
}

// requireRecorded compares what was run with what was recorded, read here once
// more and in another way.
func requireRecorded(t *testing.T, content []byte, run map[string]*life) {
	var document struct {
		Workflow struct {
			Specification struct {
				Tasks []struct {
					ID      string
					Parents []string
				}
			}
			Execution struct {
				Tasks []struct {
					ID               string
					RuntimeInSeconds float64
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal(content, &document))
	jobOf := func(task string) *life {
		sum := sha256.Sum256([]byte(task))
		l := run[fmt.Sprintf("task_%x", sum[:6])]
		require.NotNil(t, l, task)
		return l
	}
	edges := 0
	for _, task := range document.Workflow.Specification.Tasks {
		for _, parent := range task.Parents {
			edges++
			require.LessOrEqual(t, jobOf(parent).settled, jobOf(task.ID).assigned, "%s begins before %s ends", task.ID, parent)
		}
	}
	require.Positive(t, edges)
	require.Len(t, run, len(document.Workflow.Specification.Tasks))
	for _, task := range document.Workflow.Execution.Tasks {
		l := jobOf(task.ID)
		require.InDelta(t, max(1, task.RuntimeInSeconds*1000), l.submitted-l.began, 0.5, task.ID)
	}
}
