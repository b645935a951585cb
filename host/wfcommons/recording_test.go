package wfcommons

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/stretchr/testify/require"
)

// recorded are the recordings in this tree, with their tasks and edges.
var recorded = map[string][2]int{
	"testdata/scrnaseq-dirt02-001.json":                             {14, 17},
	"../missionfile/testdata/helloworld-forkjoin-10-chameleon.json": {10, 16},
	"../../missions/workflow/montage-chameleon-2mass-01d-001.json":  {103, 231},
}

func edges(r *Recording) (all []string) {
	for _, t := range r.Tasks {
		for _, need := range t.Needs {
			all = append(all, need+" → "+t.ID)
		}
	}
	slices.Sort(all)
	return all
}

func TestRecordings(t *testing.T) {
	for path, want := range recorded {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		r, err := Parse(content)
		require.NoError(t, err)
		require.Len(t, r.Tasks, want[0])
		require.Equal(t, want[1], r.Edges)
		require.Len(t, edges(r), want[1])
		require.Zero(t, r.Timeless)
		require.True(t, slices.IsSortedFunc(r.Tasks, func(a, b Task) int { return strings.Compare(a.ID, b.ID) }))

		// What files say of the edges is what the parents say.
		var document map[string]any
		require.NoError(t, json.Unmarshal(content, &document))
		for _, task := range document["workflow"].(map[string]any)["specification"].(map[string]any)["tasks"].([]any) {
			delete(task.(map[string]any), "parents")
			delete(task.(map[string]any), "children")
		}
		orphaned, err := json.Marshal(document)
		require.NoError(t, err)
		other, err := Parse(orphaned)
		require.NoError(t, err)
		require.Equal(t, edges(r), edges(other), path)
	}
}

// wf is a recording around tasks and the rest of the workflow.
func wf(tasks, execution string) string {
	return `{"name":"w","schemaVersion":"1.5","workflow":{"specification":{"tasks":[` + tasks + `]},"execution":{` + execution + `}}}`
}

func TestWhatIsRecordedIsTaken(t *testing.T) {
	r, err := Parse([]byte(wf(
		`{"id":"b","name":"B","parents":["a"]},{"id":"a","name":" ","children":["b","c"],"parents":[],"outputFiles":["f"]},{"id":"c","inputFiles":["f","c"],"outputFiles":["c"]},{"id":"d","parents":["c","c"],"inputFiles":["f"]}`,
		`"executedAt":"then","makespanInSeconds":7.5,"tasks":[{"id":"a","runtimeInSeconds":0.0004,"coreCount":1.5,"memoryInBytes":1048577,"command":{"program":"/bin/run it"},"machines":["m2","m1"]},
		{"id":"b","runtimeInSeconds":1.2345},{"id":"c","coreCount":9000e-3,"command":{"program":"a\nscript"}}],"machines":[{"nodeName":"m1","cpu":{"coreCount":4}},{"nodeName":"m1","cpu":{"coreCount":9}},{}]`)))
	require.NoError(t, err)
	require.Equal(t, []Task{
		{ID: "a", Title: "a", Program: "run", Machine: "m2", WorkMs: 1, Cores: 2, MemoryMiB: 2},
		{ID: "b", Title: "B", WorkMs: 1235, Cores: 1, Needs: []string{"a"}},
		{ID: "c", Title: "c", WorkMs: 1, Cores: 9, Needs: []string{"a"}},
		{ID: "d", Title: "d", WorkMs: 1, Cores: 1, Needs: []string{"c"}},
	}, r.Tasks)
	require.Equal(t, []Machine{{"m1", 9}, {"m2", 1}, {"machine", 1}}, r.Machines)
	require.Equal(t, 3, r.Edges)
	require.Equal(t, 2, r.Timeless)
}

