package main

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"github.com/omega-run/omega/scripts"
)

//go:embed new
var beginnings embed.FS

// scriptKinds are the kinds of script, and the block of a mission file that
// names each.
func scriptKinds() [][2]string {
	return [][2]string{
		{"policy", "policy \"%s\" {\n  script = \"scripts/%s\"\n  on     = [\"job.post\"]\n  mode   = \"shadow\" # \"enforce\" once it says what it should\n  params = { limit = \"1000\" }\n}\n"},
		{"guardian", "guardian {\n  script = \"scripts/%[2]s\"\n}\n"},
		{"strategist", "strategist \"%s\" {\n  script = \"scripts/%s\"\n  budget = 1000\n  params = { skills = [\"work\"], reward = \"10\" }\n}\n"},
		{"validator", "validator \"%s\" {\n  script = \"scripts/%s\"\n  count  = 3\n  params = { needs = [\"total\"] }\n}\n"},
		{"worker", "worker \"%s\" {\n  script = \"scripts/%s\"\n  skills = [\"%[1]s\"]\n}\n"},
	}
}

// Begun is what `omega new` writes with --json.
type Begun struct {
	Kind  string   `json:"kind"`
	Name  string   `json:"name"`
	Files []string `json:"files"` // written
	Block string   `json:"block"` // to be added to the mission file
}

func (p *program) newCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "new", Short: "Begin a script: a policy, guardian, strategist, validator or worker, with a test", Args: noOther, RunE: help}
	for _, kind := range scriptKinds() {
		cmd.AddCommand(p.newScriptCommand(kind[0], kind[1]))
	}
	return cmd
}

func (p *program) newScriptCommand(kind, block string) *cobra.Command {
	var lang string
	cmd := &cobra.Command{
		Use: kind + " NAME [DIR]", Short: "Begin a " + kind + " in the folder scripts of a mission", Args: cobra.RangeArgs(1, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 1 {
				dir = args[1]
			}
			if lang != "js" && lang != "ts" {
				return usage("--lang is js or ts")
			}
			return p.newScript(kind, block, args[0], lang, dir)
		},
	}
	cmd.Flags().StringVar(&lang, "lang", "js", "the language: `js|ts`")
	_ = cmd.RegisterFlagCompletionFunc("lang", cobra.FixedCompletions([]cobra.Completion{"js", "ts"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

var scriptName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

func (p *program) newScript(kind, block, name, lang, dir string) error {
	if !scriptName.MatchString(name) {
		return usage("%q is no name: small letters, digits and -, beginning with a letter, at most 63", name)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return usage("there is no folder %s: name the mission's", dir)
	}
	file := name + "." + lang
	texts, err := scriptTexts(kind, name, lang)
	if err != nil {
		return err
	}
	folder := filepath.Join(dir, "scripts")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	begun := Begun{Kind: kind, Name: name, Files: []string{}, Block: fmt.Sprintf(block, name, file)}
	for _, one := range texts {
		written, err := writeNew(filepath.Join(folder, one.name), one.text)
		if err != nil {
			for _, path := range begun.Files {
				err = errors.Join(err, os.Remove(path))
			}
			return err
		}
		if written {
			begun.Files = append(begun.Files, filepath.Join(folder, one.name))
		}
	}
	if p.json {
		return p.print(begun)
	}
	for _, path := range begun.Files {
		fmt.Fprintf(p.out, "wrote %s\n", path)
	}
	_, err = fmt.Fprintf(p.out, "\nAdd to the mission file:\n\n%s\nTry it: omega policy test %s\n", begun.Block, filepath.Join(folder, name+".test."+lang))
	return err
}

// scriptText is a file to be written.
type scriptText struct {
	name string
	text []byte
}

// declarations are what an editor reads to know what a script is given.
const declarations = "omega.d.ts"

// scriptTexts are a script, its test, and the declarations.
func scriptTexts(kind, name, lang string) ([]scriptText, error) {
	texts := []scriptText{{name: name + "." + lang}, {name: name + ".test." + lang}, {declarations, scripts.Declarations()}}
	for i, source := range []string{kind, kind + "-test"} {
		t, err := template.ParseFS(beginnings, "new/"+source)
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		data := struct {
			Name, File, Ident string
			TS                bool
		}{name, name + "." + lang, ident(name), lang == "ts"}
		if err := t.Execute(&b, data); err != nil {
			return nil, err
		}
		texts[i].text = b.Bytes()
	}
	return texts, nil
}

// ident is a name that JavaScript takes: no word of the language has a $.
func ident(name string) string {
	parts := strings.Split(name, "-")
	for i, part := range parts {
		if i > 0 && part != "" {
			parts[i] = strings.ToUpper(part[:1]) + part[1:]
		}
	}
	joined := strings.Join(parts, "")
	if slices.Contains(takenNames(), joined) {
		return joined + "Script"
	}
	return joined
}

// takenNames are those a script's test or the language uses already.
func takenNames() []string {
	return strings.Fields(`account equal ok test throws view job worker input submission work posting ended
		break case catch class const continue debugger default delete do else enum export extends false finally for function if implements import in instanceof
		interface let new null package private protected public return static super switch this throw true try typeof var void while with yield await async
		arguments eval undefined`)
}

// writeNew writes a file that is not there yet. Declarations that are there
// already stay.
func writeNew(path string, text []byte) (bool, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	switch {
	case errors.Is(err, fs.ErrExist) && filepath.Base(path) == declarations:
		return false, nil
	case errors.Is(err, fs.ErrExist):
		return false, usage("%s is there already: choose another name, or remove it", path)
	case err != nil:
		return false, err
	}
	if _, err = f.Write(text); err != nil {
		f.Close()
		return true, err
	}
	return true, f.Close()
}
