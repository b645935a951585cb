package missionfile

import (
	"testing"

	"github.com/omega-run/omega/host/core"
	"github.com/stretchr/testify/require"
)

func TestValidatorKinds(t *testing.T) {
	m, diags := load(t, head+`
validator "r" { count = 2 }
validator "p" {
  exec {
    command = ["python3", "judge.py"]
    timeout = 30
    env     = ["LANG"]
    memory  = 33554432
    output  = 2048
  }
}
validator "s" {
  count = 2
  simulated {
    absent_ratio = 0.25
    wrong_ratio  = count.index / 10
  }
}
`+job("alpha"))
	require.Empty(t, diags)
	exec := core.ExecSpec{Command: []string{"python3", "judge.py"}, Timeout: 30 * core.Second, Env: []string{"LANG"}, Memory: 32 << 20, Output: 2048}
	require.Equal(t, []core.ValidatorSpec{
		{Name: "r", Instances: []string{"r_0", "r_1"}, Kind: core.RuleValidator},
		{Name: "p", Instances: []string{"p"}, Kind: core.ExecValidator, Exec: exec},
		{Name: "s_0", Instances: []string{"s_0"}, Kind: core.SimulatedValidator, Simulated: core.ValidatorModel{AbsentRatio: 250_000}},
		{Name: "s_1", Instances: []string{"s_1"}, Kind: core.SimulatedValidator, Simulated: core.ValidatorModel{AbsentRatio: 250_000, WrongRatio: 100_000}},
	}, m.Spec().Validators)

	for name, c := range map[string]struct{ block, want string }{
		"two kinds":     {"simulated {}\nexec {\n  command = [\"x\"]\n}", "11:1: Two kinds: validator.v is already simulated"},
		"no command":    {"exec {}", "10:1: Missing command: "},
		"misspelt":      {"simulated {\n  absent = 1\n}", "11:3: Unsupported argument: "},
		"out of bounds": {"simulated {\n  absent_ratio = 2\n}", "11:18: Invalid absent_ratio: It must be between 0 and 1"},
		"later":         {"human {}", "10:1: Not in this version yet: validator.human"},
	} {
		require.Contains(t, oneError(t, head+"validator \"v\" {\n"+c.block+"\n}\nvalidator \"w\" {\n  count = 3\n}\n"+job("alpha")), c.want, name)
	}
}