func TestRefusedRecordings(t *testing.T) {
	task := func(id, more string) string { return `{"id":"` + id + `"` + more + `}` }
	for name, c := range map[string]struct{ content, want string }{
		"nothing":                {"", "line 1, column 1: not JSON"},
		"not JSON":               {"{\n  \"name\": oops\n}", "line 2, column 11: not JSON"},
		"cut short":              {wf(task("a", ""), "")[:60], "not JSON"},
		"two documents":          {wf(task("a", ""), "") + "{}", "not JSON"},
		"a list":                 {"[]", "JSON of type array; a recording is an object"},
		"null":                   {"null", "schemaVersion is missing"},
		"not UTF-8":              {"{\n\"name\":\"\xff\"}", "line 2, column 9: not UTF-8"},
		"deep":                   {strings.Repeat("[", 100_000), "not JSON"},
		"another version":        {strings.Replace(wf(task("a", ""), ""), "1.5", "1.4", 1), `schemaVersion is "1.4": only WfFormat 1.5 is read`},
		"no version":             {"{}", "schemaVersion is missing"},
		"no workflow":            {`{"schemaVersion":"1.5"}`, "workflow.specification is missing"},
		"no task":                {wf("", ""), "tasks is empty"},
		"another type":           {wf(`{"id":7}`, ""), "workflow.specification.tasks.id is a number"},
		"no id":                  {wf(task("a", "")+`,{}`, ""), "workflow.specification.tasks[1].id is missing"},
		"a long id":              {wf(task(strings.Repeat("a", 2000), ""), ""), "has 2000 bytes"},
		"twice":                  {wf(task("a", "")+","+task("b", "")+","+task("a", ""), ""), `tasks[2].id is "a", the id of tasks[0] already`},
		"twice but for its form": {wf(task("\u00e9", "")+","+task("e\u0301", ""), ""), "the id of tasks[0] already"},
		"unknown parent":         {wf(task("a", `,"parents":["a\"\n${x}"]`), ""), `tasks[0].parents[0] is "a\"\n${x}": no task has that id`},
		"a long stranger":        {wf(task("a", `,"parents":["`+strings.Repeat("z", 5000)+`"]`), ""), "zzz…"},
		"unknown child":          {wf(task("a", `,"children":["z"]`), ""), `tasks[0].children[0] is "z": no task has that id`},
		"its own parent":         {wf(task("a", `,"parents":["a"]`), ""), "the task itself"},
		"a circle": {wf(task("a", `,"parents":["c"]`)+","+task("b", `,"parents":["a"]`)+","+task("c", `,"parents":["b"]`)+","+task("d", `,"parents":["c"]`), ""),
			`"a", "c", "b" need each other in a circle`},
		"a circle of files": {wf(task("a", `,"inputFiles":["x"],"outputFiles":["y"]`)+","+task("b", `,"inputFiles":["y"],"outputFiles":["x"]`), ""), "in a circle"},
		"a stranger":        {wf(task("a", ""), `"tasks":[{"id":"b"}]`), `workflow.execution.tasks[0].id is "b"`},
		"measured twice":    {wf(task("a", ""), `"tasks":[{"id":"a"},{"id":"a"}]`), "second time"},
		"before it began":   {wf(task("a", ""), `"tasks":[{"id":"a","runtimeInSeconds":-1}]`), "runtimeInSeconds is -1"},
		"for ever":          {wf(task("a", ""), `"tasks":[{"id":"a","runtimeInSeconds":1e300}]`), "runtimeInSeconds is 1e+300"},
		"beyond a number":   {wf(task("a", ""), `"tasks":[{"id":"a","runtimeInSeconds":1e999}]`), "runtimeInSeconds is a number 1e999"},
		"many cores":        {wf(task("a", ""), `"tasks":[{"id":"a","coreCount":1e9}]`), "coreCount is 1e+09"},
		"less than nothing": {wf(task("a", ""), `"tasks":[{"id":"a","memoryInBytes":-1}]`), "memoryInBytes is -1"},
		"a huge machine":    {wf(task("a", ""), `"machines":[{"cpu":{"coreCount":1e30}}]`), "machines[0].cpu.coreCount is 1e+30"},
	} {
		_, err := Parse([]byte(c.content))
		require.ErrorContains(t, err, c.want, name)
		require.NotContains(t, err.Error(), "\n", name)
		require.Less(t, len(err.Error()), 3000, name)
	}
	crowd := strings.Repeat(`{"id":"%d","inputFiles":["x"],"outputFiles":["x"]},`, 1100)
	ids := make([]any, 1100)
	for i := range ids {
		ids[i] = i
	}
	_, err := Parse([]byte(wf(strings.TrimSuffix(fmt.Sprintf(crowd, ids...), ","), "")))
	require.ErrorContains(t, err, "more than 1000000 edges")
	_, err = Parse(make([]byte, MaxBytes+1))
	require.ErrorContains(t, err, "more than 64 MiB")
}

func TestMissionIsFormatted(t *testing.T) {
	for _, name := range []string{"w", "", "1000 Genomes!", "\"${x}\n*/ %{ if }", strings.Repeat("Ä-x", 100), "\u202edlrow"} {
		r, err := Parse([]byte(wf(`{"id":"a"}`, `"machines":[{"nodeName":"\"${x}%{y}\n\u2028\\"}]`)))
		require.NoError(t, err)
		r.Name = name
		mission := r.Mission("a\nb # ${c}.json")
		require.Equal(t, string(mission), string(hclwrite.Format(mission)))
		for _, line := range strings.Split(string(mission), "\n") {
			require.Less(t, len(line), 300)
		}
		require.NotContains(t, string(mission), "\u202e")
	}
}

func TestTaskLinesHoldAnything(t *testing.T) {
	id := "a\"\\\n${x}%{y}<&>\u2028\x7f"
	quoted, err := json.Marshal(id)
	require.NoError(t, err)
	r, err := Parse([]byte(wf(fmt.Sprintf(`{"id":%s,"name":%s},{"id":"b","parents":[%s]}`, quoted, quoted, quoted), "")))
	require.NoError(t, err)
	lines, err := r.TaskLines()
	require.NoError(t, err)
	var tasks map[string]struct {
		Title string
		Needs []string
	}
	require.NoError(t, json.Unmarshal(lines, &tasks))
	require.Equal(t, id, tasks[id].Title)
	require.Equal(t, []string{id}, tasks["b"].Needs)
	require.Equal(t, 4, strings.Count(string(lines), "\n"), "a task a line")
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(wf(`{"id":"a","parents":["b"]},{"id":"b"}`, `"tasks":[{"id":"a","runtimeInSeconds":3}]`)))
	f.Fuzz(func(t *testing.T, content []byte) {
		r, err := Parse(content)
		if err != nil {
			return
		}
		_, err = r.TaskLines()
		require.NoError(t, err)
		mission := r.Mission("x.json")
		require.Equal(t, string(mission), string(hclwrite.Format(mission)))
	})
}
