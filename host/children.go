package host

import (
	"encoding/json"
	"slices"

	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/missionfile"
)

// childrenOf reads the children an attempt asks for and gives them their ids: n
// is how many its job has already. Children that need others stand after them:
// decoding has seen to it that names are unique and needs lead to no circle.
func childrenOf(parent string, n int, raw []byte) ([]core.JobSpec, error) {
	declared, err := missionfile.DecodeChildren(raw)
	if err != nil {
		return nil, err
	}
	ordered, ids := make([]core.JobSpec, 0, len(declared)), map[string]string{}
	for len(declared) > 0 {
		next := slices.IndexFunc(declared, func(child core.JobSpec) bool {
			return !slices.ContainsFunc(child.Needs, func(need string) bool { return ids[need] == "" })
		})
		if next < 0 {
			panic("host: decoded children need each other in a circle")
		}
		child := declared[next]
		declared = slices.Delete(declared, next, next+1)
		name := child.ID
		child.ID = core.ChildID(parent, n+len(ordered)+1)
		for i, need := range child.Needs {
			child.Needs[i] = ids[need]
		}
		ids[name] = child.ID
		delete(ids, "")
		if child.Title == "" {
			child.Title = name
		}
		ordered = append(ordered, child)
	}
	return ordered, nil
}

// childOf is what a job's next attempt learns of a child.
type childOf struct {
	Job    string          `json:"job"`
	Title  string          `json:"title,omitempty"`
	State  core.JobState   `json:"state"`
	Reason string          `json:"reason,omitempty"`
	Result json.RawMessage `json:"result"` // null unless it finalized
}

// familyOf tells an attempt what became of the children of those before it, and
// what is left to spend on others; nil where there are none.
func familyOf(s *core.State, j *core.Job) []byte {
	if len(j.Children) == 0 {
		return nil
	}
	told := struct {
		Children []childOf `json:"children"`
		Left     string    `json:"left"` // TOKEN
	}{Left: s.Grantable(j).String()}
	for _, child := range j.Children {
		c := childOf{Job: child.Spec.ID, Title: child.Spec.Title, State: child.State, Reason: child.Reason, Result: json.RawMessage("null")}
		if child.State == core.JobFinalized {
			c.Result = child.Answer.Result
		}
		told.Children = append(told.Children, c)
	}
	b, err := json.Marshal(told)
	if err != nil {
		panic("host: recorded results are not JSON: " + err.Error())
	}
	return b
}
