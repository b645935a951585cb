package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set when a release is built.
const version = "0.1.0"

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which omega this is",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return p.about() },
	}
}

func (p *program) about() error {
	about := map[string]string{"version": version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH, "journal": "omega.journal/v1"}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				about["revision"] = s.Value
			}
		}
	}
	if p.json {
		return p.print(about)
	}
	fmt.Fprintf(p.out, "omega %s (%s, %s)\n", version, about["go"], about["platform"])
	return nil
}
