package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/core"
	"github.com/omega-run/omega/host/script"
)

func (p *program) policyDiffCommand() *cobra.Command {
	var against, policy string
	cmd := &cobra.Command{
		Use:   "diff NEW",
		Short: "Say what a new version of a policy would have decided otherwise, of all that is recorded",
		Long: `Give each recorded request to a new version of a policy, with the params and the state of the mission of
then, and list where it says something else. Nothing is changed, and a host may run meanwhile. Exit 0 if
nothing differs, 1 if something does, 4 if the script cannot be read.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			engine := script.New(script.Options{})
			defer engine.Close()
			ctx, cancel := notify()
			defer cancel()
			return p.policyDiff(ctx, engine, args[0], against, policy)
		},
	}
	cmd.Flags().StringVar(&against, "against", "", "the data folder whose record it is held against: `DATA`; that of the mission here by default")
	cmd.Flags().StringVar(&policy, "policy", "", "the policy it is a version of: `NAME`; by default the one whose script it is, or that is called as the file")
	_ = cmd.RegisterFlagCompletionFunc("policy", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return p.policyNames(against), cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

// policyNames are the policies of a recorded mission.
func (p *program) policyNames(data string) (names []string) {
	if data == "" {
		data, _ = p.folder()
	}
	r, err := host.Read(data)
	if err != nil {
		return nil
	}
	return namesOf(r.State.Spec())
}

func namesOf(spec *core.Spec) (names []string) {
	for i := range spec.Policies {
		names = append(names, spec.Policies[i].Name)
	}
	return names
}

func (p *program) policyDiff(ctx context.Context, engine script.Engine, file, data, policy string) error {
	if data != "" {
		p.data = data
	}
	r, data, err := p.read()
	if err != nil {
		return err
	}
	folder, entry := "", file
	if !strings.HasPrefix(file, "omega:") {
		if info, err := os.Stat(file); err != nil || info.IsDir() {
			return usage("there is no script %s", file)
		}
		if folder, entry, err = inMission(file); err != nil {
			return err
		}
	}
	if policy, err = policyOf(r.State.Spec(), entry, policy); err != nil {
		return err
	}
	program, problems := bundle(ctx, engine, folder, entry)
	if len(problems) > 0 {
		return &host.DiagnosticsError{Diagnostics: problems}
	}
	told, err := host.Rehear(ctx, data, policy, program, engine)
	if err != nil {
		return err
	}
	told.Script = fromHere(folder, entry)
	if p.json {
		err = p.print(told)
	} else {
		w := bufio.NewWriter(p.out)
		tellRehearing(w, told)
		err = w.Flush()
	}
	if err == nil && told.Changed > 0 {
		err = &exit{code: host.CodeFailed}
	}
	return err
}

// policyOf is the policy a script is a version of.
func policyOf(spec *core.Spec, entry, said string) (string, error) {
	names := namesOf(spec)
	known := "the mission has no policies"
	if len(names) > 0 {
		known = "there are " + strings.Join(names, ", ")
	}
	if said != "" {
		if !slices.Contains(names, said) {
			return "", usage("there is no policy %s: %s", said, known)
		}
		return said, nil
	}
	var found []string
	for i := range spec.Policies {
		if spec.Policies[i].Script.Path == entry {
			found = append(found, spec.Policies[i].Name)
		}
	}
	base, _, _ := strings.Cut(filepath.Base(entry), ".")
	base = strings.TrimPrefix(base, "omega:")
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return "", usage("%s is the script of %s: say which with --policy NAME", entry, strings.Join(found, " and "))
	case slices.Contains(names, base):
		return base, nil
	}
	return "", usage("%s is the script of no policy: say with --policy NAME which one it is a version of; %s", entry, known)
}

// toldChanges is how many changes are listed; --json has up to a thousand.
const toldChanges = 40

func tellRehearing(w io.Writer, r *host.Rehearing) {
	fmt.Fprintf(w, "policy %s of %s, %s version %s, against %d entries\n", r.Policy, clean(r.Mission), clean(r.Script), shortDigest(r.Digest), r.Seq)
	for _, c := range r.Changes[:min(len(r.Changes), toldChanges)] {
		turned := ""
		if !c.Turned {
			turned = "  (nothing would have come of it)"
		}
		fmt.Fprintf(w, "#%d  %s  %s %s: %s -> %s%s\n", c.Seq, c.At.Clock(), c.Hook, clean(c.Subject), c.Was.Say, c.Would.Say, turned)
		saidLine(w, "was", &c.Was)
		saidLine(w, "would be", &c.Would)
	}
	if more := r.Changed - int64(min(len(r.Changes), toldChanges)); more > 0 {
		fmt.Fprintf(w, "… %d more, see --json\n", more)
	}
	fmt.Fprintf(w, "%s: %d same, %d changed\n", number(r.Asked, "request"), r.Same, r.Changed)
	for _, one := range [...]struct {
		n    int64
		text string
	}{{r.Turned, "of the changes would have led to something else"}, {r.Reworded, "of the same have another reason"}, {r.Faults, "calls failed"}, {r.Skipped, "requests were too long to be recorded"}} {
		if one.n > 0 {
			fmt.Fprintf(w, "  %d %s\n", one.n, one.text)
		}
	}
}

func saidLine(w io.Writer, what string, s *host.Said) {
	if text := because(s.Reason, s.Fault); text != "" {
		fmt.Fprintf(w, "      %s%s\n", what, short(text))
	}
}
