package main

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/missionfile"
)

func (p *program) planCommand() *cobra.Command {
	var given func() missionfile.Given
	cmd := &cobra.Command{
		Use:   "plan [PATH]",
		Short: "Say what an edit of the mission file would change, and what it can cost; nothing is run or written",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			sheet, _, err := p.planned(args, given())
			if err != nil {
				return err
			}
			if p.json {
				err = p.print(sheet)
			} else {
				err = p.tellPlan(sheet)
			}
			if err == nil && sheet.Outcome == host.PlanBroken {
				err = &exit{code: host.CodeInvalid}
			}
			return err
		},
	}
	given = variables(cmd)
	return cmd
}

// planned compares the mission file a command is given, or finds, with what its
// data folder holds.
func (p *program) planned(args []string, given missionfile.Given) (sheet *host.PlanSheet, data string, err error) {
	at, data, err := p.missionAndData(args, given)
	if err != nil {
		return nil, "", err
	}
	sheet, err = host.Plan(at, data, given)
	return sheet, data, err
}

// missionAndData finds a mission file and its data folder by either of them. The
// folder is "" where the file cannot be read so far and no mission has run there.
func (p *program) missionAndData(args []string, given missionfile.Given) (at, data string, err error) {
	if at, err = path(args); err != nil && len(args) == 0 && p.data != "" {
		at, err = pathOf(p.data)
	}
	if err != nil || p.data != "" {
		return at, p.data, err
	}
	mission, _ := missionfile.Load(at, given)
	if data, err = host.DataFolder(at, mission); err != nil {
		data = ""
	}
	return at, data, nil
}

// pathOf is where the mission file of a data folder was when it was last run.
func pathOf(data string) (string, error) {
	known, err := host.Missions()
	if err != nil {
		return "", err
	}
	here, err := filepath.Abs(data)
	if err != nil {
		return "", err
	}
	for _, k := range known {
		if k.Data == here || k.Data == data {
			return k.Path, nil
		}
	}
	return "", usage("%s is not known here: name the mission file beside --data", data)
}

// outcomeText is what a plan comes to, in words.
func outcomeText(s *host.PlanSheet) string {
	switch s.Outcome {
	case host.PlanNew:
		return "a new mission: nothing has run yet"
	case host.PlanNothing:
		return fmt.Sprintf("nothing changes: it is generation %d, which is in force", s.Generation)
	case host.PlanApplies:
		return fmt.Sprintf("an edit of generation %d; it comes into force by itself", s.Generation)
	case host.PlanHeld:
		return fmt.Sprintf("an edit of generation %d that removes something: it waits for omega apply", s.Generation)
	case host.PlanRefused:
		return fmt.Sprintf("an edit of generation %d that changes what is fixed since genesis: it is refused", s.Generation)
	case host.PlanEnded:
		return "the mission has ended: nothing can be changed any more"
	}
	return "the mission is broken as it lies on the disk: it changes nothing"
}

func (p *program) tellPlan(s *host.PlanSheet) error {
	if err := s.Problems.Print(p.err, p.colour()); err != nil {
		return err
	}
	w := bufio.NewWriter(p.out)
	name := s.Mission
	if name == "" {
		name = "?"
	}
	fmt.Fprintf(w, "%s: %s\n", clean(name), outcomeText(s))
	if s.Outcome != host.PlanBroken {
		tellChanges(w, s)
		fmt.Fprintf(w, "  it costs at most %s tokens, %s energy, %s compute\n", s.Ceiling.Tokens, s.Ceiling.Energy, s.Ceiling.Compute)
	}
	for _, o := range s.Overrides {
		fmt.Fprintf(w, "  the owner has set %s to %s, the file says %s\n", o.Setting, clean(o.Owner), clean(o.File))
	}
	for _, a := range s.Approvals {
		fmt.Fprintf(w, "  for you: %s %s: %s\n", clean(subject(a)), clean(a.Reason), a.Command)
	}
	return w.Flush()
}

func subject(a host.PlanApproval) string {
	if a.Kind == "edit" {
		return "the edit"
	}
	return a.Name
}

// mostChanges is how many changes people are told.
const mostChanges = 60

func tellChanges(w io.Writer, s *host.PlanSheet) {
	signs := map[string]string{missionfile.Added: "+", missionfile.Removed: "-", missionfile.Changed: "~"}
	for _, c := range s.Changes[:min(len(s.Changes), mostChanges)] {
		text := c.Kind + " " + c.Name
		if c.Count > 1 {
			text += fmt.Sprintf(" (%d)", c.Count)
		}
		if len(c.Detail) > 0 {
			text += ": " + strings.Join(c.Detail, ", ")
		}
		if c.What == missionfile.Changed {
			text += reach(c.Effect)
		}
		fmt.Fprintf(w, "  %s %s\n", signs[c.What], clean(text))
	}
	if more := len(s.Changes) - mostChanges; more > 0 {
		fmt.Fprintf(w, "  and %d more\n", more)
	}
	if n := len(s.Kept); n > 0 {
		fmt.Fprintf(w, "  %d posted jobs keep the terms they were posted with: %s\n", n, few(s.Kept))
	}
}

func reach(effect core.Changes) string {
	switch effect {
	case core.NewJobs:
		return "; for jobs not yet posted"
	case core.Never:
		return "; fixed since genesis"
	}
	return ""
}

func few(names []string) string {
	const most = 5
	text := clean(strings.Join(names[:min(len(names), most)], ", "))
	if len(names) > most {
		text += " …"
	}
	return text
}
