package main

import (
	"github.com/spf13/cobra"
)

func (p *program) policyCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "policy", Short: "Try scripts: run their tests, and new versions against what has been recorded", Args: noOther, RunE: help}
	cmd.AddCommand(p.policyTestCommand(), p.policyDiffCommand())
	return cmd
}
