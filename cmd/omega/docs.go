package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/omega-run/omega/host/missionfile"
)

func (p *program) docsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "docs", Short: "Print reference pages", Args: noOther, RunE: help}
	cmd.AddCommand(&cobra.Command{
		Use: "mission", Short: "Print the reference of the mission file, as Markdown", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprint(p.out, missionfile.Reference())
			return err
		},
	})
	return cmd
}
