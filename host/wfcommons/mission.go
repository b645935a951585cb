package wfcommons

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// The files of an imported mission.
const (
	MissionFile = "mission.hcl"
	TasksFile   = "tasks.json"
)

const (
	reward      = 10  // TOKEN for each task
	perTask     = 12  // it, the fee, and cores at their price
	perSlot     = 100 // for the stakes of workers and validators
	spare       = 1000
	maxNameSlug = 40
)

// TaskLines is tasks.json: what the mission uses of the recording, a task a
// line, so that it can be read, edited and compared.
func (r *Recording) TaskLines() ([]byte, error) {
	var b bytes.Buffer
	encode := func(v any) error {
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		err := e.Encode(v)
		b.Truncate(b.Len() - 1) // its newline
		return err
	}
	for i, t := range r.Tasks {
		b.WriteString(map[bool]string{true: "{\n  ", false: ",\n  "}[i == 0])
		if err := encode(t.ID); err != nil {
			return nil, err
		}
		b.WriteString(": ")
		needs := t.Needs
		if needs == nil {
			needs = []string{}
		}
		line := struct {
			Title     string   `json:"title"`
			Program   string   `json:"program"`
			Machine   string   `json:"machine"`
			WorkMs    int64    `json:"work_ms"`
			Cores     int64    `json:"cores"`
			MemoryMiB int64    `json:"memory_mib"`
			Needs     []string `json:"needs"`
		}{t.Title, t.Program, t.Machine, t.WorkMs, t.Cores, t.MemoryMiB, needs}
		if err := encode(line); err != nil {
			return nil, err
		}
	}
	b.WriteString("\n}\n")
	return b.Bytes(), nil
}

// seconds writes milliseconds as a decimal number of seconds.
func seconds(ms int64) string {
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%d.%03d", ms/1000, ms%1000), "0"), ".")
}

// Mission is mission.hcl. Source is what it is called where it came from.
func (r *Recording) Mission(source string) []byte {
	slots, widest, cost := int64(0), int64(0), int64(0)
	for _, m := range r.Machines {
		slots += m.Cores
	}
	for _, t := range r.Tasks {
		widest, cost = max(widest, t.Cores), cost+perTask+t.Cores/1000
	}
	tokens := (cost + slots*perSlot + 2*spare - 1) / spare * spare
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s, run again with its own edges and run times: %d tasks, %d edges,\n", remark(or(r.Name, "A workflow")), len(r.Tasks), r.Edges)
	fmt.Fprintf(&b, "# %s s one after the other. Imported from %s (WfFormat %s)", seconds(r.sum()), remark(source), Version)
	if r.Executed != "" {
		fmt.Fprintf(&b, ",\n# recorded %s", remark(r.Executed))
	}
	if r.Makespan > 0 {
		fmt.Fprintf(&b, "; the run took %s s then", remark(fmt.Sprint(r.Makespan)))
	}
	b.WriteString(".\n")
	if r.Timeless > 0 {
		fmt.Fprintf(&b, "# %d tasks have no recorded run time and take 1 ms: set their work_ms.\n", r.Timeless)
	}
	fmt.Fprintf(&b, missionText, r.slug(), TasksFile, r.machineLines(), tokens, max(slots, widest), reward)
	return hclwrite.Format(b.Bytes())
}

const missionText = `
mission "%s" {
  seed = 1
}

locals {
  # One line a task: title, program, machine, run time in milliseconds, cores,
  # memory in MiB, and the ids of the tasks it needs.
  tasks = jsondecode(file("%s"))

  # The machines of the recording and how many tasks each takes at a time.
  machines = {
%s  }
}

# Enough for every reward, fee and stake; more tasks or slots need more.
treasury {
  tokens = %d
}

# COMPUTE counts cores here: a task holds its own while it runs, and waits where
# too few are free.
resources {
  compute {
    capacity = %d
  }
}

worker "machine" {
  for_each = local.machines
  skills   = ["compute"]
  slots    = each.value

  # It takes its time and does nothing; failure_ratio = 0.05 makes it fail now
  # and then. An exec block in its place does real work.
  simulated {}
}

job "task" {
  for_each = local.tasks

  title          = each.value.title
  skills         = ["compute"]
  reward         = %d
  work           = "${each.value.work_ms}ms"
  compute_budget = each.value.cores
  needs          = [for id in each.value.needs : job.task[id]]
  labels = {
    program    = each.value.program
    machine    = each.value.machine
    memory_mib = tostring(each.value.memory_mib)
  }
}
`

func (r *Recording) sum() (ms int64) {
	for _, t := range r.Tasks {
		ms += t.WorkMs
	}
	return ms
}

// machineLines are the items of local.machines.
func (r *Recording) machineLines() string {
	var b strings.Builder
	for _, m := range r.Machines {
		fmt.Fprintf(&b, "    %s = %d\n", hclwrite.TokensForValue(cty.StringVal(m.Name)).Bytes(), m.Cores)
	}
	return b.String()
}

// slug is the recording's name as a mission may have it.
func (r *Recording) slug() string {
	var b strings.Builder
	for _, c := range strings.ToLower(r.Name) {
		letter := c >= 'a' && c <= 'z'
		switch digit := c >= '0' && c <= '9'; {
		case b.Len() == maxNameSlug:
		case digit && b.Len() == 0:
			b.WriteString("w-")
			b.WriteRune(c)
		case letter || digit:
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return or(strings.TrimRight(b.String(), "-"), "workflow")
}

// remark is text from outside within a comment: one short line of it.
func remark(text string) string {
	text = strings.Map(func(c rune) rune {
		if c < ' ' || c >= 0x7f && c < 0xa0 || c == 0x2028 || c == 0x2029 || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069 {
			return ' '
		}
		return c
	}, text)
	return clip(strings.TrimSpace(text), 80)
}
