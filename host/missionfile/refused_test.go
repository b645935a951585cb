package missionfile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// head is a mission without jobs; a job after it starts in line 9.
const head = `mission "m" {}
treasury {
  tokens = 1e9
}
worker "w" {
  skills = ["build"]
  simulated {}
}
`

// job is a job block with further lines, which start in line 12 after head.
func job(name string, lines ...string) string {
	return fmt.Sprintf("job %q {\n  skills = [\"build\"]\n  reward = 1\n%s\n}\n", name, strings.Join(lines, "\n"))
}

func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func load(t *testing.T, content string) (*Mission, Diagnostics) {
	t.Helper()
	return Load(write(t, t.TempDir(), "mission.hcl", content))
}

func deep(left string, n int) string { return "  title = " + strings.Repeat(left, n) }

// TestRefused is bad input, where it is reported, and what the author reads.
// Each has exactly one error unless more places are named.
func TestRefused(t *testing.T) {
	a, b := job("alpha"), func(lines ...string) string { return job("beta", lines...) }
	for _, c := range []struct {
		name, source string
		want         []string // line:column: summary … part of the remedy
	}{
		{"misspelt block", strings.Replace(head, "treasury", "tresury", 1) + a, []string{`2:1: Unsupported block type: Did you mean "treasury"?`}},
		{"misspelt attribute", head + strings.Replace(a, "reward", "rewrd", 1), []string{`11:3: Unsupported argument: Did you mean "reward"?`}},
		{"misspelt setting", strings.Replace(head, "tokens", "token", 1) + a, []string{`3:3: Unsupported argument: Did you mean "tokens"?`}},
		{"misspelt need", head + a + b("  needs = [job.alpah]"), []string{`17:12: Unknown job: Did you mean "alpha"?`}},
		{"misspelt input", head + a + b("  input = { x = job.alpah.result }"), []string{`17:17: Unknown job: Did you mean "alpha"?`}},
		{"misspelt local", head + "locals {\n  pay = 1\n}\n" + b("  work = local.pey"), []string{`15:10: Unknown local: Did you mean "pay"?`}},
		{"misspelt each", head + b("  for_each = [\"x\"]", "  title = each.kex"), []string{`13:11: Unknown reference: Did you mean "key"?`}},
		{"minus without spaces", head + b("  count = 2", "  work = count.index-1"), []string{`13:10: Unknown reference: count.index - 1`}},
		{"unknown root", head + b("  priority = high"), []string{`12:14: Unknown reference: "high" in quotes`}},
		{"count without count", head + b("  work = count.index"), []string{`12:10: No count here: where count is set`}},
		{"job elsewhere", head + a + b("  title = job.alpha.result"), []string{`17:11: No jobs can be referred to here: needs and input`}},
		{"unknown function", head + b(`  title = uper("a")`), []string{`12:11: Call to unknown function: Did you mean "upper"?`}},
		{"clock", head + b(`  title = timestamp()`), []string{`12:11: Call to unknown function: timestamp`}},

		{"text for an amount", head + strings.Replace(a, "= 1", `= "many"`, 1), []string{`11:12: Invalid reward: not a number`}},
		{"list for an amount", head + strings.Replace(a, "= 1", "= [1]", 1), []string{`11:12: Invalid reward: Write a number`}},
		{"text for a list", head + strings.Replace(a, `["build"]`, `"build"`, 1), []string{`10:12: Invalid skills: Write a list`}},
		{"bad duration", head + b(`  work = "2 hours"`), []string{`12:10: Invalid work: use ms, s, m or h`}},
		{"negative duration", head + b(`  work = -5`), []string{`12:10: Invalid work: not negative`}},
		{"bad flag", head + b(`  required = "perhaps"`), []string{`12:14: Invalid required: true or false`}},
		{"bad priority", head + b(`  priority = "urgent"`), []string{`12:14: Invalid priority: low, normal, high or critical`}},
		{"the environment of a variable", head + "worker \"x\" {\n  skills = [\"x\"]\n  exec {\n    command = [\"x\"]\n    env = [\"OMEGA_VAR_key\"]\n  }\n}\n" + a, []string{`13:11: Invalid env: secrets = { NAME = var.key }`}},
		{"misspelt variable", head + "variable \"pay\" {\n  default = 1\n}\n" + b("  work = var.pya"), []string{`15:10: Unknown variable: Did you mean "pay"?`}},
		{"misspelt employer", head + "account \"lab\" {\n  tokens = 9\n}\n" + b(`  employer = "lba"`), []string{`15:14: Unknown account: Did you mean "lab"?`}},
		{"bad run_if", head + b(`  run_if = "always"`), []string{`12:12: Invalid run_if: any_end`}},
		{"bad choice", strings.Replace(head, "{}", "{\n  on_exhausted = \"die\"\n}", 1) + a, []string{`2:18: Invalid on_exhausted: wait`}},
		{"fractional count", head + b("  count = 1.5"), []string{`12:11: Invalid count: whole number`}},
		{"count and for_each", head + b("  count = 1", "  for_each = []"), []string{`13:3: Two ways to repeat: keep one`}},
		{"objects in for_each", head + b("  for_each = [{ n = 1 }]"), []string{`12:14: Invalid for_each: { for x in list : x.name => x }`}},
		{"key twice", head + b(`  for_each = ["x", "x"]`), []string{`12:14: Invalid for_each: twice`}},
		{"too many", head + b("  count = 1000001"), []string{`12:11: Invalid count: 1000000`}},

		{"negative amount", head + strings.Replace(a, "= 1", "= -1", 1), []string{`11:12: Invalid reward: between 0 and`}},
		{"overflowing amount", head + strings.Replace(a, "= 1", "= 1e18", 1), []string{`11:12: Invalid reward: out of range`}},
		{"astronomic amount", head + strings.Replace(a, "= 1", "= 1e999999999", 1), []string{`11:12: Number too large: 400 digits`}},
		{"too many decimals", head + strings.Replace(a, "= 1", "= 0.0000001", 1), []string{`11:12: Invalid reward: 6 decimals`}},
		{"negative in one instance", head + strings.Replace(a, "= 1", "= 2 - count.index\n  count = 5", 1), []string{`11:12: Invalid reward: In alpha[3]:`}},

		{"cycle", head + job("alpha", "  needs = [job.beta]") + b("  needs = [job.alpha]"), []string{`12:11: Jobs in a circle: alpha → beta → alpha`}},
		{"cycle with itself", head + b("  needs = [job.beta]"), []string{`12:11: Jobs in a circle: beta → beta`}},
		{"cycle of instances", head + b("  count = 3", "  needs = [job.beta[(count.index + 1) % 3]]"), []string{`13:11: Jobs in a circle: beta[0] → beta[1] → beta[2] → beta[0]`}},
		{"cycle through input", head + job("alpha", "  input = job.beta.result") + b("  needs = [job.alpha]"), []string{`12:11: Jobs in a circle: alpha → beta → alpha`}},
		{"cycle of locals", head + "locals {\n  a = local.b\n  b = [local.a]\n}\n" + a, []string{`10:3: Locals in a circle: a → b → a`}},
		{"needs a result", head + a + b("  needs = [job.alpha.result.x]"), []string{`17:12: Needs may not depend on a result: write job.alpha`}},
		{"needs a name", head + a + b(`  needs = ["alpha"]`), []string{`17:11: Invalid needs: Write job.alpha, not the text`}},
		{"needs no list", head + a + b(`  needs = job.alpha`), []string{`17:11: Invalid needs: Write a list`}},
		{"needs nobody", head + b("  count = 3", "  needs = [job.beta[count.index + 1]]"), []string{`13:20: Invalid index: In beta[2]:`}},
		{"an instance of one", head + a + b("  needs = [job.alpha[0]]"), []string{`17:12: Not a list: without an index`}},
		{"a result of many", head + job("alpha", "  count = 2") + b("  input = job.alpha.result"), []string{`17:11: Which instance?: job.alpha[0]`}},
		{"a job as a value", head + a + b("  input = job.alpha"), []string{`17:11: A job is not a value: job.alpha.result`}},

		{"duplicate job", head + a + a, []string{`14:5: Duplicate job: mission.hcl:9`}},
		{"duplicate worker", head + "worker \"w\" {\n  skills = [\"x\"]\n  simulated {}\n}\n" + a, []string{`9:8: Duplicate worker: mission.hcl:5`}},
		{"duplicate treasury", head + "treasury {\n  tokens = 1\n}\n" + a, []string{`9:1: Duplicate block: mission.hcl:2`}},
		{"bad name", head + job("Alpha"), []string{`9:5: Not a name: lower-case`}},
		{"no reward", head + "job \"x\" {\n  skills = [\"build\"]\n}\n" + a, []string{`9:1: Missing reward: must set reward`}},
		{"null reward", head + strings.Replace(a, "= 1", "= null", 1), []string{`11:12: Invalid reward: every job must have one`}},
		{"null reward of an instance", head + strings.Replace(a, "= 1", "= count.index == 1 ? null : 1\n  count = 3", 1), []string{`11:12: Invalid reward: In alpha[1]:`}},
		{"null tokens", strings.Replace(head, "1e9", "null", 1) + a, []string{`3:12: Missing tokens: must set tokens`}},
		{"nothing at all", "", []string{"1:1: Missing mission block:", "1:1: Missing treasury block:", "1:1: Missing worker block:", "1:1: Missing job block:"}},

		{"a skill nobody has", head + strings.Replace(a, `"build"`, `"biuld"`, 1), []string{`10:12: No worker can do this: Did you mean "build"?`}},
		{"energy beyond capacity", head + b("  energy_budget = 5"), []string{`12:19: More energy than there is: capacity is 0`}},
		{"treasury too small", strings.Replace(head, "1e9", "100", 1) + a, []string{`3:12: Treasury too small: 1 workers × 0.8 + 3 validators × 40 + rewards 1 + fees 0.05 = 121.85`}},
		{"shares", head + "governance {\n  slash_shares = { employer = 0.5, treasury = 0.4 }\n}\n" + a, []string{`10:18: Shares do not sum to 1: 0.9`}},
		{"cheap silence", head + "governance {\n  no_reveal_ratio = 0.1\n}\n" + a, []string{`10:21: Silence would be cheaper than a wrong vote: at least wrong_vote_ratio`}},
		{"large committee", head + "governance {\n  committee = 9\n}\n" + a, []string{`10:15: Committee larger than the validators: at most 3`}},
		{"few approvals", head + "governance {\n  approvals_required = 1\n}\n" + a, []string{`10:24: Approvals below the majority: at least that`}},
		{"two validators", head + "validator \"v\" {\n  count = 2\n}\n" + a, []string{`9:1: Too few validators: at least 3`}},
		{"no validators", head + "validator \"v\" {\n  count = 0\n}\n" + a, []string{`9:1: Too few validators: at least 3`}},
		{"condition of text", head + b("  accept {", `    condition = "yes"`, "  }"), []string{`13:17: Invalid condition: true or false`}},

		{"later block", head + a + "mesh {\n  listen = \"x\"\n}\n", []string{`14:1: Not in this version yet: mesh`}},
		{"later validator", head + "validator \"v\" {\n  plugin = \"x\"\n}\n" + a, []string{`10:3: Not in this version yet: validator.plugin`}},
		{"later worker", head + "worker \"x\" {\n  skills = [\"x\"]\n  agent {}\n}\n" + a, []string{`11:3: Not in this version yet: worker.agent`}},
		{"later attribute", head + "worker \"x\" {\n  skills = [\"x\"]\n  plugin = \"x\"\n}\n" + a, []string{`11:3: Not in this version yet: worker.plugin`}},

		{"file outside", head + b(`  title = file("../../etc/passwd")`), []string{`12:17: Invalid function argument: outside the mission folder`}},
		{"file by its full path", head + b(`  title = file("/etc/passwd")`), []string{`12:17: Invalid function argument: outside the mission folder`}},
		{"no file", head + b(`  title = file("x.txt")`), []string{`12:17: Invalid function argument: no such file`}},
		{"file that is a folder", head + b(`  title = file(".")`), []string{`12:17: Invalid function argument: not a regular file`}},
		{"deep JSON", head + b(`  input = jsondecode(join("", [for i in range(1000) : "["]))`), []string{`12:22: Invalid function argument: deeper than`}},
		{"wide format", head + b(`  title = format("%999999999d", 1)`), []string{`12:11: Error in function call: three digits`}},

		{"nested brackets", head + b(deep("[", 100_000)), []string{`12:408: Nested too deeply: in locals`}},
		{"nested parentheses", head + b(deep("(", 100_000)), []string{`12:408: Nested too deeply:`}},
		{"nested calls", head + b(deep("f(", 100_000)), []string{`12:806: Nested too deeply:`}},
		{"nested objects", head + b(deep("{a=", 100_000)), []string{`12:607: Nested too deeply:`}},
		{"nested templates", head + b(deep(`"${`, 100_000)), []string{`12:606: Nested too deeply:`}},
		{"many negations", head + b(deep("!", 100_000)), []string{`12:408: Nested too deeply:`}},
		{"a long sum", head + b(deep("1+", 100_000)), []string{`12:806: Nested too deeply:`}},
		{"a long choice", head + b(deep("true?1:", 100_000)), []string{`12:1403: Nested too deeply:`}},
		{"directives", head + b(`  title = "`+strings.Repeat("%{if true}", 100_000)), []string{`12:3972: Nested too deeply:`}},
		{"nested blocks", head + strings.Repeat("a {\n", 100_000), []string{`409:3: Nested too deeply:`}},
		{"sums over lines", head + b(deep("(1+\n", 100_000)), []string{`210:3: Nested too deeply:`}},
		{"binary junk", "\x7fELF\x02\x01\x00\x00" + head, []string{`1:7: Not a text file: Byte 6`}},
		{"latin 1", head + b("  title = \"\xe9\""), []string{`12:12: Not a text file:`}},
		{"unclosed", head + strings.TrimSuffix(a, "}\n"), []string{`9:13: Unclosed configuration block: closing brace`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, diags := load(t, c.source)
			require.Nil(t, m)
			require.True(t, diags.HasErrors())
			var got []string
			for _, d := range diags {
				require.Equal(t, "mission.hcl", d.File)
				got = append(got, fmt.Sprintf("%d:%d: %s: %s", d.Line, d.Column, d.Summary, d.Detail))
			}
			require.Len(t, got, len(c.want), "%q", got)
			for i, want := range c.want {
				parts := strings.SplitN(want, ": ", 3)
				require.True(t, strings.HasPrefix(got[i], strings.TrimSuffix(parts[0]+": "+parts[1], ":")+":"), "%s\nwant %s", got[i], want)
				if len(parts) == 3 {
					require.Contains(t, diags[i].Detail, parts[2])
				}
			}
		})
	}
}

func TestLargeFileIsNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mission.hcl")
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(100<<20))
	require.NoError(t, f.Close())
	bytes := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			_, diags := Load(path)
			require.Len(t, diags, 1)
			require.Contains(t, diags[0].String(), "mission.hcl:1:1: error: File not readable: It has 104857600 bytes")
			if b.N == 1 {
				return
			}
		}
	}).AllocedBytesPerOp()
	require.Less(t, bytes, int64(1<<20))
}

func TestTooManyTokens(t *testing.T) {
	_, diags := load(t, strings.Repeat("[", maxTokens+1))
	require.Len(t, diags, 1)
	require.Equal(t, "Too many tokens", diags[0].Summary)
}

func TestSymlinks(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	write(t, outside, "secret.txt", "secret")
	write(t, outside, "mission.hcl", head+job("alpha"))
	write(t, dir, "inside.txt", "inside")
	require.NoError(t, os.Symlink(filepath.Join(outside, "secret.txt"), filepath.Join(dir, "out.txt")))
	require.NoError(t, os.Symlink("inside.txt", filepath.Join(dir, "in.txt")))
	require.NoError(t, os.Symlink(filepath.Join(outside, "mission.hcl"), filepath.Join(dir, "link.hcl")))

	_, diags := Load(write(t, dir, "mission.hcl", head+job("alpha", `  title = file("out.txt")`)))
	require.Len(t, diags, 1)
	require.Equal(t, 12, diags[0].Line)
	require.Contains(t, diags[0].Detail, "outside the mission folder")
	require.NotContains(t, diags[0].Detail, "secret")

	m, diags := Load(write(t, dir, "mission.hcl", head+job("alpha", `  title = file("in.txt")`)))
	require.Empty(t, diags)
	require.Equal(t, "inside", expandAll(t, m, 10)[0].Title)

	_, diags = Load(filepath.Join(dir, "link.hcl"))
	require.Len(t, diags, 1)
	require.Contains(t, diags[0].Detail, "utside the mission folder")
}

