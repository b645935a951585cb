package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/omega-run/omega/host/missionfile"
)

// variables adds the flags that give a mission's variables their values, and
// returns what they and the environment give.
func variables(cmd *cobra.Command) func() missionfile.Given {
	var given missionfile.Given
	cmd.Flags().StringArrayVar(&given.Flags, "var", nil, "`NAME=VALUE` of a variable; may be repeated")
	cmd.Flags().StringArrayVar(&given.Files, "var-file", nil, "a `FILE` of values, HCL or JSON; may be repeated")
	return func() missionfile.Given {
		given.Environ = os.Environ()
		return given
	}
}

// longFlags are arguments with -var and -var-file, as HCL tools write them, in
// the form the flags have.
func longFlags(args []string) []string {
	all := make([]string, 0, len(args))
	for i, arg := range args {
		if arg == "--" {
			return append(all, args[i:]...)
		}
		name, _, _ := strings.Cut(arg, "=")
		if name == "-var" || name == "-var-file" {
			arg = "-" + arg
		}
		all = append(all, arg)
	}
	return all
}
