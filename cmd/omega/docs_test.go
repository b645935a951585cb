package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

// TestReferenceIsComplete: every command and every flag stands in docs/cli.md
// with the words the program itself uses.
func TestReferenceIsComplete(t *testing.T) {
	b, err := os.ReadFile("../../docs/cli.md")
	require.NoError(t, err)
	page := string(b)
	known := map[string]bool{"--help": true}
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		if cmd.Name() == "completion" || cmd.Name() == "help" {
			return
		}
		if !cmd.HasSubCommands() {
			require.Contains(t, page, "`"+strings.TrimSuffix(cmd.UseLine(), " [flags]")+"`", "the use line of %s", cmd.CommandPath())
			require.Contains(t, page, cmd.Short)
		}
		flags := func(f *pflag.Flag) {
			known["--"+f.Name] = true
			require.Contains(t, page, "`--"+f.Name, "a flag of %s", cmd.CommandPath())
		}
		cmd.PersistentFlags().VisitAll(flags)
		cmd.Flags().VisitAll(flags)
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit((&program{}).root())
	for _, flag := range regexp.MustCompile("`(--[a-z-]+)").FindAllStringSubmatch(page, -1) {
		require.True(t, known[flag[1]], "docs/cli.md names %s, which no command has", flag[1])
	}
}

// TestPagesTellTheTruth runs every command shown in a console block of the
// pages for people, in a copy of the missions, page by page. What a page shows
// below a command must be printed by it, digits and digests aside; "…" stands
// for lines left out. A command that ends otherwise than with 0 says so: # exit N.
// Targets of make only have to be there. A block with the name of a file behind
// its language is saved under that name.
func TestPagesTellTheTruth(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	require.NoError(t, err)
	pages, err := filepath.Glob("../../missions/*/README.md")
	require.NoError(t, err)
	for _, page := range append(pages, "../../README.md", "../../docs/cli.md", "../../docs/programs.md", "../../docs/tutorial-policy.md") {
		t.Run(strings.TrimPrefix(page, "../../"), func(t *testing.T) {
			t.Parallel()
			dir := rehearsalTree(t)
			t.Cleanup(func() { endAll("HOME=" + filepath.Join(dir, "home")) })
			for _, c := range steps(t, page) {
				if c.file != "" {
					c.save(t, dir)
					continue
				}
				if target, ok := strings.CutPrefix(c.line, "make"); ok {
					require.Contains(t, string(makefile), "\n"+strings.TrimSpace(target)+":")
					continue
				}
				c.run(t, dir)
			}
		})
	}
}

// shown is a command of a page with what the page says of it, or a file.
type shown struct {
	line   string
	code   int
	output []string

	file, content string
}

var (
	exitNote = regexp.MustCompile(` +# exit ([0-9]+)$`)
	fence    = regexp.MustCompile("(?sm)^```([a-z]*)(?: ([^\n]+))?\n(.*?)^```$")
)

// steps reads the console blocks of a page, and the files it shows.
func steps(t *testing.T, page string) (all []shown) {
	b, err := os.ReadFile(page)
	require.NoError(t, err)
	for _, block := range fence.FindAllStringSubmatch(string(b), -1) {
		if block[2] != "" {
			all = append(all, shown{file: block[2], content: block[3]})
		}
		if block[1] != "console" {
			continue
		}
		first := len(all)
		for _, line := range strings.Split(strings.TrimSpace(block[3]), "\n") {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				c := shown{line: command}
				if note := exitNote.FindStringSubmatch(command); note != nil {
					c.line = strings.TrimSuffix(command, note[0])
					c.code, _ = strconv.Atoi(note[1])
				}
				all = append(all, c)
			} else if len(all) > first && strings.TrimSpace(line) != "" && line != "…" {
				all[len(all)-1].output = append(all[len(all)-1].output, line)
			}
		}
	}
	require.NotEmpty(t, all, "%s shows no command", page)
	return all
}

func (c shown) save(t *testing.T, dir string) {
	path := filepath.Join(dir, filepath.FromSlash(c.file))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(c.content), 0o600))
}

// rehearsalTree is a folder like this tree, with the program and the missions.
func rehearsalTree(t *testing.T) string {
	dir := t.TempDir()
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "bin"), 0o700))
	require.NoError(t, os.Symlink(self, filepath.Join(dir, "bin", "omega")))
	for _, name := range [...]string{"hello", "handoff", "workflow", "omega", "observatory"} {
		require.NoError(t, copyMission(filepath.Join("../../missions", name), filepath.Join(dir, "missions", name)))
	}
	return dir
}

func (c shown) run(t *testing.T, dir string) {
	cmd := exec.Command("sh", "-c", c.line)
	home := filepath.Join(dir, "home")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home, "XDG_STATE_HOME="+home, "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		require.NoError(t, err)
	}
	require.Equal(t, c.code, codeOf(cmd.ProcessState), "%s\n%s", c.line, out)
	printed := map[string]bool{}
	for _, line := range strings.Split(string(out), "\n") {
		printed[like(line)] = true
	}
	for _, line := range c.output {
		require.True(t, printed[like(line)], "%s does not print\n%s\nbut\n%s", c.line, line, out)
	}
}

// codeOf is the exit code a shell would show.
func codeOf(p *os.ProcessState) int {
	if status, ok := p.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return p.ExitCode()
}

var (
	digests = regexp.MustCompile(`\b[0-9a-f]{64}\b`)
	digits  = regexp.MustCompile(`[0-9]+(\.[0-9]+)?`)
)

// like is a line without what differs from run to run.
func like(line string) string {
	return digits.ReplaceAllString(digests.ReplaceAllString(strings.TrimSpace(line), "H"), "N")
}