func TestPipeIsNotWaitedFor(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	_, diags := Load(write(t, dir, "mission.hcl", head+job("alpha", `  title = file("pipe")`)))
	require.Len(t, diags, 1)
	require.Contains(t, diags[0].Detail, "not a regular file")
}

func TestMissionNotFound(t *testing.T) {
	_, diags := Load(filepath.Join(t.TempDir(), "nothing.hcl"))
	require.Len(t, diags, 1)
	require.Contains(t, diags[0].Detail, "There is no such file")
	_, diags = Load(t.TempDir())
	require.Len(t, diags, 1)
	require.Equal(t, "No mission here", diags[0].Summary)
}

// TestBombs are a few lines that would outgrow the memory or the stack.
func TestBombs(t *testing.T) {
	var lists, texts, numbers, nested strings.Builder
	for i := range 60 {
		fmt.Fprintf(&lists, "  a%d = [local.a%d, local.a%d]\n", i+1, i, i)
		fmt.Fprintf(&texts, "  a%d = \"${local.a%d}${local.a%d}\"\n", i+1, i, i)
		fmt.Fprintf(&numbers, "  a%d = local.a%d * local.a%d\n", i+1, i, i)
	}
	for i := range 9_000 {
		fmt.Fprintf(&nested, "  a%d = [local.a%d]\n", i+1, i)
	}
	for name, body := range map[string]string{
		"lists": lists.String(), "texts": texts.String(), "numbers": numbers.String(), "nested": nested.String(),
	} {
		_, diags := load(t, head+"locals {\n  a0 = \"100\"\n"+body+"}\n"+job("alpha"))
		require.NotEmpty(t, diags, name)
		require.Equal(t, "Local out of bounds", diags[0].Summary, name)
	}
}

func TestOneDiagnosticPerInstanceAndBounded(t *testing.T) {
	var b strings.Builder
	for i := range 500 {
		b.WriteString(job(fmt.Sprintf("j%d", i), "  nonsense = 1"))
	}
	_, diags := load(t, head+b.String())
	require.Len(t, diags, maxDiagnostics)
	_, diags = load(t, head+job("alpha", "  count = 1000", "  title = local.x"))
	require.Len(t, diags, 1)
}
