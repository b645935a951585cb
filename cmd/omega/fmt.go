package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/omega-run/omega/host"
	"github.com/omega-run/omega/host/missionfile"
)

func (p *program) fmtCommand() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "fmt [PATH…]",
		Short: "Write mission files in their usual form",
		Long: `Write mission files in their usual form and list those that changed. A PATH is an
HCL file or a folder of them, this folder by default. A file that cannot be read
as HCL is not touched. With --check nothing is written: exit 4 if a file would change.`,
		RunE: func(_ *cobra.Command, args []string) error { return p.format(args, check) },
	}
	cmd.Flags().BoolVar(&check, "check", false, "list what would change, and end with 4 if anything does")
	return cmd
}

func (p *program) format(paths []string, check bool) error {
	files, err := hclFiles(paths)
	if err != nil {
		return err
	}
	changed, broken := []string{}, false
	for _, path := range files {
		content, mode, err := readRegular(path)
		if err != nil {
			return err
		}
		formatted, found := missionfile.Format(path, content)
		if found.HasErrors() {
			broken = true
			if err := found.Print(p.err, p.colour()); err != nil {
				return err
			}
			continue
		}
		if bytes.Equal(content, formatted) {
			continue
		}
		changed = append(changed, path)
		if !check {
			if err := replace(path, formatted, mode); err != nil {
				return err
			}
		}
	}
	if err := p.listChanged(changed); err != nil {
		return err
	}
	if broken || check && len(changed) > 0 {
		return &exit{code: host.CodeInvalid}
	}
	return nil
}

func (p *program) listChanged(changed []string) error {
	if p.json {
		return p.print(struct {
			Changed []string `json:"changed"`
		}{changed})
	}
	for _, path := range changed {
		if _, err := fmt.Fprintln(p.out, path); err != nil {
			return err
		}
	}
	return nil
}

// hclFiles are the files named, and those of the folders named, in name order.
func hclFiles(paths []string) (files []string, err error) {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, usage("there is no %s: name an HCL file or a folder of them", path)
		case err != nil:
			return nil, err
		case !info.IsDir() && !strings.HasSuffix(path, ".hcl"):
			return nil, usage("%s is no *.hcl file: only those have a usual form", path)
		case !info.IsDir():
			files = append(files, path)
			continue
		}
		found, err := os.ReadDir(path)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			if !f.IsDir() && strings.HasSuffix(f.Name(), ".hcl") && !strings.HasPrefix(f.Name(), ".") {
				files = append(files, filepath.Join(path, f.Name()))
			}
		}
	}
	return files, nil
}

// readRegular reads a mission file of the size a mission may have.
func readRegular(path string) ([]byte, fs.FileMode, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() || info.Size() > missionfile.MaxSource {
		return nil, 0, usage("%s is no file of at most %d MiB", path, missionfile.MaxSource>>20)
	}
	content, err := os.ReadFile(path)
	return content, info.Mode().Perm(), err
}

// replace writes a file beside the old one and puts it in its place, so that
// either is whole. A link stays one.
func replace(path string, content []byte, mode fs.FileMode) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".fmt-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails after the rename, as it should
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
