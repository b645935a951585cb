package missionfile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/omega-run/omega/host/core"
	"github.com/stretchr/testify/require"
)

// oneError is the only diagnostic of a mission: "line:column: summary: detail".
func oneError(t *testing.T, source string) string {
	t.Helper()
	m, diags := load(t, source)
	require.Nil(t, m)
	require.Len(t, diags, 1, "%v", diags)
	d := diags[0]
	return fmt.Sprintf("%d:%d: %s: %s", d.Line, d.Column, d.Summary, d.Detail)
}

const lab = "account \"lab\" {\n  tokens = 21\n}\n"

func TestAccounts(t *testing.T) {
	m, diags := load(t, head+lab+"account \"press\" {\n  tokens = 0.5\n}\n"+
		job("alpha", "  count = 20", `  employer = "lab"`)+
		job("gamma", `  employer = "operator"`))
	require.Empty(t, diags)
	require.Equal(t, []core.AccountSpec{{Name: "lab", Tokens: 21_000_000}, {Name: "press", Tokens: 500_000}}, m.Spec().Accounts)
	jobs := expandAll(t, m, 100)
	require.Equal(t, "lab", jobs[0].Employer)
	require.Equal(t, "", jobs[20].Employer, "the owner's own name is as good as none")
	m, diags = load(t, head+lab+job("alpha", "  for_each = [\"lab\", \"operator\"]", "  employer = each.key"))
	require.Empty(t, diags)
	jobs = expandAll(t, m, 100)
	require.Equal(t, []string{"lab", ""}, []string{jobs[0].Employer, jobs[1].Employer})
}

func TestAccountsRefused(t *testing.T) {
	poor := strings.Replace(head, "1e9", "143", 1)
	for name, c := range map[string]struct{ source, want string }{
		"misspelt employer":    {head + lab + job("alpha", `  employer = "lob"`), `15:14: Unknown account: No account is called "lob". Did you mean "lab"? Declare it`},
		"in one instance":      {head + lab + job("alpha", "  count = 2", `  employer = count.index == 0 ? "lab" : "pub"`), `16:14: Unknown account: In alpha[1]: No account is called "pub".`},
		"the owner's":          {head + "account \"operator\" {\n  tokens = 1\n}\n" + job("alpha"), `9:9: Account of the owner: `},
		"of the guardian":      {strings.Replace(head, "{}", "{\n  owner = \"guardian\"\n}", 1) + job("alpha"), `2:11: Name of the guardian: `},
		"another owner's":      {strings.Replace(head, "{}", "{\n  owner = \"lab\"\n}", 1) + lab + job("alpha"), `11:9: Account of the owner: `},
		"twice":                {head + lab + lab + job("alpha"), `12:9: Duplicate account: `},
		"not a name":           {head + strings.Replace(lab, "lab", "La_b", 1) + job("alpha"), `9:9: Not a name: `},
		"no tokens":            {head + "account \"lab\" {\n}\n" + job("alpha"), `9:1: Missing tokens: `},
		"more than it has":     {head + lab + job("alpha", "  count = 21", `  employer = "lab"`), `10:12: Account too small: lab has 21 tokens, but the rewards 21 + fees 1.05 of its jobs are 22.05`},
		"in varying instances": {head + lab + job("alpha", "  count = 21", `  employer = "lab"`, "  title = \"${count.index}\""), `10:12: Account too small: lab has 21 tokens, but the rewards 21 + fees 1.05`},
		"above the treasury":   {poor + lab + job("alpha"), `3:12: Treasury too small: It has 143 tokens, but 1 workers × 0.8 + 3 validators × 40 + rewards 1 + fees 0.05 + accounts 21 = 142.85`},
	} {
		if name == "above the treasury" {
			m, diags := load(t, c.source)
			require.NotNil(t, m, "%v", diags)
			c.source = strings.Replace(c.source, "143", "142.849999", 1)
			c.want = strings.Replace(c.want, "143", "142.849999", 1)
		}
		require.Contains(t, oneError(t, c.source), c.want, name)
	}
}
